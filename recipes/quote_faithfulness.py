"""Measures how faithful the bundled networks' explanations are, and puts the result where it is told.

    OMP_NUM_THREADS=1 python recipes/quote_faithfulness.py --data MANIFEST --out JOURNAL

Takes the options of `python -m msecnn faithfulness`. The verdicts go beside the weights, where the page finds them, the
tables into docs/explanations.md and docs/tables. What the journal holds already is not measured again, so the models
can be measured beforehand, one process each (`--model NAME --out JOURNAL`).
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from msecnn.cli import main as msecnn

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))

from quote import quote  # noqa: E402

DOCUMENT, SECTION = ROOT / "docs" / "explanations.md", "faithfulness"


def main(arguments: Sequence[str]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        status = msecnn(["faithfulness", *arguments, "--write", "--report", folder])
        if not status:
            quote(Path(folder), DOCUMENT, SECTION)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
