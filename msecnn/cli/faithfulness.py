"""`faithfulness`: every method, of all scales and of each alone, judged on the clips of a manifest."""

import argparse
import json
from pathlib import Path

FORMATS = ("table", "json", "markdown")
#: Of the clips, those of which more is measured, with their default and what it is.
SUBSETS = (
    ("--n-slow", 10, "of the clips, those that are also judged by sensitivity and shuffled weights"),
    ("--n-few", 15, "those that methods for a part of the clips are judged on"),
    ("--n-predicting", 25, "those that are also judged by infidelity"),
    ("--n-sounds", 50, "those whose strongest evidence is made sound and tagged again"),
    ("--n-mixes", 25, "those over which another clip is laid, to be found again"),
    ("--n-first", 0, "of the split's first clips, those that are not drawn, since a choice was made by them"),
)


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
    parser.add_argument(
        "--few-method", action="append", choices=METHODS, metavar="NAME",
        help="another, for a part of the clips only (--n-few)",
    )  # fmt: skip
    parser.add_argument("--baseline", choices=BASELINES, default="clip_mean", help="what cells are replaced by")
    parser.add_argument("--steps", type=int, default=10, metavar="N", help="points on each curve (default: 10)")
    for option, default, what in SUBSETS:
        parser.add_argument(option, type=int, default=default, metavar="N", help=f"{what} (default: {default})")
    parser.add_argument(
        "--leave-out", action="append", default=[], metavar="CLIP", help="a clip that is not drawn; several times"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the draw and of everything random (default: 0)")
    parser.add_argument("--device", metavar="D", help="cpu or cuda (default: a GPU if there is one)")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="keep every clip's figures here; a run that was interrupted goes on"
    )
    parser.add_argument(
        "--write", action="store_true", help="keep the verdicts beside each model's weights, where the page finds them"
    )
    parser.add_argument("--format", choices=FORMATS, default="table", help="default: table")
    parser.add_argument(
        "--report", type=Path, metavar="DIR", help="write report.md, and its tables' every column as CSV, there"
    )


def run(args: argparse.Namespace) -> int:
    from msecnn.checkpoint import bundled
    from msecnn.data.manifest import Manifest
    from msecnn.evaluation.faithfulness_report import faithfulness_report
    from msecnn.evaluation.faithfulness_study import keep_verdicts, measure_faithfulness
    from msecnn.evaluation.study_clip import StudyConfig
    from msecnn.explain import METHODS
    from msecnn.tagger import Tagger

    config = StudyConfig(
        split=args.split,
        n_clips=args.n,
        methods=tuple(args.method or METHODS),
        baseline=args.baseline,
        n_steps=args.steps,
        n_slow=args.n_slow,
        few_methods=tuple(args.few_method or ()),
        n_few=args.n_few,
        n_predicting=args.n_predicting,
        n_sounds=args.n_sounds,
        n_mixes=args.n_mixes,
        n_first=args.n_first,
        left_out=tuple(args.leave_out),
        seed=args.seed,
    )
    manifest = Manifest.read(args.data)
    taggers = [Tagger.from_checkpoint(name, device=args.device) for name in dict.fromkeys(args.model or bundled())]
    study = measure_faithfulness(taggers, manifest, config, kept=args.out)
    if args.write:
        keep_verdicts(taggers, study)
    report = faithfulness_report(study)
    if args.report:
        report.write(args.report)
    texts = {
        "table": report.text,
        "json": lambda: json.dumps(study.to_json(), indent=2),
        "markdown": report.markdown,
    }
    print(texts[args.format]())
    return 0
