"""Ten sounds in noise that a person tells apart at once, and how well a network learns them from nothing.

A file of tests for each network, so that two processes share the time.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from msecnn.evaluation.metrics import ranking_areas
from msecnn.frontend import LogMelSpectrogram, MelConfig
from msecnn.models import registry
from msecnn.models.structure import POOLS
from msecnn.training.augmentation import Augmentation
from msecnn.training.data import TrainingData
from msecnn.training.settings import TrainConfig
from msecnn.training.trainer import train

SAMPLE_RATE = 12_000
#: A quarter of the networks' window and half of its bands, which the last pooling then takes no maximum of: one step
#: costs an eighth.
MEL = MelConfig(n_mels=48, n_frames=1366 // 4)
SMALL_POOLS = (*POOLS[:-1], (POOLS[-1][0] // 2, 1))
N_SAMPLES = MEL.window_samples // 2  # a sound of 3.6 s, twice over, fills it
SIZE = {"n_mels": MEL.n_mels, "n_frames": MEL.n_frames}
N_TRAIN, N_HELD_OUT = 128, 64

SECONDS = np.arange(N_SAMPLES) / SAMPLE_RATE


def band_noise(rng: np.random.Generator, low_hz: float, high_hz: float) -> NDArray[np.float64]:
    spectrum = np.fft.rfft(rng.normal(size=N_SAMPLES))
    hz = np.fft.rfftfreq(N_SAMPLES, 1 / SAMPLE_RATE)
    return np.fft.irfft(spectrum * ((hz >= low_hz) & (hz < high_hz)), N_SAMPLES)


def sine(cycles: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.sin(2 * np.pi * cycles)


def chirp(first_hz: float, hz_per_s: float) -> NDArray[np.float64]:
    since = SECONDS % 0.6
    return sine(first_hz * since + hz_per_s / 2 * since**2)


def clicks(rate_hz: float) -> NDArray[np.float64]:
    return np.diff(np.floor(SECONDS * rate_hz), prepend=0)


def saw(hz: float) -> NDArray[np.float64]:
    return np.sum([sine(hz * k * SECONDS) / np.sqrt(k) for k in range(1, 16)], axis=0)


SOUNDS: dict[str, Callable[[np.random.Generator], NDArray[np.float64]]] = {
    "beeps": lambda rng: sine(rng.uniform(950, 1050) * SECONDS) * (SECONDS * 3 % 1 < 0.4),
    "tremolo": lambda rng: band_noise(rng, 800, 2500) * (1 + sine(rng.uniform(4, 6) * SECONDS)),
    "saw": lambda rng: saw(rng.uniform(150, 300)),
    "rumble": lambda rng: band_noise(rng, 0, 300),
    "hiss": lambda rng: band_noise(rng, 3500, 6000),
    "rising": lambda rng: chirp(300, 3000),
    "falling": lambda rng: chirp(2400, -3000),
    "slow clicks": lambda rng: clicks(rng.uniform(1.5, 2.5)),
    "fast clicks": lambda rng: clicks(rng.uniform(8, 12)),
    "bursts": lambda rng: rng.normal(size=N_SAMPLES) * (SECONDS * 2 % 1 < 0.1),
}


def made_up() -> TrainingData:
    """Each clip holds each of the sounds with probability 0.2, at levels from 0 to -6 dB, over faint noise."""
    rng = np.random.default_rng(0)
    frontend = LogMelSpectrogram(MEL)
    labels = (rng.random((N_TRAIN + N_HELD_OUT, len(SOUNDS))) < 0.2).astype(np.float32)
    mels = []
    for present in labels:
        waveform = 0.005 * rng.normal(size=N_SAMPLES)
        for sound, there in zip(SOUNDS.values(), present, strict=True):
            if there:
                samples = sound(rng)
                waveform += 0.1 * 10 ** rng.uniform(-0.3, 0) * samples / np.sqrt(np.mean(samples**2))
        repeated = torch.from_numpy(np.tile(waveform, 2).astype(np.float32))
        mels.append(frontend(repeated[None])[0, 0].half().numpy())
    return TrainingData(np.stack(mels), labels, np.arange(N_TRAIN), np.arange(N_TRAIN, len(labels)))


def areas_after_training(name: str) -> dict[str, float]:
    """Each tag's ROC-AUC on clips that were held out."""
    data = made_up()
    torch.manual_seed(0)
    model = registry.create(name, len(SOUNDS), order="pool_first", pools=SMALL_POOLS, **SIZE)
    augmentation = Augmentation(loop=0, gain_db=3, frequency_mask=0, time_mask=0, mix=0)
    config = TrainConfig(epochs=9, batch_size=4, learning_rate=3e-3, ema_decay=0.9, augmentation=augmentation)
    train(model, data, config, device="cpu", progress=False)
    with torch.inference_mode():
        held_out = torch.from_numpy(data.mels[data.valid]).float().unsqueeze(1)
        logits = torch.cat([model(batch) for batch in held_out.split(8)]).numpy()
    positive, weights = data.targets[data.valid] > 0, np.ones((N_HELD_OUT, 1), np.float32)
    areas = [ranking_areas(positive[:, tag], logits[:, tag], weights)[0].item() for tag in range(len(SOUNDS))]
    return dict(zip(SOUNDS, areas, strict=True))
