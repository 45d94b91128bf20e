"""A room for a class: phones without names follow the lecturer's view and answer his question; nothing is kept.

Only what is known of it is here, and no HTTP: `classroom` says who may speak to it, `room_endpoints` how. It lives in
memory and is forgotten as a whole when it ends.
"""

import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from msecnn.errors import MsecnnError
from msecnn.ui.server.room_question import Question

#: Letters and digits of a code that nobody takes for another one, and how many make a code: 2.5 million codes.
CODE_LETTERS, CODE_LENGTH = "BCDFGHJKMPQRTVWXYZ34", 5
#: Phones in a room; seconds after which a phone that asks for nothing is not counted as present.
MOST_PHONES, PRESENT_S = 300, 30.0
#: Seconds after its opening that a room ends at the latest.
LONGEST_S = 4 * 3600.0
#: How often a phone may change its answer to one question.
MOST_CHANGES = 50

GONE = "The room has ended, and nothing of it is kept. A new room has another code."
FULL = "The room is full: {most} phones are in it.".format
Payload = dict[str, Any]


class RoomError(MsecnnError):
    """What somebody asked of a room and does not get.

    Attributes:
        status: of the HTTP answer.
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Phone:
    """One that has joined: known by a random token, not by a name.

    Attributes:
        address: whose it counts as; see `addresses.sharer`.
        seen: when it asked for anything last.
        answer: to the question that is asked, None before it has answered.
        changes: how often it has answered that question.
    """

    address: str
    seen: float
    answer: int | float | None = None
    changes: int = 0


@dataclass(frozen=True)
class View:
    """What the lecturer shows.

    Attributes:
        search: the query of the page's address; None for a recording of his own, which is his alone.
        seconds: of the recording, where his playhead stands.
    """

    search: str | None
    seconds: float


@dataclass
class Room:
    """From its opening to its end.

    Attributes:
        clock: seconds that never go back.
        code: by which phones join.
        version: counts what phones have to be told.
        tally: counts what only the lecturer has to be told: phones and answers.
    """

    clock: Callable[[], float] = time.monotonic
    code: str = field(default_factory=lambda: "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH)))
    version: int = 0
    tally: int = 0
    _phones: dict[str, Phone] = field(default_factory=dict)  # by token, in the order in which they joined
    _view: View | None = None
    _question: Question | None = None
    _serial: int = 0
    _is_closed: bool = False

    def __post_init__(self) -> None:
        self._opened = self.clock()

    # ---- phones
    def join(self, address: str, token: object = None) -> str:
        """The phone's token: its own, where it was here before, else a new one.

        Raises:
            RoomError: the room has ended, or is full.
        """
        self.require_open()
        if not isinstance(token, str) or token not in self._phones:
            if len(self._phones) >= MOST_PHONES:
                self._make_way(address)
            token = secrets.token_urlsafe(16)
            self._phones[token] = Phone(address, self.clock())
            self.tally += 1
        self._phones[token].seen = self.clock()
        return token

    def answer(self, token: str, serial: object, value: object) -> None:
        """Takes a phone's answer to the question of this number, in place of the one it gave before.

        Raises:
            RoomError: nothing is asked (any longer), or the value is no answer to it.
        """
        phone, question = self._phone(token), self._question
        if question is None or serial != question.serial or not question.is_open:
            raise RoomError("This question is closed.", 409)
        checked = question.checked(value)
        if phone.changes >= MOST_CHANGES:
            raise RoomError("You have changed this answer often enough.", 429)
        phone.changes += 1
        if checked != phone.answer:
            phone.answer = checked
            self.tally += 1

    def state_for(self, token: str) -> Payload:
        """What a phone is told; others' answers and the networks' only once the lecturer shows them."""
        phone = self._phone(token)
        return {
            "version": self.version,
            "code": self.code,
            "view": self._view_payload(),
            "question": self._question and self._question.for_phones(self._answers()),
            "mine": phone.answer,
        }

    def _phone(self, token: str) -> Phone:
        self.require_open()
        phone = self._phones.get(token)
        if phone is None:
            raise RoomError("This phone is not in the room: enter the code again.", 403)
        phone.seen = self.clock()
        return phone

    def _make_way(self, address: str) -> None:
        """Drops the oldest phone, absent if there is one, of the address that has most; present ones keep their place.

        Who fills the room from one address loses his own, so that others can still join.
        """
        ((largest, n_phones),) = Counter(phone.address for phone in self._phones.values()).most_common(1)
        of_largest = [token for token, phone in self._phones.items() if phone.address == largest]
        absent = [token for token in of_largest if not self._is_present(self._phones[token])]
        unanswered = [token for token in absent if self._phones[token].answer is None]
        if not absent and (largest == address or n_phones == 1):
            raise RoomError(FULL(most=MOST_PHONES), 503)
        del self._phones[(unanswered or absent or of_largest)[0]]

    def _is_present(self, phone: Phone) -> bool:
        return self.clock() - phone.seen <= PRESENT_S

    # ---- the lecturer
    def show(self, view: View) -> None:
        """Sends the phones where the lecturer is."""
        self.require_open()
        if view != self._view:
            self._view = view
            self.version += 1

    def ask(self, question: Question) -> None:
        """Asks in place of what was asked before, whose answers are forgotten."""
        self.require_open()
        self._serial += 1
        self._question = question.numbered(self._serial)
        self._forget_answers()

    def stop(self) -> None:
        """Takes no more answers."""
        self._question = self._asked().stopped()
        self.version += 1

    def reveal(self) -> None:
        """Takes no more answers, and shows the phones the room's and the networks'."""
        self._question = self._asked().revealed()
        self.version += 1

    def clear(self) -> None:
        """Takes the question away, and forgets its answers."""
        self._asked()
        self._question = None
        self._forget_answers()

    def lead_state(self) -> Payload:
        """What the lecturer is told."""
        self.require_open()
        return {
            "version": self.version,
            "tally": self.tally,
            "code": self.code,
            "phones": sum(map(self._is_present, self._phones.values())),
            "joined": len(self._phones),
            "view": self._view_payload(),
            "question": self._question and self._question.for_lecturer(self._answers()),
        }

    def close(self) -> None:
        """Ends the room and forgets everything about it."""
        self._is_closed = True
        self._phones.clear()
        self._view = self._question = None
        self.version += 1

    @property
    def is_open(self) -> bool:
        """False once it was closed or has grown old; what was known of an old one is forgotten by this look."""
        if not self._is_closed and self.clock() - self._opened > LONGEST_S:
            self.close()
        return not self._is_closed

    def require_open(self) -> None:
        if not self.is_open:
            raise RoomError(GONE, 410)

    def _asked(self) -> Question:
        self.require_open()
        if self._question is None:
            raise RoomError("Nothing is asked at the moment.", 409)
        return self._question

    def _answers(self) -> list[int | float]:
        return [phone.answer for phone in self._phones.values() if phone.answer is not None]

    def _forget_answers(self) -> None:
        for phone in self._phones.values():
            phone.answer, phone.changes = None, 0
        self.version += 1

    def _view_payload(self) -> Payload | None:
        view = self._view
        return {"search": view.search, "seconds": view.seconds} if view else None
