"""Puts what a command printed into a section of README or of a document, so that no figure there is typed by hand.

python -m msecnn evaluate ... --format markdown | python benchmarks/quote.py docs/judgement.md judgement
"""

import argparse
import sys
from pathlib import Path

from measuring import replace_section


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("document", type=Path)
    parser.add_argument("section", help="the text between <!-- section --> and <!-- /section --> is replaced")
    args = parser.parse_args()
    text = sys.stdin.read().strip()
    if not text:
        raise SystemExit("nothing came in: the command before the pipe failed")
    replace_section(args.document, args.section, text)


if __name__ == "__main__":
    main()
