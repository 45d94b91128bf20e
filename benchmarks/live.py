"""Live tags: how long from a sound to its bars, and what memory and processor they take while they run.

    python benchmarks/live.py [--minutes 10] [--json]

Chromium's made-up microphone plays a bundled example to a page on this machine. Latency is from the first sample of a
piece as the browser hands it over to the frame in which its bars are drawn; so it holds a whole piece, a quarter of a
second. Beside it the processor seconds of the networks alone, on one thread, which a busy machine changes less.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measuring import cpu_name
from playwright.sync_api import sync_playwright

from msecnn.audio import read_recording, write_wav
from msecnn.checkpoint import bundled
from msecnn.live import LiveTagger
from msecnn.tagger import Tagger, tag

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from running_page import RunningPage  # noqa: E402

MUSIC = ROOT / "assets" / "examples" / "piano.mp3"
PIECE_S = 0.25
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
HEAP = "performance.memory ? performance.memory.usedJSHeapSize / 2 ** 20 : 0"


def processor_seconds() -> dict[str, float]:
    """Median of a piece before the window is full and after, and of tagging the same seconds anew."""
    torch.set_num_threads(1)
    taggers = [Tagger.from_checkpoint(name, device="cpu") for name in bundled()]
    sound = read_recording(MUSIC).waveform
    sound = np.concatenate([sound, sound[::-1]])
    live, rate = LiveTagger(taggers), 12_000
    piece, seconds = round(PIECE_S * rate), []
    for start in range(0, len(sound) - piece, piece):
        live.add(sound[start : start + piece])
        begun = time.process_time()
        live.answer()
        seconds.append(time.process_time() - begun)
    begun = time.process_time()
    for _ in range(5):
        tag((sound[: live.longest], rate), taggers, keep_mel=False)
    n_filling = live.longest // piece
    return {
        "filling_s": float(np.median(seconds[:n_filling])),
        "full_s": float(np.median(seconds[n_filling:])),
        "full_mean_s": float(np.mean(seconds[n_filling:])),
        "anew_s": (time.process_time() - begun) / 5,
        "held_mb": live.n_bytes / 1e6,
    }


def watched(minutes: float) -> dict[str, Any]:
    """Latencies, memory of server and page, while a browser listens."""
    with tempfile.TemporaryDirectory() as folder:
        microphone = Path(folder) / "microphone.wav"
        write_wav(microphone, read_recording(MUSIC, sample_rate=48_000).waveform, 48_000)
        arguments = [*ARGUMENTS, "--enable-precise-memory-info", f"--use-file-for-fake-audio-capture={microphone}"]
        with RunningPage() as running, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
            page = browser.new_page()
            page.goto(running.address + "?example=piano&tab=live")
            page.get_by_role("button", name="Start listening").click()
            page.wait_for_function("msecnn.live.latencies.length > 8", timeout=60_000)
            latencies: list[float] = []
            memory = [(running.memory_mb(), page.evaluate(HEAP))]
            until = time.monotonic() + 60 * minutes
            while time.monotonic() < until:
                page.wait_for_timeout(min(20_000.0, max(1_000.0, 1_000 * (until - time.monotonic()))))
                latencies += page.evaluate("msecnn.live.latencies.splice(0)")
                memory.append((running.memory_mb(), page.evaluate(HEAP)))
            browser.close()
    return {
        "n_updates": len(latencies),
        "minutes": minutes,
        "latency_ms": np.quantile(latencies, (0.5, 0.95)).round().tolist(),
        "server_mb": [round(memory[i][0]) for i in (0, len(memory) // 2, -1)],
        "page_heap_mb": [round(memory[i][1]) for i in (0, len(memory) // 2, -1)],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="that a browser listens (default: 10)")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    told = processor_seconds() | watched(args.minutes)
    if args.json:
        print(json.dumps(told, indent=2))
        return
    print(f"{cpu_name()}\n\n| measured | value |\n|---|--:|")
    for name, value in told.items():
        shown = ", ".join(f"{part:g}" for part in value) if isinstance(value, list) else f"{value:.3g}"
        print(f"| `{name}` | {shown} |")


if __name__ == "__main__":
    main()
