"""Table 1 of Hamidi et al. 2019 with our figures beside the paper's, where both were measured on MagnaTagATune."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from msecnn.evaluation.paired_runs import OverSeeds
from msecnn.evaluation.pipeline import Architecture

UNKNOWN = "top 50 tags; split and filter cannot be recovered"
UNFILTERED = "top 50 tags, folders 12/1/3, unfiltered"
TAGS_160 = "160 tags, 14,660/1,629/6,498 clips"
#: What the paper's own pair says of its protocol. Over 15 filtered and 14 unfiltered published pairs of figures PR-AUC
#: follows ROC-AUC; their lines give these two figures at the paper's ROC-AUC.
FITS_NEITHER = (
    "the pair fits neither protocol: at ROC-AUC .914 published pairs predict a PR-AUC of .462 filtered and .402 "
    "unfiltered"
)


@dataclass(frozen=True)
class PaperRow:
    """A row as printed.

    Attributes:
        protocol: what is known of how that figure came about.
        architecture: our network.
        doubt: what is known against the figure.
    """

    system: str
    roc_auc: float
    pr_auc: float | None
    protocol: str
    architecture: str
    doubt: str


PAPER_TABLE_1 = (
    PaperRow("MsE-CNN", 0.914, 0.423, UNKNOWN, "msecnn", f"{FITS_NEITHER}; its code validates on training clips"),
    PaperRow("FCN-5", 0.897, 0.404, UNKNOWN, "fcn5", "trained again by that code; the pair fits neither protocol"),
    PaperRow("FCN-4", 0.894, 0.376, UNFILTERED, "fcn4", "the PR-AUC is from another paper's training of it"),
    PaperRow("end-to-end", 0.904, 0.381, UNFILTERED, "end_to_end", "its width on this data is not certain"),
    PaperRow("timbre CNN", 0.893, 0.349, UNFILTERED, "timbre_cnn", "its code leaves the last tag out of the mean"),
    PaperRow("bag of features and RBM", 0.888, None, TAGS_160, "bag_of_features", "more tags, another split"),
    PaperRow("1-D convolutions", 0.882, None, UNFILTERED, "conv1d", "on mels; on the waveform it had .849"),
    PaperRow(
        "transferred learning", 0.880, None, "top 50 tags; split not told", "transferred_musicnn",
        "read from a plot; the audio that its source learned from is not to be had",
    ),
    PaperRow("multi-scale approach", 0.898, None, UNFILTERED, "multi_scale", "levels and sizes could not be checked"),
    PaperRow(
        "pooling MFCC", 0.861, None, "160 tags, 14,660/1,629/6,499 clips", "pmsc_pooling",
        "not of MFCC but of principal mel components on several time scales",
    ),
)  # fmt: skip
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
    architecture: str,
    measured: dict[tuple[str, str], Architecture],
) -> Row:
    filtered = measured.get((architecture, "filtered"))
    unfiltered = measured.get((architecture, "unfiltered"))
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
