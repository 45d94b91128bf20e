"""How much faster, and in how much less memory, our training step runs than the plain loop; on a GPU a whole epoch.

    python benchmarks/training.py [--json] [--rounds N] [--write docs/performance.md]

The peer is the loop that one would write first: the network as drawn (conv, BatchNorm, ELU, pool), eager float32,
default memory layout and allocator, AdamW. Ours is a step of the trainer with everything that belongs to it:
augmentation, averaged weights, clipped gradients. Each runs in a process of its own on one core, step by step in turns.
Time is the process's own CPU time, so other work on the machine counts little; memory is the peak that training adds.
"""

import argparse
import json
import multiprocessing
import resource
import statistics
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from measuring import cpu_name, replace_section

from msecnn.models import registry
from msecnn.training.augmentation import draw
from msecnn.training.data import TrainingData
from msecnn.training.distributed import Processes
from msecnn.training.settings import TrainConfig
from msecnn.training.trainer import Trainer, train

MODELS = ("fcn5", "msecnn")
BATCH_SIZE = 16
#: Clips of MagnaTagATune's training split.
EPOCH_CLIPS = 18_706
GPU_BATCH_SIZE = 64


def synthetic(n: int) -> TrainingData:
    """Noise at the level of music; a step takes as long whatever the sound."""
    rng = np.random.default_rng(0)
    mels = rng.normal(-40, 15, (n, 96, 1366)).astype(np.float16)
    return TrainingData(mels, rng.random((n, 50)).astype(np.float32), np.arange(n), np.arange(0))


def plain_loop(name: str) -> Any:
    """The peer's step, as a function of the step's number."""
    data = synthetic(2 * BATCH_SIZE)
    model = registry.create(name, 50).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    targets = torch.from_numpy(data.targets[:BATCH_SIZE])

    def step(number: int) -> None:
        mels = torch.from_numpy(data.mels[:BATCH_SIZE]).float().unsqueeze(1)
        optimizer.zero_grad()
        F.binary_cross_entropy_with_logits(model(mels), targets).backward()
        optimizer.step()

    return step


def our_loop(name: str) -> Any:
    """The trainer's step."""
    data = synthetic(2 * BATCH_SIZE)
    model = registry.create(name, 50, order="pool_first").train()
    config = TrainConfig(epochs=1000, batch_size=BATCH_SIZE)
    trainer = Trainer(model, data, config, group=Processes(0, 1, torch.device("cpu")), folder=None)
    draws = draw(config.augmentation, len(data.train), n_bands=96, source_frames=1366, n_frames=1366, seed=0, epoch=0)
    return lambda number: trainer._step(np.arange(BATCH_SIZE), draws, number)


def work(connection: Connection, side: str, name: str) -> None:
    """A process: a step for each request, answered with its CPU seconds and the peak memory that training has added."""
    torch.set_num_threads(1)
    step = {"peer": plain_loop, "ours": our_loop}[side](name)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    while (number := connection.recv()) is not None:
        start = time.process_time()
        step(number)
        seconds = time.process_time() - start
        connection.send((seconds, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024))


def measure(n_rounds: int) -> dict[str, Any]:
    """Medians over the rounds after a first one that warms up; ratios are the peer's over ours."""
    context = multiprocessing.get_context("spawn")
    connections = {}
    for side in ("peer", "ours"):
        for name in MODELS:
            connections[side, name], theirs = context.Pipe()
            context.Process(target=work, args=(theirs, side, name), daemon=True).start()
    seconds: dict[tuple[str, str], list[float]] = {key: [] for key in connections}
    megabytes: dict[tuple[str, str], float] = {}
    for number in range(n_rounds + 1):
        for key, connection in connections.items():
            connection.send(number)
            taken, megabytes[key] = connection.recv()
            if number:
                seconds[key].append(taken)
    for connection in connections.values():
        connection.send(None)
    median = {key: statistics.median(values) for key, values in seconds.items()}
    return {
        "hardware": cpu_name(),
        "torch": torch.__version__,
        "batch_size": BATCH_SIZE,
        "n_rounds": n_rounds,
        "clips_per_core_second": {f"{side} {name}": BATCH_SIZE / median[side, name] for side, name in median},
        "training_peak_mb": {f"{side} {name}": megabytes[side, name] for side, name in megabytes},
        "ratios": {f"{name}_step": median["peer", name] / median["ours", name] for name in MODELS}
        | {"msecnn_memory": megabytes["peer", "msecnn"] / megabytes["ours", "msecnn"]},
    }


def measure_gpu() -> dict[str, Any]:
    """A synthetic epoch of MagnaTagATune's size, and the share of the memory's bandwidth that it reaches."""
    epoch = measure_epoch(torch.device("cuda"), EPOCH_CLIPS)
    bandwidth = gpu_bandwidth()
    return {
        "device": torch.cuda.get_device_name(),
        **epoch,
        "peak_mb": torch.cuda.max_memory_allocated() / 2**20,
        "bandwidth_gb_per_s": bandwidth / 1e9,
        "share_of_bandwidth": epoch["bytes_per_s"] / bandwidth,
    }


def measure_epoch(device: torch.device, n_clips: int) -> dict[str, float]:
    """The faster of two synthetic epochs after one that warms up, and the memory traffic that it makes.

    The traffic is counted from the network's shape: each level's convolution is written, and read by pooling, forward;
    the same backward; what is pooled passes five more times each way. What the caches spare is not taken off.
    """
    data = synthetic(min(1024, n_clips))
    rows = np.arange(n_clips) % len(data.mels)
    mels = torch.from_numpy(data.mels).to(device)[torch.from_numpy(rows).to(device)]
    data = TrainingData(mels, data.targets[rows], np.arange(n_clips), np.arange(0))
    model = registry.create("msecnn", 50, order="pool_first")
    config = TrainConfig(epochs=3, batch_size=min(GPU_BATCH_SIZE, n_clips))
    history = train(model, data, config, device=device, progress=False)
    epoch_s = min(epoch["train_s"] for epoch in history.epochs[1:])
    cells, shape = 0, (96, 1366)
    for level in model.levels:
        pooled = tuple(size // pool for size, pool in zip(shape, level.pool.kernel_size, strict=True))
        cells += level.conv.out_channels * (4 * shape[0] * shape[1] + 10 * pooled[0] * pooled[1])
        shape = pooled
    return {"epoch_s": epoch_s, "clips_per_s": n_clips / epoch_s, "bytes_per_s": 2 * cells * n_clips / epoch_s}


def gpu_bandwidth() -> float:
    """Bytes a second that a plain copy reads and writes."""
    source = torch.empty(2**30, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    target.copy_(source)
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(10):
        target.copy_(source)
    torch.cuda.synchronize()
    return 10 * 2 * source.numel() / (time.perf_counter() - start)


def table(result: dict[str, Any]) -> str:
    """Markdown."""
    lines = ["| one training step, batch of 16 | plain loop | ours | ratio |", "|---|--:|--:|--:|"]
    speed, memory, ratios = result["clips_per_core_second"], result["training_peak_mb"], result["ratios"]
    for name in MODELS:
        pair = f"{speed[f'peer {name}']:.1f} | {speed[f'ours {name}']:.1f}"
        lines.append(f"| {name}, clips per core-second | {pair} | {ratios[f'{name}_step']:.1f} |")
    pair = f"{memory['peer msecnn']:.0f} | {memory['ours msecnn']:.0f}"
    lines.append(f"| msecnn, MB that training adds at its peak | {pair} | {ratios['msecnn_memory']:.1f} |")
    lines.append(f"\n{result['hardware']}; one thread, median of {result['n_rounds']} rounds in turns.")
    if gpu := result.get("gpu"):
        lines.append(
            f"{gpu['device']}: a synthetic epoch of {EPOCH_CLIPS:,} clips in {gpu['epoch_s']:.1f} s, at "
            f"{gpu['share_of_bandwidth']:.0%} of the memory bandwidth that a copy reaches."
        )
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="(%(default)s)")
    parser.add_argument("--write", type=str, metavar="FILE.md", help="put the table between its `training-speed` marks")
    args = parser.parse_args()
    result = measure(args.rounds)
    if torch.cuda.is_available():
        result["gpu"] = measure_gpu()
    print(json.dumps(result, indent=2) if args.json else table(result))
    if args.write:
        replace_section(Path(args.write), "training-speed", table(result))
