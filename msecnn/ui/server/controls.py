"""Gradio's own controls: a choice goes to the page's modules, and they say what it offers; both stay in the browser.

What is chosen of tag, model or method lies in the page's state, from which the address bar and every view are written.
A control only shows it, so no server is asked when one is used: its listeners are JavaScript alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import gradio as gr
from gradio.blocks import Block

from msecnn.ui.server.languages import words
from msecnn.ui.server.static_modules import when_loaded

#: What style.css knows them by.
CLASS = "mse-control"

Control = TypeVar("Control", bound=Block)


def row(elem_id: str | None = None) -> gr.Row:
    """Controls beside each other, as many as there is room for."""
    return gr.Row(elem_id=elem_id, elem_classes="mse mse-row")


def dropdown(label: str, choices: Sequence[tuple[str, str]] = (), **options: Any) -> gr.Dropdown:
    """A choice of one of many, by name and title, with its label beside it."""
    return gr.Dropdown(_titled(choices), label=words(label), elem_classes=CLASS, **{"filterable": False, **options})


def radio(label: str, choices: Sequence[tuple[str, str]] = (), **options: Any) -> gr.Radio:
    """A choice of one of few that are all seen."""
    return gr.Radio(_titled(choices), label=words(label), elem_classes=CLASS, **options)


def checkbox(label: str, value: bool) -> gr.Checkbox:
    return gr.Checkbox(value, label=words(label), container=False, elem_classes=CLASS)


def button(title: str, **options: Any) -> gr.Button:
    return gr.Button(words(title), size="md", elem_classes=CLASS, **options)


def _titled(choices: Sequence[tuple[str, str]]) -> list[tuple[Any, str]]:
    return [(words(title), name) for title, name in choices]


@dataclass(frozen=True)
class Controls:
    """All controls of a page by name."""

    by_name: dict[str, Block] = field(default_factory=dict)

    def add(self, name: str, control: Control, event: str | None = None) -> Control:
        """`onChoice(name, …)` in the modules hears of the event, with the control's value if it has one to choose."""
        self.by_name[name] = control
        if event:
            inputs = [control] if event == "input" else []
            _listen(getattr(control, event), f"app.chosen({name!r}, value)", inputs)
        return control

    def add_tab(self, name: str, tab: gr.Tab, value: str) -> gr.Tab:
        """One of the tabs of a `gr.Tabs` that was added by this name."""
        _listen(tab.select, f"app.chosen({name!r}, {value!r}, 'selected')", [])
        return tab

    def connect(self) -> None:
        """Lets the modules `offer(name, …)` to the controls that were added."""
        names = list(self.by_name)
        messenger: Any = gr.HTML(
            value="",
            html_template="<i></i>",
            js_on_load=when_loaded(f"app.connectControls({names!r}, () => trigger('call'))"),
            elem_classes="mse-rpc",
        )
        messenger.call(
            None,
            None,
            list(self.by_name.values()),
            js="() => window.msecnn.ready.then((app) => app.takeOffers())",
            api_visibility="private",
            queue=False,
            trigger_mode="multiple",
            show_progress="hidden",
        )


def _listen(event: Any, statement: str, inputs: Sequence[Block]) -> None:
    event(None, inputs, None, js=f"(value) => {{ {when_loaded(statement)} }}", api_visibility="private", queue=False)
