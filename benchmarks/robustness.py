"""How 1,000 damaged files (tests/corrupt_audio.py) are answered by the library, the command line and the page.

    python benchmarks/robustness.py [--through library cli page] [--files 1000] [--seed 0] [--json]

A file must get an answer or one readable sentence within `--time-limit`, whatever is in it. The exit status is 1 where
one did not, where a process died or wrote a trace, or where one took too much memory. Ten hours of silence are honest
work for the command line: it is given `--long` of those files, and its time for them is not compared.
"""

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from corrupt_audio import damaged_files
from entry_points import LONG, Outcome, through_command_line, through_library, through_page
from measuring import cpu_name

WAYS = {"library": through_library, "cli": through_command_line, "page": through_page}
TITLES = {"library": "library", "cli": "command line", "page": "page"}
TIME_LIMIT_S = 10.0
MEMORY_LIMIT_MB = 1_500.0


def run(way: str, n_files: int, seed: int, *, time_limit_s: float = TIME_LIMIT_S, n_long: int = 1) -> list[Outcome]:
    """Sends the files through one of the ways; the command line gets `n_long` of the long ones."""
    files = list(damaged_files(n_files, seed=seed))
    if way == "cli":
        long = [file for file in files if file.kind == LONG]
        files = [file for file in files if file not in long[n_long:]]
    with tempfile.TemporaryDirectory() as folder:
        return WAYS[way](files, Path(folder), time_limit_s=time_limit_s)


def failures(outcomes: Sequence[Outcome]) -> list[Outcome]:
    return [o for o in outcomes if o.answer in ("crash", "hang") or o.peak_mb > MEMORY_LIMIT_MB]


def table(found: dict[str, list[Outcome]]) -> str:
    """A column a way in; below, a line a kind of damage: answered, refused, and the slowest."""
    ways = " | ".join(TITLES[way] for way in found)
    summaries = [_summary(outcomes) for outcomes in found.values()]
    lines = [f"| through the | {ways} |", "|---|" + "--:|" * len(found)]
    lines += [f"| {row} | {' | '.join(summary[row] for summary in summaries)} |" for row in summaries[0]]
    lines += ["", f"| damage: answered, refused, slowest | files | {ways} |", "|---|--:|" + "--:|" * len(found)]
    by_kind = {way: _by_kind(outcomes) for way, outcomes in found.items()}
    for kind in sorted({kind for groups in by_kind.values() for kind in groups}):
        n_files = max(len(groups.get(kind, ())) for groups in by_kind.values())
        cells = " | ".join(_cell(groups.get(kind, [])) for groups in by_kind.values())
        lines.append(f"| {kind} | {n_files} | {cells} |")
    return "\n".join([f"{cpu_name()}.", "", *lines])


def _summary(outcomes: Sequence[Outcome]) -> dict[str, str]:
    counts = {
        "files": len(outcomes),
        "answered": _count(outcomes, "answered", "noted"),
        "of these with a note": _count(outcomes, "noted"),
        "refused in a sentence": _count(outcomes, "refused"),
        "crashes": _count(outcomes, "crash"),
        "hangs": _count(outcomes, "hang"),
    }
    return {name: f"{count:,}" for name, count in counts.items()} | {
        "slowest, s (ten hours aside)": f"{_most(o.seconds for o in outcomes if o.kind != LONG):.1f}",
        "peak memory, MB": f"{_most(o.peak_mb for o in outcomes):,.0f}",
    }


def _by_kind(outcomes: Sequence[Outcome]) -> dict[str, list[Outcome]]:
    ordered = sorted(outcomes, key=lambda o: o.kind)
    return {kind: list(group) for kind, group in groupby(ordered, key=lambda o: o.kind)}


def _cell(group: Sequence[Outcome]) -> str:
    if not group:
        return ""
    answered, refused = _count(group, "answered", "noted"), _count(group, "refused")
    return f"{answered}, {refused}, {_most(o.seconds for o in group):.2f} s"


def _count(outcomes: Sequence[Outcome], *answers: str) -> int:
    return sum(o.answer in answers for o in outcomes)


def _most(values: Iterable[float]) -> float:
    """The largest; what a process that died could not tell is left out."""
    return max((value for value in values if not math.isnan(value)), default=math.nan)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--through", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--files", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--time-limit", type=float, default=TIME_LIMIT_S, help="seconds a file may take")
    parser.add_argument("--long", type=int, default=1, help="files of ten hours that the command line gets")
    parser.add_argument("--json", action="store_true", help="every outcome instead of the table")
    args = parser.parse_args()
    found = {
        way: run(way, args.files, args.seed, time_limit_s=args.time_limit, n_long=args.long) for way in args.through
    }
    if args.json:
        json.dump({way: [asdict(o) for o in outcomes] for way, outcomes in found.items()}, sys.stdout, indent=1)
    else:
        print(table(found))
    bad = [(way, o) for way, outcomes in found.items() for o in failures(outcomes)]
    for way, o in bad:
        print(f"{way}: {o.answer}, {o.peak_mb:.0f} MB: {o.kind}, {o.name!r}: {o.message}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
