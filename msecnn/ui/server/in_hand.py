"""Which requests the server has in hand, so that a browser sends again what got lost on the way.

Gradio ends a visitor's stream of answers when nothing is asked for; what is asked at that very moment may be dropped
with it, without an answer and without an error.
"""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from msecnn.ui.server.visitors import Visitors

#: Where the browser asks, relative to the page, and how many of its requests it may ask about at once.
PATH, LONGEST = "msecnn/in-hand", 64


def route(visitors: Visitors) -> Route:
    """Answers which of the requests in `ids` (comma-separated) are in hand; their names nobody else can guess."""

    async def known(request: Request) -> Response:
        ids = request.query_params.get("ids", "").split(",")[:LONGEST]
        return JSONResponse([name for name in ids if name in visitors.in_hand], headers={"Cache-Control": "no-store"})

    return Route(f"/{PATH}", known, methods=["GET"])
