"""Pieces rendered to WAV files with a journal, so that the work may be stopped, even killed, and goes on later.

FOLDER/clips/….wav     named by everything that the sound depends on
      rendered.jsonl   a line a file: its SHA-256, length, level and peak
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from msecnn import audio
from msecnn.audio import AudioError
from msecnn.data.download import sha256
from msecnn.data.manifest import Clip, Manifest
from msecnn.data.parallel import map_in_order
from msecnn.data.synthesis.effects import level_db
from msecnn.data.synthesis.piece import N_SAMPLES, SAMPLE_RATE, Piece
from msecnn.errors import DatasetError
from msecnn.files import check_space, locked_folder
from msecnn.json_lines import JsonLinesLog
from msecnn.tags import MAGNATAGATUNE_TAGS

logger = logging.getLogger(__name__)

PEAK = 0.98  # no file goes beyond, of full scale


def write_pieces(pieces: Sequence[Piece], folder: Path, *, name: str, jobs: int | None = None) -> Manifest:
    """Renders every piece that is not there yet.

    Args:
        pieces: what to render.
        folder: of the files, and of the journal.
        name: of the data set.
        jobs: pieces at once; as many as there are processors when None.

    Returns:
        The clips in the order of the pieces; what could not be rendered is in `left_out`.
    """
    if not pieces:
        raise DatasetError(f"there is nothing to make {name} of")
    (folder / "clips").mkdir(parents=True, exist_ok=True)
    clips, left_out = [], {}
    with locked_folder(folder), JsonLinesLog(folder / "rendered.jsonl") as journal:
        rows = {row["key"]: row for row in journal.rows}
        todo = [piece for piece in pieces if piece.key not in rows or not _path(piece, folder).exists()]
        check_space(folder, 2 * N_SAMPLES * len(todo), name)
        results = map_in_order(lambda piece: _render(piece, folder), todo, jobs=jobs)
        for piece, row in tqdm(results, total=len(todo), desc=name, unit="clip", disable=not todo):
            if isinstance(row, str):
                logger.warning("passed over %s: %s", piece.name, row)
                left_out[piece.name] = row
            else:
                journal.append(row)
                rows[piece.key] = row
        clips = [_clip(piece, rows[piece.key], folder) for piece in pieces if piece.name not in left_out]
    licence = "; ".join(dict.fromkeys(piece.licence for piece in pieces))
    return Manifest(MAGNATAGATUNE_TAGS, tuple(clips), name, licence, left_out)


def bounded(waveform: np.ndarray) -> np.ndarray:
    """(T,) turned down where its peak would be beyond PEAK."""
    peak = float(np.abs(waveform).max(initial=0))
    return waveform * (PEAK / peak) if peak > PEAK else waveform


def _path(piece: Piece, folder: Path) -> Path:
    return folder / "clips" / f"{piece.key[:16]}.wav"


def _render(piece: Piece, folder: Path) -> dict[str, Any] | str:
    """Writes a piece: its row of the journal, or why it cannot be made."""
    try:
        waveform = piece.waveform()
    except (AudioError, DatasetError) as error:
        return str(error)
    if not len(waveform) or not np.isfinite(waveform).all():
        return "what was rendered is empty or not finite"
    waveform = bounded(waveform)
    path = _path(piece, folder)
    audio.write_wav(path, waveform, SAMPLE_RATE)
    return {
        "key": piece.key,
        "name": piece.name,
        "hash": sha256(path),
        "duration_s": len(waveform) / SAMPLE_RATE,
        "level_db": round(level_db(waveform), 2),
        "peak": round(float(np.abs(waveform).max()), 4),
    }


def _clip(piece: Piece, row: dict[str, Any], folder: Path) -> Clip:
    return Clip(
        clip_id=piece.name,
        path=_path(piece, folder),
        split=piece.split,
        labels=piece.labels,
        group=piece.group,
        duration_s=row["duration_s"],
        hash=row["hash"],
        extra={**piece.extra, "licence": piece.licence, "level_db": str(row["level_db"])},
    )
