"""ONNX Runtime against torch: the same tags over a corpus's test split, and which of them is faster, in one run.

    python benchmarks/runtimes.py [--corpus FOLDER] [--clips N] [--json] [--write docs/performance.md]

Tags are compared on every clip of the split, by both networks. Speed: parts of one window on one thread, in turns;
then files a minute of both networks, all cores, rounds in turns, workers started and warm before the clock is.
"""

import argparse
import csv
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measuring import cpu_name, interleaved, replace_section
from tqdm import tqdm

from msecnn import checkpoint
from msecnn.audio import read_recording
from msecnn.library.tagging_job import TaggingJob
from msecnn.library.workers import n_cores, tag_in_workers
from msecnn.tagger import Tagger, tag

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "corpus"
RUNTIMES = ("onnx", "torch")
#: Clips, spread over the split, that are timed as a library.
N_LIBRARY = 60


def test_clips(corpus: Path) -> list[Path]:
    with open(corpus / "clips.tsv", encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [corpus / "clips" / row["clip"] for row in rows if row["split"] == "test"]


def compare(taggers: list[Tagger], clips: list[Path]) -> dict[str, float]:
    """Taggers in pairs of one network: the largest difference in probability, and how often the top five agree."""
    differences, same = [], []
    for clip in tqdm(clips, unit="clip", disable=None):
        predictions = tag(clip, taggers, keep_mel=False)
        for by_onnx, by_torch in zip(predictions[::2], predictions[1::2], strict=True):
            differences.append(np.abs(by_onnx.probabilities - by_torch.probabilities).max())
            same.append([name for name, _ in by_onnx.top(5)] == [name for name, _ in by_torch.top(5)])
    return {"n": len(same), "largest_difference": float(max(differences)), "same_top_five": float(np.mean(same))}


def one_window(taggers: dict[tuple[str, str], Tagger], clip: Path, repeats: int) -> dict[str, dict[str, float]]:
    """Milliseconds of each part by each runtime."""
    window = read_recording(clip, duration_s=29.12).waveform
    windows = np.resize(window, taggers["msecnn", "onnx"].input_spec.window_samples)[None]
    functions: dict[tuple[str, str], Callable[[], Any]] = {}
    for (name, runtime), tagger in taggers.items():
        inputs = tagger.runtime.prepare(windows)
        functions["mel", runtime] = lambda r=tagger.runtime: r.prepare(windows)
        functions[name, runtime] = lambda r=tagger.runtime, x=inputs: r.run(x)
    medians = {key: 1e3 * float(np.median(seconds)) for key, seconds in interleaved(functions, repeats).items()}
    return {
        part: {runtime: medians[part, runtime] for runtime in RUNTIMES} for part in dict.fromkeys(p for p, _ in medians)
    }


def library(clips: list[Path], models: tuple[str, ...], rounds: int) -> dict[str, float]:
    """Files a minute by each runtime on all cores."""
    rates: dict[str, list[float]] = {runtime: [] for runtime in RUNTIMES}
    for i in range(rounds):
        for runtime in RUNTIMES:
            job = TaggingJob(models, device="cpu", runtime=runtime)
            n_warm = 4 * n_cores()
            files = [str(clip) for clip in [*clips[:n_warm], *clips[i::rounds]]]
            for n, _ in enumerate(tag_in_workers(files, job, jobs=n_cores()), 1):
                if n == n_warm:
                    start = time.perf_counter()
            rates[runtime].append(60 * (len(files) - n_warm) / (time.perf_counter() - start))
    return {runtime: float(np.median(of)) for runtime, of in rates.items()}


def table(result: dict[str, Any]) -> str:
    parity, rates = result["parity"], result["files_per_minute"]
    lines = [
        f"Measured by `python benchmarks/runtimes.py` on {result['cpu']}, torch {result['torch']}; medians of "
        f"{result['repeats']} runs in turns, one thread; the library on all cores.",
        "",
        "| | ONNX Runtime | torch | ONNX Runtime, times as fast |",
        "|---|--:|--:|--:|",
    ]
    for part, row in result["one_window_ms"].items():
        lines.append(
            f"| {part}, one window | {row['onnx']:.1f} ms | {row['torch']:.1f} ms | {row['torch'] / row['onnx']:.2f} |"
        )
    ratio = rates["onnx"] / rates["torch"]
    lines.append(f"| library, files a minute | {rates['onnx']:,.0f} | {rates['torch']:,.0f} | {ratio:.2f} |")
    lines += [
        "",
        f"The same tags: of {parity['n']:,} answers of both networks to the corpus's test split "
        f"{parity['same_top_five']:.1%} have the same five first tags in the same order; the largest difference of a "
        f"probability is {parity['largest_difference']:.1e}.",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, default=CORPUS, metavar="FOLDER", help="clips.tsv and clips/")
    parser.add_argument("--clips", type=int, metavar="N", help="compare the first N only")
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--rounds", type=int, default=3, help="over all cores (default: 3)")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table into its section of this file")
    args = parser.parse_args()
    if not (args.corpus / "clips.tsv").is_file():
        raise SystemExit(f"The corpus ({args.corpus}) is missing: name its folder.")
    clips = test_clips(args.corpus)[: args.clips]
    models = checkpoint.bundled()
    loaded = {name: checkpoint.load(name) for name in models}
    pairs = {
        (name, runtime): Tagger(loaded[name], device="cpu", runtime=runtime, n_threads=1)
        for name in models
        for runtime in RUNTIMES
    }
    result = {
        "cpu": cpu_name(),
        "torch": torch.__version__,
        "repeats": args.repeats,
        "one_window_ms": one_window(pairs, clips[0], args.repeats),
        "files_per_minute": library(clips[:: max(1, len(clips) // N_LIBRARY)], models, args.rounds),
        "parity": compare(list(pairs.values()), clips),
    }
    if args.write:
        replace_section(args.write, "runtimes", table(result))
    print(json.dumps(result, indent=2) if args.json else table(result))


if __name__ == "__main__":
    main()
