"""`python -m msecnn evaluate`: a file of scores, or checkpoints by labels or by agreement with teachers."""

import argparse
from pathlib import Path

from msecnn.cli.report_files import give
from msecnn.errors import MsecnnError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("checkpoints", nargs="*", metavar="CHECKPOINT", help="a folder, or the name of a bundled one")
    parser.add_argument("--data", type=Path, metavar="MANIFEST", help="whose clips to evaluate on")
    parser.add_argument("--split", default="test", help="train, valid or test (%(default)s)")
    parser.add_argument("--device", help="cpu or cuda (a GPU if there is one)")
    parser.add_argument(
        "--scores", type=Path, metavar="FILE.npz",
        help="instead of checkpoints: arrays labels (N,K), scores (N,K), tags (K,), groups (N,) if clips go together",
    )  # fmt: skip
    parser.add_argument(
        "--against", type=Path, nargs="+", metavar="LABELS",
        help="compare with teachers instead of labels: their .npz files as distill writes them, or their folder",
    )  # fmt: skip
    parser.add_argument(
        "--ensemble", nargs="+", metavar="TEACHER",
        help="whose mean probability is the reference (MTT_musicnn MTT_vgg mtat_musicnn); others are compared too",
    )  # fmt: skip
    parser.add_argument("--threshold", type=float, default=0.5, help="of F1 (%(default)s)")
    parser.add_argument("--bootstrap", type=int, default=1000, metavar="R", help="replicates (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap (%(default)s)")
    parser.add_argument("--format", choices=("table", "markdown", "json"), default="table")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="for report.json, report.md, wide tables as CSV, and predictions, which are kept",
    )


def run(args: argparse.Namespace) -> int:
    if args.bootstrap < 1:
        raise MsecnnError(f"--bootstrap must be at least 1, not {args.bootstrap}.")
    if args.scores and not args.checkpoints:
        return _scores(args)
    if args.scores or not args.checkpoints or not args.data:
        raise MsecnnError("Give either --scores FILE.npz, or checkpoints and --data MANIFEST.")
    return _against(args) if args.against else _checkpoints(args)


def _scores(args: argparse.Namespace) -> int:
    from msecnn.evaluation import metrics, report, scores

    evaluation = metrics.evaluate(
        scores.read(args.scores), threshold=args.threshold, n_replicates=args.bootstrap, seed=args.seed
    )
    return give(args, evaluation.to_json(), report.of_scores(evaluation))


def _checkpoints(args: argparse.Namespace) -> int:
    from msecnn.data.manifest import Manifest
    from msecnn.evaluation import paper_table, report
    from msecnn.evaluation import pipeline as evaluation_pipeline
    from msecnn.evaluation.predictions import named_taggers

    manifest = Manifest.read(args.data)
    evaluation = evaluation_pipeline.evaluate(
        named_taggers(args.checkpoints, device=args.device),
        manifest,
        args.split,
        kept=args.out / "predictions" if args.out else None,
        threshold=args.threshold,
        n_replicates=args.bootstrap,
        seed=args.seed,
    )
    rows = paper_table.table_1(evaluation.architectures) if evaluation.is_magnatagatune else None
    whole = evaluation.to_json() | {"table_1": [row.to_json() for row in rows] if rows else None}
    return give(args, whole, report.of_checkpoints(evaluation))


def _against(args: argparse.Namespace) -> int:
    from msecnn.data.manifest import Manifest
    from msecnn.distillation.agreement import comparison
    from msecnn.distillation.agreement.report import teacher_agreement
    from msecnn.evaluation.predictions import named_taggers

    agreement = comparison.compare_with_teachers(
        named_taggers(args.checkpoints, device=args.device),
        Manifest.read(args.data),
        args.split,
        comparison.read_labels(args.against),
        ensemble=args.ensemble or comparison.INDEPENDENT_ENSEMBLE,
        kept=args.out / "predictions" if args.out else None,
        n_replicates=args.bootstrap,
        seed=args.seed,
    )
    return give(args, agreement.to_json(), teacher_agreement(agreement))
