"""Measures how faithful the bundled networks' explanations are, and puts the result where it is told.

    OMP_NUM_THREADS=1 python recipes/quote_faithfulness.py --data MANIFEST --out JOURNAL

Takes the options of `python -m msecnn faithfulness`. The verdicts go beside the weights, where the page finds them, the
table into docs/explanations.md. What the journal holds already is
not measured again, so the models can be measured beforehand, one process each (`--model NAME --out JOURNAL`).
"""

import io
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path

from msecnn.cli import main as msecnn

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))

from measuring import replace_section  # noqa: E402

SECTION = "faithfulness"
FORMATS = {"markdown": ROOT / "docs" / "explanations.md"}


def main(arguments: Sequence[str]) -> int:
    for name, document in FORMATS.items():
        printed = io.StringIO()
        with redirect_stdout(printed):
            status = msecnn(["faithfulness", *arguments, "--write", "--format", name])
        if status:
            return status
        replace_section(document, SECTION, printed.getvalue().strip())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
