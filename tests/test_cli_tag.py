"""`msecnn tag` on the command line: the JSON that programs rely on, and errors that people can read."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from audio_files import encode, music

from msecnn import audio, checkpoint
from msecnn.cli import main
from msecnn.frontend import MelConfig
from msecnn.library.fields import read_field
from msecnn.models import registry
from msecnn.tagger import Tagger

TAGS = ("guitar", "slow", "no vocals", "choral")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """FCN-5 and MsE-CNN with random weights; only the second's card says so."""
    folders = []
    for name in ("fcn5", "msecnn"):
        torch.manual_seed(3)
        network = registry.create(name, n_tags=len(TAGS)).eval()
        network.input_norm.running_mean.fill_(-40)
        network.input_norm.running_var.fill_(400)
        folder = tmp_path_factory.mktemp("checkpoints") / name
        checkpoint.save(folder, network, mel_config=MelConfig(), tags=TAGS, card={"untrained": name == "msecnn"})
        folders.append(str(folder))
    return folders


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Forty seconds: two windows, the second moved back."""
    noise = 0.1 * np.random.default_rng(0).standard_normal(40 * 12_000)
    path = tmp_path_factory.mktemp("music") / "sông 1.wav"
    audio.write_wav(path, noise.astype(np.float32), 12_000)
    return str(path)


def options(models: list[str]) -> list[str]:
    return ["--device", "cpu", *(word for model in models for word in ("--model", model))]


def test_json_is_as_promised(models: list[str], song: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tag", song, "--format", "json", *options(models)]) == 0
    (answer,) = json.loads(capsys.readouterr().out)
    assert list(answer) == ["schema", "file", "duration_s", "notes", "windows", "models"]
    assert answer["file"] == song
    assert answer["duration_s"] == 40
    assert answer["windows"] == [[0, 29.12], [10.88, 40]]
    assert any("moved back" in note for note in answer["notes"])
    assert list(answer["models"]) == ["fcn5", "msecnn"]
    for folder, said in zip(models, answer["models"].values(), strict=True):
        expected = Tagger.from_checkpoint(folder, device="cpu").tag(song)
        assert list(said["tags"]) == list(TAGS)
        assert list(said["tags"].values()) == pytest.approx(expected.probabilities, abs=1e-6)
        np.testing.assert_allclose(said["timeline"], expected.window_probabilities, atol=1e-6)
    assert "untrained" not in answer["models"]["fcn5"]
    assert answer["models"]["msecnn"]["untrained"] is True


def test_bad_files_are_reported_in_their_place_and_the_others_go_on(
    models: list[str], song: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text("no music")
    (tmp_path / "empty.mp3").write_bytes(b"")
    files = [str(tmp_path / "notes.txt"), song, str(tmp_path / "empty.mp3"), str(tmp_path / "gone.ogg"), str(tmp_path)]
    files += [song] * 2  # more than a few: worker processes tag them
    assert main(["tag", *files, "--format", "json", "--jobs", "1", *options(models[:1])]) == 1
    out, err = capfd.readouterr()
    answers = json.loads(out)
    assert [answer["file"] for answer in answers] == files
    assert [list(answer) == ["schema", "file", "error"] for answer in answers] == [
        True,
        False,
        True,
        True,
        True,
        False,
        False,
    ]
    assert [line.removeprefix("msecnn tag: ") for line in err.splitlines()] == [
        answer["error"] for answer in answers if "error" in answer
    ]
    assert "--recursive" in answers[4]["error"]


def test_csv_has_a_row_for_each_file_and_model(
    models: list[str], song: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tag", song, "missing.mp3", "--format", "csv", *options(models)]) == 1
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert list(rows[0]) == ["file", "model", "duration_s", "error", *TAGS]
    assert [(row["file"], row["model"]) for row in rows] == [(song, "fcn5"), (song, "msecnn"), ("missing.mp3", "")]
    assert all(0 <= float(row[tag]) <= 1 for row in rows[:2] for tag in TAGS)
    assert "no file" in rows[2]["error"]


def test_table_shows_the_top_tags_side_by_side(
    models: list[str], song: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["tag", song, "--top", "2", *options(models)])
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0] == f"{song} (40.0 s)"
    assert lines[-3].split() == ["fcn5", "msecnn"]
    tops = [[tag for tag, _ in Tagger.from_checkpoint(model, device="cpu").tag(song).top(2)] for model in models]
    for line, left, right in zip(lines[-2:], *tops, strict=True):
        assert line.index(left) < line.rindex(right)
    assert "msecnn has random weights" in err
    assert "fcn5" not in err


def test_a_folder_to_a_table(models: list[str], song: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cover.jpg").write_bytes(b"")
    (tmp_path / os.fsdecode(b"caf\xe9\n.wav")).write_bytes(Path(song).read_bytes())
    out = tmp_path / "tags.jsonl"
    command = ["tag", str(tmp_path), "--recursive", "--out", str(out), "--jobs", "1", *options(models[:1])]
    assert main(command) == 0
    printed, err = capfd.readouterr()
    (answer,) = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert answer["file"] == f"{tmp_path}/caf\\xe9\n.wav"
    assert answer["duration_s"] == 40
    assert printed == ""
    assert "1 .jpg" in err
    assert main([*command, "--resume"]) == 0
    assert "complete" in capfd.readouterr().err


def test_a_name_cannot_command_the_terminal(
    models: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = str(tmp_path / "\x1b[2J\nfake line.mp3")
    assert main(["tag", name, *options(models[:1])]) == 1
    out, err = capsys.readouterr()
    assert "\x1b" not in out + err
    assert len(out.splitlines()) == len(err.splitlines()) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        ["--top", "0"],
        ["--jobs", "0"],
        ["--resume"],
        ["--model", "no-such-model"],
        ["--device", "abacus"],
        ["--out", "tags.docx"],
        ["--recursive"],
        ["--dry-run"],
        ["--write-tags", "--tag-field", "A=B"],
        ["--write-tags", "--min-probability", "2"],
        ["--undo", "no-such-list"],
    ],
)
def test_wrong_options_get_one_line(
    wrong: list[str], models: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tag", str(tmp_path), *options(models[:1]), *wrong]) == 1
    err = capsys.readouterr().err
    assert err.startswith("msecnn tag: ")
    assert len(err.splitlines()) == 1


def test_tags_into_files_and_back(
    models: list[str], song: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("mutagen", reason="mutagen is not installed (extra: tags)")
    flac, wav = tmp_path / "a.flac", tmp_path / "b.wav"
    flac.write_bytes(encode(music(3, 44_100), 44_100, "flac"))
    wav.write_bytes(Path(song).read_bytes())
    before = flac.read_bytes()
    undo_list = tmp_path / "undo"
    command = ["tag", str(flac), str(wav), "--write-tags", "--tag-field", "MY_TAGS", "--top", "2", *options(models)]
    command += ["--min-probability", "0", "--undo-list", str(undo_list)]

    assert main([*command, "--dry-run"]) == 1  # a WAV holds no such tags
    assert "would be" in capsys.readouterr().err
    assert flac.read_bytes() == before
    assert not undo_list.exists()

    assert main(command) == 1
    assert "“b.wav” is of a kind" in capsys.readouterr().err
    expected = [tag for tag, _ in Tagger.from_checkpoint(models[0], device="cpu").tag(flac).top(2)]
    assert read_field(str(flac), "MY_TAGS") == expected

    assert main(["tag", "--undo", str(undo_list)]) == 0
    assert read_field(str(flac), "MY_TAGS") is None

    assert main(["tag", str(flac), "--write-tags", *options(models[1:])]) == 1
    assert "random weights: its tags are not written" in capsys.readouterr().err


def test_as_a_program_it_exits_with_1_and_no_trace(models: list[str], tmp_path: Path) -> None:
    (tmp_path / "cut.flac").write_bytes(b"fLaC\0\0\0")
    command = [sys.executable, "-m", "msecnn", "tag", str(tmp_path / "cut.flac"), *options(models[:1])]
    result = subprocess.run([*command, "--format", "json"], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert list(json.loads(result.stdout)[0]) == ["schema", "file", "error"]
    assert len(result.stderr.splitlines()) == 1
