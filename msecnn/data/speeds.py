"""Clips played faster or slower: more music to learn from, where teachers listen anew to what comes out.

Tempo and pitch change together, as on a tape.
"""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from msecnn import audio
from msecnn.audio import AudioError
from msecnn.data.download import sha256
from msecnn.data.manifest import Clip, Manifest
from msecnn.data.parallel import map_in_order
from msecnn.errors import DatasetError
from msecnn.files import check_space, locked_folder
from msecnn.frontend import MelConfig

logger = logging.getLogger(__name__)

SAMPLE_RATE = 16_000  # of the copies, Hz: the teachers'
WINDOW_S = MelConfig().window_s
SLOWEST, FASTEST = 0.5, 2.0


def at_other_speeds(manifest: Manifest, speeds: Sequence[float], folder: Path, *, jobs: int | None = None) -> Manifest:
    """Writes each training clip at each speed; may be stopped and started again at any time.

    Args:
        manifest: of which only the training split is taken, so that nothing of the others is learned from.
        speeds: factors of tempo and pitch; 1.12 is two semitones up.
        folder: of the copies, one WAV file each.
        jobs: files at once; as many as there are processors when None.

    Returns:
        The copies, cut to a window, in the groups of what they are copies of, with the labels that are known of them
        (a flute stays a flute; mind those of tempo where the speed is far from 1). What cannot be read is in
        `left_out`.

    Raises:
        DatasetError: a speed is out of range, there is nothing to copy, or too little space.
    """
    for speed in speeds:
        if not SLOWEST <= speed <= FASTEST or speed == 1:
            raise DatasetError(f"a speed is from {SLOWEST} to {FASTEST} and not 1; {speed} is not")
    wanted = [(clip, speed) for clip in manifest.split("train").clips for speed in dict.fromkeys(speeds)]
    if not wanted:
        raise DatasetError(f"{manifest.name} has no training clips to play at another speed")
    copies, left_out = [], {}
    with locked_folder(folder):
        n_missing = sum(not _path(clip, speed, folder).exists() for clip, speed in wanted)
        check_space(folder, round(n_missing * WINDOW_S * SAMPLE_RATE * 2), "clips at other speeds")
        results = map_in_order(lambda each: _copy(*each, folder), wanted, jobs=jobs)
        for (clip, speed), made in tqdm(results, total=len(wanted), desc="speeds", unit="clip", disable=not n_missing):
            name = f"{clip.clip_id} x{speed:g}"
            if isinstance(made, str):
                logger.warning("passed over %s: %s", name, made)
                left_out[name] = made
                continue
            path, duration_s, digest = made
            known = {**clip.extra, "speed": f"{speed:g}"}
            copies.append(
                replace(clip, clip_id=name, path=path, start_s=0.0, duration_s=duration_s, hash=digest, extra=known)
            )
    return Manifest(manifest.tags, tuple(copies), f"{manifest.name} at other speeds", manifest.licence, left_out)


def _path(clip: Clip, speed: float, folder: Path) -> Path:
    """Named by content, so that a copy of another file, or of another stretch, is never taken for this one."""
    key = f"{clip.hash or clip.path} {clip.start_s:.3f} {clip.duration_s} {speed:g}"
    return folder / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.wav"


def _copy(clip: Clip, speed: float, folder: Path) -> tuple[Path, float | None, str] | str:
    """Writes a copy unless it is there: path, seconds and SHA-256, or why not."""
    path = _path(clip, speed, folder)
    try:
        if not path.exists():
            # what is resampled to fewer samples a second, and played at the old rate, is faster and higher
            rate = round(SAMPLE_RATE / speed)
            longest_s = WINDOW_S * speed
            duration_s = longest_s if clip.duration_s is None else min(clip.duration_s, longest_s)
            found = audio.read_recording(clip.path, sample_rate=rate, start_s=clip.start_s, duration_s=duration_s)
            audio.write_wav(path, found.waveform, SAMPLE_RATE)
        return path, audio.probe(path).duration_s, sha256(path)
    except AudioError as error:
        return str(error)
