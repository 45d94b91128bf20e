"""`what-if`: tags before and after edits of a sound, what each scale changed, which evidence went and came."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from msecnn.errors import MsecnnError

if TYPE_CHECKING:
    from msecnn.what_if.edit import Edit
    from msecnn.what_if.intervention import WhatIf
    from msecnn.what_if.response import Response


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="mp3, ogg, opus, flac, wav, m4a, webm or mp4")
    parser.add_argument(
        "--edit",
        action="append",
        default=[],
        metavar="NAME=…",
        help="speed=1.1, pitch=-2, remove=3.2:4.0,200:800 (seconds, Hz), keep=…, noise=20, harmonic and others "
        "(docs/what_if.md); several are made in their order",
    )
    parser.add_argument(
        "--curve",
        action="append",
        default=[],
        metavar="NAME=FROM:TO:POINTS",
        help="tags over the strengths of one more edit after the others: speed=0.8:1.2:9; may be given several times",
    )
    parser.add_argument(
        "--model", action="append", metavar="NAME", help="bundled model or folder; several times for several"
    )
    parser.add_argument("--tag", metavar="TAG", help="whose evidence is compared (default: the most probable one)")
    parser.add_argument(
        "--evidence",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="explain before and after (default: yes)",
    )
    parser.add_argument("--start-s", type=float, default=0.0, metavar="S", help="where the part begins (default: 0)")
    parser.add_argument("--duration-s", type=float, metavar="S", help="of the part (default: all, at most 600)")
    parser.add_argument("--top", type=int, default=5, metavar="N", help="tags in the table (default: 5)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write the answer, both sounds and the curves there")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="default: table")
    parser.add_argument("--device", metavar="D", help="cpu or cuda (default: a GPU if there is one)")


def run(args: argparse.Namespace) -> int:
    from msecnn.checkpoint import bundled
    from msecnn.tagger import Tagger
    from msecnn.what_if.intervention import what_if
    from msecnn.what_if.notation import parse_chain, parse_curve
    from msecnn.what_if.table import table

    if args.top < 1:
        raise MsecnnError(f"--top must be at least 1, not {args.top}.")
    edits, spans = parse_chain(args.edit), [parse_curve(text) for text in args.curve]
    taggers = [Tagger.from_checkpoint(name, device=args.device) for name in dict.fromkeys(args.model or bundled())]
    part = {"start_s": args.start_s, "duration_s": args.duration_s}
    answer = what_if(taggers, args.file, edits, tag=args.tag, name=args.file, **part)
    curves = [_curve(answer, edit, strengths) for edit, strengths in spans]
    told = answer.to_json(evidence=args.evidence) | {"curves": [curve.to_json() for curve in curves]}
    if args.out is not None:
        _write(args.out, answer, told, curves)
    if args.format == "json":
        print(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        print(table(told, args.top))
    return 0


def _curve(answer: "WhatIf", edit: "Edit", strengths: tuple[float, ...]) -> "Response":
    hidden = not sys.stderr.isatty()
    with tqdm(total=1.0, desc=edit.name, leave=False, delay=2, disable=hidden) as bar:
        return answer.response(edit, strengths, progress=lambda done: bar.update(done - bar.n) and None)


def _write(folder: Path, answer: "WhatIf", told: dict[str, Any], curves: list["Response"]) -> None:
    from msecnn.plots.explanation_files import write_folder
    from msecnn.plots.what_if_files import what_if_files

    try:
        write_folder(folder, what_if_files(answer, told, curves))
    except OSError as error:
        raise MsecnnError(f"{folder} cannot be written: {error.strerror}.") from error
