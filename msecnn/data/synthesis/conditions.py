"""Recordings under other conditions: quiet or loud, through a telephone, badly coded, with hum, cancelling channels."""

from collections.abc import Callable, Mapping

import numpy as np

from msecnn.data.manifest import SPLITS, Clip, Manifest
from msecnn.data.synthesis import effects
from msecnn.data.synthesis.piece import SAMPLE_RATE, Piece, known_truths, loaded, shuffled
from msecnn.errors import DatasetError

#: What is done to a waveform (T,), at a strength from 0 to 1.
Condition = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]
FULL_SCALE = 0.98
LOWEST_DB, HIGHEST_DB = -40.0, 6.0
CODEC_FRAME = 1024  # samples


def level(waveform: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Turned down, or up until it clips."""
    by_db = LOWEST_DB + strength * (HIGHEST_DB - LOWEST_DB)
    return _clipped(effects.gain(waveform, by_db))


def telephone(waveform: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    low_hz, high_hz = 150 + 200 * strength, 4500 - 1700 * strength
    return effects.filtered(waveform, effects.band(low_hz, high_hz, 6))


def low_bitrate(waveform: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """As codecs do when they have few bits: in each frame, only the strongest parts of the spectrum survive."""
    kept = 0.3 * 0.08**strength
    n = len(waveform)
    hop = CODEC_FRAME // 2
    window = np.sin(np.pi * (np.arange(CODEC_FRAME) + 0.5) / CODEC_FRAME)
    padded = np.pad(waveform, (hop, CODEC_FRAME))
    frames = np.lib.stride_tricks.sliding_window_view(padded, CODEC_FRAME)[::hop] * window
    spectra = np.fft.rfft(frames, axis=1)
    limits = np.quantile(np.abs(spectra), 1 - kept, axis=1, keepdims=True)
    coded = np.fft.irfft(np.where(np.abs(spectra) >= limits, spectra, 0), axis=1) * window
    total = np.zeros(hop * (len(coded) + 1))
    for half in range(2):
        total[half * hop : half * hop + hop * len(coded)] += coded[:, half * hop : (half + 1) * hop].ravel()
    return total[hop : hop + n]


def offset(waveform: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    added = (0.01 + 0.3 * strength) * rng.choice([-1, 1])
    return _clipped(waveform + added)


def hum(waveform: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    time_s, hz = np.arange(len(waveform)) / SAMPLE_RATE, float(rng.choice([50, 60]))
    mains = sum((np.sin(2 * np.pi * hz * order * time_s) / order for order in (1, 2, 3, 5)), np.zeros(len(waveform)))
    below_db = 30 - 25 * strength
    return waveform + effects.at_level(mains, effects.level_db(waveform) - below_db)


def clipping(waveform: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    by_db = 6 + 18 * strength
    peak = float(np.abs(waveform).max(initial=0)) or 1.0
    return _clipped(effects.gain(waveform / peak * FULL_SCALE, by_db))


def one_channel(waveform: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """The other one is empty but for noise; the mean of both is what is heard."""
    noise = effects.at_level(rng.standard_normal(len(waveform)), effects.level_db(waveform) - 60 + 25 * strength)
    return (waveform + noise) / 2


def cancelling(waveform: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Wide stereo: the right channel is the left one turned over, late and duller; what their mean leaves."""
    correlation, delay = -0.5 - 0.49 * strength, int(rng.integers(0, 1 + round(12 * (1 - strength))))
    right = correlation * np.concatenate([np.zeros(delay), waveform[: len(waveform) - delay]])
    right = effects.filtered(right, effects.band(0, 7500 - 4000 * (1 - strength), 2))
    return (waveform + right) / 2


CONDITIONS: dict[str, Condition] = {
    "level": level, "telephone": telephone, "low bitrate": low_bitrate, "offset": offset, "hum": hum,
    "clipping": clipping, "one channel": one_channel, "cancelling": cancelling,
}  # fmt: skip


def plan_conditions(manifest: Manifest, n_clips: Mapping[str, int], *, seed: int) -> list[Piece]:
    """Plans clips of each split from the manifest's clips of that split; half of them have another level."""
    pieces = []
    for split, n in n_clips.items():
        rng = np.random.default_rng([seed, SPLITS.index(split)])
        clips = shuffled(manifest.split(split).clips, rng)
        if n and not clips:
            raise DatasetError(f"{manifest.name} has no clips for {split}")
        others = [name for name in CONDITIONS if name != "level"]
        for index in range(n):
            condition = "level" if index % 2 == 0 else others[index // 2 % len(others)]
            name = f"condition {split} {index:04d}"
            pieces.append(_piece(name, manifest.tags, clips[index % len(clips)], condition, rng.random(), seed))
    return pieces


def _piece(name: str, tags: tuple[str, ...], clip: Clip, condition: str, strength: float, seed: int) -> Piece:
    return Piece(
        name=name,
        split=clip.split,
        group=clip.group or clip.clip_id,
        licence=clip.extra.get("licence") or "not stated",
        truths=known_truths(tags, clip),
        extra={"recipe": "conditions", "condition": condition, "strength": f"{strength:.3f}", "original": clip.clip_id},
        content=(clip.hash,),
        seed=seed,
        render=lambda rng: CONDITIONS[condition](loaded(clip), strength, rng),
    )


def _clipped(waveform: np.ndarray) -> np.ndarray:
    return np.clip(waveform, -FULL_SCALE, FULL_SCALE)
