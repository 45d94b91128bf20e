"""A checkpoint's network by torch: built from its card, filled, written, and run against its self-test."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load as from_bytes
from safetensors.torch import save as to_bytes
from torch import Tensor

from msecnn.checkpoint_card import Card, CheckpointError
from msecnn.checkpoint_weights import Kind, NetworkWeights
from msecnn.files import printable, read_regular, why
from msecnn.frontend import LogMelSpectrogram, MelConfig
from msecnn.models import registry
from msecnn.models.tagging_model import TaggingModule

MAX_SELFTEST = 2**28  # bytes
#: Self-test figures may move by this much between processors and library versions: float32 rounding of sums of
#: thousands of terms, in logits.
SELFTEST_TOLERANCE = 1e-3


def build(card: Card, path: Path) -> TaggingModule:
    """The network that a card describes, with fresh weights.

    Raises:
        CheckpointError: there is no such network.
    """
    try:
        model = registry.create(card.architecture, **card.parameters)
    except KeyError as error:
        raise CheckpointError(f"{path}: {error.args[0]}") from error
    except (TypeError, ValueError, RuntimeError, MemoryError) as error:
        raise CheckpointError(f"{path}: {card.architecture} cannot be built: {error}") from error
    if model.front_end is not None:
        model.front_end = card.front_end
    return model


def kinds(model: TaggingModule) -> dict[str, Kind]:
    """Shape and kind of each of a network's tensors."""
    return {name: (tuple(t.shape), t.is_floating_point()) for name, t in model.state_dict().items()}


def fill(model: TaggingModule, tensors: Mapping[str, object]) -> TaggingModule:
    """Copies checked arrays in; in evaluation mode."""
    model.load_state_dict({name: torch.as_tensor(tensor) for name, tensor in tensors.items()})
    return model.eval()


def network_of(weights: NetworkWeights) -> TaggingModule:
    """The network by torch of weights that were read without it."""
    return fill(build(weights.card, Path()), weights.tensors)


def weights_bytes(model: TaggingModule, mean_features: Mapping[str, Tensor]) -> bytes:
    """A file of a network's weights, and of (C,) average features of each scale under their names."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    for name, mean in mean_features.items():
        tensors[name] = mean.detach().cpu().float().contiguous()
    return to_bytes(tensors, metadata={"format": "pt"})  # one entry: the order of several differs by the process


def selftest_bytes(model: TaggingModule, config: MelConfig) -> bytes:
    """A file of a sound and of everything that the network makes of it."""
    return to_bytes(_selftest(model, config))


def verify(name: str, model: TaggingModule, config: MelConfig, path: Path) -> None:
    """The stored waveform must give the stored mel, features and logits on this machine.

    Args:
        name: of the checkpoint, for the sentence.
        path: of the self-test.

    Raises:
        CheckpointError: it does not, or there is no self-test.
    """
    try:
        expected = from_bytes(read_regular(path, most=MAX_SELFTEST))
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {why(error)}.") from error
    except (SafetensorError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}") from error
    actual = _selftest(model, config, waveform=_waveform(expected, path))
    if odd := sorted(expected.keys() ^ actual.keys()):
        raise CheckpointError(f"{path} holds other tensors than this network gives: {printable(odd[0], longest=80)}.")
    for key, tensor in expected.items():
        if actual[key].shape != tensor.shape:
            raise CheckpointError(f"{path}: {key} is not of the shape that this network gives.")
        difference = float((actual[key] - tensor.float()).abs().max())
        if not difference <= SELFTEST_TOLERANCE:
            raise CheckpointError(f"{name} failed its self-test: {key} is off by {difference:.2g}.")


def _waveform(tensors: Mapping[str, Tensor], path: Path) -> Tensor:
    """A self-test's sound: (T,) fractions, at least one."""
    waveform = tensors.get("waveform")
    if waveform is None or waveform.ndim != 1 or not len(waveform) or not waveform.is_floating_point():
        raise CheckpointError(f"{path} holds no waveform.")
    return waveform.float()


def _selftest(model: TaggingModule, config: MelConfig, waveform: Tensor | None = None) -> dict[str, Tensor]:
    """A second's worth of a rising tone and noise, repeated to a window, and everything the network makes of it."""
    if waveform is None:
        seconds = torch.arange(config.sample_rate) / config.sample_rate
        noise = torch.randn(config.sample_rate, generator=torch.Generator().manual_seed(0))
        waveform = 0.5 * torch.sin(2 * torch.pi * (200 + 900 * seconds) * seconds) + 0.02 * noise
    n_samples = config.window_samples
    window = waveform.repeat(n_samples // len(waveform) + 1)[:n_samples].unsqueeze(0)
    was_training = model.training
    model.eval()
    with torch.no_grad():
        if model.input_spec.front_end is None:
            result = {"waveform": waveform, "logits": model(window)}
        else:
            mel = LogMelSpectrogram(config)(window)
            features = {f"features.{scale}": value for scale, value in model.features(mel).items()}
            result = {"waveform": waveform, "mel": mel, "logits": model(mel), **features}
    model.train(was_training)
    return {name: tensor.float().contiguous() for name, tensor in result.items()}
