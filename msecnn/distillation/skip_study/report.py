"""The comparison as docs/skips.md shows it: what was run, every figure, every difference, and what may be concluded."""

from collections.abc import Mapping, Sequence

import numpy as np

from msecnn.distillation.skip_study.analysis import (
    ARM_PAIRS,
    MARGIN,
    N_SEEDS,
    Analysis,
    ArmFigure,
    Contrast,
    conclusion,
    verdict,
)
from msecnn.distillation.skip_study.arms import ARMS
from msecnn.distillation.skip_study.criteria import FIGURES
from msecnn.distillation.skip_study.runs import Condition, RunResult
from msecnn.evaluation.metrics import Difference
from msecnn.evaluation.tables import table
from msecnn.plots.differences import forest, stable_svg


def markdown(condition: Condition, results: Sequence[RunResult], analysis: Analysis) -> str:
    """All tables of one condition."""
    parts = [_runs(condition, results), *_warning(analysis)]
    if analysis.contrasts:
        parts += [_conclusions(analysis), _differences(analysis), _figures(analysis)]
    return "\n\n".join(parts)


def _warning(analysis: Analysis) -> list[str]:
    """What nobody may conclude from so few runs."""
    between = [each for each in analysis.contrasts if each.first.arm is not each.second.arm]
    if not between:
        return ["**No conclusion**: no two networks have been run with the same seed yet."]
    n_seeds = min(len(each.per_seed) for each in between)
    if n_seeds >= N_SEEDS:
        return []
    return [
        f"**No conclusion**: {n_seeds} of the {N_SEEDS} seeds that one needs. Whatever differs below may be chance in "
        "training, of which these intervals know little; with one seed, nothing."
    ]


def picture(analysis: Analysis) -> bytes:
    """SVG of every difference in ROC-AUC, the same bytes for the same figures."""
    groups: dict[str, dict[str, tuple[float, float, float, Sequence[float]]]] = {}
    for each in analysis.contrasts:
        if each.figure == "roc_auc":
            row = (each.difference.value, *each.difference.interval, each.per_seed)
            groups.setdefault(_title(each), {})[each.criterion] = row
    return stable_svg(forest(groups, margin=MARGIN, label="difference in ROC-AUC, mean over tags, 95 % interval"))


def _title(contrast: Contrast) -> str:
    return f"{contrast.first.title}\n− {contrast.second.title}"


def _runs(condition: Condition, results: Sequence[RunResult]) -> str:
    rows = []
    for arm in ARMS:
        own = [result for result in results if result.arm == arm.name]
        seeds = ", ".join(str(result.seed) for result in own)
        trained = [result.run for result in own if "n_epochs" in result.run]
        rows.append([arm.title, f"{len(own)} of {N_SEEDS}", seeds or "none",
                     _span(trained, "n_epochs", "d"), _span(trained, "best_epoch", "d"),
                     _span(trained, "valid_loss", ".4f")])  # fmt: skip
    n_train = {result.run["n_train"] for result in results if "n_train" in result.run}
    clips = f"{', '.join(f'{n:,}' for n in sorted(n_train))} training clips, " if n_train else ""
    head = ["network", "runs", "seeds", "epochs", "kept epoch", "validation loss of the trained head"]
    return f"{clips}{condition.epochs} epochs at most.\n\n{_table(head, rows)}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return table(head, rows, markdown=True)


def _span(runs: Sequence[Mapping[str, float]], name: str, form: str) -> str:
    values = sorted(run[name] for run in runs)
    if not values:
        return ""
    low, high = (format(value, form) for value in (values[0], values[-1]))
    return low if low == high else f"{low} to {high}"


def _conclusions(analysis: Analysis) -> str:
    rows = [[f"{a.title} against {b.title}", conclusion(analysis, a, b)] for a, b in ARM_PAIRS]
    return _table(["by the rule above, ROC-AUC", "is"], [row for row in rows if row[1] != "not run"])


def _differences(analysis: Analysis) -> str:
    parts = []
    for criterion in analysis.criteria:
        own = [each for each in analysis.contrasts if each.criterion == criterion.name]
        rows: dict[tuple[str, str], dict[str, Contrast]] = {}
        for each in own:
            rows.setdefault((each.question, _title(each).replace("\n", " ")), {})[each.figure] = each
        shown = [name for name in FIGURES if any(name in row for row in rows.values())]
        body = [[question, title, str(len(row["roc_auc"].per_seed)),
                 verdict(row["roc_auc"].difference, len(row["roc_auc"].per_seed)),
                 *(_difference(row[name].difference, name) for name in shown)]
                for (question, title), row in rows.items()]  # fmt: skip
        head = ["question", "difference", "seeds", "ROC-AUC is", *(FIGURES[name] for name in shown)]
        parts.append(f"**Differences by {criterion.name}** ({criterion.n_clips} clips, {criterion.n_groups} tracks)\n\n"
                     f"{_table(head, body)}")  # fmt: skip
    return "\n\n".join(parts)


def _figures(analysis: Analysis) -> str:
    by: dict[tuple[str, str], dict[str, ArmFigure]] = {}
    for each in analysis.figures:
        by.setdefault((each.criterion, each.side.title), {})[each.figure] = each
    rows = [
        [criterion, title, *(_value(row[name].value, name) if name in row else "" for name in FIGURES)]
        for (criterion, title), row in by.items()
    ]
    return "**Each network**, mean over its runs\n\n" + _table(
        ["criterion", "network and head", *FIGURES.values()], rows
    )


def _value(value: float, figure: str) -> str:
    return f"{value:.4f}" if figure == "mae" else f"{value:.3f}"


def _difference(difference: Difference, figure: str) -> str:
    places = 4 if figure == "mae" else 3
    value, low, high = (f"{x:+.{places}f}" for x in np.array([difference.value, *difference.interval]))
    return f"{value} ({low} to {high})"
