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
from msecnn.ui.server.context import ASSETS, AppContext
from msecnn.ui.server.rpc import Page

#: Controls and places of what needs the full app: maps, what is made of them, and files that Python writes.
LEFT_OUT = {
    *("method", "baseline", "shared", "why-method", "listen", "check", "why-check"),
    *("random", "sanity-method", "network-sanity", "export", "worksheet"),
    *("music-rows", "flight", "live"),
}
#: With this Gradio marks a text that it shows in the visitor's language.
TRANSLATED = "__i18n__"
KINDS: dict[type[Block], str] = {
    gr.Radio: "radio",
    gr.Dropdown: "dropdown",
    gr.Checkbox: "checkbox",
    gr.Button: "button",
}
#: In place of what the page with a server says of a visitor's recording.
PRIVACY = """### Your recording stays on this device

The networks run in this browser. No sound is sent anywhere, and once the page has loaded it asks the network for
nothing.

### What this page leaves out

Saliency maps, the evidence as sound, checks of a map, the way of one feature, musical views, live tags, response
curves, most edits, worksheets and downloads need the full program: `python -m msecnn serve`.
"""
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
        self.endpoints = sorted(_rpc_names(blocks))
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
            return f'<div class="prose">{_about()}</div>' if block.elem_id == "about-text" else ""
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
            f'<button type="button" role="tab" id="head-{tab.id}" data-tab="{tab.id}" aria-controls="tab-{tab.id}">'
            f"{escape(_text(tab.label))}</button>"
            for tab in tabs
        )
        panels = "\n".join(
            f'<div class="tabitem" role="tabpanel" id="tab-{tab.id}" aria-labelledby="head-{tab.id}" hidden>\n'
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
        summary = f"<summary>{escape(_text(block.label))}</summary>"
        start = f'<details class="mse gr-accordion mse-control"{_id(block)} {data}>{summary}'
        return f"{start}\n{self._children(block)}\n</details>"


def _rpc_names(block: BlockContext) -> Iterable[str]:
    for child in block.children:
        if str(child.elem_id).startswith("rpc-"):
            yield str(child.elem_id).removeprefix("rpc-")
        elif isinstance(child, BlockContext):
            yield from _rpc_names(child)


def _place(block: gr.HTML) -> str:
    """A mount point or a heading; endpoints have no place."""
    name = str(block.elem_id).removeprefix("mount-")
    if name != str(block.elem_id):
        inner = f'<div class="mse mse-{name}"></div>'
        return "" if name in LEFT_OUT else f'<div id="mount-{name}" data-mount="{name}">{inner}</div>'
    return f'<div class="mse-heading">{block.value}</div>' if "mse-heading" in (block.elem_classes or []) else ""


def _control(name: str, block: Any, kind: str) -> str:
    label = f'<span data-testid="block-info">{escape(_text(block.label or ""))}</span>'
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
        return f'<label class="mse-control mse-check"{data}><input type="checkbox">{escape(_text(block.label))}</label>'
    return f'<button type="button" class="mse-control"{data}></button>'


def _text(text: object) -> str:
    """A text in English, also where Gradio is to translate it."""
    marked = str(text)
    return str(json.loads(marked.removeprefix(TRANSLATED))["key"]) if marked.startswith(TRANSLATED) else marked


def _id(block: Block) -> str:
    return f' id="{block.elem_id}"' if block.elem_id else ""


def _data(name: str, kind: str, offer: Mapping[str, Any]) -> str:
    return f'data-control="{name}" data-kind="{kind}" data-offer="{escape(json.dumps(offer))}"'


def _about() -> str:
    """`about.md` as HTML, with what is true of a recording here."""
    text = (ASSETS / "about.md").read_text(encoding="utf-8")
    kept, replaced, _ = text.partition("### Your recording stays yours")
    if not replaced:
        raise ValueError("about.md has no longer the part on recordings that this page replaces.")
    return "\n".join(_paragraph(part) for part in f"{kept}{PRIVACY}".strip().split("\n\n"))


def _paragraph(text: str) -> str:
    tag, text = ("h3", text[4:]) if text.startswith("### ") else ("p", text)
    text = escape(text, quote=False)
    for pattern, replacement in INLINE:
        text = re.sub(pattern, replacement, text)
    return f"<{tag}>{text}</{tag}>"
