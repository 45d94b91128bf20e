"""Find where the training clips lie among each network's features, so that a recording unlike them gets a note.

    python recipes/make_training_features.py MANIFEST --cache MELS [--other "not music=FOLDER/manifest.jsonl" ...]

Writes training_features.safetensors beside each checkpoint, and into its card how often the note comes, where it should
(the other manifests) and where it should not. The threshold is set on the validation clips; the figures are of the test
clips. Run `python recipes/render_cards.py` afterwards.
"""

import argparse
import logging
from pathlib import Path

import numpy as np
from tqdm import trange

from msecnn.checkpoint import bundled, write_card
from msecnn.data.manifest import Manifest
from msecnn.data.mel_cache import MelCache
from msecnn.familiarity import Familiarity
from msecnn.tagger import Tagger

#: Share of the validation clips that get the note.
FALSE_ALARMS = 0.03
MEASURE = "share of recordings noted as unlike the training music"


def features(tagger: Tagger, manifest: Manifest, cache: MelCache) -> np.ndarray:
    """(N, D) of all scales, of each clip's first window."""
    rows = cache.rows(cache.available(manifest).clips)
    found = []
    for at in trange(len(rows), desc=f"{tagger.name}: {manifest.name}", unit="clip"):
        _, values = tagger.run(cache.batch(rows[at : at + 1]))
        found.append(np.concatenate([value[0] for value in values.values()]))
    return np.stack(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--cache", type=Path, required=True, help="folder of mels; what is missing is computed")
    parser.add_argument(
        "--other", action="append", default=[], metavar="NAME=MANIFEST", help="what should get the note"
    )
    args = parser.parse_args()
    manifest = Manifest.read(args.manifest)
    others = {name: Manifest.read(path).split("test") for name, _, path in (one.partition("=") for one in args.other)}
    for name in bundled():
        tagger = Tagger.from_checkpoint(name)
        card, config = tagger.checkpoint.card, tagger.checkpoint.mel_config
        caches = {id(one): MelCache.build(one, config, args.cache) for one in (manifest, *others.values())}
        whole = caches[id(manifest)]
        training, validation = (features(tagger, manifest.split(split), whole) for split in ("train", "valid"))
        found = Familiarity.fit(training, validation, false_alarms=FALSE_ALARMS)
        tests = {manifest.name: features(tagger, manifest.split("test"), whole)}
        tests |= {other: features(tagger, clips, caches[id(clips)]) for other, clips in others.items()}
        found.write(tagger.checkpoint.folder, card["sha256"])
        metrics = [one for one in card.get("metrics", []) if not one["name"].startswith(MEASURE)]
        for of, values in tests.items():
            beyond = float((found.distances(values) > found.threshold).mean())
            protocol = f"threshold passed by {FALSE_ALARMS:.0%} of {len(validation)} validation clips"
            metrics.append(
                {"name": f"{MEASURE}: {of}", "value": round(beyond, 3), "n": len(values), "protocol": protocol}
            )
            logging.info("%s, %s: %.3f of %d", name, of, beyond, len(values))
        write_card(tagger.checkpoint.folder, card | {"metrics": metrics})


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main()
