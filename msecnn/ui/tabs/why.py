"""Why a model gave a tag: the exact split over scales, the cells that decided, and saliency of each scale."""

from collections.abc import Iterator

import numpy as np

from msecnn.explain.faithfulness_card import verdicts
from msecnn.explain.saliency import BASELINES, METHODS, SaliencyMaps, saliency
from msecnn.explain.winning_cells import Evidence, EvidenceEvent, WinningCell
from msecnn.statistics import sigmoid
from msecnn.ui import faithfulness_check, sonification
from msecnn.ui.pictures import pool_signed, signed_picture, thicken
from msecnn.ui.server.background import BackgroundTask, stop
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.explanation_request import ExplanationRequest, choice
from msecnn.ui.server.rpc import Answer, Page, Payload, Request
from msecnn.ui.server.session import Session

#: Events listed in favour and against, and winning cells marked in each strip.
N_FOR, N_AGAINST, N_MARKS = 12, 6, 40
#: Frames that share a column of a strip: 683 columns, more than most screens give a strip in pixels.
FRAMES_A_COLUMN = 2
#: A map that is silent about all but this share of its cells is drawn with each of them thickened, to be seen at all.
SPARSE = 0.05
#: Cells beyond this quantile of a map's strengths take the full colour; one outlier would leave the rest blank.
FULL_COLOUR = 0.995


def build(page: Page) -> None:
    page.mount_point("why")
    page.endpoint("why", explain, model=True)
    page.endpoint("maps", show_maps, model=True)
    page.endpoint("stop", stop)
    sonification.build(page)
    faithfulness_check.build(page)


def explain(context: AppContext, session: Session | None, request: Request) -> Answer:
    """The exact part, for which one forward pass is enough, and what is known of the methods for the other."""
    asked = ExplanationRequest.of(context, session, request)
    measured = {method: verdict.to_json() for method, verdict in verdicts(asked.checkpoint).items()}
    return Answer(waterfall(asked) | _evidence(asked) | {"measured": measured})


def show_maps(context: AppContext, session: Session | None, request: Request) -> Iterator[Answer]:
    """Saliency of each scale by the chosen method, with its progress."""
    asked = ExplanationRequest.of(context, session, request)
    job = saliency_task(asked, request)
    for part in job:
        yield Answer({"progress": part})
    yield Answer(_pictures(job.result))


def saliency_task(asked: ExplanationRequest, request: Request) -> BackgroundTask[SaliencyMaps]:
    method, baseline = choice(request, "method", METHODS), choice(request, "baseline", BASELINES)
    return BackgroundTask(
        str(request.get("token")),
        lambda progress, cancelled: saliency(
            asked.tagger.model,
            asked.mel,
            asked.tag_index,
            method=method,
            baseline=baseline,
            mel_config=asked.checkpoint.mel_config,
            progress=progress,
            cancelled=cancelled,
        ),
    )


def waterfall(asked: ExplanationRequest) -> Payload:
    """From the average clip's logit to this window's, one step per scale."""
    split, k = asked.contributions, asked.tag_index
    base, logit = float(split.base_value[k]), float(split.logits[0, k])
    return {
        "scales": list(split.scales),
        "n_features": list(split.n_features.values()),
        "relative": np.round(split.relative[0, :, k], 5).tolist(),
        "base": base,
        "logit": logit,
        "base_probability": _probability(base),
        "probability": _probability(logit),
        "mean_known": split.mean_known,
    }


def _evidence(asked: ExplanationRequest) -> Payload:
    found = asked.evidence
    return {
        "positive": [_place(event) for event in found.positive[:N_FOR]],
        "negative": [_place(event) for event in found.negative[:N_AGAINST]],
        "marks": [mark for scale in asked.contributions.scales for mark in _marks(found, scale)],
    }


def _marks(found: Evidence, scale: str) -> list[Payload]:
    """The winning cells of one scale that weigh most; a cell often wins for several channels, whose terms it sums."""
    winners: dict[tuple[int, int], list[WinningCell]] = {}
    for cell in found.cells:
        if cell.scale == scale:
            winners.setdefault((cell.row, cell.column), []).append(cell)
    marks = [
        _place(cells[0])
        | {"relative": round(sum(cell.relative for cell in cells), 5), "channels": [cell.channel for cell in cells]}
        for cells in winners.values()
    ]
    return sorted(marks, key=lambda mark: -abs(mark["relative"]))[:N_MARKS]


def _place(found: EvidenceEvent | WinningCell) -> Payload:
    return {
        "scale": found.scale,
        "relative": round(found.relative, 5),
        "start_s": round(found.start_s, 3),
        "end_s": round(found.end_s, 3),
        "low_hz": round(found.low_hz),
        "high_hz": round(found.high_hz),
    }


def _pictures(found: SaliencyMaps) -> Payload:
    return {
        "method": found.method,
        "baseline": found.baseline,
        "sum_check": found.sum_check,
        "delta": found.delta,
        "maps": [
            {"scale": scale} | map_picture(values) for scale, values in zip(found.scales, found.maps, strict=True)
        ],
    }


def map_picture(values: np.ndarray) -> Payload:
    """A signed map (F, L) for the browser to colour, with the value that takes the full colour."""
    told = np.abs(values[values != 0])
    limit = float(np.quantile(told, FULL_COLOUR)) if told.size else 0.0
    sparse = told.size < SPARSE * values.size
    pooled = pool_signed(values, FRAMES_A_COLUMN)
    return {
        "picture": signed_picture(thicken(pooled) if sparse else pooled, limit),
        "limit": limit,
        "thickened": sparse,
    }


def _probability(logit: float) -> float:
    return float(sigmoid(np.float64(logit)))
