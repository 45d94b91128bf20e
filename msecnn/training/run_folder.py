"""A run's folder: configuration, history, and states of which each is written whole or not at all.

A state is one safetensors file, tensors and counters together, so that no kill can leave the two out of step.
"""

import json
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from torch import Tensor

from msecnn import files
from msecnn.errors import MsecnnError

PROGRAM = ("python", "-m", "msecnn")
PACKAGES = ("torch", "numpy", "safetensors")


class TrainingError(MsecnnError):
    """A run cannot start or go on; the last good state is kept."""


class RunFolder:
    """The files of one run: `config.json`, `history.jsonl`, `last.safetensors` to resume, `best.safetensors` to use."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config, self.history = path / "config.json", path / "history.jsonl"
        self.last, self.best = path / "last.safetensors", path / "best.safetensors"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the folder for one run; the system lets go of it however that run ends.

        Raises:
            TrainingError: another run holds it, or it cannot be made.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TrainingError(f"cannot write to the folder {self.path}: {files.why(error)}") from error
        with ExitStack() as stack:
            try:
                stack.enter_context(files.locked(self.path / ".lock"))
            except files.LockedError:
                raise TrainingError(f"{self.path} is being written by another run; give --out another folder") from None
            yield

    def write_json(self, path: Path, content: Any) -> None:
        """Writes readable JSON, whole or not at all."""
        _write(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")

    def write_history(self, epochs: list[dict[str, Any]]) -> None:
        """One line of JSON an epoch."""
        _write(self.history, "".join(json.dumps(epoch) + "\n" for epoch in epochs))

    def write_state(self, path: Path, tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
        """Tensors and the counters that belong to them, in one file."""
        tensors = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
        _write(path, safetensors.torch.save(tensors, {"state": json.dumps(state)}))

    def read_state(self, path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """The reverse of `write_state`.

        Raises:
            TrainingError: the file is missing or damaged.
        """
        try:
            with safetensors.safe_open(path, "pt") as file:
                return {name: file.get_tensor(name) for name in file.keys()}, json.loads(file.metadata()["state"])  # noqa: SIM118
        except (OSError, safetensors.SafetensorError, TypeError, KeyError, ValueError) as error:
            raise TrainingError(f"{path} is not a state of a training run that can be read ({error})") from None


def _write(path: Path, content: bytes | str) -> None:
    """Replaces a file of a run, whole or not at all.

    Raises:
        TrainingError: the disk is full or does not let us write.
    """
    try:
        files.write_atomically(path, content)
    except files.WriteError as error:
        raise TrainingError(
            f"could not write {path}: {error.reason}; the last good state is kept, and --resume goes on from it"
        ) from error


def origin() -> dict[str, Any]:
    """What made this run: command, commit, versions, machine."""
    program = Path(sys.argv[0]).name
    return {
        "command": command_line([*(PROGRAM if program == "__main__.py" else [program]), *sys.argv[1:]]),
        "commit": _commit(),
        "versions": {"python": platform.python_version(), **{name: metadata.version(name) for name in PACKAGES}},
        "machine": {"processor": platform.machine(), "system": platform.system(), "n_cores": os.cpu_count()},
    }


def command_line(words: Sequence[str]) -> str:
    """Words as they are typed, paths without the folders of this machine."""
    return shlex.join(map(_without_folder, words))


def _without_folder(argument: str) -> str:
    """An absolute path by its name alone: where it lies on this machine is nothing to those who get a card."""
    option, equals, value = argument.rpartition("=")
    return f"{option}{equals}{Path(value).name}" if os.path.isabs(value) else argument


def _commit() -> str | None:
    """The commit of the source tree, with "-dirty" where tracked files were changed; None outside of a git tree."""
    here = Path(__file__).resolve().parent
    if not (here.parents[1] / "pyproject.toml").is_file():  # installed: a git tree around it is of something else
        return None
    try:
        answer = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],
            cwd=here,
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
