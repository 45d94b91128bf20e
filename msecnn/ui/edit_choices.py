"""What a visitor can change of a sound, with its words and limits: sent to the browser, which knows none by itself."""

import math
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any

from msecnn.audio.codec_round_trip import CODECS
from msecnn.what_if.channels import Stem
from msecnn.what_if.edit import Edit
from msecnn.what_if.notation import EDITS
from msecnn.what_if.regions import MAX_HZ, MAX_S, Cut


@dataclass(frozen=True)
class EditWords:
    """How the page tells of an edit.

    Attributes:
        title: a few words.
        words: what it does.
        first: the value that its first parameter begins with, where it has no usual one.
        curve: the strengths between which a curve begins; none for an edit without a strength.
    """

    title: str
    words: str
    first: float | None = None
    curve: tuple[float, float] | None = None


WORDS: dict[str, EditWords] = {
    "remove": EditWords("Without a box", "takes a box of seconds by Hz out; what is removed becomes silence"),
    "keep": EditWords("Only a box", "takes everything out but a box of seconds by Hz"),
    "speed": EditWords("Tempo", "faster or slower at the same pitch", 1.06, (0.8, 1.2)),
    "pitch": EditWords("Pitch", "higher or lower at the same tempo", 1.0, (-3.0, 3.0)),
    "harmonic": EditWords("Harmonic part only", "keeps what lasts at one frequency", None, (1.0, 5.0)),
    "percussive": EditWords("Percussive part only", "keeps what is short at many frequencies", None, (1.0, 5.0)),
    "low_cut": EditWords("Low cut", "takes away what is lower, 12 dB an octave", 200.0, (50.0, 2_000.0)),
    "high_cut": EditWords("High cut", "takes away what is higher, 12 dB an octave", 2_000.0, (500.0, 5_500.0)),
    "band_cut": EditWords("Band cut", "takes a band around a frequency away", 1_000.0, (200.0, 5_000.0)),
    "noise": EditWords("Noise", "adds white noise, so many dB below the sound", 20.0, (0.0, 40.0)),
    "level": EditWords("Level", "louder or quieter; nothing is clipped", -10.0, (-40.0, 0.0)),
    "clipping": EditWords("Clipping", "cuts peaks off flat, so many dB below the highest", 12.0, (0.0, 30.0)),
    "codec": EditWords("Low bit rate", "through a lossy codec and back", 32.0, (8.0, 64.0)),
    "telephone": EditWords("Telephone", "leaves 300 to 3,400 Hz"),
    "reverse": EditWords("Backwards", "from the end to the beginning"),
    "mono": EditWords("Mono", "the mean of the channels, which the networks are given anyway"),
    "side": EditWords("Side", "half the difference of two channels: what is panned"),
}


def edit_choices() -> list[dict[str, Any]]:
    """Every edit that needs no file, in the order of the registry."""
    return [_choice(kind) for kind in EDITS.values() if not issubclass(kind, Stem)]


def _choice(kind: type[Edit]) -> dict[str, Any]:
    told = WORDS[kind.name]
    parameters = _box() if issubclass(kind, Cut) else [_parameter(field, told.first) for field in fields(kind)]
    return {
        "name": kind.name,
        "title": told.title,
        "words": told.words,
        "box": issubclass(kind, Cut),
        "parameters": parameters,
        "curve": told.curve,
    }


def _parameter(field: Field[Any], first: float | None) -> dict[str, Any]:
    told = {"name": field.name, "title": field.name.replace("_", " ")}
    if "unit" not in field.metadata:  # the one word there is
        return told | {"value": field.default, "choices": list(CODECS)}
    value = first if field.default is MISSING else field.default
    low, high = (limit if math.isfinite(limit) else None for limit in (field.metadata["low"], field.metadata["high"]))
    limits = {"unit": field.metadata["unit"], "low": low, "high": high, "whole": field.type is int}
    return told | {"value": value} | limits


def _box() -> list[dict[str, Any]]:
    """A box by its four sides; the page begins with the one that is drawn."""
    sides = (("from", "s", MAX_S), ("to", "s", MAX_S), ("from", "Hz", MAX_HZ), ("to", "Hz", MAX_HZ))
    usual = {"value": None, "low": 0.0, "whole": False}
    return [
        usual | {"name": f"{title}_{unit}", "title": title, "unit": unit, "high": high} for title, unit, high in sides
    ]
