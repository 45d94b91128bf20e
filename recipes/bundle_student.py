"""Bundle a distilled student: its checkpoint under its own name, with its agreement with teachers in the card.

    python recipes/bundle_student.py runs/msecnn/checkpoint msecnn [--agreement DIR/report.json]

The report is what `python -m msecnn evaluate msecnn ... --against LABELS --out DIR` wrote for these very weights.
The card's prose is written anew from its facts. A bundled checkpoint can be given too, to correct its card: then its
weights stay, byte for byte. A card whose command and configuration disagree is refused, unless `--explain` says why.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from msecnn import checkpoint
from msecnn.distillation import model_card
from msecnn.run_record import contradictions

#: Of the figures of agreement, those that the card repeats, by the names that it gives them.
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
#: What we give the weights of bundled students under.
LICENCE = "CC BY-NC-SA 4.0 for the weights; see terms"


def evaluations(report: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The card's metrics: agreement of these weights with teachers on the recordings of the test split."""
    found = _agreement(report, name)
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


def _agreement(report: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (
        each
        for each in report["agreements"]
        if (each["system"], each["reference"], each["subset"]) == (name, "ensemble", "recordings")
    )
    return dict(found)


def weakest_tags(report: dict[str, Any], name: str) -> dict[str, Any]:
    """The tags on which these weights agree least, as the card has them."""
    found = _agreement(report, name)
    tags = [each["tag"] for each in found["per_tag"]]
    correlations = np.array([each["spearman"]["value"] for each in found["per_tag"]])
    judged_on = f"the {found['n_clips']} recordings of {report['data']}'s {TEST}"
    return {"judged_on": judged_on, "rank_correlation": model_card.weakest(tags, correlations)}


def explained(card: dict[str, Any], explanation: str | None) -> list[dict[str, Any]]:
    """The card's contradictions, each with the explanation.

    Raises:
        SystemExit: there are some, and no explanation.
    """
    found = contradictions(card)
    if found and explanation is None:
        raise SystemExit(f"{'; '.join(map(str, found))}. Say why with --explain, or train again.")
    return [each.to_json() | {"explanation": explanation} for each in found]


def bundle(
    source: Path, name: str, report: dict[str, Any] | None, *, system: str | None = None, explanation: str | None = None
) -> None:
    """Puts a checkpoint among the bundled ones and checks that it works there.

    Args:
        name: of its folder below `checkpoints`.
        report: of agreement; None leaves the card's figures as they are.
        system: what the report calls it, where that is not its name.
        explanation: why command and configuration disagree, where they do.
    """
    whole = json.loads((source / checkpoint.CARD).read_text(encoding="utf-8"))
    card = {key: value for key, value in whole.items() if key not in OF_THE_NETWORK}
    card |= {"licence": LICENCE, "known_contradictions": explained(whole, explanation)}
    if report is not None:
        kept = [metric for metric in card["metrics"] if TEST not in metric["protocol"]]
        card["metrics"] = kept + evaluations(report, system or name)
        card["weakest_tags"] = weakest_tags(report, system or name)
    card |= model_card.sentences(card, whole["tags"])
    folder = checkpoint.BUNDLED / name
    if source.resolve() == folder:
        checkpoint.write_card(folder, {key: whole[key] for key in OF_THE_NETWORK} | card)
    else:
        student = checkpoint.load(source)
        means = student.mean_features
        tags, mel_config = student.tags, student.mel_config
        checkpoint.save(folder, student.model, mel_config=mel_config, tags=tags, card=card, mean_features=means)
    checkpoint.verify(checkpoint.load(folder))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("name")
    parser.add_argument("--agreement", type=Path)
    parser.add_argument("--explain", metavar="TEXT", help="why command and configuration disagree")
    args = parser.parse_args()
    report = json.loads(args.agreement.read_text(encoding="utf-8")) if args.agreement else None
    bundle(args.checkpoint, args.name, report, explanation=args.explain)


if __name__ == "__main__":
    main()
