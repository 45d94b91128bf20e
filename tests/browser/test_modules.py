"""Every call of the server settles; and the page's modules load behind a proxy's path, in another page's frame."""

import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from running_page import RunningPage, free_port
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

pytestmark = pytest.mark.browser

Visitor = Any
FOLDER = "/music/tags"
#: Calls an endpoint twice at once; how each call ended.
TWICE = """(name) => {
    const ended = () => msecnn.call(name).then(() => "answered", (error) => error.reason);
    return Promise.all([ended(), ended()]);
}"""


def test_a_call_that_a_later_one_replaces_is_told_so(arrive: Callable[..., Visitor]) -> None:
    page = arrive("?example=piano")
    page.wait_for_selector(".mse-tag")
    assert page.evaluate(TWICE, "sound") == ["superseded", "answered"]


def test_a_call_that_the_queue_does_not_take_fails(arrive: Callable[..., Visitor]) -> None:
    page = arrive("?example=piano")
    page.wait_for_selector(".mse-tag")
    page.route("**/queue/join*", lambda route: route.fulfill(status=503, json={"detail": "Queue is full."}))
    assert page.evaluate(TWICE, "sound") == ["superseded", "failed"]
    page.get_by_role("button", name="Download results (zip)").click()
    page.wait_for_selector(".mse-status.error:has-text('did not take this request')")


def test_a_call_that_got_lost_on_the_way_is_sent_again(arrive: Callable[..., Visitor]) -> None:
    """Gradio may take a request and drop it, with the stream of answers that it ends at that moment."""
    page = arrive("?example=piano")
    page.wait_for_selector(".mse-tag")
    page.wait_for_timeout(1000)
    lost: list[str] = []

    def drop(route: Any) -> None:
        lost.append(route.request.url)
        route.fulfill(status=200, json={"event_id": "dropped"}) if len(lost) == 1 else route.continue_()

    page.route("**/queue/join*", drop)
    assert page.evaluate("msecnn.call('sound').then(() => 'answered', (error) => error.reason)") == "answered"
    assert len(lost) == 2


def test_a_call_that_the_server_refuses_says_why(arrive: Callable[..., Visitor]) -> None:
    page = arrive("?example=nothing")  # so that nothing is open
    refused = "msecnn.call('window', {window: 0}).catch((error) => [error.reason, error.message])"
    reason, sentence = page.evaluate(refused)
    assert reason == "refused"
    assert "open it again" in sentence


def proxy(target: str) -> Starlette:
    """What stands in front of many a page: it takes a folder off the address; its own page shows ours in a frame."""
    client = httpx.AsyncClient(base_url=target, timeout=120)

    async def forward(request: Request) -> Response:
        path = request.url.path.removeprefix(FOLDER)
        headers = [(key, value) for key, value in request.headers.items() if key != "accept-encoding"]
        question = client.build_request(
            request.method, path, params=request.query_params, headers=headers, content=await request.body()
        )
        answer = await client.send(question, stream=True)

        async def body() -> AsyncIterator[bytes]:
            async for part in answer.aiter_raw():
                yield part
            await answer.aclose()

        kept = {key: value for key, value in answer.headers.items() if key != "content-length"}
        return StreamingResponse(body(), answer.status_code, kept)

    frame = f'<iframe src="{FOLDER}/?example=piano&tab=why&tag=piano" width="1200" height="900"></iframe>'
    routes = [
        Route("/", lambda _: HTMLResponse(frame)),
        Route(FOLDER + "/{path:path}", forward, methods=["GET", "POST", "HEAD"]),
    ]
    return Starlette(routes=routes)


@pytest.fixture
def front(tmp_path: Path) -> Iterator[str]:
    environment = {"GRADIO_TEMP_DIR": str(tmp_path), "GRADIO_ROOT_PATH": FOLDER}
    with RunningPage(environment=environment) as page:
        port = free_port()
        server = uvicorn.Server(uvicorn.Config(proxy(page.address), port=port, log_level="warning"))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/"
        server.should_exit = True
        thread.join(10)


@pytest.mark.slow
def test_the_page_works_behind_a_path_and_in_a_frame(front: str, chromium: Any) -> None:
    page = chromium.new_page()
    page.set_default_timeout(120_000)
    outside: list[str] = []
    page.on("request", lambda request: outside.append(request.url) if _outside(request.url, front) else None)
    page.goto(front)
    frame = page.frame_locator("iframe")
    frame.locator(".mse-strip small", has_text="±").first.wait_for()
    assert frame.locator(".mse-waterfall").is_visible()
    assert outside == []
    page.close()


def _outside(url: str, front: str) -> bool:
    return not url.startswith((front, "data:", "blob:"))
