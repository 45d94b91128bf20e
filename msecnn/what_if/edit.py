"""What every edit of a sound is: a frozen dataclass whose parameters have units and limits.

Axis letters: T samples.
"""

from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, ClassVar

import numpy as np

from msecnn.errors import MsecnnError


class EditError(MsecnnError):
    """There is no such edit, or it cannot be made of this sound."""


@dataclass(frozen=True)
class Edit:
    """One change of a sound: the same input gives the same output, whatever was done before.

    Attributes:
        name: what it is called in text, JSON and sentences.
    """

    name: ClassVar[str]

    def __post_init__(self) -> None:
        for parameter in self.numbers():
            _check(self.name, parameter, getattr(self, parameter.name))

    @classmethod
    def numbers(cls) -> tuple[Field[Any], ...]:
        """The parameters that are numbers; the first is the one that a response curve varies."""
        return tuple(parameter for parameter in fields(cls) if "unit" in parameter.metadata)

    def apply(self, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
        """The edited sound.

        Args:
            waveform: (T,), or (2, T) for a chain that asks for the channels; float32, full scale 1.
            sample_rate: Hz.
        """
        raise NotImplementedError

    def moved_s(self, second: float, duration_s: float) -> float:
        """Where what was at a second of a sound of that length is afterwards."""
        return second

    def moved_hz(self, hz: float) -> float:
        """Where what was at a frequency is afterwards."""
        return hz

    def starting_at(self, start_s: float) -> "Edit":
        """The same edit for a part of the recording that begins there."""
        return self

    def arguments(self) -> str:
        """What follows the name and `=` in text; nothing where every parameter is as usual."""
        values = [getattr(self, parameter.name) for parameter in fields(self)]
        while values and values[-1] == fields(self)[len(values) - 1].default:
            values.pop()
        return ",".join(number(value) if isinstance(value, int | float) else str(value) for value in values)

    def __str__(self) -> str:
        return f"{self.name}={self.arguments()}" if self.arguments() else self.name


def parameter(unit: str, low: float, high: float, default: Any = MISSING) -> Any:
    """A field that is a number from `low` to `high`; a whole one where its annotation is int."""
    return field(default=default, metadata={"unit": unit, "low": low, "high": high})


def number(value: float) -> str:
    """The shortest text that gives the same number back."""
    return repr(float(value)).removesuffix(".0")


def _check(edit: str, parameter: Field[Any], value: Any) -> None:
    low, high, unit = (parameter.metadata[key] for key in ("low", "high", "unit"))
    kinds = (int,) if parameter.type is int else (int, float)
    if type(value) not in kinds or not low <= value <= high:
        kind, name = "a whole number" if parameter.type is int else "a number", parameter.name.replace("_", " ")
        limits = f"{number(low)} to {number(high)} {unit}".strip()
        raise EditError(f"The {name} of {edit} is {kind} from {limits}, not {str(value)[:40]}.")
