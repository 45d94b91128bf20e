"""Labels and a tagger's scores of the same clips, and the `.npz` file that holds them: all that metrics need."""

import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from msecnn.errors import DatasetError
from msecnn.files import replacing


@dataclass(frozen=True)
class Scores:
    """Labels and scores of N clips for K tags.

    Attributes:
        labels: (N, K) 1 the tag is true, 0 it is not, NaN unknown; an unknown label takes no part.
        scores: (N, K) any real numbers, higher where the tag is likelier; probabilities where calibration is asked.
        tags: K names.
        groups: (N,) clips that must be drawn together: one track, or one artist.
    """

    labels: np.ndarray
    scores: np.ndarray
    tags: tuple[str, ...]
    groups: np.ndarray

    @property
    def are_probabilities(self) -> bool:
        """Whether every score lies in 0 to 1."""
        return bool(self.scores.min() >= 0 and self.scores.max() <= 1)

    def filtered(self) -> "Scores":
        """Only the clips that have at least one of the tags (the protocol of Won et al. 2020)."""
        return self.take((self.labels == 1).any(axis=1))

    def take(self, chosen: np.ndarray) -> "Scores":
        """The chosen clips, a boolean mask or indices."""
        return replace(self, labels=self.labels[chosen], scores=self.scores[chosen], groups=self.groups[chosen])


def checked(labels: np.ndarray, scores: np.ndarray, tags: np.ndarray, groups: np.ndarray | None = None) -> Scores:
    """Scores from arrays, or a `DatasetError` that says which of them is wrong and how.

    Args:
        labels: (N, K) of 0, 1 and NaN (unknown).
        scores: (N, K) finite.
        tags: (K,) different names.
        groups: (N,) any values that can be compared; left out, every clip is drawn by itself.
    """
    labels, scores, tags = np.asarray(labels), np.asarray(scores), np.asarray(tags)
    for name, array in (("labels", labels), ("scores", scores)):
        if array.dtype.kind not in "buif":
            raise DatasetError(f"{name} must be numbers, not {array.dtype}.")
    if labels.ndim != 2 or 0 in labels.shape:
        raise DatasetError(f"labels must be (clips, tags) with at least one of each, not {labels.shape}.")
    if scores.shape != labels.shape:
        raise DatasetError(f"scores are {scores.shape} but labels are {labels.shape}; both must be (clips, tags).")
    names = tuple(str(tag) for tag in tags.ravel())
    if len(names) != labels.shape[1] or len(set(names)) != len(names):
        raise DatasetError(f"tags must be {labels.shape[1]} different names, one a column, not {len(set(names))}.")
    if not np.isfinite(scores).all():
        raise DatasetError(f"scores hold {np.count_nonzero(~np.isfinite(scores)):,} values that are not finite.")
    labels = labels.astype(np.float32)
    if not (np.isnan(labels) | (labels == 0) | (labels == 1)).all():
        raise DatasetError("labels must be 0, 1 or NaN (unknown).")
    groups = np.arange(len(labels)) if groups is None else np.asarray(groups)
    if groups.shape != (len(labels),):
        raise DatasetError(f"groups must be one a clip, ({len(labels)},), not {groups.shape}.")
    return Scores(labels, scores.astype(np.float64), names, np.unique(groups, return_inverse=True)[1])


def read_arrays(path: str | Path, needed: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The arrays of an `.npz` file, without ever unpickling; a `DatasetError` where `needed` ones are missing."""
    path = Path(path)
    try:
        file = np.load(path, allow_pickle=False)
        if isinstance(file, np.ndarray):
            raise DatasetError(f"{path} is one array (.npy); needed is an .npz with {', '.join(needed)}.")
        with file:
            arrays = {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise DatasetError(f"{path} does not exist.") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        reason = "it holds pickled objects" if "pickle" in str(error) else "it is damaged or no .npz file"
        raise DatasetError(f"{path} cannot be read: {reason}.") from error
    missing = [name for name in needed if name not in arrays]
    if missing:
        found = ", ".join(arrays) or "nothing"
        raise DatasetError(f"{path} lacks the arrays {', '.join(missing)}; it holds {found}.")
    return arrays


def write_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Writes an `.npz` file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part, part.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def read(path: str | Path) -> Scores:
    """The scores of a file with arrays `labels`, `scores`, `tags` and, if clips belong together, `groups`."""
    arrays = read_arrays(path, ("labels", "scores", "tags"))
    try:
        return checked(arrays["labels"], arrays["scores"], arrays["tags"], arrays.get("groups"))
    except DatasetError as error:
        raise DatasetError(f"{path}: {error}") from None
