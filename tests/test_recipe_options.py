"""Options and recipes: what is given counts, be it 0 or no; what cannot be is told in one sentence."""

import argparse
import json
import math
import tomllib
from dataclasses import fields
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msecnn.cli import distill as distill_command
from msecnn.cli import main
from msecnn.cli import train as train_command
from msecnn.cli.config_options import configured
from msecnn.cli.options import Option, resolve
from msecnn.distillation.pipeline import DistillConfig
from msecnn.errors import MsecnnError
from msecnn.training.augmentation import Augmentation
from msecnn.training.settings import TrainConfig

RECIPES = sorted((Path(__file__).resolve().parents[1] / "recipes").glob("*.toml"))


def asked(command: ModuleType, words: list[str], recipe: str | None, folder: Path) -> argparse.Namespace:
    """The options as the command gets them."""
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    if recipe is not None:
        (folder / "recipe.toml").write_text(recipe, encoding="utf-8")
        words = ["--config", str(folder / "recipe.toml"), *words]
    return resolve(parser.parse_args(words), command.OPTIONS)


@pytest.mark.parametrize(
    ("command", "words", "recipe", "value"),
    [
        (train_command, ["--seed", "0"], "seed = 2", 0),
        (train_command, ["--mix", "0"], "mix = 0.3", 0.0),
        (train_command, ["--loop", "0"], "loop = 0.15", 0.0),
        (train_command, ["--ema-decay", "0"], "ema-decay = 0.995", 0.0),
        (train_command, ["--gain-db", "0"], "gain_db = 6.0", 0.0),
        (train_command, ["--no-filtered"], "filtered = true", False),
        (train_command, ["--no-roll"], "roll = true", False),
        (distill_command, ["--seed", "0"], "seed = 2", 0),
        (distill_command, ["--concatenation", "0"], "concatenation = 0.5", 0.0),
        (distill_command, ["--no-auxiliary"], "auxiliary = true", False),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_option_of_nothing_wins_over_the_recipe(
    command: ModuleType, words: list[str], recipe: str, value: object, tmp_path: Path
) -> None:
    name = recipe.split(" =")[0].replace("-", "_")
    found = getattr(asked(command, words, recipe, tmp_path), name)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_is_understood(path: Path) -> None:
    command = distill_command if path.stem.endswith("_distilled") else train_command
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    args = resolve(parser.parse_args(["--config", str(path)]), command.OPTIONS)
    config = configured(TrainConfig, args, augmentation=configured(Augmentation, args))
    for name, value in tomllib.loads(path.read_text(encoding="utf-8")).items():
        name = name.replace("-", "_")
        assert getattr(args, name) == value
        if name in config.to_json():
            assert config.to_json()[name] == value


@pytest.mark.parametrize(
    ("recipe", "sentence"),
    [
        ('filtered = "no"', "filtered must be true or false, not 'no'"),
        ("filtered = 0", "filtered must be true or false, not 0"),
        ("epochs = true", "epochs must be a whole number, not True"),
        ("epochs = 2.5", "epochs must be a whole number, not 2.5"),
        ('learning-rate = "1e-3"', "learning-rate must be a number, not '1e-3'"),
        ("model = 5", "model must be text, not 5"),
        ('frozen = "levels."', "frozen must be a list of texts, not 'levels.'"),
        ("frozen = [1]", "frozen must be a list of texts, not [1]"),
        ("learning-rat = 1", "there is no option 'learning_rat'"),
        ("resume = true", "there is no option 'resume'"),
        ("threads = 0", "threads must be from 1 to 1024, not 0"),
        ("seed = 1\nseed = 2", "cannot read"),
        (f"dropout = 1{400 * '0'}", "dropout must be a number"),
    ],
)
def test_a_recipe_that_says_what_cannot_be_is_refused(recipe: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(MsecnnError) as told:
        asked(train_command, [], recipe, tmp_path)
    assert sentence in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    "words",
    [
        ["--seed", "-1"],
        ["--dropout", "7"],
        ["--learning-rate", "nan"],
        ["--learning-rate", "-0.001"],
        ["--weight-decay", "inf"],
        ["--device", "cuda:99"],
        ["--device", "toaster"],
        ["--batch-size", "0"],
        ["--ema-decay", "1"],
        ["--warmup", "1.5"],
        ["--mix", "2"],
        ["--frequency-mask", "-1"],
        ["--loop-min-s", "9", "--loop-max-s", "4"],
        ["--threads", "0"],
        ["--threads", 40 * "9"],
        ["--epochs", 400 * "9"],
        ["--jobs", "0"],
        ["--order", "upside_down"],
    ],
    ids=" ".join,
)
def test_values_out_of_range_are_told_in_one_sentence(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "manifest.jsonl").write_text("")
    for command in ("train", "distill"):
        capsys.readouterr()
        more = ["--teacher", "x"] if command == "distill" else []
        given_words = [command, "--model", "fcn5", "--data", str(tmp_path), "--out", str(tmp_path / "run"), *more]
        assert main([*given_words, *words]) == 1
        told = capsys.readouterr().err.strip().splitlines()
        assert len(told) == 1
        assert told[0].startswith(f"msecnn {command}: ")
        assert words[0].lstrip("-") in told[0].replace("_", "-")
    assert not (tmp_path / "run").exists()


def plausible(option: Option) -> st.SearchStrategy[Any]:
    """Values of an option's own kind, sensible or not."""
    if option.many:
        return st.lists(st.text(max_size=5), max_size=3)
    kinds: dict[type, st.SearchStrategy[Any]] = {
        bool: st.booleans(),
        int: st.integers(),
        float: st.floats() | st.integers(),
        str: st.text(max_size=8),
        Path: st.text(max_size=8),
    }
    return kinds[option.kind]


ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.lists(st.integers())
COMMANDS = [(train_command, TrainConfig), (distill_command, DistillConfig)]
EVERY = [(command, option) for command, _ in COMMANDS for option in command.OPTIONS]


def answer(command: ModuleType, words: list[str], recipe: str, folder: Path) -> tuple[argparse.Namespace | None, str]:
    """The options with which the command can go on, or the sentence that it refuses them with."""
    try:
        args = asked(command, words, recipe, folder)
        config = configured(TrainConfig, args, augmentation=configured(Augmentation, args))
        if command is distill_command:
            configured(DistillConfig, args, train=config)
    except MsecnnError as error:
        return None, str(error)
    return args, ""


def toml(value: object) -> str:
    """A value as TOML writes it."""
    if isinstance(value, float):
        return "nan" if math.isnan(value) else repr(value)
    return json.dumps(value).replace("\x7f", "\\u007f")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where recipe after recipe is written: thousands of folders would be counted anew for each that is made."""
    return tmp_path_factory.mktemp("recipe")


@pytest.mark.parametrize(("command", "option"), EVERY, ids=lambda value: getattr(value, "name", ""))
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_a_key_of_a_recipe_is_taken_as_it_is_or_refused_in_one_line(
    command: ModuleType, option: Option, data: st.DataObject, folder: Path
) -> None:
    value = data.draw(plausible(option) | ANYTHING.filter(lambda value: value is not None))
    args, refusal = answer(command, [], f"{option.name} = {toml(value)}", folder)
    if args is None:
        assert "\n" not in refusal
        assert len(refusal) < 600
        return
    found = getattr(args, option.name)
    assert type(found) in (option.kind, type(folder / "x"), list)
    assert found == (folder / value if option.kind is Path else value)


@pytest.mark.parametrize(("command", "option"), EVERY, ids=lambda value: getattr(value, "name", ""))
@given(data=st.data())
@settings(max_examples=15, deadline=None)
def test_what_is_typed_wins_whatever_the_recipe_says(
    command: ModuleType, option: Option, data: st.DataObject, folder: Path
) -> None:
    words = st.lists(st.sampled_from(["a", "levels."]), min_size=1) if option.many else plausible(option)
    typed, written = data.draw(words), data.draw(plausible(option))
    if option.kind in (str, Path) and not option.many:
        typed = "typed"
    flag = f"--{option.name.replace('_', '-')}"
    if option.kind is bool:
        argv = [flag if typed else flag.replace("--", "--no-", 1)]
    else:
        argv = [flag, *typed] if option.many else [f"{flag}={typed}"]
    written_down = f"{option.name} = {toml(written)}"
    args, refusal = answer(command, argv, written_down, folder)
    if args is None:
        assert "\n" not in refusal
        return
    found, wanted = getattr(args, option.name), typed if option.many else option.kind(typed)
    assert found == wanted or (found != found and wanted != wanted)  # nan is not itself


def test_every_field_of_the_configurations_is_an_option() -> None:
    for command, owner in COMMANDS:
        names = {option.name for option in command.OPTIONS}
        for config in (owner, TrainConfig, Augmentation):
            assert {field.name for field in fields(config)} - {"train", "augmentation"} <= names
