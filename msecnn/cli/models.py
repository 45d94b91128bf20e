"""`models`: what there is to tag with, and what each was trained on."""

import argparse
import json
from typing import Any

#: Of a row as JSON. Rises when a key changes its meaning or goes.
SCHEMA = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=("table", "json"), default="table", help="default: table")


def run(args: argparse.Namespace) -> int:
    from msecnn import checkpoint
    from msecnn.runtimes import is_installed

    others, has_torch = checkpoint.of_table_1(), is_installed("torch")
    rows = [describe(checkpoint.load(name)) for name in (*checkpoint.bundled(), *(others if has_torch else ()))]
    if args.format == "json":
        print(json.dumps(rows, ensure_ascii=False, indent=2))
        return 0
    for row in rows:
        scales = ", ".join(f"{scale} {count}" for scale, count in row["scales"].items())
        print(f"{row['name']}: {row['architecture']}, {row['parameters']:,} parameters, {len(row['tags'])} tags")
        print(f"  checkpoint   {row['checkpoint']}")
        print(f"  features     {scales or 'no scales'}")
        print(f"  trained on   {row['trained_on']}")
    if others and not has_torch:
        print(f"With PyTorch (pip install '.[torch]') also: {', '.join(others)}")
    return 0


def describe(loaded: Any) -> dict[str, Any]:
    """What a person asks of a checkpoint first, as plain values."""
    structure = loaded.structure
    return {
        "schema": SCHEMA,
        "name": loaded.name,
        "architecture": loaded.card["architecture"],
        "checkpoint": str(loaded.folder),
        "parameters": structure.n_parameters if structure else sum(p.numel() for p in loaded.model.parameters()),
        "scales": structure.n_features if structure else {},
        "tags": list(loaded.tags),
        "trained_on": "nothing: random weights" if loaded.untrained else loaded.card.get("trained_on", "unknown"),
        "untrained": loaded.untrained,
        "licence": loaded.card.get("licence"),
    }
