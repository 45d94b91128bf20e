"""What the page offers of edits: every one of the registry, with its own limits, and first values within them."""

import json

import pytest

from msecnn.ui.edit_choices import WORDS, edit_choices
from msecnn.what_if.channels import Stem
from msecnn.what_if.notation import EDITS, parse, parse_curve

CHOICES = {choice["name"]: choice for choice in edit_choices()}


def test_every_edit_without_a_file_is_offered_in_the_registry_s_order() -> None:
    assert list(CHOICES) == [name for name, kind in EDITS.items() if not issubclass(kind, Stem)]
    assert set(WORDS) == set(CHOICES)
    json.dumps(list(CHOICES.values()), allow_nan=False)


@pytest.mark.parametrize("name", CHOICES)
def test_limits_are_the_edit_s_own_and_first_values_make_one(name: str) -> None:
    choice, kind = CHOICES[name], EDITS[name]
    limits = {parameter.name: parameter.metadata for parameter in kind.numbers()}
    for parameter in choice["parameters"] if not choice["box"] else []:
        if parameter["name"] in limits:
            own = limits[parameter["name"]]
            assert (parameter["low"], parameter["unit"]) == (own["low"], own["unit"])
            assert parameter["high"] in (own["high"], None)
    values = ",".join(str(parameter["value"]) for parameter in choice["parameters"])
    text = f"{name}=1:2,300:400" if choice["box"] else f"{name}={values}" if values else name
    assert parse(text, files=False).name == name


@pytest.mark.parametrize("name", [name for name, choice in CHOICES.items() if choice["curve"]])
def test_a_curve_begins_within_the_limits(name: str) -> None:
    low, high = CHOICES[name]["curve"]
    kind = EDITS[name]
    for strength in parse_curve(f"{name}={low}:{high}:3")[1]:
        kind(**{kind.numbers()[0].name: strength})


def test_an_edit_with_a_strength_has_a_curve() -> None:
    assert {name for name, kind in EDITS.items() if kind.numbers()} == {n for n, c in CHOICES.items() if c["curve"]}
