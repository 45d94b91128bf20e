"""A checkpoint's README on the Hub, from its card: front matter that the Hub reads, and what a reader should know.

Nothing is said that the card does not say. The front matter is YAML whose values are written as JSON, which is YAML.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msecnn.checkpoint_card import NON_COMMERCIAL

#: The Hub's name of the licence of weights that learned, by way of others, from what is for non-commercial use only.
NON_COMMERCIAL_LICENCE, NON_COMMERCIAL_TITLE = "cc-by-nc-sa-4.0", "CC BY-NC-SA 4.0"
#: The Hub's names of licences that a card may name at its beginning.
KNOWN_LICENCES = {"MIT": "mit", "CC0": "cc0-1.0", "CC BY 4.0": "cc-by-4.0", "CC BY-SA 4.0": "cc-by-sa-4.0"}
_SECTIONS = {
    "trained_on": "Trained on",
    "differences_from_paper": "Differences from the paper",
    "limits": "Limitations",
    "terms": "Terms",
}


def hub_licence(card: Mapping[str, Any]) -> dict[str, str]:
    """The one licence of a checkpoint's weights, as front matter.

    Terms that speak of non-commercial use decide, whatever the card calls its licence.
    """
    named = str(card.get("licence") or "")
    if NON_COMMERCIAL.search(str(card.get("terms") or "")) or NON_COMMERCIAL.search(named):
        return {"license": NON_COMMERCIAL_LICENCE}
    for title, identifier in KNOWN_LICENCES.items():
        if named.startswith(title):
            return {"license": identifier}
    return {"license": "other", "license_name": named or "not named"}


def hub_readme(card: Mapping[str, Any], name: str, repository: str | None = None) -> str:
    """The whole README.

    Args:
        card: the content of `card.json`.
        name: the checkpoint's.
        repository: OWNER/NAME, for the line of code that loads it.
    """
    front = "\n".join(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in _front(card, name).items())
    return f"---\n{front}\n---\n\n" + "\n\n".join(_paragraphs(card, name, repository)) + "\n"


def _front(card: Mapping[str, Any], name: str) -> dict[str, Any]:
    results = [_result(metric, card) for metric in card.get("metrics", [])]
    front: dict[str, Any] = {
        "library_name": "msecnn",
        "pipeline_tag": "audio-classification",
        **hub_licence(card),
        "tags": ["music", "music-tagging", "explainability", str(card["architecture"])],
    }
    if results:
        front["model-index"] = [{"name": name, "results": results}]
    return front


def _result(metric: Mapping[str, Any], card: Mapping[str, Any]) -> dict[str, Any]:
    """One figure; its protocol goes along as its name on the Hub, since a figure without one says nothing."""
    data = str(card.get("data", {}).get("name", "not named")) if isinstance(card.get("data"), Mapping) else "not named"
    kind = str(metric["name"]).lower().replace(" ", "_")
    named = f"{metric['name']} (n = {metric.get('n', 'unknown')}): {metric.get('protocol', 'no protocol was kept')}"
    return {
        "task": {"type": "audio-classification", "name": "music tagging"},
        "dataset": {"type": "other", "name": data},
        "metrics": [{"type": kind, "name": named, "value": metric["value"]}],
    }


def _paragraphs(card: Mapping[str, Any], name: str, repository: str | None) -> Iterator[str]:
    yield f"# {name}"
    if card.get("untrained"):
        yield "**Random weights.** Its numbers mean nothing about music."
    n_tags = len(card["tags"])
    yield f"{card['architecture']}, {card.get('n_parameters', 0):,} parameters, {n_tags} tags, for the program msecnn:"
    yield f"```python\n{_code(repository)}\n```"
    for key, title in _SECTIONS.items():
        if card.get(key):
            yield f"## {title}\n\n{card[key]}"
    yield f"## Licence\n\n{_licence_words(card)}"
    if metrics := card.get("metrics"):
        yield "## Metrics\n\n" + _table(metrics)
    yield f"## Tags\n\n{', '.join(map(str, card['tags']))}"


def _code(repository: str | None) -> str:
    source = f"hf://{repository}" if repository else "this folder"
    return f'from msecnn.tagger import Tagger\n\nprediction = Tagger.from_checkpoint("{source}").tag("song.mp3")'


def _licence_words(card: Mapping[str, Any]) -> str:
    licence = hub_licence(card)
    if licence["license"] == NON_COMMERCIAL_LICENCE:
        return (
            f"The weights are under {NON_COMMERCIAL_TITLE}: not for commercial use, with attribution, shared under the "
            "same terms. What they learned from asks for that; see Terms."
        )
    return f"The weights are under {card.get('licence') or 'no licence that was named'}."


def _table(metrics: Sequence[Mapping[str, Any]]) -> str:
    rows = ["| metric | value | 95 % interval | n | protocol |", "|---|--:|---|--:|---|"]
    for metric in metrics:
        ends = metric.get("interval")
        interval = f"{ends[0]} to {ends[1]}" if ends else ""
        cells = (metric["name"], metric["value"], interval, metric.get("n", ""), metric.get("protocol", ""))
        rows.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(rows)
