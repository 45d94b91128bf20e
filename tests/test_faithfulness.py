"""What is measured of explanations: closed forms for each measure, and the command that compares methods."""

import json
import shutil
from functools import partial
from pathlib import Path

import captum.metrics
import numpy as np
import pytest
import torch
from toy_networks import TOY_CONFIG, loudness_detector, maximum_of_input, tone_burst, toy, toy_mel

from msecnn import checkpoint
from msecnn.audio import write_wav
from msecnn.cli import main
from msecnn.data.manifest import Clip, Manifest
from msecnn.evaluation import localisation, sound_faithfulness
from msecnn.explain import METHODS, comparison
from msecnn.explain import infidelity as infidelity_module
from msecnn.explain.baselines import baseline_mel
from msecnn.explain.comparison import ALL, MEASURES, Interval, Row, check_clip, differences, measure_clip, summarise
from msecnn.explain.faithfulness import Ends, blind_order, curves, terms_of
from msecnn.explain.faithfulness_card import FILE_NAME, NOT_MEASURED, verdicts, write_measured
from msecnn.explain.infidelity import Removals, infidelity, random_removals
from msecnn.explain.saliency import saliency
from msecnn.explain.scale_terms import ScaleTerms
from msecnn.explain.stability import randomisation, rank_correlation, reference_correlations, sensitivity_max
from msecnn.frontend import LogMelSpectrogram, MelConfig
from msecnn.models.layers import MultiScaleCNN

TAG = 1


def one_peak() -> np.ndarray:
    """Silence but for one cell."""
    mel = np.full((4, 9), -100, dtype=np.float32)
    mel[2, 5] = 0
    return mel


def test_curves_of_the_maximum_follow_the_sorted_cells() -> None:
    mel = toy_mel()
    mel[:, 8] = -100  # the blind tail is silent
    found = curves(maximum_of_input(2.0), mel, TAG, mel, n_steps=6, order_name="loudness", mel_config=TOY_CONFIG)
    falling = np.append(np.sort(mel.ravel())[::-1], -100)
    counts = [round(fraction * 36) for fraction in np.linspace(0, 1, 7) ** 2]
    np.testing.assert_allclose(found.deletion, [2 * max(falling[count], -100) for count in counts], rtol=1e-5)
    np.testing.assert_allclose(found.insertion, [-200.0] + [2 * falling[0]] * 6, rtol=1e-5)
    assert found.deletion_area == pytest.approx(np.trapezoid(found.deletion, found.fractions))
    assert found.order_name == "loudness"


def test_curves_start_and_end_at_the_networks_own_logits() -> None:
    model, mel = toy(), toy_mel()
    found = curves(model, mel, TAG, saliency(model, mel, TAG).total, n_steps=4, baseline="clip_mean")
    with torch.no_grad():
        mean = torch.from_numpy(np.repeat(mel.mean(1, keepdims=True), 9, 1))[None, None]
        whole, nothing = (float(model(x)[0, TAG]) for x in (torch.from_numpy(mel)[None, None], mean))
    assert found.deletion[[0, -1]] == pytest.approx([whole, nothing], abs=1e-4)
    assert found.insertion[[0, -1]] == pytest.approx([nothing, whole], abs=1e-4)


def test_a_map_that_knows_the_cell_beats_orders_that_do_not() -> None:
    model, mel = maximum_of_input(), one_peak()
    told = curves(model, mel, TAG, saliency(model, mel, TAG).total, mel_config=TOY_CONFIG)
    by_chance = curves(model, mel, TAG, blind_order("random", mel), mel_config=TOY_CONFIG)
    assert told.deletion_area < by_chance.deletion_area
    assert told.insertion_area > by_chance.insertion_area


def removals_of(model: MultiScaleCNN, mel: np.ndarray, *, seed: int = 2) -> Removals:
    terms = ScaleTerms(model, TAG, model.scales)
    ends = Ends.of(partial(terms_of, terms), mel, baseline_mel(model, mel, "floor", TOY_CONFIG))
    return random_removals(terms, ends, seed=seed)


def test_infidelity_is_none_for_a_perfect_map_and_whole_for_an_empty_one() -> None:
    model, mel = maximum_of_input(), one_peak()
    perfect = {
        "gradient": saliency(model, mel, TAG).total,
        "integrated_gradients": saliency(model, mel, TAG, method="integrated_gradients", mel_config=TOY_CONFIG).total,
        "occlusion": 100.0 * (mel == 0),  # what removing that cell costs
    }
    for method, found in perfect.items():
        assert infidelity(removals_of(model, mel), found, method=method) == pytest.approx(0, abs=1e-6)
    assert infidelity(removals_of(model, mel), 0 * mel, method="gradient") == 1
    misled = np.roll(perfect["occlusion"], 1, axis=1)
    many = [infidelity(removals_of(model, mel, seed=seed), misled, method="occlusion") for seed in range(5)]
    assert all(0 <= value <= 1 for value in many)


@pytest.mark.parametrize("method", ["gradient", "gradient_x_input"])
def test_infidelity_is_captums_as_a_share_of_an_empty_maps(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(infidelity_module, "PATCH", (2, 3))
    model, mel = toy(), toy_mel()
    removals, map_ = removals_of(model, mel), saliency(model, mel, TAG, method=method, mel_config=TOY_CONFIG).total
    removed = torch.from_numpy(removals.removed)[:, None].float()  # (N, 1, F, L)
    cost = removed if method == "gradient_x_input" else removed * torch.from_numpy(removals.height)

    def captums(attribution: np.ndarray) -> float:
        return float(
            captum.metrics.infidelity(
                lambda x: model(x)[:, TAG],
                lambda x: (cost, torch.where(removed > 0, -100.0, x)),
                torch.from_numpy(mel)[None, None],
                torch.from_numpy(attribution)[None, None],
                n_perturb_samples=len(removed),
                normalize=True,
            )
        )

    with torch.no_grad():
        expected = captums(map_) / captums(np.zeros_like(map_))
    assert infidelity(removals, map_, method=method) == pytest.approx(expected, rel=1e-4)


def test_sensitivity_is_nothing_where_noise_changes_nothing() -> None:
    assert sensitivity_max(maximum_of_input(), one_peak(), TAG, method="gradient") == 0
    assert sensitivity_max(toy(), toy_mel(), TAG, method="smooth_gradient") > 0


def test_references_tell_a_surviving_map_from_the_music() -> None:
    """A gradient hardly moves under noise; two networks with shuffled weights share no signs, and some of the music."""
    model, mel = toy(), toy_mel()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = reference_correlations(model, mel, TAG, method="gradient")
    assert set(found) == {"noise", "random"}
    assert found["noise"][0] > abs(found["random"][0])
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    (kept,) = randomisation(maximum_of_input(), mel, TAG, method="gradient", at_once=True).absolute
    assert kept == 1


def test_randomisation_goes_from_the_top_down_and_leaves_the_model_alone() -> None:
    model, mel = toy(), toy_mel()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    told: list[float] = []
    found = randomisation(model, mel, TAG, method="gradient", progress=told.append)
    assert found.layers == ("classifier", "level2", "level1")
    assert told == [1 / 3, 2 / 3, 1]
    assert all(abs(value) <= 1 for value in found.correlations)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    at_once = randomisation(model, mel, TAG, method="gradient", at_once=True, original=saliency(model, mel, TAG).total)
    assert (at_once.layers, at_once.correlations) == (("level1",), found.correlations[-1:])
    # a head whose weights are all the same is not changed by being shuffled, nor is anything below it read
    assert randomisation(maximum_of_input(), mel, TAG, method="gradient").correlations == (1, 1, 1)


def test_a_gradient_does_not_survive_shuffled_weights() -> None:
    mel = np.random.default_rng(0).normal(size=(4, 9)).astype(np.float32)
    last = [randomisation(toy(seed=seed), mel, TAG, method="gradient").correlations[-1] for seed in range(8)]
    assert abs(np.mean(last)) < 0.4


def test_rank_correlation_is_spearmans() -> None:
    a = np.array([3.0, 1, 2, 5])
    assert rank_correlation(a, np.exp(a)) == pytest.approx(1)
    assert rank_correlation(a, -a) == pytest.approx(-1)
    assert rank_correlation(a, np.ones(4)) == 0
    # ties share their mean rank: ranks 1.5, 1.5, 3, 4 against 1, 2, 3, 4
    assert rank_correlation(np.array([1, 1, 2, 3]), np.arange(4)) == pytest.approx(4.5 / np.sqrt(4.5 * 5))


def test_the_gradient_of_a_detector_is_judged_faithful() -> None:
    config = MelConfig()
    waveform = torch.from_numpy(tone_burst(12, 12.3, 1000, config))
    mel = LogMelSpectrogram(config)(waveform[None])[0, 0].numpy()
    judged = measure_clip(loudness_detector(), mel, 0, methods=["gradient_x_input"], n_steps=3)
    (checked,) = check_clip(loudness_detector(), mel, 0, methods=["gradient_x_input"])
    assert [row["scale"] for row in judged] == ["input", "level1", "level2", "level3", "level4", "level5", ALL]
    of_all = judged[-1]
    assert of_all["deletion_gain_random"] > 0
    assert of_all["insertion_gain_random"] > 0
    assert 0 <= checked["infidelity"] <= 1
    assert "sensitivity" not in of_all


def test_slow_measures_are_made_when_asked_for() -> None:
    options = {"methods": ["gradient"], "mel_config": TOY_CONFIG}
    judged = measure_clip(toy(), toy_mel(), 0, n_steps=2, **options)
    (quick,), (slow,) = (check_clip(toy(), toy_mel(), 0, slow=slow, **options) for slow in (False, True))
    assert set(quick) == {"method", "scale", "infidelity"}
    assert set(judged[-1] | slow) == {"method", "scale", *MEASURES}


def test_blind_orders_are_measured_as_methods_are_and_fills_have_figures_of_their_own() -> None:
    model, mel = maximum_of_input(), one_peak()
    fills = {"half": torch.full((4, 9), -50.0)}
    judged = measure_clip(
        model, mel, TAG, methods=["gradient_x_input", "random"], other_fills=fills, n_steps=2, mel_config=TOY_CONFIG
    )
    found, random = judged
    assert (found["method"], random["method"]) == ("gradient_x_input", "random")
    # from the peak's 0 dB to silence at -100, or to -50, as soon as the one cell is gone
    for fill, loss in (("", 100), ("half:", 50)):
        for percentage in (5, 10, 20):
            assert found[f"{fill}FF_logit@{percentage}"] == pytest.approx(loss)
        assert random[f"{fill}deletion_gain_random"] == 0
        assert found[f"{fill}deletion_gain_random"] == pytest.approx(
            random[f"{fill}deletion"] - found[f"{fill}deletion"]
        )


def test_intervals_hold_the_mean_and_close_on_constant_values() -> None:
    clips = [
        {"model": "m", "method": "gradient", "scale": ALL, "infidelity": 0.5, "sensitivity": float(i)}
        for i in range(50)
    ]
    (row,) = summarise(clips)
    assert row.measures["infidelity"] == Interval(0.5, 0.5, 0.5, 50)
    assert row.measures["sensitivity"].low < 24.5 < row.measures["sensitivity"].high
    # the normal interval of a mean of 50 uniform values
    half = 1.96 * np.arange(50).std() / np.sqrt(50)
    assert row.measures["sensitivity"].high - 24.5 == pytest.approx(half, rel=0.15)
    assert "randomisation" not in row.measures


def test_differences_are_of_the_same_clips_and_groups() -> None:
    values = {"a": [1.0, 2.0, 4.0], "b": [0.0, 2.0, 3.0]}
    judged = [
        {"model": model, "clip": str(clip), "method": method, "scale": ALL, "area": sign * value}
        for model, sign in (("m", 1), ("n", -1))
        for method, of_method in values.items()
        for clip, value in enumerate(of_method)
    ]
    judged += [{"model": "m", "clip": "0", "method": "a", "scale": ALL, "infidelity": 0.5}]  # more of the same clip
    judged += [{"model": "m", "clip": "9", "method": "a", "scale": ALL, "area": 99.0}]  # of which b knows nothing
    found = differences(judged, ("model",), "a", "b")
    assert {group: measures["area"].mean for group, measures in found.items()} == {("m",): 2 / 3, ("n",): -2 / 3}
    assert found["m",]["area"].n == 3


def test_beating_an_order_takes_both_whole_intervals() -> None:
    above, across = Interval(1, 0.5, 1.5, 9), Interval(1, -0.1, 2.1, 9)
    assert Row("m", "x", ALL, {"deletion_gain_random": above, "insertion_gain_random": above}).beats("random")
    assert not Row("m", "x", ALL, {"deletion_gain_random": above, "insertion_gain_random": across}).beats("random")


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    clips = []
    for number in range(2):
        path = tmp_path / f"{number}.wav"
        write_wav(path, tone_burst(1 + number, 2 + number, 800, MelConfig())[: 12_000 * 5], 12_000)
        clips.append(Clip(clip_id=path.name, path=path, split="test", labels=np.array([1.0]), duration_s=5.0))
    return Manifest(tags=("tone",), clips=tuple(clips), name="tones").write(tmp_path)


def test_the_command_measures_a_manifest_and_goes_on_where_it_was_stopped(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = tmp_path / "judged.jsonl"
    command = ["faithfulness", "--data", str(manifest), "--model", "fcn5", "--method", "gradient", "--n", "2"]
    command += ["--steps", "1", "--n-slow", "0", "--n-predicting", "2", "--out", str(journal)]
    assert main([*command, "--format", "json"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert first["protocol"]["n"] == 2
    (row,) = first["rows"]
    assert (row["model"], row["method"], row["scale"]) == ("fcn5", "gradient", ALL)
    assert row["measures"]["infidelity"]["n"] == 2
    with journal.open("a") as file:
        file.write('\n{"key": "the run was stopped he')

    def never(*_: object, **__: object) -> None:
        raise AssertionError("measured again")

    for module, name in (
        (comparison, "measure_clip"),
        (comparison, "check_clip"),
        (sound_faithfulness, "measure_sounds"),
        (sound_faithfulness, "measure_cells"),
        (localisation, "measure_mix"),
    ):
        monkeypatch.setattr(module, name, never)
    assert main([*command, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == first
    assert main([*command, "--format", "markdown"]) == 0
    table = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert table[2].startswith("| model | method | scale | beats random | beats loudness |")
    assert table[4].startswith("| fcn5 | gradient | all |")
    assert all(line.count("|") <= 7 for line in table)
    assert main(command) == 0
    assert "2 clips of tones" in capsys.readouterr().out


def rows(**beaten: bool) -> list[Row]:
    """One method's row for all scales, which beats random order, and loudness order where that is said, by scale."""
    won, lost = Interval(1, 0.5, 1.5, 9), Interval(1, -0.5, 2.5, 9)
    return [
        Row(
            "fcn5",
            "gradient",
            scale,
            {
                **dict.fromkeys(("deletion_gain_random", "insertion_gain_random", "deletion_gain_loudness"), won),
                "insertion_gain_loudness": won if beats_loudness else lost,
            },
        )
        for scale, beats_loudness in beaten.items()
    ]


@pytest.fixture
def own_checkpoint(tmp_path: Path) -> Path:
    return Path(shutil.copytree(checkpoint.BUNDLED / "fcn5", tmp_path / "fcn5"))


def test_a_verdict_says_which_order_was_not_beaten(own_checkpoint: Path) -> None:
    (own_checkpoint / FILE_NAME).unlink()
    loaded, protocol = checkpoint.load(own_checkpoint), {"n": 40, "split": "test", "baseline": "clip_mean"}
    write_measured(loaded, rows(level1=False, level2=True, all=True), protocol)
    found = verdicts(loaded)
    assert set(found) == set(METHODS)
    assert found["gradient"].faithful
    assert found["gradient"].sentence == (
        "On 40 held-out clips, with cells replaced by the clip's mean, this method found the cells that matter better "
        "than random or loudness order does. "
        "Single scales where it did not: level 1."
    )
    write_measured(loaded, rows(all=False), protocol | {"split": "valid"})
    told = verdicts(loaded)["gradient"].to_json()
    assert told["faithful"] is False
    assert told["sentence"] == (
        "On 40 clips of the split valid, with cells replaced by the clip's mean, this method did not find the cells "
        "that matter better than loudness order does."
    )
    assert verdicts(loaded)["occlusion"].to_json() == {"n": 0, "faithful": None, "sentence": NOT_MEASURED}


def test_a_verdict_says_what_holds_with_other_fills_and_keeps_those_of_other_methods(own_checkpoint: Path) -> None:
    loaded, protocol = checkpoint.load(own_checkpoint), {"n": 40, "split": "test", "baseline": "clip_mean"}
    (row,) = rows(all=True)
    won, lost = row.measures["deletion_gain_random"], Interval(1, -0.5, 2.5, 9)
    gains = ("deletion_gain_random", "insertion_gain_random", "deletion_gain_loudness", "insertion_gain_loudness")
    floor = {f"floor:{gain}": won for gain in gains}
    other = {f"other_clip:{gain}": lost if "loudness" in gain else won for gain in gains}
    write_measured(loaded, [Row("fcn5", "gradient", ALL, row.measures | floor | other)], protocol)
    assert verdicts(loaded)["gradient"].sentence.endswith(
        "better than random or loudness order does. With silence in their place it beat both orders. "
        "With another clip's in their place it did not beat loudness order."
    )
    write_measured(loaded, [Row("fcn5", "shapley", ALL, row.measures)], protocol | {"n": 7})
    assert [verdicts(loaded)[name].n for name in ("gradient", "shapley")] == [40, 7]


def test_a_verdict_on_other_weights_or_a_damaged_one_is_none(own_checkpoint: Path) -> None:
    loaded = checkpoint.load(own_checkpoint)
    write_measured(loaded, rows(all=True), {"n": 40, "split": "test", "baseline": "clip_mean"})
    path = own_checkpoint / FILE_NAME
    whole = path.read_text()
    for damaged in (whole.replace(loaded.card["sha256"], "0" * 64), whole[:99], "[]", '{"schema": 1}', "\0"):
        path.write_text(damaged)
        assert all(verdict.faithful is None for verdict in verdicts(loaded).values())
    path.write_text(whole)
    assert verdicts(loaded)["gradient"].faithful


def test_the_command_leaves_its_verdicts_beside_the_weights(
    manifest: Path, own_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (own_checkpoint / FILE_NAME).unlink(missing_ok=True)
    command = ["faithfulness", "--data", str(manifest), "--model", str(own_checkpoint), "--method", "gradient"]
    report = own_checkpoint.parent / "report"
    command += ["--n", "1", "--steps", "1", "--n-slow", "0", "--n-predicting", "0", "--n-sounds", "0"]
    command += ["--n-mixes", "0", "--format", "markdown", "--report", str(report)]
    assert main(command) == 0
    assert not (own_checkpoint / FILE_NAME).exists()
    assert main([*command, "--write"]) == 0
    assert " ".join(capsys.readouterr().out.split()).count("| fcn5 | gradient | all | ") == 6  # three fills, twice
    assert {path.stem for path in (report / "tables").iterdir()} >= {"faithfulness_curves", "faithfulness_masked"}
    assert verdicts(checkpoint.load(own_checkpoint))["gradient"].n == 1


def test_the_command_says_what_is_wrong(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["faithfulness", "--data", str(manifest), "--split", "valid"]) == 1
    assert "has no clips" in capsys.readouterr().err
    assert main(["faithfulness", "--data", str(manifest), "--n", "0"]) == 1
    assert main(["faithfulness", "--data", str(manifest.parent / "nowhere")]) == 1
    assert capsys.readouterr().err.count("\n") == 2
