"""What every winning cell adds to a tag's logit: the exact inner view of the evidence.

Axis letters: F mel bands, L frames, C channels of a scale.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from msecnn.checkpoint import Checkpoint
from msecnn.explain.contributions import with_scales
from msecnn.explain.winning_cells import Winners, WinningCell, blind_tail_start, field_of_cell, winning_cells
from msecnn.frontend import MelConfig
from msecnn.models.structure import MultiScaleStructure, ScaleClassifier
from msecnn.runtimes import is_installed
from msecnn.tagger import TagPrediction

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Evidence:
    """All winning cells of one tag in one window.

    Attributes:
        tag_index: the tag asked about.
        cells: from the most in favour to the most against, by `relative`.
    """

    tag_index: int
    cells: tuple[WinningCell, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def evidence(
    model: "nn.Module",
    mel: np.ndarray,
    tag_index: int,
    *,
    mel_config: MelConfig,
    mean_features: Mapping[str, np.ndarray] | None = None,
    window_start_s: float = 0.0,
) -> Evidence:
    """Finds, for every feature of every scale, the cell that decided it and what that added to the tag's logit.

    Args:
        model: a convolutional network with scales, in evaluation mode.
        mel: (F, L) one window.
        mean_features: of the checkpoint, for `relative`.
        window_start_s: where the window stands in its recording; added to the cells' seconds.
    """
    network = with_scales(model)
    found = winning_cells(network, mel)
    place = network.structure, mel_config, window_start_s
    return _evidence(found, tag_index, ScaleClassifier.of(network), mean_features, place)


def window_evidence(checkpoint: Checkpoint, prediction: TagPrediction, tag_index: int, window: int) -> Evidence:
    """The same of a window that was tagged with its mel kept; by ONNX Runtime where that is there, without torch.

    Raises:
        ExplanationError: the model has no scales.
    """
    assert prediction.mel is not None
    mel, start_s = prediction.mel[window], float(prediction.window_starts_s[window])
    structure, classifier = checkpoint.structure, checkpoint.classifier
    config, mean_features = checkpoint.mel_config, checkpoint.mean_features
    if structure is None or classifier is None or not is_installed("onnxruntime"):
        return evidence(
            checkpoint.model,
            mel,
            tag_index,
            mel_config=config,
            mean_features=mean_features,
            window_start_s=start_s,
        )
    from msecnn.runtimes.onnx_runtime import winning_cell_numbers

    found = {}
    for scale, cells in winning_cell_numbers(checkpoint, mel[None, None]).items():
        n_columns = structure.receptive_crop[scale][1]
        values = prediction.features[scale][window].astype(np.float64)
        found[scale] = Winners(values, cells[0] // n_columns, cells[0] % n_columns)
    return _evidence(found, tag_index, classifier, mean_features, (structure, config, start_s))


def _evidence(
    found: Mapping[str, Winners],
    tag_index: int,
    classifier: ScaleClassifier,
    mean_features: Mapping[str, np.ndarray] | None,
    place: tuple[MultiScaleStructure, MelConfig, float],
) -> Evidence:
    weights = classifier.scale_weights
    cells: list[WinningCell] = []
    for scale, winners in found.items():
        weight = weights[scale][tag_index]  # (C,)
        mean = np.zeros(len(weight)) if mean_features is None else np.asarray(mean_features[scale], dtype=np.float64)
        cells += _cells_of_scale(scale, winners, weight, mean, *place)
    cells.sort(key=lambda cell: -cell.relative)
    return Evidence(tag_index, tuple(cells))


def _cells_of_scale(
    scale: str,
    winners: Winners,
    weight: np.ndarray,
    mean: np.ndarray,
    structure: MultiScaleStructure,
    mel_config: MelConfig,
    window_start_s: float,
) -> Iterator[WinningCell]:
    """The winning cell of each channel, with what it adds; weight and mean feature are (C,)."""
    places = zip(winners.values.tolist(), winners.rows.tolist(), winners.columns.tolist(), strict=True)
    for channel, (value, row, column) in enumerate(places):
        yield WinningCell(
            scale=scale,
            channel=channel,
            value=value,
            weight=float(weight[channel]),
            contribution=float(weight[channel] * value),
            relative=float(weight[channel] * (value - mean[channel])),
            row=row,
            column=column,
            in_blind_tail=structure.receptive_field(scale, row, column)[3] >= blind_tail_start(structure),
            **field_of_cell(structure, scale, row, column, mel_config, window_start_s),
        )
