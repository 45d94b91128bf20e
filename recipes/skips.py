"""Do the skips help? Runs the comparison of docs/skips.md, goes on where it ended, and writes what was found there.

    python recipes/skips.py data/corpus/manifest.jsonl --labels data/corpus/labels

on music that teachers have labelled (docs/distillation.md says how), and for whoever has MagnaTagATune's audio

    python recipes/skips.py ROOT/folders.jsonl ROOT/folders_filtered.jsonl --share 0.1 1

Seed after seed, all four networks of a seed before the next: whatever is there when it is stopped can be compared.
Runs lie in --runs, results (predictions for the test clips, small) in --results; a result is never made twice.
"""

import argparse
import hashlib
import logging
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]  # so that it runs from a checkout that is not installed

from measuring import replace_section  # noqa: E402

from msecnn import checkpoint  # noqa: E402
from msecnn.data.manifest import Manifest  # noqa: E402
from msecnn.data.mel_cache import MelCache  # noqa: E402
from msecnn.distillation.agreement.comparison import read_labels  # noqa: E402
from msecnn.distillation.skip_study import report, runs  # noqa: E402
from msecnn.distillation.skip_study.analysis import N_SEEDS, analyse  # noqa: E402
from msecnn.distillation.skip_study.arms import ARMS  # noqa: E402
from msecnn.distillation.skip_study.criteria import Criterion, label_criteria, teacher_criteria  # noqa: E402
from msecnn.distillation.soft_labels import SoftLabels, ensemble, labelled  # noqa: E402
from msecnn.evaluation.metrics import N_REPLICATES  # noqa: E402
from msecnn.files import write_atomically  # noqa: E402
from msecnn.frontend import MelConfig  # noqa: E402

DOCUMENT = ROOT / "docs" / "skips.md"
TEACHERS = ("MTT_musicnn", "MTT_vgg", "mtat_musicnn")


def main(argv: Sequence[str] | None = None) -> int:
    args = parse(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    labels = [each for each in read_labels([args.labels]) if each.teacher in TEACHERS] if args.labels else []
    for path, share in product(args.data, args.share):
        data = load(path, labels, args.cache)
        criteria = criteria_of(data, labels, n_replicates=args.bootstrap)
        condition = condition_of(path, data, share=share, epochs=args.epochs)
        if args.path:
            condition = condition_of(path, data, share=1, epochs=0)
            fit_heads(args.path, data, condition, args.results)
        for seed in args.seeds if not (args.path or args.report_only) else ():
            train_round(seed, data, condition, args)
            write_report(condition, criteria, args)
        write_report(condition, criteria, args)
    return 0


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", nargs="+", type=Path, metavar="MANIFEST")
    parser.add_argument("--labels", type=Path, metavar="DIR", help="teachers' (default: the manifest's own labels)")
    parser.add_argument("--share", type=float, nargs="+", default=[1.0], help="of the training clips (1)")
    parser.add_argument("--epochs", type=int, default=30, help="at most (%(default)s)")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(N_SEEDS)), help="(0 1 2 3 4)")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="of the mels (default: `mels` beside the manifest)")
    parser.add_argument("--runs", type=Path, default=Path("runs/skips"), help="(%(default)s)")
    parser.add_argument("--results", type=Path, default=ROOT / "docs" / "skips", help="(docs/skips)")
    parser.add_argument("--document", type=Path, default=DOCUMENT, help="(docs/skips.md)")
    parser.add_argument("--bootstrap", type=int, default=N_REPLICATES, metavar="N", help="replicates (%(default)s)")
    parser.add_argument("--report-only", action="store_true", help="train nothing")
    parser.add_argument(
        "--path", nargs="+", metavar="ARM=CHECKPOINT", help="train nothing; fit both heads on these paths as they are"
    )
    return parser.parse_args(argv)


def load(path: Path, labels: Sequence[SoftLabels], cache_folder: Path | None) -> runs.SkipData:
    """The clips with their mels and targets: the teachers' mean, or else the manifest's labels."""
    manifest = Manifest.read(path)
    folder = cache_folder or (path if path.is_dir() else path.parent) / "mels"
    MelCache.build(manifest, MelConfig(), folder)
    cache = MelCache.open(folder, MelConfig())
    used = cache.available(manifest)
    if not labels:
        return runs.SkipData.of(used, cache, used.labels(), used.tags)
    used = labelled(labels, used)
    return runs.SkipData.of(used, cache, ensemble(labels, used.clips), labels[0].tags)


def criteria_of(data: runs.SkipData, labels: Sequence[SoftLabels], *, n_replicates: int) -> tuple[Criterion, ...]:
    """Of the test clips."""
    test = data.manifest.split("test")
    if not labels:
        return label_criteria(test, n_replicates=n_replicates)
    return teacher_criteria(test, labels, n_replicates=n_replicates)


def condition_of(path: Path, data: runs.SkipData, *, share: float, epochs: int) -> runs.Condition:
    """Named after the manifest's file, or its folder where the file is only called manifest."""
    name = path.parent.name if path.stem == "manifest" else path.stem
    digest = hashlib.sha256(data.manifest.hash.encode() + data.training.targets.tobytes())
    return runs.Condition(name, digest.hexdigest()[:16], share, epochs)


def train_round(seed: int, data: runs.SkipData, condition: runs.Condition, args: argparse.Namespace) -> None:
    """All arms of one seed that have no result yet."""
    there = {(result.arm, result.seed) for result in runs.read_results(args.results, condition)}
    for arm in ARMS:
        if (arm.name, seed) not in there:
            runs.run_arm(arm, seed, data, condition, runs=args.runs, results=args.results)


def fit_heads(given: Sequence[str], data: runs.SkipData, condition: runs.Condition, results: Path) -> None:
    """Both heads on each given path."""
    arms = {arm.name: arm for arm in ARMS}
    for name, _, folder in (each.partition("=") for each in given):
        if name not in arms:
            raise SystemExit(f"--path takes ARM=CHECKPOINT, an arm being one of {', '.join(arms)}, not {name!r}")
        runs.heads_on_path(arms[name], checkpoint.load(folder).model, data, condition, results=results)


def write_report(condition: runs.Condition, criteria: Sequence[Criterion], args: argparse.Namespace) -> None:
    """Puts what is there into the document's section of this condition, with the picture beside the results."""
    results = runs.read_results(args.results, condition)
    analysis = analyse(results, criteria)
    text = report.markdown(condition, results, analysis)
    if analysis.contrasts:
        picture = args.results / f"{condition.name}.svg"
        write_atomically(picture, report.picture(analysis))
        text += f"\n\n![differences in ROC-AUC]({args.results.name}/{picture.name})"
    mark = f"<!-- {condition.name} -->"
    document = args.document.read_text(encoding="utf-8") if args.document.exists() else ""
    if mark not in document:
        section = f"\n### {condition.name}\n\n{mark}\n<!-- /{condition.name} -->\n"
        args.document.write_text(document.rstrip("\n") + "\n" + section, encoding="utf-8")
    replace_section(args.document, condition.name, text)


if __name__ == "__main__":
    sys.exit(main())
