"""Whose turn it is: simulated visitors, in their own event loop."""

import asyncio
import time
from collections import Counter
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msecnn.ui.server import fair_queue
from msecnn.ui.server.fair_queue import BusyError, FairQueue, Turn, Visitor


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(coroutine)


def visitor(number: int, session: str = "s") -> Visitor:
    return Visitor(f"10.0.0.{number}", f"{session}{number}")


def next_turn(queue: FairQueue) -> Turn:
    """The one that runs."""
    (turn,) = queue._running
    return turn


async def order(queue: FairQueue) -> list[Visitor]:
    """Whoever is called, one after the other, each taking equally long."""
    served = []
    while queue.n_running:
        turn = next_turn(queue)
        assert turn.begun is not None
        turn.begun = time.monotonic() - 1.0
        served.append(turn.visitor)
        turn.release()
    return served


def test_a_flooder_s_questions_wait_behind_everybody_s_first() -> None:
    async def scene() -> list[Visitor]:
        queue = FairQueue(1, n_waiting=100, n_each=10)
        for _ in range(11):
            queue.join(visitor(0))
        for number in range(1, 5):
            queue.join(visitor(number))
        return await order(queue)

    served = run(scene())
    assert served[0] == visitor(0)
    assert set(served[1:5]) == {visitor(number) for number in range(1, 5)}


def test_many_sessions_of_one_address_share_its_turns() -> None:
    async def scene() -> list[Visitor]:
        queue = FairQueue(1, n_waiting=100, n_each=10)
        for number in range(40):
            queue.join(Visitor("10.6.6.6", f"flood-{number}"))
        for _ in range(4):
            queue.join(visitor(1))
        return await order(queue)

    served = run(scene())
    assert served[:8].count(visitor(1)) == 4


def test_long_work_costs_its_visitor_turns() -> None:
    """Time is shared, not questions: who takes ten seconds waits for ten others of one second."""

    async def scene() -> list[int]:
        queue, served = FairQueue(1, n_waiting=100, n_each=10), []
        for _ in range(9):
            queue.join(visitor(0))
            queue.join(visitor(1))
        while queue.n_running:
            turn = next_turn(queue)
            number = 0 if turn.visitor == visitor(0) else 1
            assert turn.begun is not None
            turn.begun -= 8.0 if number == 0 else 1.0
            served.append(number)
            turn.release()
        return served

    assert Counter(run(scene())[:9]) == {0: 1, 1: 8} or Counter(run(scene())[:9]) == {0: 2, 1: 7}


def test_who_comes_back_has_no_credit() -> None:
    """A visitor who was away for long is next, and not for as long as the others have worked meanwhile."""

    async def scene() -> list[Visitor]:
        queue = FairQueue(1, n_waiting=100, n_each=10)
        for _ in range(5):
            queue.join(visitor(0))
        await order(queue)
        for number in (0, 1):
            for _ in range(4):
                queue.join(visitor(number))
        return await order(queue)

    assert run(scene())[1:5].count(visitor(1)) <= 3


def test_bounds_are_told_with_the_place_and_recover() -> None:
    async def scene() -> None:
        queue = FairQueue(1, n_waiting=6, n_each=3)
        turns = [queue.join(visitor(0)) for _ in range(4)]
        with pytest.raises(BusyError, match="You have 3 questions waiting") as refused:
            queue.join(visitor(0))
        assert refused.value.place == 3
        for turn in turns:
            turn.release()
        assert queue.join(visitor(0)) is next_turn(queue)

    run(scene())


def test_a_full_queue_takes_a_place_from_who_has_most() -> None:
    async def scene() -> None:
        queue = FairQueue(1, n_waiting=4, n_each=4)
        flood = [queue.join(Visitor("10.6.6.6", f"flood-{number}")) for number in range(5)]
        mine = queue.join(visitor(1))
        with pytest.raises(BusyError, match="The server is busy: 4 questions are waiting"):
            await flood[-1].comes()
        assert mine in list(queue.waiting())
        with pytest.raises(BusyError):
            queue.join(Visitor("10.6.6.6", "flood-9"))

    run(scene())


def test_places_count_down_to_one() -> None:
    async def scene() -> list[int]:
        queue = FairQueue(1, n_waiting=100, n_each=10)
        queue.join(visitor(0))
        queue.join(visitor(1)), queue.join(visitor(2))
        mine, places = queue.join(visitor(3)), []
        for _ in range(3):
            queue._counted = float("-inf")
            places.append(mine.place)
            next_turn(queue).release()
        assert await mine.comes(1)
        return places

    assert run(scene()) == [3, 2, 1]


def test_what_is_asked_by_who_has_left_is_dropped() -> None:
    async def scene() -> None:
        queue = FairQueue(1, n_waiting=100, n_each=10)
        running, waiting, other = queue.join(visitor(1)), queue.join(visitor(1)), queue.join(visitor(2))
        later = time.monotonic() + 1
        queue.leave("s1", joined_before=later)
        assert running.left.is_set()
        with pytest.raises(BusyError, match="left"):
            await waiting.comes()
        assert not other.left.is_set()
        running.release()
        assert await other.comes(1)
        queue.leave("s2", joined_before=other.joined)
        assert not other.left.is_set()

    run(scene())


def test_the_turn_of_a_question_that_nobody_waits_for_goes_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks and never listens costs nobody anything; who has just asked may still begin to listen."""
    monkeypatch.setattr(fair_queue, "ABANDONED_S", 0.0)

    async def scene() -> None:
        queue = FairQueue(1, n_waiting=100, n_each=10, listens=lambda session: session != "deaf2")
        queue.join(visitor(0))
        deaf, mine = queue.join(visitor(2, "deaf")), queue.join(visitor(1))
        next_turn(queue).release()
        assert next_turn(queue) is mine
        assert deaf.left.is_set()
        with pytest.raises(BusyError, match="has left"):
            await deaf.comes()

    run(scene())


def test_a_function_in_a_turn_is_told_that_its_visitor_has_left() -> None:
    async def scene() -> None:
        turn = FairQueue(1, n_waiting=1, n_each=1).join(visitor(1))
        has_left = await asyncio.to_thread(fair_queue.in_turn, turn, fair_queue.absence)
        assert not has_left()
        turn.left.set()
        assert has_left()

    run(scene())
    assert not fair_queue.absence()()


@settings(deadline=None, max_examples=60)
@given(steps=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.sampled_from("jrl")), max_size=60))
def test_nothing_is_lost_or_run_twice_whatever_happens(steps: list[tuple[int, int, str]]) -> None:
    async def scene() -> None:
        queue = FairQueue(2, n_waiting=5, n_each=2)
        called: list[Turn] = []
        for address, session, step in steps:
            who = Visitor(str(address), f"{address}-{session}")
            if step == "j":
                try:
                    called.append(queue.join(who))
                except BusyError:
                    assert len(list(queue.waiting())) >= 2
            elif step == "r" and queue._running:
                queue._running[0].release()
            else:
                queue.leave(who.session, joined_before=time.monotonic())
            assert queue.n_running <= 2
            assert len(list(queue.waiting())) <= 5
            assert not queue._waiting or queue.n_running == 2
        while queue.n_running:
            queue._running[0].release()
        assert not queue._waiting
        assert all(turn.called.is_set() for turn in called)
        assert not queue._sessions or len(queue._sessions) <= 4

    run(scene())
