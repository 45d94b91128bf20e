"""A checkpoint's `card.json`, checked field by field: whoever made it, what it says can be built, run and printed."""

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msecnn.errors import MsecnnError
from msecnn.files import printable, read_json, why
from msecnn.frontend import MelConfig

SCHEMA = 1
#: No parameter of a network of ours is larger; one of 2^40 would ask for more memory than there is.
MAX_PARAMETER = 100_000
MAX_TAGS, LONGEST_TAG = 10_000, 100
#: How terms say that something is for non-commercial use only.
NON_COMMERCIAL = re.compile(r"\bNC\b|non-?commercial", re.IGNORECASE)
#: Fields that are shown as they are, where they are there.
_TEXTS = ("trained_on", "licence", "terms", "limits", "differences_from_paper")


class CheckpointError(MsecnnError):
    """A checkpoint is missing, damaged or not what its card says."""


@dataclass(frozen=True)
class Card:
    """What a card must say.

    Attributes:
        architecture: the network's name in the registry.
        parameters: with which it is built; whole numbers.
        front_end: of its mels (for a model on waveforms, the rate and length that it expects).
        tags: K different names of one printable line.
        sha256: of the weights' file.
        content: everything that the card says.
    """

    architecture: str
    parameters: dict[str, int]
    front_end: MelConfig
    tags: tuple[str, ...]
    sha256: str
    content: dict[str, Any]


def read_card(path: Path) -> Card:
    """Reads and checks a card.

    Raises:
        CheckpointError: it cannot be read, or one of its fields cannot be so; the sentence tells which.
    """
    content = _content(path)
    try:
        if content.get("schema") != SCHEMA:
            raise ValueError(f"has schema {content.get('schema')!r}; this program reads {SCHEMA}.")
        _check_shown(content)
        _check_calibration(content.get("calibration"))
        tags = _tags(content.get("tags"))
        return Card(
            architecture=_text(content, "architecture"),
            parameters=_parameters(_object(content, "parameters"), len(tags)),
            front_end=_front_end(_object(content, "front_end")),
            tags=tags,
            sha256=_hash(content),
            content=content,
        )
    except ValueError as error:
        raise CheckpointError(f"{path} {error}") from error


def _content(path: Path) -> dict[str, Any]:
    try:
        content = read_json(path)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {why(error)}.") from error
    except ValueError as error:
        raise CheckpointError(f"{path} cannot be read: it is not valid JSON.") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path} is not a card of this program: it is no object.")
    return content


def _check_shown(content: dict[str, Any]) -> None:
    if not isinstance(content.get("untrained", False), bool):
        raise ValueError("is not a card of this program: untrained must be true or false.")
    for name in _TEXTS:
        if not isinstance(content.get(name, ""), str | None):
            raise ValueError(f"is not a card of this program: {name} must be text.")


def _check_calibration(calibration: Any) -> None:
    """Rows of a diagram, as they are or under "bins"."""
    rows = calibration.get("bins") if isinstance(calibration, dict) else calibration or []
    if not isinstance(rows, list) or not all(isinstance(row, dict) and _has_figures(row) for row in rows):
        raise ValueError("is not a card of this program: calibration must be rows of numbers: claimed, true, n.")


def _has_figures(row: dict[str, Any]) -> bool:
    return all(_is_number(row.get(key)) for key in ("claimed", "true", "n"))


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _text(content: dict[str, Any], name: str) -> str:
    value = content.get(name)
    if not isinstance(value, str):
        raise ValueError(f"is not a card of this program: {name} must be text.")
    return value


def _object(content: dict[str, Any], name: str) -> dict[str, Any]:
    value = content.get(name)
    if not isinstance(value, dict):
        raise ValueError(f"is not a card of this program: {name} must be an object.")
    return value


def _parameters(parameters: dict[str, Any], n_tags: int) -> dict[str, int]:
    if parameters.get("n_tags") != n_tags:
        n_outputs = printable(str(parameters.get("n_tags")), longest=40)
        raise ValueError(f"names {n_tags} tags for a network with {n_outputs} outputs.")
    for name, value in parameters.items():
        if type(value) is not int or not 1 <= value <= MAX_PARAMETER:
            raise ValueError(
                f"names a network that cannot be built: {printable(name, longest=40)} must be a whole number from 1 to "
                f"{MAX_PARAMETER:,}."
            )
    return parameters


def _front_end(parameters: dict[str, Any]) -> MelConfig:
    try:
        return MelConfig.from_json(parameters)
    except (TypeError, ValueError) as error:
        raise ValueError(f"is not a card of this program: {printable(str(error), longest=200)}.") from error


def _tags(tags: Any) -> tuple[str, ...]:
    if not isinstance(tags, list) or not 1 <= len(tags) <= MAX_TAGS:
        raise ValueError(f"is not a card of this program: tags must be a list of 1 to {MAX_TAGS:,} names.")
    for tag in tags:
        if not isinstance(tag, str) or not 1 <= len(tag) <= LONGEST_TAG or not tag.isprintable() or not tag.strip():
            raise ValueError(
                f"has a tag that cannot be shown, {printable(str(tag), longest=40)!r}: a tag is up to {LONGEST_TAG} "
                "printable characters."
            )
    if len(set(tags)) != len(tags):
        raise ValueError("names a tag twice.")
    return tuple(tags)


def _hash(content: dict[str, Any]) -> str:
    value = content.get("sha256")
    if not isinstance(value, str) or not re.fullmatch("[0-9a-f]{64}", value):
        raise ValueError("is not a card of this program: sha256 must be the hash of its weights.")
    return value
