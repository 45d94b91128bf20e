"""What the network itself looks like: each channel's map of a clip, what a cell can see, what a channel listens for.

The moments that excite a channel most, over a collection of recordings, are the evidence of `evidence.py` turned round
(Zeiler and Fergus, "Visualizing and understanding convolutional networks", 2014, section 4.1, in sound).

Axis letters: C channels, F' and L' rows and columns of a level's map, F mel bands, L frames.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from msecnn.explain import ExplanationError
from msecnn.explain.contributions import with_scales
from msecnn.explain.winning_cells import all_maps, field_of_cell, winners_of_map
from msecnn.files import read_json, write_json
from msecnn.frontend import MelConfig

#: Where a checkpoint's folder keeps its channels' moments.
FILE_NAME = "channel_moments.json"


@dataclass(frozen=True)
class FeatureMaps:
    """One level's maps of one window, with each channel's winner.

    Attributes:
        name: "input" or "level1" to "level5"; for networks that tag from fewer levels too.
        maps: (C, F', L') float32, after pooling.
        receptive_crop: rows and columns, from the first, that can win.
        values, rows, columns: (C,) of the winners.
        reaches_classifier: whether the classifier sees this level.
    """

    name: str
    maps: np.ndarray
    receptive_crop: tuple[int, int]
    values: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    reaches_classifier: bool


@dataclass(frozen=True)
class FieldSize:
    """What one cell in the middle of a level's map depends on.

    Attributes:
        bands, frames: mel cells.
        duration_s: from the first sample of the first frame to the last of the last.
        low_hz, high_hz: of that cell.
    """

    name: str
    bands: int
    frames: int
    duration_s: float
    low_hz: float
    high_hz: float

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Moment:
    """A place in a recording where a channel found what it listens for.

    Attributes:
        clip: name of the recording.
        value: the channel's feature there.
        start_s, end_s, low_hz, high_hz: the winning cell's field, in seconds of the recording.
    """

    clip: str
    value: float
    start_s: float
    end_s: float
    low_hz: float
    high_hz: float

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class ChannelMoments:
    """For each channel of each level, the moments that excite it most, strongest first.

    Attributes:
        weights_sha256: of the weights that they were found with.
        clips: names of all the recordings that were searched.
        moments: for each map's name, for each channel, its moments.
    """

    weights_sha256: str
    clips: tuple[str, ...]
    moments: dict[str, tuple[tuple[Moment, ...], ...]]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def feature_maps(model: nn.Module, mel: np.ndarray) -> dict[str, FeatureMaps]:
    """The maps of all levels for one window (F, L), by name."""
    network = with_scales(model)
    views = {}
    for name, level_map in all_maps(network, mel).items():
        winners = winners_of_map(network, name, level_map)
        views[name] = FeatureMaps(
            name=name,
            maps=level_map.float().cpu().numpy(),
            receptive_crop=network.receptive_crop[name],
            values=winners.values,
            rows=winners.rows,
            columns=winners.columns,
            reaches_classifier=name in network.scales,
        )
    return views


def field_sizes(model: nn.Module, mel_config: MelConfig) -> dict[str, FieldSize]:
    """How much of the spectrogram one cell in the middle of each level's map depends on, by level."""
    network = with_scales(model)
    sizes = {}
    for name in network.maps:
        row, column = (cells // 2 for cells in network.receptive_crop[name])
        low, high, first, last = network.receptive_field(name, row, column)
        field = field_of_cell(network, name, row, column, mel_config)
        sizes[name] = FieldSize(
            name=name,
            bands=high - low + 1,
            frames=last - first + 1,
            duration_s=field["end_s"] - field["start_s"],
            low_hz=field["low_hz"],
            high_hz=field["high_hz"],
        )
    return sizes


def top_moments(
    model: nn.Module,
    windows: Iterable[tuple[str, float, np.ndarray]],
    *,
    mel_config: MelConfig,
    weights_sha256: str,
    k: int = 5,
) -> ChannelMoments:
    """Finds the k moments that excite each channel most; memory holds one window.

    Args:
        windows: name of the recording, the window's start in seconds, and its mel (F, L), one after another.
        weights_sha256: of the model's weights, as its card gives it.
        k: moments a channel.
    """
    network = with_scales(model)
    best: dict[str, list[list[Moment]]] = {name: [[] for _ in range(n)] for name, n in network.n_channels.items()}
    clips: dict[str, None] = {}
    for clip, start_s, mel in windows:
        clips[clip] = None
        for name, level_map in all_maps(network, mel).items():
            winners = winners_of_map(network, name, level_map)
            for channel, (value, row, column) in enumerate(
                zip(winners.values.tolist(), winners.rows.tolist(), winners.columns.tolist(), strict=True)
            ):
                kept = best[name][channel]
                if len(kept) < k or value > kept[-1].value:
                    kept.append(Moment(clip, value, **field_of_cell(network, name, row, column, mel_config, start_s)))
                    kept.sort(key=lambda moment: -moment.value)
                    del kept[k:]
    moments = {name: tuple(tuple(kept) for kept in channels) for name, channels in best.items()}
    return ChannelMoments(weights_sha256, tuple(clips), moments)


def write_moments(folder: Path, channel_moments: ChannelMoments) -> None:
    """Writes them beside a checkpoint, whole or not at all."""
    write_json(folder / FILE_NAME, channel_moments.to_json(), indent=None)


def read_moments(folder: Path, weights_sha256: str) -> ChannelMoments | None:
    """The moments that lie beside a checkpoint, or None where there are none.

    Raises:
        ExplanationError: they were found with other weights, or the file is damaged.
    """
    path = folder / FILE_NAME
    if not path.exists():
        return None
    try:
        stored = read_json(path)
        moments = {
            name: tuple(tuple(Moment(**moment) for moment in channel) for channel in channels)
            for name, channels in stored["moments"].items()
        }
        channel_moments = ChannelMoments(stored["weights_sha256"], tuple(stored["clips"]), moments)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ExplanationError(f"{path} is damaged; recipes/make_channel_moments.py writes it anew.") from error
    if channel_moments.weights_sha256 != weights_sha256:
        raise ExplanationError(f"{path} was made with other weights; recipes/make_channel_moments.py writes it anew.")
    return channel_moments
