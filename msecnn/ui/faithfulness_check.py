"""Can a map be believed? The logit while what it names is taken away, against orders that know nothing."""

from collections.abc import Callable, Iterator

from msecnn.explain.faithfulness import LOUDNESS, RANDOM, Curves, blind_order, curves
from msecnn.explain.saliency import BASELINES, METHODS, saliency
from msecnn.ui.server.background import BackgroundTask
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.explanation_request import ExplanationRequest, choice
from msecnn.ui.server.rpc import Answer, Page, Request
from msecnn.ui.server.session import Session

#: Points on each curve.
N_STEPS = 12
#: Share of the time that the map takes, before the curves.
MAP_SHARE = 0.25


def build(page: Page) -> None:
    page.endpoint("check", check, model=True, lane="slow")


def check(context: AppContext, session: Session | None, request: Request) -> Iterator[Answer]:
    """Deletion and insertion curves of the map's order and of the blind ones, with their progress."""
    asked = ExplanationRequest.of(context, session, request)
    job = BackgroundTask(
        str(request.get("token")), lambda progress, cancelled: measure(asked, request, progress, cancelled)
    )
    for part in job:
        yield Answer({"progress": part})
    yield Answer({"tag": asked.tag, "curves": [found.to_json() for found in job.result]})


def measure(
    asked: ExplanationRequest,
    request: Request,
    progress: Callable[[float], None] = lambda _: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> list[Curves]:
    """Curves of the chosen method's order, of a random one and of the loudest cells first."""
    method, baseline = choice(request, "method", METHODS), choice(request, "baseline", BASELINES)
    model, mel, k, config = asked.tagger.model, asked.mel, asked.tag_index, asked.checkpoint.mel_config
    found = saliency(
        model,
        mel,
        k,
        method=method,
        baseline=baseline,
        mel_config=config,
        progress=lambda part: progress(MAP_SHARE * part),
        cancelled=cancelled,
    )
    orders = {method: found.total, RANDOM: blind_order(RANDOM, mel), LOUDNESS: blind_order(LOUDNESS, mel)}
    measured = []
    for number, (name, order) in enumerate(orders.items()):

        def tell(part: float, number: int = number) -> None:
            progress(MAP_SHARE + (1 - MAP_SHARE) * (number + part) / len(orders))

        measured.append(
            curves(
                model,
                mel,
                k,
                order,
                baseline=baseline,
                n_steps=N_STEPS,
                order_name=name,
                mel_config=config,
                progress=tell,
                cancelled=cancelled,
            )
        )
    return measured
