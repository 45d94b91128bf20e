"""A folder on disk to network, front end and vocabulary, and back; verified.

NAME/model.safetensors      weights, and the mean features that explanations measure from
NAME/card.json              all that is needed to rebuild the network, and all that a reader should know of it
NAME/selftest.safetensors   a waveform with its mel, features and logits, against which every load can be checked
"""

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from msecnn import hub, run_record
from msecnn.checkpoint_card import SCHEMA, Card, CheckpointError, read_card
from msecnn.checkpoint_weights import Kind, NetworkWeights, check_numbers, check_weights, read_weights
from msecnn.files import printable, write_atomically, write_json
from msecnn.frontend import MelConfig
from msecnn.models.structure import MultiScaleStructure, ScaleClassifier, structure_of
from msecnn.resources import resource_folder

if TYPE_CHECKING:
    from torch import Tensor

    from msecnn.models.tagging_model import TaggingModule

log = logging.getLogger(__name__)

#: Checkpoints that come with the program.
BUNDLED = resource_folder("checkpoints")
WEIGHTS, CARD, SELFTEST = "model.safetensors", "card.json", "selftest.safetensors"
LONGEST_NAME = 80  # characters
_MEAN_FEATURES = "mean_features."


@dataclass(frozen=True)
class Checkpoint:
    """A trained network with all that belongs to it.

    Attributes:
        name: the folder's name.
        folder: where it lies.
        network: as numbers, of which each runtime makes its own, or by torch, on the CPU.
        mel_config: its front end (for a model on waveforms, the rate and length that it expects).
        tags: the K names of the model's outputs, in order.
        card: everything `card.json` says.
        mean_features: each scale's average features (C,) over the training clips, or None where they are not known.
    """

    name: str
    folder: Path
    network: "NetworkWeights | TaggingModule"
    mel_config: MelConfig
    tags: tuple[str, ...]
    card: dict[str, Any]
    mean_features: dict[str, np.ndarray] | None

    @cached_property
    def model(self) -> "TaggingModule":
        """The network by torch, in evaluation mode; the first to ask for it loads torch."""
        if not isinstance(self.network, NetworkWeights):
            return self.network
        from msecnn import checkpoint_network

        return checkpoint_network.network_of(self.network)

    @cached_property
    def structure(self) -> MultiScaleStructure | None:
        """The sizes of a network that a structure alone describes; None for others."""
        if isinstance(self.network, NetworkWeights):
            return self.network.structure
        return structure_of(self.network.architecture, self.network.parameters_json())

    @property
    def tensors(self) -> Mapping[str, np.ndarray]:
        """The weights by their names."""
        if isinstance(self.network, NetworkWeights):
            return self.network.tensors
        return {name: tensor.cpu().numpy() for name, tensor in self.network.state_dict().items()}

    @property
    def classifier(self) -> ScaleClassifier | None:
        """That of a network with scales."""
        if not isinstance(self.network, NetworkWeights):
            return ScaleClassifier.of(self.network) if self.network.scales else None
        structure, tensors = self.network.structure, self.network.tensors
        weight, bias = (tensors[f"classifier.{name}"].astype(np.float32) for name in ("weight", "bias"))
        return ScaleClassifier(structure.scales, structure.n_features, weight, bias)

    @property
    def untrained(self) -> bool:
        """Whether the card says that its numbers mean nothing."""
        return bool(self.card.get("untrained", False))


def bundled() -> tuple[str, ...]:
    """Names of the checkpoints that come with the program."""
    return tuple(sorted(card.parent.name for card in BUNDLED.glob(f"*/{CARD}")))


def save(
    folder: str | Path,
    model: "TaggingModule",
    *,
    mel_config: MelConfig,
    tags: tuple[str, ...],
    card: Mapping[str, Any],
    mean_features: "Mapping[str, Tensor] | None" = None,
) -> None:
    """Writes a checkpoint. Weights go first and the card last, so that an interrupted save is seen as one.

    Args:
        card: what training knows: data, command, metrics, limits... What the network itself tells is added.
        mean_features: (C,) for each scale.
    """
    from msecnn import checkpoint_network

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    means = {_MEAN_FEATURES + scale: mean for scale, mean in (mean_features or {}).items()}
    weights = checkpoint_network.weights_bytes(model, means)
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
    write_atomically(folder / SELFTEST, checkpoint_network.selftest_bytes(model, mel_config))
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
    network, mean_features = _read_network(card, folder)
    if complaint := run_record.complaint(card.content):
        told = f"{folder / CARD} contradicts itself: {complaint}."
        if folder.parent == BUNDLED:
            raise CheckpointError(told)
        log.warning(told)  # of a run of one's own: its weights are still what they are
    return Checkpoint(
        name=printable(address.name if address else folder.name, longest=LONGEST_NAME),
        folder=folder,
        network=network,
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
    from msecnn import checkpoint_network

    path = checkpoint.folder / SELFTEST
    checkpoint_network.verify(checkpoint.name, checkpoint.model, checkpoint.mel_config, path)


def _find(name_or_folder: str | Path) -> Path:
    for folder in (Path(name_or_folder), BUNDLED / str(name_or_folder)):
        if (folder / CARD).is_file():
            return folder.resolve()
    raise CheckpointError(
        f"There is no checkpoint {str(name_or_folder)!r}: neither a folder with a {CARD} "
        f"nor one of the bundled ones ({', '.join(bundled()) or 'none'})."
    )


def _read_network(card: Card, folder: Path) -> "tuple[NetworkWeights | TaggingModule, dict[str, np.ndarray]]":
    """The network that a card describes, with its weights, and its average features; all checked.

    A network with levels needs no torch for that.
    """
    try:
        structure = structure_of(card.architecture, card.parameters)
    except ValueError as error:
        raise CheckpointError(f"{folder / CARD}: {card.architecture} cannot be built: {error}") from error
    if structure is not None:
        _check_front_end(card, (structure.n_mels, structure.n_frames), folder / CARD)
        tensors, means = _read_tensors(card, structure.tensors, folder / WEIGHTS, structure.n_features)
        return NetworkWeights(card, structure, tensors), means
    from msecnn import checkpoint_network

    model = checkpoint_network.build(card, folder / CARD)
    if (taken := model.front_end) is not None:
        _check_front_end(card, (taken.n_mels, taken.n_frames), folder / CARD)
    tensors, means = _read_tensors(card, checkpoint_network.kinds(model), folder / WEIGHTS, model.n_features)
    return checkpoint_network.fill(model, tensors), means


def _read_tensors(
    card: Card, expected: Mapping[str, Kind], path: Path, n_features: Mapping[str, int]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Weights, and average features by scale."""
    tensors = read_weights(path, card.sha256, expected.values())
    means = {key: tensors.pop(key) for key in list(tensors) if key.startswith(_MEAN_FEATURES)}
    means = {key.removeprefix(_MEAN_FEATURES): mean for key, mean in means.items()}
    check_weights(tensors, expected, path)
    check_numbers(means, path)
    if means and {scale: mean.shape for scale, mean in means.items()} != {s: (n,) for s, n in n_features.items()}:
        raise CheckpointError(f"{path}: its mean_features are not of the sizes of its network's scales.")
    return tensors, means


def _check_front_end(card: Card, taken: tuple[int, int], path: Path) -> None:
    given = card.front_end
    if taken != (given.n_mels, given.n_frames):
        raise CheckpointError(
            f"{path}: its front end gives {given.n_mels} mel bands and {given.n_frames} frames; "
            f"its network takes {taken[0]} and {taken[1]}."
        )
