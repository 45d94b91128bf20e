"""Why a model gave a tag: the exact split over scales, the cells that decided, and saliency of each scale."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from msecnn.explain import DEFAULT_BASELINE, DEFAULT_METHOD
from msecnn.explain.block_events import BlockEvent
from msecnn.explain.cell_evidence import Evidence
from msecnn.explain.explanation import Explanation
from msecnn.explain.faithfulness_card import verdicts
from msecnn.explain.progress import Progress
from msecnn.explain.saliency import SaliencyMaps
from msecnn.explain.whole_network import CANNOT, WHOLE, WholeNetwork
from msecnn.explain.winning_cells import WinningCell
from msecnn.plots.sparse_maps import is_sparse, thicken
from msecnn.statistics import sigmoid
from msecnn.ui import faithfulness_check, feature_path, gpu_seconds, sonification
from msecnn.ui.explanation_choices import QUICK_METHODS, explanation_choices
from msecnn.ui.pictures import pool_signed, signed_picture
from msecnn.ui.server.background import BackgroundTask, stop, token_of
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.controls import button, checkbox, dropdown, radio, row
from msecnn.ui.server.explanation_request import requested_explanation, requested_whole
from msecnn.ui.server.rpc import Answer, Page, Payload, Request
from msecnn.ui.server.session import Session
from msecnn.ui.server.visitors import Lane

#: Events listed in favour and against, absences, and winning cells marked in each strip.
N_FOR, N_AGAINST, N_ABSENCES, N_MARKS = 7, 3, 3, 40
#: What a request means that names neither.
FIRST = {"method": DEFAULT_METHOD, "baseline": DEFAULT_BASELINE}
#: Frames that share a column of a strip: 683 columns, more than most screens give a strip in pixels.
FRAMES_A_COLUMN = 2
#: Cells beyond this quantile of a map's strengths take the full colour; one outlier would leave the rest blank.
FULL_COLOUR = 0.995


def build(page: Page) -> None:
    choices = explanation_choices()
    with row(elem_id="why-question"):
        page.control("tag", dropdown("Tag", filterable=True))
        page.control("why-model", radio("Model"))
        page.mount_point("why-window")
    page.mount_point("why")
    with row():
        methods = [(method["title"], method["name"]) for method in choices["methods"]]
        page.control("method", dropdown("Method", methods, value=DEFAULT_METHOD))
        baselines = [(baseline["title"], baseline["name"]) for baseline in choices["baselines"]]
        page.control("baseline", dropdown("Baseline", baselines, value=DEFAULT_BASELINE))
        page.control("marks", checkbox("winning cells", True))
        page.control("shared", checkbox("same colour scale for all", False))
    page.mount_point("why-method")
    page.control("listen", radio("Listen to", visible=False, elem_id="why-listen"))
    page.mount_point("why-maps")
    feature_path.build(page)
    with row():
        page.control("check", button("Check this explanation"), "click")
        page.mount_point("why-check")
    page.endpoint("maps", show_maps, model=True, gpu_s=gpu_seconds.of_map, lane=saliency_lane)
    page.endpoint("stop", stop)
    sonification.build(page)
    faithfulness_check.build(page)


def build_always(page: Page) -> None:
    """What the player and "Guess first" ask for: an endpoint inside a tab waits until that is opened."""
    page.endpoint("why", explain, model=True)
    page.endpoint("winning-cells", find_winning_cells, model=True)


def saliency_lane(request: Request) -> Lane:
    """Methods that run the network a few times do not wait for those that run it hundreds of times."""
    return "model" if request.get("method", DEFAULT_METHOD) in QUICK_METHODS else "slow"


def explain(context: AppContext, session: Session | None, request: Request) -> Answer:
    """The exact part, for which one forward pass is enough, and what is known of the methods for the other."""
    if (whole := requested_whole(context, session, request)) is not None:
        return Answer(_of_whole(whole))
    explanation = requested_explanation(context, session, request)
    measured = {method: verdict.to_json() for method, verdict in verdicts(explanation.checkpoint).items()}
    sounds = sonification.sounds(explanation)
    return Answer(waterfall(explanation) | _evidence(explanation) | {"measured": measured, "sounds": sounds})


def find_winning_cells(context: AppContext, session: Session | None, request: Request) -> Answer:
    """The cells that won and weigh most for a tag, of every scale: one forward pass; none where there are no scales."""
    if requested_whole(context, session, request) is not None:
        return Answer({"marks": []})
    return Answer({"marks": _all_marks(requested_explanation(context, session, request))})


def show_maps(context: AppContext, session: Session | None, request: Request) -> Iterator[Answer]:
    """Saliency of each scale by the chosen method, with its progress."""
    whole = requested_whole(context, session, request)
    explanation = requested_explanation(context, session, request) if whole is None else None

    def compute(progress: Progress, cancelled: Callable[[], bool]) -> SaliencyMaps:
        if explanation is not None:
            return replace(explanation, progress=progress, cancelled=cancelled).maps
        assert whole is not None
        method, baseline = (str(request.get(key, first)) for key, first in FIRST.items())
        return whole.maps(method, baseline, progress=progress, cancelled=cancelled)

    task: BackgroundTask[SaliencyMaps] = BackgroundTask(token_of(request), compute)
    for part in task:
        yield Answer({"progress": part})
    yield Answer(_pictures(task.result))


def _of_whole(whole: WholeNetwork) -> Payload:
    """What there is of a model without scales, and a sentence on what there is not."""
    nothing: Payload = {"positive": [], "negative": [], "absences": [], "marks": [], "measured": {}}
    sounds: Payload = {"parts": {}, "scales": []}
    zeros = {"base": 0.0, "logit": 0.0, "base_probability": 0.0, "mean_known": False}
    scales = {"scales": [WHOLE], "n_features": [0], "relative": [0.0]}
    return nothing | zeros | scales | {"sounds": sounds, "probability": whole.probability, "cannot": CANNOT}


def waterfall(explanation: Explanation) -> Payload:
    """From the average clip's logit to this window's, one step per scale."""
    split, k = explanation.contributions, explanation.tag_index
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


def _evidence(explanation: Explanation) -> Payload:
    return {
        "positive": [_place(event, event.share) for event in explanation.events[:N_FOR]],
        "negative": [_place(event, event.share) for event in explanation.events_against[:N_AGAINST]],
        "absences": [absence.to_json() for absence in explanation.absences[:N_ABSENCES]],
        "marks": _all_marks(explanation),
    }


def _all_marks(explanation: Explanation) -> list[Payload]:
    evidence = explanation.evidence
    return [mark for scale in explanation.contributions.scales for mark in _marks(evidence, scale)]


def _marks(evidence: Evidence, scale: str) -> list[Payload]:
    """The winning cells of one scale that weigh most; a cell often wins for several channels, whose terms it sums."""
    winners: dict[tuple[int, int], list[WinningCell]] = {}
    for cell in evidence.cells:
        if cell.scale == scale:
            winners.setdefault((cell.row, cell.column), []).append(cell)
    marks = [
        _place(cells[0], sum(cell.relative for cell in cells)) | {"channels": [cell.channel for cell in cells]}
        for cells in winners.values()
    ]
    return sorted(marks, key=lambda mark: -abs(mark["relative"]))[:N_MARKS]


def _place(place: BlockEvent | WinningCell, relative: float) -> Payload:
    return {
        "scale": place.scale,
        "relative": round(relative, 5),
        "start_s": round(place.start_s, 3),
        "end_s": round(place.end_s, 3),
        "low_hz": round(place.low_hz),
        "high_hz": round(place.high_hz),
    }


def _pictures(maps: SaliencyMaps) -> Payload:
    return {
        "method": maps.method,
        "baseline": maps.baseline,
        "sum_check": maps.sum_check,
        "delta": maps.delta,
        "maps": [{"scale": scale} | map_picture(values) for scale, values in zip(maps.scales, maps.maps, strict=True)],
    }


def map_picture(values: np.ndarray) -> Payload:
    """A signed map (F, L) for the browser to colour, with the value that takes the full colour."""
    strengths = np.abs(values[values != 0])
    limit = float(np.quantile(strengths, FULL_COLOUR)) if strengths.size else 0.0
    sparse = is_sparse(values)
    pooled = pool_signed(values, FRAMES_A_COLUMN)
    return {
        "picture": signed_picture(thicken(pooled) if sparse else pooled, limit),
        "limit": limit,
        "thickened": sparse,
    }


def _probability(logit: float) -> float:
    return float(sigmoid(np.float64(logit)))
