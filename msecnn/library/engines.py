"""Who does the work of a run: this process, worker processes on all cores, or a cluster."""

import sys
from collections.abc import Iterator, Sequence
from typing import Any

from tqdm import tqdm

from msecnn.library.stamps import Engine
from msecnn.library.tagging_job import RecordingTagger
from msecnn.library.workers import n_cores, tag_in_workers

#: Up to so many files starting worker processes takes longer than it saves.
FEW = 4


def local_engine(tagger: RecordingTagger, *, here: bool, jobs: int | None = None) -> Engine:
    """An engine on this machine.

    Args:
        here: tag in this process unless `jobs` says otherwise: right for up to `FEW` files.
        jobs: worker processes; one a core if None.
    """
    if here and jobs is None:
        return lambda files: tag_here(files, tagger)
    server = None
    if tagger.taggers[0].runtime.on_gpu:
        from msecnn.library.serving import ModelServer

        server = ModelServer(tagger.taggers)
    return lambda files: tag_in_workers(files, tagger.job, jobs=jobs or n_cores(), server=server)


def cluster_engine(tagger: RecordingTagger, *, jobs: int | None = None) -> Engine:
    """An engine on a Ray cluster that is there."""
    from msecnn.library.cluster import tag_on_cluster

    return lambda files: tag_on_cluster(files, tagger.job, jobs=jobs)


def tag_here(files: Sequence[str], tagger: RecordingTagger) -> Iterator[tuple[int, dict[str, Any]]]:
    """Tags a few files in this process; the bar follows the seconds of a long one."""
    for index, file in enumerate(files):
        with tqdm(unit="s", leave=False, delay=2, disable=not sys.stderr.isatty()) as bar:

            def progress(tagged_s: float, whole_s: float | None, bar: Any = bar) -> None:
                bar.total = whole_s and round(whole_s)
                bar.update(round(tagged_s) - bar.n)

            yield index, tagger(file, progress=progress)
