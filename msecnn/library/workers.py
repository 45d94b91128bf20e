"""Recordings to answers on all cores: one process a core, each with its own models on one thread, or a GPU for all.

Processes rather than threads: one model call at a time may run in a process (`MODEL_LOCK`), and a file that kills its
decoder then takes no other with it.
"""

import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from multiprocessing import connection, get_all_start_methods, get_context, parent_process
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from msecnn.files import printable
from msecnn.library.result_journal import LibraryError
from msecnn.library.tagging_job import RecordingTagger, TaggingJob, error_answer

if TYPE_CHECKING:
    from msecnn.library.serving import ModelServer

#: How a worker process starts: plain fork would copy the locks that torch's threads hold. Windows has spawn only.
START = "forkserver" if "forkserver" in get_all_start_methods() else "spawn"
#: Files that a worker has been given: the one it works on and the next, so that it never waits for us.
AHEAD = 2
#: A file whose worker died is tried once more, for the worker may have been killed for other reasons.
TRIES = 2
#: So many workers in a row that end before they are ready, and no more are started.
FAILED_STARTS = 3


def n_cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def tag_in_workers(
    files: Sequence[str], job: TaggingJob, *, jobs: int, server: "ModelServer | None" = None
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Tags files in worker processes, which end with this one however it ends.

    Args:
        jobs: how many at once.
        server: runs the networks in this process, for all workers; without it each has its own.

    Yields:
        Index into `files` and answer, as they become ready, each once.

    Raises:
        LibraryError: workers cannot be started.
    """
    todo, lost, n_failed_starts = deque(range(len(files))), Counter[int](), 0
    workers = [_Worker(job, server) for _ in range(min(jobs, len(files)))]
    try:
        while todo or any(worker.given for worker in workers):
            for worker in workers:
                worker.give(todo, files)
            pipes = {worker.pipe: i for i, worker in enumerate(workers)}
            requests = [worker.requests for worker in workers if worker.requests]
            ready = connection.wait([*pipes, *requests])
            if server:
                server.answer([pipe for pipe in requests if pipe in ready])
            for i in (pipes[pipe] for pipe in pipes if pipe in ready):
                try:
                    message = workers[i].receive()
                except (EOFError, OSError):
                    dead, workers[i] = workers[i], _Worker(job, server)
                    index = dead.reclaim(todo)
                    n_failed_starts += not dead.ready
                    if n_failed_starts == FAILED_STARTS:
                        raise LibraryError(
                            f"Worker processes end as they start (status {dead.process.exitcode})."
                        ) from None
                    if index is not None:
                        lost[index] += 1
                        if lost[index] < TRIES:
                            todo.appendleft(index)
                        else:
                            yield index, error_answer(files[index], _crash_message(files[index]))
                else:
                    n_failed_starts = 0
                    if message is not None:
                        yield message
    finally:
        for worker in workers:
            worker.stop()
        for worker in workers:
            worker.process.join()


def _crash_message(file: str) -> str:
    name = printable(os.path.basename(file))
    return f"“{name}” ended the process that read it, {TRIES} times: it may be too much for the memory."


def preloaded(runtime: str | None) -> list[str]:
    """Modules that every worker needs, with the libraries that take longest to load."""
    return [RecordingTagger.__module__, f"msecnn.runtimes.{runtime or 'torch'}_runtime"]


class _Worker:
    """A worker process as its parent sees it."""

    def __init__(self, job: TaggingJob, server: "ModelServer | None") -> None:
        context: Any = get_context(START)
        if START == "forkserver":
            context.set_forkserver_preload(preloaded(job.runtime))  # imported once for all workers
        self.pipe, *theirs = context.Pipe()
        self.requests: Connection | None = None
        if server:
            self.requests, asking = context.Pipe()
            theirs.append(asking)
        self.process = context.Process(target=_work, args=(job, *theirs), daemon=True)
        self.process.start()
        for end in theirs:
            end.close()
        self.ready = False
        self.given: deque[int] = deque()

    def give(self, todo: deque[int], files: Sequence[str]) -> None:
        """Hands over files until the worker has enough."""
        while self.ready and todo and len(self.given) < AHEAD:
            try:
                self.pipe.send((todo[0], files[todo[0]]))
            except OSError:  # it has just died; `receive` will tell
                return
            self.given.append(todo.popleft())

    def receive(self) -> tuple[int, dict[str, Any]] | None:
        """An answer, or None: the worker is ready."""
        message: tuple[int, dict[str, Any]] | None = self.pipe.recv()
        if message is None:
            self.ready = True
        else:
            self.given.remove(message[0])
        return message

    def reclaim(self, todo: deque[int]) -> int | None:
        """Puts back what a dead worker had not begun; returns what it was working on."""
        self.stop()
        self.process.join()
        index = self.given.popleft() if self.given else None
        todo.extendleft(reversed(self.given))
        return index

    def stop(self) -> None:
        for pipe in filter(None, (self.pipe, self.requests)):
            pipe.close()
        self.process.terminate()


def _work(job: TaggingJob, pipe: Connection, asking: Connection | None = None) -> None:
    """A worker's life; with `asking`, another process runs its networks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    threading.Thread(target=_end_with_parent, daemon=True).start()
    tagger = RecordingTagger(job if asking is None else replace(job, device="cpu", dtype="float32"), n_threads=1)
    if asking is not None:
        from msecnn.library.serving import RemoteRuntime

        for i, remote in enumerate(tagger.taggers):
            remote.runtime = RemoteRuntime(remote.checkpoint, asking, i)
    try:
        pipe.send(None)
        while True:
            index, file = pipe.recv()
            pipe.send((index, tagger(file)))
    except (EOFError, OSError):  # the parent is done, or gone
        return


def _end_with_parent() -> None:
    """Waits for the parent's end, even by SIGKILL, so that no orphan goes on with an hour-long file."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
