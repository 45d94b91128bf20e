"""The metrics are right: equal to scikit-learn, honest about doubt, and clear about files it can't read."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from msecnn.cli import main
from msecnn.errors import DatasetError
from msecnn.evaluation import metrics, report
from msecnn.evaluation.scores import Scores, checked, read, read_arrays, write_arrays

SHARED = Path(__file__).resolve().parents[1] / ".." / "shared"
REAL = SHARED / "mtt" / "musicnn_test_predictions.npz"


def made_up(n_clips=300, n_tags=5, *, seed=0, ties=False, noise=1.0) -> Scores:
    rng = np.random.default_rng(seed)
    labels = (rng.random((n_clips, n_tags)) < rng.uniform(0.1, 0.5, n_tags)).astype(float)
    scores = 1 / (1 + np.exp(-(labels + noise * rng.normal(size=labels.shape))))
    if ties:
        scores = np.round(scores * 6) / 6
    return checked(labels, scores, np.array([f"tag {k}" for k in range(n_tags)]))


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_areas_equal_scikit_learn(ties, weighted):
    scores = made_up(ties=ties)
    rng = np.random.default_rng(1)
    weights = rng.integers(0, 4, (300, 3)) if weighted else np.ones((300, 3))
    for k in range(5):
        positive, score = scores.labels[:, k] == 1, scores.scores[:, k]
        roc, pr = metrics.ranking_areas(positive, score, weights.astype(np.float32))
        for r in range(3):
            assert roc[r] == pytest.approx(roc_auc_score(positive, score, sample_weight=weights[:, r]), abs=1e-12)
            expected = average_precision_score(positive, score, sample_weight=weights[:, r])
            assert pr[r] == pytest.approx(expected, abs=1e-12)


@st.composite
def rankings(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels of both kinds, scores with many ties, and how often each clip counts."""
    n_clips = draw(st.integers(2, 25))
    positive = np.array(draw(st.lists(st.booleans(), min_size=n_clips, max_size=n_clips)))
    positive[:2] = True, False
    scores = np.array(draw(st.lists(st.integers(-6, 6), min_size=n_clips, max_size=n_clips)), dtype=float)
    weights = np.array(draw(st.lists(st.integers(0, 3), min_size=n_clips, max_size=n_clips)))
    return positive, scores, weights


def areas(positive: np.ndarray, scores: np.ndarray) -> tuple[float, float]:
    roc, pr = metrics.ranking_areas(positive, scores, np.ones((len(scores), 1)))
    return float(roc[0]), float(pr[0])


@settings(max_examples=150, deadline=None)
@given(rankings())
def test_areas_are_what_counting_pairs_gives(ranking: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    positive, scores, _ = ranking
    roc, pr = areas(positive, scores)
    higher = np.sign(scores[positive][:, None] - scores[~positive])  # one pair of a positive and a negative each
    assert roc == pytest.approx(((higher + 1) / 2).mean())
    assert pr == pytest.approx(average_precision_score(positive, scores))
    n_true, n_false = int(positive.sum()), int((~positive).sum())
    worst = np.mean([i / (i + n_false) for i in range(1, n_true + 1)])  # all positives below all negatives
    assert worst - 1e-9 <= pr <= 1 + 1e-9


@settings(max_examples=150, deadline=None)
@given(rankings())
def test_areas_know_the_order_alone(ranking: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    positive, scores, _ = ranking
    roc, pr = areas(positive, scores)
    for monotone in (lambda x: 3 * x - 7, lambda x: x**3, np.exp, lambda x: 1 / (1 + np.exp(-x))):
        assert areas(positive, monotone(scores)) == pytest.approx((roc, pr))
    order = np.random.default_rng(0).permutation(len(scores))
    assert areas(positive[order], scores[order]) == pytest.approx((roc, pr))
    assert areas(positive, -scores)[0] == pytest.approx(1 - roc)
    assert areas(~positive, scores)[0] == pytest.approx(1 - roc)


@settings(max_examples=150, deadline=None)
@given(rankings())
def test_a_weight_is_so_many_copies(ranking: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    positive, scores, weights = ranking
    roc, pr = metrics.ranking_areas(positive, scores, weights[:, None].astype(np.float32))
    copied = np.repeat(positive, weights), np.repeat(scores, weights)
    if copied[0].any() and not copied[0].all():
        assert (roc[0], pr[0]) == pytest.approx(areas(*copied))
    else:  # nothing is left to be ranked, or nothing to rank it against
        assert np.isnan(roc[0])
        assert np.isnan(pr[0])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_intervals_hold_their_estimate(seed: int, ties: bool) -> None:
    found = metrics.evaluate(made_up(n_clips=150, n_tags=3, seed=seed, ties=ties), n_replicates=200, seed=seed)
    for area in (found.roc_auc, found.pr_auc):
        assert 0 <= area.interval[0] <= area.macro <= area.interval[1] <= 1
    perfect = made_up(n_clips=150, n_tags=3, seed=seed, noise=0.0)
    assert metrics.evaluate(perfect, n_replicates=20).roc_auc.interval == pytest.approx((1, 1))


def test_all_scores_tied_rank_nothing():
    positive = np.arange(10) < 3
    roc, pr = metrics.ranking_areas(positive, np.zeros(10), np.ones((10, 1)))
    assert (roc[0], pr[0]) == pytest.approx((0.5, 0.3))


def test_means_over_tags_and_pairs_equal_scikit_learn():
    scores = made_up(ties=True)
    found = metrics.evaluate(scores, n_replicates=10, threshold=0.6)
    truth = scores.labels.astype(int)
    for average in ("macro", "micro"):
        assert getattr(found.roc_auc, average) == pytest.approx(roc_auc_score(truth, scores.scores, average=average))
        expected = average_precision_score(truth, scores.scores, average=average)
        assert getattr(found.pr_auc, average) == pytest.approx(expected)
        assert getattr(found.f1, average) == pytest.approx(f1_score(truth, scores.scores >= 0.6, average=average))


def test_unknown_labels_take_no_part():
    scores = made_up()
    labels = scores.labels.copy()
    labels[::3, 0] = np.nan
    found = metrics.evaluate(checked(labels, scores.scores, np.array(scores.tags)), n_replicates=10)
    known = ~np.isnan(labels[:, 0])
    assert found.per_tag[0].n == 200
    assert found.per_tag[0].roc_auc == pytest.approx(roc_auc_score(labels[known, 0], scores.scores[known, 0]))


def test_a_tag_that_cannot_be_ranked_is_named_and_left_out():
    scores = made_up(n_tags=5)
    labels = scores.labels.copy()
    labels[:, 1], labels[:, 2], labels[:, 3] = 0, 1, np.nan
    found = metrics.evaluate(checked(labels, scores.scores, np.array(scores.tags)), n_replicates=10)
    assert {each.tag: each.reason for each in found.left_out} == {
        "tag 1": "no positive clip",
        "tag 2": "no negative clip",
        "tag 3": "no known label",
    }
    assert found.n_tags == 2
    assert found.roc_auc.macro == pytest.approx(roc_auc_score(labels[:, [0, 4]], scores.scores[:, [0, 4]]))
    assert "tag 1 (no positive clip)" in report.of_scores(found).text()


def test_nothing_to_rank_is_one_sentence():
    with pytest.raises(DatasetError, match="nothing can be ranked"):
        metrics.evaluate(checked(np.zeros((4, 2)), np.zeros((4, 2)), np.array(["a", "b"])))


def test_bootstrap_draws_whole_groups_and_repeats_with_its_seed():
    groups = np.repeat(np.arange(20), 7)
    weights = metrics.bootstrap_weights(groups, n_replicates=50, seed=3)
    assert (weights.reshape(20, 7, 50) == weights.reshape(20, 7, 50)[:, :1]).all()
    assert (weights[::7].sum(axis=0) == 20).all()  # as many groups as there are, in every replicate
    assert (weights == metrics.bootstrap_weights(groups, n_replicates=50, seed=3)).all()
    assert (weights != metrics.bootstrap_weights(groups, n_replicates=50, seed=4)).any()


def test_bootstrap_spread_equals_the_closed_form():
    """DeLong, DeLong and Clarke-Pearson 1988: the standard error of one ROC-AUC."""
    scores = made_up(n_clips=800, n_tags=1)
    positive, score = scores.labels[:, 0] == 1, scores.scores[:, 0]
    above = score[positive][:, None] > score[~positive]
    error = np.sqrt(
        above.mean(axis=1).var(ddof=1) / positive.sum() + above.mean(axis=0).var(ddof=1) / (~positive).sum()
    )
    found = metrics.evaluate(scores, n_replicates=4000).roc_replicates.std()
    assert found == pytest.approx(error, rel=0.05)  # 4,000 replicates: 1.1 % standard error of a spread


def test_clips_of_one_group_are_one_piece_of_evidence():
    scores = made_up(n_clips=200)
    copies = [np.repeat(each, 9, axis=0) for each in (scores.labels, scores.scores)]
    together = metrics.evaluate(checked(*copies, np.array(scores.tags), np.repeat(np.arange(200), 9)))
    assert together.n_groups == 200
    assert together.roc_auc.interval == pytest.approx(metrics.evaluate(scores).roc_auc.interval)


def test_a_replicate_without_the_tag_leaves_it_out_instead_of_failing():
    labels, score = np.zeros((6, 2)), np.linspace(0, 1, 12).reshape(6, 2)
    labels[0, 0] = labels[:3, 1] = 1
    found = metrics.evaluate(checked(labels, score, np.array(["rare", "common"])), n_replicates=200)
    assert np.isfinite(found.roc_auc.interval).all()
    json.dumps(report.plain(found.to_json()), allow_nan=False)


def test_calibration_closed_forms():
    probabilities = np.array([0.1] * 10 + [0.9] * 10)
    true = np.array([1] + [0] * 9 + [1] * 9 + [0])
    assert metrics.calibration_error(metrics.reliability(true, probabilities)) == pytest.approx(0)
    always = metrics.reliability(np.zeros(5), np.ones(5))
    assert metrics.calibration_error(always) == 1
    assert (always[0].upper, always[0].n) == (1, 5)  # a probability of 1 belongs to the last bin


def test_logits_have_areas_but_no_calibration():
    scores = made_up()
    logits = np.log(scores.scores / (1 - scores.scores))
    found = metrics.evaluate(checked(scores.labels, logits, np.array(scores.tags)), n_replicates=10)
    assert found.ece is None
    assert found.roc_auc.macro == pytest.approx(metrics.evaluate(scores, n_replicates=10).roc_auc.macro)


def test_paired_difference_is_surer_than_two_intervals():
    better, worse = made_up(noise=1.0), made_up(noise=1.0)
    rng = np.random.default_rng(5)
    worse = checked(worse.labels, worse.scores + 0.12 * rng.normal(size=worse.scores.shape), np.array(worse.tags))
    first, second = (metrics.evaluate(each, n_replicates=500, seed=2) for each in (better, worse))
    found = metrics.differences(first, second)["roc_auc"]
    assert found.value == pytest.approx(first.roc_auc.macro - second.roc_auc.macro)
    unpaired = np.hypot(*(np.ptp(each.roc_auc.interval) for each in (first, second)))
    assert np.ptp(found.interval) < 0.5 * unpaired
    assert found.excludes_zero
    same = metrics.differences(first, first)["pr_auc"]
    assert (same.value, same.interval, same.excludes_zero) == (0, (0, 0), False)


def test_differences_of_different_draws_are_refused():
    first, second = (metrics.evaluate(made_up(), n_replicates=10, seed=seed) for seed in (1, 2))
    with pytest.raises(ValueError, match="seed"):
        metrics.differences(first, second)


@pytest.mark.skipif(not REAL.exists(), reason="../shared/mtt is not here")
def test_known_scores_of_a_real_tagger(capsys):
    assert main(["evaluate", "--scores", str(REAL), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["n_clips"], found["n_tags"]) == (4332, 50)
    assert f"{found['roc_auc']['macro']:.4f} {found['pr_auc']['macro']:.4f}" == "0.9109 0.4509"
    assert found["roc_auc"]["interval"][0] < 0.9109 < found["roc_auc"]["interval"][1]
    assert found["left_out"] == []
    arrays = read_arrays(REAL, ("labels", "scores"))
    for each in found["per_tag"][::7]:
        k = list(arrays["tags"]).index(each["tag"])
        assert each["pr_auc"] == pytest.approx(average_precision_score(arrays["labels"][:, k], arrays["scores"][:, k]))


@pytest.mark.parametrize("style", ["table", "markdown"])
def test_command_prints_tables(tmp_path, capsys, style):
    scores = made_up()
    path = tmp_path / "scores.npz"
    write_arrays(path, labels=scores.labels, scores=scores.scores, tags=np.array(scores.tags))
    assert main(["evaluate", "--scores", str(path), "--format", style, "--bootstrap", "50"]) == 0
    printed = capsys.readouterr().out
    assert f"{metrics.evaluate(scores, n_replicates=50).roc_auc.macro:.4f}" in printed
    assert all(tag in printed for tag in scores.tags)
    assert ("| tag" in printed) == (style == "markdown")


GOOD = {"labels": np.eye(4, 2), "scores": np.full((4, 2), 0.5), "tags": np.array(["a", "b"])}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"labels": None}, "lacks the arrays labels"),
        ({"scores": np.zeros((4, 3))}, r"scores are \(4, 3\)"),
        ({"scores": np.full((4, 2), np.nan)}, "8 values that are not finite"),
        ({"scores": np.array([["x", "y"]] * 4)}, "scores must be numbers"),
        ({"labels": np.full((4, 2), 0.5)}, "0, 1 or NaN"),
        ({"labels": np.zeros(4)}, r"labels must be \(clips, tags\)"),
        ({"labels": np.zeros((0, 2)), "scores": np.zeros((0, 2))}, "at least one of each"),
        ({"tags": np.array(["a", "b", "c"])}, "2 different names"),
        ({"tags": np.array(["a", "a"])}, "2 different names"),
        ({"groups": np.zeros(3)}, "groups must be one a clip"),
        ({"tags": np.array([{"a": 1}, "b"], dtype=object)}, "pickled"),
    ],
)
def test_bad_files_get_one_sentence(tmp_path, capsys, change, says):
    path = tmp_path / "bad.npz"
    np.savez(path, **{name: array for name, array in (GOOD | change).items() if array is not None})
    with pytest.raises(DatasetError, match=says):
        read(path)
    assert main(["evaluate", "--scores", str(path)]) == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("content", [b"", b"no archive at all", b"PK\x03\x04 cut off"])
def test_damaged_files_get_one_sentence(tmp_path, content):
    path = tmp_path / "bad.npz"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match="cannot be read"):
        read(path)
    with pytest.raises(DatasetError, match="does not exist"):
        read(tmp_path / "none.npz")
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(DatasetError, match="one array"):
        read(tmp_path / "one.npy")
