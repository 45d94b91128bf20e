"""`distill`: a network learns what other taggers say of a manifest's clips; also labels clips and converts teachers."""

import argparse
import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msecnn.cli import train as train_command
from msecnn.errors import MsecnnError

if TYPE_CHECKING:
    from msecnn.data.manifest import Manifest
    from msecnn.distillation.pipeline import DistillConfig
    from msecnn.distillation.soft_labels import SoftLabels

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--teacher", nargs="+", metavar="T", dest="teachers",
        help="weights (.safetensors) of taggers to learn from, or the names of labels that lie in --labels",
    )  # fmt: skip
    parser.add_argument("--data", type=Path, metavar="MANIFEST", help="a manifest, or the folder that holds one")
    parser.add_argument("--labels", type=Path, metavar="DIR", help="of labels (default: `labels` beside the manifest)")
    parser.add_argument("--label-precision", metavar="NAME", default="bfloat16", help="or float32 (%(default)s)")
    parser.add_argument("--model", metavar="NAME", help="fcn5, msecnn or msecnn_wide; none: only label the clips")
    parser.add_argument("--out", type=Path, metavar="RUN", help="folder of the run")
    parser.add_argument("--resume", action="store_true", help="go on where the run in --out ended")
    parser.add_argument("--config", type=Path, metavar="FILE.toml", help="any of these options; those given here win")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="of the mels (default: `mels` beside the manifest)")
    parser.add_argument("--warm-start", type=Path, metavar="FILE", help="weights of Won et al.'s FCN to start from")
    parser.add_argument(
        "--label-odds-factor", type=float, metavar="X", help="factor on a target's odds where its label is known (1.2)"
    )
    parser.add_argument(
        "--concatenation", type=float, metavar="X", help="clips joined from two others, a training clip (0)"
    )
    parser.add_argument(
        "--path", metavar="CHECKPOINT", help="train nothing but the head, on the levels of this student as they are"
    )
    parser.add_argument(
        "--auxiliary", action=argparse.BooleanOptionalAction, default=None,
        help="while training, a second classifier on the last level alone (no)",
    )  # fmt: skip
    parser.add_argument("--convert", type=Path, metavar="WHEEL", help="only: musicnn's wheel to teachers, into --out")
    parser.add_argument("--device", metavar="D", help="cpu or cuda (default: a GPU if there is one)")
    parser.add_argument("--threads", type=int, metavar="N", help="of the CPU (default: PyTorch's choice)")
    parser.add_argument("--jobs", type=int, metavar="N", help="audio files read at once (default: one a core)")
    train_command.add_config_arguments(parser)


def run(args: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    train_command.read_config_file(args)
    if args.convert:
        return _convert(args)
    for name, meaning in (("teachers", "--teacher"), ("data", "--data")):
        if not getattr(args, name):
            raise MsecnnError(f"{meaning} is missing")
    if args.model and not args.out:
        raise MsecnnError("--out is missing")
    import torch

    from msecnn.data.manifest import Manifest

    if args.threads:
        torch.set_num_threads(args.threads)
    manifest = Manifest.read(args.data)
    folder = args.data if args.data.is_dir() else args.data.parent
    if args.model:  # nothing of the test split is needed to train, so nothing of it is looked at
        manifest = manifest.select(lambda clip: clip.split != "test")
    labels = _labels(args.teachers, manifest, args.labels or folder / "labels", args.label_precision)
    if args.model:
        _distill(args, manifest, labels, args.cache or folder / "mels")
    return 0


def _convert(args: argparse.Namespace) -> int:
    from msecnn.distillation.convert.musicnn_wheel import convert_wheel

    if not args.out:
        raise MsecnnError("--out is missing")
    for path in convert_wheel(args.convert, args.out):
        log.info("wrote %s", path)
    return 0


def _labels(given: list[str], manifest: "Manifest", folder: Path, precision: str) -> "list[SoftLabels]":
    """Labels of every teacher, in the order given; weights label what is not labelled yet."""
    from msecnn.distillation.soft_labels import PRECISIONS, SoftLabels, label
    from msecnn.distillation.teachers import load_teacher

    if precision not in PRECISIONS:
        raise MsecnnError(f"--label-precision may be {' or '.join(PRECISIONS)}, not {precision!r}")
    teachers = {name: load_teacher(name) for name in given if Path(name).suffix == ".safetensors"}
    fresh = label(manifest, list(teachers.values()), folder, precision=precision) if teachers else []
    made = dict(zip(teachers, fresh, strict=True))
    return [made[name] if name in made else SoftLabels.read(folder / f"{name}.npz") for name in given]


def _distill(args: argparse.Namespace, manifest: "Manifest", labels: "list[SoftLabels]", cache_folder: Path) -> None:
    from msecnn.data.mel_cache import MelCache
    from msecnn.distillation import model_card
    from msecnn.distillation import pipeline as distillation_pipeline
    from msecnn.distillation.concatenation import with_concatenation
    from msecnn.distillation.soft_labels import labelled
    from msecnn.distillation.teachers import load_teacher
    from msecnn.frontend import MelConfig
    from msecnn.training import distributed
    from msecnn.training.trainer import TrainingData, train

    config = _config_from(args)
    donor = load_teacher(args.warm_start) if args.warm_start else None
    mel_config = MelConfig()
    with distributed.joined(args.device) as group:
        if group.first:
            MelCache.build(manifest, mel_config, cache_folder, jobs=args.jobs)
        group.wait()
        cache = MelCache.open(cache_folder, mel_config)
        used = labelled(labels, cache.available(manifest))
        targets = distillation_pipeline.soft_targets(used, labels, label_odds_factor=config.label_odds_factor)
        data = TrainingData.of(used, cache, targets=targets)
        tags = labels[0].tags
        model = train_command.make_model(args.model, tags, seed=config.train.seed)
        if donor and not args.path:
            distillation_pipeline.start_warm(model, donor, used, cache, seed=config.train.seed)
        description = {
            "model": args.model,
            "distillation": config.to_json(),
            "teachers": [each.teacher for each in labels],
            "path": args.path,
            "front_end": mel_config.to_json(),
        }
        if args.path:
            origin = distillation_pipeline.load_backbone(model, args.path)
            run = _begin_run(args, description)
        else:
            origin = {"warm_start": model_card.warm_start(donor)}
            learner = distillation_pipeline.prepare(model, data, config, warm=donor is not None)
            n_concatenated = round(config.concatenation * len(data.train))
            more = with_concatenation(
                data, used, labels, n_concatenated=n_concatenated, mel_config=mel_config, seed=config.train.seed
            )
            history = train(
                learner, distillation_pipeline.for_learner(more, config), config.train,
                out=args.out, resume=args.resume,
                description=description, device=group.device,
                after_epoch=lambda history: train_command.draw_learning_curve(args.out, history),
            )  # fmt: skip
            run = json.loads((args.out / "config.json").read_text()) | {"best_epoch": history.best_epoch}
        if group.first:
            folder = args.out / "checkpoint"
            distillation_pipeline.finish(folder, model, data, run, used, labels, origin=origin, mel_config=mel_config)
            log.info("the student is in %s", folder)


def _begin_run(args: argparse.Namespace, description: dict[str, Any]) -> dict[str, Any]:
    """The folder of a run without epochs, with its configuration."""
    from msecnn.training.run_folder import RunFolder, TrainingError, origin

    folder = RunFolder(args.out)
    with folder.locked():
        if folder.config.exists() and not args.resume:
            raise TrainingError(f"{folder.path} holds a run already; give another --out, or --resume to do it again")
        run = {**origin(), **description}
        folder.write_json(folder.config, run)
    return run


def _config_from(args: argparse.Namespace) -> "DistillConfig":
    from msecnn.distillation.pipeline import DistillConfig

    given: dict[str, Any] = {name: getattr(args, name) for name in ("label_odds_factor", "concatenation", "auxiliary")}
    given = {name: value for name, value in given.items() if value is not None}
    return DistillConfig(train_command.config_from(args), **given)
