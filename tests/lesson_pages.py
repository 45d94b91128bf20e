"""What the page shows at each step of each lesson, computed from the bundled weights without a browser.

`page_facts` is what `lesson_facts.js` collects in the page; `keys` has Node.js compute the answers from it with the
page's own `lesson_keys.js`.
"""

import json
import shutil
import subprocess
from collections.abc import Sequence
from typing import Any

import pytest

from msecnn.ui import faithfulness_check, upload, what_if
from msecnn.ui.server.context import AppContext
from msecnn.ui.server.static_modules import STATIC
from msecnn.ui.tabs import lessons, network, why

#: An edit for a step that leaves the edit to the student.
OWN_EDIT = {"remove": "remove=3:5,0:6000"}
#: Reads pages and questions, writes keys and options; the modules' own code.
SCRIPT = """
import { FACTS, PLACES_ASKED, ACTS, keyOf, isRight, optionsOf } from %s;
const asked = JSON.parse(await new Response(process.stdin).text());
const answer = ({ ask, page }) => {
    const key = keyOf(ask, page), options = optionsOf(ask, page).map(({ name }) => name);
    return { key, right: options.filter((name) => key && isRight(key, name)), options };
};
const names = [FACTS, PLACES_ASKED, ACTS].map((named) => Object.keys(named).sort());
console.log(JSON.stringify({ names, answers: asked.map(answer) }));
"""


def run_node(asked: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Names of all facts, places and acts, and for each `{ask, page}` its key, options and which are right."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed")
    script = SCRIPT % json.dumps((STATIC / "lesson_keys.js").as_uri())
    command = [node, "--input-type=module", "-e", script]
    done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


class Pages:
    """Pages of one server; what two steps share is computed once."""

    def __init__(self, context: AppContext) -> None:
        self.context = context
        self._opened: dict[str, Any] = {}
        self._kept: dict[str, Any] = {}

    def facts(self, step: dict[str, Any]) -> dict[str, Any]:
        """The page after what the step shows and after what it waits for."""
        show, act = step["show"], step.get("do", {}).get("act")
        example = "piano" if act == "another_example" else show["example"]
        opened = self._open(example)
        models = opened.payload["models"]
        model = show.get("model", models[-1]["name"])
        question = {"model": model, "tag": show.get("tag"), "window": 0}
        of = step.get("do", {}).get("of", {})
        page: dict[str, Any] = {
            "models": models,
            "model": model,
            "mel": opened.payload["mel"],
            "families": opened.payload["families"],
            **dict.fromkeys(("why", "maps", "curves", "network", "sanity", "edits")),
            "kept": [],
        }
        if show["tab"] == "why":
            page |= self._why(opened.session, question, show, act, of)
        if show["tab"] == "network":
            page |= self._network(opened.session, question, show.get("network", {}), of)
        if edits := list(show.get("edits", [])) + ([_edit(of["edit"])] if act == "edit" else []):
            page["edits"] = self._ask(what_if.edit_window, opened.session, {"window": 0, "edits": " ".join(edits)})
        return page

    def _open(self, example: str) -> Any:
        if example not in self._opened:
            request = {"example": example, "models": list(lessons.MODELS)}
            self._opened[example] = upload.open_recording(self.context, None, request)
        return self._opened[example]

    def _why(self, session: Any, question: Any, show: Any, act: str | None, of: Any) -> dict[str, Any]:
        page: dict[str, Any] = {"why": self._ask(why.explain, session, question)}
        look, method = show.get("look"), of.get("method", show.get("why", {}).get("method"))
        if look == "strips":
            page["maps"] = self._ask(why.show_maps, session, question | {"method": method, "token": "maps"})
        if act == "check":
            asked = question | {"method": method, "token": "check"}
            page["curves"] = self._ask(faithfulness_check.check, session, asked)["curves"]
        return page

    def _network(self, session: Any, question: Any, shown: Any, of: Any) -> dict[str, Any]:
        question = question | {"random": shown.get("random", False)}
        answer = self._ask(network.take_apart, session, question)
        off = of.get("off", shown.get("off", []))
        page = {"network": answer, "kept": [scale not in off for scale in answer["scales"]]}
        if question["random"]:
            asked = question | {"method": "gradient"}
            page["sanity"] = self._ask(network.check_sanity, session, asked)["correlation"]
        return page

    def _ask(self, endpoint: Any, session: Any, request: dict[str, Any]) -> Any:
        key = json.dumps([endpoint.__name__, session.name, request])
        if key not in self._kept:
            answer = endpoint(self.context, session, request)
            parts = [answer] if hasattr(answer, "payload") else list(answer)
            self._kept[key] = parts[-1].payload
        return self._kept[key]


def _edit(asked: str) -> str:
    return asked if "=" in asked else OWN_EDIT.get(asked, asked)
