"""What is built works where it is installed: in an environment of its own, from an empty folder, without a home.

The source archive is built from a copy of the project and the wheel from that archive: neither leans on the checkout.
The environment is empty but for a path file that shows it this environment's other packages: a path file that lies in
such a folder is not followed, so an editable installation of this package stays out.
"""

import email
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from running_page import ROOT, RunningPage, Visitor

pytestmark = pytest.mark.slow

LARGEST_WHEEL = 10 * 2**20  # bytes; half of them are the ten examples, and a third the weights
NOT_SOURCE = shutil.ignore_patterns(".*", "node_modules", "__pycache__", "*.egg-info", "build", "dist", "runs", "data")


@dataclass(frozen=True)
class Installed:
    """The package as somebody has it who installed the wheel.

    Attributes:
        program: the command `msecnn`.
        package: where its files are.
        folder: an empty one, to work in; nobody may write there.
        environment: variables, with a home that cannot be made.
        song: a recording elsewhere.
    """

    program: Path
    package: Path
    folder: Path
    environment: dict[str, str]
    song: Path

    def run(self, *words: str) -> str:
        done = subprocess.run(
            [str(self.program), *words], cwd=self.folder, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def files(self) -> set[Path]:
        return {path for folder in (self.package, self.folder) for path in folder.rglob("*")}


def _python(*words: str, folder: Path) -> None:
    done = subprocess.run([sys.executable, *words], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    source = Path(shutil.copytree(ROOT, folder / "source", ignore=_not_source))
    build = "import sys; from setuptools import build_meta; build_meta.build_{}(sys.argv[1])"
    _python("-c", build.format("sdist"), str(folder), folder=source)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as unpacked:
        unpacked.extractall(folder / "unpacked", filter="data")
    (source,) = (folder / "unpacked").iterdir()
    _python("-c", build.format("wheel"), str(folder), folder=source)
    (built,) = folder.glob("*.whl")
    return built


def _not_source(folder: str, names: list[str]) -> set[str]:
    """At the top what no archive holds; below it only what Python leaves behind."""
    if Path(folder) == ROOT:
        return NOT_SOURCE(folder, names)
    return {name for name in names if name == "__pycache__"}


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    root = tmp_path_factory.mktemp("installed")
    own = root / "venv"
    venv.create(own, with_pip=False)
    place = {name: Path(sysconfig.get_path(name, "venv", {"base": str(own)})) for name in ("purelib", "scripts")}
    others = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    (place["purelib"] / "others.pth").write_text("\n".join(others))
    pip = ("-m", "pip", "--python", str(own), "install", "--quiet", "--no-deps", "--no-index", "--ignore-installed")
    _python(*pip, str(wheel), folder=root)
    folder = root / "empty"
    folder.mkdir(mode=0o555)
    song = shutil.copy(ROOT / "assets" / "examples" / "piano.mp3", root / "song.mp3")
    nowhere = f"{os.devnull}/home"  # cannot be made, whoever tries
    homes = ("HOME", "USERPROFILE", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "MPLCONFIGDIR", "HF_HOME", "TORCH_HOME")
    ours = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return Installed(
        program=place["scripts"] / "msecnn",
        package=place["purelib"] / "msecnn",
        folder=folder,
        environment={**ours, **dict.fromkeys(homes, nowhere), "PYTHONDONTWRITEBYTECODE": "1"},
        song=Path(song),
    )


def test_wheel_holds_one_copy_of_what_the_program_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if name.startswith("msecnn/")}
    assert {"msecnn/py.typed", "msecnn/ui/static/style.css", "msecnn/data/open_music.tsv"} <= names
    for folder in ("assets", "checkpoints"):
        paths = [path.relative_to(ROOT) for path in (ROOT / folder).rglob("*") if path.is_file()]
        files = {path.as_posix() for path in paths if "table1" not in path.parts}  # those stay in the repository
        assert {name.removeprefix("msecnn/") for name in names if name.startswith(f"msecnn/{folder}/")} == files
    code = {path.relative_to(ROOT).as_posix() for path in (ROOT / "msecnn").rglob("*.py")}
    assert {name for name in names if name.endswith(".py")} == code


def test_wheel_is_small(wheel: Path) -> None:
    assert wheel.stat().st_size <= LARGEST_WHEEL


def test_description_is_for_an_index(wheel: Path) -> None:
    """No settings of a Space, and no link to a file that an index does not have."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("dist-info/METADATA"))
        metadata = email.message_from_bytes(archive.read(name))
    text = metadata.get_payload()
    assert text.lstrip().startswith("# MsE-CNN")
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert all("://" in target for target in re.findall(r"\]\(([^)]*)\)", text))
    needed = [line for line in metadata.get_all("Requires-Dist") if "extra ==" not in line]
    assert needed
    assert not [line for line in needed if "==" in line]


def test_tag(installed: Installed) -> None:
    (answer,) = json.loads(installed.run("tag", str(installed.song), "--format", "json"))
    assert max(answer["models"]["msecnn"]["tags"].items(), key=lambda pair: pair[1])[0] == "piano"


def test_models(installed: Installed) -> None:
    said = installed.run("models")
    assert str(installed.package / "checkpoints" / "msecnn") in said


def test_explain(installed: Installed, tmp_path: Path) -> None:
    answer = json.loads(installed.run("explain", str(installed.song), "--out", str(tmp_path), "--format", "json"))
    assert answer["base_value"] + sum(scale["relative"] for scale in answer["scales"]) == pytest.approx(
        answer["logit"], abs=1e-4
    )
    assert (tmp_path / "report.html").is_file()


def test_serve(installed: Installed) -> None:
    """The page, its texts and its examples."""
    command = (str(installed.program), "serve")
    environment = installed.environment | {"GRADIO_TEMP_DIR": str(installed.folder.parent / "visitors")}
    with RunningPage(command=command, folder=installed.folder, environment=environment) as page:
        assert "error" not in Visitor(page.address).ask("open", example="piano")


def test_a_git_tree_around_the_environment_is_not_the_commit_of_a_run(installed: Installed) -> None:
    """Many keep their environment in their own project's folder."""
    around = installed.folder.parent
    git = ["git", "-C", str(around), "-c", "user.name=somebody", "-c", "user.email=somebody@example.org"]
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "--message", "theirs"], check=True)
    program = "from msecnn.training.run_folder import origin; print(origin()['commit'])"
    python = installed.program.parent / "python"
    done = subprocess.run(
        [str(python), "-c", program], cwd=installed.folder, env=installed.environment, capture_output=True, text=True
    )
    assert done.stdout.strip() == "None", done.stderr


def test_nothing_is_written_beside_the_package(installed: Installed) -> None:
    """Not by a command, nor by a page."""
    before = installed.files()
    test_tag(installed)
    test_serve(installed)
    assert installed.files() == before
