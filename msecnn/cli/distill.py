"""`distill`: a network learns what other taggers say of a manifest's clips; also labels clips and converts teachers."""

import argparse
import logging
from pathlib import Path

from msecnn.cli import train as train_command
from msecnn.cli.config_options import configured, of_config
from msecnn.cli.options import Option, resolve
from msecnn.distillation.pipeline import DistillConfig
from msecnn.errors import MsecnnError

log = logging.getLogger(__name__)

TEACHER = "weights (.safetensors) of taggers to learn from, or the names of labels that lie in --labels"
OWN = (
    Option("teacher", str, TEACHER, "T", many=True),
    Option("labels", Path, "of labels (default: `labels` beside the manifest)", "DIR"),
    Option("label_precision", str, "bfloat16 or float32 (bfloat16)", "NAME"),
    Option("warm_start", Path, "weights of Won et al.'s FCN to start from", "FILE"),
    Option("start_from", str, "tensors of the network that a transferred system is put upon", "FILE"),
    Option("path", str, "train nothing but the head, on the levels of this student as they are", "CHECKPOINT"),
    Option("convert", Path, "only: musicnn's wheel to teachers, into --out", "WHEEL"),
    *of_config(DistillConfig),
)
OPTIONS = (*train_command.RUN, *OWN, *train_command.TRAINING, *train_command.AUGMENTATION)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    train_command.add_options(parser, (*train_command.RUN, *OWN))


def run(args: argparse.Namespace) -> int:
    resolve(args, OPTIONS)
    if args.convert:
        return _convert(args)
    config = configured(DistillConfig, args, train=train_command.train_config(args))
    for name in ("teacher", "data", *(["out"] if args.model else [])):
        if not getattr(args, name):
            raise MsecnnError(f"--{name} is missing")
    import torch

    from msecnn.data.manifest import Manifest
    from msecnn.distillation.pipeline import Start, distill
    from msecnn.distillation.soft_labels import label_manifest

    folder = train_command.beside(args.data)
    settings = train_command.run_settings(args)
    if args.threads is not None:
        torch.set_num_threads(args.threads)
    manifest = Manifest.read(args.data)
    if args.model:  # nothing of the test split is needed to train, so nothing of it is looked at
        manifest = manifest.select(lambda clip: clip.split != "test")
    precision = args.label_precision or "bfloat16"
    labels = label_manifest(
        args.teacher, manifest, args.labels or folder / "labels", precision=precision, device=args.device
    )
    if args.model:
        start = Start(args.warm_start, args.path, args.start_from)
        distill(args.model, manifest, labels, config, settings, start, train_command.sizes(args.size))
    return 0


def _convert(args: argparse.Namespace) -> int:
    from msecnn.distillation.convert.musicnn_wheel import convert_wheel

    if not args.out:
        raise MsecnnError("--out is missing")
    for path in convert_wheel(args.convert, args.out):
        log.info("wrote %s", path)
    return 0
