"""The recipes run: from MagnaTagATune's files, made up and few, to the paper's Table 1, in one command."""

import importlib.util
import json
import tomllib
from argparse import Namespace
from pathlib import Path
from types import ModuleType

import made_up_magnatagatune as made_up
import pytest

from msecnn.cli import train as train_command
from msecnn.cli.options import resolve
from msecnn.models import registry
from msecnn.run_record import complaint

RECIPES = Path(__file__).resolve().parents[1] / "recipes"
MAGNATAGATUNE = sorted(RECIPES.glob("*_magnatagatune.toml"))


@pytest.fixture(scope="module")
def runner() -> ModuleType:
    spec = importlib.util.spec_from_file_location("run", RECIPES / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def finished(runner, tmp_path_factory) -> Path:
    """A made-up MagnaTagATune of 60 clips, prepared, trained on for an epoch, and evaluated."""
    root = made_up.build(tmp_path_factory.mktemp("magnatagatune"), n_clips=60)
    assert runner.main(command(root)) == 0
    return root


def command(root: Path) -> list[str]:
    recipes = [str(RECIPES / f"{name}_magnatagatune.toml") for name in ("fcn5", "msecnn")]
    options = ["--no-download", "--seeds", "0", "--set", "epochs=1", "--device", "cpu"]
    return [*recipes, "--root", str(root), *options]


def test_there_is_a_recipe_for_each_network_of_the_paper():
    assert [path.stem.removesuffix("_magnatagatune") for path in MAGNATAGATUNE] == ["fcn5", "msecnn", "msecnn_wide"]


@pytest.mark.parametrize("path", MAGNATAGATUNE, ids=lambda path: path.stem)
def test_recipes_are_that_of_won_et_al(path):
    recipe = tomllib.loads(path.read_text())
    assert recipe.pop("model") == path.stem.removesuffix("_magnatagatune")
    assert registry.create(path.stem.removesuffix("_magnatagatune")).n_tags == 50
    names = [option.name for option in train_command.OPTIONS]
    args = Namespace(**dict.fromkeys(names) | {"config": path})
    resolve(args, train_command.OPTIONS)
    config = train_command.train_config(args)
    assert (config.schedule, config.epochs, config.batch_size) == ("won2020", 140, 16)
    assert (config.learning_rate, config.weight_decay, config.dropout) == (1e-4, 1e-4, 0.5)
    augmentation = config.augmentation
    assert augmentation == type(augmentation).none()
    assert args.filtered


@pytest.mark.parametrize("path", MAGNATAGATUNE, ids=lambda path: path.stem)
def test_a_recipe_of_others_says_where_it_differs(path):
    header = path.read_text().split("\nmodel =")[0]
    for word in (
        "--order literal",
        "filters and matrices only",
        "140 epochs",
        "one window of a clip",
        "momentum is kept",
    ):
        assert word in header


def test_both_networks_have_a_recipe_of_our_own_and_it_is_one():
    recipes = [tomllib.loads((RECIPES / f"{name}_modern.toml").read_text()) for name in ("fcn5", "msecnn")]
    assert [recipe.pop("model") for recipe in recipes] == ["fcn5", "msecnn"]
    assert recipes[0] == recipes[1]
    names = [option.name for option in train_command.OPTIONS]
    args = resolve(Namespace(**dict.fromkeys(names) | {"config": RECIPES / "fcn5_modern.toml"}), train_command.OPTIONS)
    config = train_command.train_config(args)
    assert config.schedule == "one_cycle"
    assert config.ema_decay > 0
    augmentation = config.augmentation
    assert min(augmentation.frequency_mask, augmentation.time_mask, augmentation.mix) > 0


def test_from_the_files_to_the_papers_table(finished):
    report = json.loads((finished / "report" / "report.json").read_text())
    assert report["is_magnatagatune"]
    assert [each["architecture"] for each in report["evaluations"]] == ["fcn5", "msecnn"]
    n_test = sum(1 for line in (finished / "folders.jsonl").open() if '"split": "test"' in line)
    assert report["n_clips"] == n_test == 15
    for each in report["evaluations"]:
        assert each["filtered"]["n_clips"] < each["unfiltered"]["n_clips"] == n_test
        assert not each["untrained"]
    rows = {row["system"]: row for row in report["table_1"]}
    measured = rows["MsE-CNN"]["filtered_roc_auc"]
    assert measured["value"] == report["evaluations"][1]["filtered"]["roc_auc"]["macro"]
    assert rows["FCN-5"]["unfiltered_pr_auc"]["value"] == report["evaluations"][0]["unfiltered"]["pr_auc"]["macro"]
    text = (finished / "report" / "report.md").read_text()
    assert "Table 1 of the paper" in text
    assert f"{measured['value']:.4f}" in text
    assert "they do not compare with the paper's" in text  # fifteen clips are not the test split
    assert "55753" not in (finished / "folders.jsonl").read_text().split("\n", 1)[1]  # the broken clip


def test_a_run_knows_its_recipe(finished):
    card = json.loads((finished / "runs" / "msecnn_magnatagatune-0" / "checkpoint" / "card.json").read_text())
    assert card["config"]["schedule"] == "won2020"
    assert card["config"]["seed"] == 0
    assert card["command"].startswith("python -m msecnn train --config")
    assert "--seed 0" in card["command"]
    assert complaint(card) is None
    assert card["data"]["filtered"]


def test_the_same_command_again_does_nothing_twice(runner, finished):
    def seen() -> tuple:
        history = (finished / "runs" / "fcn5_magnatagatune-0" / "history.jsonl").read_text()
        card = json.loads((finished / "runs" / "fcn5_magnatagatune-0" / "checkpoint" / "card.json").read_text())
        return history, card["sha256"], (finished / "report" / "report.json").read_text()

    before = seen()
    assert runner.main(command(finished)) == 0
    assert seen() == before


def test_the_first_step_that_fails_ends_it(runner, tmp_path, capsys):
    assert runner.main(command(tmp_path / "nothing there")) == 1
    printed = capsys.readouterr()
    assert "$ python -m msecnn prepare magnatagatune" in printed.out
    assert "$ python -m msecnn train" not in printed.out
    assert printed.err.startswith("msecnn prepare:")


def test_wrong_words_are_refused(runner, tmp_path, capsys):
    for wrong in (["no.toml", "--root", "x"], [str(MAGNATAGATUNE[0]), "--root", "x", "--set", "epochs"]):
        with pytest.raises(SystemExit):
            runner.main(wrong)
    assert runner.option("roll=false") == ["--no-roll"]
    assert runner.option("batch_size=4") == ["--batch-size", "4"]
