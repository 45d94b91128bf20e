"""What is done to every recording of a library, and the one place where a recording becomes an answer."""

import hashlib
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from msecnn import checkpoint
from msecnn.errors import MsecnnError
from msecnn.files import printable
from msecnn.runtimes import fastest
from msecnn.tagger import SCHEMA, Tagger, answer_json, tag

logger = logging.getLogger(__name__)

#: Called with seconds heard so far, and seconds of the whole where they are known.
Progress = Callable[[float, float | None], None]


@dataclass(frozen=True)
class TaggingJob:
    """Models and settings; plain values, so that it travels to other processes and machines.

    Attributes:
        models: names of bundled checkpoints, or folders.
        hop_s: seconds between windows; a window's length if None.
        device: where the models run; a GPU if there is one if None.
        dtype: "float32" or "bfloat16".
        runtime: "onnx" or "torch"; torch if None and it is installed.
    """

    models: tuple[str, ...]
    hop_s: float | None = None
    device: str | None = None
    dtype: str = "float32"
    runtime: str | None = None

    @classmethod
    def soonest(cls, models: Sequence[str], **settings: Any) -> "TaggingJob":
        """On the runtime that tags these models' files soonest, if none is named."""
        job = cls(tuple(models), **settings)
        if job.runtime is not None:
            return job
        checkpoints = [checkpoint.load(model) for model in models]
        return replace(job, runtime=fastest(checkpoints, device=job.device, dtype=job.dtype))

    def identity(self) -> dict[str, Any]:
        """All that the answers depend on: the settings and the checkpoints, whose cards hold the weights' hashes."""
        folders = [checkpoint.load(model).folder for model in self.models]
        cards = [
            [folder.name, hashlib.sha256((folder / checkpoint.CARD).read_bytes()).hexdigest()] for folder in folders
        ]
        settings = asdict(self) | {"models": cards}
        if self.runtime != "onnx":  # torch's answers are the same whether it was named or found
            del settings["runtime"]
        return settings


class RecordingTagger:
    """The models of a job, loaded; turns a recording into an answer and never raises because of it.

    Args:
        n_threads: of each model, on a CPU; as many as there are cores if None.
    """

    def __init__(self, job: TaggingJob, *, n_threads: int | None = None) -> None:
        self.job = job
        how: dict[str, Any] = {"device": job.device, "dtype": job.dtype, "runtime": job.runtime, "n_threads": n_threads}
        self.taggers = [Tagger.from_checkpoint(name, **how) for name in job.models]

    @property
    def tags(self) -> list[str]:
        """All models' tags, each once."""
        return list(dict.fromkeys(name for tagger in self.taggers for name in tagger.checkpoint.tags))

    def __call__(self, file: str, *, progress: Progress | None = None) -> dict[str, Any]:
        """`answer_json`'s object for one recording, or `{"file", "error"}`."""
        try:
            if os.path.isdir(file):
                return error_answer(file, f"“{printable(file)}” is a folder; --recursive tags what is in it.")
            predictions = tag(file, self.taggers, hop_s=self.job.hop_s, keep_mel=False, progress=progress)
        except MsecnnError as error:
            return error_answer(file, str(error))
        except Exception:  # one file must not stop 50,000 others
            logger.debug("tagging %r failed", file, exc_info=True)
            name = printable(os.path.basename(file))
            return error_answer(file, f"“{name}” could not be tagged, by a fault of this program.")
        return answer_json(file, predictions)


def error_answer(file: str, error: str) -> dict[str, Any]:
    """The answer for a file that could not be used."""
    return {"schema": SCHEMA, "file": file, "error": error}
