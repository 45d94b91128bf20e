"""`faithfulness`: every method, of all scales and of each alone, judged on the clips of a manifest."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from msecnn.errors import MsecnnError

if TYPE_CHECKING:
    from msecnn.data.manifest import Clip
    from msecnn.explain.comparison import Row
    from msecnn.tagger import Tagger

HEADINGS = {
    "deletion_gain_random": "deletion, gain over random",
    "deletion_gain_loudness": "deletion, gain over loudness",
    "insertion_gain_random": "insertion, gain over random",
    "insertion_gain_loudness": "insertion, gain over loudness",
    "infidelity": "infidelity",
    "sensitivity": "max. sensitivity",
    "randomisation": "rank correlation, weights shuffled",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from msecnn.explain import BASELINES, METHODS

    parser.add_argument("--data", required=True, metavar="MANIFEST", help="a manifest, or the folder it lies in")
    parser.add_argument("--split", default="test", help="train, valid or test (default: test)")
    parser.add_argument("--n", type=int, default=100, metavar="N", help="clips, drawn at random (default: 100)")
    parser.add_argument(
        "--model", action="append", metavar="NAME", help="bundled model or checkpoint folder; several times for several"
    )
    parser.add_argument(
        "--method", action="append", choices=METHODS, metavar="NAME", help=f"of {', '.join(METHODS)} (default: all)"
    )
    parser.add_argument("--baseline", choices=BASELINES, default="clip_mean", help="what cells are replaced by")
    parser.add_argument("--steps", type=int, default=10, metavar="N", help="points on each curve (default: 10)")
    parser.add_argument(
        "--n-slow",
        type=int,
        default=10,
        metavar="N",
        help="of the clips, those that are also judged by sensitivity and shuffled weights (default: 10)",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the draw and of everything random (default: 0)")
    parser.add_argument("--device", metavar="D", help="cpu or cuda (default: a GPU if there is one)")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="keep every clip's figures here; a run that was interrupted goes on"
    )
    parser.add_argument(
        "--write", action="store_true", help="keep the verdicts beside each model's weights, where the page finds them"
    )
    parser.add_argument(
        "--format",
        choices=tuple(_PRINTERS),
        default="table",
        help="default: table; markdown, or its rows for all scales together as summary",
    )


def run(args: argparse.Namespace) -> int:
    from msecnn.checkpoint import bundled
    from msecnn.data.manifest import Manifest
    from msecnn.explain.comparison import summarise
    from msecnn.tagger import Tagger

    if min(args.n, args.steps) < 1:
        raise MsecnnError("--n and --steps must be at least 1.")
    manifest = Manifest.read(args.data).split(args.split)
    if not manifest.clips:
        raise MsecnnError(f"The split {args.split} of {args.data} has no clips.")
    clips = [manifest.clips[i] for i in np.random.default_rng(args.seed).permutation(len(manifest.clips))[: args.n]]
    taggers = [Tagger.from_checkpoint(name, device=args.device) for name in dict.fromkeys(args.model or bundled())]
    judged = [row for tagger in taggers for row in _judge(tagger, clips, manifest.hash, args)]
    protocol = {
        "data": manifest.name,
        "manifest_hash": manifest.hash,
        "split": args.split,
        "n": len(clips),
        "n_slow": min(args.n_slow, len(clips)),
        "baseline": args.baseline,
        "steps": args.steps,
        "seed": args.seed,
        "models": {tagger.name: tagger.checkpoint.card.get("sha256") for tagger in taggers},
    }
    rows = summarise(judged, seed=args.seed)
    if args.write:
        _write(taggers, rows, protocol)
    _PRINTERS[args.format](rows, protocol)
    return 0


def _write(taggers: "Sequence[Tagger]", rows: "Sequence[Row]", protocol: dict[str, Any]) -> None:
    from msecnn.explain.faithfulness_card import write_measured

    for tagger in taggers:
        try:
            write_measured(tagger.checkpoint, [row for row in rows if row.model == tagger.name], protocol)
        except OSError as error:
            raise MsecnnError(f"{tagger.checkpoint.folder} cannot be written to: {error.strerror}.") from error


def _judge(
    tagger: "Tagger", clips: "Sequence[Clip]", manifest_hash: str, args: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    """What is measured of each clip; what an earlier run has left in --out is not measured again."""
    from msecnn.explain import METHODS
    from msecnn.explain.comparison import measure_clip

    methods = args.method or METHODS
    done = _read(args.out)
    setting = [tagger.checkpoint.card.get("sha256"), manifest_hash, methods, args.baseline, args.steps, args.seed]
    for number, clip in enumerate(tqdm(clips, desc=tagger.name, unit="clip", file=sys.stderr)):
        slow = number < args.n_slow
        key = json.dumps([*setting, clip.clip_id, slow])
        if key not in done:
            mel, tag_index = _hear(tagger, clip)
            done[key] = measure_clip(
                tagger.model,
                mel,
                tag_index,
                methods=methods,
                baseline=args.baseline,
                n_steps=args.steps,
                slow=slow,
                mel_config=tagger.checkpoint.mel_config,
                seed=args.seed + number,
            )
            _append(args.out, key, done[key])
        yield from ({"model": tagger.name, **row} for row in done[key])


def _hear(tagger: "Tagger", clip: "Clip") -> tuple[np.ndarray, int]:
    """The clip's first window, and the tag that the model thinks most probable in it."""
    window_s = tagger.checkpoint.mel_config.window_s
    prediction = tagger.tag(clip.path, start_s=clip.start_s, duration_s=min(window_s, clip.duration_s or window_s))
    if prediction.mel is None:
        raise MsecnnError(f"{tagger.name} hears waveforms and has no scales, so it cannot be explained.")
    return prediction.mel[0], int(prediction.window_probabilities[0].argmax())


def _read(path: Path | None) -> dict[str, list[dict[str, Any]]]:
    if path is None or not path.exists():
        return {}
    journal = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
            journal[entry["key"]] = entry["judged"]
        except (ValueError, KeyError, TypeError):
            continue  # the line that was being written when the run was stopped
    return journal


def _append(path: Path | None, key: str, judged: list[dict[str, Any]]) -> None:
    if path is not None:
        with path.open("a", encoding="utf-8") as file:
            file.write("\n" * (file.tell() > 0) + json.dumps({"key": key, "judged": judged}))


def _lines(rows: "list[Row]") -> list[list[str]]:
    from msecnn.explain.faithfulness import BLIND_ORDERS

    lines = [["model", "method", "scale", *(f"beats {order}" for order in BLIND_ORDERS), *HEADINGS.values()]]
    for row in rows:
        verdicts = ["yes" if row.beats(order) else "no" for order in BLIND_ORDERS]
        measured = [str(row.measures[name]) if name in row.measures else "" for name in HEADINGS]
        lines.append([row.model, row.method, row.scale, *verdicts, *measured])
    return lines


def _print_table(rows: "list[Row]", protocol: dict[str, Any]) -> None:
    lines = _lines(rows)
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    print(_sentence(protocol))
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _print_markdown(rows: "list[Row]", protocol: dict[str, Any]) -> None:
    headings, *lines = _lines(rows)
    print(f"{_sentence(protocol)}\n")
    print(f"| {' | '.join(headings)} |\n|{'---|' * len(headings)}")
    for line in lines:
        print(f"| {' | '.join(line)} |")


def _print_summary(rows: "list[Row]", protocol: dict[str, Any]) -> None:
    from msecnn.explain.comparison import ALL

    _print_markdown([row for row in rows if row.scale == ALL], protocol)


def _print_json(rows: "list[Row]", protocol: dict[str, Any]) -> None:
    print(json.dumps({"protocol": protocol, "rows": [row.to_json() for row in rows]}, indent=2))


def _sentence(protocol: dict[str, Any]) -> str:
    return (
        f"{protocol['n']} clips of {protocol['data']}, {protocol['split']}, manifest {protocol['manifest_hash'][:12]}; "
        f"each with the tag the model finds most probable; removed cells become the {protocol['baseline']}; gains in "
        f"units of the logit; means with 95 % bootstrap intervals over clips; sensitivity and shuffled weights on "
        f"{protocol['n_slow']} of them; seed {protocol['seed']}."
    )


_PRINTERS = {"table": _print_table, "json": _print_json, "markdown": _print_markdown, "summary": _print_summary}
