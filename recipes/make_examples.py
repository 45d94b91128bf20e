"""Make the example clips again from the original tracks, as examples.json lists them.

    python recipes/make_examples.py --originals FOLDER [ID ...]

Tracks of Debian's packages need Debian or Ubuntu (`apt-get download`, `dpkg-deb`); packages already in FOLDER are not
downloaded again. A track that is in no package is put into FOLDER by hand, from the address that its entry names.
CREDITS.md is written from the same list.
"""

import argparse
import json
import logging
import subprocess
from pathlib import Path
from typing import Any

import av
import numpy as np
from tqdm import tqdm

from msecnn.files import replacing

EXAMPLES = Path(__file__).resolve().parents[1] / "assets" / "examples"
DURATION_S = 29.12  # one window of the networks
FADE_IN_S, FADE_OUT_S = 0.02, 0.3  # so that the cut does not click
PEAK = 0.9  # full scale 1; mastered tracks decode to more and would be clipped, MP3 adds a little again
BIT_RATE = 160_000  # MP3, which every browser plays; 583 KB a clip, unless an entry's `bit_rate` makes it smaller

CREDITS_HEAD = """# The example clips

Each is {duration:g} seconds cut from a track, faded in and out at the cut, turned down where it would be clipped, and
encoded again as MP3; nothing else was changed. Each keeps its own licence, as read in the Debian package's copyright
file for that very track, or on the page it comes from; NC says that it may not be used for profit. The split is that of
the corpus: the bundled checkpoints were trained on the tracks of `train` only.
`recipes/make_examples.py` makes the clips and this list.
"""

CREDIT = """
## {title}

{description}

| | |
|---|---|
| File | `{file}` |
| Author | {artist} |
| Licence | [{licence}]({licence_url}) |
| Source | {origin}, from {start_s:g} s |
| Split | {split} |
{notice}"""


def original_track(package: str, track: str, folder: Path) -> Path:
    """The track out of its package, downloaded and unpacked into `folder` where it is not there yet."""
    unpacked = folder / package
    path = unpacked / track
    if not path.exists():
        if not list(folder.glob(f"{package}_*.deb")):
            subprocess.run(["apt-get", "download", package], cwd=folder, check=True)
        (archive,) = folder.glob(f"{package}_*.deb")
        subprocess.run(["dpkg-deb", "-x", str(archive), str(unpacked)], check=True)
    return path


def track_of(example: dict[str, Any], folder: Path) -> Path:
    """Where the original is: in a package, or in the folder itself."""
    if "package" in example:
        return original_track(example["package"], example["track"], folder)
    return folder / example["track"]


def origin(example: dict[str, Any]) -> str:
    """Where the original comes from, for CREDITS.md."""
    if "package" in example:
        return f"Debian package `{example['package']}`, `{example['track']}`"
    return f"[{example['source']}]({example['source_url']}), `{example['track']}`"


def cut(path: Path, start_s: float) -> tuple[np.ndarray, int]:
    """`DURATION_S` of a track at its own rate, in stereo `(2, T)` float32, faded, never above `PEAK`."""
    stereo = av.AudioResampler(format="fltp", layout="stereo")
    with av.open(str(path)) as container:
        frames = [part.to_ndarray() for frame in container.decode(audio=0) for part in stereo.resample(frame)]
        sample_rate = container.streams.audio[0].codec_context.sample_rate
    start = round(start_s * sample_rate)
    clip = np.concatenate(frames, axis=1)[:, start : start + round(DURATION_S * sample_rate)]
    if clip.shape[1] < round(DURATION_S * sample_rate):
        raise ValueError(f"{path.name} ends before {start_s + DURATION_S:.1f} s")
    fade_in, fade_out = (np.arange(round(length_s * sample_rate)) for length_s in (FADE_IN_S, FADE_OUT_S))
    gain: Any = np.ones(clip.shape[1], np.float32)
    gain[: len(fade_in)] = 0.5 - 0.5 * np.cos(np.pi * fade_in / len(fade_in))
    gain[-len(fade_out) :] = 0.5 + 0.5 * np.cos(np.pi * fade_out / len(fade_out))
    return clip * gain * min(1.0, PEAK / float(np.abs(clip).max())), sample_rate


def write_mp3(path: Path, clip: np.ndarray, sample_rate: int, metadata: dict[str, str], bit_rate: int) -> None:
    """Encode `(2, T)` float32 as MP3."""
    with replacing(path) as partial, av.open(str(partial), "w", format="mp3") as container:
        container.metadata.update(metadata)
        stream: Any = container.add_stream("libmp3lame", rate=sample_rate, layout="stereo", format="fltp")
        stream.bit_rate = bit_rate
        whole = av.AudioFrame.from_ndarray(np.ascontiguousarray(clip), format="fltp", layout="stereo")
        whole.sample_rate, whole.pts = sample_rate, 0
        fifo = av.AudioFifo()
        fifo.write(whole)
        for frame in fifo.read_many(1152, partial=True):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ids", nargs="*", metavar="ID", help="which to make (default: all)")
    parser.add_argument("--originals", type=Path, required=True, help="folder for the packages and tracks")
    args = parser.parse_args()
    args.originals.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(level=logging.INFO)
    examples = json.loads((EXAMPLES / "examples.json").read_text())
    for example in tqdm([row for row in examples if not args.ids or row["id"] in args.ids], unit="clip"):
        clip, sample_rate = cut(track_of(example, args.originals), example["start_s"])
        metadata = {"title": example["title"], "artist": example["artist"], "copyright": example["licence"]}
        bit_rate = example.get("bit_rate", BIT_RATE)
        write_mp3(EXAMPLES / example["file"], clip, sample_rate, metadata, bit_rate)
        logging.info("%s: peak %.2f", example["file"], np.abs(clip).max())
    text = CREDITS_HEAD.format(duration=DURATION_S) + "".join(
        CREDIT.format(**({"notice": ""} | example), origin=origin(example)) for example in examples
    )
    (EXAMPLES / "CREDITS.md").write_text(text)


if __name__ == "__main__":
    main()
