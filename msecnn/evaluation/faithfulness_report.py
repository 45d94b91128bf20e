"""A study of faithfulness for people: a table as plain text or Markdown, under a sentence that says how it was made."""

from msecnn.evaluation.faithfulness_study import Study
from msecnn.explain.comparison import ALL
from msecnn.explain.faithfulness import BLIND_ORDERS

HEADINGS = {
    "deletion_gain_random": "deletion, gain over random",
    "deletion_gain_loudness": "deletion, gain over loudness",
    "insertion_gain_random": "insertion, gain over random",
    "insertion_gain_loudness": "insertion, gain over loudness",
    "infidelity": "infidelity",
    "sensitivity": "max. sensitivity",
    "randomisation": "rank correlation, weights shuffled",
    "randomisation_absolute": "the same of absolute maps",
    "noise_reference": "rank correlation, clip under .5 dB of noise",
    "noise_reference_absolute": "the same of absolute maps (noise)",
    "random_reference": "rank correlation, two random networks",
    "random_reference_absolute": "the same of absolute maps (random networks)",
}


def plain(study: Study) -> str:
    """Columns set side by side."""
    lines = _cells(study)
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    rows = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([sentence(study), *rows])


def markdown(study: Study) -> str:
    """A Markdown table of all rows."""
    headings, *lines = _cells(study)
    rows = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([f"{sentence(study)}\n", f"| {' | '.join(headings)} |", f"|{'---|' * len(headings)}", *rows])


def summary(study: Study) -> str:
    """A Markdown table of the rows for all scales together."""
    return markdown(Study(tuple(row for row in study.rows if row.scale == ALL), study.protocol))


def sentence(study: Study) -> str:
    """How the study was made."""
    protocol = study.protocol
    return (
        f"{protocol['n']} clips of {protocol['data']}, {protocol['split']}, manifest {protocol['manifest_hash'][:12]}; "
        f"each with the tag the model finds most probable; removed cells become the {protocol['baseline']}; gains in "
        f"units of the logit; means with 95 % bootstrap intervals over clips; sensitivity and shuffled weights on "
        f"{protocol['n_slow']} of them; seed {protocol['seed']}."
    )


def _cells(study: Study) -> list[list[str]]:
    lines = [["model", "method", "scale", *(f"beats {order}" for order in BLIND_ORDERS), *HEADINGS.values()]]
    for row in study.rows:
        verdicts = ["yes" if row.beats(order) else "no" for order in BLIND_ORDERS]
        measured = [str(row.measures[name]) if name in row.measures else "" for name in HEADINGS]
        lines.append([row.model, row.method, row.scale, *verdicts, *measured])
    return lines
