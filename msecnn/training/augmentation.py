"""Changes of a log-mel spectrogram that leave its tags true: roll, loop, gain, masks, and mixing of two clips.

Masks: Park et al., "SpecAugment", 2019. Mixing: Tokozume et al., "Learning from between-class examples", 2018.
Everything that is drawn follows from (seed, epoch, clip), so a run that was killed goes on as if it had not been.
"""

from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from msecnn.training.ranges import NOT_NEGATIVE, SHARE, Range, check_ranges
from msecnn.training.run_folder import TrainingError

#: Frames a second of our mels: 12,000 samples a second, a hop of 256 [facts of the front end].
FRAMES_PER_SECOND = 12_000 / 256
#: The front end's quietest value in dB: 10 log10 of its floor of 1e-10.
FLOOR_DB = -100.0
RANGES = {
    **dict.fromkeys(("loop", "mix"), SHARE),
    **dict.fromkeys(("loop_min_s", "loop_max_s"), Range(1 / FRAMES_PER_SECOND, 3600)),
    **dict.fromkeys(("gain_db", "mix_db"), Range(0, 100)),
    **dict.fromkeys(("frequency_mask", "time_mask"), NOT_NEGATIVE),
}


@dataclass(frozen=True)
class Augmentation:
    """How strongly the training clips are changed. `Augmentation.none()` leaves them as they are.

    Attributes:
        roll: turn the excerpt in time by any number of frames; what falls off the end comes back at the start.
        loop: share of clips from which a short excerpt is taken and repeated to the full length, as the tagger does
            with short recordings.
        loop_min_s, loop_max_s: length of that excerpt in seconds.
        gain_db: the level is changed by up to this many dB either way.
        frequency_mask: one band of up to this many mel bins is set to the clip's mean level.
        time_mask: one stretch of up to this many frames is set to the clip's mean level.
        mix: share of clips to which another one is added; powers add, as those of unrelated sounds do.
        mix_db: the added clip is up to this many dB weaker, in mean power. The target is the mean of both targets,
            weighted by their shares of amplitude.
    """

    roll: bool = True
    loop: float = 0.1
    loop_min_s: float = 3.0
    loop_max_s: float = 10.0
    gain_db: float = 6.0
    frequency_mask: int = 16
    time_mask: int = 128
    mix: float = 0.3
    mix_db: float = 12.0

    def __post_init__(self) -> None:
        check_ranges(self, RANGES, TrainingError)
        if self.loop_min_s > self.loop_max_s:
            raise TrainingError(f"loop_min_s is {self.loop_min_s:g}, more than loop_max_s, {self.loop_max_s:g}")

    @classmethod
    def none(cls) -> "Augmentation":
        """No change at all; a longer mel is still cropped at random."""
        return cls(roll=False, loop=0.0, gain_db=0.0, frequency_mask=0, time_mask=0, mix=0.0)


@dataclass(frozen=True)
class Draws:
    """One epoch's draws, an entry for each of `n` training clips, in the order of the training split."""

    start: NDArray[np.int64]  # first source frame of the excerpt
    period: NDArray[np.int64]  # frames after which the excerpt repeats; the window's length if it is not looped
    shift: NDArray[np.int64]  # frames by which the excerpt is turned
    gain_db: NDArray[np.float32]
    band: NDArray[np.int64]  # first masked mel bin
    band_width: NDArray[np.int64]
    frame: NDArray[np.int64]  # first masked frame
    frame_width: NDArray[np.int64]
    partner: NDArray[np.int64]  # the position of the clip to be mixed in; -1 for none
    partner_shift: NDArray[np.int64]
    partner_db: NDArray[np.float32]  # its mean power relative to the first clip's

    def take(self, positions: NDArray[np.int64]) -> "Draws":
        """The draws of a batch."""
        return Draws(**{field.name: getattr(self, field.name)[positions] for field in fields(self)})


def draw(
    augmentation: Augmentation, n: int, *, n_bands: int, source_frames: int, n_frames: int, seed: int, epoch: int
) -> Draws:
    """Draws an epoch's changes for all clips at once: the same for the same seed and epoch, whatever the batches."""
    rng = np.random.default_rng([seed, epoch, 1])
    looped = rng.random(n) < augmentation.loop
    shortest, longest = (
        min(round(s * FRAMES_PER_SECOND), n_frames) for s in (augmentation.loop_min_s, augmentation.loop_max_s)
    )
    period = np.where(looped, rng.integers(shortest, longest, n, endpoint=True), n_frames)
    band_width = rng.integers(0, min(augmentation.frequency_mask, n_bands), n, endpoint=True)
    frame_width = rng.integers(0, min(augmentation.time_mask, n_frames), n, endpoint=True)
    turn = n_frames if augmentation.roll else 1
    return Draws(
        start=rng.integers(0, source_frames - period, endpoint=True),
        period=period,
        shift=rng.integers(0, turn, n),
        gain_db=rng.uniform(-1, 1, n).astype(np.float32) * augmentation.gain_db,
        band=rng.integers(0, n_bands - band_width, endpoint=True),
        band_width=band_width,
        frame=rng.integers(0, n_frames - frame_width, endpoint=True),
        frame_width=frame_width,
        partner=np.where(rng.random(n) < augmentation.mix, rng.integers(0, n, n), -1),
        partner_shift=rng.integers(0, turn, n),
        partner_db=-rng.uniform(0, 1, n).astype(np.float32) * augmentation.mix_db,
    )


def augment(mels: Tensor, draws: Draws, *, n_frames: int) -> Tensor:
    """Crops, turns and loops, then changes the level and masks.

    Args:
        mels: (B, F, L') in dB, any float type; L' at least `n_frames`.
        draws: the batch's, `Draws.take`.

    Returns:
        (B, F, L) float32 in dB.
    """
    mels = turned(mels, draws.start, draws.period, draws.shift, n_frames=n_frames)
    mels = _masked(mels, draws)
    if np.any(draws.gain_db):
        mels = (mels + _column(draws.gain_db, mels)).clamp_(min=FLOOR_DB)
    return mels


def turned(
    mels: Tensor,
    start: NDArray[np.int64],
    period: NDArray[np.int64],
    shift: NDArray[np.int64],
    *,
    n_frames: int,
) -> Tensor:
    """Frame t of the result is frame `start + (t + shift) % period` of the source: (B, F, L') to (B, F, L) float32."""
    frames = start[:, None] + (np.arange(n_frames)[None, :] + shift[:, None]) % period[:, None]  # (B, L)
    if mels.device.type != "cpu":
        index = torch.from_numpy(frames).to(mels.device)[:, None, :].expand(-1, mels.shape[1], -1)
        return mels.gather(2, index).float()
    out = torch.empty(*mels.shape[:2], n_frames)
    for row, (mel, index) in enumerate(zip(mels, frames, strict=True)):
        breaks = [0, *(np.flatnonzero(np.diff(index) != 1) + 1), n_frames]
        for first, last in pairwise(breaks):
            out[row, :, first:last] = mel[:, index[first] : index[first] + last - first]
    return out


def mix(
    mels: Tensor, targets: Tensor, partners: Tensor, partner_targets: Tensor, partner_db: Tensor
) -> tuple[Tensor, Tensor]:
    """Adds the power of one clip to another's.

    Args:
        mels, partners: (B, F, L) in dB.
        targets, partner_targets: (B, K); NaN is unknown, and stays unknown in the mixture.
        partner_db: (B,) mean power that the partner shall have relative to the clip.

    Returns:
        The mixture, (B, F, L) in dB, at the clip's own mean power, and its (B, K) targets.
    """
    power, partner_power = _power(mels), _power(partners)
    level, partner_level = (p.mean((1, 2)).clamp_(min=1e-10) for p in (power, partner_power))
    ratio = 10 ** (partner_db / 10)  # (B,)
    mixture = torch.add(power, partner_power.mul_((ratio * level / partner_level)[:, None, None]))
    mixture.div_((1 + ratio)[:, None, None])
    weight = 1 / (1 + ratio.sqrt())[:, None]  # the first clip's share of amplitude
    return mixture.clamp_(min=10 ** (FLOOR_DB / 10)).log10_().mul_(10), weight * targets + (
        1 - weight
    ) * partner_targets


def _power(mels: Tensor) -> Tensor:
    return torch.exp(mels * (np.log(10) / 10))


def _masked(mels: Tensor, draws: Draws) -> Tensor:
    if not (np.any(draws.band_width) or np.any(draws.frame_width)):
        return mels
    for mel, level, band, width, frame, length in zip(
        mels,
        mels.mean((1, 2)),
        draws.band.tolist(),
        draws.band_width.tolist(),
        draws.frame.tolist(),
        draws.frame_width.tolist(),
        strict=True,
    ):
        mel[band : band + width] = level
        mel[:, frame : frame + length] = level
    return mels


def _column(values: NDArray[np.float32], like: Tensor) -> Tensor:
    return torch.from_numpy(values).to(like.device)[:, None, None]
