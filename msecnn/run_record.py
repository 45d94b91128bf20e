"""What a card says of the run that made it, held against itself: the command typed and the configuration resolved.

A run writes both, so they can only disagree by a defect of this program, or by hand. A defect that was found out and
is told in the card under "known_contradictions", exactly as it is, passes.
"""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

COMMANDS = ("train", "distill")
_KEYS = ("option", "command", "configuration")
_YES, _NO = ("yes",), ("no",)  # what an option says that takes no word


@dataclass(frozen=True)
class Contradiction:
    """An option that the command gives one value and the configuration another."""

    option: str
    command: str
    configuration: Any

    def __str__(self) -> str:
        return f"its command says {self.command} for {self.option}, its configuration {self.configuration}"

    def to_json(self) -> dict[str, Any]:
        """What a card says of it, without the explanation that a person adds."""
        return {"option": self.option, "command": self.command, "configuration": self.configuration}


def contradictions(card: Mapping[str, Any]) -> list[Contradiction]:
    """Every option whose value in the card's command is not the one in its configuration.

    Raises:
        ValueError: the record cannot be read.
    """
    run = card.get("run", card)
    try:
        said, resolved = _options(str(run.get("command", ""))), dict(_resolved(run))
    except (AttributeError, TypeError, KeyError) as error:
        raise ValueError("the record of its run is damaged") from error
    return [
        Contradiction(name, " ".join(words), resolved[name])
        for name, words in said.items()
        if name in resolved and not _same(words, resolved[name])
    ]


def complaint(card: Mapping[str, Any]) -> str | None:
    """What is wrong with a card's record of its run, in a sentence without its full stop; None if nothing is."""
    try:
        found = contradictions(card)
        told = [{key: entry[key] for key in _KEYS} for entry in card.get("known_contradictions", ())]
    except (ValueError, TypeError, KeyError) as error:
        return str(error) if isinstance(error, ValueError) else "its known contradictions cannot be read"
    untold = [str(each) for each in found if each.to_json() not in told]
    if untold:
        return untold[0]
    untrue = [str(entry["option"]) for entry in told if entry not in [each.to_json() for each in found]]
    if untrue:
        return f"it tells of a contradiction in {untrue[0]} that is not there"
    try:
        return next(_other_complaints(card), None)
    except (AttributeError, TypeError):
        return "what it says of its run and its teachers cannot be read"


def _other_complaints(card: Mapping[str, Any]) -> Iterator[str]:
    """What a run and the network it made say twice."""
    run = card.get("run")
    if not isinstance(run, Mapping):
        return
    if run.get("model", card.get("architecture")) != card.get("architecture"):
        yield f"its run trained {run['model']}, and its network is {card.get('architecture')}"
    if run.get("front_end", card.get("front_end")) != card.get("front_end"):
        yield "its run had another front end than its network"
    distillation = run.get("distillation")
    if isinstance(distillation, Mapping) and "config" in run and distillation.get("train") != run["config"]:
        yield "the two configurations of its run differ"
    names = [teacher.get("name") for teacher in card.get("teachers", ())]
    if "teachers" in run and list(run["teachers"]) != names:
        yield "its run had other teachers than it credits"


def _options(command: str) -> dict[str, tuple[str, ...]]:
    """Each option of a command that trains, with its words; of one given twice, the last."""
    words = shlex.split(command)
    options: dict[str, tuple[str, ...]] = {}
    if not set(COMMANDS) & set(words[:4]):
        return options
    name = None
    for word in words:
        if word.startswith("--"):
            name, equals, value = word.removeprefix("--").partition("=")
            name = name.replace("-", "_")
            options[name] = (value,) if equals else ()
        elif name is not None:
            options[name] = (*options[name], word)
    return dict(_with_answers(options))


def _with_answers(options: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, words in options.items():
        if words:
            yield name, words
        else:
            yield (name.removeprefix("no_"), _NO) if name.startswith("no_") else (name, _YES)


def _resolved(run: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What every option came to, by its name."""
    distillation = run.get("distillation") or {}
    config = run.get("config") or distillation.get("train") or {}
    for part in (config, config.get("augmentation") or {}, distillation):
        yield from ((name, value) for name, value in part.items() if not isinstance(value, Mapping))
    if "model" in run:
        yield "model", run["model"]
    data = run.get("data")
    if isinstance(data, Mapping) and "filtered" in data:
        yield "filtered", data["filtered"]


def _same(words: tuple[str, ...], value: Any) -> bool:
    if isinstance(value, bool):
        return words == (_YES if value else _NO)
    if isinstance(value, list):
        return list(words) == value or (words == _YES and not value)  # `--frozen` without a word: nothing
    if isinstance(value, (int, float)):
        try:
            return len(words) == 1 and float(words[0]) == value
        except ValueError:
            return False
    return words == (value,)
