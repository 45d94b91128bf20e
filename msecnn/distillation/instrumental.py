"""Clips in which no teacher hears a voice, though nobody has said what they hold."""

from pathlib import Path

from msecnn.data.manifest import Manifest
from msecnn.distillation.soft_labels import SoftLabels, key_of, labelled
from msecnn.errors import DatasetError
from msecnn.tags import FAMILIES

#: Above this probability of any tag of voices, a teacher hears one.
VOICE_HEARD = 0.15


def without_voices(manifest: Manifest, folder: Path) -> Manifest:
    """The clips in which no teacher hears a voice, of those that all of them have labelled."""
    labels = [SoftLabels.read(path) for path in sorted(folder.glob("*.npz"))]
    if not labels:
        raise DatasetError(f"{folder} holds no labels")
    voices = [[tags.index(tag) for tag in FAMILIES["vocals"] if tag in tags] for tags in (each.tags for each in labels)]
    return labelled(labels, manifest).select(
        lambda clip: all(
            each.clips[key_of(clip)].windows.mean(0)[columns].max(initial=0) < VOICE_HEARD
            for each, columns in zip(labels, voices, strict=True)
        )
    )
