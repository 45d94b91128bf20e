"""Winning cells of one scale that look at the same place, gathered into events: the evidence for and against a tag.

Axis letters: F mel bands, L frames, C channels of a scale.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from torch import Tensor, nn

from msecnn.explain.contributions import scale_weights, with_scales
from msecnn.explain.winning_cells import Winners, WinningCell, blind_tail_start, field_of_cell, winning_cells
from msecnn.frontend import MelConfig
from msecnn.models.layers import MultiScaleCNN


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
    cells: list[WinningCell] = []
    for scale, winners in winning_cells(network, mel).items():
        weight = weights[scale][tag_index]  # (C,)
        mean = np.zeros(len(weight)) if mean_features is None else mean_features[scale].cpu().double().numpy()
        cells += _cells_of_scale(network, scale, winners, weight, mean, mel_config, window_start_s)
    cells.sort(key=lambda cell: -cell.relative)
    return Evidence(
        tag_index=tag_index,
        cells=tuple(cells),
        positive=_group([cell for cell in cells if cell.relative > 0]),
        negative=_group([cell for cell in reversed(cells) if cell.relative < 0]),
    )


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


def _group(cells: list[WinningCell]) -> tuple[EvidenceEvent, ...]:
    """Events of cells of one sign, given strongest first.

    The strongest cell that is left begins an event and takes in the cells of its scale whose fields overlap its own. An
    overlap of an overlap does not count: the halos of neighbours would otherwise chain a whole map into one event.
    """
    events = []
    while cells:
        seed = cells[0]
        members = tuple(cell for cell in cells if cell.scale == seed.scale and _overlap(cell, seed))
        cells = [cell for cell in cells if cell.scale != seed.scale or not _overlap(cell, seed)]
        events.append(_event(members))
    return tuple(sorted(events, key=lambda event: -abs(event.relative)))


def _event(members: tuple[WinningCell, ...]) -> EvidenceEvent:
    return EvidenceEvent(
        scale=members[0].scale,
        cells=members,
        contribution=sum(cell.contribution for cell in members),
        relative=sum(cell.relative for cell in members),
        start_s=min(cell.start_s for cell in members),
        end_s=max(cell.end_s for cell in members),
        low_hz=min(cell.low_hz for cell in members),
        high_hz=max(cell.high_hz for cell in members),
    )


def _overlap(a: WinningCell, b: WinningCell) -> bool:
    return a.start_s < b.end_s and b.start_s < a.end_s and a.low_hz < b.high_hz and b.low_hz < a.high_hz
