"""The other systems of Table 1, trained by their recipes: fitted, encoded, resumed, compared, put into the page."""

import contextlib
import hashlib
import json
import sys
from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from msecnn import checkpoint
from msecnn.audio import write_wav
from msecnn.cli import distill as distill_command
from msecnn.cli import main
from msecnn.cli import train as train_command
from msecnn.cli.options import resolve
from msecnn.data.manifest import Clip, Manifest
from msecnn.distillation.soft_labels import ClipLabels, SoftLabels, key_of
from msecnn.evaluation.paper_table import PAPER_TABLE_1
from msecnn.models import registry
from msecnn.tagger import Tagger
from msecnn.tags import MAGNATAGATUNE_TAGS
from msecnn.training.trainer import Trainer

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "recipes"), str(ROOT / "benchmarks")]

import table1  # noqa: E402

RECIPES = sorted((ROOT / "recipes" / "table1").glob("*.toml"))


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve tones of 29.12 s, and what two teachers make of them."""
    folder = tmp_path_factory.mktemp("music")
    clips = []
    for number, split in enumerate(["train"] * 6 + ["valid"] * 2 + ["test"] * 4):
        path = folder / f"{number}.wav"
        rng = np.random.default_rng(number)
        tone = np.sin(2 * np.pi * rng.uniform(100, 3000) * np.arange(int(29.12 * 16_000)) / 16_000)
        write_wav(path, (0.3 * tone + 0.01 * rng.normal(size=len(tone))).astype(np.float32), 16_000)
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        labels = np.full(50, np.nan)
        made = {"real": str(int(number < 11))}  # the last is a render: recordings are compared apart
        clips.append(
            Clip(f"{number}", path, split, labels, group=f"{number}", duration_s=29.12, hash=content, extra=made)
        )
    manifest = Manifest(MAGNATAGATUNE_TAGS, tuple(clips), "tones")
    manifest.write(folder / "manifest.jsonl")
    (folder / "labels").mkdir()
    for seed, name in enumerate(table1.TEACHERS):
        rng = np.random.default_rng(seed)
        windows = {key_of(clip): ClipLabels(clip.clip_id, rng.random((9, 50))) for clip in clips}
        SoftLabels(name, "musicnn", name, MAGNATAGATUNE_TAGS, 3.0, windows).write(folder / "labels" / f"{name}.npz")
    return folder


def words(music: Path, system: str, out: Path, *more: str) -> list[str]:
    return [
        "distill", "--config", str(ROOT / "recipes" / "table1" / f"{system}_distilled.toml"), "--data",
        str(music / "manifest.jsonl"), "--teacher", *table1.TEACHERS, "--out", str(out), "--device", "cpu", "--threads",
        "1", "--jobs", "1", "--epochs", "3", *more,
    ]  # fmt: skip


@pytest.mark.parametrize("system", ["mfcc_pooling", "conv1d"])
def test_a_run_that_was_killed_is_the_same_run(
    system: str, music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One whose clips are encoded once, and one that sees a patch of each; by the command, from sounds to a card."""
    assert main(words(music, system, tmp_path / "whole")) == 0
    real = Trainer._save
    saved: list[Trainer] = []

    def save_once(trainer: Trainer) -> None:
        real(trainer)
        saved.append(trainer)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "_save", save_once)
        with contextlib.suppress(KeyboardInterrupt):
            main(words(music, system, tmp_path / "parts"))
    assert len(saved) == 1
    with monkeypatch.context() as patched:  # what was fitted is not fitted again
        patched.setattr(type(registry.create(system)), "fit", lambda *_: pytest.fail("fitted twice"))
        assert main(words(music, system, tmp_path / "parts", "--resume")) == 0
    weights = [load_file(tmp_path / run / "checkpoint" / checkpoint.WEIGHTS) for run in ("whole", "parts")]
    assert [name for name in weights[0] if not torch.equal(weights[0][name], weights[1][name])] == []

    student = checkpoint.load(tmp_path / "whole" / "checkpoint")
    checkpoint.verify(student)
    card = student.card
    assert card["architecture"] == system
    assert student.mean_features is None
    assert "instead of labels" in card["differences_from_paper"]
    assert registry.create(system).differences[0] in card["differences_from_paper"]
    assert (card["run"]["n_epochs"], card["data"]["n_train"]) == (3, 6)
    assert card["run"]["front_end"] == card["front_end"] == student.model.front_end.to_json()


def test_what_cannot_be_done_without_scales_is_refused(
    music: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for more, sentence in (
        (["--auxiliary"], "takes no --auxiliary"),
        (["--mix", "0.5"], "cannot be augmented"),
        (["--size", "n_hidden=many"], "--size takes NAME=N"),
        (["--size", "width=2"], "mfcc_pooling cannot be built so"),
        (["--start-from", "x.safetensors"], "takes a checkpoint, not tensors"),
    ):
        assert main(words(music, "mfcc_pooling", tmp_path / "run", *more)) == 1
        assert sentence in capsys.readouterr().err
    assert main(words(music, "transferred_musicnn", tmp_path / "run")) == 1
    assert "its source's tensors" in capsys.readouterr().err


def test_a_column_is_one_command(music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trained, compared, bundled and written; again, nothing is trained again."""
    bundled = tmp_path / "checkpoints"
    monkeypatch.setattr(checkpoint, "BUNDLED", bundled)
    monkeypatch.setattr(table1.render_cards, "PAGE", tmp_path / "models.md")
    for name, place in (("DOCUMENT", "docs/table1.md"), ("COST", "docs/tables/cost.csv")):
        monkeypatch.setattr(table1, name, tmp_path / place)
    table1.DOCUMENT.parent.mkdir()
    table1.DOCUMENT.write_text(f"old\n{table1.FINDINGS}\nBy hand.\n")
    bundled.mkdir()
    for name in ("fcn5", "msecnn"):
        (bundled / name).symlink_to(ROOT / "checkpoints" / name)
    command = ["open", str(music / "manifest.jsonl"), "--labels", str(music / "labels"), "--system", "mfcc_pooling"]
    command += ["--runs", str(tmp_path / "runs")]
    real = table1.distill
    monkeypatch.setattr(table1, "distill", lambda *args: [*real(*args), "--epochs", "2"])
    assert table1.main(command) == 0
    assert checkpoint.of_table_1() == ("mfcc_pooling",)
    page = table1.DOCUMENT.read_text()
    literal = next(line for line in page.splitlines() if line.startswith("| pooling MFCC, literally") and "[" in line)
    card = json.loads((bundled / "table1" / "mfcc_pooling" / "card.json").read_text())
    (metric,) = (one for one in card["metrics"] if one["name"] == table1.ROC)
    assert f"{metric['value']:.3f} [" in literal
    assert page.count(table1.NOT_TRAINED) == 1 + 2 * (len(PAPER_TABLE_1) - 2)
    assert page.endswith("By hand.\n")
    monkeypatch.setattr(table1, "distill", lambda *_: pytest.fail("trained twice"))
    assert table1.main(command) == 0


def test_kept_labels_are_the_means_of_the_teachers(
    music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table1, "LABELS", tmp_path)
    assert table1.main(["labels", str(music / "labels")]) == 0
    clips = Manifest.read(music / "manifest.jsonl").clips
    for teacher in table1.TEACHERS:
        whole, kept = (SoftLabels.read(folder / f"{teacher}.npz") for folder in (music / "labels", tmp_path))
        np.testing.assert_allclose(kept.probabilities(clips), whole.probabilities(clips), atol=2.0**-12)
        assert kept.fingerprint == whole.fingerprint


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_builds_its_network_and_changes_no_clip(path: Path) -> None:
    command = distill_command if path.stem.endswith("_distilled") else train_command
    args = Namespace(**dict.fromkeys(option.name for option in command.OPTIONS) | {"config": path})
    resolve(args, command.OPTIONS)
    config = train_command.train_config(args)
    assert not config.augmentation.changes_clips
    assert args.model == path.stem.rsplit("_", 1)[0]
    model = registry.create(args.model, **train_command.sizes(args.size))
    n_bytes = sum(tensor.numel() * tensor.element_size() for tensor in model.state_dict().values())
    if command is distill_command and args.model in table1.SYSTEMS and args.model not in table1.BY_NAME:
        assert n_bytes <= table1.LARGEST


def test_there_are_two_recipes_for_each_row() -> None:
    stems = {path.stem for path in (*RECIPES, *(ROOT / "recipes").glob("*.toml"))}
    for row in PAPER_TABLE_1:
        assert {f"{row.architecture}_magnatagatune", f"{row.architecture}_distilled"} <= stems


def test_costs_are_of_as_many_windows_as_the_tagger_shows(tmp_path: Path) -> None:
    for name, n_windows in (("conv1d", 10), ("mfcc_pooling", 1)):
        model = registry.create(name).eval()
        checkpoint.save(tmp_path / name, model, mel_config=model.front_end, tags=MAGNATAGATUNE_TAGS, card={})
        waveform = np.random.default_rng(0).normal(size=int(29.12 * 16_000)).astype(np.float32)
        prediction = Tagger.from_checkpoint(tmp_path / name, device="cpu").tag((waveform, 16_000))
        assert len(prediction.windows) == table1.windows_of(model) == n_windows
    by_hand = 128 * 8 * 32 * 180 + 32 * 8 * 32 * 38 + 288 * 100 + 100 * 50  # two convolutions, two dense layers
    assert table1.multiply_adds(registry.create("conv1d")) == 10 * by_hand


def test_the_order_beside_the_papers_is_a_rank_correlation() -> None:
    """Four systems in the paper's order, far apart, correlate perfectly; two that cannot be told apart widen it."""

    def cards(values: tuple[float, ...], half: float) -> dict[str, dict[str, object]]:
        names = ("pmsc_pooling", "conv1d", "timbre_cnn", "multi_scale")  # .861, .882, .893, .898 in the paper
        metrics = [{"name": table1.ROC, "value": v, "interval": [v - half, v + half]} for v in values]
        return {name: {"metrics": [metric]} for name, metric in zip(names, metrics, strict=True)}

    (told,) = table1.order(cards((0.80, 0.85, 0.90, 0.95), 0.001))
    assert "4 systems" in told
    assert "1.00 (1.00 to 1.00" in told
    (told,) = table1.order(cards((0.80, 0.85, 0.95, 0.90), 0.001))
    assert "correlation of 0.80 (0.80 to 0.80" in told
    (told,) = table1.order(cards((0.80, 0.85, 0.90, 0.90), 0.02))
    assert "0.80 to 1.00" in told
    assert list(table1.order({})) == []


def test_the_page_is_what_cards_and_costs_say() -> None:
    text = table1.DOCUMENT.read_text(encoding="utf-8")
    assert text.startswith(table1.rendered(*table1.everything())), "run recipes/table1.py write"


def test_a_column_of_magnatagatune_has_all_ten_but_what_needs_a_source() -> None:
    args = table1.parse(["magnatagatune", "/data", "--", "--seeds", "0"])
    names = {Path(word).stem.removesuffix("_magnatagatune") for word in table1.magnatagatune(args) if "toml" in word}
    assert names == ({row.architecture for row in PAPER_TABLE_1} | {"mfcc_pooling"}) - {"transferred_musicnn"}
