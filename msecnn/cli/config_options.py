"""The fields of a configuration as options, and the options that were given as a configuration."""

import argparse
import inspect
import re
from collections.abc import Iterator
from dataclasses import MISSING, fields
from typing import Any, TypeVar

from msecnn.cli.options import Option

Config = TypeVar("Config")


def of_config(config: type) -> Iterator[Option]:
    """An option for each plain field of a configuration, with its default and its line of documentation."""
    descriptions = dict(re.findall(r"^    ([\w, ]+): (.+(?:\n {8}.+)*)", inspect.getdoc(config) or "", re.MULTILINE))
    descriptions = {name: " ".join(text.split()) for names, text in descriptions.items() for name in names.split(", ")}
    for field in fields(config):
        if field.default is MISSING:
            continue
        many = isinstance(field.default, tuple)
        kind = str if many else int if field.default is None else type(field.default)
        metavar = "PREFIX" if many else {int: "N", float: "X", str: "NAME", bool: None}[kind]
        yield Option(field.name, kind, f"{descriptions[field.name]} ({field.default})", metavar, many=many)


def configured(config: type[Config], args: argparse.Namespace, **parts: Any) -> Config:
    """A configuration of what was given; the rest as it is by default."""
    given = {field.name: getattr(args, field.name, None) for field in fields(config)}  # type: ignore[arg-type]
    plain = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    return config(**{name: value for name, value in plain.items() if value is not None} | parts)
