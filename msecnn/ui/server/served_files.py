"""Files that the browser fetches: in this server's own folder, under names that nobody can guess."""

import secrets
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from gradio.processing_utils import save_file_to_cache
from gradio.utils import get_upload_folder

from msecnn.audio import write_wav
from msecnn.ui.server.made_files import FOLDER


def served(path: Path) -> dict[str, Any]:
    """A file for the browser, to which Gradio adds its address."""
    if Path(get_upload_folder()).resolve() not in path.resolve().parents:
        path = Path(save_file_to_cache(path, cache_dir=get_upload_folder()))
    return gr.FileData(path=str(path)).model_dump()


def served_wav(waveform: np.ndarray, sample_rate: int, name: str) -> dict[str, Any]:
    """A sound for the browser.

    Shape:
        - waveform: (T,)
    """
    path = new_file(f"{name}.wav")
    write_wav(path, waveform, sample_rate)
    return served(path)


def new_file(name: str) -> Path:
    """Where to write a file that only the visitor who is told its address can fetch."""
    folder = Path(get_upload_folder()) / FOLDER / secrets.token_hex(16)
    folder.mkdir(parents=True)
    return folder / name
