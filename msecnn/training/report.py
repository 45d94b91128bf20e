"""The judge's findings for people: tables as aligned plain text or as Markdown."""

from collections.abc import Sequence
from typing import Any

from msecnn.training.metrics import Difference, Interval, Metrics


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


def difference(value: Difference, digits: int = 4) -> str:
    """A paired difference with its interval, and a word where the interval excludes zero."""
    sure = ", excludes zero" if value.excludes_zero else ""
    return f"{value.value:+.{digits}f} ({value.interval[0]:+.{digits}f} to {value.interval[1]:+.{digits}f}{sure})"


def plain(value: Any) -> Any:
    """The same for JSON, which knows no NaN: None in its place, at any depth."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and value != value else value
