"""Views of a recording that musicology knows, beside the mel that the networks see: all by librosa.

Constant-Q (Brown 1991), chroma, tempogram (Grosche, Müller and Kurth 2010) with beats (Ellis 2007), and what is
harmonic and what percussive (Fitzgerald 2010).

Axis letters: T samples, N rows of a view, L frames.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from msecnn.errors import MsecnnError
from msecnn.frontend import MelConfig

#: Semitones of the constant-Q transform, from C1 (32.7 Hz), as far as the sample rate reaches.
LOWEST_HZ, N_SEMITONES = 32.703, 84
#: Decibels below a view's loudest cell that are told apart.
RANGE_DB = 80.0
#: Frames that the tempogram compares: 8.2 s; and the tempi that are shown, beats per minute.
TEMPO_FRAMES, TEMPI = 384, (30.0, 300.0)
#: Of the transform that is taken apart into harmonic and percussive: 85 ms, as librosa's own is 93 ms at its own rate.
N_FFT = 1024
PITCH_CLASSES = ("C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B")

#: What the rows of a view stand for.
Axis = Literal["hz", "pitch class", "tempo"]


class RowError(MsecnnError):
    """There is no such view."""


@dataclass(frozen=True)
class MusicRow:
    """One view of a window.

    Attributes:
        name: of `ROWS`.
        values: (N, L), the lowest row first; frame `l` is centred where the mel's frame `l` is.
        low, high: values that take the ends of the colour scale.
        axis: what rows stand for.
        centres: (N,) of the rows: Hz, beats a minute, or the number of the pitch class.
        beats_s: seconds within the window; of the tempogram only.
        tempo: beats a minute; of the tempogram only.
    """

    name: str
    values: np.ndarray
    low: float
    high: float
    axis: Axis
    centres: np.ndarray
    beats_s: tuple[float, ...] = ()
    tempo: float | None = None


def music_row(name: str, waveform: np.ndarray, mel_config: MelConfig) -> MusicRow:
    """A view of one window.

    Args:
        name: one of `ROWS`.
        waveform: (T,) at the front end's rate, as long as a window.

    Raises:
        RowError: there is no such view.
    """
    if name not in ROWS:
        raise RowError(f"There is no row called {name[:60]!r}; there are {', '.join(ROWS)}.")
    return ROWS[name](waveform, mel_config)


def semitone_hz(mel_config: MelConfig) -> float:
    """The frequency below which neighbouring mel bands lie further apart than a semitone, Hz."""
    centres = mel_config.band_edges_hz()[:, 1]
    wide = centres[1:] > 2 ** (1 / 12) * centres[:-1]
    return float(centres[1:][wide][-1]) if wide.any() else 0.0


def _constant_q(waveform: np.ndarray, config: MelConfig) -> MusicRow:
    from librosa import amplitude_to_db, cqt

    n_bins = min(N_SEMITONES, int(12 * np.log2(0.95 * config.sample_rate / 2 / LOWEST_HZ)))
    amplitude = np.abs(
        cqt(waveform, sr=config.sample_rate, hop_length=config.hop_length, fmin=LOWEST_HZ, n_bins=n_bins)
    )
    decibels = amplitude_to_db(amplitude, ref=np.max, top_db=RANGE_DB)
    return MusicRow("constant_q", decibels, -RANGE_DB, 0.0, "hz", LOWEST_HZ * 2 ** (np.arange(n_bins) / 12))


def _chroma(waveform: np.ndarray, config: MelConfig) -> MusicRow:
    from librosa.feature import chroma_cqt

    values = chroma_cqt(y=waveform, sr=config.sample_rate, hop_length=config.hop_length)
    return MusicRow("chroma", values, 0.0, 1.0, "pitch class", np.arange(12.0))


def _tempogram(waveform: np.ndarray, config: MelConfig) -> MusicRow:
    """Rows are lags, the longest first, so that the tempo grows upwards."""
    from librosa import frames_to_time, tempo_frequencies
    from librosa.beat import beat_track
    from librosa.feature import tempogram
    from librosa.onset import onset_strength

    timing: dict[str, Any] = {"sr": config.sample_rate, "hop_length": config.hop_length}
    onsets = onset_strength(y=waveform, **timing)
    values = tempogram(onset_envelope=onsets, win_length=TEMPO_FRAMES, **timing)
    tempi = tempo_frequencies(len(values), **timing)
    shown = (tempi >= TEMPI[0]) & (tempi <= TEMPI[1])
    tempo, beats = beat_track(onset_envelope=onsets, **timing)
    seconds = tuple(float(second) for second in frames_to_time(beats, **timing))
    rows, centres = values[shown][::-1], tempi[shown][::-1]
    return MusicRow("tempogram", rows, 0.0, 1.0, "tempo", centres, seconds, float(np.atleast_1d(tempo)[0]))


def _part(which: int) -> Callable[[np.ndarray, MelConfig], MusicRow]:
    """Harmonic (0) or percussive (1): the mel of what the median filters leave, in the networks' own bands."""

    def row(waveform: np.ndarray, config: MelConfig) -> MusicRow:
        from librosa import power_to_db, stft
        from librosa.decompose import hpss
        from librosa.feature import melspectrogram

        parts = hpss(np.abs(stft(waveform, n_fft=N_FFT, hop_length=config.hop_length)))
        bands: dict[str, Any] = {"n_mels": config.n_mels, "fmin": config.f_min, "fmax": config.f_max}
        power = [melspectrogram(S=part**2, sr=config.sample_rate, **bands) for part in parts]
        loudest = max(float(part.max()) for part in power)  # of both, so that they can be compared
        decibels = power_to_db(power[which], ref=max(loudest, 1e-10), top_db=None)
        centres = config.band_edges_hz()[:, 1]
        return MusicRow(("harmonic", "percussive")[which], decibels, -RANGE_DB, 0.0, "hz", centres)

    return row


#: In the order in which they are offered.
ROWS: Mapping[str, Callable[[np.ndarray, MelConfig], MusicRow]] = MappingProxyType(
    {
        "constant_q": _constant_q,
        "chroma": _chroma,
        "tempogram": _tempogram,
        "harmonic": _part(0),
        "percussive": _part(1),
    }
)
