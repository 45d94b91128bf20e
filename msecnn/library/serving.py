"""One process has the networks on the GPU and runs them for all others, whose windows it puts together to batches.

The workers decode and make the mels, which takes far longer than a GPU's part: it never waits for more than the cores
can give, and one process's memory is enough on it.
"""

from collections import defaultdict
from collections.abc import Sequence
from multiprocessing.connection import Connection

import numpy as np
from torch import Tensor

from msecnn.checkpoint import Checkpoint
from msecnn.runtimes.torch_runtime import GPU_BATCH, TorchRuntime
from msecnn.tagger import Tagger


class RemoteRuntime(TorchRuntime):
    """Makes the input here and has the network run by the server.

    Args:
        pipe: to the server.
        index: which of the server's networks this is.
    """

    def __init__(self, checkpoint: Checkpoint, pipe: Connection, index: int) -> None:
        super().__init__(checkpoint, device="cpu")
        self._pipe, self._index = pipe, index

    def run(self, inputs: Tensor | np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Logits (B, K) of mels or waveforms; features stay where they are made."""
        self._pipe.send((self._index, np.asarray(inputs)))
        return self._pipe.recv(), {}


class ModelServer:
    """The networks, and whoever asks for them."""

    def __init__(self, taggers: Sequence[Tagger]) -> None:
        self._taggers = taggers

    def answer(self, pipes: Sequence[Connection]) -> None:
        """Takes what waits in these pipes through the networks, and sends each its logits."""
        asked: dict[int, list[tuple[Connection, np.ndarray]]] = defaultdict(list)
        for pipe in pipes[:GPU_BATCH]:
            try:
                index, inputs = pipe.recv()
            except (EOFError, OSError):  # the worker died, as its other pipe will tell
                continue
            asked[index].append((pipe, inputs))
        for index, requests in asked.items():
            logits, _ = self._taggers[index].run(np.concatenate([inputs for _, inputs in requests]))
            ends = np.cumsum([len(inputs) for _, inputs in requests])
            for (pipe, _), part in zip(requests, np.split(logits, ends[:-1]), strict=True):
                try:
                    pipe.send(part)
                except OSError:
                    continue
