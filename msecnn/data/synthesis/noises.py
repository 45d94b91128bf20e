"""Noise of every colour, tones, crackle, applause, hum and near silence, computed; (T,) of a piece's length each."""

from collections.abc import Callable

import numpy as np

from msecnn.data.synthesis import effects
from msecnn.data.synthesis.piece import DURATION_S, N_SAMPLES, SAMPLE_RATE

Noise = Callable[[np.random.Generator], np.ndarray]
TIME_S = np.arange(N_SAMPLES) / SAMPLE_RATE


def coloured(rng: np.random.Generator) -> np.ndarray:
    """Its spectrum falls or rises by -9 to +6 dB an octave: brown, pink, white, blue, violet and between."""
    by_octave_db = rng.uniform(-9, 6)
    white = rng.standard_normal(N_SAMPLES)
    audible = effects.band(30, SAMPLE_RATE / 2, 2)
    return effects.filtered(white, lambda hz: audible(hz) * (np.maximum(hz, 20) / 1000) ** (by_octave_db / 6.02))


def banded(rng: np.random.Generator) -> np.ndarray:
    """White noise through a band, as wind, surf or a fan: swelling slowly."""
    low_hz = 10 ** rng.uniform(1.5, 3.4)
    noise = effects.filtered(rng.standard_normal(N_SAMPLES), effects.band(low_hz, low_hz * rng.uniform(1.3, 6), 2))
    return noise * (1 + rng.uniform(0, 0.9) * np.sin(2 * np.pi * TIME_S / rng.uniform(2, 12)))


def steady_tone(rng: np.random.Generator) -> np.ndarray:
    """One to three sines, or a wave of another shape."""
    hz = 10 ** rng.uniform(1.7, 3.7)
    phase = 2 * np.pi * hz * TIME_S
    if rng.random() < 0.5:
        return sum((np.sin(phase * ratio) for ratio in rng.uniform(0.5, 2, rng.integers(1, 4))), np.zeros(N_SAMPLES))
    # harmonics below the Nyquist frequency only, falling as those of a square or a sawtooth
    step = int(rng.integers(1, 3))
    orders = np.arange(1, max(2, int(0.45 * SAMPLE_RATE / hz)), step)[:40]
    return sum((np.sin(phase * order) / order for order in orders), np.zeros(N_SAMPLES))


def sweep(rng: np.random.Generator) -> np.ndarray:
    """A tone that glides up or down, again and again."""
    low, high, period_s = rng.uniform(50, 400), rng.uniform(800, 6000), rng.uniform(1, 12)
    where = (TIME_S % period_s) / period_s
    hz = low * (high / low) ** (where if rng.random() < 0.5 else 1 - where)
    return np.sin(2 * np.pi * np.cumsum(hz) / SAMPLE_RATE)


def beeps(rng: np.random.Generator) -> np.ndarray:
    """Two tones on and off, as telephones and alarms."""
    on_s, off_s = rng.uniform(0.05, 1), rng.uniform(0.05, 2)
    tones = sum(np.sin(2 * np.pi * hz * TIME_S) for hz in rng.uniform(300, 2500, 2))
    return tones * (TIME_S % (on_s + off_s) < on_s)


def crackle(rng: np.random.Generator) -> np.ndarray:
    """Clicks at random, over a little hiss: a worn record, or a fire."""
    clicks = np.zeros(N_SAMPLES)
    n = int(DURATION_S * 10 ** rng.uniform(0.3, 2.3))
    clicks[rng.integers(0, N_SAMPLES, n)] = rng.standard_cauchy(n).clip(-8, 8)
    sound = effects.filtered(clicks, effects.band(200, rng.uniform(1500, 7000), 1))
    return sound + effects.at_level(rng.standard_normal(N_SAMPLES), effects.level_db(sound) - rng.uniform(6, 25))


def applause(rng: np.random.Generator) -> np.ndarray:
    """Many hands, each a short burst of noise with its own colour and pace."""
    sounds = []
    for _ in range(int(rng.integers(8, 50))):
        burst = rng.standard_normal(400) * np.exp(-np.arange(400) / rng.uniform(30, 90))
        clap = effects.filtered(burst, effects.resonance(rng.uniform(700, 2500), 12, 0.6)) * rng.uniform(0.1, 1)
        times_s = np.cumsum(rng.normal(rng.uniform(0.18, 0.32), 0.02, int(DURATION_S / 0.17)).clip(0.1))
        sounds += [(float(time_s), clap) for time_s in times_s if time_s < DURATION_S]
    claps = effects.in_room(effects.placed(sounds, N_SAMPLES), rng, decay_s=rng.uniform(0.5, 2), wet_db=-6)
    end_s = rng.uniform(6, 2 * DURATION_S)
    return claps * (np.minimum(1, TIME_S / 1.5) * np.clip((end_s - TIME_S) / 5, 0.02, 1))


def mains_hum(rng: np.random.Generator) -> np.ndarray:
    """50 or 60 Hz with harmonics."""
    hz = float(rng.choice([50, 60]))
    return sum((rng.random() / order * np.sin(2 * np.pi * hz * order * TIME_S) for order in range(1, 9)), 0 * TIME_S)


def impulses(rng: np.random.Generator) -> np.ndarray:
    """A clock, a metronome, drops: one short sound, regularly or not."""
    length = int(rng.integers(40, 2500))
    body = np.sin(2 * np.pi * rng.uniform(200, 3500) * np.arange(length) / SAMPLE_RATE) + 0.3 * rng.standard_normal(
        length
    )
    sound = body * np.exp(-np.arange(length) / (length / 5))
    gaps_s = np.full(200, rng.uniform(0.3, 1.5)) * (1 + rng.uniform(0, 0.8) * rng.standard_normal(200)).clip(0.2)
    return effects.placed([(float(time_s), sound) for time_s in np.cumsum(gaps_s) if time_s < DURATION_S], N_SAMPLES)


def near_silence(rng: np.random.Generator) -> np.ndarray:
    """A recorder's own noise."""
    return effects.at_level(coloured(rng), rng.uniform(-85, -60))


NOISES: tuple[Noise, ...] = (
    coloured, banded, steady_tone, sweep, beeps, crackle, applause, mains_hum, impulses, near_silence,
)  # fmt: skip
