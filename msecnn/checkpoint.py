"""A folder on disk to network, front end and vocabulary, and back; verified.

NAME/model.safetensors      weights, and the mean features that explanations measure from
NAME/card.json              all that is needed to rebuild the network, and all that a reader should know of it
NAME/selftest.safetensors   a waveform with its mel, features and logits, against which every load can be checked
"""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as from_bytes
from safetensors.torch import save as to_bytes
from torch import Tensor

from msecnn import hub, run_record
from msecnn.checkpoint_card import SCHEMA, Card, CheckpointError, read_card
from msecnn.files import printable, read_regular, why, write_atomically, write_json
from msecnn.frontend import LogMelSpectrogram, MelConfig
from msecnn.models import registry
from msecnn.models.tagging_model import TaggingModule
from msecnn.resources import resource_folder

log = logging.getLogger(__name__)

#: Checkpoints that come with the program; below them, in the repository but not in a wheel, the rest of Table 1.
BUNDLED = resource_folder("checkpoints")
TABLE_1 = "table1"
WEIGHTS, CARD, SELFTEST = "model.safetensors", "card.json", "selftest.safetensors"
LONGEST_NAME = 80  # characters
MAX_HEADER = 2**20  # bytes, of a file of tensors
MAX_SELFTEST = 2**28  # bytes
_MEAN_FEATURES = "mean_features."
_LFS_POINTER = b"version https://git-lfs"
#: Self-test figures may move by this much between processors and library versions: float32 rounding of sums of
#: thousands of terms, in logits.
SELFTEST_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Checkpoint:
    """A trained network with all that belongs to it.

    Attributes:
        name: the folder's name.
        folder: where it lies.
        model: in evaluation mode, on the CPU.
        mel_config: its front end (for a model on waveforms, the rate and length that it expects).
        tags: the K names of the model's outputs, in order.
        card: everything `card.json` says.
        mean_features: each scale's average features (C,) over the training clips, or None where they are not known.
    """

    name: str
    folder: Path
    model: TaggingModule
    mel_config: MelConfig
    tags: tuple[str, ...]
    card: dict[str, Any]
    mean_features: dict[str, Tensor] | None

    @property
    def untrained(self) -> bool:
        """Whether the card says that its numbers mean nothing."""
        return bool(self.card.get("untrained", False))


def bundled() -> tuple[str, ...]:
    """Names of the checkpoints that come with the program."""
    return tuple(sorted(card.parent.name for card in BUNDLED.glob(f"*/{CARD}")))


def of_table_1() -> tuple[str, ...]:
    """Names of the other systems of the paper's table that are there; none where a wheel is installed."""
    return tuple(sorted(card.parent.name for card in BUNDLED.glob(f"{TABLE_1}/*/{CARD}")))


def save(
    folder: str | Path,
    model: TaggingModule,
    *,
    mel_config: MelConfig,
    tags: tuple[str, ...],
    card: Mapping[str, Any],
    mean_features: Mapping[str, Tensor] | None = None,
) -> None:
    """Writes a checkpoint. Weights go first and the card last, so that an interrupted save is seen as one.

    Args:
        card: what training knows: data, command, metrics, limits... What the network itself tells is added.
        mean_features: (C,) for each scale.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    for scale, mean in (mean_features or {}).items():
        tensors[_MEAN_FEATURES + scale] = mean.detach().cpu().float().contiguous()
    weights = to_bytes(tensors, metadata={"format": "pt"})  # one entry: the order of several differs by the process
    full_card = {
        "schema": SCHEMA,
        "name": folder.name,
        "architecture": model.architecture,
        "parameters": model.parameters_json(),
        "n_parameters": sum(parameter.numel() for parameter in model.parameters()),
        "front_end": mel_config.to_json(),
        "tags": list(tags),
        "untrained": False,
        **card,
        "sha256": hashlib.sha256(weights).hexdigest(),
    }
    write_atomically(folder / WEIGHTS, weights)
    write_atomically(folder / SELFTEST, to_bytes(_selftest(model, mel_config)))
    write_card(folder, full_card)


def write_card(folder: Path, card: Mapping[str, Any]) -> None:
    """Writes a checkpoint's card alone, whole or not at all."""
    write_json(folder / CARD, card)


def load(name_or_folder: str | Path) -> Checkpoint:
    """Loads a bundled checkpoint by its name, any other by its folder, or one of the Hub by hf://OWNER/NAME@REVISION.

    Raises:
        CheckpointError: it is not there, not whole, or not what its card says; the sentence tells which.
    """
    address = hub.parse(name_or_folder)
    folder = _find(name_or_folder if address is None else hub.fetch(address))
    card = read_card(folder / CARD)
    model = _build(card, folder / CARD)
    tensors = _read_weights(folder / WEIGHTS, card.sha256, most=_most_bytes(model))
    mean_features = {
        key.removeprefix(_MEAN_FEATURES): tensors.pop(key) for key in list(tensors) if key.startswith(_MEAN_FEATURES)
    }
    _fill(model, tensors, folder / WEIGHTS)
    if complaint := run_record.complaint(card.content):
        told = f"{folder / CARD} contradicts itself: {complaint}."
        if folder.parent == BUNDLED:
            raise CheckpointError(told)
        log.warning(told)  # of a run of one's own: its weights are still what they are
    _check_numbers(mean_features, folder / WEIGHTS)
    if mean_features and {scale: tuple(mean.shape) for scale, mean in mean_features.items()} != {
        scale: (count,) for scale, count in model.n_features.items()
    }:
        raise CheckpointError(f"{folder / WEIGHTS}: its mean_features are not of the sizes of its network's scales.")
    return Checkpoint(
        name=printable(address.name if address else folder.name, longest=LONGEST_NAME),
        folder=folder,
        model=model.eval(),
        mel_config=card.front_end,
        tags=card.tags,
        card=card.content,
        mean_features=mean_features or None,
    )


def verify(checkpoint: Checkpoint) -> None:
    """Runs the self-test: the stored waveform must give the stored mel, features and logits on this machine.

    Raises:
        CheckpointError: it does not, or there is no self-test.
    """
    path = checkpoint.folder / SELFTEST
    try:
        expected = from_bytes(read_regular(path, most=MAX_SELFTEST))
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {why(error)}.") from error
    except (SafetensorError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}") from error
    actual = _selftest(checkpoint.model, checkpoint.mel_config, waveform=_waveform(expected, path))
    if odd := sorted(expected.keys() ^ actual.keys()):
        raise CheckpointError(f"{path} holds other tensors than this network gives: {printable(odd[0], longest=80)}.")
    for name, tensor in expected.items():
        if actual[name].shape != tensor.shape:
            raise CheckpointError(f"{path}: {name} is not of the shape that this network gives.")
        difference = float((actual[name] - tensor.float()).abs().max())
        if not difference <= SELFTEST_TOLERANCE:
            raise CheckpointError(f"{checkpoint.name} failed its self-test: {name} is off by {difference:.2g}.")


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


def _find(name_or_folder: str | Path) -> Path:
    name = str(name_or_folder)
    for folder in (Path(name_or_folder), BUNDLED / name, BUNDLED / TABLE_1 / name):
        if (folder / CARD).is_file():
            return folder.resolve()
    raise CheckpointError(
        f"There is no checkpoint {name!r}: neither a folder with a {CARD} "
        f"nor one of the bundled ones ({', '.join((*bundled(), *of_table_1())) or 'none'})."
    )


def _build(card: Card, path: Path) -> TaggingModule:
    """The network that a card describes, checked against its vocabulary and its front end."""
    given = card.front_end
    try:
        model = registry.create(card.architecture, **card.parameters)
    except KeyError as error:
        raise CheckpointError(f"{path}: {error.args[0]}") from error
    except (TypeError, ValueError, RuntimeError, MemoryError) as error:
        raise CheckpointError(f"{path}: {card.architecture} cannot be built: {error}") from error
    if model.front_end is not None:
        taken = model.front_end
        if (taken.n_mels, taken.n_frames) != (given.n_mels, given.n_frames):
            raise CheckpointError(
                f"{path}: its front end gives {given.n_mels} mel bands and {given.n_frames} frames; "
                f"its network takes {taken.n_mels} and {taken.n_frames}."
            )
        model.front_end = given
    return model


def _most_bytes(model: TaggingModule) -> int:
    """What a file of a network's weights has at most: eight bytes a number, as many again for averages, a header."""
    return 16 * sum(tensor.numel() for tensor in model.state_dict().values()) + MAX_HEADER


def _read_weights(path: Path, sha256: str, *, most: int) -> dict[str, Tensor]:
    try:
        content = read_regular(path, most=most)
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {why(error)}.") from error
    if content.startswith(_LFS_POINTER):
        raise CheckpointError(f"{path} is a Git LFS pointer, not weights; run 'git lfs pull' to fetch them.")
    if hashlib.sha256(content).hexdigest() != sha256:
        raise CheckpointError(f"{path} is damaged, or not the file its card describes: its SHA-256 differs.")
    try:
        return from_bytes(content)
    except (SafetensorError, ValueError, RuntimeError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path} is not a safetensors file: {error}") from error


def _fill(model: TaggingModule, tensors: dict[str, Tensor], path: Path) -> None:
    """Copies weights in; names and shapes must match exactly."""
    expected = model.state_dict()
    if expected.keys() != tensors.keys():
        odd = sorted(expected.keys() ^ tensors.keys())
        raise CheckpointError(f"{path} holds other weights than its architecture: {', '.join(odd[:3])} do not match.")
    for name, tensor in tensors.items():
        if tensor.shape != expected[name].shape:
            wanted, got = tuple(expected[name].shape), tuple(tensor.shape)
            raise CheckpointError(f"{path}: {name} has shape {got}; its architecture needs {wanted}.")
        if tensor.is_floating_point() != expected[name].is_floating_point():
            kind = "fractions" if expected[name].is_floating_point() else "whole numbers"
            raise CheckpointError(f"{path}: {name} is of {tensor.dtype}; its architecture needs {kind}.")
        if name.endswith("running_var") and (tensor < 0).any():
            raise CheckpointError(f"{path}: {name} holds variances below zero.")
    _check_numbers(tensors, path)
    model.load_state_dict(tensors)


def _check_numbers(tensors: Mapping[str, Tensor], path: Path) -> None:
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise CheckpointError(f"{path}: {name} holds numbers that are not finite.")
