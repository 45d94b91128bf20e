"""How the browser asks and the server answers: hidden components, one for each RPC endpoint.

An endpoint is a `gr.HTML` that shows nothing. The browser triggers its `call` event with a request; the answer arrives
as its value. So every request goes through Gradio's queue, where a visitor's place can be seen, and none disturbs what
another part of the page shows.
"""

import inspect
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from msecnn.errors import MsecnnError
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.session import Session
from msecnn.ui.server.zero_gpu import bind_on_gpu

log = logging.getLogger(__name__)

OUR_FAULT = "Something broke on our side; it has been noted in the server's log. Your recording is still open."

Request = dict[str, Any]
Payload = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What a handler says: the payload for the browser and, if it opened something, what the server remembers."""

    payload: Payload
    session: Session | None = None


#: A handler answers at once, or yields answers of which all but the last tell of progress.
Handler = Callable[[AppContext, Session | None, Request], Answer | Iterator[Answer]]


@dataclass(frozen=True)
class Page:
    """What the tabs build with."""

    context: AppContext
    session: gr.State

    def mount_point(self, name: str) -> gr.HTML:
        """A visible place that `static/*.js` fills: the function that `app.js` has for this name gets its element."""
        return gr.HTML(
            value="",
            html_template=f'<div class="mse mse-{name}"></div>',
            js_on_load=_when_loaded(f"app.mount({name!r}, element.firstElementChild)"),
            apply_default_css=False,
            elem_id=f"mount-{name}",
        )

    def endpoint(
        self,
        name: str,
        handler: Handler,
        *,
        model: bool = False,
        queue: str = "model",
        state: gr.State | None = None,
    ) -> None:
        """Lets the browser `call(name, request)`.

        Args:
            model: it runs a network, so it waits in a queue, each visitor in turn. Others are answered four at a time.
            queue: which queue, where waiting behind the others would be unfair to them.
            state: what the handler reads and its answers replace; the session by default.
        """
        state = state or self.session
        send = "(request) => trigger('call', request)"
        component = gr.HTML(
            value="",
            html_template="<i></i>",
            js_on_load=_when_loaded(f"app.connect({name!r}, {{ send: {send}, element, props, watch }})"),
            elem_id=f"rpc-{name}",
            elem_classes="mse-rpc",
        )
        asked = component.call(
            _guard(bind_on_gpu(handler, self.context) if model else partial(handler, self.context)),
            inputs=[state],
            outputs=[component, state],
            concurrency_id=queue if model else None,
            concurrency_limit=1 if model else 4,
            trigger_mode="multiple",
            api_visibility="private",
        )
        # A request that never reached a handler (a broken connection, a full queue) has no answer to settle it.
        asked.failure(None, js=f"() => {{ {_when_loaded(f'app.fail({name!r})')} }}", api_visibility="private")


def _when_loaded(statement: str) -> str:
    """JavaScript that runs as soon as the page's modules are loaded; `app` is what app.js exports."""
    return f"window.msecnn.ready.then((app) => {statement});"


def _guard(handler: Callable[[Session | None, Request], Answer | Iterator[Answer]]) -> Callable[..., Any]:
    """Wraps a handler for Gradio: a domain error becomes its sentence, anything else is logged as our bug."""

    def outputs(answer: Answer, request: Request) -> tuple[Payload, Any]:
        # Only an answer that opened something may write the session: a slow one could otherwise bring back an old one.
        return answer.payload | {"request": request.get("id")}, answer.session or gr.skip()

    def failure(error: Exception) -> Answer:
        if isinstance(error, MsecnnError):
            return Answer({"error": str(error)})
        log.error("a question from the page failed", exc_info=error)
        return Answer({"error": OUR_FAULT})

    def ask(session: Session | None, event: gr.EventData) -> tuple[Payload, Any]:
        request: Request = dict(event._data)
        try:
            return outputs(handler(session, request), request)  # type: ignore[arg-type]
        except Exception as error:
            return outputs(failure(error), request)

    def ask_for_long(session: Session | None, event: gr.EventData) -> Iterator[tuple[Payload, Any]]:
        request: Request = dict(event._data)
        try:
            for answer in handler(session, request):  # type: ignore[union-attr]
                yield outputs(answer, request)
        except Exception as error:
            yield outputs(failure(error), request)

    # What a generator yields last Gradio sends twice, so only those that tell of progress are generators.
    return ask_for_long if inspect.isgeneratorfunction(handler) else ask
