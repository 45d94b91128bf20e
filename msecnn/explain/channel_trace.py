"""What channels of a scale find in each window of a long recording.

Axis letters: W windows, F mel bands, L frames, C channels of a scale.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from msecnn.explain.contributions import with_scales
from msecnn.explain.winning_cells import field_of_cell, winning_cells
from msecnn.frontend import MelConfig


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
