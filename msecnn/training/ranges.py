"""The values that settings may have; one outside is told in a sentence, by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from msecnn.errors import MsecnnError


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, with or without these two themselves; never infinite, never NaN.

    Attributes:
        low, high: the ends.
        above: whether `low` itself is too small.
        below: whether `high` itself is too large.
    """

    low: float
    high: float = float("inf")
    above: bool = False
    below: bool = False

    def holds(self, value: float) -> bool:
        """Whether a number lies inside."""
        from_low = value > self.low if self.above else value >= self.low
        to_high = value < self.high if self.below or self.high == float("inf") else value <= self.high
        return from_low and to_high

    def __str__(self) -> str:
        low = f"{'above' if self.above else 'at least'} {self.low:g}"
        return low if self.high == float("inf") else f"{low} and {'below' if self.below else 'at most'} {self.high:g}"


SHARE = Range(0, 1)
POSITIVE = Range(0, above=True)
NOT_NEGATIVE = Range(0)
COUNT = Range(1, 1e9)
#: What random generators take as a seed.
SEED = Range(0, 2**63, below=True)


def check_ranges(settings: object, ranges: Mapping[str, Range], error: type[MsecnnError]) -> None:
    """Raises `error` for the first attribute that lies outside its range; None lies nowhere and passes."""
    for name, allowed in ranges.items():
        value: Any = getattr(settings, name)
        if value is not None and not allowed.holds(value):
            shown = f"{value:g}" if isinstance(value, float) else str(value)[:40]
            raise error(f"{name} must be {allowed}, not {shown}")
