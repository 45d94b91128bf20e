"""Networks small enough to be worked out by hand, and one of full size that detects a tone burst."""

import numpy as np
import torch
from torch import nn

from msecnn.frontend import MelConfig
from msecnn.models import registry
from msecnn.models.layers import MultiScaleCNN

#: Four bands, nine frames, of which the last is the blind tail: 4x8 is pooled to one cell.
TOY_CONFIG = MelConfig(n_mels=4, n_frames=9)


class Toy(MultiScaleCNN):
    """Two levels of two and three channels, three tags."""

    architecture = "toy"


def toy(
    scales: tuple[str, ...] = ("input", "level1", "level2"),
    *,
    seed: int = 0,
    pools: tuple[tuple[int, int], ...] = ((2, 2), (2, 4)),
    n_mels: int = 4,
    n_frames: int = 9,
) -> Toy:
    torch.manual_seed(seed)
    model = Toy(n_tags=3, channels=(2, 3), pools=pools, n_mels=n_mels, n_frames=n_frames, scales=scales)
    for norm in model.modules():
        if isinstance(norm, nn.BatchNorm2d):
            nn.init.uniform_(norm.running_mean, -1, 1)
            nn.init.uniform_(norm.running_var, 0.5, 2)
            nn.init.uniform_(norm.weight, 0.5, 2)
            nn.init.uniform_(norm.bias, -1, 1)
    return model.eval()


def maximum_of_input(weight: float = 1.0) -> Toy:
    """A network whose three logits are `weight` times the largest cell of the first eight frames."""
    model = toy(("input",))
    norm = model.input_norm
    with torch.no_grad():
        norm.running_mean.zero_()
        norm.running_var.fill_(1 - norm.eps)
        norm.weight.fill_(1)
        norm.bias.zero_()
        model.classifier.weight.fill_(weight)
        model.classifier.bias.zero_()
    return model


def toy_mel(*, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(-50, 15, (4, 9)).astype(np.float32)


def loudness_detector(channel: int = 5) -> MultiScaleCNN:
    """MsE-CNN at full size; at every scale one channel passes on what is louder than -60 dB, and tag 0 adds them up."""
    model = registry.create("msecnn").eval()
    assert isinstance(model, MultiScaleCNN)
    with torch.no_grad():
        model.input_norm.running_mean.fill_(-60)
        model.input_norm.running_var.fill_(100)
        model.classifier.weight.zero_()
        model.classifier.bias.zero_()
        model.classifier.weight[0, 0] = 1
        first = 1
        for number, level in enumerate(model.levels):
            level.conv.weight.zero_()
            level.conv.bias.zero_()
            level.conv.weight[channel, 0 if number == 0 else channel, 1, 1] = 1
            model.classifier.weight[0, first + channel] = 1
            first += level.conv.out_channels
    return model


def tone_burst(start_s: float, end_s: float, hz: float, config: MelConfig) -> np.ndarray:
    """A window (T,) of faint noise with one tone burst."""
    t = np.arange(config.window_samples) / config.sample_rate
    noise = np.random.default_rng(0).normal(0, 1e-4, t.size)
    return (noise + 0.5 * np.sin(2 * np.pi * hz * t) * ((start_s <= t) & (t < end_s))).astype(np.float32)
