"""An evaluation as paragraphs and tables."""

from collections.abc import Sequence
from typing import Any

from msecnn.evaluation.metrics import Difference, Interval, Metrics
from msecnn.evaluation.paired_runs import OverSeeds
from msecnn.evaluation.paper_table import N_TEST_CLIPS, Row, table_1
from msecnn.evaluation.pipeline import PROTOCOLS, CheckpointEvaluation, Comparison, Evaluation
from msecnn.evaluation.tables import Report, Table
from msecnn.tags import MAGNATAGATUNE_TAGS


def number(value: float | None, digits: int = 4) -> str:
    """A figure, or a dash where there is none."""
    return "–" if value is None or value != value else f"{value:.{digits}f}"


def spread(interval: Interval, digits: int = 4) -> str:
    """An interval as `low to high`."""
    return f"{number(interval[0], digits)} to {number(interval[1], digits)}"


def estimate(value: float, interval: Interval, digits: int = 4) -> str:
    """A figure and its 95 % interval as `value [low to high]`."""
    return f"{number(value, digits)} [{spread(interval, digits)}]"


def protocol_line(metrics: Metrics) -> str:
    """How many clips were evaluated, and how the intervals were drawn."""
    drawn = "clips" if metrics.n_groups == metrics.n_clips else f"{metrics.n_groups:,} groups of clips"
    return (
        f"{metrics.n_clips:,} clips, {metrics.n_tags} tags; 95 % intervals from {metrics.n_replicates:,} bootstrap "
        f"replicates of {drawn}, seed {metrics.seed}."
    )


def left_out_line(metrics: Metrics) -> str:
    """Which tags take no part, and why; empty where all do."""
    named = ", ".join(f"{each.tag} ({each.reason})" for each in metrics.left_out)
    return f"Left out: {named}." if named else ""


def of_scores(metrics: Metrics) -> Report:
    """The figures of one file of scores: over all tags, then tag by tag."""
    return Report([*_summary(metrics), _per_tag(metrics)])


def _summary(metrics: Metrics) -> list[str | Table]:
    """The figures over all tags."""
    roc, pr, f1 = metrics.roc_auc, metrics.pr_auc, metrics.f1
    rows = [
        ["ROC-AUC", number(roc.macro), spread(roc.interval), number(roc.micro)],
        ["PR-AUC", number(pr.macro), spread(pr.interval), number(pr.micro)],
        [f"F1 at {f1.threshold:g}", number(f1.macro), "", number(f1.micro)],
    ]
    whole = Table("summary", ["", "macro", "95 % interval", "micro"], rows)
    calibration = f"Expected calibration error: {number(metrics.ece)}." if metrics.ece is not None else ""
    return [protocol_line(metrics), whole, calibration, left_out_line(metrics)]


def _per_tag(metrics: Metrics) -> Table:
    """One row a tag."""
    rows = [
        [
            each.tag,
            str(each.n),
            str(each.n_positive),
            estimate(each.roc_auc, each.roc_auc_interval, 3),
            estimate(each.pr_auc, each.pr_auc_interval, 3),
            number(each.f1, 3),
        ]
        for each in metrics.per_tag
    ]
    return Table("tags", ["tag", "clips", "positive", "ROC-AUC", "PR-AUC", "F1"], rows)


def plain(value: Any) -> Any:
    """The same for JSON, which knows no NaN: None in its place, at any depth."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and value != value else value


def difference_cell(value: Difference, digits: int = 4) -> str:
    """A paired difference with its interval, and a word where the interval excludes zero."""
    sure = ", excludes zero" if value.excludes_zero else ""
    return f"{value.value:+.{digits}f} ({value.interval[0]:+.{digits}f} to {value.interval[1]:+.{digits}f}{sure})"


def of_checkpoints(evaluation: Evaluation) -> Report:
    """Figures of checkpoints, means over seeds, differences, the paper's table, and every tag."""
    unread = f"; {evaluation.n_unreadable} could not be read" if evaluation.n_unreadable else ""
    share = evaluation.artists_in_training
    artists = f" {share:.0%} of the clips are by an artist of the training split." if share is not None else ""
    evaluations = evaluation.evaluations
    return Report(
        [
            f"{evaluation.data}, split {evaluation.split}: {evaluation.n_clips:,} clips{unread}.{artists} Clip score: "
            "mean over windows. Filtered: clips with at least one of the tags. In brackets: 95 % intervals.",
            protocol_line(evaluations[0].unfiltered),
            _checkpoints(evaluations),
            left_out_line(evaluations[0].unfiltered),
            *_over_seeds(evaluation),
            *_comparisons("Paired differences", "checkpoint_differences", evaluation.comparisons),
            *_comparisons(
                "Architectures, with runs drawn anew as well as clips",
                "architecture_differences",
                evaluation.architecture_comparisons,
            ),
            *paper_table(evaluation).parts,
            *(part for protocol in PROTOCOLS for part in _per_tag_of_all(evaluations, protocol)),
        ]
    )


def _checkpoints(evaluations: Sequence[CheckpointEvaluation]) -> Table:
    header = ["checkpoint", "protocol", "clips", "ROC-AUC", "PR-AUC", "F1", "ECE"]
    rows = [_row(each, protocol) for each in evaluations for protocol in PROTOCOLS if getattr(each, protocol)]
    return Table("checkpoints", header, rows, shown=[title for title in header if title != "clips"])


def _row(evaluation: CheckpointEvaluation, protocol: str) -> list[str]:
    figures: Metrics = getattr(evaluation, protocol)
    return [
        evaluation.name + (" (untrained)" if evaluation.untrained else ""),
        protocol,
        str(figures.n_clips),
        estimate(figures.roc_auc.macro, figures.roc_auc.interval),
        estimate(figures.pr_auc.macro, figures.pr_auc.interval),
        number(figures.f1.macro, 3),
        number(figures.ece),
    ]


def _over_seeds(evaluation: Evaluation) -> list[str | Table]:
    """Architectures with several checkpoints; empty where there is none."""
    rows = [
        [
            f"{each.architecture}, {len(each.names)} runs",
            each.protocol,
            *(cell for area in (each.roc_auc, each.pr_auc) for cell in _seed_cells(area)),
        ]
        for each in evaluation.architectures
        if len(each.names) > 1
    ]
    header = ["architecture", "protocol", "ROC-AUC", "runs of ROC-AUC", "PR-AUC", "runs of PR-AUC"]
    return ["Means over runs, and the lowest and highest run:", Table("runs", header, rows)] if rows else []


def _seed_cells(area: OverSeeds) -> list[str]:
    return [estimate(area.value, area.interval), spread((area.low, area.high))]


def _comparisons(title: str, name: str, comparisons: Sequence[Comparison]) -> list[str | Table]:
    rows = [
        [f"{each.first} − {each.second}", each.protocol, *(difference_cell(d) for d in each.differences.values())]
        for each in comparisons
    ]
    return [f"{title}:", Table(name, ["first − second", "protocol", "ROC-AUC", "PR-AUC"], rows)] if rows else []


def paper_table(evaluation: Evaluation) -> Report:
    """Table 1 of the paper with our figures, or the sentence that says why there is none."""
    if not evaluation.is_magnatagatune:
        reason = "No Table 1: its figures were measured on all of MagnaTagATune, split by folder, with 50 tags"
        return Report([f"{reason}; these on {evaluation.data}."])
    header = ["system", "paper", "its protocol", "ours, filtered", "ours, unfiltered", "runs"]
    rows = [_paper_row(row) for row in table_1(evaluation.architectures)]
    parts: list[str | Table] = ["Table 1 of the paper (ROC-AUC / PR-AUC):", Table("table_1", header, rows)]
    n_tags = evaluation.evaluations[0].unfiltered.n_tags
    if (evaluation.n_clips, n_tags) == (N_TEST_CLIPS, len(MAGNATAGATUNE_TAGS)):
        return Report(parts)
    counts = f"{evaluation.n_clips:,} of the test split's {N_TEST_CLIPS:,} clips and {n_tags} of its"
    compare = f"{len(MAGNATAGATUNE_TAGS)} tags: they do not compare with the paper's."
    return Report([*parts, f"Ours are of {counts} {compare}"])


def _paper_row(row: Row) -> list[str]:
    cells = [row.system, f"{number(row.paper_roc_auc, 3)} / {number(row.paper_pr_auc, 3)}", row.paper_protocol]
    for roc, pr in ((row.filtered_roc_auc, row.filtered_pr_auc), (row.unfiltered_roc_auc, row.unfiltered_pr_auc)):
        cells.append(" / ".join(estimate(area.value, area.interval) for area in (roc, pr) if area) or "–")
    return [*cells, str(row.n_runs or "")]


def _per_tag_of_all(evaluations: Sequence[CheckpointEvaluation], protocol: str) -> list[str | Table]:
    """One row a tag, ROC-AUC and PR-AUC of every checkpoint."""
    figures: list[Metrics] = [getattr(each, protocol) for each in evaluations]
    if not all(figures):
        return []
    rows = [
        [tag.tag, str(tag.n_positive)]
        + [f"{number(own.per_tag[k].roc_auc, 3)} / {number(own.per_tag[k].pr_auc, 3)}" for own in figures]
        for k, tag in enumerate(figures[0].per_tag)
    ]
    header = ["tag", "positive", *(each.name for each in evaluations)]
    return [f"Per tag, {protocol}: ROC-AUC / PR-AUC.", Table(f"tags_{protocol}", header, rows)]
