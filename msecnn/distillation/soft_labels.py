"""What teachers say of a manifest's clips: probabilities per window and clip, computed once and kept beside the data.

One `.npz` a teacher. A clip is found by its content and the stretch of it, so labels survive moved files and changed
manifests, and another teacher under the same name, or another version of a file, never passes for the old one.
"""

import hashlib
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from msecnn import audio
from msecnn.audio import AudioError
from msecnn.data.manifest import Clip, Manifest
from msecnn.data.parallel import map_in_order, one_thread_per_job
from msecnn.distillation.teachers import Teacher, load_teacher
from msecnn.errors import DatasetError
from msecnn.evaluation.scores import read_arrays, write_arrays
from msecnn.runtimes.torch_runtime import pick_device
from msecnn.training.device import has_bfloat16

log = logging.getLogger(__name__)

PRECISIONS = ("bfloat16", "float32")
#: Windows that a teacher predicts at once: all of a 29-second clip's.
BATCH_SIZE = 10
#: Finished labels are written after so many clips: what a kill can cost.
CLIPS_BETWEEN_WRITES = 100
#: What `SoftLabels.read` needs of a file.
_ARRAYS = (
    "teacher", "architecture", "fingerprint", "tags", "window_s", "clip_ids", "keys", "n_windows",
    "window_probabilities",
)  # fmt: skip


@dataclass(frozen=True)
class ClipLabels:
    """What one teacher says of one clip: (W, K) probabilities, a row a window, side by side from the clip's start."""

    clip_id: str
    windows: np.ndarray


@dataclass(frozen=True, eq=False)
class SoftLabels:
    """What one teacher says of N clips.

    Attributes:
        teacher: its name.
        architecture: of its network.
        fingerprint: SHA-256 of its weights and of how they were run.
        tags: K names.
        window_s: seconds of one window.
        clips: key (content and stretch) to what is said of it.
    """

    teacher: str
    architecture: str
    fingerprint: str
    tags: tuple[str, ...]
    window_s: float
    clips: dict[str, ClipLabels]

    def probabilities(self, clips: Sequence[Clip]) -> np.ndarray:
        """(N, K) float32, the mean over each clip's windows.

        Raises:
            DatasetError: a clip was not labelled.
        """
        return np.array([self.windows(clip).mean(0) for clip in clips], dtype=np.float32).reshape(-1, len(self.tags))

    def windows(self, clip: Clip) -> np.ndarray:
        """(W, K) float32 of one clip."""
        found = self.clips.get(key_of(clip))
        if found is None:
            raise DatasetError(f"{self.teacher} has not labelled clip {clip.clip_id}; run distill again to label it.")
        return found.windows.astype(np.float32)

    def write(self, path: Path) -> None:
        """Writes the labels, whole or not at all: arrays clip_ids, tags, probabilities (N, K) and what `read` needs."""
        entries = list(self.clips.values())
        n_tags = len(self.tags)
        write_arrays(
            path,
            teacher=np.array(self.teacher),
            architecture=np.array(self.architecture),
            fingerprint=np.array(self.fingerprint),
            tags=np.array(self.tags),
            window_s=np.array(self.window_s),
            clip_ids=np.array([entry.clip_id for entry in entries], dtype=str),
            keys=np.array(list(self.clips), dtype=str),
            probabilities=np.array([entry.windows.mean(0) for entry in entries], np.float32).reshape(-1, n_tags),
            n_windows=np.array([len(entry.windows) for entry in entries], dtype=np.int64),
            window_probabilities=np.concatenate([np.empty((0, n_tags)), *(e.windows for e in entries)]).astype("f4"),
        )

    @classmethod
    def read(cls, path: str | Path) -> "SoftLabels":
        """Reads what `write` wrote.

        Raises:
            DatasetError: there is no such file, or it is damaged.
        """
        arrays = read_arrays(path, _ARRAYS)
        ends = np.cumsum(arrays["n_windows"])
        if len(ends) != len(arrays["keys"]) or (len(ends) and ends[-1] != len(arrays["window_probabilities"])):
            raise DatasetError(f"{path} is damaged: its windows are not those of its clips.")
        windows = np.split(arrays["window_probabilities"], ends[:-1]) if len(ends) else []
        return cls(
            teacher=str(arrays["teacher"]),
            architecture=str(arrays["architecture"]),
            fingerprint=str(arrays["fingerprint"]),
            tags=tuple(str(tag) for tag in arrays["tags"]),
            window_s=float(arrays["window_s"]),
            clips={
                str(key): ClipLabels(str(clip_id), values)
                for key, clip_id, values in zip(arrays["keys"], arrays["clip_ids"], windows, strict=True)
            },
        )


def label(
    manifest: Manifest,
    teachers: Sequence[Teacher],
    folder: str | Path,
    *,
    precision: str = "bfloat16",
    device: str | torch.device | None = None,
) -> list[SoftLabels]:
    """Lets every teacher label every clip that it has not labelled yet; may be killed and started again at any time.

    Each sound is decoded once for all teachers. Clips that cannot be read are named in the log and passed over.

    Args:
        folder: holds `TEACHER.npz` for each teacher.
        precision: of the teachers' convolutions; bfloat16 is twice as fast and moves a probability by .003 at most.
            Where a device has no such convolutions they are of float32 all the same.
        device: where the teachers run; None takes a GPU if there is one.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    labels = [_begun(teacher, folder, precision) for teacher in teachers]
    for teacher in teachers:
        teacher.model.to(pick_device(device))
    keys = [key_of(clip) for clip in manifest.clips]
    missing = [
        clip for clip, key in zip(manifest.clips, keys, strict=True) if any(key not in begun.clips for begun in labels)
    ]
    with one_thread_per_job() as jobs:
        predicted = map_in_order(lambda clip: _predict_split(clip, teachers, labels, precision), missing, jobs=jobs)
        bar = tqdm(predicted, desc="labels", unit="clip", total=len(missing), disable=not missing)
        for count, (clip, labels_of_windows) in enumerate(bar, start=1):
            if isinstance(labels_of_windows, str):
                log.warning("passed over %s: %s", clip.clip_id, labels_of_windows)
            else:
                for begun, windows in labels_of_windows:
                    begun.clips[key_of(clip)] = ClipLabels(clip.clip_id, windows)
            if count % CLIPS_BETWEEN_WRITES == 0 or count == len(missing):
                for begun in labels:
                    begun.write(folder / f"{begun.teacher}.npz")
    return labels


def label_manifest(
    teachers: Sequence[str],
    manifest: Manifest,
    folder: Path,
    *,
    precision: str = "bfloat16",
    device: str | torch.device | None = None,
) -> list[SoftLabels]:
    """Labels of every teacher, in the order given.

    Args:
        teachers: files of weights (.safetensors), which label what they have not labelled yet, or names of labels that
            lie in `folder`.

    Raises:
        MsecnnError: there are no such labels, weights or precision.
    """
    if precision not in PRECISIONS:
        raise DatasetError(f"the precision of labels may be {' or '.join(PRECISIONS)}, not {precision!r}")
    loaded = {name: load_teacher(name) for name in teachers if Path(name).suffix == ".safetensors"}
    fresh = label(manifest, list(loaded.values()), folder, precision=precision, device=device) if loaded else []
    made = dict(zip(loaded, fresh, strict=True))
    return [made[name] if name in made else SoftLabels.read(folder / f"{name}.npz") for name in teachers]


def ensemble(labels: Sequence[SoftLabels], clips: Sequence[Clip]) -> np.ndarray:
    """(N, K) mean probability of several teachers with one vocabulary.

    Raises:
        DatasetError: a clip was not labelled, or the teachers know different tags.
    """
    for each in labels[1:]:
        if each.tags != labels[0].tags:
            raise DatasetError(f"{each.teacher} and {labels[0].teacher} know different tags; they make no ensemble.")
    mean: np.ndarray = np.stack([each.probabilities(clips) for each in labels]).mean(axis=0)
    return mean


def labelled(labels: Sequence[SoftLabels], manifest: Manifest) -> Manifest:
    """The clips that every teacher has labelled; the others are counted in the log."""
    found = manifest.select(lambda clip: all(key_of(clip) in each.clips for each in labels))
    if len(found) < len(manifest):
        log.warning("%d of %d clips have no labels and are passed over", len(manifest) - len(found), len(manifest))
    return found


def key_of(clip: Clip) -> str:
    """What a label belongs to: the file's content and the stretch of it."""
    content = clip.hash or hashlib.sha256(clip.path.read_bytes()).hexdigest()
    end = "end" if clip.duration_s is None else f"{clip.duration_s:.3f}"
    return f"{content} {clip.start_s:.3f}+{end}"


def fingerprint_of(teacher: Teacher, precision: str) -> str:
    """Tells this teacher from another one under its name."""
    digest = hashlib.sha256(f"{teacher.model.architecture} {precision} {' '.join(teacher.tags)}".encode())
    for name, tensor in sorted(teacher.model.state_dict().items()):
        if tensor.is_floating_point():
            digest.update(name.encode() + tensor.float().numpy().tobytes())
    return digest.hexdigest()


def _begun(teacher: Teacher, folder: Path, precision: str) -> SoftLabels:
    """What is there already of this very teacher; labels of another one under its name are set aside, not lost."""
    path = folder / f"{teacher.name}.npz"
    fingerprint = fingerprint_of(teacher, precision)
    if path.exists():
        found = SoftLabels.read(path)
        if found.fingerprint == fingerprint:
            return found
        aside = path.with_suffix(f".{found.fingerprint[:12]}.npz")
        log.warning("%s holds labels of another teacher or precision; it is kept as %s", path, aside.name)
        os.replace(path, aside)
    model = teacher.model
    return SoftLabels(teacher.name, model.architecture, fingerprint, teacher.tags, model.window_s, {})


def _predict_split(
    clip: Clip, teachers: Sequence[Teacher], labels: Sequence[SoftLabels], precision: str
) -> list[tuple[SoftLabels, np.ndarray]] | str:
    """What teachers say of a clip that they have not labelled yet, or why it cannot be read; in a thread of its own."""
    # numbers near zero become zero: else a teacher whose activations die out takes a hundred times as long
    torch.set_flush_denormal(True)
    key = key_of(clip)
    recordings: dict[int, np.ndarray] = {}
    labels_of_windows = []
    for teacher, begun in zip(teachers, labels, strict=True):
        if key in begun.clips:
            continue
        rate = teacher.model.sample_rate
        if rate not in recordings:
            try:
                recordings[rate] = audio.read_recording(
                    clip.path, sample_rate=rate, start_s=clip.start_s, duration_s=clip.duration_s
                ).waveform
            except AudioError as error:
                return str(error)
        labels_of_windows.append((begun, tag_windows(teacher, recordings[rate], precision=precision)))
    return labels_of_windows


@torch.inference_mode()
def tag_windows(teacher: Teacher, waveform: np.ndarray, *, precision: str = "float32") -> np.ndarray:
    """(W, K) probabilities that a teacher gives to a recording's windows; `waveform` (T,) at the teacher's rate."""
    mels = teacher.model.windows(waveform)  # (W, 1, F, L)
    bfloat16 = precision == "bfloat16" and has_bfloat16(mels.device)
    with torch.autocast(mels.device.type, torch.bfloat16, enabled=bfloat16):
        logits = torch.cat([teacher.model.tag_mel(batch).float() for batch in mels.split(BATCH_SIZE)])
    return logits.sigmoid().cpu().numpy()
