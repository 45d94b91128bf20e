"""What pyproject.toml cannot say: files at the top that a wheel holds, and a description without a Space's settings."""

import re
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
#: Folders at the top of a checkout; in a wheel they lie within the package. `msecnn.resources` finds them in both.
RESOURCES = ("assets", "checkpoints")
#: What a wheel would be too large with; docs/table1.md says how it is made again.
ONLY_IN_THE_REPOSITORY = ROOT / "checkpoints" / "table1"
_ELSEWHERE = r"(?!https?://|mailto:)"


class BuildWithResources(build_py):
    """Copies the resource folders into what is built; an editable installation uses the checkout's."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        for source, built in self._resources().items():
            built.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, built)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        built = [] if self.editable_mode else [str(path) for path in self._resources().values()]
        return [*super().get_outputs(include_bytecode), *built]

    def _resources(self) -> dict[Path, Path]:
        paths = (path for name in RESOURCES for path in sorted((ROOT / name).rglob("*")) if path.is_file())
        sources = [path for path in paths if not path.is_relative_to(ONLY_IN_THE_REPOSITORY)]
        return {source: Path(self.build_lib) / "msecnn" / source.relative_to(ROOT) for source in sources}


def description(readme: str) -> str:
    """README for a package index: without front matter, and without what leads to files that an index does not have."""
    text = re.sub(r"\A---\n.*?\n---\n+", "", readme, flags=re.DOTALL)
    text = re.sub(rf"!\[[^\]]*\]\({_ELSEWHERE}[^)]*\)\n*", "", text)
    return re.sub(rf"\[([^\]]*)\]\({_ELSEWHERE}[^)]*\)", r"\1", text)


setup(
    cmdclass={"build_py": BuildWithResources},
    long_description=description((ROOT / "README.md").read_text(encoding="utf-8")),
    long_description_content_type="text/markdown",
)
