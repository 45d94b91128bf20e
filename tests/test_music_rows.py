"""The rows are librosa's own output, on the mel's time axis; made-up sounds lie where theory says."""

import librosa
import numpy as np
import pytest

from msecnn.frontend import MelConfig
from msecnn.music_rows import LOWEST_HZ, N_FFT, ROWS, TEMPO_FRAMES, MusicRow, RowError, music_row, semitone_hz

CONFIG = MelConfig(n_frames=480)  # ten seconds
RATE, HOP = CONFIG.sample_rate, CONFIG.hop_length


@pytest.fixture(scope="module")
def waveform() -> np.ndarray:
    """A440 for a window, with a click twice a second."""
    time = np.arange(CONFIG.window_samples) / RATE
    tone = 0.3 * np.sin(2 * np.pi * 440 * time)
    clicks = np.zeros(len(time))
    clicks[:: RATE // 2] = 1.0
    return (tone + np.convolve(clicks, np.hanning(64), "same")).astype(np.float32)


@pytest.fixture(scope="module")
def rows(waveform: np.ndarray) -> dict[str, MusicRow]:
    return {name: music_row(name, waveform, CONFIG) for name in ROWS}


def test_every_row_has_the_frames_of_the_mel(rows: dict[str, MusicRow]) -> None:
    for name, row in rows.items():
        assert row.name == name
        assert row.values.shape == (len(row.centres), CONFIG.n_frames)
        assert row.values.max() <= row.high + 1e-5  # dB, whose logarithm of 1 rounds differently by processor


def test_they_equal_librosa(rows: dict[str, MusicRow], waveform: np.ndarray) -> None:
    cqt = np.abs(librosa.cqt(waveform, sr=RATE, hop_length=HOP, fmin=LOWEST_HZ, n_bins=84))
    np.testing.assert_array_equal(rows["constant_q"].values, librosa.amplitude_to_db(cqt, ref=np.max))
    np.testing.assert_array_equal(
        rows["chroma"].values, librosa.feature.chroma_cqt(y=waveform, sr=RATE, hop_length=HOP)
    )
    onsets = librosa.onset.onset_strength(y=waveform, sr=RATE, hop_length=HOP)
    tempogram = librosa.feature.tempogram(onset_envelope=onsets, sr=RATE, hop_length=HOP, win_length=TEMPO_FRAMES)
    tempi = librosa.tempo_frequencies(TEMPO_FRAMES, sr=RATE, hop_length=HOP)
    shown = np.flatnonzero((tempi >= 30) & (tempi <= 300))[::-1]
    np.testing.assert_array_equal(rows["tempogram"].values, tempogram[shown])
    _, beats = librosa.beat.beat_track(onset_envelope=onsets, sr=RATE, hop_length=HOP, units="time")
    np.testing.assert_array_equal(rows["tempogram"].beats_s, beats)


def test_both_parts_equal_librosa_in_the_networks_bands(rows: dict[str, MusicRow], waveform: np.ndarray) -> None:
    parts = librosa.decompose.hpss(np.abs(librosa.stft(waveform, n_fft=N_FFT, hop_length=HOP)))
    power = [librosa.feature.melspectrogram(S=part**2, sr=RATE, n_mels=96, fmin=0, fmax=6000) for part in parts]
    loudest = float(max(part.max() for part in power))
    for name, part in zip(("harmonic", "percussive"), power, strict=True):
        np.testing.assert_array_equal(rows[name].values, librosa.power_to_db(part, ref=loudest, top_db=None))


def test_what_is_made_up_lies_where_theory_says(rows: dict[str, MusicRow]) -> None:
    constant_q, chroma, tempogram = rows["constant_q"], rows["chroma"], rows["tempogram"]
    assert constant_q.centres[constant_q.values.mean(1).argmax()] == pytest.approx(440, rel=0.01)
    assert chroma.values.mean(1).argmax() == 9  # A
    assert tempogram.tempo == pytest.approx(120, rel=0.03)
    assert np.diff(tempogram.beats_s).mean() == pytest.approx(0.5, abs=0.01)


def test_the_networks_bands_and_a_semitone() -> None:
    centres, limit = CONFIG.band_edges_hz()[:, 1], semitone_hz(CONFIG)
    ratios = centres[1:] / centres[:-1]
    assert (ratios[centres[1:] > limit] <= 2 ** (1 / 12)).all()
    assert limit == pytest.approx(480, abs=5)


def test_silence_has_rows_too() -> None:
    for name in ROWS:
        values = music_row(name, np.zeros(CONFIG.window_samples, np.float32), CONFIG).values
        assert np.isfinite(values).all(), name


def test_a_row_that_is_none() -> None:
    with pytest.raises(RowError, match="There is no row called 'loudness'"):
        music_row("loudness", np.zeros(10, np.float32), CONFIG)
