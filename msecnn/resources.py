"""Where the files that come with the program lie: within an installed package, beside it in a checkout."""

from importlib.resources import files
from pathlib import Path


def resource_folder(name: str) -> Path:
    """A folder of files that the program brings along.

    A wheel holds it within the package (`setup.py` puts it there); a checkout, also one that is installed as editable,
    has its one copy at the top, where people look for it.

    Args:
        name: "assets" or "checkpoints".
    """
    package = Path(str(files("msecnn")))
    installed = package / name
    return installed if installed.is_dir() else package.parent / name
