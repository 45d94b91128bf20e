"""Gradio's own controls: what is chosen in one, and what is offered in it, stays in the browser."""

from typing import Any

import gradio as gr

from msecnn.ui.server.controls import Controls, button, dropdown, radio, row


def built() -> dict[str, Any]:
    """The page's configuration as a browser gets it."""
    controls = Controls()
    with gr.Blocks() as blocks:
        with row():
            controls.add("tag", dropdown("Tag", [("piano 72 %", "piano")]), "input")
            controls.add("model", radio("Model"), "input")
            controls.add("export", button("Download"), "click")
        with controls.add("tab", gr.Tabs()), gr.Tab("Why", id="why") as tab:
            controls.add_tab("tab", tab, "why")
        controls.connect()
    config: dict[str, Any] = blocks.get_config_file()
    return config


def test_no_control_asks_the_server() -> None:
    listeners = built()["dependencies"]
    assert len(listeners) == 5
    assert not any(listener["backend_fn"] for listener in listeners)
    assert all("window.msecnn.ready" in listener["js"] for listener in listeners)


def test_offers_go_to_the_controls_in_the_order_of_their_names() -> None:
    config = built()
    (messenger,) = (listener for listener in config["dependencies"] if len(listener["outputs"]) > 1)
    types = {component["id"]: component["type"] for component in config["components"]}
    assert [types[output] for output in messenger["outputs"]] == ["dropdown", "radio", "button", "tabs"]
    (html,) = (component for component in config["components"] if component["type"] == "html")
    assert "['tag', 'model', 'export', 'tab']" in html["props"]["js_on_load"]


def test_a_choice_is_told_by_name_and_a_press_without_a_value() -> None:
    listeners = {listener["targets"][0][1]: listener for listener in built()["dependencies"]}
    assert "app.chosen('model', value)" in listeners["input"]["js"]
    assert len(listeners["input"]["inputs"]) == 1
    assert listeners["click"]["inputs"] == []
    assert "'why', 'selected'" in listeners["select"]["js"]
