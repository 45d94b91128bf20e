"""From nothing to the paper's Table 1: fetch MagnaTagATune, train each recipe with three seeds, evaluate, write it.

    python recipes/run.py recipes/fcn5_magnatagatune.toml recipes/msecnn_magnatagatune.toml --root /data/magnatagatune

Every step goes on where it ended: run the same command again after a crash, a full disk or Ctrl-C. Runs lie in
ROOT/runs/RECIPE-SEED, the table in ROOT/report/report.md. Each step is a command that is printed and can be typed.
"""

import argparse
import logging
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # so that it runs from a checkout that is not installed

from msecnn.cli import main as msecnn


def main(argv: Sequence[str] | None = None) -> int:
    """Runs all steps; the first that fails ends it with its own exit status."""
    args = parse(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")  # each command's own would come too late after one
    for command in steps(args):
        print("$ python -m msecnn", shlex.join(command), flush=True)
        status = msecnn(command)
        if status:
            return status
    return 0


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("recipes", nargs="+", type=Path, metavar="RECIPE.toml", help="options of `train`")
    parser.add_argument("--root", type=Path, required=True, help="of MagnaTagATune, and of all that is made of it")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="a run for each (0 1 2)")
    parser.add_argument("--set", nargs="+", default=[], metavar="OPTION=VALUE", help="overrides the recipes: epochs=2")
    parser.add_argument("--device", help="cpu or cuda (a GPU if there is one)")
    parser.add_argument("--mirror", metavar="URL", help="from where to fetch")
    parser.add_argument("--no-download", action="store_true", help="take only what lies under ROOT")
    args = parser.parse_args(argv)
    for recipe in args.recipes:
        if not recipe.is_file():
            parser.error(f"there is no recipe {recipe}")
    for setting in args.set:
        if "=" not in setting:
            parser.error(f"--set takes OPTION=VALUE, not {setting}")
    return args


def steps(args: argparse.Namespace) -> list[list[str]]:
    """The commands, in order: prepare, a training run for each recipe and seed, evaluate."""
    data = str(args.root / "folders.jsonl")
    device = ["--device", args.device] if args.device else []
    prepare = ["prepare", "magnatagatune", str(args.root)]
    prepare += ["--mirror", args.mirror] if args.mirror else []
    prepare += ["--no-download"] if args.no_download else []
    runs = {
        (recipe, seed): args.root / "runs" / f"{recipe.stem}-{seed}" for recipe in args.recipes for seed in args.seeds
    }
    train = [
        ["train", "--config", str(recipe), "--data", data, "--out", str(run), "--seed", str(seed), "--resume"]
        + [word for setting in args.set for word in option(setting)]
        + device
        for (recipe, seed), run in runs.items()
    ]
    checkpoints = [str(run / "checkpoint") for run in runs.values()]
    evaluate = ["evaluate", *checkpoints, "--data", data, "--out", str(args.root / "report"), *device]
    return [prepare, *train, evaluate]


def option(setting: str) -> list[str]:
    """`epochs=2` as `--epochs 2`; `roll=true` and `roll=false` as `--roll` and `--no-roll`."""
    name, _, value = setting.partition("=")
    name = name.replace("_", "-")
    if value in ("true", "false"):
        return [f"--{name}" if value == "true" else f"--no-{name}"]
    return [f"--{name}", value]


if __name__ == "__main__":
    sys.exit(main())
