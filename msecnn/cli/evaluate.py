"""`msecnn evaluate`: judge a file of scores, or checkpoints on the clips of a manifest."""

import argparse
import json

from msecnn.errors import MsecnnError

HELP = "judge checkpoints or a file of scores: ROC-AUC, PR-AUC, intervals"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "--scores", metavar="FILE.npz", help="arrays labels (N,K), scores (N,K), tags (K,), groups (N,)"
    )
    parser.add_argument("--threshold", type=float, default=0.5, help="of F1 (default 0.5)")
    parser.add_argument("--bootstrap", type=int, default=1000, metavar="R", help="replicates (default 1000)")
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap (default 0)")
    parser.add_argument("--format", choices=("table", "markdown", "json"), default="table")


def run(args: argparse.Namespace) -> int:
    """Runs the command."""
    if args.bootstrap < 1:
        raise MsecnnError(f"--bootstrap must be at least 1, not {args.bootstrap}.")
    return _scores(args)


def _scores(args: argparse.Namespace) -> int:
    from msecnn.training import metrics, report, scores

    found = metrics.evaluate(
        scores.read(args.scores), threshold=args.threshold, n_replicates=args.bootstrap, seed=args.seed
    )
    if args.format == "json":
        print(json.dumps(report.plain(found.to_json()), indent=1))
    else:
        markdown = args.format == "markdown"
        print(report.summary(found, markdown=markdown), report.per_tag(found, markdown=markdown), sep="\n\n")
    return 0
