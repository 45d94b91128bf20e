"""Checkpoints on the Hub, against a stand-in of its HTTP interface: fetched, kept, checked, uploaded."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from hub_stand_in import HubStandIn, hub_stand_in, is_binary

from msecnn import checkpoint, hub
from msecnn.checkpoint import BUNDLED, CARD, SELFTEST, WEIGHTS, CheckpointError
from msecnn.frontend import MelConfig
from msecnn.hub_card import hub_licence, hub_readme
from msecnn.hub_publishing import push_to_hub, save_pretrained
from msecnn.models import registry
from msecnn.tagger import Tagger

NAME = "somebody/msecnn"
FILES = {path.name: path.read_bytes() for path in (BUNDLED / "msecnn").iterdir()}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubStandIn]:
    with hub_stand_in(monkeypatch, str(tmp_path / "cache")) as stand_in:
        yield stand_in


def out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)


def test_a_checkpoint_of_the_hub_is_the_bundled_one(server: HubStandIn) -> None:
    oid = server.put(NAME, FILES)
    tagger = Tagger.from_checkpoint(f"hf://{NAME}")
    ours = checkpoint.load("msecnn")
    assert tagger.checkpoint.name == "msecnn"
    assert oid in str(tagger.checkpoint.folder)
    for name, tensor in ours.model.state_dict().items():
        assert torch.equal(tensor, tagger.checkpoint.model.state_dict()[name])
    checkpoint.verify(tagger.checkpoint)


def test_it_is_fetched_once_and_found_without_the_hub(server: HubStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    server.put(NAME, FILES)
    checkpoint.load(f"hf://{NAME}")
    assert ("GET", f"/{NAME}/resolve/{server.heads[NAME]}/{WEIGHTS}") in server.asked
    server.asked.clear()
    checkpoint.load(f"hf://{NAME}")
    assert not [path for method, path in server.asked if method == "GET" and "/resolve/" in path]
    out_of_reach(monkeypatch)
    server.asked.clear()
    assert checkpoint.load(f"hf://{NAME}").name == "msecnn"
    assert server.asked == []


def test_a_revision_stays_what_it_was(server: HubStandIn) -> None:
    first = server.put(NAME, FILES)
    card = json.loads(FILES[CARD]) | {"limits": "changed afterwards"}
    server.put(NAME, {CARD: json.dumps(card).encode()})
    assert checkpoint.load(f"hf://{NAME}@{first}").card["limits"] != "changed afterwards"
    assert checkpoint.load(f"hf://{NAME}@main").card["limits"] == "changed afterwards"


def test_weights_that_the_card_does_not_name_are_refused(server: HubStandIn) -> None:
    server.put(NAME, {**FILES, WEIGHTS: FILES[WEIGHTS][:-1] + b"\1"})
    with pytest.raises(CheckpointError, match="SHA-256"):
        checkpoint.load(f"hf://{NAME}")


def test_other_programs_files_are_not_fetched(server: HubStandIn) -> None:
    server.put(NAME, {**FILES, "pytorch_model.bin": b"\0\1", "code.py": b"print()"})
    folder = hub.fetch(hub.HubAddress(NAME))
    assert {path.name for path in folder.iterdir()} == FILES.keys()


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("hf://somebody/nothing", "There is no hf://somebody/nothing@main"),
        (f"hf://{NAME}@{'0' * 7}", "has no revision '0000000'"),
        ("hf://somebody", "is no address on the Hub"),
        ("hf://a/b/c", "is no address on the Hub"),
        ("hf://../../etc", "is no address on the Hub"),
    ],
)
def test_what_is_not_there_is_said_in_a_sentence(server: HubStandIn, address: str, sentence: str) -> None:
    server.put(NAME, FILES)
    with pytest.raises(CheckpointError, match=sentence.replace(".", r"\.")):
        checkpoint.load(address)


def test_what_was_never_fetched_is_not_found_offline(server: HubStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    out_of_reach(monkeypatch)
    with pytest.raises(CheckpointError, match="not on this machine, and the Hub is out of reach"):
        checkpoint.load(f"hf://{NAME}")


@pytest.mark.parametrize("text", [f"hf://{NAME}@v1", f"hf:/{NAME}@v1", f"hf:\\{NAME}@v1".replace("/", "\\")])
def test_an_address_that_went_through_a_path_is_still_one(text: str) -> None:
    """The command line's options of folders are paths, which keep one slash of two, and turn them on Windows."""
    assert hub.parse(text) == hub.HubAddress(NAME, "v1")


def test_a_folder_is_no_address() -> None:
    assert hub.parse("msecnn") is None
    assert hub.parse(Path("hf") / "mine") is None


# ---- to the Hub
@pytest.fixture
def plain(tmp_path: Path) -> checkpoint.Checkpoint:
    """A checkpoint without teachers, under a free licence."""
    torch.manual_seed(0)
    model = registry.create("fcn5", n_tags=2)
    card = {"trained_on": "noise", "licence": "MIT", "limits": "knows nothing", "untrained": True}
    checkpoint.save(tmp_path / "plain", model, mel_config=MelConfig(), tags=("a", "b"), card=card)
    return checkpoint.load(tmp_path / "plain")


def test_what_is_saved_can_be_loaded_and_is_the_same(tmp_path: Path) -> None:
    folder = save_pretrained(checkpoint.load("msecnn"), tmp_path / "copy")
    assert {path.name for path in folder.iterdir()} == FILES.keys() | {"README.md"}
    assert (folder / WEIGHTS).read_bytes() == FILES[WEIGHTS]
    checkpoint.verify(checkpoint.load(folder))


def test_there_and_back(server: HubStandIn, plain: checkpoint.Checkpoint) -> None:
    address = push_to_hub(plain, "somebody/plain")
    back = checkpoint.load(address)
    assert address == f"hf://somebody/plain@{server.heads['somebody/plain']}"
    assert back.tags == plain.tags
    assert back.card == plain.card
    uploaded = server.commits["somebody/plain", server.heads["somebody/plain"]]
    assert uploaded.keys() == {WEIGHTS, CARD, SELFTEST, "README.md"}
    assert {content for content in uploaded.values() if is_binary(content)} == set(server.large.values())
    assert 'from_checkpoint("hf://somebody/plain")' in uploaded["README.md"].decode()


def test_what_is_not_whole_is_not_uploaded(server: HubStandIn, plain: checkpoint.Checkpoint) -> None:
    (plain.folder / SELFTEST).unlink()
    with pytest.raises(CheckpointError, match="not whole"):
        push_to_hub(plain, "somebody/plain")
    assert server.asked == []


def test_the_hubs_refusal_is_a_sentence(server: HubStandIn, plain: checkpoint.Checkpoint) -> None:
    server.refusal = "this organisation takes nothing from you"
    with pytest.raises(CheckpointError, match="The Hub does not take it") as caught:
        push_to_hub(plain, "somebody/plain")
    assert str(caught.value).isprintable()


def test_weights_say_what_they_are(plain: checkpoint.Checkpoint) -> None:
    from safetensors import safe_open

    with safe_open(plain.folder / WEIGHTS, "pt") as file:
        assert file.metadata() == {"format": "pt"}


# ---- the README
def front_matter(card: dict[str, Any], name: str) -> dict[str, Any]:
    import yaml

    front: dict[str, Any] = yaml.safe_load(hub_readme(card, name).split("---\n")[1])
    return front


@pytest.mark.parametrize("name", checkpoint.bundled())
def test_the_front_matter_is_what_the_hub_reads(name: str) -> None:
    from huggingface_hub import ModelCard

    card = checkpoint.load(name).card
    front = front_matter(card, name)
    assert (front["library_name"], front["pipeline_tag"]) == ("msecnn", "audio-classification")
    assert front["license"] == "cc-by-nc-sa-4.0"
    assert card["licence"].startswith("CC BY-NC-SA 4.0")
    read = ModelCard(hub_readme(card, name)).data.eval_results
    assert [result.metric_value for result in read] == [metric["value"] for metric in card["metrics"]]
    for result, metric in zip(read, card["metrics"], strict=True):
        assert metric["protocol"] in result.metric_name
        assert f"n = {metric['n']}" in result.metric_name


def test_the_readme_says_what_the_card_says(plain: checkpoint.Checkpoint) -> None:
    card = checkpoint.load("msecnn").card
    text = hub_readme(card, "msecnn")
    for key in ("trained_on", "limits", "terms", "differences_from_paper"):
        assert card[key] in text
    assert "Random weights" in hub_readme(plain.card, "plain")
    assert front_matter(plain.card, "plain")["license"] == "mit"
    assert "model-index" not in front_matter(plain.card, "plain")


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ({"licence": "MIT"}, {"license": "mit"}),
        ({"licence": "MIT", "terms": "learned from CC BY-NC-SA 3.0"}, {"license": "cc-by-nc-sa-4.0"}),
        ({"licence": "MIT", "terms": "3 clips are for non-commercial use only"}, {"license": "cc-by-nc-sa-4.0"}),
        ({"licence": "ask me"}, {"license": "other", "license_name": "ask me"}),
        ({}, {"license": "other", "license_name": "not named"}),
    ],
)
def test_one_licence(card: dict[str, str], licence: dict[str, str]) -> None:
    assert hub_licence(card) == licence


@pytest.mark.parametrize(("error", "told"), [(ValueError("one\ntwo"), "one"), (ValueError(), "ValueError")])
def test_an_error_of_the_hub_s_client_is_told_in_one_line(error: Exception, told: str) -> None:
    assert hub.first_line(error) == told
