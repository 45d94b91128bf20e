"""Write docs/models.md, the bundled models' cards for people, from each checkpoint's card.json.

python recipes/render_cards.py
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "models.md"

INTRODUCTION = """# The models' cards

For everybody who uses the weights. Written by `python recipes/render_cards.py` from `checkpoints/**/card.json`; a test
holds this page to them. The command `python -m msecnn models` prints the shortest form of it.
"""
#: Sections that are prose in the card: its key and the heading here.
PROSE = {
    "trained_on": "Trained on",
    "limits": "Limits",
    "differences_from_paper": "Differences from the paper",
    "licence": "Licence",
    "terms": "Terms",
}


def render(checkpoints: Path = ROOT / "checkpoints") -> str:
    """The whole page."""
    cards = [
        json.loads(path.read_text(encoding="utf-8"))
        for folder in ("*", "table1/*")  # the two networks first, then the other systems of Table 1
        for path in sorted(checkpoints.glob(f"{folder}/card.json"))
    ]
    return "\n".join([INTRODUCTION, *(line for card in cards for line in _card(card))]) + "\n"


def _card(card: dict[str, Any]) -> Iterator[str]:
    yield from (f"## {card['name']}", "")
    if card.get("untrained"):
        yield from ("**Its weights are random: its numbers mean nothing.**", "")
    yield from _facts(card)
    for key, heading in PROSE.items():
        if key in card:
            yield from (f"**{heading}.** {_text(card[key])}", "")
    for entry in card.get("known_contradictions", ()):
        where = f"{entry['command']} in the command, {entry['configuration']} in the configuration"
        yield from (f"**{entry['option'].capitalize()}: {where}.** {_text(entry['explanation'])}", "")
    yield from _teachers(card)
    yield from _metrics(card.get("metrics"))
    yield from _scales(card.get("variance_share_per_scale"))
    yield from _calibration(card.get("calibration"))


def _facts(card: dict[str, Any]) -> Iterator[str]:
    front_end = card["front_end"]
    sound = (
        f"{front_end['sample_rate']} Hz, {front_end['n_mels']} mel bands, "
        f"{front_end['n_frames']} frames of {front_end['hop_length']} samples"
    )
    run = card.get("run", {})
    facts = {
        "architecture": f"`{card['architecture']}`, {card['n_parameters']:,} parameters",
        "input": sound,
        "answers with": f"{len(card['tags'])} tags",
        "data": _data(card.get("data")),
        "seed": (run.get("config") or {}).get("seed"),
        "commit": f"`{run['commit']}`" if run.get("commit") else None,
        "versions": ", ".join(f"{name} {version}" for name, version in run.get("versions", {}).items()),
        "weights' SHA-256": f"`{card['sha256']}`",
    }
    yield from _table(("", ""), ((name, value) for name, value in facts.items() if value not in (None, "")))


def _data(data: dict[str, Any] | None) -> str | None:
    if not data:
        return None
    return f"{data['name']}: {data['n_train']} training and {data['n_valid']} validation clips"


def _teachers(card: dict[str, Any]) -> Iterator[str]:
    given = [*card.get("teachers", ()), *([card["warm_start"]] if card.get("warm_start") else ())]
    if given:
        yield from ("Others' work in it:", "")
        rows = ((one["name"], one["source"], one["licence"], one.get("notice", "")) for one in given)
        yield from _table(("network", "source", "licence", "notice"), rows)


def _metrics(metrics: list[dict[str, Any]] | None) -> Iterator[str]:
    if metrics:
        rows = ((one["name"], _value(one), one.get("n", ""), one.get("protocol", "")) for one in metrics)
        yield from _table(("measure", "value", "clips", "protocol"), rows)


def _value(metric: dict[str, Any]) -> str:
    interval = metric.get("interval")
    return f"{metric['value']}" + (f" ({interval[0]} to {interval[1]})" if interval else "")


def _scales(shares: dict[str, float] | None) -> Iterator[str]:
    if shares:
        yield from ("Share of the variance of the logits that each scale carries:", "")
        yield from _table(shares, [[f"{share:.1%}" for share in shares.values()]])


def _calibration(bins: list[dict[str, Any]] | None) -> Iterator[str]:
    if bins:
        yield from ("Probabilities beside the teachers' mean, on the clips that also set the calibration:", "")
        rows = ((f"{one['claimed']:.3f}", f"{one['true']:.3f}", one["n"]) for one in bins)
        yield from _table(("predicted, on average", "teachers' mean, on average", "clips x tags"), rows)


def _table(heading: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    heading = list(heading)
    yield f"| {' | '.join(heading)} |"
    yield "|" + "---|" * len(heading)
    for row in rows:
        yield f"| {' | '.join(_text(cell) for cell in row)} |"
    yield ""


def _text(value: Any) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")


def main() -> None:
    PAGE.write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
