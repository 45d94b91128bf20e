"""The room's rules without HTTP: who joins, what phones are told, what is an answer, and that all is forgotten."""

import gc
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from msecnn.ui.server import classroom, room
from msecnn.ui.server.classroom import MOST_ADDRESSES, MOST_WRONG, Classroom, Tries
from msecnn.ui.server.room import CODE_LETTERS, LONGEST_S, MOST_CHANGES, MOST_PHONES, PRESENT_S, Room, RoomError, View
from msecnn.ui.server.room_link import base_addresses, local_addresses, qr_rows
from msecnn.ui.server.room_question import BINS, KINDS, MOST, NUMBERS, Question, QuestionError

CHOICE = {"kind": "choice", "text": "Which?", "choices": ["one", "two", "three"], "right": 1, "because": "So it is."}
NUMBER = {"kind": "number", "text": "How many?", "low": 0, "high": 100, "unit": "%"}
NETWORK = {"title": "FCN-5", "values": [0.1, 0.8, 0.1], "unit": "probability"}


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def question(**changes: Any) -> Question:
    return Question.from_request({**CHOICE, **changes})


def asked(room: Room, *answers: object, **changes: Any) -> list[str]:
    """Phones that have each answered a question in turn."""
    room.ask(question(**changes))
    tokens = [room.join(f"10.0.0.{number}") for number, _ in enumerate(answers)]
    for token, answer in zip(tokens, answers, strict=True):
        room.answer(token, room.lead_state()["question"]["serial"], answer)
    return tokens


class TestPhones:
    def test_a_phone_that_comes_back_is_the_same(self) -> None:
        room = Room()
        (token,) = asked(room, 2)
        assert room.join("another address", token) == token
        assert room.state_for(token)["mine"] == 2
        assert room.lead_state()["joined"] == 1

    def test_a_token_that_is_not_known_is_replaced(self) -> None:
        room = Room()
        for token in ("mine", "", None, 5, ["a"], {"a": 1}):
            assert room.join("10.0.0.1", token) not in (token, "mine")

    def test_a_phone_that_sleeps_is_not_present_but_its_answer_counts(self) -> None:
        clock = Clock()
        room = Room(clock=clock)
        asked(room, 1)
        clock.now = PRESENT_S + 1
        state = room.lead_state()
        assert (state["phones"], state["joined"], state["question"]["counts"]) == (0, 1, [0, 1, 0])

    def test_a_stranger_gets_a_sentence(self) -> None:
        room = Room()
        for ask in (lambda: room.state_for("x"), lambda: room.answer("x", 1, 0)):
            with pytest.raises(RoomError, match="not in the room") as refused:
                ask()
            assert refused.value.status == 403

    def test_ten_thousand_joins_from_one_address_leave_room_for_others(self) -> None:
        clock = Clock()
        room = Room(clock=clock)
        pupils = [room.join(f"10.0.0.{number}") for number in range(40)]
        for number in range(MOST_PHONES - 40):
            clock.now = number / 1000
            room.join("10.6.6.6")
        for _ in range(10_000):
            with pytest.raises(RoomError, match="full") as refused:
                room.join("10.6.6.6")
            assert refused.value.status == 503
        assert room.lead_state()["joined"] == MOST_PHONES
        late = room.join("10.0.0.99")
        assert {room.state_for(token)["code"] for token in (*pupils, late)} == {room.code}

    def test_joins_from_many_addresses_push_nobody_out(self) -> None:
        room = Room()
        tokens = [room.join(f"10.0.{number >> 8}.{number & 255}") for number in range(MOST_PHONES)]
        with pytest.raises(RoomError, match="full"):
            room.join("10.9.9.9")
        assert all(room.state_for(token) for token in tokens)

    def test_who_sleeps_and_has_not_answered_makes_way_first(self) -> None:
        clock = Clock()
        room = Room(clock=clock)
        room.ask(question())
        tokens = [room.join("10.0.0.1") for _ in range(MOST_PHONES)]
        room.answer(tokens[0], 1, 0)
        clock.now = PRESENT_S + 1
        for token in tokens[2:]:
            room.state_for(token)
        room.join("10.0.0.1")
        assert room.state_for(tokens[0])["mine"] == 0
        with pytest.raises(RoomError):
            room.state_for(tokens[1])


class TestAnswers:
    def test_the_last_answer_counts_until_the_question_is_closed(self) -> None:
        room = Room()
        (token,) = asked(room, 0)
        room.answer(token, 1, 2)
        assert room.lead_state()["question"]["counts"] == [0, 0, 1]
        room.stop()
        with pytest.raises(RoomError, match="closed"):
            room.answer(token, 1, 0)
        assert room.lead_state()["question"]["counts"] == [0, 0, 1]

    @pytest.mark.parametrize("answer", [-1, 3, 10**30, True, 1.0, "1", None, [1], {"1": 1}, float("nan"), "x" * 10**6])
    def test_what_is_no_choice(self, answer: object) -> None:
        room = Room()
        (token,) = asked(room, 1)
        with pytest.raises(QuestionError) as refused:
            room.answer(token, 1, answer)
        assert len(str(refused.value)) < 200
        assert room.lead_state()["question"]["counts"] == [0, 1, 0]

    @pytest.mark.parametrize("answer", [-0.1, 100.1, True, "50", None, float("nan"), float("inf"), 10**400, [5]])
    def test_what_is_no_number(self, answer: object) -> None:
        with pytest.raises(QuestionError) as refused:
            Question.from_request(NUMBER).checked(answer)
        assert len(str(refused.value)) < 200

    def test_an_answer_to_an_earlier_question(self) -> None:
        room = Room()
        (token,) = asked(room, 0)
        room.ask(question())
        for serial in (1, None, "2", 2.5, 3):
            with pytest.raises(RoomError, match="closed"):
                room.answer(token, serial, 0)
        assert room.state_for(token)["mine"] is None

    def test_a_flood_of_answers_ends(self) -> None:
        room = Room()
        (token,) = asked(room, 0)
        for number in range(MOST_CHANGES - 1):
            room.answer(token, 1, number % 3)
        with pytest.raises(RoomError, match="often enough"):
            room.answer(token, 1, 0)

    def test_phones_are_told_nothing_of_the_answer_before_it_is_shown(self) -> None:
        room = Room()
        tokens = asked(room, 0, 1, 1, networks=[NETWORK])
        told = room.state_for(tokens[0])["question"]
        assert told.keys().isdisjoint({"counts", "networks", "right", "because", "n", "median"})
        assert room.lead_state()["question"]["networks"] == [NETWORK]
        room.stop()
        assert "counts" not in room.state_for(tokens[0])["question"]
        room.reveal()
        told = room.state_for(tokens[0])["question"]
        assert (told["counts"], told["n"], told["right"], told["networks"]) == ([1, 2, 0], 3, 1, [NETWORK])

    def test_numbers_fall_into_equal_parts(self) -> None:
        counted = Question.from_request(NUMBER).counts([0, 9.9, 10, 55, 99.9, 100])
        assert counted == [2, 1, 0, 0, 0, 1, 0, 0, 0, 2]
        shown = Question.from_request(NUMBER).revealed().for_phones([10, 20, 60])
        assert (shown["median"], shown["n"]) == (20, 3)


WRONG = [
    {**CHOICE, "kind": "essay"},
    {**CHOICE, "kind": ["choice"]},
    {**CHOICE, "text": ""},
    {**CHOICE, "text": " \n "},
    {**CHOICE, "text": 5},
    {**CHOICE, "text": "x" * 301},
    {**CHOICE, "choices": ["one"]},
    {**CHOICE, "choices": ["one", "one"]},
    {**CHOICE, "choices": ["one", 2]},
    {**CHOICE, "choices": ["one", "x" * 81]},
    {**CHOICE, "choices": [str(number) for number in range(MOST + 1)]},
    {**CHOICE, "choices": "one, two"},
    {**CHOICE, "right": 3},
    {**CHOICE, "right": True},
    {**CHOICE, "right": "one"},
    {**CHOICE, "because": 5},
    {**CHOICE, "networks": [NETWORK] * 5},
    {**CHOICE, "networks": [{**NETWORK, "values": [0.1]}]},
    {**CHOICE, "networks": [{**NETWORK, "values": [0.1, 0.2, float("nan")]}]},
    {**CHOICE, "networks": [{**NETWORK, "unit": "points"}]},
    {**CHOICE, "networks": [{**NETWORK, "unit": ["share"]}]},
    {**CHOICE, "networks": "FCN-5"},
    {**NUMBER, "low": 100},
    {**NUMBER, "low": None},
    {**NUMBER, "high": float("inf")},
    {**NUMBER, "high": 1e9},
    {**NUMBER, "unit": "x" * 21},
    {},
    [],
    "Which?",
    None,
]


@pytest.mark.parametrize("request_", WRONG, ids=range(len(WRONG)))
def test_what_is_no_question(request_: object) -> None:
    with pytest.raises(QuestionError) as refused:
        Question.from_request(request_)
    assert 10 < len(str(refused.value)) < 200


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.sampled_from(KINDS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*CHOICE, *NUMBER]), inner, max_size=6),
    max_leaves=12,
)


@given(TREES, TREES)
@settings(max_examples=300, deadline=None)
def test_whatever_is_sent_is_a_question_or_a_sentence(sent: object, answer: object) -> None:
    merged = {**CHOICE, **NUMBER, **sent} if isinstance(sent, dict) else sent
    try:
        made = Question.from_request(merged)
        made.checked(answer)
    except QuestionError:
        return
    assert sum(made.counts([made.checked(answer)])) == 1


class TestRoom:
    def test_a_code_is_read_aloud_without_doubt(self) -> None:
        codes = {Room().code for _ in range(200)}
        assert len(codes) > 190
        assert not set("".join(codes)) - set(CODE_LETTERS)
        assert not set(CODE_LETTERS) & set("01OIL25SAEU")

    def test_a_view_that_is_shown_again_wakes_nobody(self) -> None:
        room = Room()
        room.show(View("?example=piano", 3.0))
        version = room.version
        room.show(View("?example=piano", 3.0))
        assert room.version == version
        assert room.state_for(room.join("a"))["view"] == {"search": "?example=piano", "seconds": 3.0}

    def test_it_ends_by_age_and_is_forgotten(self) -> None:
        clock = Clock()
        room = Room(clock=clock)
        (token,) = asked(room, 1)
        clock.now = LONGEST_S + 1
        for ask in (room.lead_state, lambda: room.state_for(token), lambda: room.join("a"), room.stop):
            with pytest.raises(RoomError, match="ended") as refused:
                ask()
            assert refused.value.status == 410
        assert not room._phones
        assert room._question is None

    def test_nothing_of_it_is_left_when_it_was_closed(self) -> None:
        host = Classroom()
        asked(host.open(), 1, because="A reason that nobody else has.")
        host.close()
        gc.collect()
        assert not [one for one in gc.get_objects() if isinstance(one, Room | room.Phone)]
        assert not [one for one in gc.get_objects() if isinstance(one, Question) and "nobody else" in one.because]

    @pytest.mark.parametrize("step", [Room.stop, Room.reveal, Room.clear])
    def test_where_nothing_is_asked(self, step: Any) -> None:
        with pytest.raises(RoomError, match="Nothing is asked"):
            step(Room())


class TestClassroom:
    def test_the_code_opens_the_room_and_nothing_else_does(self) -> None:
        host = Classroom()
        code = host.open().code
        assert host.join("a", f" {code[:2].lower()} {code[2:]} ", None)
        for wrong in ("", code[:-1], host.secret, None, 5, "\ud800", "ä" * 50, [code]):
            with pytest.raises(RoomError, match="No room has this code"):
                host.join("b", wrong, None)
        host.close()
        with pytest.raises(RoomError, match="ended"):
            host.join("a", code, None)

    def test_a_new_room_has_another_code(self) -> None:
        host = Classroom()
        first = host.open()
        assert host.open() is first
        host.close()
        assert host.open().code != first.code

    def test_who_guesses_codes_is_stopped_and_others_are_not(self) -> None:
        clock = Clock()
        host = Classroom(clock=clock)
        code = host.open().code
        for _ in range(MOST_WRONG):
            with pytest.raises(RoomError, match="No room"):
                host.join("guesser", "BBBBB" if code != "BBBBB" else "CCCCC", None)
        with pytest.raises(RoomError, match="Too many tries") as refused:
            host.join("guesser", code, None)
        assert refused.value.status == 429
        assert host.join("pupil", code, None)
        clock.now += classroom.WINDOW_S
        assert host.join("guesser", code, None)

    def test_only_the_secret_leads(self) -> None:
        host = Classroom()
        code = host.open().code
        host.require_lecturer("a", host.secret)
        for key in ("", code, host.join("a", code, None), host.secret[:-1], host.secret + "x", "é"):
            with pytest.raises(RoomError, match="Only the lecturer"):
                host.require_lecturer("b", key)

    def test_what_is_counted_of_addresses_is_bounded(self) -> None:
        tries = Tries(3, Clock())
        for number in range(3 * MOST_ADDRESSES):
            tries.add(str(number))
        assert len(tries) == MOST_ADDRESSES


class TestLink:
    def test_the_lecturer_s_own_address_comes_first_where_others_can_reach_it(self) -> None:
        assert base_addresses("https://tags.example.org/class/", 7860)[0] == "https://tags.example.org/class/"
        for alone in ("http://127.0.0.1:7860/", "http://localhost:7860/", "http://[::1]:7860/", "http://0.0.0.0:1/"):
            offered = base_addresses(alone, 7860)
            assert alone not in offered
            assert all(address.startswith("http://") for address in offered)

    @pytest.mark.parametrize("own", ["", "javascript:alert(1)", "//x", "data:,", "http://", "http://[", "\x00"])
    def test_what_is_no_address_is_not_shown(self, own: str) -> None:
        offered = base_addresses(own, 7860)
        assert all(address.startswith("http://") for address in offered)

    def test_this_machine_alone_is_no_address(self) -> None:
        assert not [address for address in local_addresses() if address.startswith("127.")]

    def test_the_picture_has_the_three_corners_of_a_qr_code(self) -> None:
        rows = qr_rows("http://192.168.1.25:7860/?room=BCDFG")
        assert {len(row) for row in rows} == {len(rows)}
        corner = ["1111111", "1000001", "1011101", "1011101", "1011101", "1000001", "1111111"]
        assert (
            [row[:7] for row in rows[:7]] == [row[-7:] for row in rows[:7]] == [row[:7] for row in rows[-7:]] == corner
        )


class Rooms(RuleBasedStateMachine):
    """Whatever comes in whatever order: as many answers as phones gave, and each phone knows its own."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.room = Room(clock=self.clock)
        self.tokens: list[str] = []
        self.expected: dict[str, float] = {}
        self.asked: Question | None = None
        self.is_open = False

    @rule(address=st.sampled_from("ab"))
    def joins(self, address: str) -> None:
        self.tokens.append(self.room.join(address))

    @rule(kind=st.sampled_from([CHOICE, NUMBER]))
    def asks(self, kind: dict[str, Any]) -> None:
        self.asked, self.is_open, self.expected = Question.from_request(kind), True, {}
        self.room.ask(self.asked)

    @precondition(lambda self: self.tokens)
    @rule(which=st.integers(0, 99), value=st.sampled_from([-1, 0, 1, 2, 50.5, 101, "x", None, True]))
    def answers(self, which: int, value: Any) -> None:
        token = self.tokens[which % len(self.tokens)]
        serial = (self.room.lead_state()["question"] or {"serial": 0})["serial"]
        is_right = self.is_open and self.asked is not None and type(value) in (int, float)
        is_right = is_right and (0 <= value <= 100 if self.asked and self.asked.kind in NUMBERS else value in (0, 1, 2))
        if is_right:
            self.room.answer(token, serial, value)
            self.expected[token] = value
        else:
            with pytest.raises((RoomError, QuestionError)):
                self.room.answer(token, serial, value)

    @precondition(lambda self: self.asked is not None)
    @rule(step=st.sampled_from(["stop", "reveal"]))
    def ends(self, step: str) -> None:
        getattr(self.room, step)()
        self.is_open = False

    @rule(seconds=st.floats(0, 40))
    def sleeps(self, seconds: float) -> None:
        self.clock.now += seconds

    @invariant()
    def no_answer_is_lost(self) -> None:
        state = self.room.lead_state()
        assert state["joined"] == len(self.tokens)
        if self.asked is not None:
            assert sum(state["question"]["counts"]) == state["question"]["n"] == len(self.expected)
            assert len(state["question"]["counts"]) == (BINS if self.asked.kind in NUMBERS else 3)
        for token in self.tokens:
            assert self.room.state_for(token)["mine"] == self.expected.get(token)


TestRooms = Rooms.TestCase
TestRooms.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
