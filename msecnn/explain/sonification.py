"""The recording as the evidence sees it: its short-time spectrum weighted by a map over mel bands, made sound again.

Axis letters: T samples, F mel bands, L frames.
"""

from collections.abc import Iterable
from typing import Protocol

import numpy as np
import torch

from msecnn.explain import ExplanationError
from msecnn.frontend import MelConfig

#: Sound around an event, so that it can be recognised.
MARGIN_S = 0.5
#: Blocks and gates of ITU-R BS.1770-4, from which loudness is measured (its K-weighting is left out: what is compared
#: is one recording with parts of itself).
BLOCK_S, BLOCK_HOP_S = 0.4, 0.1
ABSOLUTE_GATE_DB, RELATIVE_GATE_DB = -70.0, -10.0


class Box(Protocol):
    """A stretch of time and frequency: a winning cell or an event."""

    @property
    def start_s(self) -> float: ...
    @property
    def end_s(self) -> float: ...
    @property
    def low_hz(self) -> float: ...
    @property
    def high_hz(self) -> float: ...


def render(
    waveform: np.ndarray, mask: np.ndarray, mel_config: MelConfig, *, equal_loudness: bool = False
) -> np.ndarray:
    """Weights a waveform by a map over its mel spectrogram: same length, same alignment, original phase.

    Frequencies between two bands' centres get the weights of both, linearly; overlapping windows fade every change in
    time, so that nothing clicks. A map of ones returns the waveform.

    Args:
        waveform: (T,) at the front end's sample rate, no longer than the map.
        mask: (F, L) weights, 0 to 1.
        equal_loudness: raise what is left to the waveform's loudness (gated RMS, see `loudness_db`), but no peak beyond
            full scale.

    Raises:
        ExplanationError: the map's bands are not the front end's, or its frames end before the waveform.
    """
    n_samples, hop = len(waveform), mel_config.hop_length
    n_frames = -(-n_samples // hop) + 1
    if mask.ndim != 2 or len(mask) != mel_config.n_mels or mask.shape[1] < n_samples // hop + 1:
        raise ExplanationError(f"A map {mask.shape} does not cover {n_samples} samples of sound.")
    weights = _over_bins(np.pad(mask, ((0, 0), (0, 1)), mode="edge")[:, :n_frames], mel_config)  # (bins, frames)
    padded = torch.zeros((n_frames - 1) * hop)
    padded[:n_samples] = torch.from_numpy(np.asarray(waveform, dtype=np.float32))
    window = torch.hann_window(mel_config.n_fft)
    spectrum = torch.stft(padded, mel_config.n_fft, hop, window=window, pad_mode="constant", return_complex=True)
    spectrum *= torch.from_numpy(weights)
    heard: np.ndarray = torch.istft(spectrum, mel_config.n_fft, hop, window=window, length=len(padded)).numpy()
    heard = heard[:n_samples]
    return _match_loudness(heard, waveform, mel_config.sample_rate) if equal_loudness else heard


def top_mask(attribution: np.ndarray, share: float) -> np.ndarray:
    """Ones on the given share (0 to 1) of the cells, those that speak most for the tag; zeros elsewhere.

    Cells that do not speak for it at all are never among them.
    """
    n_cells = min(round(share * attribution.size), int((attribution > 0).sum()))
    mask = np.zeros(attribution.size, dtype=np.float32)
    if n_cells:
        mask[np.argpartition(attribution.ravel(), -n_cells)[-n_cells:]] = 1
    return mask.reshape(attribution.shape)


def box_mask(
    boxes: Iterable[Box], mel_config: MelConfig, *, window_start_s: float = 0.0, margin_s: float = MARGIN_S
) -> np.ndarray:
    """Ones (F, L) on the bands and moments of events or cells, and for a margin of time around them.

    Args:
        window_start_s: where the window stands in the recording, as it was told to `evidence`.
    """
    centres_hz = mel_config.band_edges_hz()[:, 1]
    frames_s = window_start_s + mel_config.frame_to_s(1) * np.arange(mel_config.n_frames)
    mask = np.zeros((mel_config.n_mels, mel_config.n_frames), dtype=np.float32)
    for box in boxes:
        bands = (box.low_hz <= centres_hz) & (centres_hz <= box.high_hz)
        frames = (box.start_s - margin_s <= frames_s) & (frames_s <= box.end_s + margin_s)
        mask[np.ix_(bands, frames)] = 1
    return mask


def loudness_db(waveform: np.ndarray, sample_rate: int) -> float:
    """Mean power in dB of the blocks that are heard: those no more than 10 dB below the rest and above -70 dB."""
    block, hop = round(BLOCK_S * sample_rate), round(BLOCK_HOP_S * sample_rate)
    padded = np.pad(np.asarray(waveform, dtype=np.float64), (0, max(0, block - len(waveform))))
    powers = np.lib.stride_tricks.sliding_window_view(padded, block)[::hop]
    powers = np.einsum("bt,bt->b", powers, powers) / block
    powers = powers[powers > 10 ** (ABSOLUTE_GATE_DB / 10)]
    if not len(powers):
        return -np.inf
    return float(10 * np.log10(powers[powers > powers.mean() * 10 ** (RELATIVE_GATE_DB / 10)].mean()))


def _over_bins(mask: np.ndarray, mel_config: MelConfig) -> np.ndarray:
    """(F, L) over mel bands to (n_fft / 2 + 1, L) over frequencies: linear between the bands' centres, level beyond."""
    centres_hz = mel_config.band_edges_hz()[:, 1]
    frequencies_hz = np.linspace(0, mel_config.sample_rate / 2, mel_config.n_fft // 2 + 1)
    share_of_band = np.stack([np.interp(frequencies_hz, centres_hz, row) for row in np.eye(len(centres_hz))], axis=1)
    return (share_of_band @ mask).astype(np.float32)


def _match_loudness(heard: np.ndarray, waveform: np.ndarray, sample_rate: int) -> np.ndarray:
    wanted, had = loudness_db(waveform, sample_rate), loudness_db(heard, sample_rate)
    if not (np.isfinite(wanted) and np.isfinite(had)):
        return heard
    gain = min(10 ** ((wanted - had) / 20), 1 / np.abs(heard).max())
    return (heard * gain).astype(np.float32)
