"""What stands for "nothing there" in a log-mel spectrogram, where silence is a number of decibels like any other.

Axis letters: F mel bands, L frames.
"""

import numpy as np
import torch
from torch import Tensor, nn

from msecnn.explain import BASELINES, ExplanationError
from msecnn.explain.contributions import with_scales
from msecnn.frontend import MelConfig


def baseline_mel(model: nn.Module, mel: np.ndarray, baseline: str, mel_config: MelConfig | None = None) -> Tensor:
    """The spectrogram (F, L) that stands for "nothing there".

    "floor" is silence, the least that the front end knows; "clip_mean" each band's mean over this window;
    "training_mean" each band's mean over the training clips, which the network's input normalisation keeps.
    """
    if baseline == "floor":
        config = mel_config or MelConfig()
        # doubled dB square the power and then cut at the same least power, so that the floor is the same
        return torch.full(mel.shape, 10 * float(np.log10(config.amin)))
    if baseline == "clip_mean":
        return torch.from_numpy(np.array(mel, dtype=np.float32)).mean(1, keepdim=True).expand(mel.shape)
    if baseline != "training_mean":
        raise ExplanationError(f"There is no baseline {baseline!r}; there are {', '.join(BASELINES)}.")
    mean = with_scales(model).input_norm.running_mean
    if mean is None or not bool(mean.any()):
        raise ExplanationError("This model has seen no training clips, so it has no training mean to measure from.")
    return mean.detach().cpu().float()[:, None].expand(mel.shape)
