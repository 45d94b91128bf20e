"""Agreement with an ensemble of teachers: measures with known answers, and who is compared with whom."""

import csv
import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from msecnn import checkpoint
from msecnn.audio import write_wav
from msecnn.cli import main
from msecnn.data.manifest import Clip, Manifest
from msecnn.distillation.agreement import comparison, report
from msecnn.distillation.agreement import metrics as agreement
from msecnn.distillation.agreement.known_labels import known_labels, negatives, sung
from msecnn.distillation.agreement.metrics import Reference, agree, agreement_difference
from msecnn.distillation.agreement.scale_study import scale_study
from msecnn.distillation.soft_labels import ClipLabels, SoftLabels, key_of
from msecnn.errors import DatasetError
from msecnn.evaluation import metrics
from msecnn.evaluation.predictions import SplitPredictions
from msecnn.evaluation.scores import checked
from msecnn.evaluation.tables import Report
from msecnn.frontend import MelConfig
from msecnn.models import registry
from msecnn.tagger import Tagger
from msecnn.tags import MAGNATAGATUNE_TAGS

ANNOTATIONS = Path(__file__).resolve().parents[1] / ".." / "shared" / "mtt" / "annotations_final.csv.gz"
TAGS = ("guitar", "classical", "slow", "piano", "vocal", "drums", "female", "rock")


def reference(n_clips=120, *, seed=0, n_replicates=200, tags=TAGS) -> Reference:
    rng = np.random.default_rng(seed)
    groups = np.arange(n_clips) // 2
    drawn = metrics.bootstrap_weights(groups, n_replicates=n_replicates)
    weights = np.concatenate([np.ones_like(drawn[:, :1]), drawn], axis=1)
    return Reference("ensemble", "all", tags, rng.random((n_clips, len(tags))), weights, n_clips // 2)


@pytest.mark.skipif(not ANNOTATIONS.exists(), reason="../shared/mtt is not here")
def test_prevalence_is_that_of_the_real_labels():
    with gzip.open(ANNOTATIONS, "rt", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert len(rows) == agreement.MAGNATAGATUNE_CLIPS
    for tag, n_positive in zip(MAGNATAGATUNE_TAGS, agreement.MAGNATAGATUNE_POSITIVES, strict=True):
        assert sum(row[tag] == "1" for row in rows) == n_positive, tag


def test_most_probable_takes_the_share_asked_for_and_at_least_one():
    probabilities = np.array([[0.9, 0.5], [0.1, 0.5], [0.8, 0.5], [0.2, 0.5]])
    chosen = agreement.most_probable(probabilities, np.array([0.5, 0.01]))
    assert chosen[:, 0].tolist() == [True, False, True, False]
    assert chosen[:, 1].sum() == 1  # ties and tiny shares alike


def test_spearman_equals_scipy_with_ties():
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 9, 80).astype(float), rng.integers(0, 9, 80) + rng.normal(size=80).round(1)
    assert agreement.spearman(first, second, np.ones((80, 1)))[0] == pytest.approx(spearmanr(first, second)[0])
    assert agreement.spearman(first, -first, np.ones((80, 1)))[0] == pytest.approx(-1)
    assert np.isnan(agreement.spearman(first, np.ones(80), np.ones((80, 1)))[0])


def test_whoever_says_the_same_agrees_wholly():
    target = reference()
    found = agree("same", target.probabilities, target)
    values = {name: figure.value for name, figure in found.figures.items()}
    assert values == pytest.approx(dict.fromkeys(values, 1.0) | {"mae": 0.0, "bias": 0.0})
    assert found.figures["pr_auc_prevalence"].interval == pytest.approx((1, 1))


def test_a_shift_changes_errors_but_no_rank():
    target = reference()
    found = agree("shifted", target.probabilities - 0.25, target)
    assert found.figures["roc_auc_top"].value == found.figures["spearman"].value == pytest.approx(1)
    assert found.figures["mae"].value == pytest.approx(0.25)
    assert found.figures["bias"].value == pytest.approx(-0.25)
    assert [tag.bias for tag in found.per_tag] == pytest.approx([-0.25] * 8)


def test_top_areas_are_those_of_the_metrics():
    target = reference()
    guesses = np.random.default_rng(1).random(target.probabilities.shape)
    found = agree("guess", guesses, target)
    labels = agreement.most_probable(target.probabilities, np.full(8, 0.1))
    assert labels.sum(axis=0).tolist() == [12] * 8
    expected = metrics.evaluate(checked(labels, guesses, np.array(TAGS), np.arange(120) // 2), n_replicates=200)
    assert found.figures["roc_auc_top"].value == pytest.approx(expected.roc_auc.macro)
    assert found.figures["pr_auc_top"].interval == pytest.approx(expected.pr_auc.interval)
    n_guitars = round(120 * 4852 / 25863)
    assert agreement.most_probable(target.probabilities, np.array([agreement.PREVALENCE["guitar"]]))[:, 0].sum() == (
        n_guitars
    )


def test_overlap_counts_the_tags_that_both_put_on_top():
    target = np.array([[9, 8, 7, 6, 5, 1, 1, 1.0]])
    assert agreement.overlap(np.array([[5, 6, 7, 8, 9, 0, 0, 0.0]]), target) == 1
    assert agreement.overlap(np.array([[9, 8, 7, 0, 0, 5, 6, 0.0]]), target) == pytest.approx(3 / 5)
    found = agree("last", target[:, ::-1], replace(reference(1), probabilities=target, n_groups=1))
    assert found.figures["top1"].value == 0


def test_intervals_hold_the_figure_and_shrink_with_pairing():
    target = reference(400)
    rng = np.random.default_rng(2)
    near = target.probabilities + 0.2 * rng.random(target.probabilities.shape)
    nearer = 0.9 * near + 0.1 * target.probabilities
    first, second = agree("nearer", nearer, target), agree("near", near, target)
    for figure in first.figures.values():
        assert figure.interval[0] <= figure.value <= figure.interval[1]
    found = agreement_difference(first, second)
    assert found["spearman"].excludes_zero
    assert found["spearman"].value == pytest.approx(first.figures["spearman"].value - second.figures["spearman"].value)
    assert np.ptp(found["spearman"].interval) < 0.5 * np.ptp(first.figures["spearman"].interval)
    assert agreement_difference(first, first)["mae"].interval == (0, 0)


KNOWN = ("piano", "flute", "vocal", "choir", "slow")


def labelled_clips(*labelled: str) -> np.ndarray:
    """(N, 5) labels: 1 for the tags named, NaN else."""
    return np.array([[1.0 if tag in tags.split("+") else np.nan for tag in KNOWN] for tags in labelled])


def test_an_instrument_denies_the_others_but_no_voice_denies_a_voice():
    labels = labelled_clips("piano", "flute+slow", "vocal", "choir", "slow", "")
    assert negatives(labels, KNOWN, 0).tolist() == [False, True, True, True, False, False]
    assert negatives(labels, KNOWN, 2).tolist() == [True, True, False, False, False, False]
    assert not negatives(labels, KNOWN, 4).any()  # whether a piece is slow, its instrument doesn't tell
    labels[5, 4] = 0
    assert negatives(labels, KNOWN, 4).tolist() == [False] * 5 + [True]
    found = known_labels("sure", np.nan_to_num(labels), labels, KNOWN, np.ones((6, 2)))
    assert {each.tag: each.n_negative for each in found.per_tag} == dict(zip(KNOWN, (3, 3, 2, 2, 1), strict=True))
    assert found.macro.value == 1
    assert known_labels("none", labels, np.full((6, 5), np.nan), KNOWN, np.ones((6, 2))).macro is None


def test_who_sings():
    def clip(source: str, member: str = "a.ogg") -> Clip:
        return Clip(source + member, Path(member), "test", np.zeros(0), extra={"source": source, "member": member})

    songs, some = "github:ultrastar", "debian:marsshooter-data"
    clips = [
        clip(songs),
        clip(songs, "b/instrumental.mp3"),
        clip(some),
        clip("debian:naev-data"),
        clip("x"),
        clip(some),
    ]
    labels = labelled_clips("", "", "", "", "choir", "vocal")
    assert sung(labels, clips, KNOWN) == pytest.approx([1, 0, np.nan, 0, 1, 1], nan_ok=True)


def a_predicted_network(*, n_clips=60, skips=True) -> tuple[checkpoint.Checkpoint, SplitPredictions]:
    """MsE-CNN's classifier on made-up features; every third clip has two windows."""
    torch.manual_seed(0)
    model = registry.create("msecnn", n_tags=len(TAGS)).eval()
    if not skips:
        torch.nn.init.zeros_(model.classifier.weight[:, :-64])
    window_clip = np.repeat(np.arange(n_clips), [2 if i % 3 == 0 else 1 for i in range(n_clips)])
    rng = np.random.default_rng(1)
    features = {scale: rng.normal(size=(len(window_clip), n)).astype("f4") for scale, n in model.n_features.items()}
    concatenated = torch.from_numpy(np.concatenate(list(features.values()), axis=1))
    windows = model.classifier(concatenated).sigmoid().detach().numpy()
    clips = np.stack([windows[window_clip == i].mean(axis=0) for i in range(n_clips)])
    predicted = SplitPredictions(np.arange(n_clips).astype(str), TAGS, clips, window_clip, features)
    means = {scale: np.full(n, 0.5) for scale, n in model.n_features.items()}
    return checkpoint.Checkpoint("m", Path(), model, MelConfig(), TAGS, {}, means), predicted


def test_all_scales_together_are_the_network(tmp_path):
    network, predicted = a_predicted_network()
    chosen = np.arange(60) % 4 > 0
    target = replace(reference(45), probabilities=predicted.probabilities[chosen].astype(float))
    found = scale_study("of/m", network, predicted, chosen, target)
    Report(report._scales(found)).write(tmp_path)  # checkpoints of one name are told by their folders
    assert found.whole.figures["mae"].value == pytest.approx(0, abs=1e-6)
    assert found.whole.figures["spearman"].value == pytest.approx(1)
    names = [each.name for each in found.ablations]
    assert names == [
        *(f"only {scale}" for scale in network.model.scales),
        *(f"without {scale}" for scale in network.model.scales[:-1]),
        "all skips, without level5",
    ]
    assert sum(each.share.value for each in found.shares) == pytest.approx(1)
    assert sum(each.own.value for each in found.shares) == pytest.approx(1)


def test_shares_are_the_covariances_of_the_terms():
    network, predicted = a_predicted_network()
    one_window = np.ones(60, dtype=bool)
    predicted = replace(
        predicted, window_clip=np.arange(60), features={s: f[:60] for s, f in predicted.features.items()}
    )
    found = scale_study("m", network, predicted, one_window, reference(60))
    weight = network.model.classifier.weight.detach().numpy()
    ends = np.cumsum([f.shape[1] for f in predicted.features.values()])
    parts = np.split(weight, ends[:-1], axis=1)
    terms = np.stack([f @ w.T for f, w in zip(predicted.features.values(), parts, strict=True)])  # (S, N, K)
    logits = terms.sum(axis=0)
    for s, each in enumerate(found.shares):
        shares = [np.cov(terms[s, :, k], logits[:, k])[0, 1] / logits[:, k].var(ddof=1) for k in range(len(TAGS))]
        assert each.share.value == pytest.approx(np.mean(shares), abs=1e-5)


def test_skips_that_do_nothing_are_found_out():
    network, predicted = a_predicted_network(skips=False)
    found = scale_study("m", network, predicted, np.ones(60, dtype=bool), reference(60))
    shares = {each.scale: each.share.value for each in found.shares}
    assert shares["level5"] == pytest.approx(1)
    assert shares["level1"] == pytest.approx(0)
    for each in found.ablations:
        if each.name in ("only level5", "without level1", "without input"):
            assert each.change["mae"].value == pytest.approx(0, abs=1e-9)
    nothing = next(each for each in found.ablations if each.name.startswith("all skips"))
    assert nothing.figures["roc_auc_top"].value == pytest.approx(0.5)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Manifest:
    """Fourteen short clips of seven tracks, the last four renders; two for guitar, four for piano, two sung."""
    folder = tmp_path_factory.mktemp("corpus")
    rng = np.random.default_rng(0)
    clips = []
    for i in range(14):
        path = folder / f"{i}.wav"
        write_wav(path, (0.1 * rng.normal(size=6000)).astype(np.float32), 12_000)
        labels = np.full(len(TAGS), np.nan, dtype=np.float32)
        if i < 6:
            labels[0 if i < 2 else 3] = 1
        extra = {"real": "0" if i >= 10 else "1", "source": "ultrastar" if i in (7, 8) else "games"}
        clips.append(Clip(f"{i}", path, "test", labels, f"track {i // 2}", 0.5, hash=f"{i:064}", extra=extra))
    return Manifest(TAGS, tuple(clips), "made up")


@pytest.fixture(scope="module")
def teachers(corpus) -> list[SoftLabels]:
    rng = np.random.default_rng(3)
    truth = rng.random((len(corpus), len(TAGS)))
    found = []
    for name, noise in (("one", 0.1), ("two", 0.1), ("three", 0.4), ("other", 0.3)):
        noisy = np.clip(truth + noise * rng.normal(size=truth.shape), 0, 1).astype(np.float32)
        clips = {
            key_of(clip): ClipLabels(clip.clip_id, row[None]) for clip, row in zip(corpus.clips, noisy, strict=True)
        }
        fields = {"teacher": name, "fingerprint": name, "tags": TAGS, "window_s": 3.0, "clips": clips}
        found.append(SoftLabels(architecture="won_fcn", **fields))
    return found


@pytest.fixture(scope="module")
def students(tmp_path_factory) -> dict[str, str]:
    root = tmp_path_factory.mktemp("students")
    for name, architecture, seed in (("f-0", "fcn5", 0), ("f-1", "fcn5", 1), ("m-0", "msecnn", 0)):
        torch.manual_seed(seed)
        model = registry.create(architecture, n_tags=len(TAGS)).eval()
        checkpoint.save(root / name, model, mel_config=MelConfig(), tags=TAGS, card={})
    return {name: str(root / name) for name in ("f-0", "f-1", "m-0")}


ENSEMBLE = ("one", "two", "three")


@pytest.fixture(scope="module")
def found(corpus, teachers, students) -> comparison.TeacherComparison:
    taggers = {name: Tagger.from_checkpoint(folder, device="cpu") for name, folder in students.items()}
    return comparison.compare_with_teachers(taggers, corpus, "test", teachers, ensemble=ENSEMBLE, n_replicates=50)


def test_everyone_is_compared_with_the_ensemble_and_members_with_the_others(found, corpus, teachers):
    by = {(each.system, each.reference, each.subset): each for each in found.agreements}
    for name in ("f-0", "f-1", "m-0", "one", "two", "three", "other"):
        assert {subset for system, ref, subset in by if (system, ref) == (name, "ensemble")} == {
            "all",
            "recordings",
            "renders",
        }
    probabilities = {each.teacher: each.probabilities(corpus.clips) for each in teachers}
    others = (probabilities["one"] + probabilities["two"]) / 2
    alone = by["three", "ensemble without three", "recordings"]
    assert alone.n_clips == 10
    assert alone.figures["mae"].value == pytest.approx(np.abs(probabilities["three"] - others)[:10].mean(), abs=1e-6)
    assert (
        by["three", "ensemble", "all"].figures["mae"].value
        < by["three", "ensemble without three", "all"].figures["mae"].value
    )
    assert ("other", "ensemble without three", "all") not in by


def test_contrasts_pair_runs_with_peers(found):
    by = {(c.first, c.second, c.second_reference): c for c in found.contrasts if c.subset == "all"}
    figures = {(a.system, a.reference): a.figures for a in found.agreements if a.subset == "all"}
    runs = by["f, 2 runs", "m-0", "ensemble"]
    mean = np.mean([figures[name, "ensemble"]["spearman"].value for name in ("f-0", "f-1")])
    assert runs.figures["spearman"].value == pytest.approx(mean - figures["m-0", "ensemble"]["spearman"].value)
    single = by["m-0", "other", "ensemble"]
    assert single.figures["mae"].value == pytest.approx(
        figures["m-0", "ensemble"]["mae"].value - figures["other", "ensemble"]["mae"].value
    )
    assert single.figures["mae"].excludes_zero
    fair = [c for c in found.contrasts if c.first_reference == c.second_reference == "ensemble without two"]
    assert {(c.first, c.second) for c in fair} == {("f, 2 runs", "two"), ("m-0", "two")}


def test_known_labels_voices_and_scales_are_there(found):
    known = {each.system: {tag.tag: tag for tag in each.per_tag} for each in found.known_labels}
    counts = {tag: (each.n_positive, each.n_negative) for tag, each in known["m-0"].items()}
    assert counts == {"guitar": (2, 4), "piano": (4, 2)}
    assert {each.system for each in found.voices} == {"f-0", "f-1", "m-0", *ENSEMBLE, "other"}
    assert all((each.n_sung, each.n_other) == (2, 8) for each in found.voices)
    assert [each.system for each in found.scales] == ["m-0"]
    assert found.subset == "recordings"
    assert found.scales[0].n_clips == 10


def test_command_writes_it_all_down(found, corpus, teachers, students, tmp_path, capsys):
    manifest = corpus.write(tmp_path / "data")
    for each in teachers:
        each.write(tmp_path / "labels" / f"{each.teacher}.npz")
    teachers[0].write(tmp_path / "labels" / "one.0123456789ab.npz")  # as distill sets older labels aside
    command = ["evaluate", *students.values(), "--data", str(manifest), "--against", str(tmp_path / "labels")]
    command += ["--device", "cpu", "--bootstrap", "50", "--out", str(tmp_path / "out")]
    assert main([*command, "--ensemble", *ENSEMBLE, "--format", "json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["ensemble"] == list(ENSEMBLE)
    assert printed["agreements"][0]["figures"]["mae"]["value"] == pytest.approx(
        found.agreements[0].figures["mae"].value, abs=1e-6
    )
    text = (tmp_path / "out" / "report.md").read_text()
    for wanted in ("f, 2 runs − m-0", "ensemble without three", "only level5", "Renders: 4 clips", "| guitar"):
        assert wanted in text
    assert main(command) == 1  # the usual members aren't there
    assert "--ensemble" in capsys.readouterr().err


def test_labels_that_do_not_fit_get_one_sentence(corpus, teachers, students):
    tagger = {"f-0": Tagger.from_checkpoint(students["f-0"], device="cpu")}
    with pytest.raises(DatasetError, match="no labels of four"):
        comparison.compare_with_teachers(tagger, corpus, "test", teachers, ensemble=("one", "four"))
    with pytest.raises(DatasetError, match="two members"):
        comparison.compare_with_teachers(tagger, corpus, "test", teachers, ensemble=("one", "one"))
    with pytest.raises(DatasetError, match="labelled by all"):
        comparison.compare_with_teachers(
            tagger, corpus, "test", [*teachers, replace(teachers[0], clips={})], ensemble=ENSEMBLE
        )
    with pytest.raises(DatasetError, match="different tags"):
        comparison.compare_with_teachers(
            tagger, corpus, "test", [*teachers, replace(teachers[0], tags=TAGS[::-1])], ensemble=ENSEMBLE
        )
