"""What `pip install .` costs without extras, against the same work by torch: megabytes, seconds to first tags, memory.

    python benchmarks/install.py [--python LIGHT] [--repeats N] [--json] [--write docs/performance.md]

An environment of its own is made and the package installed into it, without any extra, as a person would (pip fetches
what is not at hand); `--python` names one that is there already. The peer is this program's own environment, in which
the same command is told to take torch. Each run is a new process, in turns. Size is that of all files installed; the
peer's is that of the packages that requirements.txt names and of all that they need.
"""

import argparse
import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import Any

import numpy as np
from measuring import cpu_name, replace_section
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
RECORDING = ROOT / "assets" / "examples" / "piano.mp3"
#: Environments are made with this, which is then no part of what is measured.
INSTALLER = "pip"


def install(folder: Path) -> Path:
    """The interpreter of a new environment that holds this package without extras."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", ROOT], check=True)
    return python


def installed_mb(python: Path) -> float:
    """Of all files in an environment's packages."""
    program = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(subprocess.run([python, "-c", program], capture_output=True, text=True, check=True).stdout.strip())
    paths = (path for path in site.rglob("*") if not path.relative_to(site).parts[0].startswith(INSTALLER))
    return sum(path.stat().st_size for path in paths if path.is_file() and not path.is_symlink()) / 1e6


def app_mb() -> float:
    """Of the packages in requirements.txt and all that they need, as they are in this environment."""
    named = re.findall(r"^([\w.-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    todo, done = [canonicalize_name(name) for name in named], set()
    total = 0
    while todo:
        name = todo.pop()
        if name in done:
            continue
        done.add(name)
        try:
            package = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:  # of another system
            continue
        paths = (Path(str(package.locate_file(file))) for file in package.files or ())
        total += sum(path.stat().st_size for path in paths if path.is_file())
        for line in package.requires or ():
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                todo.append(canonicalize_name(needed.name))
    return total / 1e6


def run(python: Path, runtime: str, folder: Path) -> dict[str, float]:
    """Of a new process that tags a file by both networks: seconds to its end, seconds of processors, peak MB."""
    words = [python, "-m", "msecnn", "tag", RECORDING, "--device", "cpu", "--runtime", runtime]
    start = time.perf_counter()
    process = subprocess.Popen(words, cwd=folder, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{runtime} failed: {process.returncode}")
    peak_mb = usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    return {"first_tags_s": seconds, "cpu_s": usage.ru_utime + usage.ru_stime, "peak_mb": peak_mb}


def measure(light: Path, folder: Path, repeats: int) -> dict[str, Any]:
    pairs = {"light": (light, "onnx"), "torch": (Path(sys.executable), "torch")}
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in pairs}
    for i in range(repeats + 1):
        for name, (python, runtime) in pairs.items():
            # this package is the checkout's where an environment does not hold it
            result = run(python, runtime, folder if name == "light" else ROOT)
            if i:  # the first fills the disk's cache
                runs[name].append(result)
    rows = {name: {key: float(np.median([one[key] for one in of])) for key in of[0]} for name, of in runs.items()}
    rows["light"]["installed_mb"], rows["torch"]["installed_mb"] = installed_mb(light), app_mb()
    ratios = {key: rows["torch"][key] / rows["light"][key] for key in rows["light"]}
    return {"cpu": cpu_name(), "repeats": repeats, "ratios": ratios, **rows}


def table(result: dict[str, Any]) -> str:
    light, torch, ratios = result["light"], result["torch"], result["ratios"]
    lines = [
        f"Measured by `python benchmarks/install.py` on {result['cpu']}; a recording of 30 s, both networks, each run "
        f"a new process; medians of {result['repeats']} runs in turns.",
        "",
        "| | `pip install .` | the app, by torch | torch / light |",
        "|---|--:|--:|--:|",
    ]
    rows = {
        "installed_mb": ("installed", "MB", 0),
        "first_tags_s": ("first tags, cold", "s", 2),
        "cpu_s": ("of which a core works", "s", 2),
        "peak_mb": ("peak memory", "MB", 0),
    }
    for key, (label, unit, digits) in rows.items():
        figures = [f"{side[key]:,.{digits}f} {unit}" for side in (light, torch)]
        lines.append(f"| {label} | {' | '.join(figures)} | {ratios[key]:.1f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", type=Path, metavar="LIGHT", help="interpreter of a light installation")
    parser.add_argument("--repeats", type=int, default=9, metavar="N")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the table into its section of this file")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        light = args.python.absolute() if args.python else install(folder / "light")
        result = measure(light, folder, args.repeats)
    if args.write:
        replace_section(args.write, "install", table(result))
    print(json.dumps(result, indent=2) if args.json else table(result))


if __name__ == "__main__":
    main()
