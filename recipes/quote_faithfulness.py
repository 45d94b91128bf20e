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

from msecnn import checkpoint
from msecnn.cli import main as msecnn
from msecnn.evaluation.faithfulness_report import verdicts_report

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))

from quote import quote  # noqa: E402

DOCUMENT = ROOT / "docs" / "explanations.md"
#: Of the document: this study, and what is known of every method, also by earlier ones.
STUDY, VERDICTS = "faithfulness", "verdicts"


def main(arguments: Sequence[str]) -> int:
    with tempfile.TemporaryDirectory() as study, tempfile.TemporaryDirectory() as known:
        if status := msecnn(["faithfulness", *arguments, "--write", "--report", study]):
            return status
        verdicts_report(checkpoint.load(name) for name in checkpoint.bundled()).write(Path(known))
        quote(Path(study), DOCUMENT, STUDY)
        quote(Path(known), DOCUMENT, VERDICTS)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
