"""Every figure of a GPU in one command: it tags, explains, trains, and checks that it computes what the CPU computes.

    python benchmarks/gpu.py [--device cuda] [--seconds 450] [--clips N] [--out gpu.json]

Prints one JSON object. A part that the time left does not suffice for is left out and named under "left_out", so that
the command ends within `--seconds` on any card, a part's own length aside. Parity comes first: it ends with 1 where the
device's logits are further from the CPU's than a checkpoint's self-test allows. `--device cpu` tries the program out.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measuring import cpu_name, write_mp3
from torch import Tensor
from training import EPOCH_CLIPS, gpu_bandwidth, measure_epoch, synthetic

from msecnn import checkpoint
from msecnn.checkpoint_network import SELFTEST_TOLERANCE
from msecnn.explain import METHODS
from msecnn.explain.explanation import explain
from msecnn.frontend import LogMelSpectrogram, MelConfig
from msecnn.models import registry
from msecnn.models.fast.folded import FoldedNetwork
from msecnn.models.fast.gradients import scale_gradients
from msecnn.tagger import Tagger, tag
from msecnn.training.augmentation import Augmentation
from msecnn.training.trainer import TrainConfig, train

#: Windows that go through the device together.
N_WINDOWS = 32
REPEATS = 5
SHORT_S, LONG_S = 30, 600  # recordings that are tagged from file to answer
#: Seconds that the rest must have left for a part to begin.
LEAST_S = {"parity": 0, "steps": 20, "recordings": 30, "explanations": 60, "training": 90}


def device_work(tagger: Tagger, frontend: LogMelSpectrogram, waveforms: Tensor) -> dict[str, Callable[[], Tensor]]:
    """What is timed of one network, each step on its own: all of it stays on the device.

    Args:
        frontend: on the device.
        waveforms: (B, T) there.
    """
    network = FoldedNetwork(tagger.model)
    sizes = [tagger.model.n_features[scale] for scale in tagger.model.scales]
    of_scales = tagger.model.classifier.weight[0].detach().split(sizes)  # of the first tag, (C,) each
    weights = dict(zip(tagger.model.scales, of_scales, strict=True))
    mel = frontend(waveforms)  # (B, 1, F, L)
    return {
        "front end": lambda: frontend(waveforms),
        "network": lambda: tagger.runtime.run_tensors(mel)[0],
        "gradients": lambda: scale_gradients(network, mel[:1], weights),
    }


def seconds(function: Callable[[], object], device: torch.device) -> float:
    """Median seconds of a call, after one that warms up."""
    taken = []
    for number in range(REPEATS + 1):
        start = time.perf_counter()
        function()
        if device.type == "cuda":
            torch.cuda.synchronize()
        if number:
            taken.append(time.perf_counter() - start)
    return statistics.median(taken)


# ---- parts
def parity(device: torch.device) -> dict[str, Any]:
    """How far the device is from the CPU: logits, maps, and a network after two epochs of the same training."""
    rng = np.random.default_rng(0)
    waveform = (0.1 * rng.normal(size=MelConfig().window_samples)).astype(np.float32)
    result: dict[str, Any] = {}
    for name in checkpoint.bundled():
        both = [Tagger.from_checkpoint(name, device=kind) for kind in ("cpu", device)]
        cpu, there = (tagger.tag((waveform, MelConfig().sample_rate)) for tagger in both)
        maps = [explain(tagger, cpu, method="gradient").maps.maps for tagger in both]
        result[name] = {
            "logits": float(np.abs(cpu.window_logits - there.window_logits).max()),
            "gradient_maps": float(np.abs(maps[0] - maps[1]).max() / np.abs(maps[0]).max()),
        }
    losses = [_losses(kind) for kind in (torch.device("cpu"), device)]
    result["training_loss"] = float(np.abs(losses[0] - losses[1]).max())
    result["passes"] = all(result[name]["logits"] <= SELFTEST_TOLERANCE for name in checkpoint.bundled())
    return result


def _losses(device: torch.device) -> np.ndarray:
    """Training losses of two epochs of eight clips in float32, nothing left to chance."""
    torch.manual_seed(0)
    model = registry.create("fcn5", 50, order="pool_first")
    plain = Augmentation(loop=0, gain_db=0, frequency_mask=0, time_mask=0, mix=0)
    config = TrainConfig(epochs=2, batch_size=4, precision="float32", augmentation=plain)
    history = train(model, synthetic(8), config, device=device, progress=False)
    return np.array([epoch["train_loss"] for epoch in history.epochs])


def steps(device: torch.device) -> dict[str, Any]:
    """Windows a second through front end and network, and a window's exact gradients."""
    result: dict[str, Any] = {}
    frontend = LogMelSpectrogram(MelConfig()).to(device)
    waveforms = 0.1 * torch.randn(N_WINDOWS, MelConfig().window_samples, generator=torch.Generator().manual_seed(0))
    for name in checkpoint.bundled():
        work = device_work(Tagger.from_checkpoint(name, device=device), frontend, waveforms.to(device))
        taken = {step: seconds(function, device) for step, function in work.items()}
        result[name] = {
            "windows_per_s": N_WINDOWS / (taken["front end"] + taken["network"]),
            "milliseconds": {step: 1000 * value for step, value in taken.items()},
        }
    return result


def recordings(device: torch.device) -> dict[str, Any]:
    """From an MP3 to all tags of both networks."""
    taggers = [Tagger.from_checkpoint(name, device=device) for name in checkpoint.bundled()]
    with tempfile.TemporaryDirectory() as folder:
        path, result = Path(folder) / "made_up.mp3", {}
        for duration_s in (SHORT_S, LONG_S):
            write_mp3(path, duration_s)
            result[f"{duration_s} s"] = seconds(lambda: tag(path, taggers, keep_mel=False), device)
    return result


def explanations(device: torch.device) -> dict[str, Any]:
    """Seconds of a map of each scale, by method, MsE-CNN."""
    tagger = Tagger.from_checkpoint("msecnn", device=device)
    noise = 0.1 * np.random.default_rng(0).normal(size=MelConfig().window_samples)
    prediction = tagger.tag((noise.astype(np.float32), MelConfig().sample_rate))
    result = {}
    for method in METHODS:
        start = time.perf_counter()
        explain(tagger, prediction, method=method).maps  # noqa: B018  # computed when asked for
        result[method] = time.perf_counter() - start
    return result


def training(device: torch.device, n_clips: int) -> dict[str, Any]:
    """An epoch of made-up clips, by default as many as MagnaTagATune has."""
    result = measure_epoch(device, n_clips)
    if device.type == "cuda":
        bandwidth = gpu_bandwidth()
        result |= {"bandwidth_gb_per_s": bandwidth / 1e9, "peak_mb": torch.cuda.max_memory_allocated() / 2**20}
        result["share_of_bandwidth"] = result["bytes_per_s"] / bandwidth
    return result


# ---- all of it
def measure(device: torch.device, budget_s: float, n_clips: int) -> dict[str, Any]:
    """All parts that the time suffices for."""
    begun = time.monotonic()
    parts: Mapping[str, Callable[[], dict[str, Any]]] = {
        "parity": lambda: parity(device),
        "steps": lambda: steps(device),
        "recordings": lambda: recordings(device),
        "explanations": lambda: explanations(device),
        "training": lambda: training(device, n_clips),
    }
    result: dict[str, Any] = {"device": describe(device), "torch": torch.__version__, "left_out": []}
    for name, part in parts.items():
        if begun + budget_s - time.monotonic() < LEAST_S[name]:
            result["left_out"].append(name)
            continue
        result[name] = part()
    return result | {"seconds": time.monotonic() - begun}


def describe(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else cpu_name()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda", help="(%(default)s)")
    parser.add_argument("--seconds", type=float, default=450, metavar="S", help="begin nothing new after (%(default)s)")
    parser.add_argument("--clips", type=int, default=EPOCH_CLIPS, metavar="N", help="of an epoch (%(default)s)")
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="write the object there too")
    args = parser.parse_args()
    device = torch.device(args.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        parser.error("this machine has no GPU that torch could use")
    result = measure(device, args.seconds, args.clips)
    text = json.dumps({"gpu": result}, indent=2)
    print(text)
    if args.out:
        args.out.write_text(text + "\n", encoding="utf-8")
    return 0 if result.get("parity", {}).get("passes", True) else 1


if __name__ == "__main__":
    raise SystemExit(main())
