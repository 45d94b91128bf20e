"""An explanation as plain values, in the schema that command line, page, zip and programs share."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from msecnn.explain.cell_evidence import Evidence
    from msecnn.explain.explanation import Explanation

#: Rises when a key changes its meaning or goes.
SCHEMA = 2
#: Absences that are told, strongest first.
N_ABSENCES = 12
#: What is told of a winning cell.
CELL_KEYS = ("scale", "channel", "start_s", "end_s", "low_hz", "high_hz", "contribution")


def explanation_json(explanation: "Explanation", *, minimal: bool = True) -> dict[str, Any]:
    """All but the arrays: of the maps only how they were made and whether they add up.

    Args:
        minimal: look for the smallest sound and the smallest cut, which tags some thirty edited sounds.
    """
    return {
        "schema": SCHEMA,
        "file": explanation.name,
        **explanation.split.to_json(),
        "evidence": _evidence(explanation),
        "blocks": _blocks(explanation),
        "minimal": _minimal(explanation) if minimal else [],
        "louder": explanation.louder.to_json() if explanation.louder else None,
        "cells": cells_json(explanation.evidence),
        "saliency": _maps(explanation),
    }


def _evidence(explanation: "Explanation") -> list[dict[str, Any]]:
    """What is there, for and against the tag, with time and Hz; then what is absent, which has neither."""
    there = [event.to_json() for event in (*explanation.events, *explanation.events_against)]
    return [*there, *(absence.to_json() for absence in explanation.absences[:N_ABSENCES])]


def _blocks(explanation: "Explanation") -> dict[str, float]:
    """The sums over all blocks, in logits: presence and absence together are the change from the clip's mean."""
    sums = explanation.block_sums
    return {"presence": float(sums.presence.sum()), "absence": float(sums.absence.sum())}


def _minimal(explanation: "Explanation") -> list[dict[str, Any]]:
    """The smallest sound that keeps the tag, and the smallest cut that loses it; none without the recording."""
    if explanation.recording is None:
        return []
    return [part.to_json() for part in (explanation.smallest_sound, explanation.smallest_cut) if part is not None]


def cells_json(evidence: "Evidence") -> list[dict[str, Any]]:
    """The winning cells, from what adds most to the logit on."""
    cells = sorted(evidence.cells, key=lambda cell: -cell.contribution)
    return [{key: getattr(cell, key) for key in CELL_KEYS} for cell in cells]


def _maps(explanation: "Explanation") -> dict[str, Any]:
    maps = explanation.maps
    return {
        "method": maps.method,
        "baseline": maps.baseline,
        "sum_check": maps.sum_check,
        "delta": maps.delta,
        "delta_is_large": maps.delta_is_large,
        "measured": explanation.verdict.to_json(),
    }
