"""`serve`: opens the page in a browser."""

import argparse
import contextlib
import ctypes
import importlib.util
import os
from pathlib import Path

from msecnn.errors import MsecnnError

HELP = "open the page"
#: Questions that may wait in a queue; whoever comes then is told to try again, instead of waiting for minutes.
MAX_WAITING = 200
#: A parameter of glibc's `mallopt`: how many arenas threads may have for their memory.
M_ARENA_MAX = -8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    # Without these Gradio takes GRADIO_SERVER_NAME and GRADIO_SERVER_PORT, which a Space sets.
    parser.add_argument("--host", help="address to listen on (default: 127.0.0.1); 0.0.0.0 lets other machines in")
    parser.add_argument("--port", type=int, help="port to listen on; default: the first free from 7860")
    parser.add_argument("--checkpoint", action="append", default=[], type=Path, metavar="DIR",
                        help="a checkpoint of your own to choose beside the bundled ones; may be repeated")  # fmt: skip
    parser.add_argument("--max-minutes", type=float, default=20.0, help="longest recording (default: %(default)s)")
    parser.add_argument("--max-megabytes", type=int, default=500, help="largest upload (default: %(default)s)")
    parser.add_argument("--patience", type=float, default=60.0, metavar="S",
                        help="seconds that opening a recording may take (default: %(default)s)")  # fmt: skip
    parser.add_argument("--mcp", action="store_true",
                        help="be an MCP server too, at /gradio_api/mcp/ (pip install 'gradio[mcp]')")  # fmt: skip
    parser.add_argument("--open", action="store_true", help="open a browser on the page")


def run(args: argparse.Namespace) -> int:
    """Serves until interrupted."""
    share_freed_memory()
    # Nothing leaves this machine: Gradio reads these when it is imported.
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    if args.mcp and importlib.util.find_spec("mcp") is None:
        raise MsecnnError("The MCP server needs one package more: pip install 'gradio[mcp]'.")
    from msecnn.ui import page
    from msecnn.ui.server.context import AppContext

    context = AppContext.load(
        args.checkpoint, max_minutes=args.max_minutes, max_megabytes=args.max_megabytes, patience_s=args.patience
    )
    blocks = page.build(context)
    blocks.queue(api_open=False, max_size=MAX_WAITING).launch(
        server_name=args.host,
        server_port=args.port,
        inbrowser=args.open,
        share=False,
        max_file_size=context.max_bytes,
        mcp_server=args.mcp,
        **page.launch_options(context),
    )
    return 0


def share_freed_memory() -> None:
    """Lets all threads take memory from one place, where that can be said (glibc).

    Otherwise each of the server's 40 threads keeps, once it has run a network, 20 MB of freed memory to itself.
    """
    with contextlib.suppress(AttributeError, TypeError):  # the latter on Windows, for the program's own handle
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)
