"""Find, for every channel of the bundled networks, the moments of the example clips that excite it most.

    python recipes/make_channel_moments.py [CHECKPOINT ...]

Writes channel_moments.json beside each checkpoint, with the hash of the weights that computed them.
"""

import argparse
import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tqdm import tqdm

from msecnn.checkpoint import bundled
from msecnn.explain.network_views import top_moments, write_moments
from msecnn.tagger import Tagger

EXAMPLES = Path(__file__).resolve().parents[1] / "assets" / "examples"
#: Windows overlap by half, so that what one cuts in two another has whole; moments kept of each channel.
HOP_S = 14.56
K = 3


def windows(tagger: Tagger, clips: list[Path]) -> Iterator[tuple[str, float, np.ndarray]]:
    """Every window of every clip: name, start in seconds, mel."""
    for clip in tqdm(clips, desc=tagger.name, unit="clip"):
        predicted = tagger.tag(clip, hop_s=HOP_S)
        assert predicted.mel is not None
        for start_s, mel in zip(predicted.window_starts_s, predicted.mel, strict=True):
            yield clip.name, float(start_s), mel


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoints", nargs="*", metavar="CHECKPOINT", help="default: all bundled ones")
    parser.add_argument("--clips", type=Path, default=EXAMPLES, help="a folder of MP3s (default: the examples)")
    args = parser.parse_args()
    clips = sorted(args.clips.glob("*.mp3"))
    if not clips:
        raise SystemExit(f"There are no MP3s in {args.clips}.")
    for name in args.checkpoints or bundled():
        tagger = Tagger.from_checkpoint(name)
        checkpoint = tagger.checkpoint
        found = top_moments(
            tagger.model,
            windows(tagger, clips),
            mel_config=checkpoint.mel_config,
            weights_sha256=checkpoint.card["sha256"],
            k=K,
        )
        write_moments(checkpoint.folder, found)
        logging.info("%s", checkpoint.folder)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main()
