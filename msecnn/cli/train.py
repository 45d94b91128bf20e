"""`train`: a network on the clips of a manifest, from mels to a checkpoint; its options are the trainer's own."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from msecnn.cli.config_options import configured, of_config
from msecnn.cli.options import Option, resolve
from msecnn.errors import MsecnnError
from msecnn.training.augmentation import Augmentation
from msecnn.training.settings import TrainConfig

if TYPE_CHECKING:
    from msecnn.training.pipeline import RunSettings

COUNTS = range(1, 1025)
RUN = (
    Option("model", str, "a network of the registry: fcn5, msecnn, msecnn_wide", "NAME"),
    Option("data", Path, "a manifest, or the folder that holds one", "MANIFEST"),
    Option("out", Path, "folder of the run", "RUN"),
    Option("cache", Path, "of the mels (default: `mels` beside the manifest)", "DIR"),
    Option("device", str, "cpu or cuda (default: a GPU if there is one)", "D"),
    Option("threads", int, "of the CPU (default: PyTorch's choice)", "N", allowed=COUNTS),
    Option("jobs", int, "audio files read at once (default: one a core)", "N", allowed=COUNTS),
)
OWN = (
    Option("filtered", bool, "only clips with at least one tag (no)"),
    Option("start_from", str, "weights to begin with: a bundled name, or a folder", "CHECKPOINT"),
)
TRAINING, AUGMENTATION = tuple(of_config(TrainConfig)), tuple(of_config(Augmentation))
OPTIONS = (*RUN, *OWN, *TRAINING, *AUGMENTATION)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_options(parser, (*RUN, *OWN))


def add_options(parser: argparse.ArgumentParser, options: tuple[Option, ...]) -> None:
    """A command's own options, those of every run, and those of the configurations."""
    for option in options:
        option.add(parser)
    parser.add_argument("--resume", action="store_true", help="go on where the run in --out ended")
    parser.add_argument("--config", type=Path, metavar="FILE.toml", help="any of these options; those given here win")
    for title, group in (("training", TRAINING), ("augmentation", AUGMENTATION)):
        titled = parser.add_argument_group(title)
        for option in group:
            option.add(titled)


def train_config(args: argparse.Namespace) -> TrainConfig:
    """The trainer's configuration."""
    return configured(TrainConfig, args, augmentation=configured(Augmentation, args))


def run(args: argparse.Namespace) -> int:
    resolve(args, OPTIONS)
    for name in ("model", "data", "out"):
        if getattr(args, name) is None:
            raise MsecnnError(f"--{name} is missing")
    config = train_config(args)
    import torch

    from msecnn.data.manifest import Manifest
    from msecnn.training.pipeline import train_model

    settings = run_settings(args)
    if args.threads is not None:
        torch.set_num_threads(args.threads)
    manifest = Manifest.read(args.data)
    train_model(args.model, manifest, config, settings, filtered=bool(args.filtered), start_from=args.start_from)
    return 0


def run_settings(args: argparse.Namespace) -> "RunSettings":
    """Where to compute and what to leave; the device is looked for before anything is read."""
    from msecnn.runtimes.torch_runtime import pick_device
    from msecnn.training.pipeline import RunSettings

    if args.device is not None:
        pick_device(args.device)
    return RunSettings(
        args.out,
        args.cache or beside(args.data) / "mels",
        resume=args.resume,
        device=args.device,
        n_jobs=args.jobs,
        command=args.words,
    )


def beside(manifest: Path) -> Path:
    """The folder in which a manifest lies."""
    return manifest if manifest.is_dir() else manifest.parent
