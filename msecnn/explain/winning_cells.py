"""The cells of the spectrogram that decide a tag: exact, because every feature is a maximum and has one winner.

The skip path of Hamidi et al. 2019 only max-pools, so each feature is the value of one cell of its level's map.

Axis letters: F mel bands, L frames, C channels of a scale, W windows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from msecnn.explain.contributions import scale_weights, with_scales
from msecnn.frontend import MelConfig
from msecnn.models.layers import INPUT, MultiScaleCNN
from msecnn.models.lock import MODEL_LOCK


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
class EvidenceEvent:
    """Cells of one scale that look at the same moment and band and speak for the same side, strongest first.

    Attributes:
        contribution, relative: sums over the cells.
        start_s, end_s, low_hz, high_hz: the box around the cells' fields.
    """

    scale: str
    cells: tuple[WinningCell, ...]
    contribution: float
    relative: float
    start_s: float
    end_s: float
    low_hz: float
    high_hz: float

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Evidence:
    """All winning cells of one tag in one window, and the events that they make.

    Attributes:
        tag_index: the tag asked about.
        cells: from the most in favour to the most against, by `relative`.
        positive, negative: events in favour and against, strongest first, by `relative`.
    """

    tag_index: int
    cells: tuple[WinningCell, ...]
    positive: tuple[EvidenceEvent, ...]
    negative: tuple[EvidenceEvent, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class ChannelTrace:
    """What some channels of a scale found in each window of a long recording.

    Attributes:
        channels: C channel numbers.
        values: (W, C) features.
        start_s, end_s, low_hz, high_hz: (W, C) the winners' fields, in seconds of the recording and Hz.
    """

    scale: str
    channels: tuple[int, ...]
    values: np.ndarray
    start_s: np.ndarray
    end_s: np.ndarray
    low_hz: np.ndarray
    high_hz: np.ndarray

    def to_json(self) -> dict[str, Any]:
        arrays = ("values", "start_s", "end_s", "low_hz", "high_hz")
        return {
            "scale": self.scale,
            "channels": list(self.channels),
            **{name: getattr(self, name).tolist() for name in arrays},
        }


@dataclass(frozen=True)
class Winners:
    """The winner of each channel of one map: its value, row and column, each (C,)."""

    values: np.ndarray
    rows: np.ndarray
    columns: np.ndarray


def evidence(
    model: nn.Module,
    mel: np.ndarray,
    tag_index: int,
    *,
    mel_config: MelConfig,
    mean_features: Mapping[str, Tensor] | None = None,
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
    cells = []
    for scale, winners in winning_cells(network, mel).items():
        w = weights[scale][tag_index]  # (C,)
        mean = np.zeros(len(w)) if mean_features is None else mean_features[scale].cpu().double().numpy()
        for channel, (value, row, column) in enumerate(
            zip(winners.values.tolist(), winners.rows.tolist(), winners.columns.tolist(), strict=True)
        ):
            cells.append(
                WinningCell(
                    scale=scale,
                    channel=channel,
                    value=value,
                    weight=float(w[channel]),
                    contribution=float(w[channel] * value),
                    relative=float(w[channel] * (value - mean[channel])),
                    row=row,
                    column=column,
                    in_blind_tail=network.receptive_field(scale, row, column)[3] >= blind_tail_start(network),
                    **field_of_cell(network, scale, row, column, mel_config, window_start_s),
                )
            )
    cells.sort(key=lambda cell: -cell.relative)
    return Evidence(
        tag_index=tag_index,
        cells=tuple(cells),
        positive=_events([cell for cell in cells if cell.relative > 0]),
        negative=_events([cell for cell in reversed(cells) if cell.relative < 0]),
    )


def trace(
    model: nn.Module,
    mels: np.ndarray,
    scale: str,
    *,
    mel_config: MelConfig,
    window_starts_s: Sequence[float],
    channels: Sequence[int] | None = None,
) -> ChannelTrace:
    """Follows channels of one scale through the windows of a recording.

    Args:
        mels: (W, F, L).
        channels: which; all of the scale if left out.
    """
    network = with_scales(model)
    chosen = tuple(channels) if channels is not None else tuple(range(network.n_features[scale]))
    values = np.empty((len(mels), len(chosen)))
    fields = np.empty((4, len(mels), len(chosen)))
    for window, (mel, start_s) in enumerate(zip(mels, window_starts_s, strict=True)):
        winners = winning_cells(network, mel)[scale]
        values[window] = winners.values[list(chosen)]
        for i, channel in enumerate(chosen):
            row, column = int(winners.rows[channel]), int(winners.columns[channel])
            fields[:, window, i] = list(field_of_cell(network, scale, row, column, mel_config, start_s).values())
    return ChannelTrace(scale, chosen, values, *fields)


def winning_cells(model: MultiScaleCNN, mel: np.ndarray) -> dict[str, Winners]:
    """For each scale, the winner of each channel among the cells that reach the classifier."""
    maps = all_maps(model, mel)
    return {scale: winners_of_map(model, scale, maps[scale]) for scale in model.scales}


def all_maps(model: MultiScaleCNN, mel: np.ndarray) -> dict[str, Tensor]:
    """The maps (C, F', L') of the input and of all levels for one window (F, L), scales or not."""
    device = model.classifier.weight.device
    with MODEL_LOCK, torch.no_grad():
        maps = model.level_maps(torch.from_numpy(np.array(mel, dtype=np.float32)).to(device)[None, None])
    return {name: level_map[0] for name, level_map in maps.items()}


def winners_of_map(model: MultiScaleCNN, name: str, level_map: Tensor) -> Winners:
    """The winner of each channel of a map (C, F', L'); one of them among equals."""
    rows, columns = model.receptive_crop[name]
    flat = level_map[:, :rows, :columns].reshape(len(level_map), -1)
    values, cells = (array.cpu().numpy() for array in flat.max(1))
    return Winners(values.astype(np.float64), cells // columns, cells % columns)


def blind_tail_start(model: MultiScaleCNN) -> int:
    """First mel frame of which the input scale sees nothing: 1280 of 1366."""
    return model.receptive_crop[INPUT][1]


def field_of_cell(
    model: MultiScaleCNN, scale: str, row: int, column: int, mel_config: MelConfig, window_start_s: float = 0.0
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


def _events(cells: list[WinningCell]) -> tuple[EvidenceEvent, ...]:
    """Groups cells of one sign, given strongest first.

    The strongest cell that is left begins an event and takes in the cells of its scale whose fields overlap its own. An
    overlap of an overlap does not count: the halos of neighbours would otherwise chain a whole map into one event.
    """
    events = []
    while cells:
        seed = cells[0]
        members = [cell for cell in cells if cell.scale == seed.scale and _overlap(cell, seed)]
        cells = [cell for cell in cells if cell.scale != seed.scale or not _overlap(cell, seed)]
        events.append(
            EvidenceEvent(
                scale=seed.scale,
                cells=tuple(members),
                contribution=sum(cell.contribution for cell in members),
                relative=sum(cell.relative for cell in members),
                start_s=min(cell.start_s for cell in members),
                end_s=max(cell.end_s for cell in members),
                low_hz=min(cell.low_hz for cell in members),
                high_hz=max(cell.high_hz for cell in members),
            )
        )
    return tuple(sorted(events, key=lambda event: -abs(event.relative)))


def _overlap(a: WinningCell, b: WinningCell) -> bool:
    return a.start_s < b.end_s and b.start_s < a.end_s and a.low_hz < b.high_hz and b.low_hz < a.high_hz
