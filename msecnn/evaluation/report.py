"""The judge's findings for people: tables as aligned plain text or as Markdown."""

from collections.abc import Sequence
from typing import Any

from msecnn.evaluation.metrics import Difference, Interval, Metrics
from msecnn.evaluation.paired_runs import OverSeeds
from msecnn.evaluation.paper_table import N_TEST_CLIPS, Row, table_1
from msecnn.evaluation.pipeline import PROTOCOLS, CheckpointEvaluation, Comparison, Evaluation
from msecnn.tags import MAGNATAGATUNE_TAGS


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, markdown: bool = False) -> str:
    """Rows of text under a header; the first column is set left, the others right."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    cells = [
        [
            text.ljust(width) if i == 0 else text.rjust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        for row in [header, *rows]
    ]
    if not markdown:
        return "\n".join("  ".join(row).rstrip() for row in cells)
    rule = ["-" * width if i == 0 else "-" * (width - 1) + ":" for i, width in enumerate(widths)]
    return "\n".join("| " + " | ".join(row) + " |" for row in [cells[0], rule, *cells[1:]])


def number(value: float | None, digits: int = 4) -> str:
    """A figure, or a dash where there is none."""
    return "–" if value is None or value != value else f"{value:.{digits}f}"


def spread(interval: Interval, digits: int = 4) -> str:
    """An interval as `low to high`."""
    return f"{number(interval[0], digits)} to {number(interval[1], digits)}"


def protocol_line(metrics: Metrics) -> str:
    """How many clips were judged, and how the intervals were drawn."""
    drawn = "clips" if metrics.n_groups == metrics.n_clips else f"{metrics.n_groups:,} groups of clips"
    return (
        f"{metrics.n_clips:,} clips, {metrics.n_tags} tags; 95 % intervals from {metrics.n_replicates:,} bootstrap "
        f"replicates of {drawn}, seed {metrics.seed}."
    )


def left_out_line(metrics: Metrics) -> str:
    """Which tags take no part, and why; empty where all do."""
    named = ", ".join(f"{each.tag} ({each.reason})" for each in metrics.left_out)
    return f"Left out: {named}." if named else ""


def summary(metrics: Metrics, *, markdown: bool = False) -> str:
    """The figures over all tags."""
    roc, pr, f1 = metrics.roc_auc, metrics.pr_auc, metrics.f1
    rows = [
        ["ROC-AUC", number(roc.macro), spread(roc.interval), number(roc.micro)],
        ["PR-AUC", number(pr.macro), spread(pr.interval), number(pr.micro)],
        [f"F1 at {f1.threshold:g}", number(f1.macro), "", number(f1.micro)],
    ]
    whole = table(["", "macro", "95 % interval", "micro"], rows, markdown=markdown)
    calibration = f"Expected calibration error: {number(metrics.ece)}." if metrics.ece is not None else ""
    return "\n\n".join(part for part in [protocol_line(metrics), whole, calibration, left_out_line(metrics)] if part)


def per_tag(metrics: Metrics, *, markdown: bool = False) -> str:
    """One row a tag."""
    header = ["tag", "clips", "positive", "ROC-AUC", "95 % interval", "PR-AUC", "95 % interval", "F1"]
    rows = [
        [
            each.tag,
            str(each.n),
            str(each.n_positive),
            number(each.roc_auc, 3),
            spread(each.roc_auc_interval, 3),
            number(each.pr_auc, 3),
            spread(each.pr_auc_interval, 3),
            number(each.f1, 3),
        ]
        for each in metrics.per_tag
    ]
    return table(header, rows, markdown=markdown)


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


def evaluation(found: Evaluation, *, markdown: bool = False) -> str:
    """Everything found of checkpoints: figures, seeds, differences, the paper's table, and every tag."""
    unread = f"; {found.n_unreadable} could not be read" if found.n_unreadable else ""
    share = found.artists_in_training
    artists = f" {share:.0%} of the clips are by an artist of the training split." if share is not None else ""
    parts = [
        f"{found.data}, split {found.split}: {found.n_clips:,} clips{unread}.{artists} Clip score: mean over windows. "
        "Filtered: clips with at least one of the tags.",
        protocol_line(found.evaluations[0].unfiltered),
        table(
            ["checkpoint", "protocol", "clips", "ROC-AUC", "95 % interval", "PR-AUC", "95 % interval", "F1", "ECE"],
            [_line(each, protocol) for each in found.evaluations for protocol in PROTOCOLS if getattr(each, protocol)],
            markdown=markdown,
        ),
        left_out_line(found.evaluations[0].unfiltered),
        _over_seeds(found, markdown=markdown),
        _comparisons("Paired differences", found.comparisons, markdown=markdown),
        _comparisons(
            "Architectures, with runs drawn anew as well as clips", found.architecture_comparisons, markdown=markdown
        ),
        paper_table(found, markdown=markdown),
    ]
    parts += [_per_tag_of_all(found.evaluations, protocol, markdown=markdown) for protocol in PROTOCOLS]
    return "\n\n".join(part for part in parts if part)


def _line(evaluations: CheckpointEvaluation, protocol: str) -> list[str]:
    figures: Metrics = getattr(evaluations, protocol)
    return [
        evaluations.name + (" (untrained)" if evaluations.untrained else ""),
        protocol,
        str(figures.n_clips),
        *_with_interval(figures.roc_auc.macro, figures.roc_auc.interval),
        *_with_interval(figures.pr_auc.macro, figures.pr_auc.interval),
        number(figures.f1.macro, 3),
        number(figures.ece),
    ]


def _with_interval(value: float, interval: Interval) -> list[str]:
    return [number(value), spread(interval)]


def _over_seeds(found: Evaluation, *, markdown: bool) -> str:
    """Architectures with several checkpoints; empty where there is none."""
    rows = []
    for each in found.architectures:
        if len(each.names) > 1:
            figures = [cell for area in (each.roc_auc, each.pr_auc) for cell in _seed_cells(area)]
            rows.append([each.architecture, each.protocol, str(len(each.names)), *figures])
    header = ["architecture", "protocol", "runs"]
    header += [cell for name in ("ROC-AUC", "PR-AUC") for cell in (name, "95 % interval", "runs from to")]
    return "Means over runs:\n\n" + table(header, rows, markdown=markdown) if rows else ""


def _seed_cells(area: OverSeeds) -> list[str]:
    return [number(area.value), spread(area.interval), spread((area.low, area.high))]


def _comparisons(title: str, comparisons: Sequence[Comparison], *, markdown: bool) -> str:
    rows = [
        [f"{each.first} − {each.second}", each.protocol, *(difference_cell(d) for d in each.differences.values())]
        for each in comparisons
    ]
    return f"{title}:\n\n" + table(["", "protocol", "ROC-AUC", "PR-AUC"], rows, markdown=markdown) if rows else ""


def paper_table(found: Evaluation, *, markdown: bool = False) -> str:
    """Table 1 of the paper with our figures, or the sentence that says why there is none."""
    if not found.is_magnatagatune:
        return (
            "No Table 1: its figures were measured on all of MagnaTagATune, split by folder, with 50 tags; these on "
            f"{found.data}."
        )
    header = ["system", "paper", "its protocol", "ours, filtered", "95 %", "ours, unfiltered", "95 %", "runs"]
    rows = [_paper_row(row) for row in table_1(found.architectures)]
    whole = "Table 1 of the paper (ROC-AUC / PR-AUC):\n\n" + table(header, rows, markdown=markdown)
    n_tags = found.evaluations[0].unfiltered.n_tags
    if (found.n_clips, n_tags) == (N_TEST_CLIPS, len(MAGNATAGATUNE_TAGS)):
        return whole
    return (
        f"{whole}\n\nOurs are of {found.n_clips:,} of the test split's {N_TEST_CLIPS:,} clips and {n_tags} of its "
        f"{len(MAGNATAGATUNE_TAGS)} tags: they do not compare with the paper's."
    )


def _paper_row(row: Row) -> list[str]:
    cells = [row.system, f"{number(row.paper_roc_auc, 3)} / {number(row.paper_pr_auc, 3)}", row.paper_protocol]
    for roc, pr in ((row.filtered_roc_auc, row.filtered_pr_auc), (row.unfiltered_roc_auc, row.unfiltered_pr_auc)):
        if roc and pr:
            cells += [f"{number(roc.value)} / {number(pr.value)}", f"{spread(roc.interval)} / {spread(pr.interval)}"]
        else:
            cells += ["–", ""]
    return [*cells, str(row.n_runs or "")]


def _per_tag_of_all(evaluations: Sequence[CheckpointEvaluation], protocol: str, *, markdown: bool) -> str:
    """One row a tag, ROC-AUC and PR-AUC of every checkpoint."""
    figures: list[Metrics] = [getattr(each, protocol) for each in evaluations]
    if not all(figures):
        return ""
    header = ["tag", "positive", *(f"{each.name} {area}" for each in evaluations for area in ("ROC-AUC", "PR-AUC"))]
    rows = [
        [each.tag, str(each.n_positive)]
        + [number(area, 3) for own in figures for area in (own.per_tag[i].roc_auc, own.per_tag[i].pr_auc)]
        for i, each in enumerate(figures[0].per_tag)
    ]
    return f"Per tag, {protocol}:\n\n" + table(header, rows, markdown=markdown)
