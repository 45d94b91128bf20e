"""Bundle a distilled student: its checkpoint under its own name, with the figures of its judgement in the card.

    python recipes/bundle_student.py runs/msecnn/checkpoint msecnn [--judgement DIR/report.json]

The report is what `python -m msecnn evaluate msecnn ... --against LABELS --out DIR` wrote for these very weights.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from msecnn import checkpoint

#: Of the judgement's figures, those that the card repeats, by the names that it gives them.
FIGURES = {
    "roc_auc_top": "ROC-AUC, each tag's top 10 %",
    "pr_auc_top": "PR-AUC, each tag's top 10 %",
    "spearman": "Spearman",
    "top1": "top-1 overlap",
    "top5": "top-5 overlap",
    "mae": "mean absolute error",
}
#: What `checkpoint.save` writes itself.
OF_THE_NETWORK = ("schema", "name", "architecture", "parameters", "n_parameters", "front_end", "tags", "sha256")
TEST = "test split"


def evaluations(report: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The card's metrics from a judgement of these weights on the recordings of the test split."""
    (found,) = (
        each
        for each in report["agreements"]
        if (each["system"], each["reference"], each["subset"]) == (name, "ensemble", "recordings")
    )
    protocol = (
        f"agreement with the mean probability of {', '.join(report['ensemble'])} on the recordings of "
        f"{report['data']}'s {TEST}, which nothing was trained on or chosen by; 95 % bootstrap interval by track, "
        f"{report['n_replicates']} replicates, seed {report['seed']}"
    )
    return [
        {
            "name": FIGURES[key],
            "value": round(found["figures"][key]["value"], 4),
            "interval": [round(end, 4) for end in found["figures"][key]["interval"]],
            "n": found["n_clips"],
            "protocol": protocol,
        }
        for key in FIGURES
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("name")
    parser.add_argument("--judgement", type=Path)
    args = parser.parse_args()
    student = checkpoint.load(args.checkpoint)
    card = {key: value for key, value in student.card.items() if key not in OF_THE_NETWORK}
    if args.judgement:
        report = json.loads(args.judgement.read_text(encoding="utf-8"))
        kept = [metric for metric in card["metrics"] if TEST not in metric["protocol"]]
        card["metrics"] = kept + evaluations(report, args.name)
    checkpoint.save(
        checkpoint.BUNDLED / args.name,
        student.model,
        mel_config=student.mel_config,
        tags=student.tags,
        card=card,
        mean_features=student.mean_features,
    )
    checkpoint.verify(checkpoint.load(args.name))


if __name__ == "__main__":
    main()
