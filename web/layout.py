"""The page's layout as HTML: what `ui/page.py` composes of Gradio's blocks, with the browser's own controls.

Each place and each control keeps the name by which the page's modules know it, so the same modules run in both.
"""

import json
import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

import gradio as gr
from gradio.blocks import Block, BlockContext

from msecnn.ui.page import TITLE, compose
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.languages import about, languages
from msecnn.ui.server.rpc import Page

#: Controls and places of what needs the full app: methods, checks, random weights, a feature's way, musical views.
LEFT_OUT = {
    *("method", "check", "why-check"),
    *("random", "sanity-method", "network-sanity"),
    *("music-rows", "flight"),
}
#: Questions that only this page has: what a server answers at once with another one.
ONLY_HERE = {"events"}
#: With this Gradio marks a text that it shows in the visitor's language.
TRANSLATED = "__i18n__"
KINDS: dict[type[Block], str] = {
    gr.Radio: "radio",
    gr.Dropdown: "dropdown",
    gr.Checkbox: "checkbox",
    gr.Button: "button",
}
#: By language, in place of what the page with a server says of a visitor's recording from this heading on.
PRIVACY = {
    "en": (
        "### Your recording stays yours",
        """### Your recording stays on this device

The networks run in this browser. No sound is sent anywhere, and once the page has loaded it asks the network for
nothing.

### What this page leaves out

Maps by gradients, checks of a map, the way of one feature, musical views, the smallest cut, random weights, and
the edits "low bit rate" and "side" need the full program: `python -m msecnn serve`. Downloads hold no figures.
""",
    ),
    "de": (
        "### Ihre Aufnahme bleibt Ihre",
        """### Ihre Aufnahme bleibt auf diesem Gerät

Die Netze laufen in diesem Browser. Kein Ton wird irgendwohin gesendet, und ist die Seite einmal geladen, fragt sie das
Netzwerk nach nichts mehr.

### Was dieser Seite fehlt

Karten aus Gradienten, Prüfungen einer Karte, der Weg eines Merkmals, musikalische Ansichten, der kleinste Schnitt,
zufällige Gewichte und die Änderungen „Niedrige Bitrate“ und „Seite“ brauchen das ganze Programm:
`python -m msecnn serve`. Downloads enthalten keine Abbildungen.
""",
    ),
}
INLINE = ((r"`([^`]+)`", r"<code>\1</code>"), (r"\*\*([^*]+)\*\*", r"<strong>\1</strong>"))


class Layout:
    """The whole page, composed once.

    Attributes:
        html: of the body.
        endpoints: names of all questions that the page may ask.
    """

    def __init__(self, context: AppContext) -> None:
        with gr.Blocks(title=TITLE, analytics_enabled=False) as blocks:
            page = Page(context=context)
            compose(page)
        self._names = {block: name for name, block in page.controls.by_name.items()}
        self.endpoints = sorted({*_rpc_names(blocks), *ONLY_HERE})
        self.html = self._children(blocks)

    def _children(self, block: BlockContext) -> str:
        return "\n".join(filter(None, (self._html(child) for child in block.children)))

    def _html(self, block: Block) -> str:
        name = self._names.get(block, "")
        if name in LEFT_OUT:
            return ""
        if isinstance(block, gr.HTML):
            return _place(block)
        if isinstance(block, gr.Markdown):
            return _abouts() if block.elem_id == "about-text" else ""
        if type(block) in KINDS:
            return _control(name, block, KINDS[type(block)]) if name else ""
        if isinstance(block, gr.Tabs):
            return self._tabs(name, block)
        if isinstance(block, gr.Accordion):
            return self._accordion(name, block)
        if isinstance(block, gr.Row):
            return f'<div class="mse mse-row"{_id(block)}>\n{self._children(block)}\n</div>'
        return self._children(block) if isinstance(block, BlockContext) else ""

    def _tabs(self, name: str, block: gr.Tabs) -> str:
        tabs = [tab for tab in block.children if isinstance(tab, gr.Tab) and tab.id not in LEFT_OUT]
        heads = "".join(
            f'<button type="button" role="tab" id="head-{tab.id}" data-tab="{tab.id}" aria-controls="tab-{tab.id}" '
            f"data-t>{escape(_text(tab.label))}</button>"
            for tab in tabs
        )
        panels = "\n".join(
            f'<div class="tabitem" role="tabpanel" id="tab-{tab.id}" aria-labelledby="head-{tab.id}" hidden>\n'
            f'<div class="mse"><h2 class="mse-sr" id="heading-{tab.id}" tabindex="-1" data-t>{escape(_text(tab.label))}'
            "</h2></div>\n"
            f"{self._children(tab)}\n</div>"
            for tab in tabs
        )
        first = {"selected": tabs[0].id}
        return (
            f'<div class="tabs"{_id(block)} {_data(name, "tabs", first)}>'
            f'<div class="tab-container" role="tablist">{heads}</div>\n{panels}\n</div>'
        )

    def _accordion(self, name: str, block: gr.Accordion) -> str:
        data = _data(name, "accordion", {"visible": block.visible is True}) if name else ""
        summary = f"<summary data-t>{escape(_text(block.label))}</summary>"
        start = f'<details class="mse gr-accordion mse-control"{_id(block)} {data}>{summary}'
        return f"{start}\n{self._children(block)}\n</details>"


def _rpc_names(block: BlockContext) -> Iterable[str]:
    for child in block.children:
        if str(child.elem_id).startswith("rpc-"):
            yield str(child.elem_id).removeprefix("rpc-")
        elif isinstance(child, BlockContext):
            yield from _rpc_names(child)


def _place(block: gr.HTML) -> str:
    """A mount point; endpoints have no place, and a tab has its heading."""
    name = str(block.elem_id).removeprefix("mount-")
    if name == str(block.elem_id) or name in LEFT_OUT:
        return ""
    return f'<div id="mount-{name}" data-mount="{name}"><div class="mse mse-{name}"></div></div>'


def _control(name: str, block: Any, kind: str) -> str:
    label = f'<span data-testid="block-info" data-t>{escape(_text(block.label or ""))}</span>'
    choices = [[_text(title), value] for title, value in getattr(block, "choices", None) or []]
    value = _text(block.value) if isinstance(block.value, str) else block.value
    offer = {"visible": block.visible is True, "value": value} | ({"choices": choices} if choices else {})
    data = f"{_id(block)} {_data(name, kind, offer)}"
    if kind == "radio":
        named = f'aria-label="{escape(_text(block.label))}"'
        return f'<fieldset class="mse-control block"{data} {named}>{label}<div class="wrap"></div></fieldset>'
    if kind == "dropdown":
        return f'<label class="mse-control mse-choice"{data}>{label}<select></select></label>'
    if kind == "checkbox":
        words = f"<span data-t>{escape(_text(block.label))}</span>"
        return f'<label class="mse-control mse-check"{data}><input type="checkbox">{words}</label>'
    return f'<button type="button" class="mse-control"{data}></button>'


def _text(text: object) -> str:
    """A text in English, also where Gradio is to translate it."""
    marked = str(text)
    return str(json.loads(marked.removeprefix(TRANSLATED))["key"]) if marked.startswith(TRANSLATED) else marked


def _id(block: Block) -> str:
    return f' id="{block.elem_id}"' if block.elem_id else ""


def _data(name: str, kind: str, offer: Mapping[str, Any]) -> str:
    return f'data-control="{name}" data-kind="{kind}" data-offer="{escape(json.dumps(offer))}"'


def _abouts() -> str:
    """What is said about the networks, in each language; the page shows the visitor's."""
    return "\n".join(f'<div class="prose" lang="{language}">{_about(language)}</div>' for language in languages())


def _about(language: str) -> str:
    """A language's page as HTML, with what is true of a recording here."""
    heading, privacy = PRIVACY[language]
    kept, replaced, _ = about(language).partition(heading)
    if not replaced:
        raise ValueError(f"The page about the networks has no longer the part {heading!r}, which is another one here.")
    return "\n".join(_paragraph(part) for part in f"{kept}{privacy}".strip().split("\n\n"))


def _paragraph(text: str) -> str:
    tag, text = ("h3", text[4:]) if text.startswith("### ") else ("p", text)
    text = escape(text, quote=False)
    for pattern, replacement in INLINE:
        text = re.sub(pattern, replacement, text)
    return f"<{tag}>{text}</{tag}>"
