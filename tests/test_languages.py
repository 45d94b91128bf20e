"""Every text of the page is in `assets/locales`, complete in each language, and none is written past it."""

import json
import re
import sys
from pathlib import Path

import pytest

from msecnn.ui.server.languages import LOCALES, catalogue, languages
from msecnn.ui.server.static_modules import STATIC

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "recipes"))

from collect_texts import CALL, PLURAL, STRING, TEXT, collected, texts_of  # noqa: E402

OTHERS = languages()[1:]
PLACE = re.compile(r"\{\w+\}")
#: What a module listens for: names of the page's state.
LISTENED = re.compile(r'\bon(Edits)?\("[^"]*"')
#: Two words with a space between them: what people read.
PROSE = re.compile(r"[A-Za-z]{2,}[,.:;?!]? [a-z]{2,}")


def test_english_is_what_the_code_says() -> None:
    stored = json.loads((LOCALES / "en.json").read_text(encoding="utf-8"))
    assert stored == collected(), "python recipes/collect_texts.py writes it anew"


@pytest.mark.parametrize("language", OTHERS)
def test_each_language_has_every_text(language: str) -> None:
    for kind, texts in catalogue("en").items():
        other = catalogue(language)[kind]
        assert set(other) == set(texts), kind
        for text, words in other.items():
            assert words.strip(), text
            assert sorted(PLACE.findall(words)) == sorted(PLACE.findall(text)), text


@pytest.mark.parametrize("language", OTHERS)
def test_sentences_are_translated(language: str) -> None:
    """A name may be the same in both languages; a sentence is not."""
    for texts in catalogue(language).values():
        assert not [text for text, words in texts.items() if words == text and len(PLACE.sub("", text).split()) > 2]


def literals(code: str) -> list[str]:
    """The strings of a module that are no text of the page: without comments, imports and calls of `t`."""
    bare = re.sub(r"^import .*?;$|^\s*//[^\n]*$|//[^\n\"]*$|/\*.*?\*/", "", code, flags=re.M | re.S)
    bare = LISTENED.sub("", PLURAL.sub("", CALL.sub("", bare)))
    plain = ["".join(part[1:-1] for part in re.findall(STRING, found)) for found in re.findall(TEXT, bare)]
    templates = [re.sub(r"\$\{[^}]*\}", "…", found) for found in re.findall(r"`([^`]*)`", bare)]
    return [*plain, *templates]


@pytest.mark.parametrize("path", sorted(STATIC.glob("*.js")), ids=lambda path: path.name)
def test_no_module_has_a_text_of_its_own(path: Path) -> None:
    # What begins at the quote of a regular expression is no literal, and has a line's end in it.
    found = [text for text in literals(path.read_text(encoding="utf-8")) if PROSE.search(text) and "\n" not in text]
    assert not [text for text in found if not is_for_machines(text)]


#: Selectors, styles, MIME types, lists of class names, media queries.
MACHINE = re.compile(
    r"mse-|:has|\bcanvas\b.*\{|px|rgba?\(|codecs=|<svg|button\[|audio/|^\([a-z-]+: [a-z]+\)$|^input, textarea$"
    r"|^width=|^pitch class$|foreignObject|\w\($"
)


def is_for_machines(text: str) -> bool:
    return bool(MACHINE.search(text))


def test_the_scan_finds_a_text() -> None:
    assert literals('h("p", {}, "Nobody translates this.")') == ["p", "Nobody translates this."]
    assert literals('h("p", {}, t("Somebody does."))') == ["p"]
    assert list(texts_of('t("One, " + "two.") plural(n, "{n} tag", "{n} tags")')) == [
        "One, two.",
        "{n} tag",
        "{n} tags",
    ]
