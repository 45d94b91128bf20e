"""A quiz before and after a class: two parallel forms of twelve questions, their key, and pages to fill in.

Both forms ask about the same twelve topics. `tests/test_quiz.py` computes each right answer from the networks and their
weights, so that none can become wrong unnoticed.
"""

import json
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import Any

from msecnn.resources import resource_folder

FORMS = ("a", "b")
LETTERS = "abcd"
N_QUESTIONS = 12
OCCASIONS = ("before", "after")
LANGUAGES = ("en", "de")
#: Columns of a file of answers: one row a quiz that was filled in; a letter a question, or nothing.
COLUMNS = ("participant", "occasion", "form", *(f"q{n}" for n in range(1, N_QUESTIONS + 1)))

_STYLE = """
body { font: 17px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #1c1917; }
fieldset { border: 0; padding: 0; margin: 1.4rem 0; break-inside: avoid; } legend { padding: 0; font-weight: 600; }
label { display: block; padding: .2rem 0; } .consent { border: 1px solid #8a8178; padding: .2rem 1rem; }
input[type=text] { font: inherit; width: 8rem; } button { font: inherit; padding: .5rem 1.2rem; }
@page { size: A4; margin: 16mm; } @media print { body { font-size: 11pt; margin: 0; } button { display: none; } }
"""
#: Saves the answers as a file; nothing is sent.
_SCRIPT = """
const told = JSON.parse(document.getElementById("quiz").textContent), status = document.getElementById("status");
document.querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const given = new FormData(event.target), code = String(given.get("code")).toUpperCase().replace(/[^A-Z0-9]/g, "");
  if (!given.get("agree") || !code || !given.get("occasion")) { status.textContent = told.need; return; }
  const row = [code, given.get("occasion"), told.form, ...told.names.map((name) => given.get(name) ?? "")];
  const csv = `${told.columns.join(",")}\\n${row.join(",")}\\n`;
  const name = `quiz-${code}-${given.get("occasion")}-${told.form}.csv`;
  const href = URL.createObjectURL(new Blob([csv], { type: "text/csv" }));
  Object.assign(document.createElement("a"), { href, download: name }).click();
  status.textContent = told.saved.replace("{name}", name);
});
"""


@dataclass(frozen=True)
class Question:
    """One question of a form.

    Attributes:
        topic: what it is about; the other form has one of the same topic.
        texts: by language, the question and its choices.
        right: index of the right choice.
    """

    id: str
    form: str
    topic: str
    right: int
    texts: dict[str, tuple[str, tuple[str, ...]]]

    @property
    def letter(self) -> str:
        """The right answer as a file of answers has it."""
        return LETTERS[self.right]

    @property
    def right_choice(self) -> str:
        """The right answer in English."""
        return self.texts["en"][1][self.right]


@cache
def questions() -> tuple[Question, ...]:
    """Of both forms, in the order in which they are asked."""
    return tuple(_question(row) for row in _content()["questions"])


def form_questions(form: str) -> tuple[Question, ...]:
    return tuple(question for question in questions() if question.form == form)


def form_page(form: str, language: str) -> str:
    """A form as an HTML page that needs nothing else: to be filled in, or printed; with the consent text before it."""
    words = _content()["words"][language]
    title, asked = words["title"].format(form=form.upper()), form_questions(form)
    names = [f"q{n}" for n in range(1, len(asked) + 1)]
    told = {"form": form, "names": names, "columns": COLUMNS} | {key: words[key] for key in ("need", "saved")}
    occasions = "".join(
        f'<label><input type="radio" name="occasion" value="{name}"> {escape(words[name])}</label>'
        for name in OCCASIONS
    )
    return "\n".join(
        [
            f'<!doctype html><html lang="{language}"><meta charset="utf-8">',
            f'<meta name="viewport" content="width=device-width"><title>{escape(title)}</title>',
            f"<style>{_STYLE}</style><h1>{escape(title)}</h1><form>",
            f'<div class="consent">{"".join(f"<p>{escape(text)}</p>" for text in words["consent"])}',
            f'<label><input type="checkbox" name="agree"> {escape(words["agree"])}</label></div>',
            f'<p><label>{escape(words["code"])}: <input type="text" name="code" maxlength="8"></label></p>',
            f"<fieldset><legend>{escape(words['occasion'])}</legend>{occasions}</fieldset>",
            f"<p>{escape(words['instruction'])}</p>",
            *(_fieldset(name, question, language) for name, question in zip(names, asked, strict=True)),
            f'<p><button>{escape(words["save"])}</button></p><p id="status" role="status"></p></form>',
            f'<script type="application/json" id="quiz">{json.dumps(told).replace("<", chr(92) + "u003c")}</script>',
            f"<script>{_SCRIPT}</script></html>\n",
        ]
    )


def key_table() -> str:
    """The key as text: form, number, topic, letter and the right choice in English."""
    rows = [
        f"{form} {n:>2}  {question.topic:<10} {question.letter}  {question.right_choice}"
        for form in FORMS
        for n, question in enumerate(form_questions(form), start=1)
    ]
    return "\n".join(rows) + "\n"


def _fieldset(name: str, question: Question, language: str) -> str:
    text, choices = question.texts[language]
    options = "".join(
        f'<label><input type="radio" name="{name}" value="{letter}"> {letter}) {escape(choice)}</label>'
        for letter, choice in zip(LETTERS, choices, strict=True)
    )
    return f"<fieldset><legend>{name[1:]}. {escape(text)}</legend>{options}</fieldset>"


@cache
def _content() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((resource_folder("assets") / "study/quiz.json").read_text(encoding="utf-8"))
    return content


def _question(row: dict[str, Any]) -> Question:
    texts = {language: (row["question"][language], tuple(row["choices"][language])) for language in LANGUAGES}
    return Question(row["id"], row["form"], row["topic"], row["right"], texts)
