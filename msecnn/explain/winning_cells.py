"""The cells of the levels' maps that decide a tag: exact, because every feature is a maximum and has one winner.

The skip path of Hamidi et al. 2019 only max-pools, so each feature is the value of one cell of its level's map.

Axis letters: F mel bands, L frames, C channels of a scale, W windows.
"""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from msecnn.frontend import MelConfig
from msecnn.models.lock import MODEL_LOCK
from msecnn.models.structure import INPUT, MultiScaleStructure

if TYPE_CHECKING:
    from torch import Tensor

    from msecnn.models.layers import MultiScaleCNN


@dataclass(frozen=True)
class WinningCell:
    """The one cell that decides a feature.

    Attributes:
        scale, channel: which feature.
        value: the feature.
        weight: of the classifier, for the tag asked about.
        contribution: value times weight, a summand of the logit.
        relative: weight times what the value has over the average clip's; `contribution` where that is unknown.
        row, column: of the cell, in its level's map.
        start_s, end_s, low_hz, high_hz: of everything the cell depends on, within the clip.
        in_blind_tail: whether that reaches into the last frames, of which the input scale sees nothing.
    """

    scale: str
    channel: int
    value: float
    weight: float
    contribution: float
    relative: float
    row: int
    column: int
    start_s: float
    end_s: float
    low_hz: float
    high_hz: float
    in_blind_tail: bool

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Winners:
    """The winner of each channel of one map: its value, row and column, each (C,)."""

    values: np.ndarray
    rows: np.ndarray
    columns: np.ndarray


def winning_cells(model: "MultiScaleCNN", mel: np.ndarray) -> dict[str, Winners]:
    """For each scale, the winner of each channel among the cells that reach the classifier."""
    maps = all_maps(model, mel)
    return {scale: winners_of_map(model, scale, maps[scale]) for scale in model.scales}


def all_maps(model: "MultiScaleCNN", mel: np.ndarray) -> "dict[str, Tensor]":
    """The maps (C, F', L') of the input and of all levels for one window (F, L), scales or not."""
    import torch

    device = model.classifier.weight.device
    with MODEL_LOCK, torch.no_grad():
        maps = model.level_maps(torch.from_numpy(np.array(mel, dtype=np.float32)).to(device)[None, None])
    return {name: level_map[0] for name, level_map in maps.items()}


def winners_of_map(model: "MultiScaleCNN", name: str, level_map: "Tensor") -> Winners:
    """The winner of each channel of a map (C, F', L'); one of them among equals."""
    rows, columns = model.receptive_crop[name]
    flat = level_map[:, :rows, :columns].reshape(len(level_map), -1)
    values, cells = (array.cpu().numpy() for array in flat.max(1))
    return Winners(values.astype(np.float64), cells // columns, cells % columns)


def blind_tail_start(model: "MultiScaleCNN | MultiScaleStructure") -> int:
    """First mel frame of which the input scale sees nothing: 1280 of 1366."""
    return model.receptive_crop[INPUT][1]


def receptive_ends(model: "MultiScaleCNN | MultiScaleStructure") -> dict[str, int]:
    """For each map of the network, the first mel frame that none of its cells that can win depends on."""
    ends = {}
    for name, (rows, columns) in model.receptive_crop.items():
        ends[name] = model.receptive_field(name, rows - 1, columns - 1)[3] + 1
    return ends


def field_of_cell(
    model: "MultiScaleCNN | MultiScaleStructure",
    scale: str,
    row: int,
    column: int,
    mel_config: MelConfig,
    window_start_s: float = 0.0,
) -> dict[str, float]:
    """Seconds and Hz of everything that a cell depends on, within the clip."""
    low, high, first, last = model.receptive_field(scale, row, column)
    edges = mel_config.band_edges_hz()
    return {
        "start_s": window_start_s + mel_config.frame_span_s(first)[0],
        "end_s": window_start_s + mel_config.frame_span_s(last)[1],
        "low_hz": float(edges[low, 0]),
        "high_hz": float(edges[high, 2]),
    }
