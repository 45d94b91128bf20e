"""Recordings to answers on the machines of a Ray cluster, by Ray Data.

Every machine has this package (and the checkpoints) installed and sees the files under the same paths. The driver keeps
the journal, so that a lost cluster loses no answer that has arrived.
"""

import json
import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from msecnn.files import printable
from msecnn.library.result_journal import LibraryError
from msecnn.library.tagging_job import RecordingTagger, TaggingJob, error_answer

#: Files that a worker takes at a time, and again one by one if it died over them more than `RETRIES` times.
BATCHES = (8, 1)
RETRIES = 1


def tag_on_cluster(
    files: Sequence[str], job: TaggingJob, *, jobs: int | None = None
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Tags files in Ray actors, each with its own models on one core (and a share of a GPU if the job asks for one).

    Args:
        jobs: actors at once; as many as the cluster has cores when None.

    Yields:
        Index into `files` and answer, as they become ready, each once.

    Raises:
        LibraryError: Ray is not installed, or there is no cluster.
    """
    _connect()
    job = replace(job, models=tuple(_absolute(model) for model in job.models))
    missing = dict(enumerate(files))
    for batch in BATCHES:
        for index, answer in _pass(missing.copy(), job, jobs, batch) if missing else ():
            if missing.pop(index, None) is not None:
                yield index, {**answer, "file": files[index]}
    for index, file in missing.items():
        name = printable(os.path.basename(file))
        yield (
            index,
            error_answer(file, f"“{name}” ended every process that read it: it may be too much for the memory."),
        )


def _absolute(model: str) -> str:
    """A folder's path as it is from anywhere; a bundled model's name as it is."""
    return os.path.abspath(model) if os.path.isdir(model) else model


def _connect() -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nobody is told that we run
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise LibraryError("A cluster needs Ray: pip install 'ray[data]'.") from error
    try:
        ray.init(address="auto", ignore_reinit_error=True, logging_level=logging.ERROR, log_to_driver=False)
    except ConnectionError as error:
        raise LibraryError(
            "There is no Ray cluster here: start one with `ray start --head`, or set RAY_ADDRESS."
        ) from error
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.max_errored_blocks = -1  # what a dead worker leaves undone is ours to give out again


def _pass(files: dict[int, str], job: TaggingJob, jobs: int | None, batch: int) -> Iterator[tuple[int, dict[str, Any]]]:
    import ray
    import ray.data

    actor: Any = _ActorTagger  # a class, which Ray's annotations do not foresee
    n_actors = jobs or max(1, int(ray.cluster_resources().get("CPU", 1)))
    rows = [{"index": index, "file": os.fsencode(os.path.abspath(file))} for index, file in files.items()]
    dataset = ray.data.from_items(rows, override_num_blocks=-(-len(rows) // batch))
    with warnings.catch_warnings():  # Ray 2.60 wants retries to be passed in a way that it does not have yet
        warnings.simplefilter("ignore", ray.util.annotations.RayDeprecationWarning)
        answered = dataset.map(
            actor,
            fn_constructor_args=(job,),
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=n_actors),
            num_cpus=1,
            num_gpus=1 / n_actors if job.device == "cuda" else None,
            max_task_retries=RETRIES,
        )
    try:
        for row in answered.iter_rows():
            yield row["index"], json.loads(row["answer"])
    except ray.exceptions.RayError as error:
        reason = str(error).strip().splitlines()[-1]
        raise LibraryError(f"The cluster gave up: {printable(reason)}; the answers so far are kept.") from error


class _ActorTagger:
    """The models in an actor; answers travel as JSON, whose fields differ between tagged files and errors."""

    def __init__(self, job: TaggingJob) -> None:
        self._tagger = RecordingTagger(job, n_threads=1)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        return {"index": row["index"], "answer": json.dumps(self._tagger(os.fsdecode(row["file"])))}
