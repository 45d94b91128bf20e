"""The entry point of `python app.py` and of Hugging Face Spaces: the same as `python -m msecnn serve`."""

import contextlib
import sys

with contextlib.suppress(ImportError):
    import spaces  # noqa: F401  # on ZeroGPU it comes before anything that may touch CUDA

from msecnn.cli import main

if __name__ == "__main__":
    raise SystemExit(main(["serve", *sys.argv[1:]]))
