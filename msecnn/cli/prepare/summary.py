"""What `prepare` prints of the manifests that it wrote."""

from collections.abc import Mapping
from pathlib import Path

from msecnn.data.manifest import SPLITS, Manifest


def print_summary(manifests: Mapping[Path, Manifest]) -> int:
    """Says what was written, and what was left out of it."""
    left_out = next(iter(manifests.values())).left_out
    for name, reason in left_out.items():
        print(f"left out: {name}: {reason}")
    for path, manifest in manifests.items():
        print(f"{path}: {counts(manifest)}, {len(manifest.tags)} tags")
    print(f"{len(left_out)} left out")
    return 0


def counts(manifest: Manifest) -> str:
    splits = ", ".join(f"{split} {len(manifest.split(split)):,}" for split in SPLITS)
    return f"{len(manifest):,} clips ({splits})"
