"""`python -m msecnn`: the command line."""

import sys

from msecnn.cli import main

if __name__ == "__main__":
    sys.exit(main())
