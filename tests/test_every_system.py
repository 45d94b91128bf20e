"""Windows has neither POSIX's modules nor its signals: without them every module loads, and recordings get their tags.

Other packages are loaded before: that they run on a system is their own business. What hides here is named by the
documentation of Python's standard library as missing on Windows.
"""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import av
import pytest

from msecnn.audio import probe

ROOT = Path(__file__).resolve().parents[1]
WITHOUT_POSIX = """
import ctypes, os, signal, sys
import av, captum.attr, filelock, gradio, gradio.routes, matplotlib.figure, onnxruntime, plotly.io, soxr, torch
import torchaudio, tqdm
import torch.utils.data

for name in ("fcntl", "grp", "posix", "pwd", "resource", "syslog", "termios", "tty"):
    sys.modules[name] = None
for name in ("chown", "fork", "forkpty", "getegid", "geteuid", "getgid", "getpgid", "getuid", "killpg", "mkfifo",
             "nice", "pathconf", "sched_getaffinity", "sched_setaffinity", "setsid", "statvfs", "sysconf", "uname"):
    delattr(os, name)
for name in ("SIGALRM", "SIGCHLD", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGUSR1", "SIGUSR2", "alarm", "pause",
             "setitimer", "sigwait"):
    delattr(signal, name)


def library(name, *_, load=ctypes.CDLL, **__):
    if name is None:
        raise TypeError("Windows gives no handle of the program itself")
    return load(name)


ctypes.CDLL = library
"""
EVERY_MODULE = """
import importlib, pkgutil, msecnn
for module in pkgutil.walk_packages(msecnn.__path__, "msecnn."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""
TAG = """
from msecnn.cli import main
raise SystemExit(main(["tag", *sys.argv[1:]]))
"""
PAGE = """
from msecnn import memory
from msecnn.ui import page
from msecnn.ui.server.context import AppContext
memory.share_freed_memory()
page.build(AppContext.load())
"""


def run(program: str, *words: str, folder: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_POSIX + program, *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("program", [EVERY_MODULE, PAGE], ids=["every module", "the page"])
def test_the_program_loads_without_posix(program: str, tmp_path: Path) -> None:
    run(program, folder=tmp_path)


def test_recordings_are_tagged_without_posix(tmp_path: Path) -> None:
    """Also as a library, which locks its journal."""
    song = shutil.copy(ROOT / "assets" / "examples" / "piano.mp3", tmp_path / "song.mp3")
    run(TAG, str(song), "--model", "fcn5", folder=tmp_path)
    run(TAG, str(song), "--model", "fcn5", "--jobs", "1", "--out", "tags.csv", folder=tmp_path)
    with (tmp_path / "tags.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == 1


@pytest.mark.parametrize("version", ["18.1.0", "19.0.2"])
def test_titles_that_are_no_text_do_not_stop_either_pyav(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyAV 18 raises unless it is asked to replace such bytes; 19 always replaces them, and refuses the argument."""
    real = av.open
    song = (ROOT / "assets" / "examples" / "piano.mp3").read_bytes()
    assert b"Town Theme" in song

    def as_in(file: object, **options: object) -> object:
        if version.startswith("19"):
            assert options.keys() <= {"container_options"}, "open() got an unexpected keyword argument"
        else:
            assert options["metadata_errors"] == "replace"
        replacing = {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}
        return real(file, container_options=options["container_options"], **replacing)

    monkeypatch.setattr(av, "open", as_in)
    monkeypatch.setattr(av, "__version__", version)
    assert probe(song.replace(b"Town Theme", b"T\xffwn Th\xfeme")).codec.startswith("mp3")
