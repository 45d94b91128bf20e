"""One explanation as plain values, in the schema that command line, page and programs share."""

from typing import Any

from msecnn.explain.contributions import Contributions
from msecnn.explain.faithfulness_card import Verdict
from msecnn.explain.saliency import SaliencyMaps
from msecnn.explain.winning_cells import Evidence

_CELL = ("scale", "channel", "start_s", "end_s", "low_hz", "high_hz", "contribution")


def explanation_json(
    split: Contributions,
    evidence: Evidence,
    *,
    file: str,
    model: str,
    window: list[float],
    probability: float,
    saliency: SaliencyMaps | None = None,
    verdict: Verdict | None = None,
) -> dict[str, Any]:
    """What is known of why a tag was given in one window.

    Args:
        split: of that window alone, W = 1.
        evidence: of the same window and tag.
        window: start and end in seconds.
        saliency: only how its maps were made and whether they add up; the maps themselves are too large for JSON.
        verdict: what was measured of the saliency's method.
    """
    k = evidence.tag_index
    answer = {
        "file": file,
        "model": model,
        "tag": split.tags[k],
        "window": window,
        "logit": float(split.logits[0, k]),
        "probability": probability,
        "bias": float(split.bias[k]),
        "base_value": float(split.base_value[k]),
        "scales": [
            {
                "name": scale,
                "features": split.n_features[scale],
                "contribution": float(split.terms[0, s, k]),
                "relative": float(split.relative[0, s, k]),
            }
            for s, scale in enumerate(split.scales)
        ],
        "evidence": [
            {name: getattr(cell, name) for name in _CELL}
            for cell in sorted(evidence.cells, key=lambda cell: -cell.contribution)
        ],
    }
    if saliency is not None:
        found = {"method": saliency.method, "sum_check": saliency.sum_check, "delta": saliency.delta}
        measured = verdict or Verdict(saliency.method)
        return {**answer, "saliency": {**found, "measured": measured.to_json()}}
    return answer
