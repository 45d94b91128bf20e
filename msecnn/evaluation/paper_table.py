"""Table 1 of Hamidi et al. 2019 with our figures beside the paper's, where both were measured on MagnaTagATune."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from msecnn.evaluation.paired_runs import OverSeeds
from msecnn.evaluation.pipeline import Architecture

UNKNOWN = "top 50 tags; split and filter cannot be recovered"
UNFILTERED = "top 50 tags, unfiltered"
COLLECTED = "quoted by the paper; two of the rows so marked use 160 tags and another split"


@dataclass(frozen=True)
class PaperRow:
    """A row as printed; `protocol` is what is known of how that figure came about, `architecture` our network."""

    system: str
    roc_auc: float
    pr_auc: float | None
    protocol: str
    architecture: str | None = None


PAPER_TABLE_1 = (
    PaperRow("MsE-CNN", 0.914, 0.423, UNKNOWN, "msecnn"),
    PaperRow("FCN-5", 0.897, 0.404, UNKNOWN, "fcn5"),
    PaperRow("FCN-4", 0.894, 0.376, COLLECTED),
    PaperRow("end-to-end", 0.904, 0.381, UNFILTERED),
    PaperRow("timbre CNN", 0.893, 0.349, UNFILTERED),
    PaperRow("bag of features and RBM", 0.888, None, COLLECTED),
    PaperRow("1-D convolutions", 0.882, None, COLLECTED),
    PaperRow("transferred learning", 0.880, None, COLLECTED),
    PaperRow("multi-scale approach", 0.898, None, COLLECTED),
    PaperRow("pooling MFCC", 0.861, None, COLLECTED),
)
#: Clips of MagnaTagATune's standard test split, without any filter.
N_TEST_CLIPS = 5_329
#: The authors' code builds a wider network than the paper's figure; the paper has no row for it.
BEYOND = {"msecnn_wide": "MsE-CNN as in the authors' code"}


@dataclass(frozen=True)
class Row:
    """One row: the paper's figure and its protocol, then ours by both protocols, means over `n_runs` seeds."""

    system: str
    paper_roc_auc: float | None
    paper_pr_auc: float | None
    paper_protocol: str
    n_runs: int
    filtered_roc_auc: OverSeeds | None
    filtered_pr_auc: OverSeeds | None
    unfiltered_roc_auc: OverSeeds | None
    unfiltered_pr_auc: OverSeeds | None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def table_1(architectures: Sequence[Architecture]) -> list[Row]:
    """The paper's rows, and ours where a checkpoint of that architecture was evaluated."""
    measured = {(each.architecture, each.protocol): each for each in architectures}
    rows = [
        _row(each.system, each.roc_auc, each.pr_auc, each.protocol, each.architecture, measured)
        for each in PAPER_TABLE_1
    ]
    for architecture, system in BEYOND.items():
        if (architecture, "unfiltered") in measured:
            rows.append(_row(system, None, None, "not in the paper", architecture, measured))
    return rows


def _row(
    system: str,
    roc_auc: float | None,
    pr_auc: float | None,
    protocol: str,
    architecture: str | None,
    measured: dict[tuple[str, str], Architecture],
) -> Row:
    filtered = measured.get((architecture or "", "filtered"))
    unfiltered = measured.get((architecture or "", "unfiltered"))
    return Row(
        system=system,
        paper_roc_auc=roc_auc,
        paper_pr_auc=pr_auc,
        paper_protocol=protocol,
        n_runs=len(unfiltered.names) if unfiltered else 0,
        filtered_roc_auc=filtered.roc_auc if filtered else None,
        filtered_pr_auc=filtered.pr_auc if filtered else None,
        unfiltered_roc_auc=unfiltered.roc_auc if unfiltered else None,
        unfiltered_pr_auc=unfiltered.pr_auc if unfiltered else None,
    )
