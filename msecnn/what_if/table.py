"""A what-if answer as plain text for a terminal, made from its JSON."""

from collections.abc import Iterator
from typing import Any

from msecnn.files import printable

#: Events of evidence told of each kind and model, strongest first.
N_EVENTS = 3


def table(told: dict[str, Any], n_tags: int) -> str:
    """The answer: for each model its tags, what each scale changed, the evidence, the curves.

    Args:
        told: `WhatIf.to_json`, with `curves`.
        n_tags: of each model, the most probable before.
    """
    start_s, end_s = told["part"]
    lines = [f"{printable(told['file'])}, {start_s:g} to {end_s:g} s: {', '.join(told['edits']) or 'as it is'}"]
    lines += told["notes"]
    for model, change in told["models"].items():
        lines += ["", *_tags(model, list(change["tags"].items())[:n_tags])]
        lines += _evidence(change["evidence"]) if "evidence" in change else []
    for curve in told["curves"]:
        for model, tags in curve["models"].items():
            lines += ["", *_curve(model, curve, tags)]
    return "\n".join(lines)


def _tags(model: str, rows: list[tuple[str, dict[str, Any]]]) -> Iterator[str]:
    scales = "".join(f"{scale:>9}" for scale in rows[0][1]["scales"])
    yield f"{printable(model, longest=15):<16}{'before':>8}{'after':>8}{'change':>9}{scales}"
    for tag, row in rows:
        terms = "".join(f"{term:>+9.3f}" for term in row["scales"].values())
        yield f"{tag:<16}{row['before']:>8.3f}{row['after']:>8.3f}{row['change']:>+9.3f}{terms}"


def _evidence(evidence: dict[str, Any]) -> Iterator[str]:
    for word in ("vanished", "appeared"):
        for event in evidence[word][:N_EVENTS]:
            place = f"{event['start_s']:.2f} to {event['end_s']:.2f} s {event['low_hz']:.0f} to {event['high_hz']:.0f}"
            yield f"{evidence['tag']}, {word}: {event['share']:+.3f}  {event['scale']:<8}{place} Hz"


def _curve(model: str, curve: dict[str, Any], tags: dict[str, Any]) -> Iterator[str]:
    named = f"{printable(model, longest=15)}, {curve['edit']}"
    yield f"{named:<28}" + "".join(f"{strength:>8g}" for strength in curve["strengths"])
    for tag, row in tags.items():
        yield f"{tag:<28}" + "".join(f"{probability:>8.3f}" for probability in row["after"])
