"""`tag`: recordings in, tags out, as a table, JSON or CSV."""

import argparse
import csv
import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from tqdm import tqdm

from msecnn.errors import MsecnnError

if TYPE_CHECKING:
    from msecnn.tagger import Tagger, TagPrediction

UNTRAINED = "{model} has random weights: its numbers mean nothing until a trained checkpoint takes its place."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="mp3, ogg, opus, flac, wav, m4a, webm, mp4")
    parser.add_argument(
        "--model",
        action="append",
        metavar="NAME",
        help="a bundled model's name or a checkpoint's folder; may be given several times (default: all bundled ones)",
    )
    parser.add_argument("--top", type=int, default=10, metavar="N", help="tags to print in the table (default: 10)")
    parser.add_argument("--hop-s", type=float, metavar="S", help="seconds between windows (default: 29.12, a window)")
    parser.add_argument("--format", choices=("table", "json", "csv"), default="table", help="default: table")
    parser.add_argument("--device", metavar="D", help="cpu or cuda (default: a GPU if there is one)")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32", help="default: float32")


def run(args: argparse.Namespace) -> int:
    from msecnn.checkpoint import bundled
    from msecnn.tagger import Tagger

    if args.top < 1:
        raise MsecnnError(f"--top must be at least 1, not {args.top}.")
    names = list(dict.fromkeys(args.model or bundled()))
    taggers = [Tagger.from_checkpoint(name, device=args.device, dtype=args.dtype) for name in names]
    for tagger in taggers:
        if tagger.checkpoint.untrained:
            print(f"msecnn tag: {UNTRAINED.format(model=tagger.name)}", file=sys.stderr)
    answers = []
    for file in tqdm(args.files, unit="file", disable=len(args.files) == 1 or not sys.stderr.isatty()):
        answers.append(_answer(file, taggers, args.hop_s))
        if args.format == "table":
            print_table(answers[-1], args.top, sys.stdout)
    if args.format == "json":
        print(json.dumps([_as_json(answer) for answer in answers], ensure_ascii=False, indent=2))
    elif args.format == "csv":
        write_csv(answers, sys.stdout)
    return int(any("error" in answer for answer in answers))


def _answer(file: str, taggers: "Sequence[Tagger]", hop_s: float | None) -> dict[str, Any]:
    """One file's predictions, or its error; a bad file must not stop the others."""
    from msecnn.tagger import tag

    with tqdm(unit="s", leave=False, delay=2, disable=not sys.stderr.isatty()) as bar:

        def progress(heard_s: float, whole_s: float | None) -> None:
            bar.total = whole_s and round(whole_s)
            bar.update(round(heard_s) - bar.n)

        try:
            predictions = tag(file, taggers, hop_s=hop_s, keep_mel=False, progress=progress)
        except MsecnnError as error:
            print(f"msecnn tag: {error}", file=sys.stderr)
            return {"file": file, "error": str(error)}
    return {"file": file, "predictions": predictions}


def _as_json(answer: dict[str, Any]) -> dict[str, Any]:
    from msecnn.tagger import answer_json

    return answer if "error" in answer else answer_json(answer["file"], answer["predictions"])


def print_table(answer: dict[str, Any], top: int, out: TextIO) -> None:
    """The models' top tags side by side."""
    if "error" in answer:
        print(f"{answer['file']}: {answer['error']}", file=out)
        return
    predictions: list[TagPrediction] = answer["predictions"]
    print(f"{answer['file']} ({predictions[0].duration_s:.1f} s)", file=out)
    for note in _as_json(answer)["notes"]:
        print(f"  {note}", file=out)
    print("  " + "".join(f"{prediction.model:<26}" for prediction in predictions).rstrip(), file=out)
    for row in zip(*(prediction.top(top) for prediction in predictions), strict=False):
        print("  " + "".join(f"{probability:.3f}  {tag:<19}" for tag, probability in row).rstrip(), file=out)


def write_csv(answers: Iterable[dict[str, Any]], out: TextIO) -> None:
    """A row for each file and model, a column for each tag."""
    answers = list(answers)
    tags = list(dict.fromkeys(tag for answer in answers for p in answer.get("predictions", ()) for tag in p.tags))
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["file", "model", "duration_s", "error", *tags])
    for answer in answers:
        if "error" in answer:
            writer.writerow([answer["file"], "", "", answer["error"], *[""] * len(tags)])
        for prediction in answer.get("predictions", ()):
            named = prediction.to_json()["tags"]
            row = [named.get(tag, "") for tag in tags]
            writer.writerow([answer["file"], prediction.model, round(prediction.duration_s, 3), "", *row])
