"""`serve`: opens the page in a browser."""

import argparse
import importlib.util
import logging
import os
import threading
import webbrowser
from pathlib import Path
from typing import Any

from msecnn.cli.end_signal import end_signal
from msecnn.errors import MsecnnError
from msecnn.memory import share_freed_memory
from msecnn.ui.server.upload_folder import UploadFolder

HELP = "open the page"
#: Gradio reads these when it is imported. Nothing leaves this machine; and no table of the last 10,000 requests is made
#: anew at the end of each, as Gradio does for a dashboard that is closed here.
ENVIRONMENT = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "GRADIO_ANALYTICS_MAX_EVENTS": "1",
    "GRADIO_ANALYTICS_CACHE_FREQUENCY": "1000000000",
    "HF_HUB_OFFLINE": "1",
}
#: Seconds that requests under way may take to stop when the server ends.
PATIENCE_S = 3.0


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
    parser.add_argument("--class", dest="classroom", action="store_true",
                        help="with a room for a class: phones on the local network join by a code, follow the "
                        "lecturer's view and answer questions; listens to other machines unless --host says "
                        "otherwise")  # fmt: skip
    parser.add_argument("--mcp", action="store_true",
                        help="be an MCP server too, at /gradio_api/mcp/ (pip install 'gradio[mcp]')")  # fmt: skip
    parser.add_argument("--open", action="store_true", help="open a browser on the page")


def run(args: argparse.Namespace) -> int:
    """Serves until it is told to end; what visitors brought is deleted then."""
    share_freed_memory()
    if args.mcp and importlib.util.find_spec("mcp") is None:
        raise MsecnnError("The MCP server needs one package more: pip install 'gradio[mcp]'.")
    with end_signal() as ended:
        folder = UploadFolder.from_environment()
        try:
            has_ended = _serve(args, folder, ended)
        finally:
            folder.remove()
    if not has_ended:  # a thread is still at a network, and would keep the process for as long
        logging.shutdown()
        os._exit(0)
    return 0


def _serve(args: argparse.Namespace, folder: UploadFolder, ended: threading.Event) -> bool:
    """Runs the page until `ended`; whether all that was at work then has stopped."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    from msecnn.ui import page
    from msecnn.ui.server import http_guard
    from msecnn.ui.server.classroom import Classroom
    from msecnn.ui.server.context import AppContext

    context = AppContext.load(
        args.checkpoint,
        max_minutes=args.max_minutes,
        max_megabytes=args.max_megabytes,
        patience_s=args.patience,
        classroom=Classroom() if args.classroom else None,
    )
    blocks = page.build(context)
    blocks.queue(api_open=False)
    http_guard.guard_queue(blocks, context.visitors.listeners)
    options: Any = page.launch_options(context)
    blocks.launch(
        server_name=args.host or _class_host(args.classroom),
        server_port=args.port,
        inbrowser=args.open and not args.classroom,
        share=False,
        max_file_size=context.max_bytes,
        mcp_server=args.mcp,
        prevent_thread_lock=True,
        **options,
    )
    if context.classroom is not None:
        _tell_lecturer(f"{blocks.local_url}#lead={context.classroom.secret}", in_browser=args.open)
    with folder.swept(context.visitors.needed_files, context.visitors.sessions.take_closed):
        while not ended.wait(1.0):  # a wait without end would keep Windows from delivering the signal
            pass
    if context.classroom is not None:
        context.classroom.close()
    stopped = context.visitors.close(patience_s=PATIENCE_S)
    blocks.close(verbose=False)
    return stopped


def _class_host(is_class: bool) -> str | None:
    """Phones come from other machines; what a host has said by Gradio's variable holds."""
    return "0.0.0.0" if is_class and "GRADIO_SERVER_NAME" not in os.environ else None


def _tell_lecturer(link: str, *, in_browser: bool) -> None:
    """The link holds the secret by which the lecturer is known, behind the sign # that no browser sends."""
    print(
        f"The room of this class: open {link}\nWhoever has this link leads the room; phones get a code there.",
        flush=True,
    )
    if in_browser:
        webbrowser.open(link)
