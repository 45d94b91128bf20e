"""Mel spectrograms with axes in seconds and Hz (librosa's), and signed maps laid over them."""

from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from msecnn.explain.winning_cells import WinningCell
from msecnn.frontend import MelConfig
from msecnn.plots.colours import AGAINST, IN_FAVOUR, rgb
from msecnn.plots.sparse_maps import is_sparse, thicken

#: Quantiles of a spectrogram between which its colours lie.
DB_RANGE = (0.02, 0.998)
HZ_TICKS = (100, 250, 500, 1000, 2000, 4000)


def mel_figure(mel: np.ndarray, mel_config: MelConfig, *, start_s: float = 0.0, title: str = "") -> Figure:
    """One window's log-mel spectrogram.

    Shape:
        - mel: (F, L) dB
    """
    from librosa.display import specshow  # half a second, and it brings pyplot, which nothing here goes through

    figure = Figure(figsize=(11, 3.2), layout="constrained")
    axes = figure.add_subplot()
    low, high = np.quantile(mel, DB_RANGE)
    mesh = specshow(
        mel,
        x_coords=start_s + mel_config.frame_to_s(1) * np.arange(mel.shape[1]),
        x_axis="time",
        y_axis="mel",
        sr=mel_config.sample_rate,
        fmin=mel_config.f_min,
        fmax=mel_config.f_max,
        ax=axes,
        cmap="magma",
        vmin=low,
        vmax=high,
        rasterized=True,
    )
    axes.set_title(title, loc="left", parse_math=False)
    figure.colorbar(mesh, ax=axes, label="dB", pad=0.01)
    return figure


def saliency_figure(
    mel: np.ndarray,
    maps: np.ndarray,
    scales: Sequence[str],
    mel_config: MelConfig,
    *,
    start_s: float = 0.0,
    title: str = "",
    cells: Iterable[WinningCell] = (),
) -> Figure:
    """One strip for each scale: its signed map over the spectrogram in grey, each in its own range.

    Args:
        cells: that won, drawn as dots in their scale's strip.

    Shape:
        - mel: (F, L) dB
        - maps: (S, F, L)
    """
    figure = Figure(figsize=(11, 1.0 + 1.35 * len(scales)), layout="constrained")
    extent, won = _extent(mel, mel_config, start_s), list(cells)
    for axes, scale, values in zip(_rows(figure, len(scales)), scales, maps, strict=True):
        axes.set_facecolor("black")
        draw_mel(axes, mel, mel_config, start_s=start_s, colours="gray").set_alpha(0.45)
        shown = thicken(values) if is_sparse(values) else values
        axes.imshow(signed_colours(shown), origin="lower", aspect="auto", extent=extent)
        axes.set_yticks(axes.get_yticks()[1::2], [str(hz) for hz in HZ_TICKS[1::2]])
        axes.set_ylabel(scale)
        _draw_cells(axes, [cell for cell in won if cell.scale == scale], mel_config)
        axes.label_outer()
    figure.axes[-1].set_xlabel("seconds")
    figure.axes[0].set_title(title, loc="left", parse_math=False)
    return figure


def _draw_cells(axes: Axes, cells: Sequence[WinningCell], mel_config: MelConfig) -> None:
    """Dots in the middle of what the cells see, in the colour of their sign."""
    centres = mel_config.band_edges_hz()[:, 1]
    hz = [np.sqrt(max(centres[0], cell.low_hz) * cell.high_hz) for cell in cells]
    seconds = [(cell.start_s + cell.end_s) / 2 for cell in cells]
    colours = [AGAINST if cell.relative < 0 else IN_FAVOUR for cell in cells]
    rows = np.interp(hz, centres, np.arange(len(centres)))
    axes.scatter(seconds, rows, s=14, c=colours, edgecolors="white", linewidths=0.6, zorder=3)


def signed_colours(values: np.ndarray) -> np.ndarray:
    """Signed values to colours that are transparent where nothing is said; the strongest 0.5 % take the full colour.

    Shape:
        - values: (F, L)
        - output: (F, L, 4), 0 to 1
    """
    strengths = np.abs(values[values != 0])
    limit = float(np.quantile(strengths, 0.995)) if strengths.size else 1.0
    colours = np.where(values[..., None] < 0, (*rgb(AGAINST), 0.0), (*rgb(IN_FAVOUR), 0.0))
    colours[..., 3] = np.minimum(1, np.abs(values) / limit) ** 0.6
    return colours


def draw_mel(
    axes: Axes, mel: np.ndarray, mel_config: MelConfig, *, start_s: float = 0.0, colours: str = "magma"
) -> AxesImage:
    """Draws (F, L) dB with the frequencies of its bands on the axis; returns the image."""
    extent = _extent(mel, mel_config, start_s)
    low, high = np.quantile(mel, DB_RANGE)
    image = axes.imshow(mel, origin="lower", aspect="auto", cmap=colours, vmin=low, vmax=high, extent=extent)
    centres = mel_config.band_edges_hz()[:, 1]
    axes.set_yticks(np.interp(HZ_TICKS, centres, np.arange(len(centres))), [str(hz) for hz in HZ_TICKS])
    return image


def _rows(figure: Figure, n: int) -> list[Axes]:
    return list(figure.subplots(n, 1, sharex=True, squeeze=False)[:, 0])


def _extent(mel: np.ndarray, mel_config: MelConfig, start_s: float) -> tuple[float, float, float, float]:
    return start_s, start_s + mel_config.frame_to_s(mel.shape[1] - 1), -0.5, mel.shape[0] - 0.5
