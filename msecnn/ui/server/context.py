"""What one running page offers to all its visitors: the models, the examples and the limits its host has set."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msecnn import checkpoint
from msecnn.resources import resource_folder
from msecnn.tagger import Tagger
from msecnn.ui.server.body_limits import UploadLimits
from msecnn.ui.server.classroom import Classroom
from msecnn.ui.server.visitors import Visitors

ASSETS = resource_folder("assets")

#: Largest uploads that one address may bring in an hour, all together: a class may come from one address.
UPLOADS_OF_AN_ADDRESS = 8
#: How the papers write the names of the bundled checkpoints.
TITLES = {
    "fcn5": "FCN-5",
    "msecnn": "MsE-CNN",
    "msecnn_wide": "MsE-CNN wide",
    "fcn4": "FCN-4",
    "end_to_end": "End-to-end",
    "timbre_cnn": "Timbre CNN",
    "conv1d": "1-D convolutions",
    "bag_of_features": "Bag of features",
    "multi_scale": "Multi-scale k-means",
    "pmsc_pooling": "Pooled PMSC",
    "mfcc_pooling": "Pooled MFCC",
    "transferred_musicnn": "Transferred learning",
}


@dataclass(frozen=True)
class Example:
    """A bundled clip, with the credit its licence asks for."""

    id: str
    path: Path
    title: str
    artist: str
    licence: str
    kind: str
    description: str
    source: str


@dataclass(frozen=True)
class AppContext:
    """Loaded once when the page starts.

    Attributes:
        taggers: by the name a visitor chooses; the first two are shown first.
        examples: by their name in the address bar.
        max_s: longest recording taken, seconds.
        max_bytes: largest upload taken.
        patience_s: longest time that opening a recording may take: a small file can be made to unfold without end.
        visitors: what is known of those who are there; with the classroom, what changes here.
        classroom: of a lecturer and his class; None where the page was opened for no class.
    """

    taggers: Mapping[str, Tagger]
    examples: Mapping[str, Example]
    max_s: float
    max_bytes: int
    patience_s: float = 60.0
    visitors: Visitors = field(default_factory=Visitors, compare=False)
    classroom: Classroom | None = field(default=None, compare=False)

    @classmethod
    def load(
        cls,
        checkpoints: Sequence[str | Path] = (),
        *,
        table_1: bool = True,
        max_minutes: float = 20.0,
        max_megabytes: int = 500,
        patience_s: float = 60.0,
        examples: Path = ASSETS / "examples",
        classroom: Classroom | None = None,
    ) -> "AppContext":
        """Loads the bundled checkpoints, the other systems of Table 1 where asked, then those given by the host."""
        others = checkpoint.of_table_1() if table_1 else ()
        names: Iterable[str | Path] = (*checkpoint.bundled(), *others, *checkpoints)
        taggers: dict[str, Tagger] = {}
        for source in names:
            tagger = Tagger.from_checkpoint(source)
            taggers[_unused(tagger.checkpoint.name, taggers)] = tagger
        return cls(
            taggers=taggers,
            examples=_examples(examples),
            max_s=60.0 * max_minutes,
            max_bytes=max_megabytes * 2**20,
            patience_s=patience_s,
            classroom=classroom,
        )

    @property
    def upload_limits(self) -> UploadLimits:
        return UploadLimits(self.max_bytes, UPLOADS_OF_AN_ADDRESS * self.max_bytes)

    def title(self, name: str) -> str:
        return TITLES.get(name, name)


def _unused(name: str, taken: Mapping[str, Any]) -> str:
    """Two checkpoints may have the same folder name: the second is called NAME-2."""
    candidates = (name, *(f"{name}-{number}" for number in range(2, len(taken) + 3)))
    return next(candidate for candidate in candidates if candidate not in taken)


def _examples(folder: Path) -> dict[str, Example]:
    listing = folder / "examples.json"
    if not listing.exists():
        return {}
    rows = json.loads(listing.read_text(encoding="utf-8"))
    return {row["id"]: _example(row, folder) for row in rows}


def _example(row: dict[str, Any], folder: Path) -> Example:
    fields = {key: str(row.get(key, "")) for key in ("title", "artist", "licence", "kind", "description", "source")}
    return Example(id=str(row["id"]), path=folder / row["file"], **fields)
