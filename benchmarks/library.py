"""Files per minute over a folder of clips: both our models together against musicnn's VGG and Musicnn, in one run.

    python benchmarks/library.py --teachers FOLDER --clips FOLDER [--files N] [--json] [--write docs/performance.md]

The peers are run by a program of their own, `teacher.py` in FOLDER (decoding, resampling and mel by librosa, networks
in PyTorch, windows of 3 s), as it is. They are also run with our decoder, to show how much of the difference that is.
One core: file by file, each system in turn. All cores: as many processes as cores, rounds in turn, started and warm
before the clock is. Clips that libsndfile cannot read are left out for all.
"""

import argparse
import importlib.util
import json
import multiprocessing
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from measuring import cpu_name, replace_section

from msecnn import audio
from msecnn.library.tagging_job import RecordingTagger, TaggingJob
from msecnn.library.workers import n_cores, tag_in_workers

SHARED = Path(__file__).resolve().parents[2] / "shared"
OURS = "FCN-5 and MsE-CNN"
PEERS = {"VGG": "MTT_vgg", "Musicnn": "MTT_musicnn"}
OUR_DECODER = " with our decoder"
JOB = TaggingJob(("fcn5", "msecnn"), device="cpu")

_in_process: Callable[[str], Any]


def system(name: str, teachers: Path) -> Callable[[str], Any]:
    """A function that tags one file on one thread."""
    torch.set_num_threads(1)
    if name == OURS:
        return RecordingTagger(JOB)
    spec = importlib.util.spec_from_file_location("teacher", teachers / "teacher.py")
    assert spec is not None
    assert spec.loader is not None
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    teacher = program.Teacher(PEERS[name.removesuffix(OUR_DECODER)], root=str(teachers))
    if name.endswith(OUR_DECODER):
        return lambda file: teacher.tag(audio.read_recording(file, sample_rate=program.SR).waveform)
    return lambda file: teacher.tag(program.load_audio(file))


def one_core(files: Sequence[str], teachers: Path) -> dict[str, list[float]]:
    """Seconds of each file with each system."""
    names = [OURS, *PEERS, *(peer + OUR_DECODER for peer in PEERS)]
    systems = {name: system(name, teachers) for name in names}
    seconds: dict[str, list[float]] = {name: [] for name in systems}
    for i, file in enumerate([files[0], *files]):
        for name, run in systems.items():
            start = time.perf_counter()
            run(file)
            if i:  # the first one warms up
                seconds[name].append(time.perf_counter() - start)
    return seconds


def all_cores(files: Sequence[str], teachers: Path, rounds: int) -> dict[str, list[float]]:
    """Files per second of each system, by rounds, among which the files are shared out."""
    rates: dict[str, list[float]] = {name: [] for name in (OURS, *PEERS)}
    for i in range(rounds):
        share = files[i::rounds]
        for name in rates:
            rates[name].append(_rate(name, share, teachers))
    return rates


def _rate(name: str, files: Sequence[str], teachers: Path) -> float:
    n_warm = 4 * n_cores()
    files = [*(files * n_warm)[:n_warm], *files]
    answers = tag_in_workers(files, JOB, jobs=n_cores()) if name == OURS else _peer_in_workers(name, files, teachers)
    n_timed = 0
    for n, _ in enumerate(answers, 1):
        if n == n_warm:
            start = time.perf_counter()
        n_timed += n > n_warm
    return n_timed / (time.perf_counter() - start)


def _peer_in_workers(name: str, files: Sequence[str], teachers: Path) -> Iterator[Any]:
    with multiprocessing.get_context("spawn").Pool(n_cores(), _prepare, (name, teachers)) as pool:
        yield from pool.imap_unordered(_run, files)


def _prepare(name: str, teachers: Path) -> None:
    global _in_process
    _in_process = system(name, teachers)


def _run(file: str) -> None:
    _in_process(file)


def readable_by_all(clips: Path, n_files: int) -> tuple[list[str], int]:
    """Clips spread over the folder, and how many had to be left out for the peers' sake."""
    candidates = sorted(clips.glob("*.opus"))
    chosen: list[str] = []
    n_left_out = 0
    for clip in candidates[:: max(1, len(candidates) // (3 * n_files))]:
        if len(chosen) == n_files:
            break
        try:
            soundfile.read(clip)
            chosen.append(str(clip))
        except soundfile.LibsndfileError:
            n_left_out += 1
    return chosen, n_left_out


def measure(files: list[str], n_left_out: int, teachers: Path, rounds: int) -> dict[str, Any]:
    single = {name: 60 / float(np.median(seconds)) for name, seconds in one_core(files, teachers).items()}
    several = {name: 60 * float(np.median(rates)) for name, rates in all_cores(files, teachers, rounds).items()}
    return {
        "cpu": cpu_name(),
        "torch": torch.__version__,
        "n_files": len(files),
        "n_left_out": n_left_out,
        "ratios": {f"against_{peer.lower()}": round(single[OURS] / single[peer], 2) for peer in PEERS},
        "ratios_all_cores": {f"against_{peer.lower()}": round(several[OURS] / several[peer], 2) for peer in PEERS},
        "files_per_minute_one_core": {name: round(rate, 1) for name, rate in single.items()},
        "files_per_minute_all_cores": {name: round(rate, 1) for name, rate in several.items()},
    }


def table(result: dict[str, Any]) -> str:
    lines = [
        f"Measured by `python benchmarks/library.py` on {result['cpu']}, torch {result['torch']}, {result['n_files']} "
        "clips of up to 29 s (Opus); medians; one interleaved run.",
        "",
        "| system | files a minute, one core | files a minute, all cores | ours, times as many |",
        "|---|--:|--:|--:|",
    ]
    single, several = result["files_per_minute_one_core"], result["files_per_minute_all_cores"]
    for name, rate in single.items():
        both = f"{several[name]:,.0f}" if name in several else "–"
        lines.append(f"| {name} | {rate:,.0f} | {both} | {single[OURS] / rate:.1f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teachers", type=Path, default=SHARED / "teachers", help="teacher.py and its weights")
    parser.add_argument("--clips", type=Path, default=SHARED / "corpus" / "clips", help="Opus clips")
    parser.add_argument("--files", type=int, default=60, metavar="N")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="over all cores (default: 3)")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table into its section of this file")
    args = parser.parse_args()
    if not (args.teachers / "teacher.py").is_file() or not args.clips.is_dir():
        raise SystemExit(f"The peers ({args.teachers}) or the clips ({args.clips}) are missing: name their folders.")
    warnings.filterwarnings("ignore", module="librosa")
    result = measure(*readable_by_all(args.clips, args.files), args.teachers, args.rounds)
    if args.write:
        replace_section(args.write, "library", table(result))
    print(json.dumps(result, indent=2) if args.json else table(result))


if __name__ == "__main__":
    main()
