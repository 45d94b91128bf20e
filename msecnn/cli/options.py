"""Options that a recipe can set too: typed once, for the command line and for TOML; None means not given."""

import argparse
import reprlib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msecnn.errors import MsecnnError

#: What a recipe must hold for an option of each kind, and what that is called in a sentence.
_IN_TOML: dict[type, tuple[tuple[type, ...], str]] = {
    bool: ((bool,), "true or false"),
    int: ((int,), "a whole number"),
    float: ((int, float), "a number"),
    str: ((str,), "text"),
    Path: ((str,), "text"),
    list: ((list,), "a list of texts"),
}


#: Whole numbers up to this one are exact as floats.
WHOLE_IN_FLOAT = 2**53


@dataclass(frozen=True)
class Option:
    """One option of a command.

    Attributes:
        name: its key in a recipe, and with `-` for `_` on the command line.
        kind: bool, int, float, str or Path; a relative path in a recipe counts from where the recipe lies.
        help: what it does.
        metavar: what stands for its value in the help.
        allowed: the values of a whole number that no configuration checks.
        many: it takes several words.
    """

    name: str
    kind: type
    help: str
    metavar: str | None = None
    allowed: range | None = None
    many: bool = False

    def add(self, parser: Any) -> None:
        """Adds it to a parser or a group of one."""
        given: dict[str, Any] = {"help": self.help.replace("%", "%%"), "default": None}
        if self.kind is bool:
            given["action"] = argparse.BooleanOptionalAction
        else:
            given |= {"type": self.kind, "metavar": self.metavar} | ({"nargs": "*"} if self.many else {})
        parser.add_argument(f"--{self.name.replace('_', '-')}", **given)

    def read(self, value: Any, recipe: Path) -> Any:
        """A recipe's value as the command line would give it.

        Raises:
            MsecnnError: it is of another kind.
        """
        kinds, wanted = _IN_TOML[list if self.many else self.kind]
        fits = isinstance(value, kinds) and (self.kind is bool or not isinstance(value, bool))
        if self.kind is float and isinstance(value, int):
            fits = fits and abs(value) <= WHOLE_IN_FLOAT
        if fits and not (self.many and any(not isinstance(word, str) for word in value)):
            return recipe.parent / value if self.kind is Path else value if self.many else self.kind(value)
        raise MsecnnError(f"{recipe}: {self.name.replace('_', '-')} must be {wanted}, not {reprlib.repr(value)}")


def resolve(args: argparse.Namespace, options: Sequence[Option]) -> argparse.Namespace:
    """Options as given, then as the file in `--config` says, else None.

    Raises:
        MsecnnError: the file cannot be read, or has a key or a value that is none; a number is out of range.
    """
    if args.config is not None:
        known = {option.name: option for option in options}
        for key, value in _read(args.config).items():
            name = key.replace("-", "_")
            if name not in known:
                raise MsecnnError(f"{args.config}: there is no option {reprlib.repr(name)}")
            value = known[name].read(value, args.config)
            if getattr(args, name) is None:
                setattr(args, name, value)
    for option in options:
        value = getattr(args, option.name)
        if option.allowed is not None and value is not None and value not in option.allowed:
            least, most = option.allowed[0], option.allowed[-1]
            raise MsecnnError(f"{option.name} must be from {least} to {most}, not {reprlib.repr(value)}")
    return args


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise MsecnnError(f"cannot read {path}: {str(error).splitlines()[0]}") from None
