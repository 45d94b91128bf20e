"""What the benchmarks share: interleaved timing, made-up files, and tables put where documents quote them."""

import os
import platform
import re
import time
from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import av
import numpy as np

Key = TypeVar("Key", bound=Hashable)


def interleaved(functions: Mapping[Key, Callable[[], Any]], repeats: int) -> dict[Key, list[float]]:
    """Seconds of each call: one round after another, each round calling every function once.

    The machines are noisy; interleaved, a slow moment falls on all alike. A first round, not counted, warms up.
    """
    seconds: dict[Key, list[float]] = {name: [] for name in functions}
    for i in range(repeats + 1):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            if i:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def cpu_name() -> str:
    """The processor's name and the number of cores in use."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists() and (found := re.search(r"model name\s*:\s*(.+)", cpuinfo.read_text())):
        name = found[1]
    return f"{name}, {len(os.sched_getaffinity(0))} cores"


def write_mp3(path: Path, duration_s: float, sample_rate: int = 44_100) -> None:
    """A stereo MP3 at 128 kbit/s of chords over noise."""
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mp3", rate=sample_rate, layout="stereo")
        stream.bit_rate = 128_000
        for second in range(int(np.ceil(duration_s))):
            n_samples = min(sample_rate, round((duration_s - second) * sample_rate))
            t = np.arange(n_samples) / sample_rate
            chord = sum(np.sin(2 * np.pi * hz * t) for hz in rng.choice([110, 165, 220, 330, 440, 880], 3)) / 8
            block = np.stack([chord, chord]) + 0.02 * rng.standard_normal((2, n_samples))
            frame = av.AudioFrame.from_ndarray(block.astype(np.float32), format="fltp", layout="stereo")
            frame.sample_rate = sample_rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def replace_section(path: Path, name: str, text: str) -> None:
    """Puts text between the marks `<!-- name -->` and `<!-- /name -->` of a Markdown file."""
    content = path.read_text(encoding="utf-8")
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    if start not in content or end not in content:
        raise SystemExit(f"{path} has no section {start} … {end}")
    before, after = content[: content.index(start) + len(start)], content[content.index(end) :]
    path.write_text(f"{before}\n{text}\n{after}", encoding="utf-8")
