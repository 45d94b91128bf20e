"""A report in the format asked for, and as files."""

import argparse
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from msecnn.evaluation.tables import Report

#: Of the answer as JSON. Rises when a key changes its meaning or goes.
SCHEMA = 1


def give(args: argparse.Namespace, whole: Mapping[str, Any], report: "Report") -> int:
    """Prints the report in the format asked for, and writes it where `--out` says, wide tables as CSV beside it."""
    from msecnn.evaluation.report import plain
    from msecnn.evaluation.tables import FOLDER
    from msecnn.files import write_atomically

    as_json = json.dumps(plain({"schema": SCHEMA, **whole}), indent=1, ensure_ascii=False)
    print(as_json if args.format == "json" else report.markdown() if args.format == "markdown" else report.text())
    if args.out:
        files = {"report.json": as_json + "\n", "report.md": report.markdown() + "\n"}
        files |= {f"{FOLDER}/{name}": text for name, text in report.csv_files().items()}
        (args.out / FOLDER).mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            write_atomically(args.out / name, text.encode())
    return 0
