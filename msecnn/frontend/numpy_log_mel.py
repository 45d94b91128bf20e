"""The front end by NumPy alone: what `LogMelSpectrogram` computes, where torch is not there or would load for long.

Axis letters: B windows, T samples, F mel bands, L frames, N frequency bins.
"""

import functools

import numpy as np

from msecnn.frontend.mel_config import MelConfig

#: Frames that are transformed together; they stay in the cache.
_FRAMES = 128


def log_mel(waveform: np.ndarray, config: MelConfig) -> np.ndarray:
    """Log-mel spectrogram in dB re 1.0; like torch's, the transform is in float64.

    Shape:
        - waveform: (B, T) float32 at `config.sample_rate`
        - output: (B, 1, F, L) float32 with L = T // hop_length + 1
    """
    window, bank = hann_window(config.n_fft), filterbank(config)
    half = config.n_fft // 2
    padded = np.pad(waveform, ((0, 0), (half, half)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, config.n_fft, axis=1)[:, :: config.hop_length]
    mel = np.empty((len(waveform), frames.shape[1], config.n_mels), dtype=np.float32)  # (B, L, F)
    for i, of_window in enumerate(frames):
        for start in range(0, len(of_window), _FRAMES):
            spectrum = np.fft.rfft(of_window[start : start + _FRAMES] * window)  # (frames, N)
            power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
            np.matmul(power, bank, out=mel[i, start : start + _FRAMES])
    if config.doubled_db:
        mel *= mel
    decibels = 10 * np.log10(np.maximum(mel, np.float32(config.amin)))
    if config.top_db is not None:
        decibels = np.maximum(decibels, decibels.max((1, 2), keepdims=True) - np.float32(config.top_db))
    return np.ascontiguousarray(decibels.transpose(0, 2, 1), dtype=np.float32)[:, None]


@functools.lru_cache(maxsize=8)
def filterbank(config: MelConfig) -> np.ndarray:
    """(N, F) triangles of equal area on Slaney's scale."""
    bins = np.linspace(0, config.sample_rate // 2, config.n_fft // 2 + 1)[:, None]  # Hz
    low, centre, high = config.band_edges_hz().T
    triangles = np.maximum(0, np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre)))
    bank: np.ndarray = (triangles * 2 / (high - low)).astype(np.float32)
    return bank


@functools.lru_cache(maxsize=8)
def hann_window(n_fft: int) -> np.ndarray:
    """(n_fft,) Hann, periodic, as transforms take it."""
    window: np.ndarray = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    return window
