"""Puts what `evaluate` wrote into a section of a document, so that no figure there is typed by hand.

    python -m msecnn evaluate ... --out DIR && python benchmarks/quote.py DIR docs/agreement.md agreement

The wide tables of DIR/tables go into the folder `tables` beside the document.
"""

import argparse
from pathlib import Path

from measuring import replace_section

from msecnn.evaluation.tables import FOLDER


def quote(report: Path, document: Path, section: str) -> None:
    """Copies report.md into the section, and each CSV file into the document's folder of tables."""
    replace_section(document, section, (report / "report.md").read_text(encoding="utf-8").strip())
    for table in sorted((report / FOLDER).glob("*.csv")):
        (document.parent / FOLDER).mkdir(exist_ok=True)
        (document.parent / FOLDER / table.name).write_bytes(table.read_bytes())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", type=Path, help="the folder that `evaluate --out` wrote")
    parser.add_argument("document", type=Path)
    parser.add_argument("section", help="the text between <!-- section --> and <!-- /section --> is replaced")
    args = parser.parse_args()
    quote(args.report, args.document, args.section)


if __name__ == "__main__":
    main()
