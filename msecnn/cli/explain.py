"""`explain`: why a model gave a tag, as a table, as JSON, and as a folder of pictures, sounds and a report."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from msecnn.cli.explanation_table import print_cells, print_split, print_table
from msecnn.errors import MsecnnError

if TYPE_CHECKING:
    from msecnn.explain import Explanation
    from msecnn.tagger import Tagger


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from msecnn.explain import BASELINES, DEFAULT_BASELINE, DEFAULT_FILL, DEFAULT_METHOD, FILLS, METHODS, TOP_SHARE

    parser.add_argument("file", metavar="FILE", help="mp3, ogg, opus, flac, wav, m4a, webm or mp4")
    parser.add_argument("--model", default="msecnn", metavar="NAME", help="bundled model or folder (default: msecnn)")
    parser.add_argument("--tag", metavar="TAG", help="the tag to explain (default: the most probable one)")
    parser.add_argument(
        "--window", type=int, metavar="I", help="which window, from 0 (default: where the tag is most probable)"
    )
    parser.add_argument(
        "--method", choices=METHODS, default=DEFAULT_METHOD, help=f"of the saliency maps (default: {DEFAULT_METHOD})"
    )
    parser.add_argument(
        "--baseline",
        choices=BASELINES,
        default=DEFAULT_BASELINE,
        help=f"what the maps measure from (default: {DEFAULT_BASELINE})",
    )
    parser.add_argument(
        "--top",
        type=float,
        default=100 * TOP_SHARE,
        metavar="PERCENT",
        help=f"of the spectrogram at most that is kept in a sound (default: {100 * TOP_SHARE:g})",
    )
    parser.add_argument(
        "--fill",
        choices=FILLS,
        default=DEFAULT_FILL,
        help=f"what the rest becomes: each band's mean over the window, or silence (default: {DEFAULT_FILL})",
    )
    parser.add_argument(
        "--equal-loudness",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="make every sound as loud as the recording (default: yes)",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="write maps, pictures, sounds and a report there")
    parser.add_argument(
        "--contributions",
        action="store_true",
        help="only what each scale adds and its winning cells: exact, and without PyTorch",
    )
    parser.add_argument("--format", choices=("table", "json"), default="table", help="default: table")
    parser.add_argument("--device", metavar="D", help="cpu or cuda (default: a GPU if there is one)")


def run(args: argparse.Namespace) -> int:
    if not 0 < args.top <= 100:
        raise MsecnnError(f"--top is a percentage above 0 and up to 100, not {args.top:g}.")
    if args.contributions:
        return _contributions(args)
    from msecnn.tagger import Tagger

    tagger = Tagger.from_checkpoint(args.model, device=args.device)
    with tqdm(total=1.0, desc=args.method, leave=False, delay=2, disable=not sys.stderr.isatty()) as bar:
        if not tagger.model.scales:
            return _explain_whole(args, tagger, bar)
        explanation = _explanation(args, tagger, bar)
        answer = explanation.to_json()
    for warning in explanation.warnings:
        print(f"msecnn explain: {warning}", file=sys.stderr)
    if explanation.maps.delta_is_large:
        print("msecnn explain: the maps miss over 2 % of the change that they should add up to.", file=sys.stderr)
    if args.out is not None:
        _write(args, explanation)
    if args.format == "json":
        print(json.dumps(answer, ensure_ascii=False, indent=2))
    else:
        print_table(explanation)
    return 0


def _explain_whole(args: argparse.Namespace, tagger: "Tagger", bar: tqdm) -> int:
    """What there is of a model without scales."""
    from msecnn.cli import whole_network_table
    from msecnn.explain.choices import choose_tag, choose_window, most_probable_window
    from msecnn.explain.whole_network import Grid, WholeNetwork

    prediction = tagger.tag(args.file)
    tag_index = choose_tag(prediction, args.tag)
    window = most_probable_window(prediction, tag_index) if args.window is None else args.window
    grid = Grid(tagger.checkpoint.mel_config, float(prediction.window_starts_s[choose_window(prediction, window)]))
    whole = WholeNetwork.of(tagger, prediction, prediction.tags[tag_index], grid)
    maps = whole.maps(args.method, args.baseline, progress=lambda done: bar.update(done - bar.n) and None)
    told = whole_network_table.answer(whole, maps, args.file)
    if args.out is not None:
        whole_network_table.write(args.out, whole, maps, told)
    whole_network_table.show(told, args.format)
    return 0


def _contributions(args: argparse.Namespace) -> int:
    from msecnn import checkpoint
    from msecnn.explain.cell_evidence import window_evidence
    from msecnn.explain.explanation_json import SCHEMA, cells_json
    from msecnn.explain.scale_split import scale_split
    from msecnn.runtimes import fastest
    from msecnn.tagger import Tagger

    if args.out is not None:
        raise MsecnnError("--contributions makes no pictures and no sounds for --out.")
    loaded = checkpoint.load(args.model)
    tagger = Tagger(loaded, device=args.device, runtime=fastest([loaded], device=args.device))
    prediction = tagger.tag(args.file)
    split = scale_split(tagger, prediction, args.tag, args.window)
    evidence = window_evidence(loaded, prediction, split.tag_index, split.window)
    for warning in prediction.notes:
        print(f"msecnn explain: {warning}", file=sys.stderr)
    if args.format == "json":
        answer = {"schema": SCHEMA, "file": args.file, **split.to_json(), "cells": cells_json(evidence)}
        print(json.dumps(answer, ensure_ascii=False, indent=2))
    else:
        print_split(split, args.file)
        print_cells(evidence)
    return 0


def _explanation(args: argparse.Namespace, tagger: "Tagger", bar: tqdm) -> "Explanation":
    from msecnn.explain import explain

    return explain(
        tagger,
        tagger.tag(args.file),
        args.tag,
        args.window,
        method=args.method,
        baseline=args.baseline,
        recording=args.file,
        name=args.file,
        progress=lambda done: bar.update(done - bar.n) and None,
    )


def _write(args: argparse.Namespace, explanation: "Explanation") -> None:
    from msecnn.plots.explanation_files import explanation_files, write_folder

    files = explanation_files(explanation, share=args.top / 100, fill=args.fill, equal_loudness=args.equal_loudness)
    try:
        write_folder(args.out, files)
    except OSError as error:
        raise MsecnnError(f"{args.out} cannot be written: {error.strerror}.") from error
