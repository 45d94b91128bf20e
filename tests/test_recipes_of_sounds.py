"""Recipes from tiny made-up packages: no sound in two splits, equal seeds equal sounds, what is known is labelled."""

import shutil
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from msecnn.audio import write_wav
from msecnn.cli import main
from msecnn.data.manifest import SPLITS, Clip, Manifest
from msecnn.data.synthesis import conditions, effects
from msecnn.data.synthesis.drum_kits import Kit, find_kits, role_of
from msecnn.data.synthesis.guitars import plan_guitars, plucked
from msecnn.data.synthesis.gus_patch import play, read_patch
from msecnn.data.synthesis.instruments import plan_instruments
from msecnn.data.synthesis.noises import NOISES
from msecnn.data.synthesis.not_music import plan_not_music
from msecnn.data.synthesis.notes import Note, midi_file, rendered
from msecnn.data.synthesis.packages import sound_files
from msecnn.data.synthesis.percussion import plan_percussion
from msecnn.data.synthesis.piece import N_SAMPLES, SAMPLE_RATE, Piece
from msecnn.data.synthesis.speech import find_speakers
from msecnn.errors import DatasetError

N = {"train": 4, "valid": 2, "test": 2}


def tone(hz: float, seconds: float = 0.25) -> np.ndarray:
    return 0.25 * np.sin(2 * np.pi * hz * np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE)


def pitch_of(waveform: np.ndarray) -> float:
    return float(np.abs(np.fft.rfft(waveform)).argmax() * SAMPLE_RATE / len(waveform))


def write_patch(path: Path, waveform: np.ndarray, root_hz: float, *, looped: bool) -> None:
    """A patch of one sample of 16 bits at 16 kHz, by the format's description and not by our reader."""
    data = np.round(waveform * 32_767).astype("<i2").tobytes()
    header = bytearray(239)
    header[:12] = b"GF1PATCH110\0"
    header[198] = 1
    modes = 1 | (4 if looped else 0)
    sample = struct.pack("<7sBIIIH", b"tone", 0, len(data), 0, len(data), 16_000)
    sample += struct.pack("<III", 20_000, 8_000_000, round(root_hz * 1000)) + bytes(2 + 1 + 12 + 3 + 3)
    sample += bytes([modes]) + bytes(2 + 2 + 36)
    assert len(sample) == 96
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(header) + sample + data)


def check_shared_by_no_two_splits(pieces: Sequence[Piece]) -> None:
    assert {split: sum(piece.split == split for piece in pieces) for split in SPLITS} == N
    groups = {split: {piece.group for piece in pieces if piece.split == split} for split in SPLITS}
    assert not groups["train"] & groups["valid"] | groups["train"] & groups["test"] | groups["valid"] & groups["test"]


def check_renders(piece: Piece) -> np.ndarray:
    waveform = piece.waveform()
    assert waveform.shape == (N_SAMPLES,)
    assert np.array_equal(waveform, piece.waveform())
    assert effects.level_db(waveform) > -90
    return waveform


@pytest.fixture
def kits(tmp_path: Path) -> list[Kit]:
    for number in range(6):
        folder = tmp_path / "drums" / f"kit {number}"
        folder.mkdir(parents=True)
        for role, hz in (("kick", 60), ("snare", 300), ("hihat", 5000), ("silly", 1000)):
            write_wav(folder / f"{role}{number}.wav", tone(hz, 0.1), SAMPLE_RATE)
    return find_kits({"drums": tmp_path / "drums"})


@pytest.fixture
def patches(tmp_path: Path) -> Path:
    for program in (0, 6, 24, 25, 33, 40, 71, 73, 74):
        write_patch(tmp_path / "patches" / "Tone_000" / f"{program:03d}_Some.pat", tone(500), 500, looped=True)
    return tmp_path / "patches"


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("035_Kick_1", "kick"),
        ("EE_Hat_Low", "hat"),
        ("bassdrum-4mics", "kick"),
        ("064_Conga_Low", "hand"),
        ("x1", None),
    ],
)
def test_what_a_drum_is_called_tells_what_it_is(name: str, role: str | None) -> None:
    assert role_of(name) == role


def test_percussion_of_kits_that_are_one_split_s_own(kits: list[Kit]) -> None:
    assert [sorted(kit.samples) for kit in kits] == [["hat", "kick", "snare"]] * 6
    pieces = plan_percussion(kits, N, seed=1)
    check_shared_by_no_two_splits(pieces)
    waveform = check_renders(pieces[0])
    assert effects.level_db(waveform) == pytest.approx(float(pieces[0].extra["level"]), abs=0.1)
    assert pieces[0].truths["drums"] == pieces[0].truths["no vocals"] == 1
    assert pieces[0].truths["guitar"] == pieces[0].truths["vocal"] == 0
    with pytest.raises(DatasetError, match="drum kits"):
        plan_percussion([], N, seed=1)


@pytest.mark.parametrize("hz", [250.0, 500.0, 1000.0])
def test_a_patch_is_played_at_the_pitch_asked_for_as_long_as_held(tmp_path: Path, hz: float) -> None:
    write_patch(tmp_path / "tone.pat", tone(500), 500, looped=True)
    samples = read_patch(tmp_path / "tone.pat")
    note = play(samples, hz, 1.0)
    assert pitch_of(note[:SAMPLE_RATE]) == pytest.approx(hz, abs=2)
    assert np.abs(note[12_000:15_000]).max() > 0.2  # the loop goes on beyond the sample's quarter of a second
    drum = play(samples, None, 0.0)
    assert len(drum) == 4000
    assert drum == pytest.approx(tone(500), abs=1e-4)


def test_what_is_no_patch_or_is_cut_short_is_told(tmp_path: Path) -> None:
    write_patch(tmp_path / "whole.pat", tone(500), 500, looped=False)
    (tmp_path / "short.pat").write_bytes((tmp_path / "whole.pat").read_bytes()[:300])
    (tmp_path / "none.pat").write_bytes(b"RIFF")
    with pytest.raises(DatasetError, match="cut short"):
        read_patch(tmp_path / "short.pat")
    with pytest.raises(DatasetError, match="not a Gravis"):
        read_patch(tmp_path / "none.pat")


def test_instruments_of_patches(patches: Path) -> None:
    pieces = plan_instruments({"freepats": patches}, N, seed=2)
    check_shared_by_no_two_splits(pieces)
    check_renders(pieces[0])
    own_tags = {"piano", "harpsichord", "guitar", "violin", "flute"}
    for piece in pieces:
        known = {tag for tag in own_tags if piece.truths.get(tag) == 1}
        assert known == {tag for tag in own_tags if tag in piece.extra["instrument"]}
        assert ("flute" in piece.truths) == (piece.extra["instrument"] != "recorder")
        assert piece.truths["no vocals"] == 1


def test_midi_in_closed_form() -> None:
    content = midi_file([Note(0.0, 0.25, 69, 100), Note(0.25, 0.5, 69, 90)], program=73)
    assert content[:14] == b"MThd" + struct.pack(">IHHH", 6, 0, 1, 1000)
    first = bytes.fromhex("00ff51030f4240") + bytes.fromhex("00c049 00904564 817a804500")
    second = bytes.fromhex("0090455a 8374804500 00ff2f00")  # 250 and 500 ticks: 0x81 0x7a and 0x83 0x74
    assert content[14:] == b"MTrk" + struct.pack(">I", len(first + second)) + first + second


FONTS = sorted(Path("/usr/share/sounds/sf2").glob("*.sf2"))


@pytest.mark.skipif(not (shutil.which("fluidsynth") and FONTS), reason="needs fluidsynth and a soundfont")
def test_fluidsynth_plays_the_pitch() -> None:
    waveform = rendered([Note(0.0, 2.0, 81, 100)], 73, FONTS[0])
    assert len(waveform) == N_SAMPLES
    assert pitch_of(waveform[8_000:24_000]) == pytest.approx(880, rel=0.02)


def test_guitars_alone_and_in_a_band(patches: Path, kits: list[Kit], tmp_path: Path) -> None:
    write_wav(tmp_path / "clean.wav", tone(200, 3), SAMPLE_RATE)
    clips = [Clip(f"{s} clip", tmp_path / "clean.wav", s, np.array([1.0]), group=s, hash=s) for s in SPLITS]
    pieces = plan_guitars({"freepats": patches}, kits, Manifest(("guitar",), tuple(clips), "clean"), N, seed=1)
    check_shared_by_no_two_splits(pieces)
    recorded = [piece for piece in pieces if piece.group in SPLITS]
    assert recorded
    assert all(piece.split == piece.group for piece in recorded)
    for piece in pieces:
        assert piece.truths["guitar"] == 1
        assert piece.truths["drums"] == (piece.extra["band"] != "alone")
    assert [piece.extra["band"] == "alone" for piece in pieces] == [True, False] * 4
    for piece in pieces[:2]:
        check_renders(piece)


def test_the_string_has_its_pitch() -> None:
    string = plucked([Note(0.0, 1.0, 57, 127)], np.random.default_rng(0))[:SAMPLE_RATE]
    assert pitch_of(string) % 220 == pytest.approx(0, abs=6) or pitch_of(string) % 220 == pytest.approx(220, abs=6)
    assert effects.level_db(string[12_000:]) < effects.level_db(string[:4_000]) - 6


def test_what_is_not_music(tmp_path: Path) -> None:
    for language in ("cs", "de", "fr", "it", "pl", "nl"):
        folder = tmp_path / "words" / "sounds" / language
        folder.mkdir(parents=True)
        for number in range(5):
            write_wav(folder / f"{number}.wav", tone(200 + number), SAMPLE_RATE)
    for package in ("bells", "doors", "rain"):
        (tmp_path / package / "music").mkdir(parents=True)
        write_wav(tmp_path / package / "bang.wav", tone(900), SAMPLE_RATE)
        write_wav(tmp_path / package / "music" / "tune.wav", tone(900), SAMPLE_RATE)
    speakers = find_speakers({"words": tmp_path / "words"}, synthetic=False)
    assert [speaker.name for speaker in speakers] == [f"words {name}" for name in ("cs", "de", "fr", "it", "nl", "pl")]
    folders = {package: tmp_path / package for package in ("bells", "doors", "rain")}
    pieces = plan_not_music(speakers, folders, N, seed=0)
    check_shared_by_no_two_splits(pieces)
    kinds = [piece.extra["kind"] for piece in pieces]
    assert kinds[:3] == ["speech", "effects", "speech"]
    for piece in pieces[:4]:
        check_renders(piece)
    assert len(sound_files(folders["rain"], without="music")) == 1


def test_actors_who_may_be_one_person_stay_together(tmp_path: Path) -> None:
    folder = tmp_path / "fillets-ng-data-nl" / "sound" / "cave" / "nl"
    folder.mkdir(parents=True)
    for name in [f"cave-{actor}-{number}" for actor in "mv" for number in range(5)]:
        write_wav(folder / f"{name}.wav", tone(200), SAMPLE_RATE)
    speakers = find_speakers({"fillets-ng-data-nl": tmp_path / "fillets-ng-data-nl"}, synthetic=False)
    assert [speaker.name for speaker in speakers] == ["fillets-ng-data-nl nl m", "fillets-ng-data-nl nl v"]
    assert len({speaker.group for speaker in speakers}) == 1


@pytest.mark.parametrize("noise", NOISES, ids=lambda noise: noise.__name__)
def test_noises_fill_a_piece(noise) -> None:
    waveform = noise(np.random.default_rng(3))
    assert waveform.shape == (N_SAMPLES,)
    assert np.isfinite(waveform).all()
    assert effects.level_db(waveform) > -90
    assert np.array_equal(waveform, noise(np.random.default_rng(3)))
    assert not np.array_equal(waveform, noise(np.random.default_rng(4)))


def test_conditions_in_closed_form() -> None:
    rng, music = np.random.default_rng(0), tone(1000, 2)
    was_db = effects.level_db(music)
    assert effects.level_db(conditions.level(music, 0.0, rng)) == pytest.approx(was_db - 40, abs=0.01)
    assert effects.level_db(conditions.level(music, 1.0, rng)) == pytest.approx(was_db + 6, abs=0.01)
    assert abs(conditions.offset(music, 0.5, rng).mean()) == pytest.approx(0.16, abs=1e-3)
    assert np.abs(conditions.clipping(music, 0.5, rng)).max() == pytest.approx(conditions.FULL_SCALE)
    assert effects.level_db(conditions.cancelling(music, 1.0, rng)) < was_db - 30
    assert effects.level_db(conditions.one_channel(music, 0.0, rng)) == pytest.approx(was_db - 6.02, abs=0.01)
    assert effects.level_db(conditions.telephone(tone(100, 2), 1.0, rng)) < was_db - 30
    assert effects.level_db(conditions.hum(music, 1.0, rng) - music) == pytest.approx(was_db - 5, abs=0.01)
    coded = conditions.low_bitrate(music, 0.5, rng)
    assert effects.level_db((coded - music)[2_000:-2_000]) < was_db - 20  # a tone alone is what survives
    noise = rng.standard_normal(32_000)
    assert effects.level_db(conditions.low_bitrate(noise, 1.0, rng)) < effects.level_db(noise) - 5


def test_the_command_keeps_split_labels_and_licence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_wav(tmp_path / "a.wav", tone(500, 3), SAMPLE_RATE)
    clip = Clip("a", tmp_path / "a.wav", "test", np.array([1.0]), group="g", hash="h", extra={"licence": "CC0"})
    path = Manifest(("flute",), (clip,), "one").write(tmp_path / "one.jsonl")
    command = ["prepare", "conditions", str(path), "--out", str(tmp_path / "out"), "--jobs", "1", "--clips"]
    assert main([*command, "0", "0", "4"]) == 0
    manifest = Manifest.read(tmp_path / "out")
    assert [(clip.split, clip.group, clip.extra["licence"], clip.extra["original"]) for clip in manifest.clips] == [
        ("test", "g", "CC0", "a")
    ] * 4
    assert (manifest.labels()[:, manifest.tags.index("flute")] == 1).all()
    assert main([*command, "1", "0", "0"]) == 1
    assert "has no clips for train" in capsys.readouterr().err
