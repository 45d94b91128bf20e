"""What checkpoints make of the clips of a manifest: probabilities and features, computed once and kept."""

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from msecnn.audio import AudioError
from msecnn.data.manifest import Clip, Manifest
from msecnn.data.parallel import map_in_order
from msecnn.errors import DatasetError
from msecnn.evaluation.scores import read_arrays, write_arrays
from msecnn.tagger import Tagger, TagPrediction, tag

log = logging.getLogger(__name__)

#: A clip that is longer than its windows by less than this is predicted without its end, which adds nothing.
LEFTOVER_S = 1.0


def named_taggers(checkpoints: Sequence[str], *, device: str | None = None) -> dict[str, Tagger]:
    """Each checkpoint under a name of its own: as much of the end of its path as tells it from the others."""
    taggers = [Tagger.from_checkpoint(name, device=device) for name in checkpoints]
    by_folder = {tagger.checkpoint.folder: tagger for tagger in taggers}
    for n_parts in range(1, max(len(folder.parts) for folder in by_folder) + 1):
        named = {"/".join(folder.parts[-n_parts:]): tagger for folder, tagger in by_folder.items()}
        if len(named) == len(by_folder):
            break
    return named


@dataclass(frozen=True)
class SplitPredictions:
    """What one checkpoint makes of N clips.

    Attributes:
        clip_ids: (N,) names.
        tags: K names.
        probabilities: (N, K) mean over each clip's windows.
        window_clip: (M,) which clip each window belongs to.
        features: for each scale (M, C) what reaches the classifier; empty for models without scales.
    """

    clip_ids: np.ndarray
    tags: tuple[str, ...]
    probabilities: np.ndarray
    window_clip: np.ndarray
    features: dict[str, np.ndarray]

    def write(self, path: Path, key: str) -> None:
        """Keeps it, under a key that says what it was made from."""
        features = {f"features.{scale}": values for scale, values in self.features.items()}
        plain = {name: np.asarray(getattr(self, name)) for name in ("clip_ids", "tags", "probabilities", "window_clip")}
        write_arrays(path, key=np.array(key), **plain, **features)

    @classmethod
    def read(cls, path: Path, key: str) -> "SplitPredictions | None":
        """What was kept, if it was made from the same."""
        try:
            arrays = read_arrays(path, ("key", "clip_ids", "tags", "probabilities", "window_clip"))
        except DatasetError:
            return None
        if str(arrays["key"]) != key:
            return None
        features = {name.removeprefix("features."): a for name, a in arrays.items() if name.startswith("features.")}
        tags = tuple(str(tag) for tag in arrays["tags"])
        return cls(arrays["clip_ids"], tags, arrays["probabilities"], arrays["window_clip"], features)


def predict_split(taggers: Sequence[Tagger], manifest: Manifest, *, kept: Path | None = None) -> list[SplitPredictions]:
    """Predicts every clip by every tagger; clips that cannot be read are named in the log and left out for all.

    Args:
        kept: folder in which predictions are kept, and from which they are taken again where nothing has changed.

    Raises:
        DatasetError: there is no clip, or none can be read.
    """
    if not len(manifest):
        raise DatasetError(f"{manifest.name} has no clips in this split.")
    longest = max(tagger.input_spec.window_s for tagger in taggers)
    keys = [_key(tagger, manifest, longest) for tagger in taggers]
    places = [kept / f"{key[:16]}.npz" for key in keys] if kept else []
    predictions: list[SplitPredictions | None] = [None] * len(keys)
    if kept:
        predictions = [SplitPredictions.read(place, key) for place, key in zip(places, keys, strict=True)]
    known = {each.clip_ids.tobytes() for each in predictions if each}
    # where a file came or went, all are computed anew
    missing = [i for i, each in enumerate(predictions) if each is None or len(known) > 1]
    if missing:
        fresh = _predict_split([taggers[i] for i in missing], manifest, longest)
        if known and fresh[0].clip_ids.tobytes() not in known:
            missing, fresh = list(range(len(taggers))), _predict_split(taggers, manifest, longest)
        for i, predicted in zip(missing, fresh, strict=True):
            predictions[i] = predicted
            if kept:
                predicted.write(places[i], keys[i])
    return [predicted for predicted in predictions if predicted]


def _key(tagger: Tagger, manifest: Manifest, longest_s: float) -> str:
    """What a model's answers follow from: its weights, its front end, and the clips with the part that is predicted."""
    card = tagger.checkpoint.card
    parts = [card["sha256"], card["architecture"], card["front_end"], tagger.checkpoint.tags, manifest.hash, longest_s]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _predict_split(taggers: Sequence[Tagger], manifest: Manifest, longest_s: float) -> list[SplitPredictions]:

    def answer(clip: Clip) -> list[TagPrediction] | str:
        try:
            duration_s = _predicted_s(clip, longest_s)
            return tag(clip.path, taggers, keep_mel=False, start_s=clip.start_s, duration_s=duration_s)
        except (AudioError, OSError) as error:
            return str(error)

    answers: list[list[TagPrediction]] = []
    names = []
    with tqdm(total=len(manifest), desc="predicting", unit="clip") as bar:
        for clip, predictions in map_in_order(answer, manifest.clips):
            bar.update()
            if isinstance(predictions, str):
                log.warning("left out %s: %s", clip.clip_id, predictions)
            else:
                answers.append(predictions)
                names.append(clip.clip_id)
    if not answers:
        raise DatasetError(f"None of the {len(manifest)} clips of {manifest.name} could be read; the log says why.")
    return [_gathered(names, list(own)) for own in zip(*answers, strict=True)]


def _predicted_s(clip: Clip, window_s: float) -> float | None:
    """How much of a clip to predict: whole windows where less than `LEFTOVER_S` is left over, else all."""
    if clip.duration_s is None or clip.duration_s < window_s:
        return clip.duration_s
    left = clip.duration_s % window_s
    return clip.duration_s - left if left < LEFTOVER_S else clip.duration_s


def _gathered(names: Sequence[str], predictions: Sequence[TagPrediction]) -> SplitPredictions:
    return SplitPredictions(
        clip_ids=np.array(names),
        tags=predictions[0].tags,
        probabilities=np.stack([each.probabilities for each in predictions]).astype(np.float32),
        window_clip=np.repeat(np.arange(len(predictions)), [len(each.window_logits) for each in predictions]),
        features={
            scale: np.concatenate([each.features[scale] for each in predictions]).astype(np.float32)
            for scale in predictions[0].features
        },
    )
