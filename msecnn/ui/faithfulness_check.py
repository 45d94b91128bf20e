"""Can a map be believed? The logit while what it names is taken away, against orders that know nothing."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from msecnn.explain.explanation import Explanation
from msecnn.explain.faithfulness import LOUDNESS, RANDOM, Curves, compare_orders
from msecnn.explain.progress import Progress
from msecnn.plots.faithfulness import deletion_insertion
from msecnn.plots.html import browser_figure
from msecnn.ui import gpu_seconds
from msecnn.ui.server.background import BackgroundTask, token_of
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.explanation_request import requested_explanation
from msecnn.ui.server.rpc import Answer, Page, Payload, Request
from msecnn.ui.server.session import Session

#: Points on each curve.
N_STEPS = 12
#: Share of the time that the map takes, before the curves.
MAP_SHARE = 0.25
#: The orders that know nothing of the network.
ORDER_TITLES = {RANDOM: "random order", LOUDNESS: "loudest first"}


def build(page: Page) -> None:
    page.endpoint("faithfulness-check", check, model=True, gpu_s=gpu_seconds.of_check, lane="slow")


def check(context: AppContext, session: Session | None, request: Request) -> Iterator[Answer]:
    """Deletion and insertion curves of the map's order and of the blind ones, with their progress."""
    explanation = requested_explanation(context, session, request)
    task = BackgroundTask(token_of(request), lambda progress, cancelled: _measure(explanation, progress, cancelled))
    for part in task:
        yield Answer({"progress": part})
    curves = [_titled(curve) for curve in task.result]
    yield Answer({"tag": explanation.tag, "curves": curves, "figure": figure(task.result, explanation.tag)})


def figure(curves: Sequence[Curves], tag: str) -> Payload:
    """Both curves of each order, for the page to draw."""
    deletions = {_title(curve): curve.deletion for curve in curves}
    insertions = {_title(curve): curve.insertion for curve in curves}
    drawn = deletion_insertion(curves[0].fractions, deletions, insertions)
    means = (f"{_title(curve)} {curve.deletion_area:.2f} and {curve.insertion_area:.2f}" for curve in curves)
    label = f"Logit of {tag} while cells are taken out and put back in: mean logits {'; '.join(means)}."
    return browser_figure(drawn, label=label)


def _title(curve: Curves) -> str:
    return ORDER_TITLES.get(curve.order_name, "this map's order")


def _titled(curve: Curves) -> Payload:
    return curve.to_json() | {"title": _title(curve)}


def _measure(explanation: Explanation, progress: Progress, cancelled: Callable[[], bool]) -> list[Curves]:
    """Curves of the chosen method's order, of a random one and of the loudest cells first."""
    watched = replace(explanation, progress=lambda part: progress(MAP_SHARE * part), cancelled=cancelled)
    return compare_orders(
        watched,
        n_steps=N_STEPS,
        progress=lambda part: progress(MAP_SHARE + (1 - MAP_SHARE) * part),
        cancelled=cancelled,
    )
