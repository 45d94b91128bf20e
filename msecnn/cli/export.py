"""`export`: checkpoints as one file for programs without torch."""

import argparse
from pathlib import Path

#: What a checkpoint can be exported as.
FORMATS = ("onnx",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "models", nargs="+", metavar="MODEL", help="bundled model or folder; several share one front end in one file"
    )
    parser.add_argument("--format", choices=FORMATS, default="onnx", help="default: onnx")
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: the models' names, in this folder")
    parser.add_argument(
        "--input",
        choices=("waveform", "mel"),
        default="waveform",
        help="what the graph takes: sound, or a log-mel of one's own (default: waveform)",
    )
    parser.add_argument("--maps", action="store_true", help="give the maps of every level, too")


def run(args: argparse.Namespace) -> int:
    from msecnn import checkpoint
    from msecnn.onnx_export import export_onnx

    checkpoints = [checkpoint.load(name) for name in args.models]
    path = args.out or Path(f"{'-'.join(loaded.name for loaded in checkpoints)}.onnx")
    export_onnx(checkpoints, path, from_input=args.input, with_maps=args.maps)
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
    return 0
