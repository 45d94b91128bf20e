"""Edits of a sound: closed forms, librosa's own output, what changes nothing, limits, and text there and back."""

import contextlib
import subprocess
import sys
from dataclasses import fields
from math import inf
from pathlib import Path

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msecnn.audio import read_recording, write_wav
from msecnn.what_if.chain import LONGEST_S, SHORTEST_S, Moved, apply_chain
from msecnn.what_if.channels import Stem, read_channels
from msecnn.what_if.edit import Edit, EditError
from msecnn.what_if.notation import EDITS, MAX_EDITS, parse, parse_chain, parse_curve
from msecnn.what_if.regions import Keep, Region, Remove

ROOT = Path(__file__).resolve().parents[1]
RATE = 12_000
EXAMPLE = ROOT / "assets" / "examples" / "piano.mp3"


@pytest.fixture(scope="module")
def music() -> np.ndarray:
    """Three seconds of a piano."""
    return read_recording(EXAMPLE, start_s=5, duration_s=3).waveform


def edited(text: str, sound: np.ndarray) -> np.ndarray:
    return apply_chain([parse(text)], sound, RATE)


def tone(hz: float, duration_s: float = 2.0) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(round(duration_s * RATE)) / RATE)).astype(np.float32)


def db(sound: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(sound.astype(np.float64) ** 2)))


def test_a_gain_is_the_gain(music: np.ndarray) -> None:
    np.testing.assert_allclose(edited("level=-6", music), music * 10 ** (-6 / 20), rtol=1e-6)


@pytest.mark.parametrize(
    "text",
    ["speed=1", "pitch=0", "noise=inf", "remove", "remove=1:1", "remove=1:2,300:300", "level=0", "clipping=0", "mono"],
)
def test_what_changes_nothing(text: str, music: np.ndarray) -> None:
    np.testing.assert_allclose(edited(text, music), music, rtol=0, atol=1e-6)


@pytest.mark.parametrize("regions", ["0.5:1.2,200:800", "0.5:1,200:800+0.8:2,600:3000", "0:", ":,0:1000", "2.9:9"])
def test_a_region_and_all_but_it_add_up(regions: str, music: np.ndarray) -> None:
    inside, outside = edited(f"keep={regions}", music), edited(f"remove={regions}", music)
    np.testing.assert_allclose(inside + outside, music, rtol=0, atol=1e-6)
    assert db(inside) > -90


def test_keeping_all_is_the_sound(music: np.ndarray) -> None:
    np.testing.assert_allclose(edited("keep=:", music), music, rtol=0, atol=1e-5)
    np.testing.assert_allclose(edited("keep=0:3,0:6000", music), music, rtol=0, atol=1e-5)
    assert not edited("keep", music).any()


def test_a_region_takes_its_tone_and_no_other() -> None:
    low, high = tone(500), tone(3000)
    left = edited("remove=:,300:1000", low + high)
    np.testing.assert_allclose(left[600:-600], high[600:-600], atol=2e-3)
    middle = edited("remove=0.5:1.5", low)
    assert db(middle[round(0.55 * RATE) : round(1.45 * RATE)]) < -100
    np.testing.assert_allclose(middle[: round(0.45 * RATE)], low[: round(0.45 * RATE)], atol=1e-4)


def test_a_region_is_in_seconds_of_the_recording() -> None:
    assert Remove((Region(63.5, 64.0, 200, 800),)).starting_at(60) == Remove((Region(3.5, 4.0, 200, 800),))
    assert Keep((Region(10, 61),)).starting_at(60) == Keep((Region(0, 1),))
    assert Keep((Region(),)).starting_at(60) == Keep((Region(),))
    assert not Keep((Region(10, 20),)).starting_at(60).apply(tone(400), RATE).any()


def test_time_pitch_and_parts_are_librosas(music: np.ndarray) -> None:
    expected = {
        "speed=1.1": librosa.effects.time_stretch(music, rate=1.1),
        "pitch=-3": librosa.effects.pitch_shift(music, sr=RATE, n_steps=-3),
        "harmonic": librosa.effects.harmonic(music),
        "percussive=2": librosa.effects.percussive(music, margin=2.0),
    }
    for text, sound in expected.items():
        np.testing.assert_array_equal(edited(text, music), sound)


def test_pitch_moves_a_tone_and_speed_does_not() -> None:
    for text, hz in (("pitch=12", 800), ("speed=1.25", 400)):
        sound = edited(text, tone(400))
        peak = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))).argmax() * RATE / len(sound)
        assert peak == pytest.approx(hz, abs=5)
    assert len(edited("speed=1.25", tone(400))) == pytest.approx(2 / 1.25 * RATE, abs=1)


@pytest.mark.parametrize(
    ("text", "passed_hz", "stopped_hz"),
    [("low_cut=1000", 4000, 60), ("high_cut=500", 60, 4000), ("band_cut=1000", 100, 1000), ("telephone", 1000, 80)],
)
def test_filters_stop_their_band(text: str, passed_hz: float, stopped_hz: float) -> None:
    assert db(edited(text, tone(passed_hz))) == pytest.approx(db(tone(passed_hz)), abs=0.5)
    assert db(edited(text, tone(stopped_hz))) < db(tone(stopped_hz)) - 20


@pytest.mark.parametrize("ratio", [-10, 0, 20])
def test_noise_has_its_ratio_and_its_seed(ratio: float, music: np.ndarray) -> None:
    noise = edited(f"noise={ratio}", music) - music
    assert db(music) - db(noise) == pytest.approx(ratio, abs=0.01)
    np.testing.assert_array_equal(edited(f"noise={ratio},0", music) - music, noise)
    assert (edited(f"noise={ratio},1", music) - music != noise).any()


def test_clipping_is_flat_at_its_depth(music: np.ndarray) -> None:
    limit = np.abs(music).max() * 10 ** (-20 / 20)
    clipped = edited("clipping=20", music)
    np.testing.assert_allclose(clipped, np.clip(music, -limit, limit), atol=1e-7)
    assert (np.abs(clipped) > 0.999 * limit).mean() > 0.01


@pytest.mark.parametrize("codec", ["mp3", "opus"])
def test_a_codec_leaves_the_sound_in_its_place_and_less_of_it_with_fewer_bits(codec: str, music: np.ndarray) -> None:
    errors = []
    for kbit_s in (64, 8):
        sound = edited(f"codec={kbit_s},{codec}", music)
        assert sound.shape == music.shape
        lag = np.correlate(sound[:12_000], music[:12_000], "full").argmax() - 11_999
        assert abs(lag) <= 3
        errors.append(db(sound - music) - db(music))
    assert errors[0] < -15
    assert errors[1] > errors[0] + 6


def test_reversing_twice_is_the_sound(music: np.ndarray) -> None:
    np.testing.assert_array_equal(apply_chain(parse_chain(["reverse", "reverse"]), music, RATE), music)


def test_mono_and_side_of_two_channels(tmp_path: Path) -> None:
    left, right = tone(300), tone(700)
    stereo = np.stack([left, right])
    np.testing.assert_allclose(edited("side", stereo), (left - right) / 2, atol=1e-7)
    np.testing.assert_allclose(edited("mono", stereo), (left + right) / 2, atol=1e-7)
    with pytest.raises(EditError, match="two channels"):
        edited("side", left)
    both = read_channels(stereo, RATE, both=True, source_sample_rate=RATE)
    np.testing.assert_allclose(both, stereo, atol=1e-7)
    assert read_channels(left, RATE, both=True, source_sample_rate=RATE).shape == left.shape


def test_a_stem_is_added_and_taken_out_where_it_stands(tmp_path: Path, music: np.ndarray) -> None:
    stem = tone(900, 4)
    write_wav(tmp_path / "stem.wav", stem, RATE, encoding="float32")
    text = f"add={tmp_path / 'stem.wav'}"
    np.testing.assert_allclose(edited(text, music), music + stem[: len(music)], atol=1e-6)
    later = parse(text).starting_at(2).apply(music, RATE)
    expected = music + np.pad(stem[2 * RATE :], (0, len(music) - 2 * RATE))
    np.testing.assert_allclose(later, expected, atol=1e-6)
    chain = parse_chain([text, f"subtract={tmp_path / 'stem.wav'}"])
    np.testing.assert_allclose(apply_chain(chain, music, RATE), music, atol=1e-6)
    with pytest.raises(EditError, match=r"The stem cannot be used: .*missing"):
        edited(f"add={tmp_path / 'missing.wav'}", music)


def test_a_program_that_asks_a_server_names_no_file() -> None:
    for name in ("add", "subtract"):
        with pytest.raises(EditError, match="command line and Python"):
            parse(f"{name}=/etc/passwd", files=False)


def numbers_of(kind: type[Edit]) -> st.SearchStrategy[dict[str, float]]:
    """Any values within an edit's limits; infinity where that is one."""
    chosen = {}
    for parameter in kind.numbers():
        low, high = parameter.metadata["low"], parameter.metadata["high"]
        if parameter.type is int:
            chosen[parameter.name] = st.integers(int(low), int(high))
        else:
            chosen[parameter.name] = st.floats(low, min(high, 1e3)) | st.sampled_from([float(low), float(high)])
    return st.fixed_dictionaries(chosen)


def regions() -> st.SearchStrategy[Region]:
    def span(most: float) -> st.SearchStrategy[list[float]]:
        return st.lists(st.floats(0, most), min_size=2, max_size=2).map(sorted)

    return st.tuples(span(100), span(20_000)).map(lambda spans: Region(*spans[0], *spans[1]))


@st.composite
def any_edit(draw: st.DrawFn) -> Edit:
    kind = draw(st.sampled_from([kind for kind in EDITS.values() if not issubclass(kind, Stem)]))
    if kind in (Remove, Keep):
        return kind(tuple(draw(st.lists(regions(), max_size=3))))
    return kind(**draw(numbers_of(kind)))


@settings(max_examples=150, deadline=None)
@given(edit=any_edit(), seed=st.integers(0, 9), n=st.sampled_from([1_200, 1_201, 4_000, 9_000]))
def test_within_limits_every_edit_gives_sound_and_the_same_one_again(edit: Edit, seed: int, n: int) -> None:
    sound = np.random.default_rng(seed).normal(0, 0.1, (2, n)).astype(np.float32)
    before = sound.copy()
    cutoff_hz = getattr(edit, "cutoff", getattr(edit, "centre", 0.0))
    ends = edit.moved_s(0.0, n / RATE), edit.moved_s(n / RATE, n / RATE)
    if cutoff_hz >= RATE / 2 or max(ends) < SHORTEST_S:
        with pytest.raises(EditError, match=r"\.$"):
            apply_chain([edit], sound, RATE)
        return
    after = apply_chain([edit], sound, RATE)
    np.testing.assert_array_equal(sound, before)
    np.testing.assert_array_equal(after, apply_chain([edit], sound, RATE))
    assert after.dtype == np.float32
    assert np.isfinite(after).all()
    assert after.shape[-1] == pytest.approx(abs(ends[1] - ends[0]) * RATE, abs=1)


@settings(max_examples=200, deadline=None)
@given(edit=any_edit())
def test_text_and_back(edit: Edit) -> None:
    assert parse(str(edit)) == edit


@pytest.mark.parametrize("kind", [kind for kind in EDITS.values() if kind.numbers()], ids=lambda kind: kind.name)
def test_beyond_the_limits_there_is_a_sentence(kind: type[Edit]) -> None:
    usual = {parameter.name: parameter.metadata["low"] for parameter in kind.numbers()}
    for parameter in kind.numbers():
        for value in (parameter.metadata["low"] - 1, parameter.metadata["high"] + 1, float("nan"), True, "1"):
            if value == inf:
                continue
            name = parameter.name.replace("_", " ")
            with pytest.raises(EditError, match=rf"The {name} of {kind.name} is a .*number from .*\.$"):
                kind(**usual | {parameter.name: value})
    assert all(parameter.metadata["low"] < parameter.metadata["high"] for parameter in kind.numbers())


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no edit ''"),
        ("bend=3", "no edit 'bend'; there are remove"),
        ("speed", "speed takes rate in times"),
        ("speed=fast", "speed takes numbers, not 'fast'"),
        ("speed=1,2", "speed takes rate"),
        ("speed=nan", "not nan"),
        ("noise=20,1.5", "whole number"),
        ("telephone=3", "takes nothing, not '3'"),
        ("remove=3", "seconds and Hz, as 3.2:4.0,200:800"),
        ("remove=4:3", "in order, not 4:3"),
        ("remove=1:2,900:300", "in order, not 900:300"),
        ("remove=-1:2", "0 or more"),
        ("remove=" + "+".join(["1:2"] * 65), "at most 64 regions"),
        ("remove=" + "1" * 4_000, "4,000 characters"),
        ("codec=32,ogg", "mp3 or opus"),
        ("add=", "drums.wav"),
    ],
)
def test_bad_text_gets_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(EditError) as caught:
        parse(text)
    assert sentence in str(caught.value)
    assert len(str(caught.value)) < 400


@given(st.text(max_size=40), st.sampled_from([*EDITS, ""]))
def test_any_text_is_an_edit_or_one_sentence(text: str, name: str) -> None:
    for parse_one in (parse, parse_curve):
        with contextlib.suppress(EditError):  # any other exception fails
            parse_one(f"{name}={text}")


def test_a_curve_names_its_strengths() -> None:
    edit, strengths = parse_curve("speed=0.8:1.2:5")
    assert (str(edit), strengths) == ("speed=0.8", (0.8, 0.9, 1.0, 1.1, 1.2))
    assert len(parse_curve("pitch=-2:2")[1]) == 9
    for text in ("reverse=1:2", "speed=1", "speed=1:2:1", "speed=1:2:99", "speed=1:2:3.5"):
        with pytest.raises(EditError):
            parse_curve(text)


def test_chains_are_bounded(music: np.ndarray) -> None:
    with pytest.raises(EditError, match=f"at most {MAX_EDITS} edits"):
        parse_chain(["reverse"] * (MAX_EDITS + 1))
    with pytest.raises(EditError, match=rf"after speed=0.25 would last .* to {LONGEST_S:g} s"):
        apply_chain(parse_chain(["speed=0.25"] * 4), music, RATE)
    with pytest.raises(EditError, match="after speed=4 would last"):
        apply_chain(parse_chain(["speed=4"] * 4), music, RATE)


def test_where_places_go() -> None:
    moved = Moved(parse_chain(["speed=2", "reverse", "pitch=12"]), 10.0, 8.0)  # seconds 10 to 18
    assert moved.span_s(10, 12) == (13, 14)
    assert moved.hz(300) == 600


def test_every_parameter_has_a_unit_or_is_a_word() -> None:
    for kind in EDITS.values():
        assert kind.__doc__
        for parameter in fields(kind):
            assert (
                "unit" in parameter.metadata or parameter.type in (str, Path) or issubclass(kind, (Remove, Stem, Keep))
            )


def test_naming_edits_loads_no_library_of_sound() -> None:
    shown = "print(*{'librosa', 'captum', 'gradio'} & set(sys.modules))"
    for program in (f"import sys, msecnn.what_if; {shown}", f"import sys; from msecnn.what_if import parse; {shown}"):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
        assert done.stdout.strip() == ""
