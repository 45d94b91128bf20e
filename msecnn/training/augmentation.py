"""Changes of a log-mel spectrogram that leave its tags true: roll, loop, gain, masks, and mixing of two clips.

Masks: Park et al., "SpecAugment", 2019. Mixing: Tokozume et al., "Learning from between-class examples", 2018.
Everything that is drawn follows from (seed, epoch, clip), so a run that was killed goes on as if it had not been.
It is drawn by numpy for a whole epoch at once; on a GPU the draws then lie there, so that no step waits for the CPU.
"""

from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from msecnn.frontend import MelConfig
from msecnn.training.ranges import NOT_NEGATIVE, SHARE, Range, check_ranges
from msecnn.training.run_folder import TrainingError

DEFAULT_FRONT_END = MelConfig()
#: Of an epoch's draws: numbers of the CPU's, or tensors on a GPU.
Drawn = NDArray[Any] | Tensor
#: Seconds that an excerpt may last: at least a frame or so.
LOOP_S = Range(0.02, 3600)
RANGES = {
    **dict.fromkeys(("loop", "mix"), SHARE),
    **dict.fromkeys(("loop_min_s", "loop_max_s"), LOOP_S),
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

    @property
    def changes_clips(self) -> bool:
        """Whether anything is changed at all."""
        return self != replace(self, roll=False, loop=0.0, gain_db=0.0, frequency_mask=0, time_mask=0, mix=0.0)

    @classmethod
    def none(cls) -> "Augmentation":
        """No change at all; a longer mel is still cropped at random."""
        return cls(roll=False, loop=0.0, gain_db=0.0, frequency_mask=0, time_mask=0, mix=0.0)


@dataclass(frozen=True, eq=False)
class Draws:
    """One epoch's draws, an entry for each of `n` training clips, in the order of the training split."""

    start: Drawn  # first source frame of the excerpt
    period: Drawn  # frames after which the excerpt repeats; the window's length if it is not looped
    shift: Drawn  # frames by which the excerpt is turned
    gain_db: Drawn
    band: Drawn  # first masked mel bin
    band_width: Drawn
    frame: Drawn  # first masked frame
    frame_width: Drawn
    partner: Drawn  # the position of the clip to be mixed in; -1 for none
    partner_shift: Drawn
    partner_db: Drawn  # its mean power relative to the first clip's

    def take(self, positions: Drawn) -> "Draws":
        """The draws of a batch."""
        return Draws(**{field.name: getattr(self, field.name)[positions] for field in fields(self)})

    def to(self, device: torch.device) -> "Draws":
        """The same as tensors on a device."""
        return Draws(
            **{field.name: torch.as_tensor(getattr(self, field.name), device=device) for field in fields(self)}
        )


def draw(
    augmentation: Augmentation,
    n: int,
    *,
    n_bands: int,
    source_frames: int,
    n_frames: int,
    seed: int,
    epoch: int,
    mel_config: MelConfig = DEFAULT_FRONT_END,
) -> Draws:
    """Draws an epoch's changes for all clips at once: the same for the same seed and epoch, whatever the batches."""
    rng = np.random.default_rng([seed, epoch, 1])
    looped = rng.random(n) < augmentation.loop
    shortest, longest = (
        min(max(round(s * mel_config.frames_per_s), 1), n_frames)
        for s in (augmentation.loop_min_s, augmentation.loop_max_s)
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


def augment(mels: Tensor, draws: Draws, *, n_frames: int, mel_config: MelConfig = DEFAULT_FRONT_END) -> Tensor:
    """Crops, turns and loops, then masks and changes the level.

    Args:
        mels: (B, F, L') in dB, any float type; L' at least `n_frames`.
        draws: the batch's, `Draws.take`.

    Returns:
        (B, F, L) float32 in dB.
    """
    mels = turned(mels, draws.start, draws.period, draws.shift, n_frames=n_frames)
    if _any(draws.band_width) or _any(draws.frame_width):
        mels = _masked(mels, draws)
    if _any(draws.gain_db):
        mels = mels.add_(_column(draws.gain_db, mels)).clamp_(min=mel_config.floor_db)
    return mels


def turned(mels: Tensor, start: Drawn, period: Drawn, shift: Drawn, *, n_frames: int) -> Tensor:
    """Frame t of the result is frame `start + (t + shift) % period` of the source: (B, F, L') to (B, F, L) float32."""
    start, period, shift = (torch.as_tensor(x, device=mels.device)[:, None] for x in (start, period, shift))  # (B, 1)
    frames = start + (torch.arange(n_frames, device=mels.device) + shift) % period  # (B, L)
    if mels.device.type != "cpu":
        return mels.gather(2, frames[:, None, :].expand(-1, mels.shape[1], -1)).float()
    out = torch.empty(*mels.shape[:2], n_frames)
    for row, (mel, index) in enumerate(zip(mels, frames.numpy(), strict=True)):  # stretches at once, as they lie there
        breaks = [0, *(np.flatnonzero(np.diff(index) != 1) + 1), n_frames]
        for first, last in pairwise(breaks):
            out[row, :, first:last] = mel[:, index[first] : index[first] + last - first]
    return out


def mix(
    mels: Tensor,
    targets: Tensor,
    partners: Tensor,
    partner_targets: Tensor,
    partner_db: Tensor,
    *,
    mel_config: MelConfig = DEFAULT_FRONT_END,
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
    level, partner_level = (p.mean((1, 2)).clamp_(min=mel_config.amin) for p in (power, partner_power))
    ratio = 10 ** (partner_db / 10)  # (B,)
    mixture = torch.add(power, partner_power.mul_((ratio * level / partner_level)[:, None, None]))
    mixture.div_((1 + ratio)[:, None, None])
    weight = 1 / (1 + ratio.sqrt())[:, None]  # the first clip's share of amplitude
    mixed_targets = weight * targets + (1 - weight) * partner_targets
    return mixture.clamp_(min=mel_config.amin).log10_().mul_(10), mixed_targets


def _power(mels: Tensor) -> Tensor:
    return torch.exp(mels * (np.log(10) / 10))


def _masked(mels: Tensor, draws: Draws) -> Tensor:
    """One band and one stretch of each clip at its mean level."""
    covered = _span(draws.band, draws.band_width, mels.shape[1], mels.device)[:, :, None]  # (B, F, 1)
    covered = covered | _span(draws.frame, draws.frame_width, mels.shape[2], mels.device)[:, None, :]  # (B, F, L)
    return torch.where(covered, mels.mean((1, 2))[:, None, None], mels)


def _span(first: Drawn, length: Drawn, n: int, device: torch.device) -> Tensor:
    """(B, n) true from `first` (B,) on, `length` (B,) long."""
    first, length = (torch.as_tensor(x, device=device)[:, None] for x in (first, length))
    places = torch.arange(n, device=device)
    return (places >= first) & (places < first + length)


def _any(values: Drawn) -> bool:
    """Whether something is to be done; on a GPU it is done without asking, since the answer would be waited for."""
    return isinstance(values, Tensor) or bool(np.any(values))


def _column(values: Drawn, like: Tensor) -> Tensor:
    return torch.as_tensor(values, device=like.device)[:, None, None]
