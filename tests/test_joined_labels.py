"""Label folders joined: every clip of every folder, the first one's word, and never two teachers under one name."""

from pathlib import Path

import numpy as np
import pytest

from msecnn.cli import main
from msecnn.distillation.joined_labels import join_label_folders
from msecnn.distillation.soft_labels import ClipLabels, SoftLabels
from msecnn.errors import DatasetError


def write(folder: Path, teacher: str, clips: dict[str, float], *, fingerprint: str = "weights") -> None:
    folder.mkdir(exist_ok=True)
    said = {key: ClipLabels(f"clip {key}", np.full((3, 2), value, np.float32)) for key, value in clips.items()}
    SoftLabels(teacher, "musicnn", fingerprint, ("flute", "harp"), 3.0, said).write(folder / f"{teacher}.npz")


def test_every_clip_is_there_and_the_first_folder_wins(tmp_path: Path) -> None:
    write(tmp_path / "a", "one", {"x": 0.25, "y": 0.5})
    write(tmp_path / "b", "one", {"y": 0.75, "z": 1.0})
    write(tmp_path / "b", "two", {"z": 0.125})
    assert join_label_folders([tmp_path / "a", tmp_path / "b"], tmp_path / "out") == {"one": 3, "two": 1}
    joined = SoftLabels.read(tmp_path / "out" / "one.npz")
    assert {key: clip.windows.tolist() for key, clip in joined.clips.items()} == {
        "x": [[0.25] * 2] * 3,
        "y": [[0.5] * 2] * 3,
        "z": [[1.0] * 2] * 3,
    }
    assert joined.clips["z"].clip_id == "clip z"
    assert (joined.fingerprint, joined.window_s) == ("weights", 3.0)


def test_the_command_joins_into_one_of_its_own_folders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "a", "one", {"x": 0.25})
    write(tmp_path / "b", "one", {"z": 1.0})
    folders = [str(tmp_path / "a"), str(tmp_path / "b")]
    assert main(["prepare", "join-labels", *folders, "--out", folders[0]]) == 0
    assert set(SoftLabels.read(tmp_path / "a" / "one.npz").clips) == {"x", "z"}
    assert "one.npz: 2 clips" in capsys.readouterr().out


def test_different_teachers_under_one_name_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    write(tmp_path / "a", "one", {"x": 0.25})
    write(tmp_path / "a", "another", {"x": 0.25})
    write(tmp_path / "b", "one", {"y": 0.5}, fingerprint="other weights")
    with pytest.raises(DatasetError, match="called one are of different teachers"):
        join_label_folders([tmp_path / "a", tmp_path / "b"], tmp_path / "out")
    assert not list(tmp_path.glob("out/*.npz"))


def test_a_folder_without_labels_is_named(tmp_path: Path) -> None:
    write(tmp_path / "a", "one", {"x": 0.25})
    with pytest.raises(DatasetError, match="holds no labels"):
        join_label_folders([tmp_path / "a", tmp_path], tmp_path / "out")
