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
    from msecnn.files import write_atomically

    as_json = json.dumps(plain({"schema": SCHEMA, **whole}), indent=1, ensure_ascii=False)
    print(as_json if args.format == "json" else report.markdown() if args.format == "markdown" else report.text())
    if args.out:
        report.write(args.out)
        write_atomically(args.out / "report.json", f"{as_json}\n".encode())
    return 0
