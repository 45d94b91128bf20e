"""`train`: a network on the clips of a manifest, from mels to a checkpoint; its options are the trainer's own."""

import argparse
import inspect
import io
import json
import logging
import re
import tomllib
from dataclasses import MISSING, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msecnn.errors import MsecnnError

if TYPE_CHECKING:
    from msecnn.models.layers import MultiScaleCNN
    from msecnn.training.trainer import History, TrainConfig

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from msecnn.models import registry

    parser.add_argument("--model", metavar="NAME", help=f"one of {', '.join(registry.names())}")
    parser.add_argument("--data", type=Path, metavar="MANIFEST", help="a manifest, or the folder that holds one")
    parser.add_argument("--out", type=Path, metavar="RUN", help="folder of the run")
    parser.add_argument("--resume", action="store_true", help="go on where the run in --out ended")
    parser.add_argument("--config", type=Path, metavar="FILE.toml", help="any of these options; those given here win")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="of the mels (default: `mels` beside the manifest)")
    parser.add_argument("--filtered", action="store_true", help="only clips with at least one tag")
    parser.add_argument("--start-from", metavar="CHECKPOINT", help="weights to begin with: a bundled name, or a folder")
    parser.add_argument("--device", metavar="D", help="cpu or cuda (default: a GPU if there is one)")
    parser.add_argument("--threads", type=int, metavar="N", help="of the CPU (default: PyTorch's choice)")
    parser.add_argument("--jobs", type=int, metavar="N", help="audio files read at once (default: one a core)")
    add_config_arguments(parser)


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    """An option for each field of `TrainConfig` and `Augmentation`, with its default and its line of documentation."""
    from msecnn.training.augmentation import Augmentation
    from msecnn.training.trainer import TrainConfig

    for owner, title in ((TrainConfig, "training"), (Augmentation, "augmentation")):
        group = parser.add_argument_group(title)
        told = dict(re.findall(r"^    ([\w, ]+): (.+(?:\n {8}.+)*)", inspect.getdoc(owner) or "", re.MULTILINE))
        told = {name: " ".join(text.split()) for names, text in told.items() for name in names.split(", ")}
        for field in fields(owner):
            if field.name == "augmentation":
                continue
            default = field.default if field.default is not MISSING else None
            options: dict[str, Any] = {"help": f"{told[field.name]} ({default})".replace("%", "%%"), "default": None}
            if isinstance(default, bool):
                options["action"] = argparse.BooleanOptionalAction
            elif isinstance(default, tuple):
                options["nargs"] = "*"
                options["metavar"] = "PREFIX"
            else:
                options["type"] = int if default is None else type(default)
                options["metavar"] = "N" if options["type"] is int else "X"
                if options["type"] is str:
                    options["metavar"] = "NAME"
            group.add_argument(f"--{field.name.replace('_', '-')}", **options)


def config_from(args: argparse.Namespace) -> "TrainConfig":
    """The configuration that options, and the file that they name, make of the defaults."""
    from msecnn.training.augmentation import Augmentation
    from msecnn.training.trainer import TrainConfig

    given: list[dict[str, Any]] = []
    for owner in (TrainConfig, Augmentation):
        values = {field.name: getattr(args, field.name, None) for field in fields(owner)}
        given.append({name: value for name, value in values.items() if value is not None})
    if "frozen" in given[0]:
        given[0]["frozen"] = tuple(given[0]["frozen"])
    return TrainConfig(**given[0], augmentation=Augmentation(**given[1]))


def read_config_file(args: argparse.Namespace) -> None:
    """Fills the options that were not given from `--config`; paths in it are taken from where the file lies."""
    if args.config is None:
        return
    try:
        values = tomllib.loads(args.config.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise MsecnnError(f"cannot read {args.config}: {error}") from None
    for name, value in values.items():
        name = name.replace("-", "_")
        if name not in vars(args) or name in ("config", "resume", "command"):
            raise MsecnnError(f"{args.config}: there is no option {name!r}")
        if getattr(args, name) in (None, False):
            setattr(args, name, args.config.parent / value if name in ("data", "out", "cache") else value)


def run(args: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    read_config_file(args)
    for name in ("model", "data", "out"):
        if getattr(args, name) is None:
            raise MsecnnError(f"--{name} is missing")
    import torch

    from msecnn.data.manifest import Manifest
    from msecnn.data.mel_cache import MelCache
    from msecnn.frontend import MelConfig
    from msecnn.training import distributed, export
    from msecnn.training.trainer import TrainingData, train

    config = config_from(args)
    if args.threads:
        torch.set_num_threads(args.threads)
    manifest = Manifest.read(args.data)
    used = (manifest.filtered() if args.filtered else manifest).select(lambda clip: clip.split != "test")
    mel_config = MelConfig()
    cache_folder = args.cache or (args.data if args.data.is_dir() else args.data.parent) / "mels"
    with distributed.joined(args.device) as group:
        if group.first:
            MelCache.build(used, mel_config, cache_folder, jobs=args.jobs)
        group.wait()
        cache = MelCache.open(cache_folder, mel_config)
        used = cache.available(used)
        data = TrainingData.of(used, cache)
        model = make_model(args.model, manifest.tags, seed=config.seed, start_from=args.start_from)
        description = {
            "model": args.model,
            "data": {"name": manifest.name, "licence": manifest.licence, "manifest_sha256": manifest.hash,
                     "filtered": args.filtered, "n_train": len(data.train), "n_valid": len(data.valid)},
            "front_end": mel_config.to_json(),
            "tags": list(manifest.tags),
            "start_from": args.start_from,
        }  # fmt: skip
        history = train(
            model,
            data,
            config,
            out=args.out,
            resume=args.resume,
            description=description,
            device=group.device,
            after_epoch=lambda history: draw_learning_curve(args.out, history),
        )
        if group.first:
            card = json.loads((args.out / "config.json").read_text()) | {"best_epoch": history.best_epoch}
            card["metrics"] = [
                {"name": "binary cross-entropy", "value": history.best["valid_loss"], "n": len(data.valid),
                 "protocol": "validation split, one window a clip; the epoch was chosen by it"}
            ]  # fmt: skip
            features = export.clip_features(model, data, data.train)
            export.export(
                args.out / "checkpoint", model, features, mel_config=mel_config, tags=manifest.tags, card=card
            )
            log.info("the best weights, of epoch %d, are in %s", history.best_epoch, args.out / "checkpoint")
    return 0


def make_model(name: str, tags: tuple[str, ...], *, seed: int, start_from: str | None = None) -> "MultiScaleCNN":
    """A network in the order that trains fastest, with fresh weights or a checkpoint's."""
    import torch

    from msecnn import checkpoint
    from msecnn.models import registry
    from msecnn.models.layers import MultiScaleCNN

    torch.manual_seed(seed)
    try:
        model = registry.create(name, len(tags), order="pool_first")
    except KeyError as error:
        raise MsecnnError(str(error.args[0])) from None
    except TypeError:
        model = None
    if not isinstance(model, MultiScaleCNN):
        raise MsecnnError(f"{name} does not take mels, so it is not trained here")
    if start_from is None:
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


def draw_learning_curve(folder: Path, history: "History") -> None:
    """Writes `learning_curve.png` into a run's folder."""
    from msecnn.files import write_atomically
    from msecnn.plots.learning_curve import learning_curve

    picture = io.BytesIO()
    learning_curve(history.epochs, history.best_epoch, title=folder.name).savefig(picture, format="png", dpi=100)
    write_atomically(folder / "learning_curve.png", picture.getvalue())
