"""Sound made from a map over the spectrogram: what stays is unchanged, what goes is gone, nothing moves or clicks."""

import numpy as np
import pytest

from msecnn.explain import ExplanationError
from msecnn.explain.sonification import loudness_db, render
from msecnn.frontend import MelConfig

CONFIG = MelConfig(n_frames=200)
RATE = CONFIG.sample_rate
ONES = np.ones((96, 200), dtype=np.float32)


def tone(hz: float, n: int = CONFIG.window_samples) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(n) / RATE)).astype(np.float32)


def noise(n: int) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.2, n).astype(np.float32)


def db(a: np.ndarray, b: np.ndarray) -> float:
    return 20 * np.log10(np.sqrt((a.astype(float) ** 2).mean()) / np.sqrt((b.astype(float) ** 2).mean()))


@pytest.mark.parametrize("n", [CONFIG.window_samples, CONFIG.window_samples - 1, 20_001, 257, 256, 255, 3])
def test_a_map_of_ones_returns_the_sound_to_its_edges(n: int) -> None:
    waveform = noise(n)
    heard = render(waveform, ONES, CONFIG)
    assert heard.shape == waveform.shape
    assert heard.dtype == np.float32
    assert np.abs(heard - waveform).max() < 1e-3 * np.abs(waveform).max()  # -60 dB at every single sample


def test_a_map_and_its_complement_add_up_to_the_sound() -> None:
    mask = (np.random.default_rng(1).random((96, 200)) < 0.3).astype(np.float32)
    waveform = noise(CONFIG.window_samples)
    both = render(waveform, mask, CONFIG, fill="silence") + render(waveform, 1 - mask, CONFIG, fill="silence")
    np.testing.assert_allclose(both, waveform, atol=1e-5)
    assert not render(waveform, 0 * ONES, CONFIG, fill="silence").any()


def test_a_band_passes_its_tone_and_no_other() -> None:
    centres = CONFIG.band_edges_hz()[:, 1]
    mask = np.repeat(((centres > 700) & (centres < 1300))[:, None], 200, axis=1).astype(np.float32)
    inside, outside = tone(1000), tone(3000)
    heard = render(inside + outside, mask, CONFIG, fill="silence")
    middle = slice(1000, -1000)
    assert np.abs(heard - inside)[middle].max() < 1e-3  # same phase, same place
    assert db(render(outside, mask, CONFIG, fill="silence")[middle], outside[middle]) < -60


def test_a_stretch_of_time_stays_in_its_place_and_fades_without_a_click() -> None:
    mask = np.zeros_like(ONES)
    mask[:, 80:120] = 1
    waveform = tone(400)
    heard = render(waveform, mask, CONFIG, fill="silence")
    hop = CONFIG.hop_length
    np.testing.assert_allclose(heard[82 * hop : 117 * hop], waveform[82 * hop : 117 * hop], atol=1e-4)
    assert not heard[: 78 * hop].any()
    assert not heard[122 * hop :].any()
    assert np.abs(np.diff(heard)).max() < 1.05 * np.abs(np.diff(waveform)).max()  # a click is a leap


def test_equal_loudness_raises_what_is_left_and_never_clips() -> None:
    mask = np.zeros_like(ONES)
    mask[20:40] = 1
    waveform = noise(CONFIG.window_samples) / 4
    quiet, loud = (
        render(waveform, mask, CONFIG, fill="silence"),
        render(waveform, mask, CONFIG, fill="silence", equal_loudness=True),
    )
    assert loudness_db(quiet, RATE) < loudness_db(waveform, RATE) - 3
    assert loudness_db(loud, RATE) == pytest.approx(loudness_db(waveform, RATE), abs=0.1)
    gain = np.abs(loud).max() / np.abs(quiet).max()
    np.testing.assert_allclose(loud, gain * quiet, atol=1e-6)  # one gain: no compressor
    peaky = np.zeros(CONFIG.window_samples, dtype=np.float32)
    peaky[::3000] = 1
    assert np.abs(render(peaky, mask, CONFIG, fill="silence", equal_loudness=True)).max() <= 1
    assert not render(0 * waveform, mask, CONFIG, fill="silence", equal_loudness=True).any()


def test_loudness_leaves_silence_out() -> None:
    burst = tone(1000)
    alone = burst.copy()
    alone[RATE:] = 0
    assert loudness_db(burst, RATE) == pytest.approx(20 * np.log10(0.5 / np.sqrt(2)), abs=0.05)
    assert loudness_db(alone, RATE) == pytest.approx(loudness_db(burst, RATE), abs=1.5)
    assert loudness_db(np.zeros(10, dtype=np.float32), RATE) == -np.inf


def test_a_map_of_zeros_brings_every_band_to_its_mean_level() -> None:
    """A tone of two levels, each half of the time, comes out at their geometric mean throughout."""
    half = CONFIG.window_samples // 2
    waveform = tone(1000)
    waveform[half:] /= 10
    heard = render(waveform, 0 * ONES, CONFIG, fill="mean")
    for stretch in (slice(2000, half - 2000), slice(half + 2000, -2000)):
        level_db = 20 * np.log10(np.sqrt((heard[stretch].astype(float) ** 2).mean()) / (0.5 / np.sqrt(2)))
        assert level_db == pytest.approx(-10, abs=0.3)


def test_the_mean_fill_keeps_what_does_not_change() -> None:
    """A steady tone is its own mean; what the map keeps is the recording whatever the rest becomes."""
    steady, middle = tone(1000), slice(2000, -2000)
    np.testing.assert_allclose(render(steady, 0 * ONES, CONFIG, fill="mean")[middle], steady[middle], atol=0.01)
    waveform = noise(CONFIG.window_samples)
    whole = render(waveform, ONES, CONFIG, fill="mean")
    assert np.abs(whole - waveform).max() < 1e-3 * np.abs(waveform).max()
    np.testing.assert_allclose(whole, render(waveform, ONES, CONFIG, fill="silence"), atol=1e-6)
    with pytest.raises(ExplanationError, match="Fill can be mean, silence"):
        render(waveform, ONES, CONFIG, fill="pink")


def test_a_map_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ExplanationError, match="does not cover"):
        render(noise(CONFIG.window_samples + 300), ONES, CONFIG)
    with pytest.raises(ExplanationError, match="does not cover"):
        render(noise(100), ONES[:95], CONFIG)
