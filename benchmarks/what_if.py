"""How robust taggers are: how often the first tag and the top five survive an edit of the sound, and what moves most.

    python benchmarks/what_if.py MANIFEST --journal what_if.jsonl [--n 100] [--minutes 25] [--teachers FILE ...]
    python benchmarks/what_if.py --journal what_if.jsonl --write docs/what_if.md

One clip of each group is drawn, so that clips do not share a track; each is edited at 16 kHz, MagnaTagATune's rate.
What is measured of a clip is kept in the journal, so a run that was stopped goes on where it ended. Nothing is trained,
so there is nothing to seed but the draws of clips, of noise and of the bootstrap.
"""

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measuring import replace_section
from tqdm import tqdm

from msecnn.audio import read_recording
from msecnn.checkpoint import Checkpoint, bundled
from msecnn.data.manifest import Clip, Manifest
from msecnn.distillation.teachers import load_teacher
from msecnn.evaluation.tables import FOLDER, Report, Table
from msecnn.frontend import MelConfig
from msecnn.json_lines import JsonLinesLog, read_json_lines
from msecnn.tagger import Tagger, TagPrediction, tag
from msecnn.what_if.chain import apply_chain
from msecnn.what_if.change import model_change
from msecnn.what_if.notation import parse

RATE = 16_000  # Hz
EDITS = (
    *(f"speed={speed:g}" for speed in (0.94, 0.97, 0.99, 1.01, 1.03, 1.06)),
    *(f"pitch={semitones}" for semitones in (-3, -1, 1, 3)),
    *("level=-10", "level=-30", "codec=32", "telephone", "noise=20", "noise=10", "harmonic", "percussive"),
)
N_TOP = 5
FIRST, FIVE, LOGITS, MOVED = "first tag kept, %", "top five kept, %", "logits", "moved most"
N_RESAMPLES, CONFIDENCE = 2_000, 0.95
SECTION = "robustness"
NAME = "what_if"  # of the table that has all columns
TITLES = {"fcn5": "FCN-5", "msecnn": "MsE-CNN"}


def measure(manifest: Manifest, journal: Path, args: argparse.Namespace) -> None:
    """Goes on with the journal until every clip is in it, or the time is up."""
    torch.set_flush_denormal(True)  # numbers near 0 make a teacher many times slower
    taggers = [Tagger.from_checkpoint(name) for name in bundled()]
    taggers += [_teacher(path) for path in args.teachers]
    names = [tagger.name for tagger in taggers]
    until = time.monotonic() + 60 * args.minutes
    with JsonLinesLog(journal) as log:
        done = {row["clip"] for row in log.rows if set(names) <= set(row["models"])}
        for clip in tqdm(draw(manifest, args.split, args.n, args.seed)):
            if time.monotonic() > until:
                break
            if clip.clip_id not in done:
                log.append({"clip": clip.clip_id, "models": measure_clip(clip, taggers)})


def draw(manifest: Manifest, split: str, n_clips: int, seed: int) -> list[Clip]:
    """One clip of each group, the groups in an order of their own."""
    rng = np.random.default_rng(seed)
    clips = sorted(manifest.split(split).clips, key=lambda clip: clip.clip_id)
    shuffled = [clips[i] for i in rng.permutation(len(clips))]
    return list({clip.group or clip.clip_id: clip for clip in shuffled}.values())[:n_clips]


def measure_clip(clip: Clip, taggers: Sequence[Tagger]) -> dict[str, dict[str, Any]]:
    """For each model and edit: whether the first tag stays, how many of the top five do, what each scale changed."""
    sound = read_recording(clip.path, sample_rate=RATE, start_s=clip.start_s, duration_s=clip.duration_s).waveform
    before = tag((sound, RATE), taggers, keep_mel=False)
    measured: dict[str, dict[str, Any]] = {tagger.name: {} for tagger in taggers}
    for edit in EDITS:
        edited = apply_chain([parse(edit)], sound, RATE)
        after = tag((edited, RATE), taggers, keep_mel=False)
        for tagger, old, new in zip(taggers, before, after, strict=True):
            measured[tagger.name][edit] = _compared(tagger, old, new)
    return measured


def _compared(tagger: Tagger, before: TagPrediction, after: TagPrediction) -> dict[str, Any]:
    tops = [[name for name, _ in prediction.top(N_TOP)] for prediction in (before, after)]
    change = model_change(tagger, before, after)
    return {
        "first": tops[0][0] == tops[1][0],
        "five": len(set(tops[0]) & set(tops[1])) / N_TOP,
        "logit": float(np.abs(change.logits).mean()),
        "scales": dict(zip(change.scales, np.abs(change.terms).mean(1).tolist(), strict=True)),
    }


def _teacher(path: Path) -> Tagger:
    teacher = load_teacher(path)
    return Tagger(Checkpoint(teacher.name, path.parent, teacher.model, MelConfig(), teacher.tags, {}, None))


def whole_table(rows: Sequence[dict[str, Any]], models: Sequence[str]) -> Table:
    """A row an edit: of each model the shares that survive, in percent, and of the multi-scale one what moved most."""
    header = ["edit"]
    for model in models:
        title = TITLES.get(model, model)
        header += [f"{title}: {FIRST}", f"{title}: {FIVE}", f"{title}: {LOGITS}"]
    widest = max(models, key=lambda model: len(rows[0]["models"][model][EDITS[0]]["scales"]))
    scales = list(rows[0]["models"][widest][EDITS[0]]["scales"])
    header += [MOVED, *scales]
    return Table(NAME, header, [[f"`{edit}`", *_row(rows, models, edit, widest, scales)] for edit in EDITS])


def report(whole: Table) -> Report:
    """The table in parts that can be read: what survives, one model beside the other, and what moved."""
    parts: list[str | Table] = []
    for words in (FIRST, FIVE):
        columns = [name for name in whole.header if name.endswith(f": {words}")]
        models = [name.split(": ")[0] for name in columns]
        parts += [f"**{words[0].upper()}{words[1:]}**", _narrow(whole, columns, models)]
    students = [f"{title}: {LOGITS}" for title in TITLES.values()]
    moved = [MOVED, *(name for name in students if name in whole.header)]
    parts += ["**What moved**", _narrow(whole, moved, moved)]
    path = f"{FOLDER}/{NAME}.csv"
    return Report([*parts, f"All {len(whole.header)} columns: [{path}]({path})."])


def _narrow(whole: Table, columns: Sequence[str], titles: Sequence[str]) -> Table:
    places = [0, *(list(whole.header).index(name) for name in columns)]
    return Table(NAME, ["edit", *titles], [[row[place] for place in places] for row in whole.rows])


def _row(rows: Sequence[dict[str, Any]], models: Sequence[str], edit: str, widest: str, scales: list[str]) -> list[str]:
    cells = []
    for model in models:
        measured = [row["models"][model][edit] for row in rows]
        cells += [estimate([100 * each[key] for each in measured], 0) for key in ("first", "five")]
        cells.append(estimate([each["logit"] for each in measured], 2))
    changes = [row["models"][widest][edit]["scales"] for row in rows]
    leading = Counter(max(change, key=change.__getitem__) for change in changes)
    ((scale, n_clips),) = leading.most_common(1)
    cells.append(f"{scale} ({100 * n_clips / len(rows):.0f} %)")
    return cells + [estimate([change[scale] for change in changes], 3) for scale in scales]


def estimate(values: Sequence[float], digits: int) -> str:
    """A mean over clips with its bootstrap interval."""
    array = np.asarray(values, dtype=float)
    draws = np.random.default_rng(0).integers(len(array), size=(N_RESAMPLES, len(array)))
    low, high = np.quantile(array[draws].mean(1), ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2))
    return f"{array.mean():.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def write(document: Path, whole: Table) -> None:
    """The tables into their section, all columns into the folder of tables beside the document."""
    replace_section(document, SECTION, report(whole).markdown())
    (document.parent / FOLDER / f"{NAME}.csv").write_text(whole.csv(), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", nargs="?", help="a manifest, or the folder it lies in; none: only report")
    parser.add_argument("--journal", type=Path, required=True, help="keeps what was measured of each clip")
    parser.add_argument("--split", default="test", help="default: test")
    parser.add_argument("--n", type=int, default=100, help="clips (default: 100)")
    parser.add_argument("--seed", type=int, default=0, help="of the draw of clips")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no further clip after so long")
    parser.add_argument(
        "--teachers", nargs="+", type=Path, default=[], metavar="FILE", help="weights of teachers, measured too"
    )
    parser.add_argument("--write", type=Path, metavar="DOCUMENT", help="put the table into its section there")
    args = parser.parse_args()
    if args.manifest:
        measure(Manifest.read(args.manifest), args.journal, args)
    rows = list({row["clip"]: row for row in read_json_lines(args.journal)}.values())  # of a clip the last one
    if not rows:
        raise SystemExit(f"{args.journal} holds no clips.")
    models = [model for model in rows[0]["models"] if all(model in row["models"] for row in rows)]
    whole = whole_table(rows, models)
    print(f"{len(rows)} clips\n\n{report(whole).markdown()}")
    if args.write:
        write(args.write, whole)


if __name__ == "__main__":
    main()
