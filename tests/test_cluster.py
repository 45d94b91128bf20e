"""A library on a Ray cluster: the same answers, and a killed worker loses nothing."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from msecnn import audio, checkpoint
from msecnn.frontend import MelConfig
from msecnn.library import cluster
from msecnn.library.tagging_job import RecordingTagger, TaggingJob
from msecnn.models import registry

pytestmark = pytest.mark.slow

#: Loopback, but not 127.0.0.1, which Ray would replace by the machine's outer address.
HOST = "127.0.0.2"


@pytest.fixture(scope="module")
def _two_workers() -> Iterator[None]:
    """A cluster on this machine with room for two workers, no dashboard and no reports home."""
    patch = pytest.MonkeyPatch()
    patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    patch.setenv("PYTHONPATH", str(Path(cluster.__file__).parents[2]))  # for the workers, who are elsewhere
    ray = pytest.importorskip("ray", reason="ray is not installed (extra: cluster)")
    pytest.importorskip("ray.data", reason="ray[data] is not installed (extra: cluster)")
    from ray.cluster_utils import Cluster

    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the workers cannot import this file
    head = {"num_cpus": 2, "object_store_memory": 100 * 2**20, "node_ip_address": HOST, "include_dashboard": False}
    nodes = Cluster(initialize_head=True, head_node_args=head)
    try:
        patch.setenv("RAY_ADDRESS", nodes.address)
        yield
    finally:
        ray.shutdown()
        nodes.shutdown()
        patch.undo()


@pytest.fixture(scope="module")
def tagger(tmp_path_factory: pytest.TempPathFactory) -> RecordingTagger:
    torch.manual_seed(3)
    torch.set_num_threads(1)
    network = registry.create("fcn5", n_tags=4).eval()
    network.input_norm.running_mean.fill_(-40)
    network.input_norm.running_var.fill_(400)
    folder = tmp_path_factory.mktemp("checkpoints") / "random"
    checkpoint.save(folder, network, mel_config=MelConfig(), tags=("a", "b", "c", "d"), card={"untrained": True})
    return RecordingTagger(TaggingJob((str(folder),), device="cpu"))


class FragileTagger(cluster._ActorTagger):
    """Dies of files called poison, as of a bug in a decoder."""

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        if b"poison" in row["file"]:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(row)


def actors() -> list[int]:
    """Process ids of the actors that tag."""
    names = {int(p.name): p / "cmdline" for p in Path("/proc").iterdir() if p.name.isdigit()}
    return [pid for pid, name in names.items() if name.exists() and b"ray::MapWorker" in name.read_bytes()]


@pytest.mark.usefixtures("_two_workers")
def test_killed_workers_lose_nothing(tagger: RecordingTagger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    files = [f"{i}.wav" for i in range(16)]
    for i, file in enumerate(files):
        noise = 0.1 * np.random.default_rng(i).standard_normal(12_000 * (1 + i % 5))
        audio.write_wav(file, noise.astype(np.float32), 12_000)
    Path(files[7]).write_bytes(b"no sound")
    Path("poison.wav").write_bytes(Path(files[0]).read_bytes())
    monkeypatch.setattr(cluster, "_ActorTagger", FragileTagger)
    monkeypatch.setattr(cluster, "RETRIES", 0)  # nor does it need Ray's own: what is missing is given out again

    answers: dict[int, dict[str, Any]] = {}
    n_killed = 0
    for index, answer in cluster.tag_on_cluster([*files, "poison.wav"], tagger.job):
        assert index not in answers
        answers[index] = answer
        if n_killed == 0:
            os.kill(actors()[0], signal.SIGKILL)
            n_killed += 1
    assert n_killed == 1
    assert [answers[i] for i in range(16)] == [tagger(file) for file in files]
    assert "ended every process" in answers[16]["error"]
