"""A checkpoint on the Hugging Face Hub: `hf://OWNER/NAME@REVISION` to a folder of this machine.

Fetched once, then found in the Hub's cache on this machine, also where there is no network. What is read of it is
checked as of any folder: the weights by the SHA-256 that their card names.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from msecnn.checkpoint_card import CheckpointError
from msecnn.files import printable

PREFIX = "hf://"
#: What is fetched: no file of other programs, whatever else lies there.
PATTERNS = ("*.json", "*.safetensors")
_ADDRESS = re.compile(r"hf:[/\\]{1,2}([\w.-]+)[/\\]([\w.-]+?)(?:@([\w./-]+))?")


@dataclass(frozen=True)
class HubAddress:
    """Where a checkpoint lies on the Hub.

    Attributes:
        repository: OWNER/NAME.
        revision: a branch, a tag or a commit; the newest commit of `main` unless it says otherwise.
    """

    repository: str
    revision: str = "main"

    @property
    def name(self) -> str:
        return self.repository.split("/")[1]


def parse(address: str | Path) -> HubAddress | None:
    """What an address names; None where it is none of the Hub's.

    `Path` takes one of the two slashes away, and on Windows turns the others.

    Raises:
        CheckpointError: it begins as one and does not go on as one.
    """
    text = str(address)
    if not text.startswith("hf:"):
        return None
    match = _ADDRESS.fullmatch(text)
    if match is None:
        raise CheckpointError(f"{printable(text)!r} is no address on the Hub; one is hf://OWNER/NAME@REVISION.")
    owner, name, revision = match.groups()
    return HubAddress(f"{owner}/{name}", revision or "main")


def fetch(address: HubAddress) -> Path:
    """The folder of a checkpoint on the Hub, from there or from this machine's cache.

    Raises:
        CheckpointError: it is not there, or nowhere within reach, or what it takes is not installed.
    """
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import LocalEntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError
    except ImportError as error:
        raise CheckpointError("Checkpoints on the Hub need one package more: pip install huggingface_hub.") from error
    shown = f"{PREFIX}{address.repository}@{address.revision}"
    try:
        return Path(snapshot_download(address.repository, revision=address.revision, allow_patterns=list(PATTERNS)))
    except RepositoryNotFoundError as error:
        raise CheckpointError(f"There is no {shown}, or it is not open to you.") from error
    except RevisionNotFoundError as error:
        raise CheckpointError(f"{PREFIX}{address.repository} has no revision {address.revision!r}.") from error
    except LocalEntryNotFoundError as error:
        raise CheckpointError(f"{shown} is not on this machine, and the Hub is out of reach.") from error
    except Exception as error:  # of its client, and of the HTTP client that this stands on
        raise CheckpointError(f"{shown} cannot be fetched: {first_line(error)}") from error


def first_line(error: Exception) -> str:
    """What an error of the Hub's client says first, or what it is called where it says nothing."""
    return printable(next(iter(str(error).splitlines()), type(error).__name__))
