"""The ten systems of the paper's Table 1: a column trained by one command, and docs/table1.md written from the cards.

    python recipes/table1.py open data/corpus/manifest.jsonl
    python recipes/table1.py magnatagatune /data/magnatagatune
    python recipes/table1.py cost
    python recipes/table1.py write
    python recipes/table1.py labels data/corpus/labels

`open` trains every system by its recipe on what three teachers say of freely licensed music, compares all with them on
the test split, puts checkpoints of up to 8 MB into checkpoints/table1, and writes the page. `magnatagatune` is
recipes/run.py with all systems' recipes. `cost` measures every network on this machine. `labels` keeps what the
teachers said of the open corpus beside the recipes, so that `open` needs neither them nor their hour. A step that is
done is not done again: run the same command after a crash. Without --system all are taken but FCN-4, whose 17 million
parameters and 10 billion multiply-adds a clip want a GPU, and transferred learning, which needs --source.
"""

import argparse
import csv
import io
import json
import logging
import math
import statistics
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks"), str(ROOT / "recipes")]  # from a checkout that is not installed

import numpy as np  # noqa: E402
import render_cards  # noqa: E402
import torch  # noqa: E402
from bundle_student import bundle  # noqa: E402
from measuring import cpu_name, interleaved  # noqa: E402
from run import main as run_magnatagatune  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from msecnn import checkpoint  # noqa: E402
from msecnn.cli import main as msecnn  # noqa: E402
from msecnn.distillation.soft_labels import SoftLabels  # noqa: E402
from msecnn.evaluation.paper_table import FITS_NEITHER, PAPER_TABLE_1, PaperRow  # noqa: E402
from msecnn.evaluation.report import number  # noqa: E402
from msecnn.evaluation.tables import Report, Table  # noqa: E402
from msecnn.files import write_atomically  # noqa: E402
from msecnn.frontend import LogMelSpectrogram  # noqa: E402
from msecnn.models import registry  # noqa: E402
from msecnn.models.layers import MultiScaleCNN  # noqa: E402
from msecnn.models.tagging_model import CLIP_S, TaggingModule  # noqa: E402
from msecnn.plots.cost import Dot, as_svg, cost_figure  # noqa: E402
from msecnn.statistics import mean_ranks  # noqa: E402
from msecnn.tagger import LEFTOVER_S  # noqa: E402

RECIPES = ROOT / "recipes" / "table1"
#: What the teachers say of the open corpus's clips, each clip's mean.
LABELS = RECIPES / "labels"
DOCUMENT = ROOT / "docs" / "table1.md"
COST = ROOT / "docs" / "tables" / "table1_cost.csv"
PICTURE = "table1.svg"
#: The two networks of this program, with which all others are compared.
OWN = ("msecnn", "fcn5")
TEACHERS = ("MTT_musicnn", "MTT_vgg", "mtat_musicnn")
#: Trained by a recipe here, the cheapest first; `pmsc_pooling` and `mfcc_pooling` are two readings of one row.
SYSTEMS = (
    "mfcc_pooling", "pmsc_pooling", "multi_scale", "bag_of_features", "conv1d", "timbre_cnn", "end_to_end",
    "transferred_musicnn", "fcn4",
)  # fmt: skip
#: Taken only where they are named: a GPU's work, and what needs another network's weights, which its checkpoint holds.
BY_NAME = ("fcn4", "transferred_musicnn")
#: Beyond the paper's rows: what the label of a row says, literally.
LITERAL = {"mfcc_pooling": "pooling MFCC, literally"}
LARGEST = 8_000_000  # bytes of a checkpoint that is put into the repository
ROC, PR = "ROC-AUC, each tag's top 10 %", "PR-AUC, each tag's top 10 %"
NOT_TRAINED = "not trained here"
#: Fewer have no order worth a correlation.
LEAST_SYSTEMS = 4
N_DRAWS = 10_000


def main(argv: Sequence[str] | None = None) -> int:
    args = parse(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if args.task == "open":
        return train_open(args)
    if args.task == "magnatagatune":
        return run_magnatagatune(magnatagatune(args))
    if args.task == "labels":
        keep_labels(args.labels)
        return 0
    if args.task == "cost":
        write_cost()
    write_page()
    return 0


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tasks = parser.add_subparsers(dest="task", required=True)
    open_music = tasks.add_parser("open")
    open_music.add_argument("data", type=Path, metavar="MANIFEST")
    open_music.add_argument("--labels", type=Path, default=LABELS, metavar="DIR", help="teachers' (%(default)s)")
    open_music.add_argument("--cache", type=Path, metavar="DIR", help="of the mels (default: beside the manifest)")
    open_music.add_argument("--runs", type=Path, default=Path("runs/table1"), help="(%(default)s)")
    audio = tasks.add_parser("magnatagatune")
    audio.add_argument("root", type=Path, help="of MagnaTagATune, and of all that is made of it")
    audio.add_argument("options", nargs=argparse.REMAINDER, help="of recipes/run.py: --seeds 0 --no-download ...")
    for task in (open_music, audio):
        task.add_argument("--source", type=Path, metavar="FILE", help="tensors of MSD_musicnn, for transferred_musicnn")
        task.add_argument("--system", action="append", choices=SYSTEMS, help="only this; may be given several times")
    tasks.add_parser("labels").add_argument("labels", type=Path, metavar="DIR")
    tasks.add_parser("cost")
    tasks.add_parser("write")
    return parser.parse_args(argv)


def train_open(args: argparse.Namespace) -> int:
    """Trains, compares, bundles, writes; the first command that fails ends it with its own exit status."""
    for name in args.system or [name for name in SYSTEMS if name not in BY_NAME]:
        if not (args.runs / name / "checkpoint" / checkpoint.CARD).exists() and (status := run(distill(name, args))):
            return status
    trained = [name for name in SYSTEMS if (args.runs / name / "checkpoint" / checkpoint.CARD).exists()]
    report = args.runs / "agreement"
    if status := run(evaluate(trained, args, report)):
        return status
    agreement = json.loads((report / "report.json").read_text(encoding="utf-8"))
    for name, system in zip(trained, agreement["checkpoints"][len(OWN) :], strict=True):
        folder = args.runs / name / "checkpoint"
        if name not in BY_NAME and (folder / checkpoint.WEIGHTS).stat().st_size <= LARGEST:
            bundle(folder, f"{checkpoint.TABLE_1}/{name}", agreement, system=system)
    render_cards.main()
    write_page()
    return 0


def keep_labels(folder: Path) -> None:
    """Of each clip the mean over its windows, in float16: it moves a probability by .00025 at most."""
    for teacher in TEACHERS:
        labels = SoftLabels.read(folder / f"{teacher}.npz")
        clips = {
            key: replace(clip, windows=clip.windows.mean(0, keepdims=True).astype(np.float16))
            for key, clip in labels.clips.items()
        }
        replace(labels, clips=clips).write(LABELS / f"{teacher}.npz")


def magnatagatune(args: argparse.Namespace) -> list[str]:
    """The words for recipes/run.py: the paper's two networks and all others, or those that are named."""
    own = [] if args.system else [str(ROOT / "recipes" / f"{name}_magnatagatune.toml") for name in OWN]
    names = args.system or [name for name in SYSTEMS if name != "transferred_musicnn"]
    recipes = [str(RECIPES / f"{name}_magnatagatune.toml") for name in names]
    source = ["--set", f"start-from={args.source}"] if args.source else []
    return [*own, *recipes, "--root", str(args.root), *source, *args.options]


def run(command: list[str]) -> int:
    print("$ python -m msecnn", " ".join(command), flush=True)
    return msecnn(command)


def distill(name: str, args: argparse.Namespace) -> list[str]:
    """The command that trains one system."""
    cache = ["--cache", str(args.cache)] if args.cache else []
    source = ["--start-from", str(args.source)] if name == "transferred_musicnn" and args.source else []
    return [
        "distill", "--config", str(RECIPES / f"{name}_distilled.toml"), "--data", str(args.data),
        "--teacher", *TEACHERS, "--labels", str(args.labels), "--label-odds-factor", "1", *cache, *source,
        "--out", str(args.runs / name), "--threads", "1", "--resume",
    ]  # fmt: skip


def evaluate(trained: Sequence[str], args: argparse.Namespace, report: Path) -> list[str]:
    """The command that compares all that is trained, and the two networks of this program, with the teachers."""
    folders = [str(args.runs / name / "checkpoint") for name in trained]
    labels = [str(args.labels / f"{teacher}.npz") for teacher in TEACHERS]
    return [
        "evaluate",
        "msecnn",
        "fcn5",
        *folders,
        "--data",
        str(args.data),
        "--against",
        *labels,
        "--out",
        str(report),
    ]


# -- what a network costs ---------------------------------------------------------------------------------------------


def write_cost() -> None:
    """Parameters, multiply-adds and time of every network with random weights, which cost as much as trained ones."""
    torch.set_num_threads(1)
    names = [row.architecture for row in PAPER_TABLE_1] + list(LITERAL)
    models = {name: registry.create(name, **sizes_of(name)).eval() for name in names}
    seconds = interleaved({name: _tagging(model) for name, model in models.items()}, repeats=5)
    written = io.StringIO()
    rows = csv.writer(written, lineterminator="\n")
    rows.writerow(["architecture", "parameters", "multiply-adds a clip", "ms a clip", "machine"])
    for name, model in models.items():
        parameters = sum(parameter.numel() for parameter in model.parameters())
        milliseconds = 1000 * statistics.median(seconds[name])
        machine = f"{cpu_name()}, one thread, float32"
        rows.writerow([name, parameters, multiply_adds(model), f"{milliseconds:.0f}", machine])
    write_atomically(COST, written.getvalue().encode())


def sizes_of(name: str) -> dict[str, int]:
    """As the open column's recipe has them."""
    path = RECIPES / f"{name}_distilled.toml"
    if not path.exists():
        return {}
    import tomllib

    words = tomllib.loads(path.read_text(encoding="utf-8")).get("size", [])
    return {key: int(value) for key, _, value in (word.partition("=") for word in words)}


def _tagging(model: TaggingModule) -> Any:
    """Front end and network for all windows of one clip, from the waveform on."""
    spec = model.input_spec
    assert spec.front_end is not None
    front_end = LogMelSpectrogram(spec.front_end)
    waveforms = 0.1 * torch.randn(windows_of(model), 1, spec.window_samples, generator=torch.Generator().manual_seed(0))
    if isinstance(model, MultiScaleCNN):
        from msecnn.models.fast.folded import FoldedNetwork

        network: Any = FoldedNetwork(model)
    else:
        network = model

    @torch.inference_mode()
    def tag() -> None:
        for waveform in waveforms:
            network(front_end(waveform))

    return tag


def windows_of(model: TaggingModule) -> int:
    """How many windows the tagger shows a network of one clip."""
    window_s = model.input_spec.window_s
    return 1 + max(0, math.ceil((CLIP_S - window_s - LEFTOVER_S) / window_s))


def multiply_adds(model: TaggingModule) -> int:
    """Of all products of matrices and convolutions, for one clip; gain control, logarithms, maxima are not counted."""
    config = model.input_spec.front_end
    assert config is not None
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.zeros(1, 1, config.n_mels, config.n_frames))
    return counter.get_total_flops() // 2 * windows_of(model)


# -- the page ---------------------------------------------------------------------------------------------------------


def write_page() -> None:
    """docs/table1.md with its picture; what stands below "Findings" stays as it was written."""
    cards, costs = everything()
    (DOCUMENT.parent / "tables").mkdir(exist_ok=True)
    if dots := list(dots_of(cards, costs)):
        write_atomically(DOCUMENT.parent / PICTURE, as_svg(cost_figure(dots, axis=f"agreement: {ROC}")))
    findings = DOCUMENT.read_text(encoding="utf-8").partition(FINDINGS)[2] if DOCUMENT.exists() else "\n"
    write_atomically(DOCUMENT, (rendered(cards, costs) + findings).encode())


def everything() -> tuple[dict[str, Any], dict[str, dict[str, str]]]:
    """All cards, and what was measured of each network's cost, by architecture."""
    return {card["architecture"]: card for card in read_cards()}, {row["architecture"]: row for row in read_costs()}


def rendered(cards: dict[str, Any], costs: dict[str, dict[str, str]]) -> str:
    """The page up to the findings, from the cards and the measured costs."""
    literal = [PaperRow(title, float("nan"), None, "not in the paper", name, "") for name, title in LITERAL.items()]
    systems = (*PAPER_TABLE_1, *literal)
    rows = [our_line(row, cards.get(row.architecture), costs.get(row.architecture)) for row in systems]
    paper = Table("table1_paper", PAPER, [paper_line(row) for row in systems])
    about_paper, *about_ours = introduction(costs)
    drawn = any(dots_of(cards, costs))
    picture = f"![agreement with the teachers against multiply-adds]({PICTURE})" if drawn else ""
    report = Report(
        [
            TITLE,
            about_paper,
            paper,
            *about_ours,
            Table("table1", OURS, rows),
            picture,
            *order(cards),
            *training(cards),
            COMMANDS,
        ]
    )
    return f"{report.markdown()}\n\n{FINDINGS}"


TITLE = """# The ten systems of Table 1

For everybody who asks "better than what?". Written by `python recipes/table1.py write` from the checkpoints' cards and
from what `python recipes/table1.py cost` measured; what stands below "Findings" is written by hand."""
FINDINGS = "## Findings\n"
PAPER = ("system", "its name here", "paper, ROC / PR", "protocol of that figure", "known against it")
OURS = ("system", "agreement, ROC-AUC", "agreement, PR-AUC", "parameters", "million multiply-adds", "ms a clip")


COMMANDS = f"""**Commands.** A column is one command; a name in `--system` takes one row of it:

    python recipes/table1.py open data/corpus/manifest.jsonl [--system timbre_cnn]
    python recipes/table1.py magnatagatune /data/magnatagatune [--system timbre_cnn]

Checkpoints of up to {LARGEST / 1e6:g} MB lie in `checkpoints/table1` in the repository, not in a wheel. This puts two
side by side, and the page offers them all:

    python -m msecnn tag song.mp3 --model msecnn --model timbre_cnn

FCN-4 is left to a GPU: `--system fcn4`. `transferred_musicnn` needs one that learned from the Million Song Dataset:

    pip download --no-deps musicnn==0.1.0
    python -m msecnn distill --convert musicnn-0.1.0-py3-none-any.whl --out teachers
    python recipes/table1.py open MANIFEST --system transferred_musicnn \\
        --source teachers/MSD_musicnn.safetensors

Its checkpoint holds that network's weights (ISC licence), so it is not put into the repository.

What each recipe takes from its paper and what is a choice stands at its head, in `recipes/table1/`; where a system
leaves its paper, in its file in `msecnn/models/table1/` and in its card."""


def introduction(costs: dict[str, dict[str, str]]) -> Iterator[str]:
    yield (
        "**The paper's figures** are ROC-AUC and PR-AUC on MagnaTagATune, gathered from papers with different tags, "
        f"splits and filters. Of MsE-CNN's own row: {FITS_NEITHER}."
    )
    yield (
        "**Agreement** is none of these: it is how well a system ranks the recordings of the open corpus's test split "
        "by the mean probability of three networks that learned from MagnaTagATune, each tag's most probable tenth "
        "counting as true, with 95 % intervals by track. All systems but the first two learned from the same clips "
        "and labels, without augmentation; the first two also from more music, at three speeds, and from another "
        f"network's filters. No MagnaTagATune figure of ours stands here, because none was measured. “{NOT_TRAINED}” "
        "says that there is no checkpoint."
    )
    machines = {row["machine"] for row in costs.values()}
    if machines:
        yield (
            "**Multiply-adds and milliseconds** are for all windows of one clip of 29.12 s, front end included in the "
            f"time, decoding not, as the tagger runs it. Measured on {' and '.join(sorted(machines))}: compare "
            "rows, not with other machines."
        )


def paper_line(row: PaperRow) -> list[str]:
    """In the order of `PAPER`."""
    figures = f"{number(row.roc_auc, 3)} / {number(row.pr_auc, 3)}"
    return [row.system, f"`{row.architecture}`", figures, row.protocol, row.doubt]


def our_line(row: PaperRow, card: dict[str, Any] | None, cost: dict[str, str] | None) -> list[str]:
    """In the order of `OURS`."""
    measured = [
        f"{int(cost['parameters']):,}" if cost else "–",
        f"{int(cost['multiply-adds a clip']) / 1e6:,.1f}" if cost else "–",
        cost["ms a clip"] if cost else "–",
    ]
    return [row.system, agreement(card, ROC), agreement(card, PR), *measured]


def agreement(card: dict[str, Any] | None, figure: str) -> str:
    metric = metric_of(card, figure)
    if metric is None:
        return NOT_TRAINED
    low, high = metric["interval"]
    return f"{metric['value']:.3f} [{low:.3f} to {high:.3f}]"


def metric_of(card: dict[str, Any] | None, figure: str) -> dict[str, Any] | None:
    """What a card says of agreement on the test split; None where it was not measured."""
    metrics: Iterable[dict[str, Any]] = card.get("metrics", ()) if card else ()
    return next((metric for metric in metrics if metric["name"] == figure and "interval" in metric), None)


def training(cards: dict[str, dict[str, Any]]) -> Iterator[str | Table]:
    """How long each system was trained, from its card."""
    rows = []
    for name in SYSTEMS:
        run_of = cards.get(name, {}).get("run", {})
        if "n_epochs" in run_of:
            minutes = f"{run_of['train_s'] / 60:.1f}"
            config = run_of["config"]
            rows.append([name, str(config["epochs"]), str(run_of["n_epochs"]), str(run_of["best_epoch"]), minutes])
    if rows:
        yield (
            "**Budget.** Every system of the open column was trained until its validation loss had not fallen for as "
            "many epochs as its recipe says, or to the last epoch that it allows; an epoch is each clip once. Minutes "
            "are of gradient descent and validation on one thread, without mels and fitted stages."
        )
        yield Table("table1_budget", ["system", "epochs allowed", "epochs run", "best epoch", "minutes"], rows)


def order(cards: dict[str, dict[str, Any]]) -> Iterator[str]:
    """The open column's order beside the paper's, once there are enough systems for it to mean something."""
    rows = [(row, metric_of(cards.get(row.architecture), ROC)) for row in PAPER_TABLE_1 if row.architecture not in OWN]
    both = [(row.roc_auc, metric) for row, metric in rows if metric]
    if len(both) < LEAST_SYSTEMS:
        return
    paper = mean_ranks(np.array([value for value, _ in both]))
    ours = np.array([metric["value"] for _, metric in both])
    spread = np.array([(metric["interval"][1] - metric["interval"][0]) / 2 / 1.96 for _, metric in both])
    drawn = ours + spread * np.random.default_rng(0).standard_normal((N_DRAWS, len(ours)))
    correlations = [np.corrcoef(paper, mean_ranks(values))[0, 1] for values in (ours, *drawn)]
    low, high = np.quantile(correlations[1:], (0.025, 0.975))
    yield (
        f"**Order.** Among the {len(both)} systems that learned from the same clips, agreement ranks as the paper's "
        f"ROC-AUC does with a rank correlation of {correlations[0]:.2f} ({low:.2f} to {high:.2f}: 95 % of {N_DRAWS:,} "
        "draws of each system's figure from its own interval, as if they were independent; the paper's figures have "
        "no interval)."
    )


def dots_of(cards: dict[str, dict[str, Any]], costs: dict[str, dict[str, str]]) -> Iterator[Dot]:
    """The systems with both figures."""
    titles = {row.architecture: row.system for row in PAPER_TABLE_1} | LITERAL
    for name, title in titles.items():
        metric = metric_of(cards.get(name), ROC)
        if metric and name in costs:
            low, high = metric["interval"]
            yield Dot(title, float(costs[name]["multiply-adds a clip"]), metric["value"], (low, high))


def read_cards() -> Iterator[dict[str, Any]]:
    for name in (*checkpoint.bundled(), *checkpoint.of_table_1()):
        yield checkpoint.load(name).card


def read_costs() -> list[dict[str, str]]:
    return list(csv.DictReader(COST.open(encoding="utf-8"))) if COST.exists() else []


if __name__ == "__main__":
    sys.exit(main())
