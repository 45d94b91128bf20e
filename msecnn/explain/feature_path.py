"""How one feature came to be: from the classifier's weight, level by level, down to one cell of the mel. Exact.

A feature is the value of one cell of its level's map (Hamidi et al. 2019). That value is the largest of a pooling's
block, each of whose values is ELU(scale · (Σ weight · input + bias) + shift): a 3x3 filter and its normalisation. Of
the filter's inputs the one that gave most is followed to the level below, and so on, as CNN Explainer (Wang et al.
2020) does for pictures. All of it is computed in float64 from the weights and from the level below, as the network has
computed that.

Axis letters: C channels, F mel bands, L frames, U and V rows and columns of a pooling's block.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from msecnn.explain import ExplanationError
from msecnn.explain.contributions import scale_weights, with_scales
from msecnn.explain.winning_cells import all_maps, field_of_cell, winners_of_map
from msecnn.frontend import MelConfig
from msecnn.models.layers import INPUT, ConvLevel, MultiScaleCNN, running_statistics


@dataclass(frozen=True)
class FieldOfCell:
    """What a cell depends on, in seconds of the recording and Hz."""

    start_s: float
    end_s: float
    low_hz: float
    high_hz: float


@dataclass(frozen=True)
class FilterStep:
    """One level's share: the cell that is followed, the block whose maximum it is, and the filter at that maximum.

    Attributes:
        level, channel, row, column: the cell, in its level's pooled map.
        value: of the cell.
        block: (U, V) values before pooling; the largest is `value`.
        winner: row and column of that in the block.
        patch: (3, 3) the followed input channel's values below the filter; zeros beyond the map.
        weights: (3, 3) of the filter for that channel.
        channel_sums: (C,) what each input channel adds to the filter's sum.
        bias: of the filter.
        norm_scale, norm_shift: of the normalisation, for this channel.
        input_level, input_channel, input_row, input_column: the input that gave most.
        input_place: row and column of that in the patch.
        field: what the cell depends on.
    """

    level: str
    channel: int
    row: int
    column: int
    value: float
    block: np.ndarray
    winner: tuple[int, int]
    patch: np.ndarray
    weights: np.ndarray
    channel_sums: np.ndarray
    bias: float
    norm_scale: float
    norm_shift: float
    input_level: str
    input_channel: int
    input_row: int
    input_column: int
    input_place: tuple[int, int]
    field: FieldOfCell

    @property
    def filter_sum(self) -> float:
        """Of all channels, with the bias."""
        return float(self.channel_sums.sum() + self.bias)

    @property
    def normalised(self) -> float:
        """What goes into ELU, whose value is the winner's."""
        return self.norm_scale * self.filter_sum + self.norm_shift


@dataclass(frozen=True)
class MelCell:
    """The end of the way: one cell of the mel.

    Attributes:
        band, frame: of the window.
        decibels: as the front end gave it.
        norm_scale, norm_shift: of the input's normalisation, for this band.
        value: `norm_scale` · `decibels` + `norm_shift`.
        field: its seconds and Hz.
    """

    band: int
    frame: int
    decibels: float
    norm_scale: float
    norm_shift: float
    value: float
    field: FieldOfCell


@dataclass(frozen=True)
class FeaturePath:
    """The way of one feature.

    Attributes:
        scale, channel: which.
        value: of the feature.
        average: its value in the average clip, None where that is unknown.
        weight: of the classifier, for the tag that is asked about.
        steps: from the feature's own level down; none for the input scale.
        cell: where it ends.
    """

    scale: str
    channel: int
    value: float
    average: float | None
    weight: float
    steps: tuple[FilterStep, ...]
    cell: MelCell

    @property
    def relative(self) -> float:
        """What it adds to the tag's logit, against the average clip."""
        return self.weight * (self.value - (self.average or 0.0))


def feature_path(
    model: nn.Module,
    mel: np.ndarray,
    scale: str,
    channel: int,
    *,
    tag_index: int,
    mel_config: MelConfig,
    mean_features: Mapping[str, np.ndarray] | None = None,
    window_start_s: float = 0.0,
) -> FeaturePath:
    """Follows one feature of one window (F, L) down to the mel.

    Raises:
        ExplanationError: the classifier sees no such scale or channel.
    """
    network = with_scales(model)
    if scale not in network.scales:
        raise ExplanationError(f"This network's classifier sees {', '.join(network.scales)}, not {scale[:60]!r}.")
    if not 0 <= channel < network.n_features[scale]:
        raise ExplanationError(f"{scale} has channels 0 to {network.n_features[scale] - 1}, not {channel}.")
    tensors = all_maps(network, mel)
    maps = {name: level_map.double().cpu().numpy() for name, level_map in tensors.items()}
    winners = winners_of_map(network, scale, tensors[scale])
    way = _Way(network, maps, mel_config, window_start_s)
    steps, place = [], (channel, int(winners.rows[channel]), int(winners.columns[channel]))
    for name in reversed(network.maps[1 : network.maps.index(scale) + 1]):
        step = way.step(name, *place)
        steps.append(step)
        place = step.input_channel, step.input_row, step.input_column
    return FeaturePath(
        scale=scale,
        channel=channel,
        value=float(winners.values[channel]),
        average=None if mean_features is None else float(mean_features[scale][channel]),
        weight=float(scale_weights(network)[scale][tag_index, channel]),
        steps=tuple(steps),
        cell=way.end(mel, *place[1:]),
    )


@dataclass(frozen=True)
class _Way:
    """What is the same at every step."""

    network: MultiScaleCNN
    maps: Mapping[str, np.ndarray]
    mel_config: MelConfig
    start_s: float

    def step(self, name: str, channel: int, row: int, column: int) -> FilterStep:
        number = self.network.maps.index(name) - 1
        level, below = self.network.conv_levels[number], self.network.maps[number]
        inputs = _around_block(self.maps[below], row, column, self.network.pools[number])  # (C, U + 2, V + 2)
        weight, bias = _double(level.conv.weight)[channel], float(_double(level.conv.bias)[channel])
        scale, shift = _normalisation(level.norm, channel)
        windows = np.lib.stride_tricks.sliding_window_view(inputs, (3, 3), axis=(1, 2))  # (C, U, V, 3, 3)
        block = _elu(scale * (np.einsum("cuvij,cij->uv", windows, weight) + bias) + shift, level)
        u, v = (int(index) for index in np.unravel_index(block.argmax(), block.shape))
        products = windows[:, u, v] * weight  # (C, 3, 3)
        origin = row * self.network.pools[number][0] + u - 1, column * self.network.pools[number][1] + v - 1
        sums = products.sum((1, 2))
        followed, i, j = _followed(products, sums, scale, origin, self.maps[below].shape[1:])
        return FilterStep(
            level=name,
            channel=channel,
            row=row,
            column=column,
            value=float(block[u, v]),
            block=block,
            winner=(u, v),
            patch=windows[followed, u, v],
            weights=weight[followed],
            channel_sums=sums,
            bias=bias,
            norm_scale=scale,
            norm_shift=shift,
            input_level=below,
            input_channel=followed,
            input_row=origin[0] + i,
            input_column=origin[1] + j,
            input_place=(i, j),
            field=self._field(name, row, column),
        )

    def end(self, mel: np.ndarray, band: int, frame: int) -> MelCell:
        scale, shift = _normalisation(self.network.input_norm, band)
        decibels = float(mel[band, frame])
        field = self._field(INPUT, band, frame)
        return MelCell(band, frame, decibels, scale, shift, scale * decibels + shift, field)

    def _field(self, name: str, row: int, column: int) -> FieldOfCell:
        return FieldOfCell(**field_of_cell(self.network, name, row, column, self.mel_config, self.start_s))


def _around_block(level_map: np.ndarray, row: int, column: int, pool: tuple[int, int]) -> np.ndarray:
    """(C, U + 2, V + 2): what the filters at a block see of the map below, zeros beyond it."""
    padded = np.pad(level_map, ((0, 0), (1, 1), (1, 1)))
    top, left = row * pool[0], column * pool[1]
    return padded[:, top : top + pool[0] + 2, left : left + pool[1] + 2]


def _followed(
    products: np.ndarray, sums: np.ndarray, scale: float, origin: tuple[int, int], shape: tuple[int, ...]
) -> tuple[int, int, int]:
    """Channel, and row and column in the patch, of the input that raised the value most; never one beyond the map."""
    toward = np.sign(scale) or 1.0
    channel = int((toward * sums).argmax())
    rows, columns = (start + np.arange(3) for start in origin)
    inside = ((rows >= 0) & (rows < shape[0]))[:, None] & ((columns >= 0) & (columns < shape[1]))
    strengths = np.where(inside, toward * products[channel], -np.inf)
    i, j = np.unravel_index(strengths.argmax(), strengths.shape)
    return channel, int(i), int(j)


def _normalisation(norm: nn.modules.batchnorm._BatchNorm, channel: int) -> tuple[float, float]:
    """Scale and shift of one channel in evaluation mode."""
    mean, variance = (_double(statistic)[channel] for statistic in running_statistics(norm))
    scale = _double(norm.weight)[channel] / np.sqrt(variance + norm.eps)
    return float(scale), float(_double(norm.bias)[channel] - mean * scale)


def _elu(values: np.ndarray, level: ConvLevel) -> np.ndarray:
    return np.where(values > 0, values, level.activation.alpha * np.expm1(np.minimum(values, 0)))


def _double(parameter: Tensor | None) -> np.ndarray:
    assert parameter is not None
    array: np.ndarray = parameter.detach().double().cpu().numpy()
    return array
