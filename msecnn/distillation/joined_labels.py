"""Several folders of teachers' labels as one, so that what was labelled in parts, or by several people, is shared."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from msecnn.distillation.soft_labels import SoftLabels
from msecnn.errors import DatasetError
from msecnn.files import locked_folder


def join_label_folders(folders: Sequence[Path], out: Path) -> dict[str, int]:
    """Writes `TEACHER.npz` into `out` for every teacher of any folder, with the clips of all of them.

    A clip that several folders hold keeps what the first of them says of it.

    Args:
        folders: each with `TEACHER.npz` files.
        out: may be one of the folders.

    Returns:
        Each teacher's number of clips.

    Raises:
        DatasetError: a folder holds no labels, or files under one name are not of one and the same teacher.
    """
    parts: dict[str, list[SoftLabels]] = {}
    for folder in folders:
        paths = sorted(folder.glob("*.npz"))
        if not paths:
            raise DatasetError(f"{folder} holds no labels (files called TEACHER.npz)")
        for path in paths:
            parts.setdefault(path.stem, []).append(SoftLabels.read(path))
    joined = {name: _joined(name, some) for name, some in parts.items()}  # all are checked before any is written
    with locked_folder(out):
        for name, labels in joined.items():
            labels.write(out / f"{name}.npz")
    return {name: len(labels.clips) for name, labels in joined.items()}


def _joined(name: str, parts: Iterable[SoftLabels]) -> SoftLabels:
    first, *others = parts
    clips = dict(first.clips)
    for other in others:
        if (other.fingerprint, other.tags, other.window_s) != (first.fingerprint, first.tags, first.window_s):
            raise DatasetError(
                f"the labels called {name} are of different teachers or precisions, so they can't be joined"
            )
        clips = {**other.clips, **clips}
    return replace(first, clips=clips)
