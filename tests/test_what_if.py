"""What an edit does to tags and scales: the split adds up, nothing changes nothing, evidence follows the sound."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from toy_networks import loudness_detector, tone_burst

from msecnn.audio import AudioError, Recording, read_recording, wav_bytes
from msecnn.checkpoint import Checkpoint
from msecnn.frontend import MelConfig
from msecnn.models import registry
from msecnn.models.tagging_model import TaggingModule
from msecnn.tagger import Tagger, tag
from msecnn.what_if import what_if
from msecnn.what_if.change import mean_logits
from msecnn.what_if.edit import EditError
from msecnn.what_if.intervention import WhatIf
from msecnn.what_if.notation import parse, parse_chain

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "assets" / "examples" / "piano.mp3"
CONFIG = MelConfig()
TAGS = tuple(f"tag {k}" for k in range(50))
WITH_SCALES = [name for name in registry.names() if registry.create(name).scales]


def tagger_of(model: TaggingModule, name: str) -> Tagger:
    mel_config = model.input_spec.front_end or CONFIG
    return Tagger(Checkpoint(name, Path(name), model.eval(), mel_config, TAGS, {}, None))


@pytest.fixture(scope="module")
def bundled() -> list[Tagger]:
    return [Tagger.from_checkpoint(name) for name in ("fcn5", "msecnn")]


@pytest.fixture(scope="module")
def edited(bundled: list[Tagger]) -> WhatIf:
    """Two windows of a piano, faster and through a telephone."""
    piano = read_recording(EXAMPLE).waveform
    twice = np.concatenate([piano, piano[::-1][: 12_000 * 12]])
    return what_if(bundled, (twice, 12_000), parse_chain(["speed=1.1", "telephone"]), name="piano")


@pytest.mark.parametrize("name", WITH_SCALES)
def test_each_logits_change_is_the_sum_over_the_scales(name: str) -> None:
    torch.manual_seed(0)
    tagger = tagger_of(registry.create(name), name)
    answer = what_if([tagger], EXAMPLE, parse_chain(["noise=0"]), duration_s=5)
    (change,) = answer.changes
    assert change.terms.shape == (len(tagger.model.scales), 50)
    assert np.abs(change.logits).max() > 1e-4
    size = max(1.0, np.abs(change.terms).sum(0).max())
    np.testing.assert_allclose(change.terms.sum(0), change.logits, rtol=0, atol=1e-5 * size)


def test_a_trained_networks_change_adds_up_to_1e_5(edited: WhatIf) -> None:
    for change in edited.changes:
        assert len(change.before.window_logits) == 2
        assert np.abs(change.logits).max() > 0.1
        np.testing.assert_allclose(change.terms.sum(0), change.logits, rtol=0, atol=1e-5)
        assert change.scales[np.abs(change.terms).mean(1).argmax()] == change.leading_scale


@pytest.mark.parametrize("edits", [[], ["speed=1", "pitch=0", "noise=inf", "remove=3:3", "level=0", "mono"]])
def test_an_edit_that_changes_nothing_changes_nothing(edits: list[str], bundled: list[Tagger]) -> None:
    answer = what_if(bundled, EXAMPLE, parse_chain(edits))
    for tagger, change in zip(bundled, answer.changes, strict=True):
        assert np.abs(change.logits).max() < 1e-6
        assert np.abs(change.terms).max(initial=0) < 1e-6
        np.testing.assert_allclose(mean_logits(change.before), mean_logits(tagger.tag(EXAMPLE)), atol=1e-4)
    assert all(change.leading_scale is None for change in what_if(bundled, EXAMPLE, []).changes)
    assert all(not e.vanished and not e.appeared and e.n_kept for e in answer.evidence.values())


def test_after_is_what_the_tagger_says_of_the_edited_sound(edited: WhatIf, bundled: list[Tagger]) -> None:
    for change, prediction in zip(edited.changes, tag((edited.edited, 12_000), bundled), strict=True):
        np.testing.assert_array_equal(change.after.probabilities, prediction.probabilities)
    assert len(edited.edited) == pytest.approx(len(edited.original.waveform) / 1.1, abs=1)


def test_a_system_without_scales_has_tags_and_no_split() -> None:
    torch.manual_seed(0)
    network = tagger_of(registry.create("musicnn"), "musicnn")
    answer = what_if([network], EXAMPLE, [parse("level=-20")], duration_s=4)
    assert answer.changes[0].scales == ()
    assert answer.changes[0].leading_scale is None
    told = answer.to_json()
    assert "evidence" not in told["models"]["musicnn"]
    assert told["models"]["musicnn"]["tags"]["tag 0"]["scales"] == {}
    assert answer.sample_rate == network.input_spec.sample_rate


@pytest.fixture(scope="module")
def detector() -> Tagger:
    return tagger_of(loudness_detector(), "detector")


def two_bursts() -> np.ndarray:
    return tone_burst(6, 7, 500, CONFIG) + tone_burst(20, 21, 2000, CONFIG)


def test_evidence_vanishes_with_its_sound(detector: Tagger) -> None:
    answer = what_if([detector], (two_bursts(), 12_000), [parse("remove=5.5:7.5,300:800")], tag="tag 0")
    change = answer.evidence["detector"]
    assert change.tag == "tag 0"
    lost = [event for event in change.vanished if event.scale in ("level1", "level2", "level3")]
    assert lost
    assert all(event.start_s < 7.1 and event.end_s > 5.9 for event in lost)
    assert not any(event.start_s > 19 for event in lost)
    assert change.n_kept > 0


def test_evidence_appears_with_a_stem(detector: Tagger, tmp_path: Path) -> None:
    (tmp_path / "burst.wav").write_bytes(wav_bytes(2 * tone_burst(12, 13, 1000, CONFIG), 12_000, encoding="float32"))
    quiet = (0.01 * two_bursts()).astype(np.float32)
    answer = what_if([detector], (quiet, 12_000), [parse(f"add={tmp_path / 'burst.wav'}")], tag="tag 0")
    appeared = [event for event in answer.evidence["detector"].appeared if event.scale == "level1"]
    assert appeared
    assert all(event.start_s < 13.1 and event.end_s > 11.9 for event in appeared)


def test_evidence_is_followed_to_where_it_went(detector: Tagger) -> None:
    for text in ("reverse", "speed=1.25"):
        change = what_if([detector], (two_bursts(), 12_000), [parse(text)], tag="tag 0").evidence["detector"]
        early = [event for event in change.vanished if event.scale in ("input", "level1", "level2")]
        assert not early, text
        assert change.n_kept >= 3


def test_a_part_is_in_seconds_of_the_recording(bundled: list[Tagger]) -> None:
    part = what_if(bundled, EXAMPLE, [parse("keep=12:14")], start_s=10, duration_s=5)
    assert (part.start_s, part.duration_s) == (10, 5)
    loud = np.abs(part.edited).reshape(10, -1).max(1) > 1e-3
    assert loud[4:8].all()
    assert not loud[:3].any()
    assert not loud[9:].any()
    assert part.to_json(evidence=False)["part"] == [10, 15]
    again = what_if(bundled, read_recording(EXAMPLE, start_s=8), [parse("keep=12:14")], start_s=2, duration_s=5)
    np.testing.assert_allclose(again.edited, part.edited, atol=1e-5)


def test_the_side_is_taken_from_both_channels(bundled: list[Tagger]) -> None:
    left, right = tone_burst(1, 9, 400, CONFIG), tone_burst(12, 20, 900, CONFIG)
    content = np.stack([left + right, left])  # the second tone is in the left channel only
    answer = what_if(bundled, (content, 12_000), [parse("side")])
    np.testing.assert_allclose(answer.edited, right / 2, atol=1e-6)
    np.testing.assert_allclose(answer.original.waveform, left + right / 2, atol=1e-6)
    with pytest.raises(EditError, match="here is only one"):
        what_if(bundled, (left, 12_000), [parse("side")])


def test_a_curve_is_what_each_strength_alone_gives(edited: WhatIf, bundled: list[Tagger]) -> None:
    done: list[float] = []
    curve = edited.response(parse("level=0"), [-20.0, 0.0], progress=done.append)
    assert done == [0.5, 1.0]
    alone = what_if(bundled, edited.original, [*edited.edits, parse("level=-20")])
    for change in alone.changes:
        model = curve.models[change.model]
        np.testing.assert_allclose(model.probabilities[0], change.after.probabilities, atol=1e-5)
        np.testing.assert_allclose(model.terms[0], change.terms, atol=1e-4)
        np.testing.assert_allclose(model.terms.sum(1), model.logits, rtol=0, atol=1e-5)
    told = curve.to_json()
    assert (told["edit"], told["unit"], told["strengths"]) == ("level", "dB", [-20.0, 0.0])
    assert [len(row["after"]) for row in told["models"]["msecnn"].values()] == [2] * 5
    with pytest.raises(EditError, match="no strength"):
        edited.response(parse("reverse"), [1.0])
    with pytest.raises(ZeroDivisionError):
        edited.response(parse("level=0"), [1.0], check=lambda: 1 // 0)
    with pytest.raises(EditError, match="gain of level"):
        edited.response(parse("level=0"), [0.0, 61.0])


def test_the_answer_as_json(edited: WhatIf) -> None:
    told = edited.to_json(evidence=False)
    assert list(told) == ["schema", "file", "part", "duration_s", "edits", "notes", "models"]
    assert told["edits"] == ["speed=1.1", "telephone"]
    for change in edited.changes:
        rows: dict[str, Any] = told["models"][change.model]["tags"]
        assert next(iter(rows)) == change.before.top(1)[0][0]
        for row in rows.values():
            assert sum(row["scales"].values()) == pytest.approx(row["change"], abs=1e-5)
            assert row["logit_after"] - row["logit_before"] == pytest.approx(row["change"], abs=1e-9)


def test_what_is_too_long_or_too_short_is_said(bundled: list[Tagger]) -> None:
    with pytest.raises(EditError, match="name a part"):
        what_if(bundled, (np.zeros(12_000 * 601, np.float32), 12_000), [])
    with pytest.raises(EditError, match=r"0\.1 to 600 s"):
        what_if(bundled, (np.zeros(600, np.float32), 12_000), [])
    with pytest.raises(AudioError):
        what_if(bundled, "nowhere.wav", [])


def test_notes_of_the_recording_stay(bundled: list[Tagger]) -> None:
    recording = read_recording(EXAMPLE, duration_s=3)
    assert isinstance(recording, Recording)
    told = what_if(bundled, replace(recording, notes=("A note.",)), [parse("level=-10")]).to_json(evidence=False)
    assert "A note." in told["notes"]
    assert any("repeated" in note for note in told["notes"])
