"""Edits as text and back: `speed=1.1`, `noise=20,7`, `remove=3.2:4.0,200:800+10:12`, `telephone`.

A region is seconds, then, if it does not reach over all of them, Hz; a side left open reaches to the end; `+` joins
several regions.
"""

from collections.abc import Sequence
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any

from msecnn.what_if.channels import Add, Mono, Side, Stem, Subtract
from msecnn.what_if.degradations import Clipping, Codec, Level, Noise
from msecnn.what_if.edit import Edit, EditError
from msecnn.what_if.filters import BandCut, HighCut, LowCut, Telephone
from msecnn.what_if.regions import MAX_HZ, MAX_S, Keep, Region, Remove
from msecnn.what_if.time_pitch import Harmonic, Percussive, Pitch, Reverse, Speed

#: Every edit by its name.
EDITS: dict[str, type[Edit]] = {
    kind.name: kind
    for kind in (
        *(Remove, Keep, LowCut, HighCut, BandCut, Speed, Pitch, Harmonic, Percussive),
        *(Noise, Level, Clipping, Codec, Telephone, Reverse, Mono, Side, Add, Subtract),
    )
}
MAX_EDITS = 16
MAX_TEXT = 4_000  # characters of one edit
#: Points of a response curve.
MAX_POINTS, DEFAULT_POINTS = 41, 9
_SHOWN = 60  # characters of what was wrong


def parse(text: str, *, files: bool = True) -> Edit:
    """The edit that a text names.

    Args:
        files: whether it may name a file, as those with stems do.

    Raises:
        EditError: in one sentence, what is wrong with it.
    """
    name, given, arguments = text.strip().partition("=")
    if name not in EDITS:
        raise EditError(f"There is no edit {name[:_SHOWN]!r}; there are {', '.join(EDITS)}.")
    if len(text) > MAX_TEXT:
        raise EditError(f"An edit is at most {MAX_TEXT:,} characters long.")
    kind = EDITS[name]
    if issubclass(kind, Stem):
        return _stem(kind, arguments, files)
    if issubclass(kind, Remove | Keep):
        return kind(tuple(_region(part, name) for part in arguments.split("+") if part.strip()))
    return _plain(kind, arguments.split(",") if given else [])


def parse_chain(texts: Sequence[str], *, files: bool = True) -> tuple[Edit, ...]:
    """Edits in the order in which they are made; see `parse`."""
    if len(texts) > MAX_EDITS:
        raise EditError(f"A chain has at most {MAX_EDITS} edits, not {len(texts)}.")
    return tuple(parse(text, files=files) for text in texts)


def parse_curve(text: str) -> tuple[Edit, tuple[float, ...]]:
    """The edit, at its first strength, and all strengths that `NAME=FROM:TO` or `NAME=FROM:TO:POINTS` names.

    Raises:
        EditError: there is no such edit, it has no strength, or a strength is out of its limits.
    """
    name, _, span = text.strip().partition("=")
    if name not in EDITS or not EDITS[name].numbers():
        varied = (kind.name for kind in EDITS.values() if kind.numbers())
        raise EditError(f"A curve is of {', '.join(varied)}, not of {name[:_SHOWN]!r}.")
    parts = [_number(part, name) for part in span.split(":")] if span else []
    n_points = parts[2] if len(parts) == 3 else DEFAULT_POINTS
    if len(parts) not in (2, 3) or not (2 <= n_points <= MAX_POINTS and n_points == int(n_points)):
        raise EditError(f"A curve is NAME=FROM:TO:POINTS, with 2 to {MAX_POINTS} points, not {text[:_SHOWN]!r}.")
    low, high = parts[:2]
    steps = int(n_points) - 1
    # rounded, so that a strength is told as it would be written
    strengths = tuple(float(f"{low + (high - low) * i / steps:.6g}") for i in range(steps + 1))
    given: dict[str, Any] = {EDITS[name].numbers()[0].name: strengths[0]}
    return EDITS[name](**given), strengths


def _plain(kind: type[Edit], words: Sequence[str]) -> Edit:
    """An edit of numbers and words, in the order of its parameters."""
    parameters = fields(kind)
    n_needed = sum(parameter.default is MISSING for parameter in parameters)
    if not n_needed <= len(words) <= len(parameters):
        raise EditError(f"{kind.name} takes {_listed(kind)}, not {','.join(words)[:_SHOWN]!r}.")
    given = zip(parameters, words, strict=False)
    return kind(**{parameter.name: _value(parameter, word, kind.name) for parameter, word in given})


def _value(parameter: Field[Any], word: str, name: str) -> Any:
    if "unit" not in parameter.metadata:
        return word.strip()
    value = _number(word, name)
    return int(value) if parameter.type is int and value.is_integer() else value


def _listed(kind: type[Edit]) -> str:
    """The parameters in words, those that may be left out in brackets."""
    listed = []
    for parameter in fields(kind):
        unit = parameter.metadata.get("unit")
        words = parameter.name.replace("_", " ") + (f" in {unit}" if unit else "")
        listed.append(words if parameter.default is MISSING else f"[{words}]")
    return ", ".join(listed) or "nothing"


def _region(text: str, name: str) -> Region:
    seconds, _, hz = text.partition(",")
    if seconds.count(":") != 1 or hz.count(":") != bool(hz):
        raise EditError(f"A region of {name} is seconds and Hz, as 3.2:4.0,200:800, not {text[:_SHOWN]!r}.")
    start_s, end_s = _span(seconds, MAX_S, name)
    return Region(start_s, end_s, *(_span(hz, MAX_HZ, name) if hz else (0.0, MAX_HZ)))


def _span(text: str, highest: float, name: str) -> tuple[float, float]:
    low, high = (part.strip() for part in text.split(":"))
    return _number(low, name) if low else 0.0, _number(high, name) if high else highest


def _stem(kind: type[Stem], path: str, files: bool) -> Edit:
    if not files:
        raise EditError(f"{kind.name} reads a file of one's own, which is for the command line and Python.")
    if not path.strip():
        raise EditError(f"{kind.name} takes the file of a stem, as {kind.name}=drums.wav.")
    return kind(Path(path))


def _number(text: str, name: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise EditError(f"{name} takes numbers, not {text.strip()[:_SHOWN]!r}.") from None
