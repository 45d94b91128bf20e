"""A question to a room: its shape, which answers it takes, and what all of them come to."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from msecnn.errors import MsecnnError
from msecnn.ui.server.request_fields import shown

#: One of several: of the lecturer's own words or a lesson's, of tags, of the networks' scales; or a number: any, or
#: seconds of the recording.
Kind = Literal["choice", "tags", "scales", "number", "seconds"]
KINDS: tuple[Kind, ...] = get_args(Kind)
NUMBERS = ("number", "seconds")
#: What the networks' values are: probabilities, terms of a logit, parts of what was found, or 1 where their number is.
UNITS = ("probability", "term", "share", "place")

#: Characters of a question, of a choice, of a reason; and choices at least and at most.
LONGEST_TEXT, LONGEST_CHOICE, LONGEST_REASON, FEWEST, MOST = 300, 80, 600, 2, 12
#: Bars of a histogram of numbers, and networks beside it.
BINS, MOST_NETWORKS = 10, 4
#: Numbers that a question may be about lie within this.
LARGEST = 1e6


class QuestionError(MsecnnError):
    """What was asked is no question that a room can answer, or what was answered is no answer to it."""


@dataclass(frozen=True)
class Question:
    """What is asked, and how far it has come.

    Attributes:
        kind: see `Kind`.
        text: in the lecturer's language, or the English of a lesson, which each phone translates.
        choices: one of them is the answer; empty where a number is.
        low: smallest number; high: largest one; unit: what the number counts, in a word or none.
        right: the number of the right choice, None where there is none; because: why.
        networks: what each network says: its "title", its "values" of each row of the histogram, and their "unit".
        serial: its number in the room.
        is_open: whether answers are taken.
        is_shown: whether phones see what all answered.
    """

    kind: Kind
    text: str
    choices: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 1.0
    unit: str = ""
    right: int | None = None
    because: str = ""
    networks: tuple[dict[str, Any], ...] = ()
    serial: int = 0
    is_open: bool = True
    is_shown: bool = False

    @classmethod
    def from_request(cls, request: object) -> "Question":
        """What the lecturer's page sends.

        Raises:
            QuestionError: it lacks something, or something is too long or of a wrong type.
        """
        fields = request if isinstance(request, dict) else {}
        kind = fields.get("kind")
        if kind not in KINDS:
            raise QuestionError(f"There is no kind of question called {shown(kind)}.")
        question = cls(kind=kind, text=_text(fields.get("text"), "question", LONGEST_TEXT))
        question = question._with_numbers(fields) if kind in NUMBERS else question._with_choices(fields)
        because = _text(fields.get("because", ""), "reason", LONGEST_REASON, may_be_empty=True)
        return replace(question, because=because, networks=_networks(fields.get("networks", []), question.n_rows))

    def _with_choices(self, fields: dict[str, Any]) -> "Question":
        listed = fields.get("choices")
        if not isinstance(listed, list) or not FEWEST <= len(listed) <= MOST:
            raise QuestionError(f"A question has {FEWEST} to {MOST} choices.")
        choices = tuple(_text(choice, "choice", LONGEST_CHOICE) for choice in listed)
        if len(set(choices)) < len(choices):
            raise QuestionError("Two choices of a question are the same.")
        right = fields.get("right")
        if right is not None and (type(right) is not int or not 0 <= right < len(choices)):
            raise QuestionError(f"The right choice is one of the choices, not {shown(right)}.")
        return replace(self, choices=choices, right=right)

    def _with_numbers(self, fields: dict[str, Any]) -> "Question":
        low, high = (_number(fields.get(key), "limit") for key in ("low", "high"))
        if not -LARGEST <= low < high <= LARGEST:
            raise QuestionError("The lower limit of the answers lies below the upper one, both within a million.")
        return replace(self, low=low, high=high, unit=_text(fields.get("unit", ""), "unit", 20, may_be_empty=True))

    # ---- what becomes of it
    def numbered(self, serial: int) -> "Question":
        return replace(self, serial=serial)

    def stopped(self) -> "Question":
        return replace(self, is_open=False)

    def revealed(self) -> "Question":
        return replace(self, is_open=False, is_shown=True)

    # ---- answers
    def checked(self, value: object) -> int | float:
        """An answer as it is counted.

        Raises:
            QuestionError: it is none.
        """
        if self.kind in NUMBERS:
            number = _number(value, "answer")
            if not self.low <= number <= self.high:
                raise QuestionError(f"The answer lies between {self.low:g} and {self.high:g}.")
            return number
        if type(value) is not int or not 0 <= value < len(self.choices):
            raise QuestionError(f"The answer is the number of a choice, not {shown(value)}.")
        return value

    @property
    def n_rows(self) -> int:
        """Rows of the histogram: a choice each, or equal parts of the range of numbers."""
        return len(self.choices) or BINS

    def counts(self, answers: Sequence[int | float]) -> list[int]:
        """How many answers lie in each row."""
        counts = [0] * self.n_rows
        for answer in answers:
            counts[self._row(answer)] += 1
        return counts

    def _row(self, answer: int | float) -> int:
        if self.choices:
            return int(answer)
        part = (answer - self.low) / (self.high - self.low)
        return min(BINS - 1, int(part * BINS))

    def for_phones(self, answers: Sequence[int | float]) -> dict[str, Any]:
        """Without what would tell the answer while it is asked."""
        asked = {
            "serial": self.serial,
            "kind": self.kind,
            "text": self.text,
            "choices": list(self.choices),
            "low": self.low,
            "high": self.high,
            "unit": self.unit,
            "open": self.is_open,
            "shown": self.is_shown,
        }
        return asked | self._outcome(answers) if self.is_shown else asked

    def for_lecturer(self, answers: Sequence[int | float]) -> dict[str, Any]:
        return replace(self, is_shown=True).for_phones(answers) | {"shown": self.is_shown}

    def _outcome(self, answers: Sequence[int | float]) -> dict[str, Any]:
        is_number = self.kind in NUMBERS
        return {
            "n": len(answers),
            "counts": self.counts(answers),
            "median": statistics.median(answers) if answers and is_number else None,
            "right": self.right,
            "because": self.because,
            "networks": list(self.networks),
        }


def _text(value: object, what: str, longest: int, *, may_be_empty: bool = False) -> str:
    if not isinstance(value, str):
        raise QuestionError(f"The {what} must be a text, not {shown(value)}.")
    text = " ".join(value.split())
    if len(text) > longest or not (text or may_be_empty):
        raise QuestionError(f"The {what} has {'at most' if may_be_empty else '1 to'} {longest} characters.")
    return text


def _number(value: object, what: str) -> float:
    """A finite number; True is none."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or abs(value) > LARGEST
        or not math.isfinite(value)
    ):
        raise QuestionError(f"The {what} must be a number within a million, not {shown(value)}.")
    return float(value)


def _networks(value: object, n_rows: int) -> tuple[dict[str, Any], ...]:
    if not isinstance(value, list) or len(value) > MOST_NETWORKS or not all(isinstance(one, dict) for one in value):
        raise QuestionError(f"The answers of up to {MOST_NETWORKS} networks stand beside the room's.")
    return tuple(_network(one, n_rows) for one in value)


def _network(fields: dict[str, Any], n_rows: int) -> dict[str, Any]:
    values, unit = fields.get("values"), fields.get("unit")
    if not isinstance(values, list) or len(values) != n_rows or unit not in UNITS:
        raise QuestionError(f"A network says one number for each of the {n_rows} rows, and what it is.")
    title = _text(fields.get("title"), "network", 60)
    return {"title": title, "values": [_number(each, "network's value") for each in values], "unit": unit}
