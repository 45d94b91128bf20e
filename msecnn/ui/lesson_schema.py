"""What a lesson file may hold: read and checked, so that a step that nobody could answer is refused in one sentence.

A step has no answer: `lesson_keys.js` computes it from what the page shows. Here stands what each kind of question,
fact and act needs to be told.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msecnn.errors import MsecnnError
from msecnn.what_if.edit import EditError
from msecnn.what_if.notation import parse

Lesson = dict[str, Any]
Step = Mapping[str, Any]

LESSON_FIELDS = ("id", "title", "aim", "steps")
#: Fields of a step, of what it shows, of its question; the first are needed.
STEP_FIELDS = ("text", "question", "ask", "hint", "model", "show"), ("do", "predict")
SHOW_FIELDS = (
    ("example", "tab", "look"),
    ("model", "tag", "seek", "networks", "edits", "why", "network"),
)
ASK_FIELDS = ("kind", "fact"), ("of",)
#: What a question of each kind is told besides; the first are needed.
KINDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "choose": (("options",), ("pick", "close")),
    "choose-tag": ((), ("tags", "likely", "pick", "close")),
    "choose-scale": ((), ("scales", "pick", "close")),
    "choose-model": ((), ("pick", "close")),
    "choose-seconds": ((), ()),
    "number": (("within", "unit"), ()),
}
#: What each kind of question puts into its fact by itself, once for each option.
GIVEN = {"choose-tag": {"tag"}, "choose-scale": {"scale"}, "choose-model": {"model"}}
#: What each fact must be told. `model` may be told to all.
FACTS: dict[str, frozenset[str]] = {
    "probability": frozenset({"tag"}),
    "mean": frozenset({"tag"}),
    "gap": frozenset({"tag"}),
    "term": frozenset({"scale"}),
    "remainder": frozenset(),
    "map_limit": frozenset({"scale"}),
    "deletion_area": frozenset({"order"}),
    "near_correlation": frozenset({"to"}),
    "logit": frozenset({"tag"}),
    "left": frozenset({"tag"}),
    "lost": frozenset({"tag"}),
    "features": frozenset(),
    "bands_a_cell": frozenset({"scale"}),
    "field_s": frozenset({"scale"}),
    "field_below": frozenset({"scale", "seconds"}),
    "change": frozenset({"tag"}),
    "moves": frozenset({"tag", "way", "hardly"}),
    "edited_term": frozenset({"tag", "scale"}),
    "top_hz": frozenset(),
    "above_top": frozenset({"hertz"}),
    "semitones": frozenset({"hertz"}),
    "blind_s": frozenset(),
}
#: Of questions for seconds.
PLACES: dict[str, frozenset[str]] = {"evidence": frozenset({"first"})}
#: What each act must be told.
ACTS: dict[str, frozenset[str]] = {
    "play": frozenset(),
    "seek_blind": frozenset(),
    "open_level": frozenset({"scale"}),
    "open_channel": frozenset(),
    "switch_off": frozenset({"off"}),
    "method": frozenset({"method"}),
    "listen": frozenset({"sound"}),
    "check": frozenset(),
    "edit": frozenset({"edit"}),
    "sort": frozenset({"by"}),
    "another_example": frozenset({"than"}),
}
#: What a step may look at: the page's modules know where that is.
LOOKS = (
    *("player", "tags", "exact", "listen", "strips", "check"),
    *("figure", "channels", "bars", "table", "sanity", "edits"),
)
#: What numbers a fact may be told.
NUMBERS = ("hertz", "seconds", "hardly", "to", "first")


class LessonError(MsecnnError):
    """A lesson file is wrong; the sentence names lesson, step and fault."""


@dataclass(frozen=True)
class Known:
    """What a lesson may name."""

    examples: Collection[str]
    tabs: Collection[str]
    models: Collection[str]
    tags: Collection[str]
    scales: Collection[str]
    methods: Collection[str]


def read_lessons(path: Path, known: Known) -> tuple[Lesson, ...]:
    """The lessons of a file.

    Raises:
        LessonError: it is no JSON, or a lesson in it is wrong.
    """
    try:
        lessons = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise LessonError(f"{path.name} is no JSON: {error}.") from error
    check_lessons(lessons, known)
    return tuple(lessons)


def check_lessons(lessons: Any, known: Known) -> None:
    """Raises LessonError for the first fault."""
    if not isinstance(lessons, list):
        raise LessonError("A lesson file is a list of lessons.")
    for number, lesson in enumerate(lessons, start=1):
        where = f"Lesson {number}"
        _fields(lesson, LESSON_FIELDS, (), where)
        where = f"Lesson “{lesson['id']}”"
        if not isinstance(lesson["steps"], list) or not lesson["steps"]:
            raise LessonError(f"{where} has no steps.")
        for step_number, step in enumerate(lesson["steps"], start=1):
            _check_step(step, known, f"{where}, step {step_number}")
    if len({lesson["id"] for lesson in lessons}) < len(lessons):
        raise LessonError("Two lessons have the same id.")


def _check_step(step: Any, known: Known, where: str) -> None:
    _fields(step, *STEP_FIELDS, where)
    for name in ("text", "question", "hint", "model"):
        if not isinstance(step[name], str) or not step[name].strip():
            raise LessonError(f"{where}: “{name}” has no text.")
    if "{key}" not in step["model"]:
        raise LessonError(f"{where}: the model answer does not tell the answer; write {{key}} where it belongs.")
    _check_show(step["show"], known, where)
    _check_ask(step["ask"], known, where)
    if "do" in step:
        _fields(step["do"], ("act", "words"), ("of",), f"{where}, “do”")
        _one_of(step["do"]["act"], ACTS, "act", where)
        _told(step["do"].get("of", {}), ACTS[step["do"]["act"]], (), f"the act “{step['do']['act']}”", where)
        _names(step["do"].get("of", {}), known, where)
    if not isinstance(step.get("predict", False), bool):
        raise LessonError(f"{where}: “predict” is true or false.")
    if step.get("predict") and step["show"]["look"] == "player":
        raise LessonError(f"{where}: it asks for a prediction and then reveals nothing; look at something else.")


def _check_show(show: Any, known: Known, where: str) -> None:
    _fields(show, *SHOW_FIELDS, f"{where}, “show”")
    _one_of(show["example"], known.examples, "example", where)
    _one_of(show["tab"], known.tabs, "tab", where)
    _one_of(show["look"], LOOKS, "look", where)
    if show.get("networks", "any") != "any":
        raise LessonError(f"{where}: “networks” is “any”, or is left out.")
    for edit in show.get("edits", []):
        _edit(edit, where)
    why, network = show.get("why", {}), show.get("network", {})
    _fields(why, (), ("method", "listen"), f"{where}, “why”")
    _fields(network, (), ("random", "off", "level", "channel"), f"{where}, “network”")
    _names({**why, **network, **{name: show[name] for name in ("model", "tag") if name in show}}, known, where)


def _check_ask(ask: Any, known: Known, where: str) -> None:
    if not isinstance(ask, Mapping) or "kind" not in ask:
        raise LessonError(f"{where}: “ask” has no kind.")
    kind = ask["kind"]
    _one_of(kind, KINDS, "kind of question", where)
    needed, optional = KINDS[kind]
    _fields(ask, ASK_FIELDS[0] + needed, ASK_FIELDS[1] + optional, f"{where}, “ask”")
    facts = PLACES if kind == "choose-seconds" else FACTS
    _one_of(ask["fact"], facts, "fact", where)
    of, options = ask.get("of", {}), ask.get("options", [{}])
    if kind == "choose" and (not isinstance(options, list) or len({_words(option) for option in options}) < 2):
        raise LessonError(f"{where}: a choice has at least two options, each with words of its own.")
    for option in options:
        told = {**of, **{name: value for name, value in option.items() if name != "words"}}
        given = GIVEN.get(kind, set())
        _told(told, facts[ask["fact"]] - given, given | {"model"}, f"the fact “{ask['fact']}”", where)
        _names(told, known, where)
    if ask.get("pick", "largest") not in ("largest", "smallest"):
        raise LessonError(f"{where}: “pick” is “largest” or “smallest”.")
    for name in ("close", "within"):
        if not _is_number(ask.get(name, 0)) or ask.get(name, 0) < 0:
            raise LessonError(f"{where}: “{name}” is a number that is not negative.")
    _names({name: ask[name] for name in ("tags", "scales") if name in ask}, known, where)
    if kind == "choose-tag" and ("tags" in ask) == ("likely" in ask):
        raise LessonError(f"{where}: a question for a tag has either “tags”, or “likely” and how many.")


def _fields(value: Any, needed: Sequence[str], optional: Sequence[str], where: str) -> None:
    if not isinstance(value, Mapping):
        raise LessonError(f"{where} is not an object with names.")
    if missing := [name for name in needed if name not in value]:
        raise LessonError(f"{where}: “{missing[0]}” is missing.")
    if unknown := [name for name in value if name not in (*needed, *optional)]:
        raise LessonError(f"{where}: there is no “{unknown[0]}”; there are {', '.join((*needed, *optional))}.")


def _told(of: Any, needed: Iterable[str], optional: Iterable[str], what: str, where: str) -> None:
    if not isinstance(of, Mapping):
        raise LessonError(f"{where}: “of” is not an object with names.")
    if missing := sorted(set(needed) - set(of)):
        raise LessonError(f"{where}: {what} must be told “{missing[0]}”.")
    if unknown := sorted(set(of) - set(needed) - set(optional)):
        raise LessonError(f"{where}: {what} knows no “{unknown[0]}”.")


def _names(of: Mapping[str, Any], known: Known, where: str) -> None:
    """Whether what is named exists."""
    there: dict[str, Collection[str]] = {
        "tag": known.tags,
        "tags": known.tags,
        "scale": known.scales,
        "scales": known.scales,
        "off": known.scales,
        "level": known.scales,
        "model": (*known.models, "first", "second"),
        "method": known.methods,
        "than": known.examples,
        "way": ("up", "down", "not"),
        "order": ("map", "random", "loudest"),
        "by": ("mean", "first", "second", "difference"),
    }
    for name, value in of.items():
        for one in value if isinstance(value, list) else [value]:
            if name in there:
                _one_of(one, there[name], name, where)
        if name in NUMBERS and not _is_number(value):
            raise LessonError(f"{where}: “{name}” is a number.")
        if name == "edit":
            _edit(value, where)


def _edit(text: Any, where: str) -> None:
    """An edit, or only its name where the rest is left to the student."""
    try:
        parse(f"{text}=0:1" if text in ("remove", "keep") else str(text), files=False)
    except EditError as error:
        raise LessonError(f"{where}: {error}") from error


def _one_of(value: Any, known: Collection[str], what: str, where: str) -> None:
    if not isinstance(value, str) or value not in known:
        raise LessonError(f"{where}: there is no {what} {value!r}; there are {', '.join(known)}.")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _words(option: Any) -> str:
    return str(option.get("words", "")) if isinstance(option, Mapping) else ""
