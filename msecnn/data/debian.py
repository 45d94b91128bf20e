"""Packages of Debian and their files: fetched with apt-get, or taken from a folder that holds them."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msecnn.errors import DatasetError
from msecnn.files import check_space


def check_source(source: Path | None) -> None:
    """Raises DatasetError where packages can be had neither from the folder given nor, without one, from apt-get."""
    if source is None and not shutil.which("apt-get"):
        raise DatasetError("there is no apt-get on this machine; give a folder that holds the packages with --from")
    if source is not None and not source.is_dir():
        raise DatasetError(f"{source} is not a folder")


@contextmanager
def unpacked(package: str, root: Path, source: Path | None) -> Iterator[Path]:
    """A folder with the package's files.

    Args:
        package: its name.
        root: where a package is unpacked for as long as its files are needed.
        source: holds the package as PACKAGE/… or PACKAGE_VERSION.deb, or is a system's root where it is installed;
            None fetches it with apt-get.
    """
    if source is not None and (source / package).is_dir():
        yield source / package
        return
    archives = sorted(source.glob(f"{package}_*.deb")) if source is not None else []
    if source is not None and not archives:
        yield source
        return
    scratch = root / "unpacking"
    shutil.rmtree(scratch, ignore_errors=True)  # what a killed process left
    scratch.mkdir()
    try:
        archive = archives[-1] if archives else _download(package, scratch)
        run_program("dpkg", "-x", str(archive.absolute()), "unpacked", cwd=scratch)
        yield scratch / "unpacked"
    finally:
        shutil.rmtree(scratch)


def kept_package(package: str, root: Path, source: Path | None) -> Path:
    """A folder with the package's files, which stays for later runs; takes what `unpacked` takes."""
    kept = root / "packages" / package
    if kept.exists():
        return kept
    with unpacked(package, root, source) as folder:
        if folder.parent != root / "unpacking":  # it lies in the source for good
            return folder
        kept.parent.mkdir(parents=True, exist_ok=True)
        os.replace(folder, kept)
    return kept


def _download(package: str, folder: Path) -> Path:
    told = run_program("apt-cache", "show", "--no-all-versions", package, cwd=folder)
    sizes = [int(line.split()[1]) for line in told.splitlines() if line.startswith("Size: ")]
    check_space(folder, 3 * sum(sizes[:1]), f"package {package} and its files")  # it unpacks to about twice its size
    # as root, apt would go down to a user of its own, who can't write here
    run_program("apt-get", "-o", "APT::Sandbox::User=root", "-q", "download", package, cwd=folder)
    return next(folder.glob("*.deb"))


def run_program(*command: str, cwd: Path) -> str:
    """What a program prints; DatasetError where it is missing or fails, with the last line of its complaint."""
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=True)
    except FileNotFoundError:
        raise DatasetError(f"there is no {command[0]} on this machine") from None
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines() or [f"exit status {error.returncode}"]
        raise DatasetError(f"{command[0]} says: {lines[-1]}") from error
    return done.stdout
