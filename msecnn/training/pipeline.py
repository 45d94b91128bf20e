"""`train_model`: a network learns the labels of a manifest's clips, from mels to a checkpoint with its card."""

import io
import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from msecnn import checkpoint
from msecnn.data.manifest import Manifest
from msecnn.data.mel_cache import MelCache
from msecnn.errors import MsecnnError
from msecnn.files import write_atomically
from msecnn.frontend import MelConfig
from msecnn.models import registry
from msecnn.models.layers import MultiScaleCNN
from msecnn.models.tagging_model import TaggingModule
from msecnn.plots.learning_curve import learning_curve
from msecnn.training import distributed, export
from msecnn.training.data import TrainingData
from msecnn.training.fitting import prepared
from msecnn.training.history import History
from msecnn.training.run_folder import PROGRAM, command_line
from msecnn.training.settings import TrainConfig
from msecnn.training.trainer import train

log = logging.getLogger(__name__)

#: On a GPU drawing the learning curve takes as long as an epoch.
SECONDS_BETWEEN_DRAWINGS = 30.0


@dataclass(frozen=True)
class RunSettings:
    """Where a run computes and what it leaves; nothing of this changes the result.

    Attributes:
        out: the run's folder; its checkpoint goes into `checkpoint` there.
        cache: folder of the mels, which are computed where they are missing.
        resume: go on where the run in `out` ended.
        device: None takes a GPU if there is one.
        n_jobs: audio files read at once; None is one a core.
        command: the words typed, for the card; None: this was not started by a command of ours.
    """

    out: Path
    cache: Path
    resume: bool = False
    device: str | None = None
    n_jobs: int | None = None
    command: Sequence[str] | None = None

    @property
    def checkpoint(self) -> Path:
        """Where the trained network is written."""
        return self.out / "checkpoint"

    def origin(self) -> dict[str, str]:
        """What the card says of the command."""
        return {} if self.command is None else {"command": command_line([*PROGRAM, *self.command])}


def train_model(
    name: str,
    manifest: Manifest,
    config: TrainConfig,
    settings: RunSettings,
    *,
    filtered: bool = False,
    start_from: str | None = None,
    sizes: Mapping[str, int] | None = None,
) -> Path:
    """Trains a network of the registry on a manifest's training clips, validated on its validation clips.

    Args:
        name: of the registry.
        filtered: take only clips with at least one tag.
        start_from: weights to begin with: a bundled checkpoint's name, a folder, or a source's tensors (.safetensors).
        sizes: of the network, as the registry takes them.

    Returns:
        The checkpoint's folder, `settings.checkpoint`.

    Raises:
        MsecnnError: a sentence on what went wrong; the last good state is kept.
    """
    used = (manifest.filtered() if filtered else manifest).select(lambda clip: clip.split != "test")
    with distributed.joined(settings.device) as group:
        model = make_model(name, manifest.tags, config, start_from=start_from, sizes=sizes)
        cache = cached(used, settings, group, model.clip_front_end)
        data = TrainingData.of(cache.available(used), cache)
        description = {
            "model": name,
            "data": {"name": manifest.name, "licence": manifest.licence, "manifest_sha256": manifest.hash,
                     "filtered": filtered, "n_train": len(data.train), "n_valid": len(data.valid)},
            "front_end": front_end_of(model).to_json(),
            "tags": list(manifest.tags),
            "start_from": start_from,
        }  # fmt: skip
        fresh = not brings_stages(start_from)
        learner, given = prepared(model, data, config, out=settings.out, group=group, fit=fresh)
        history = run(learner, given, config, settings, description, group)
        if group.first:
            card = run_record(settings, history) | {"metrics": [_metric(history, len(data.valid))]}
            if model.differences:
                card["differences_from_paper"] = f"{'; '.join(model.differences)}."
            features = export.clip_features(model, data, data.train) if isinstance(model, MultiScaleCNN) else None
            front_end = front_end_of(model)
            export.export(settings.checkpoint, model, features, mel_config=front_end, tags=manifest.tags, card=card)
            log.info("the best weights, of epoch %d, are in %s", history.best_epoch, settings.checkpoint)
    return settings.checkpoint


def front_end_of(model: TaggingModule) -> MelConfig:
    """Of a network on mels, as all that are trained here."""
    assert model.front_end is not None
    return model.front_end


def cached(manifest: Manifest, settings: RunSettings, group: distributed.Processes, config: MelConfig) -> MelCache:
    """The mels of all clips, computed by the first process."""
    if group.first:
        MelCache.build(manifest, config, settings.cache, jobs=settings.n_jobs)
    group.wait()
    return MelCache.open(settings.cache, config)


def run(
    learner: torch.nn.Module,
    data: TrainingData,
    config: TrainConfig,
    settings: RunSettings,
    description: Mapping[str, Any],
    group: distributed.Processes,
) -> History:
    """Trains in the settings's folder; the learning curve is drawn at the end, and before at most every half minute."""
    drawn_at = float("-inf")

    def draw(history: History) -> None:
        nonlocal drawn_at
        if time.monotonic() - drawn_at > SECONDS_BETWEEN_DRAWINGS:
            draw_learning_curve(settings.out, history)
            drawn_at = time.monotonic()

    history = train(
        learner,
        data,
        config,
        out=settings.out,
        resume=settings.resume,
        description={**settings.origin(), **description},
        device=group.device,
        after_epoch=draw,
    )
    if group.first:
        draw_learning_curve(settings.out, history)
    return history


def run_record(settings: RunSettings, history: History) -> dict[str, Any]:
    """What the run's folder says of the run, for the card."""
    record: dict[str, Any] = json.loads((settings.out / "config.json").read_text(encoding="utf-8"))
    seconds = sum(epoch["train_s"] + epoch["valid_s"] for epoch in history.epochs)
    return record | {
        "best_epoch": history.best_epoch,
        "n_epochs": len(history.epochs),
        "train_s": round(seconds, 1),
    }


def make_model(
    name: str,
    tags: tuple[str, ...],
    config: TrainConfig,
    *,
    start_from: str | None = None,
    sizes: Mapping[str, int] | None = None,
) -> TaggingModule:
    """A network with fresh weights of the configuration's seed, or with a checkpoint's.

    Args:
        start_from: a checkpoint; or tensors (.safetensors) for a network that is put upon a source.
        sizes: as the registry takes them.

    Raises:
        MsecnnError: there is no such network or checkpoint, or one does not fit the other.
    """
    torch.manual_seed(config.seed)
    model = _untrained(name, len(tags), config.order, sizes or {})
    needs_source = hasattr(model, "load_source")
    if needs_source != (start_from is not None and not brings_stages(start_from)):
        what = "its source's tensors (.safetensors)" if needs_source else "a checkpoint, not tensors"
        raise MsecnnError(f"{name} takes {what} as --start-from")
    if start_from is None:
        return model
    if needs_source:
        _load_source(model, Path(start_from))
        return model
    given = checkpoint.load(start_from)
    weights = given.model.state_dict()
    if given.tags != tags:  # another vocabulary: the convolutions start from the checkpoint, the classifier anew
        weights = {key: value for key, value in weights.items() if not key.startswith("classifier.")}
    try:
        missing, unknown = model.load_state_dict(weights, strict=False)
    except RuntimeError as error:
        raise MsecnnError(f"{start_from} does not fit {name}: {str(error).splitlines()[1].strip()}") from None
    if unknown or any(not key.startswith("classifier.") for key in missing):
        raise MsecnnError(f"{start_from} does not fit {name}: {', '.join([*unknown, *missing][:3])}")
    return model


def brings_stages(start_from: str | None) -> bool:
    """Whether weights to begin with bring all that is fitted before training: a checkpoint does, a source does not."""
    return start_from is not None and Path(start_from).suffix != ".safetensors"


def _load_source(model: Any, path: Path) -> None:
    try:
        model.load_source(load_file(path))
    except (OSError, SafetensorError, RuntimeError) as error:
        raise MsecnnError(f"{path} is no source of {model.architecture}: {error}") from error


def _untrained(name: str, n_tags: int, order: str, sizes: Mapping[str, int]) -> TaggingModule:
    try:
        try:
            model = registry.create(name, n_tags, order=order, **sizes)
        except TypeError:  # it takes no order of levels, so it has none
            model = registry.create(name, n_tags, **sizes)
    except KeyError as error:
        raise MsecnnError(str(error.args[0])) from None
    except (TypeError, ValueError) as error:
        raise MsecnnError(f"{name} cannot be built so: {error}") from None
    if model.front_end is None:
        raise MsecnnError(f"{name} does not take mels, so it is not trained here")
    return model


def draw_learning_curve(folder: Path, history: History) -> None:
    """Writes `learning_curve.png` into a run's folder."""
    picture = io.BytesIO()
    learning_curve(history.epochs, history.best_epoch, title=folder.name).savefig(picture, format="png", dpi=100)
    write_atomically(folder / "learning_curve.png", picture.getvalue())


def _metric(history: History, n_valid: int) -> dict[str, Any]:
    return {
        "name": "binary cross-entropy",
        "value": history.best["valid_loss"],
        "n": n_valid,
        "protocol": "validation split, one window a clip; the epoch was chosen by it",
    }
