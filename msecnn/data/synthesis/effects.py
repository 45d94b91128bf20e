"""What is done to a waveform (T,) at SAMPLE_RATE: level, filter, room, echo, distortion; equal `rng`, equal sound."""

from collections.abc import Callable

import numpy as np

from msecnn.data.synthesis.piece import SAMPLE_RATE

SILENCE_DB = -120.0
#: Of the loudest tenth-of-a-second frame: quieter frames are pauses, and don't count for `active_level_db`.
PAUSE_DB = -30.0
OVERSAMPLING = 4  # of the wave shaper: the harmonics that it makes lie below the new Nyquist frequency


def level_db(waveform: np.ndarray) -> float:
    """Root mean square, dB re full scale."""
    return max(SILENCE_DB, 10 * float(np.log10(np.mean(np.square(waveform, dtype=np.float64)) + 1e-12)))


def active_level_db(waveform: np.ndarray) -> float:
    """Level of a voice without its pauses, dB re full scale."""
    frame = SAMPLE_RATE // 10
    whole = waveform[: len(waveform) // frame * frame].reshape(-1, frame)
    if not len(whole):
        return level_db(waveform)
    power = np.mean(np.square(whole, dtype=np.float64), axis=1)
    return level_db(np.sqrt(power[power >= power.max() * 10 ** (PAUSE_DB / 10)]))


def gain(waveform: np.ndarray, by_db: float) -> np.ndarray:
    return waveform * 10 ** (by_db / 20)


def at_level(waveform: np.ndarray, db: float) -> np.ndarray:
    """Brought to a root mean square in dB re full scale; silence stays silence."""
    now_db = level_db(waveform)
    return gain(waveform, db - now_db) if now_db > SILENCE_DB else waveform


def filtered(waveform: np.ndarray, response: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Through a zero-phase filter: `response` maps frequencies in Hz to gains."""
    n = len(waveform)
    spectrum = np.fft.rfft(waveform, 2 * n) * response(np.fft.rfftfreq(2 * n, 1 / SAMPLE_RATE))
    return np.fft.irfft(spectrum)[:n]


def band(low_hz: float, high_hz: float, order: int = 4) -> Callable[[np.ndarray], np.ndarray]:
    """Butterworth's magnitude of a band pass; 0 as `low_hz` leaves the bass."""

    def response(frequencies: np.ndarray) -> np.ndarray:
        passes_low = 1 / np.sqrt(1 + (frequencies / high_hz) ** (2 * order))
        with np.errstate(divide="ignore"):
            return passes_low / np.sqrt(1 + (low_hz / frequencies) ** (2 * order)) if low_hz else passes_low

    return response


def resonance(centre_hz: float, by_db: float, octaves: float) -> Callable[[np.ndarray], np.ndarray]:
    """A bell on the logarithmic frequency axis."""

    def response(frequencies: np.ndarray) -> np.ndarray:
        distance = np.log2(np.maximum(frequencies, 1.0) / centre_hz) / octaves
        return 10 ** (by_db / 20 * np.exp(-(distance**2)))

    return response


def convolved(waveform: np.ndarray, impulse_response: np.ndarray) -> np.ndarray:
    """(T,), without what rings on beyond the end."""
    n = len(waveform) + len(impulse_response)
    return np.fft.irfft(np.fft.rfft(waveform, n) * np.fft.rfft(impulse_response, n), n)[: len(waveform)]


def in_room(waveform: np.ndarray, rng: np.random.Generator, *, decay_s: float, wet_db: float) -> np.ndarray:
    """With reverberation: noise that dies away by 60 dB in `decay_s`, duller than the sound, `wet_db` re the dry."""
    time_s = np.arange(round(1.2 * decay_s * SAMPLE_RATE)) / SAMPLE_RATE
    tail = filtered(rng.standard_normal(len(time_s)) * 10 ** (-3 * time_s / decay_s), band(150, 4500, 1))
    wet = convolved(waveform, tail)
    return waveform + at_level(wet, level_db(waveform) + wet_db) if level_db(waveform) > SILENCE_DB else waveform


def with_echoes(waveform: np.ndarray, *, delay_s: float, echo_db: float) -> np.ndarray:
    """With repeats, each `echo_db` re the one before, until they are 40 dB down."""
    echoed = waveform.copy()
    for repeat in range(1, 1 + int(-40 / min(echo_db, -3.0))):
        shift = round(repeat * delay_s * SAMPLE_RATE)
        if shift >= len(waveform):
            break
        echoed[shift:] += gain(waveform[: len(waveform) - shift], repeat * echo_db)
    return echoed


def distorted(waveform: np.ndarray, *, drive_db: float, asymmetry: float = 0.0) -> np.ndarray:
    """Through a wave shaper (tanh), oversampled: `drive_db` is the peak at its input, dB re where it bends."""
    n = len(waveform)
    driven = waveform * (10 ** (drive_db / 20) / max(float(np.abs(waveform).max(initial=0)), 1e-9))
    fine = np.fft.irfft(np.fft.rfft(driven), n * OVERSAMPLING) * OVERSAMPLING
    shaped = np.fft.rfft(np.tanh(fine + asymmetry) - np.tanh(asymmetry))[: n // 2 + 1]
    return np.fft.irfft(shaped, n) / OVERSAMPLING


def through_cabinet(waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As a guitar's loudspeaker: no deep bass, little above 4 to 5.5 kHz, a bump below, presence above."""
    bump = resonance(rng.uniform(90, 160), rng.uniform(2, 6), 0.7)
    presence = resonance(rng.uniform(1800, 3200), rng.uniform(2, 7), 0.8)
    speaker = band(rng.uniform(60, 100), rng.uniform(4000, 5500), 3)
    return filtered(waveform, lambda hz: speaker(hz) * bump(hz) * presence(hz))


def fitted(waveform: np.ndarray, n_samples: int) -> np.ndarray:
    """Repeated or cut to a length."""
    if not len(waveform):
        return np.zeros(n_samples)
    return np.tile(waveform, -(-n_samples // len(waveform)))[:n_samples]


def placed(sounds: list[tuple[float, np.ndarray]], n_samples: int) -> np.ndarray:
    """(T,) the sum of sounds that begin at given seconds; what lies beyond the end is cut."""
    total = np.zeros(n_samples)
    for start_s, sound in sounds:
        start = round(start_s * SAMPLE_RATE)
        part = sound[: max(0, n_samples - start)]
        total[start : start + len(part)] += part
    return total
