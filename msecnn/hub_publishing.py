"""A checkpoint as a folder for the Hub, with a README made from its card; and that folder onto the Hub."""

import shutil
import tempfile
from pathlib import Path

from msecnn.checkpoint import CARD, SELFTEST, WEIGHTS, Checkpoint, CheckpointError
from msecnn.files import write_atomically
from msecnn.hub import PATTERNS, PREFIX, first_line, parse
from msecnn.hub_card import hub_readme

README = "README.md"


def save_pretrained(checkpoint: Checkpoint, folder: str | Path, *, repository: str | None = None) -> Path:
    """Copies a checkpoint, byte for byte, with what was measured of it, and adds a README.

    Args:
        repository: OWNER/NAME on the Hub, for the README's line of code.

    Returns:
        The folder.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    files = {path for pattern in PATTERNS for path in checkpoint.folder.glob(pattern)}
    for path in sorted(files, key=lambda path: (path.name == CARD, path.name)):  # the card last, as everywhere
        write_atomically(folder / path.name, path.read_bytes())
    write_atomically(folder / README, hub_readme(checkpoint.card, checkpoint.name, repository))
    return folder


def push_to_hub(
    checkpoint: Checkpoint, repository: str, *, private: bool = False, message: str = "Add a checkpoint of msecnn"
) -> str:
    """Uploads a checkpoint in one commit; the repository is made where there is none. Takes the Hub's own log-in.

    Args:
        repository: OWNER/NAME, with or without hf:// before it.

    Returns:
        The address of this very commit, for `Tagger.from_checkpoint`.

    Raises:
        CheckpointError: the Hub does not take it, or the address is none.
    """
    address = parse(repository if repository.startswith(PREFIX) else PREFIX + repository)
    assert address is not None  # it begins as one
    try:
        from huggingface_hub import HfApi
    except ImportError as error:
        raise CheckpointError("The Hub needs one package more: pip install huggingface_hub.") from error
    missing = [name for name in (WEIGHTS, CARD, SELFTEST) if not (checkpoint.folder / name).is_file()]
    if missing:
        raise CheckpointError(f"{checkpoint.name} is not whole: there is no {missing[0]}.")
    folder = Path(tempfile.mkdtemp(prefix="msecnn-hub-"))
    try:
        save_pretrained(checkpoint, folder, repository=address.repository)
        api = HfApi(library_name="msecnn")
        api.create_repo(address.repository, private=private, exist_ok=True)
        commit = api.upload_folder(repo_id=address.repository, folder_path=folder, commit_message=message)
    except Exception as error:  # of its client, and of the HTTP client that this stands on
        raise CheckpointError(f"The Hub does not take it: {first_line(error)}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return f"{PREFIX}{address.repository}@{commit.oid}"
