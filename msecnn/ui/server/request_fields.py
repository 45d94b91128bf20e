"""A request comes from a browser, or from anybody: what it names is checked, and what is wrong gets a sentence."""

import reprlib
from typing import Any

from msecnn.ui.server.session import SessionError

#: How much of a wrong value a sentence repeats, characters, and how many names a list may have.
SHOWN, MAX_NAMES = 60, 64

_shortened = reprlib.Repr()
_shortened.maxstring = _shortened.maxother = _shortened.maxlong = SHOWN


def shown(value: object) -> str:
    """A value in a sentence, short."""
    return _shortened.repr(value)[: 2 * SHOWN]


def text(value: object, what: str) -> str:
    """A text that a program gives by position."""
    if not isinstance(value, str):
        raise SessionError(f"The {what} must be a text, not {shown(value)}.")
    return value


def yes_or_no(value: object, what: str) -> bool:
    """A choice that a program gives by position."""
    if not isinstance(value, bool):
        raise SessionError(f"{what} is true or false, not {shown(value)}.")
    return value


def whole_number(request: dict[str, Any], key: str) -> int:
    """A number that counts something; True is none."""
    number = request.get(key)
    if type(number) is not int:
        raise SessionError(f"Name a {key} by its number, not by {shown(number)}.")
    return number


def names(request: dict[str, Any], key: str) -> list[str]:
    """A list of names, or none."""
    listed = request.get(key)
    if listed is None:
        return []
    if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
        raise SessionError(f"The {key} are a list of names, not {shown(listed)}.")
    return listed[:MAX_NAMES]
