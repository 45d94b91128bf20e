"""What explanations cost: six per-scale maps against one Captum call, time and memory of each method, ablations.

    python benchmarks/explanations.py [--json] [--write docs/explanations.md] [--quote docs/performance.md]

One thread, one window, MsE-CNN. The peer is one call of Captum's Saliency on the literal network, which gives one map;
ours gives six and checks their sum. Ratios are our median time over the peer's, interleaved in one run. Memory is what
a fresh process's peak grows by while the method runs. Shapley values of maxima are also timed against integrated
gradients, the other method whose maps add up, call by call in turn, for both networks. Takes three minutes or so.
"""

import argparse
import json
import multiprocessing
import re
import time
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import captum.attr
import numpy as np
import torch
from measuring import cpu_name, interleaved, replace_section
from torch import nn

from msecnn import checkpoint
from msecnn.explain import DEFAULT_BASELINE, METHODS
from msecnn.explain.contributions import ablate, contributions
from msecnn.explain.saliency import SaliencyMaps, saliency

TAG = 0
N_SUBSETS = 64


def made_up_mel() -> np.ndarray:
    """Noise at music's level and spread in dB."""
    return np.random.default_rng(0).normal(-50, 15, (96, 1366)).astype(np.float32)


def time_methods(repeats: int) -> dict[str, float]:
    """Each method's time for six maps, over that of Captum's one."""
    model, mel = checkpoint.load("msecnn").model, made_up_mel()
    x = torch.from_numpy(mel)[None, None].requires_grad_()
    peer = captum.attr.Saliency(model)
    fast = {
        "captum": lambda: peer.attribute(x, target=TAG, abs=False),
        "gradient": lambda: saliency(model, mel, TAG, method="gradient"),
        "gradient_x_input": lambda: saliency(model, mel, TAG, method="gradient_x_input"),
        "grad_cam": lambda: saliency(model, mel, TAG, method="grad_cam"),
    }
    seconds = {name: median(times) for name, times in interleaved(fast, repeats).items()}
    for method in sorted(set(METHODS) - set(fast)):
        slow = {"captum": fast["captum"], method: lambda method=method: saliency(model, mel, TAG, method=method)}
        times = interleaved(slow, 1)
        seconds[method] = seconds["captum"] * times[method][0] / times["captum"][0]
    return {method: seconds[method] / seconds["captum"] for method in METHODS}


def shapley_over_integrated_gradients(repeats: int) -> dict[str, float]:
    """For each bundled network, the time of Shapley's maps over that of integrated gradients' with their 16 steps."""
    mel, ratios = made_up_mel(), {}
    for name in checkpoint.bundled():
        model = checkpoint.load(name).model

        def explain(method: str, model: nn.Module = model) -> SaliencyMaps:
            return saliency(model, mel, TAG, method=method, baseline=DEFAULT_BASELINE)

        methods = ("shapley", "integrated_gradients")
        times = interleaved({method: partial(explain, method) for method in methods}, repeats)
        ratios[name] = median(times["shapley"]) / median(times["integrated_gradients"])
    return ratios


def ablations_a_second() -> float:
    """Subsets of scales whose 50 probabilities are computed in a second, one window."""
    loaded, mel = checkpoint.load("msecnn"), torch.from_numpy(made_up_mel())[None, None]
    with torch.no_grad():
        split = contributions(loaded.model, loaded.model.features(mel), mean_features=loaded.mean_features)
    subsets = np.array([[bool(i >> s & 1) for s in range(len(split.scales))] for i in range(N_SUBSETS)])
    start, rounds = time.perf_counter(), 200
    for _ in range(rounds):
        for keep in subsets:  # one by one, as switches are flipped on a page
            ablate(split, keep)
    return rounds * N_SUBSETS / (time.perf_counter() - start)


def grown_by_mb(method: str) -> float:
    """Peak memory of this process after a method, less that before; run in a fresh process."""
    torch.set_num_threads(1)
    model, mel = checkpoint.load("msecnn").model, made_up_mel()
    before = _peak_mb()
    saliency(model, mel, TAG, method=method)
    return _peak_mb() - before


def _peak_mb() -> float:
    """From Linux, and not from `getrusage`: there a new process starts with the peak of the one that started it."""
    found = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    if found is None:
        raise SystemExit("/proc/self/status tells no VmHWM: peak memory is only measured on Linux")
    return int(found[1]) / 1024


def peak_memory() -> dict[str, float]:
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        return dict(zip(METHODS, pool.map(grown_by_mb, METHODS, chunksize=1), strict=True))


def as_markdown(result: dict[str, Any]) -> str:
    rows = [f"| {method} | {result['ratios'][method]:.1f} | {result['peak_mb'][method]:.0f} MB |" for method in METHODS]
    return "\n".join(
        [
            "| six maps by | time over one Captum Saliency call | memory beyond the loaded program's |",
            "|---|--:|--:|",
            *rows,
            "",
            f"Shapley values of maxima take {_as_text(result['shapley_over_integrated_gradients'])} of the time of "
            "integrated gradients with 16 steps, in turn with them.",
            "",
            f"Ablation: {result['ablations_a_second']:,.0f} subsets of scales a second, all 50 tags. One thread of "
            f"{result['cpu']}; torch {result['torch']}; by `python benchmarks/explanations.py`.",
        ]
    )


def _as_text(ratios: dict[str, float]) -> str:
    return " and ".join(f"{ratio:.2f} ({name})" for name, ratio in ratios.items())


def as_sentence(result: dict[str, Any]) -> str:
    ratio, ablations = result["ratios"]["gradient"], result["ablations_a_second"]
    return (
        f"Measured by `python benchmarks/explanations.py` on {result['cpu']}, one thread: six gradient maps of "
        f"MsE-CNN, one a scale, take {ratio:.1f} times as long as one call of Captum's Saliency, which gives one map; "
        f"scales are switched off {ablations:,.0f} times a second."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table into this Markdown file")
    parser.add_argument("--quote", type=Path, metavar="FILE", help="put its key figures into this one, in a sentence")
    args = parser.parse_args()
    torch.set_num_threads(1)
    result = {
        "ratios": time_methods(args.repeats),
        "peak_mb": peak_memory(),
        "shapley_over_integrated_gradients": shapley_over_integrated_gradients(args.repeats),
        "ablations_a_second": ablations_a_second(),
        "cpu": cpu_name(),
        "torch": torch.__version__,
    }
    if args.write:
        replace_section(args.write, "explanations", as_markdown(result))
    if args.quote:
        replace_section(args.quote, "explanations", as_sentence(result))
    print(json.dumps(result, indent=2) if args.json else as_markdown(result))


if __name__ == "__main__":
    main()
