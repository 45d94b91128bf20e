"""What every winning cell adds to a tag's logit: the exact inner view of the evidence.

Axis letters: F mel bands, L frames, C channels of a scale.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from torch import nn

from msecnn.explain.contributions import scale_weights, with_scales
from msecnn.explain.winning_cells import Winners, WinningCell, blind_tail_start, field_of_cell, winning_cells
from msecnn.frontend import MelConfig
from msecnn.models.layers import MultiScaleCNN


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
    model: nn.Module,
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
    weights = scale_weights(network)
    cells: list[WinningCell] = []
    for scale, winners in winning_cells(network, mel).items():
        weight = weights[scale][tag_index]  # (C,)
        mean = np.zeros(len(weight)) if mean_features is None else np.asarray(mean_features[scale], dtype=np.float64)
        cells += _cells_of_scale(network, scale, winners, weight, mean, mel_config, window_start_s)
    cells.sort(key=lambda cell: -cell.relative)
    return Evidence(tag_index, tuple(cells))


def _cells_of_scale(
    model: MultiScaleCNN,
    scale: str,
    winners: Winners,
    weight: np.ndarray,
    mean: np.ndarray,
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
            in_blind_tail=model.receptive_field(scale, row, column)[3] >= blind_tail_start(model),
            **field_of_cell(model, scale, row, column, mel_config, window_start_s),
        )
