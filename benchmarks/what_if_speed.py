"""What what-if questions cost: an edit of a window of music to both networks' tags, and a curve of nine points.

    python benchmarks/what_if_speed.py [--repeats 3] [--json]

Processor seconds on one thread, which a busy machine changes less than the clock; beside them how many times a mere
tagging of the window by both networks they take. Each question tags the window before and after.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from measuring import cpu_name

from msecnn.audio import read_recording
from msecnn.checkpoint import bundled
from msecnn.tagger import Tagger, tag
from msecnn.what_if import parse_chain, what_if
from msecnn.what_if.notation import parse_curve

MUSIC = Path(__file__).resolve().parents[1] / "assets" / "examples" / "piano.mp3"
QUESTIONS = ("remove=3.2:4.0,200:800", "pitch=1", "harmonic", "percussive", "speed=1.06", "codec=32", "telephone")
CURVE = "level=-40:0:9"


def measured(functions: dict[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """Median processor seconds of each, called in turn; a first round warms up."""
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for i in range(repeats + 1):
        for name, function in functions.items():
            start = time.process_time()
            function()
            if i:
                seconds[name].append(time.process_time() - start)
    return {name: float(np.median(values)) for name, values in seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    taggers = [Tagger.from_checkpoint(name) for name in bundled()]
    sound = read_recording(MUSIC)
    answer, (edit, strengths) = what_if(taggers, sound, []), parse_curve(CURVE)
    functions: dict[str, Callable[[], Any]] = {"tags only": lambda: tag(sound, taggers)}
    functions |= {text: lambda text=text: what_if(taggers, sound, parse_chain([text])) for text in QUESTIONS}
    functions[f"curve {CURVE}"] = lambda: answer.response(edit, strengths)
    seconds = measured(functions, args.repeats)
    if args.json:
        print(json.dumps(seconds, indent=2))
        return
    print(f"{cpu_name()}; one thread.\n\n| question | processor seconds | times tagging |\n|---|--:|--:|")
    for name, value in seconds.items():
        print(f"| `{name}` | {value:.2f} | {value / seconds['tags only']:.1f} |")


if __name__ == "__main__":
    main()
