"""What if the sound were another? Edits of a recording, and what each does to every tag and to every scale."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from msecnn.what_if.intervention import WhatIf, what_if
    from msecnn.what_if.notation import parse, parse_chain

__all__ = ["WhatIf", "parse", "parse_chain", "what_if"]
_HOMES = {"WhatIf": "intervention", "what_if": "intervention", "parse": "notation", "parse_chain": "notation"}


def __getattr__(name: str) -> Any:
    """The entry functions come with torch, so they are imported when they are first used (PEP 562)."""
    if name in _HOMES:
        import importlib

        return getattr(importlib.import_module(f"msecnn.what_if.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
