"""The front end agrees with librosa, and knows where each of its cells lies."""

import librosa
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from msecnn.frontend import LogMelSpectrogram, MelConfig, fill_window
from msecnn.models.published.waveform import PowerMel

CONFIG = MelConfig()
SECONDS = np.arange(CONFIG.window_samples) / CONFIG.sample_rate


def music() -> np.ndarray:
    """Chords with harmonics that decay, over a beat of noise: dense, dynamic, and with quiet gaps."""
    waveform = np.zeros_like(SECONDS)
    rng = np.random.default_rng(0)
    for onset in np.arange(0, 29, 0.5):
        after = np.maximum(SECONDS - onset, 0)
        envelope = (onset <= SECONDS) * np.exp(-6 * after)
        for note in rng.choice([110, 131, 165, 196, 220, 262, 330, 440], 3):
            waveform += envelope * sum(np.sin(2 * np.pi * note * h * after) / h for h in range(1, 12)) / 12
        waveform += envelope**4 * rng.standard_normal(len(waveform)) / 8
    return waveform


WAVEFORMS = {
    "music": music(),
    "noise": np.random.default_rng(1).standard_normal(len(SECONDS)) / 10,
    "silence": np.zeros_like(SECONDS),
    "quiet": np.random.default_rng(2).standard_normal(len(SECONDS)) * 1e-5,
    **{f"tone at {hz} Hz": np.sin(2 * np.pi * hz * SECONDS) for hz in (100, 440, 1000, 5000)},
    "click": np.eye(1, len(SECONDS), 6000)[0],
}


def by_librosa(waveform: np.ndarray, **parameters: float | None) -> np.ndarray:
    mel = librosa.feature.melspectrogram(y=waveform, sr=12_000, n_fft=512, hop_length=256, n_mels=96)
    return librosa.power_to_db(mel, **{"top_db": None, **parameters})


@pytest.mark.parametrize("kind", WAVEFORMS)
def test_agrees_with_librosa(kind: str) -> None:
    waveform = WAVEFORMS[kind].astype(np.float32)
    mel = LogMelSpectrogram(CONFIG)(torch.from_numpy(waveform)[None])
    assert mel.shape == (1, 1, 96, 1366)
    assert mel.dtype == torch.float32
    np.testing.assert_allclose(mel[0, 0], by_librosa(waveform), atol=2e-4, rtol=0)


def test_doubled_db_is_the_authors_slip() -> None:
    waveform = WAVEFORMS["music"].astype(np.float32)
    mel = librosa.feature.melspectrogram(y=waveform, sr=12_000, n_fft=512, hop_length=256, n_mels=96)
    expected = librosa.power_to_db(mel**2, top_db=80)
    doubled = LogMelSpectrogram(MelConfig(doubled_db=True, top_db=80))(torch.from_numpy(waveform)[None])
    np.testing.assert_allclose(doubled[0, 0], expected, atol=2e-3, rtol=0)


def test_a_batch_is_its_clips() -> None:
    batch = torch.from_numpy(np.stack([WAVEFORMS["music"], WAVEFORMS["noise"]]).astype(np.float32))
    frontend = LogMelSpectrogram(CONFIG)
    for i in range(2):
        torch.testing.assert_close(frontend(batch)[i], frontend(batch[i : i + 1])[0])


def test_filterbank_agrees_with_librosa() -> None:
    expected = librosa.filters.mel(sr=12_000, n_fft=512, n_mels=96)
    np.testing.assert_allclose(LogMelSpectrogram(CONFIG).filterbank.T, expected, rtol=1e-6)


@pytest.mark.parametrize("scale", ["slaney", "htk"])
@pytest.mark.parametrize("norm", ["slaney", None])
def test_teachers_filterbanks_agree_with_librosa(scale: str, norm: str | None) -> None:
    bank = PowerMel(mel_scale=scale, norm=norm, pad_mode="constant").filterbank.T
    expected = librosa.filters.mel(sr=16_000, n_fft=512, n_mels=96, htk=scale == "htk", norm=norm)
    np.testing.assert_allclose(bank, expected, atol=2e-5 * expected.max())  # torchaudio finds corners in float32


def test_a_window_is_29_seconds() -> None:
    assert CONFIG.window_samples == 349_440
    assert CONFIG.window_s == 29.12
    assert LogMelSpectrogram(CONFIG)(torch.zeros(1, CONFIG.window_samples)).shape[-1] == CONFIG.n_frames


def test_a_frame_is_found_where_the_click_was() -> None:
    mel = LogMelSpectrogram(CONFIG)(torch.from_numpy(WAVEFORMS["click"].astype(np.float32))[None])[0, 0]
    loud = (mel.amax(0) > -99).nonzero().flatten().tolist()
    for frame in range(CONFIG.n_frames):
        start, end = CONFIG.frame_span_s(frame)
        assert (frame in loud) == (start < 0.5 < end)
    assert CONFIG.frame_to_s(loud[0]) == pytest.approx(0.5, abs=512 / 12_000)


@pytest.mark.parametrize("hz", [100, 440, 1000, 5000])
def test_a_band_is_found_where_the_tone_was(hz: int) -> None:
    mel = LogMelSpectrogram(CONFIG)(torch.from_numpy(WAVEFORMS[f"tone at {hz} Hz"].astype(np.float32))[None])[0, 0]
    lower, _, upper = CONFIG.band_edges_hz()[int(mel[:, 600].argmax())]
    assert lower <= hz <= upper


def test_bands_follow_each_other() -> None:
    edges = CONFIG.band_edges_hz()
    assert edges.shape == (96, 3)
    assert edges[0, 0] == 0
    assert edges[-1, 2] == pytest.approx(6000)
    np.testing.assert_allclose(edges[1:, 0], edges[:-1, 1])
    np.testing.assert_allclose(edges[1:, 1], edges[:-1, 2])


def test_short_sound_fills_a_window_by_repetition() -> None:
    np.testing.assert_array_equal(fill_window(np.array([1.0, 2.0, 3.0]), 7), [1, 2, 3, 1, 2, 3, 1])
    long = np.arange(9.0)
    assert fill_window(long, 7) is long


def test_config_travels_as_json() -> None:
    config = MelConfig(doubled_db=True, top_db=80.0)
    assert MelConfig.from_json(config.to_json()) == config
    with pytest.raises(TypeError):
        MelConfig.from_json({"colour": "red"})


# ---- what holds for every sound

FRONTEND = LogMelSpectrogram(CONFIG)
FLOOR = -100.0
HOP = CONFIG.hop_length
#: Up to a quarter of a second, now and then at the edges of what a float can hold of a sound.
SOUNDS = st.integers(1, 3_000).flatmap(lambda n: npst.arrays(np.float32, n, elements=st.floats(-8, 8, width=32)))


def mel_of(waveform: np.ndarray, frontend: LogMelSpectrogram = FRONTEND) -> np.ndarray:
    return frontend(torch.from_numpy(waveform)[None])[0, 0].numpy()


@settings(max_examples=40, deadline=None)
@given(SOUNDS)
def test_every_sound_has_finite_decibels_between_the_floor_and_its_peak(waveform: np.ndarray) -> None:
    mel = mel_of(waveform)
    assert mel.shape == (96, len(waveform) // HOP + 1)
    loudest = (np.abs(waveform).max() * FRONTEND.window.sum().item()) ** 2 * FRONTEND.filterbank.sum(1).max().item()
    assert mel.min() >= FLOOR  # NaN would fail here
    assert mel.max() <= max(FLOOR, 10 * np.log10(max(loudest, 1e-30))) + 1e-3
    np.testing.assert_array_equal(mel_of(-waveform), mel)


@settings(max_examples=40, deadline=None)
@given(SOUNDS, st.integers(-12, 12), st.booleans())
def test_gain_adds_decibels(waveform: np.ndarray, doublings: int, doubled_db: bool) -> None:
    """A factor of two is exact in floating point; what lies under the floor comes up from it, or stays."""
    frontend = LogMelSpectrogram(MelConfig(doubled_db=doubled_db))
    gain = (40 if doubled_db else 20) * np.log10(2.0) * doublings
    mel, louder = mel_of(waveform, frontend), mel_of(waveform * np.float32(2.0**doublings), frontend)
    heard = mel > FLOOR
    np.testing.assert_allclose(louder[heard], np.maximum(mel[heard] + gain, FLOOR), atol=1e-3, rtol=0)
    assert (louder[~heard] <= FLOOR + max(gain, 0) + 1e-3).all()


@settings(max_examples=40, deadline=None)
@given(SOUNDS, st.integers(0, 6))
def test_a_delay_by_hops_moves_the_frames(waveform: np.ndarray, n_hops: int) -> None:
    mel = mel_of(waveform)
    later = mel_of(np.concatenate([np.zeros(n_hops * HOP, np.float32), waveform]))
    np.testing.assert_allclose(later[:, n_hops:], mel, atol=1e-4, rtol=0)
    assert (later[:, : max(0, n_hops - 1)] == FLOOR).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 5), st.integers(1, 3_000), st.integers(0, 2**32 - 1))
def test_any_batch_is_its_clips(n_clips: int, n_samples: int, seed: int) -> None:
    batch = torch.from_numpy(np.random.default_rng(seed).standard_normal((n_clips, n_samples), dtype=np.float32))
    mels = FRONTEND(batch)
    assert mels.shape == (n_clips, 1, 96, n_samples // HOP + 1)
    for mel, waveform in zip(mels, batch, strict=True):
        torch.testing.assert_close(FRONTEND(waveform[None])[0], mel, atol=1e-4, rtol=0)


@settings(max_examples=20, deadline=None)
@given(SOUNDS, st.floats(-160, -101))
def test_what_is_quieter_than_the_floor_is_silence(waveform: np.ndarray, peak_db: float) -> None:
    peak = 10 ** (peak_db / 20) / FRONTEND.window.sum().item()  # no bin's power can exceed peak_db
    quiet = (waveform / 8 * peak).astype(np.float32)
    assert FRONTEND.filterbank.sum(1).max() < 1.1
    assert (mel_of(quiet) == FLOOR).all()


@settings(max_examples=20, deadline=None)
@given(SOUNDS, st.floats(1, 120))
def test_top_db_cuts_what_lies_deeper_and_changes_nothing_else(waveform: np.ndarray, top_db: float) -> None:
    open_range, cut = mel_of(waveform), mel_of(waveform, LogMelSpectrogram(MelConfig(top_db=top_db)))
    np.testing.assert_allclose(cut, np.maximum(open_range, open_range.max() - top_db), atol=1e-4)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 20 * HOP - 1))
def test_a_click_is_heard_by_the_frames_whose_span_holds_it(sample: int) -> None:
    waveform = np.zeros(20 * HOP, np.float32)
    waveform[sample] = 1_000  # loud enough for the last sample under the window
    loud = mel_of(waveform).max(0) > FLOOR
    for frame in range(20):
        start_s, end_s = CONFIG.frame_span_s(frame)
        assert loud[frame] == (start_s < sample / CONFIG.sample_rate < end_s or (sample == 0 and frame == 0))


@settings(max_examples=40, deadline=None)
@given(st.floats(100, 5_900))
def test_a_tone_is_loudest_in_a_band_that_holds_it(hz: float) -> None:
    mel = mel_of(np.sin(2 * np.pi * hz * SECONDS[: 8 * HOP]).astype(np.float32))
    lower, _, upper = CONFIG.band_edges_hz()[int(mel[:, 4].argmax())]
    assert lower <= hz <= upper
