"""How the browser asks and the server answers: hidden components, one for each RPC endpoint.

An endpoint is a `gr.HTML` that shows nothing. The browser triggers its `call` event with a request; the answer arrives
as its value. Gradio starts every request at once: whose turn it is, and where it runs, `dispatch` says.
"""

import inspect
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial, wraps
from typing import Any

import gradio as gr

from msecnn.errors import MsecnnError
from msecnn.ui.server.addresses import sharer
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.controls import Control, Controls
from msecnn.ui.server.dispatch import OUR_FAULT, Answer, Endpoint, Handler, Payload, Request, log, to_thread
from msecnn.ui.server.fair_queue import FairQueue, Visitor
from msecnn.ui.server.static_modules import when_loaded
from msecnn.ui.server.visitors import Lane
from msecnn.ui.server.zero_gpu import QUICK_S, GpuSeconds, bind_on_gpu, on_gpu

__all__ = ["OUR_FAULT", "Answer", "Page", "Payload", "Request"]

#: The recording that a visitor has open; the page opens a second one for comparison.
FIRST = "first"


@dataclass(frozen=True)
class Page:
    """What the tabs build with."""

    context: AppContext
    controls: Controls = field(default_factory=Controls)

    def control(self, name: str, control: Control, event: str | None = "input") -> Control:
        """One of Gradio's own controls, for the modules to fill and to listen to by this name."""
        return self.controls.add(name, control, event)

    def mount_point(self, name: str) -> gr.HTML:
        """A visible place that `static/*.js` fills: the function that `app.js` has for this name gets its element."""
        return gr.HTML(
            value="",
            html_template=f'<div class="mse mse-{name}"></div>',
            js_on_load=when_loaded(f"app.mount({name!r}, element.firstElementChild)"),
            apply_default_css=False,
            elem_id=f"mount-{name}",
        )

    def heading(self, elem_id: str, title: str) -> gr.HTML:
        """A tab's heading: for those who do not see which tab is open, and to be scrolled to."""
        return gr.HTML(
            value="",
            html_template=f'<div class="mse"><h2 class="mse-sr" id="{elem_id}" tabindex="-1"></h2></div>',
            js_on_load=when_loaded(f"{{ element.querySelector('h2').textContent = app.t({title!r}); }}"),
            apply_default_css=False,
            elem_classes="mse-heading",
        )

    def endpoint(
        self,
        name: str,
        handler: Handler,
        *,
        model: bool = False,
        gpu_s: GpuSeconds = QUICK_S,
        lane: Lane | Callable[[Request], Lane] | None = None,
        slot: str = FIRST,
        same: tuple[str, ...] | None = None,
    ) -> None:
        """Lets the browser `call(name, request)`.

        Args:
            model: it runs a network, so it asks for the GPU where one is lent.
            gpu_s: for how long; what tells it gets the session and the request.
            lane: whose turns it waits for, or what says so of a request; "model" or "light" by default.
            slot: which of the visitor's recordings the handler reads and its answers replace.
            same: keys of the request that decide which files the answer comes with: who asks the same again gets the
                same files. None where each answer makes its own.
        """
        chosen = lane or ("model" if model else "light")
        endpoint = Endpoint(
            name,
            bind_on_gpu(handler, self.context, duration_s=gpu_s) if model else partial(handler, self.context),
            self.context.visitors,
            chosen if callable(chosen) else lambda _: chosen,
            slot,
            same,
        )
        send = "(request) => trigger('call', request)"
        component = gr.HTML(
            value="",
            html_template="<i></i>",
            js_on_load=when_loaded(f"app.connect({name!r}, {{ send: {send}, element, props, watch }})"),
            elem_id=f"rpc-{name}",
            elem_classes="mse-rpc",
        )
        asked = component.call(
            _event_listener(endpoint),
            outputs=[component],
            concurrency_limit=None,
            trigger_mode="multiple",
            api_visibility="private",
        )
        # A request that never reached a handler (a broken connection, a full queue) has no answer to settle it.
        asked.failure(None, js=f"() => {{ {when_loaded(f'app.fail({name!r})')} }}", api_visibility="private")

    def named_endpoint(
        self,
        name: str,
        function: Callable[..., Any],
        inputs: Sequence[gr.components.Component],
        output: gr.JSON,
        *,
        lane: Lane,
        gpu_s: GpuSeconds = QUICK_S,
    ) -> None:
        """Lets programs call a function by its name; all but light ones run a network."""
        on_device = function if lane == "light" else on_gpu(function, gpu_s)
        listener = _named_listener(on_device, self.context.visitors.lanes[lane])
        gr.Button(name).click(listener, inputs, output, api_name=name, concurrency_limit=None)


def _event_listener(endpoint: Endpoint) -> Callable[..., AsyncGenerator[Any, None]]:
    async def ask(event: gr.EventData, request: gr.Request) -> AsyncGenerator[Any, None]:
        async with aclosing(endpoint.answers(_visitor(request), event._data)) as payloads:
            async for payload in payloads:
                yield payload
        # Gradio sends what a generator yields last a second time: let that be nothing.
        yield gr.skip()

    return ask


def _named_listener(function: Callable[..., Any], lane: FairQueue) -> Callable[..., Any]:
    """A domain error reaches the program as its sentence, any other as ours, and is logged."""

    @wraps(function)
    async def answer(*args: Any) -> Any:
        *given, request = args
        try:
            turn = lane.join(_visitor(request))
            try:
                await turn.comes()
                return await to_thread(turn, function, *given)
            finally:
                turn.release()
        except MsecnnError as error:
            raise gr.Error(str(error), print_exception=False) from error
        except Exception as error:
            log.exception("an endpoint failed")
            raise gr.Error(OUR_FAULT, print_exception=False) from error

    # Gradio gives a parameter of this type the request, and reads the other parameters' names and types.
    signature = inspect.signature(function)
    asker = inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=gr.Request)
    last = [parameter.replace(default=inspect.Parameter.empty) for parameter in signature.parameters.values()]
    answer.__signature__ = signature.replace(parameters=[*last, asker])  # type: ignore[attr-defined]
    answer.__annotations__ = {**answer.__annotations__, "request": gr.Request}
    return answer


def _visitor(request: gr.Request) -> Visitor:
    return Visitor(sharer(request.client.host if request.client else ""), session=str(request.session_hash))
