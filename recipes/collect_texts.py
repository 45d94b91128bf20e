"""Collects every text of the page into `assets/locales/en.json`, by which other languages are held complete.

    python recipes/collect_texts.py

The modules write English in `t("…")` and `plural(n, "…", "…")`; Gradio's components in Python get theirs by
`words("…")` and by the functions of `controls.py`. What Python sends besides (methods, lessons, examples) is named
here, and `assets/locales/sentences.json` lists what the server may say, with {name} where a sentence varies.
"""

import json
import re
from collections.abc import Iterable, Iterator

from msecnn.files import write_json
from msecnn.ui import sonification
from msecnn.ui.edit_choices import edit_choices
from msecnn.ui.explanation_choices import explanation_choices
from msecnn.ui.page import TABS, TITLE
from msecnn.ui.server.languages import LOCALES
from msecnn.ui.server.static_modules import STATIC
from msecnn.ui.tabs.tags import CALIBRATION

ASSETS = LOCALES.parent
UI = STATIC.parent
STRING = r'"(?:[^"\\]|\\.)*"'
TEXT = rf"{STRING}(?:\s*\+\s*{STRING})*"
#: A call with a text: `t("…")`, `t("…" + "…", …)`, and the two forms of `plural`.
CALL = re.compile(rf"(?<![\w.])t\(\s*({TEXT})")
PLURAL = re.compile(rf"(?<![\w.])plural\([^\"]*?({TEXT}),\s*({TEXT})\)")
#: Labels and titles of Gradio's components.
CONTROL = re.compile(r'(?:words|dropdown|radio|checkbox|button|Tab)\(\s*"([^"]+)"')
CHOICE = re.compile(r'\("([^"]+)", "[a-z]+"\)')


def texts_of(code: str) -> Iterator[str]:
    """The texts in a module's code."""
    for call in (*CALL.finditer(code), *PLURAL.finditer(code)):
        yield from map(joined, call.groups())


def joined(literals: str) -> str:
    """JavaScript's string literals, joined by plus signs, as one text."""
    return "".join(json.loads(literal) for literal in re.findall(STRING, literals))


def page_texts() -> list[str]:
    """Of the modules, and what Python sends for them to show."""
    modules = (text for path in sorted(STATIC.glob("*.js")) for text in texts_of(path.read_text(encoding="utf-8")))
    return unique([*modules, TITLE, *_of_choices(), *_of_edits(), *_of_lessons(), *_of_examples()])


def control_texts() -> list[str]:
    """Of Gradio's own components."""
    written = []
    for path in sorted(UI.rglob("*.py")):
        code = path.read_text(encoding="utf-8")
        written += [*CONTROL.findall(code)]
        if "radio(" in code:
            written += CHOICE.findall(code)
    tabs = [title for _, title, _ in TABS]
    return unique([*written, *tabs, CALIBRATION, *(f"Model {number}" for number in (1, 2))])


def unique(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))


def _of_choices() -> Iterator[str]:
    choices = explanation_choices()
    for method in choices["methods"]:
        yield from (method["title"], method["words"])
    yield from (baseline["title"] for baseline in choices["baselines"])
    yield from sonification.PARTS.values()


def _of_edits() -> Iterator[str]:
    for edit in edit_choices():
        yield from (edit["title"], edit["words"], *(parameter["title"] for parameter in edit["parameters"]))


def _of_lessons() -> Iterator[str]:
    for lesson in json.loads((ASSETS / "lessons.json").read_text(encoding="utf-8")):
        yield from (lesson["title"], lesson["aim"])
        for step in lesson["steps"]:
            yield from (step[key] for key in ("text", "question", "hint", "model"))
            if "do" in step:
                yield step["do"]["words"]
            yield from filter(None, (step["ask"].get("unit"),))
            yield from (option["words"] for option in step["ask"].get("options", ()))


def _of_examples() -> Iterator[str]:
    for example in json.loads((ASSETS / "examples/examples.json").read_text(encoding="utf-8")):
        yield from (example["kind"], example["description"])


def collected() -> dict[str, dict[str, str]]:
    """All texts, as `en.json` has them."""
    sentences = json.loads((LOCALES / "sentences.json").read_text(encoding="utf-8"))
    texts = {"page": page_texts(), "controls": control_texts(), "sentences": sentences}
    return {kind: {text: text for text in listed} for kind, listed in texts.items()}


if __name__ == "__main__":
    write_json(LOCALES / "en.json", collected())
