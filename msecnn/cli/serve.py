"""`serve`: opens the page in a browser."""

import argparse
import logging
import os
from pathlib import Path

HELP = "open the page"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 lets other machines in")
    parser.add_argument("--port", type=int, default=None, help="port to listen on; default: the first free from 7860")
    parser.add_argument("--checkpoint", action="append", default=[], type=Path, metavar="DIR",
                        help="a checkpoint of your own to choose beside the bundled ones; may be repeated")  # fmt: skip
    parser.add_argument("--max-minutes", type=float, default=20.0, help="longest recording (default: %(default)s)")
    parser.add_argument("--max-megabytes", type=int, default=500, help="largest upload (default: %(default)s)")
    parser.add_argument("--open", action="store_true", help="open a browser on the page")


def run(args: argparse.Namespace) -> int:
    """Serves until interrupted."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # Nothing leaves this machine: Gradio reads these when it is imported.
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from msecnn.ui import page
    from msecnn.ui.studio import Studio

    studio = Studio.load(args.checkpoint, max_minutes=args.max_minutes, max_megabytes=args.max_megabytes)
    blocks = page.build(studio)
    blocks.queue(api_open=False).launch(
        server_name=args.host,
        server_port=args.port,
        inbrowser=args.open,
        share=False,
        max_file_size=studio.max_bytes,
        **page.launch_options(studio),
    )
    return 0
