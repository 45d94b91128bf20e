"""Composes the page: the way in, the player, and a tab for each question one can ask.

Ordinary controls are Gradio's; docs/page.md tells which parts are not, and why.
"""

import json
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from msecnn.plots.colours import ON_DARK, css_variables
from msecnn.ui import api, export, music_rows, room, upload, what_if
from msecnn.ui.edit_choices import edit_choices
from msecnn.ui.explanation_choices import explanation_choices
from msecnn.ui.server import http_guard, in_hand, room_endpoints
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.languages import ABOUT, LanguageFirst, gradio_texts, locale_paths, locale_routes, words
from msecnn.ui.server.rpc import Page
from msecnn.ui.server.static_modules import STATIC, loader, module_routes, plotly_path, server_name
from msecnn.ui.tabs import compare, lessons, live, network, tags, why
from msecnn.ui.tabs import what_if as edits_tab

#: After how long the page says that a recording is deleted at the latest: unused for an hour, and then looked for.
DELETED_WITHIN_H = 2.0

#: Tab name in the address bar, its title, and who builds it.
TABS = (
    ("tags", "Tags", tags.build),
    ("why", "Why this tag", why.build),
    ("network", "Take it apart", network.build),
    ("what-if", "What if", edits_tab.build),
    ("compare", "Compare", compare.build),
    ("live", "Live", live.build),
    ("lessons", "Lessons", lessons.build),
)
STYLES = (
    "style.css",
    "controls.css",
    "network.css",
    "compare.css",
    "lessons.css",
    "what_if.css",
    "live.css",
    "figures.css",
    "print.css",
    "room.css",
)

TITLE = "MsE-CNN: two neural networks tag your music, and show which seconds made them decide"


#: Requests that Gradio has in hand at once, more than all queues let wait.
MAX_REQUESTS = 1000


def build(context: AppContext) -> gr.Blocks:
    """The whole page. Launch it with `launch_options()`."""
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as blocks:
        page = Page(context=context)
        compose(page)
        page.controls.connect()
        api.build(page)
    return blocks


def compose(page: Page) -> None:
    """All that a visitor sees, into the open `gr.Blocks`."""
    page.mount_point("header")
    room.build(page)
    upload.build(page)
    export.build(page)
    what_if.build(page)
    lessons.build_panel(page)
    why.build_always(page)
    page.mount_point("player")
    music_rows.build(page)
    with page.control("tab", gr.Tabs(elem_id="tabs", overflow_behavior="wrap"), None):
        for name, title, build_tab in TABS:
            tab = gr.Tab(words(title), id=name, elem_id=f"tab-{name}", render_children=True)
            with page.controls.add_tab("tab", tab, name):
                page.heading(f"heading-{name}", title)
                build_tab(page)
    with gr.Accordion(words("About these networks"), open=False, elem_id="about"):
        gr.Markdown(words(ABOUT), elem_id="about-text")


def launch_options(context: AppContext) -> dict[str, object]:
    """Theme, scripts and manners, which Gradio takes at launch. No other host is ever asked."""
    css = "\n".join([css_variables(), *((STATIC / name).read_text(encoding="utf-8") for name in STYLES)])
    told = json.dumps(offered(context)).replace("</", "<\\/")
    return {
        # Of the fonts that come with Gradio, the 600 weight of Plex lacks letters; 400 and 700 are whole.
        "theme": gr.themes.Base(
            primary_hue=gr.themes.colors.amber,
            neutral_hue=gr.themes.colors.stone,
            font=(gr.themes.LocalFont("IBM Plex Sans", weights=(400, 700)), "system-ui", "sans-serif"),
            font_mono=(gr.themes.LocalFont("IBM Plex Mono", weights=(400, 700)), "ui-monospace", "monospace"),
        ),
        "head": f"<style>{css}</style>\n<script>window.msecnn = {{ offered: {told} }};\n"
        f"window.msecnn.offered.language = document.documentElement.lang;{loader()}</script>",
        "footer_links": ["api"],
        "i18n": gradio_texts(),
        "run_history": False,
        "enable_monitoring": False,
        "ssr_mode": False,
        "allowed_paths": [],
        "app_kwargs": {
            "middleware": [
                *http_guard.middleware(context.visitors.listeners, context.upload_limits),
                Middleware(LanguageFirst),
            ],
            "routes": [
                *module_routes(),
                *locale_routes(),
                in_hand.route(context.visitors),
                *(room_endpoints.routes(context.classroom) if context.classroom else ()),
            ],
        },
        # Requests wait in our own queues, so Gradio takes them all; it keeps nothing of a session that we need.
        "max_threads": MAX_REQUESTS,
        "state_session_capacity": MAX_REQUESTS,
    }


def offered(context: AppContext) -> dict[str, Any]:
    """What the browser must know before the first question."""
    return {
        "title": TITLE,
        "max_s": context.max_s,
        "max_bytes": context.max_bytes,
        "models": upload.models(context),
        "window_s": upload.window_s(context),
        "deleted_within_h": DELETED_WITHIN_H,
        "server": server_name(),
        "endpoints": None,
        "tabs": [name for name, *_ in TABS],
        "explanation": explanation_choices(),
        "edits": {"kinds": edit_choices(), "most": what_if.MAX_EDITS, "points": what_if.MAX_POINTS, "cut": True},
        "live": live.offered(context),
        "room": room.offered(context),
        "plotly": plotly_path(),
        "locales": locale_paths(),
        "on_dark": ON_DARK,
        "lessons": lessons.lessons(),
        "lesson_models": lessons.MODELS,
        "examples": [
            {key: getattr(example, key) for key in ("id", "title", "artist", "licence", "kind", "description")}
            for example in context.examples.values()
        ],
    }
