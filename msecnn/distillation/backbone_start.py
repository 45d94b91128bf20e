"""A student starts with the filters of a network that was trained on MagnaTagATune itself (Won et al.'s FCN).

Filters alone do not carry over: our mels have another rate, scale and loudness, and ELU is not ReLU. So every
normalisation is set again, layer by layer, until each channel has the mean and spread on the student's mels that it has
in the donor on the same clips' sound. Copied without that, the filters are worse than none.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from msecnn import audio, checkpoint
from msecnn.data.manifest import Manifest
from msecnn.data.mel_cache import MelCache
from msecnn.distillation.teachers import Teacher
from msecnn.errors import DatasetError
from msecnn.frontend import MelConfig
from msecnn.models.conv_pool import conv_bias
from msecnn.models.layers import MultiScaleCNN, running_statistics
from msecnn.models.published.waveform import N_MELS, SAMPLE_RATE
from msecnn.models.published.won import Level, WonFcn

#: Clips on which a warm start sets the normalisations.
WARM_START_CLIPS = 80


@torch.no_grad()
def warm_start(
    student: MultiScaleCNN, donor: WonFcn, mels: Tensor, waveforms: Sequence[np.ndarray], *, mel_config: MelConfig
) -> None:
    """Gives the student's five levels the donor's filters, in place; its classifier stays as it is.

    Args:
        student: FCN-5 or MsE-CNN with the donor's channels.
        donor: in evaluation mode.
        mels: (N, 1, F, L) of some 80 clips of the training split, as the student gets them.
        waveforms: the same N clips' sound at 16 kHz.
        mel_config: the front end behind `mels`.

    Raises:
        ValueError: the student's levels have other channels than the donor's.
    """
    donor_maps = [donor.input_norm(donor.windows(waveform)[:1]) for waveform in waveforms]
    _match_input(student.input_norm, mels, torch.cat(donor_maps), mel_config)
    student_maps = [student.input_norm(mel.transpose(0, 1)[None]).transpose(1, 2) for mel in mels]
    for level, block in zip(student.conv_levels, donor.levels, strict=True):
        assert isinstance(block, Level)  # for the type checker
        if level.conv.weight.shape != block.conv.weight.shape:
            raise ValueError("a warm start needs levels of the donor's widths; this student's are others")
        # A negative scale would turn the maximum into a minimum where the pooling comes first: flip the filter.
        sign = torch.where(block.norm.weight < 0, -1.0, 1.0)
        level.conv.weight.copy_(block.conv.weight * sign[:, None, None, None])
        conv_bias(level.conv).copy_(conv_bias(block.conv) * sign)
        donor_maps = [block.pool(block.norm(block.conv(x))) for x in donor_maps]
        student_maps = [level.pool(level.conv(x)) for x in student_maps]
        _match(level.norm, _moments(student_maps), _moments(donor_maps))
        donor_maps = [x.relu() for x in donor_maps]
        student_maps = [level.activation(level.norm(x)) for x in student_maps]


def _match_input(norm: nn.BatchNorm2d, mels: Tensor, donor_maps: Tensor, mel_config: MelConfig) -> None:
    """Each band gets the mean and spread that the donor's input has at that frequency.

    The donor has one scale for all bands, so the tilt of music's spectrum is part of what its filters know.
    """
    donor_hz = _htk_centres_hz()
    student_hz = mel_config.band_edges_hz()[:, 1]
    bands = mels.squeeze(1).transpose(0, 1).flatten(1)  # (F, N L)
    donor_bands = donor_maps.squeeze(1).transpose(0, 1).flatten(1)
    wanted = [
        torch.from_numpy(np.interp(student_hz, donor_hz, moment.cpu().numpy())).float().to(mels.device)
        for moment in (donor_bands.mean(1), donor_bands.var(1))
    ]
    _match(norm, (bands.mean(1), bands.var(1)), (wanted[0], wanted[1]))


def _htk_centres_hz() -> np.ndarray:
    """Centre frequency of each of the donor's bands."""
    top = 2595 * np.log10(1 + SAMPLE_RATE / 2 / 700)
    return 700 * (10 ** (np.linspace(0, top, N_MELS + 2)[1:-1] / 2595) - 1)


def _moments(maps: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Mean and variance of each channel (C,) over all clips and cells."""
    count = sum(x[:, 0].numel() for x in maps)
    mean = torch.stack([x.double().sum((0, 2, 3)) for x in maps]).sum(0) / count
    square = torch.stack([x.double().square().sum((0, 2, 3)) for x in maps]).sum(0) / count
    return mean.float(), (square - mean.square()).float()


def _match(norm: nn.BatchNorm2d, found: tuple[Tensor, Tensor], wanted: tuple[Tensor, Tensor]) -> None:
    """Sets statistics, scale and shift so that what has the moments `found` leaves with the moments `wanted`."""
    for statistic, moment in zip(running_statistics(norm), found, strict=True):
        statistic.copy_(moment)
    norm.weight.copy_((wanted[1] * (1 + norm.eps / found[1])).sqrt())
    norm.bias.copy_(wanted[0])


def start_warm(student: MultiScaleCNN, donor: Teacher, manifest: Manifest, cache: MelCache, *, seed: int) -> None:
    """Gives a student the donor's filters, recalibrated on full-length clips of the training split.

    Raises:
        DatasetError: the donor is another network, or no clip is long enough for it.
    """
    if not isinstance(donor.model, WonFcn):
        raise DatasetError(f"{donor.name} is a {donor.model.architecture}; a warm start needs Won et al.'s FCN")
    window_s = donor.model.window_s
    long_enough = [clip for clip in manifest.split("train").clips if (clip.duration_s or 0) >= window_s]
    if not long_enough:
        raise DatasetError(f"a warm start needs training clips of at least {window_s:g} s; there are none")
    count = min(WARM_START_CLIPS, len(long_enough))
    chosen = np.sort(np.random.default_rng([seed, 2]).choice(len(long_enough), count, replace=False))
    clips = [long_enough[index] for index in chosen]
    waveforms = [
        audio.read_recording(
            clip.path, sample_rate=SAMPLE_RATE, start_s=clip.start_s, duration_s=clip.duration_s
        ).waveform
        for clip in clips
    ]
    student.eval()
    warm_start(
        student,
        donor.model,
        cache.batch(cache.rows(clips)).to(student.classifier.weight.device),
        waveforms,
        mel_config=cache.config,
    )


def load_backbone(student: MultiScaleCNN, folder: str | Path) -> dict[str, Any]:
    """Gives a student the levels of another one.

    Returns:
        What the card shall say of where the levels come from.

    Raises:
        DatasetError: the checkpoint has other levels.
    """
    found = checkpoint.load(folder)
    own = {name: tensor for name, tensor in student.state_dict().items() if not name.startswith("classifier.")}
    state = found.model.state_dict()
    if any(name not in state or state[name].shape != tensor.shape for name, tensor in own.items()):
        raise DatasetError(f"{folder} has other levels than this student; its path cannot be taken")
    student.load_state_dict({name: state[name] for name in own}, strict=False)
    student.eval()
    source = {key: found.card.get(key) for key in ("name", "sha256", "run")}
    return {"path": source, "warm_start": found.card.get("warm_start")}
