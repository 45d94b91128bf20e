"""Checkpoints are scored on the right clips, by both protocols, and only MagnaTagATune's figures meet the paper's."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from msecnn import checkpoint
from msecnn.audio import write_wav
from msecnn.cli import main
from msecnn.data import magnatagatune
from msecnn.data.manifest import Clip, Manifest
from msecnn.errors import DatasetError
from msecnn.evaluation import metrics, paired_runs, paper_table, report
from msecnn.evaluation import pipeline as evaluation_pipeline
from msecnn.evaluation.predictions import predict_split
from msecnn.frontend import MelConfig
from msecnn.models import registry
from msecnn.tagger import Tagger
from msecnn.tags import MAGNATAGATUNE_TAGS

MTT = Path(__file__).resolve().parents[1] / ".." / "shared" / "mtt"
TAGS = ("low", "high", "noise")
SAMPLE_RATE = 12_000


@pytest.fixture(scope="module")
def music(tmp_path_factory) -> Manifest:
    """Fourteen clips of a second, and one that lasts two windows; the last two carry no tag."""
    folder = tmp_path_factory.mktemp("music")
    rng = np.random.default_rng(0)
    clips = []
    for i in range(14):
        seconds = np.arange(SAMPLE_RATE * (60 if i == 0 else 1)) / SAMPLE_RATE
        labels = rng.integers(0, 2, 3) if i < 12 else np.zeros(3)
        sound = 0.2 * rng.normal(size=len(seconds)) * labels[2] + 0.1 * np.sin(2 * np.pi * 200 * (i + 1) * seconds)
        path = folder / f"{i}.wav"
        write_wav(path, sound.astype(np.float32), SAMPLE_RATE)
        duration_s = len(seconds) / SAMPLE_RATE
        clips.append(Clip(f"clip {i}", path, "test", labels, group=f"track {i // 2}", duration_s=duration_s))
    return Manifest(TAGS, tuple(clips), "made up")


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, str]:
    """Four untrained networks: two architectures, two seeds."""
    root = tmp_path_factory.mktemp("runs")
    for architecture in ("fcn5", "msecnn"):
        for seed in (0, 1):
            torch.manual_seed(seed)
            model = registry.create(architecture, n_tags=3).eval()
            target = root / f"{architecture}_{seed}" / "best"
            checkpoint.save(target, model, mel_config=MelConfig(), tags=TAGS, card={"seed": seed})
    return {folder.name: str(folder / "best") for folder in sorted(root.iterdir())}


@pytest.fixture(scope="module")
def taggers(folders) -> dict[str, Tagger]:
    return {name: Tagger.from_checkpoint(folder, device="cpu") for name, folder in folders.items()}


@pytest.fixture(scope="module")
def found(taggers, music) -> evaluation_pipeline.Evaluation:
    return evaluation_pipeline.evaluate(taggers, music, "test", n_replicates=50)


def test_a_clip_scores_the_mean_over_its_windows(taggers, music):
    tagger = taggers["msecnn_0"]
    predicted = predict_split([tagger], music)[0]
    whole = tagger.tag(music.clips[0].path)
    assert len(whole.window_starts_s) == 3  # 60 s: two windows, and one moved back to end with the sound
    assert list(predicted.window_clip[:4]) == [0, 0, 0, 1]
    expected = (1 / (1 + np.exp(-whole.window_logits))).mean(axis=0)
    assert predicted.probabilities[0] == pytest.approx(expected, abs=1e-6)
    assert predicted.features["level5"].shape == (16, 64)


def test_a_leftover_too_short_to_matter_is_not_heard(taggers, music):
    longer = replace(music, clips=(replace(music.clips[0], duration_s=29.124),))  # as long as MagnaTagATune's clips
    assert len(predict_split([taggers["fcn5_0"]], longer)[0].window_clip) == 1


def test_both_protocols_are_those_of_the_metrics(found, taggers, music):
    predicted = predict_split([taggers["fcn5_0"]], music)[0]
    scores = evaluation_pipeline.scores_of(predicted, music, TAGS)
    evaluations = found.evaluations[0]
    assert (evaluations.name, evaluations.unfiltered.n_clips, evaluations.unfiltered.n_groups) == ("fcn5_0", 14, 7)
    assert evaluations.filtered.n_clips == int(scores.labels.any(axis=1).sum()) < 13
    for protocol, chosen in (("filtered", scores.filtered()), ("unfiltered", scores)):
        expected = metrics.evaluate(chosen, n_replicates=50)
        assert getattr(evaluations, protocol).to_json() == expected.to_json()


def test_means_over_seeds_and_differences_between_architectures(found):
    fcn = [each.unfiltered.pr_auc.macro for each in found.evaluations if each.architecture == "fcn5"]
    mse = [each.unfiltered.pr_auc.macro for each in found.evaluations if each.architecture == "msecnn"]
    mean = next(a for a in found.architectures if (a.architecture, a.protocol) == ("fcn5", "unfiltered"))
    assert mean.pr_auc.value == pytest.approx(np.mean(fcn))
    assert (mean.pr_auc.low, mean.pr_auc.high) == (min(fcn), max(fcn))
    pair = next(c for c in found.architecture_comparisons if c.protocol == "unfiltered")
    assert (pair.first, pair.second) == ("fcn5", "msecnn")
    assert pair.differences["pr_auc"].value == pytest.approx(np.mean(fcn) - np.mean(mse))
    assert len(found.comparisons) == 2 * 6


def test_runs_that_disagree_widen_the_interval():
    rng = np.random.default_rng(0)
    clips = rng.normal(0, 0.01, 2000)
    alike = paired_runs.difference_of_means([[0.5, 0.5], [0.4, 0.4]], [[0.5 + clips] * 2, [0.4 + clips] * 2])
    apart = paired_runs.difference_of_means([[0.3, 0.7], [0.4, 0.4]], [[0.3 + clips, 0.7 + clips], [0.4 + clips] * 2])
    assert alike.value == pytest.approx(apart.value)
    assert alike.interval == pytest.approx((0.1, 0.1))  # the choice of clips is shared, so it cancels
    assert apart.interval == pytest.approx((-0.1, 0.3))


def test_what_was_heard_is_kept_until_something_changes(taggers, music, tmp_path, monkeypatch):
    pair = [taggers["fcn5_0"], taggers["msecnn_0"]]
    first = predict_split(pair, music, kept=tmp_path)
    monkeypatch.setattr("msecnn.evaluation.predictions.tag", None)  # whoever listens again fails
    again = predict_split(pair, music, kept=tmp_path)
    for one, other in zip(first, again, strict=True):
        assert (one.probabilities == other.probabilities).all()
        assert one.features.keys() == other.features.keys()
    with pytest.raises(TypeError):
        predict_split(pair, replace(music, clips=music.clips[1:]), kept=tmp_path)
    next(tmp_path.glob("*.npz")).write_bytes(b"cut off")
    with pytest.raises(TypeError):
        predict_split(pair, music, kept=tmp_path)


def test_clips_that_cannot_be_read_are_named_and_left_out(taggers, music, tmp_path, caplog):
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF no sound")
    with_broken = replace(music, clips=(*music.clips, Clip("broken one", broken, "test", np.ones(3))))
    one = {"fcn5_0": taggers["fcn5_0"]}
    found = evaluation_pipeline.evaluate(one, with_broken, "test", n_replicates=10)
    assert (found.n_clips, found.n_unreadable) == (14, 1)
    assert "broken one" in caplog.text
    assert "1 could not be read" in report.of_checkpoints(found).text()
    with pytest.raises(DatasetError, match="could be read"):
        predict_split(list(one.values()), replace(music, clips=with_broken.clips[-1:]))


def test_data_that_cannot_be_judged_gets_one_sentence(taggers, music):
    one = {"fcn5_0": taggers["fcn5_0"]}
    with pytest.raises(DatasetError, match="no clips in this split"):
        evaluation_pipeline.evaluate(one, music, "valid")
    soft = replace(music, clips=tuple(replace(clip, labels=np.full(3, 0.4)) for clip in music.clips))
    with pytest.raises(DatasetError, match="--against"):
        evaluation_pipeline.evaluate(one, soft, "test")
    with pytest.raises(DatasetError, match="no tag in common"):
        evaluation_pipeline.evaluate(one, replace(music, tags=("x", "y", "z")), "test")


def test_only_tags_that_both_know_are_judged(taggers, music, caplog):
    other = replace(music, tags=("high", "unheard of", "low"))
    found = evaluation_pipeline.evaluate({"fcn5_0": taggers["fcn5_0"]}, other, "test", n_replicates=10)
    assert {each.tag for each in found.evaluations[0].unfiltered.per_tag} == {"high", "low"}
    assert "unheard of" in caplog.text
    predicted = predict_split([taggers["fcn5_0"]], other)[0]
    assert evaluation_pipeline.scores_of(predicted, other, ("high",)).scores[:, 0] == pytest.approx(
        predicted.probabilities[:, 1]
    )


def test_artists_heard_in_training_are_counted(music):
    def by(artist: str, split: str, clip: Clip) -> Clip:
        return replace(clip, split=split, extra={"artist": artist})

    clips = music.clips
    known = (by("a", "train", clips[0]), by("a", "test", clips[1]), by("b", "test", clips[2]))
    manifest = replace(music, clips=known)
    assert evaluation_pipeline.artists_in_training(manifest, manifest.split("test")) == 0.5
    assert evaluation_pipeline.artists_in_training(music, music.split("test")) is None


@pytest.mark.skipif(not MTT.exists(), reason="../shared/mtt is not here")
def test_most_of_magnatagatunes_test_clips_are_by_artists_heard_in_training(tmp_path):
    for name in ("annotations_final.csv", "clip_info_final.csv"):
        (tmp_path / name).write_bytes(gzip.decompress((MTT / f"{name}.gz").read_bytes()))
    clips = tuple(magnatagatune.read_labels(tmp_path, tmp_path))
    manifest = Manifest(MAGNATAGATUNE_TAGS, clips, "labels only")
    assert evaluation_pipeline.artists_in_training(manifest, manifest.split("test")) == pytest.approx(0.62, abs=0.005)


def test_the_papers_table_is_the_papers():
    printed = {row.system: (row.roc_auc, row.pr_auc) for row in paper_table.PAPER_TABLE_1}
    assert printed == {
        "MsE-CNN": (0.914, 0.423),
        "FCN-5": (0.897, 0.404),
        "FCN-4": (0.894, 0.376),
        "end-to-end": (0.904, 0.381),
        "timbre CNN": (0.893, 0.349),
        "bag of features and RBM": (0.888, None),
        "1-D convolutions": (0.882, None),
        "transferred learning": (0.880, None),
        "multi-scale approach": (0.898, None),
        "pooling MFCC": (0.861, None),
    }
    assert all(row.protocol for row in paper_table.PAPER_TABLE_1)


def test_ours_stand_beside_the_papers_rows(found):
    rows = {row.system: row for row in paper_table.table_1(found.architectures)}
    assert list(rows)[:2] == ["MsE-CNN", "FCN-5"]
    assert len(rows) == len(paper_table.PAPER_TABLE_1)  # nothing of the wide network was evaluated
    mean = next(a for a in found.architectures if (a.architecture, a.protocol) == ("msecnn", "filtered"))
    assert rows["MsE-CNN"].filtered_roc_auc == mean.roc_auc
    assert rows["MsE-CNN"].n_runs == 2
    assert rows["FCN-4"].unfiltered_roc_auc is None


def test_other_music_never_meets_the_papers_figures(found):
    assert not found.is_magnatagatune
    printed = report.of_checkpoints(found).markdown()
    assert "No Table 1" in printed
    assert ".914" not in printed
    assert "of the test split's 5,329 clips" in report.paper_table(replace(found, is_magnatagatune=True)).text()


def test_magnatagatune_is_its_name_and_its_tags(music, tmp_path):
    model = registry.create("fcn5").eval()
    checkpoint.save(tmp_path / "all", model, mel_config=MelConfig(), tags=MAGNATAGATUNE_TAGS, card={})
    tagger = {"all": Tagger.from_checkpoint(tmp_path / "all", device="cpu")}
    labels = np.eye(14, 50, dtype=np.float32)
    clips = tuple(replace(clip, labels=row) for clip, row in zip(music.clips, labels, strict=True))
    real = Manifest(MAGNATAGATUNE_TAGS, clips, evaluation_pipeline.MAGNATAGATUNE)
    assert evaluation_pipeline.evaluate(tagger, real, "test", n_replicates=5).is_magnatagatune
    other = evaluation_pipeline.evaluate(tagger, replace(real, name="my music"), "test", n_replicates=5)
    assert not other.is_magnatagatune


def test_command_evaluates_checkpoints_of_one_name(folders, music, tmp_path, capsys):
    manifest = music.write(tmp_path / "music")
    command = ["evaluate", folders["fcn5_0"], folders["msecnn_1"], folders["fcn5_0"], "--data", str(manifest)]
    command += ["--device", "cpu", "--bootstrap", "20", "--out", str(tmp_path / "out")]
    assert main([*command, "--format", "json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in printed["evaluations"]] == ["fcn5_0/best", "msecnn_1/best"]
    assert printed["table_1"] is None
    assert printed == json.loads((tmp_path / "out" / "report.json").read_text())
    assert main([*command, "--format", "markdown"]) == 0
    assert (tmp_path / "out" / "report.md").read_text().strip() == capsys.readouterr().out.strip()


def test_command_says_what_it_needs(capsys, music, tmp_path):
    for wrong in (["fcn5"], [], ["fcn5", "--scores", "x.npz"], ["--bootstrap", "0", "--scores", "x.npz"]):
        assert main(["evaluate", *wrong]) == 1
        assert capsys.readouterr().err.count("\n") == 1
