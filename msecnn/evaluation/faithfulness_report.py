"""A study of faithfulness for people: tables of six columns at most, all figures beside them, and how it was made."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msecnn.checkpoint import Checkpoint
from msecnn.evaluation.faithfulness_study import Study
from msecnn.evaluation.localisation import MOMENTS_S
from msecnn.evaluation.report import estimate
from msecnn.evaluation.sound_faithfulness import BLOCKS, EVIDENCE, LOUDEST_BLOCKS, LOUDEST_CELLS
from msecnn.evaluation.tables import Report, Table
from msecnn.explain import TOP_SHARE
from msecnn.explain.comparison import ALL, Interval, Row, differences, intervals
from msecnn.explain.faithfulness import BLIND_ORDERS
from msecnn.explain.faithfulness_card import measured_methods
from msecnn.explain.masked_metrics import METRICS, PERCENTAGES
from msecnn.explain.order_measures import CURVES, at_share, of_fill, other_fills

#: The share of the cells, in percent, that tables for people are about.
SHOWN_SHARE = 10
#: The order of sounds that each other one is compared with.
OVER_LOUDNESS = {EVIDENCE: LOUDEST_CELLS, BLOCKS: LOUDEST_BLOCKS}
#: What is measured of few clips, with its heading.
CHECKS = {
    "infidelity": "infidelity",
    "sparseness": "sparseness",
    "complexity": "complexity",
    "sensitivity": "max. sensitivity",
    "randomisation": "shuffled, signed",
    "randomisation_absolute": "shuffled, absolute",
    "noise_reference": "noise, signed",
    "noise_reference_absolute": "noise, absolute",
    "random_reference": "two random, signed",
    "random_reference_absolute": "two random, absolute",
}


def faithfulness_report(study: Study) -> Report:
    """All that a study says; for a terminal, a page, or files."""
    return Report(
        [
            sentence(study),
            _curves(study),
            *_paired(study),
            _masked(study),
            _checks(study),
            *_sounds(study),
            *_mixes(study),
        ]
    )


def verdicts_report(checkpoints: Iterable[Checkpoint]) -> Report:
    """What is known of every method of each model, by the study that measured it last."""
    gains = [name for name in CURVES if "gain" in name]
    beats = [f"beats {order}" for order in BLIND_ORDERS]
    header = ["model", "method", "scale", "clips", *beats, "fill", "seed", *gains]
    rows = [
        [checkpoint.name, method, row["scale"], str(found["protocol"]["n"])]
        + ["yes" if row[f"beats_{order}"] else "no" for order in BLIND_ORDERS]
        + [found["protocol"]["baseline"], str(found["protocol"]["seed"])]
        + [_figure(Interval(**row["measures"][gain])) for gain in gains]
        for checkpoint in checkpoints
        for method, found in measured_methods(checkpoint).items()
        for row in found["rows"]
    ]
    brief = [row for row in rows if row[2] == ALL]
    shown = ["model", "method", "clips", *beats, "fill"]
    return Report([Table("faithfulness_verdicts", header, rows, shown, brief)])


def sentence(study: Study) -> str:
    """How the study was made."""
    protocol = study.protocol
    left_out = f"; not of the split's first {protocol['n_first']}" if protocol["n_first"] else ""
    named = f"; without {', '.join(protocol['left_out'])}" if protocol["left_out"] else ""
    return (
        f"{protocol['n']} clips of {protocol['data']}, {protocol['split']}, manifest {protocol['manifest_hash'][:12]}"
        f"{left_out}{named}; each with the tag the model finds most probable; maps from the {protocol['baseline']}; "
        f"curves at {protocol['steps']} points and at {', '.join(map(str, PERCENTAGES))} % of the cells; gains in "
        f"units of the logit; means with 95 % bootstrap intervals over clips; seed {protocol['seed']}."
    )


def _curves(study: Study) -> Table:
    """Whether each method beats blind orders, and by how much; of single scales in the file only."""
    gains = {
        f"{curve}, gain over {order}": f"{curve}_gain_{order}"
        for order in BLIND_ORDERS
        for curve in ("deletion", "insertion")
    }
    header = ["model", "method", "scale", *(f"beats {order}" for order in BLIND_ORDERS), "fill", *gains]
    rows = [
        [row.model, row.method, row.scale, *_beaten(row, fill), fill or study.protocol["baseline"]]
        + [_figure(row.measures.get(of_fill(fill, gain))) for gain in gains.values()]
        for row in study.rows
        for fill in ("", *other_fills(row.measures))
    ]
    shown = ["model", "method", "scale", "beats random", "beats loudness", "fill"]
    return Table("faithfulness_curves", header, rows, shown, [row for row in rows if row[2] == ALL])


def _beaten(row: Row, fill: str) -> list[str]:
    return ["yes" if row.beats(order, fill) else "no" for order in BLIND_ORDERS]


def _paired(study: Study) -> list[str | Table]:
    """What the first method has above every other, on the same clips."""
    first, *others = dict.fromkeys(row.method for row in study.rows)
    rows = []
    for other in (*others, *BLIND_ORDERS):
        of_all = (row for row in study.judged if row["scale"] == ALL)
        for (model,), found in differences(of_all, ("model",), first, other, seed=study.protocol["seed"]).items():
            for fill in ("", *other_fills(found)):
                gains = [found[of_fill(fill, f"{curve}_gain_random")] for curve in ("deletion", "insertion")]
                rows.append([model, other, fill or study.protocol["baseline"], str(gains[0].n), *map(_figure, gains)])
    if not rows:
        return []
    said = f"By how much the curves of {first} are better than others', on the same clips:"
    return [said, Table("faithfulness_pairs", ["model", "than", "fill", "clips", "deletion", "insertion"], rows)]


def _masked(study: Study) -> Table:
    """What is said of the marked cells alone, and lost without them, in the mel."""
    header = ["model", "order", "fill", "share, %", *METRICS]
    rows = [
        [row.model, row.method, fill or study.protocol["baseline"], str(percentage)]
        + [_figure(row.measures[of_fill(fill, at_share(percentage, metric))], 2) for metric in METRICS]
        for row in (*study.rows, *study.blind_rows)
        if row.scale == ALL
        for fill in ("", *other_fills(row.measures))
        for percentage in PERCENTAGES
    ]
    brief = [row for row in rows if row[2:4] == [study.protocol["baseline"], str(SHOWN_SHARE)]]
    return Table("faithfulness_masked", header, rows, ["model", "order", "fill", "share, %", "AD", "FF_logit"], brief)


def _checks(study: Study) -> Table:
    rows = [
        [row.model, row.method, *(_figure(row.measures.get(name)) for name in CHECKS)]
        for row in study.rows
        if row.scale == ALL
    ]
    shown = ["model", "method", "sparseness", "complexity"]
    if study.protocol["n_slow"]:
        shown[2:] = ["infidelity", "shuffled, absolute", "noise, absolute", "two random, absolute"]
    return Table("faithfulness_checks", ["model", "method", *CHECKS.values()], rows, shown)


def _sounds(study: Study) -> list[str | Table]:
    """The strongest evidence made sound and tagged again, and whether events move what they claim to."""
    if not study.sounds:
        return []
    seed = study.protocol["seed"]
    keys, metrics = ("model", "order", "fill", "percentage"), ("cells", *METRICS)
    rows = [
        [model, order, fill, str(share), *(_figure(found[metric], 2) for metric in metrics)]
        for (model, order, fill, share), found in intervals(study.sounds, keys, seed=seed).items()
    ]
    shown = ["model", "order", "fill", "share, %", "AD", "FF_logit"]
    return [
        f"As sound, tagged again from the waveform on ({study.protocol['n_sounds']} clips):",
        Table("faithfulness_sounds", ["model", "order", "fill", "share, %", *metrics], rows, shown, _played(rows)),
        *_over_loudness(study),
        _events(study),
    ]


def _played(rows: list[list[str]]) -> list[list[str]]:
    """Those of the share that page and command line play."""
    return [row for row in rows if row[3] == str(round(100 * TOP_SHARE))]


def _over_loudness(study: Study) -> list[str | Table]:
    """What each order of blocks or cells has above the loudest ones."""
    sounds = [{**{name: row[name] for name in row if name != "order"}, "method": row["order"]} for row in study.sounds]
    keys, rows = ("model", "fill", "percentage"), []
    for order, loudest in OVER_LOUDNESS.items():
        found = differences(sounds, keys, order, loudest, seed=study.protocol["seed"])
        for (model, fill, share), of_group in found.items():
            rows.append([model, order, fill, str(share), *(_figure(of_group[name], 2) for name in ("AD", "FF_logit"))])
    said = "By how much these figures lie above those of as many of the loudest, on the same clips:"
    header = ["model", "order", "fill", "share, %", "AD", "FF_logit"]
    return [said, Table("faithfulness_sound_pairs", header, rows, (), _played(rows))]


def _events(study: Study) -> Table:
    kinds = {"as_claimed": "as claimed, %", "unmoved": "unmoved, %", "other_way": "other way, %"}
    found = intervals(study.events, ("model", "side"), seed=study.protocol["seed"])
    rows = [
        [model, side.replace("_", " "), str(of_side["unmoved"].n), *(_figure(of_side[kind], 1) for kind in kinds)]
        for (model, side), of_side in found.items()
    ]
    return Table("faithfulness_events", ["model", "events", "clips", *kinds.values()], rows)


def _mixes(study: Study) -> list[str | Table]:
    """Where maps find a clip that is laid over another, and what the first method has above the others."""
    if not study.mixes:
        return []
    seed, keys = study.protocol["seed"], ("model", "scale", "method")
    rows = [
        [*group, str(found["1 s"].n), *(_figure(found[moment], 3) for moment in MOMENTS_S)]
        for group, found in intervals(study.mixes, keys, seed=seed).items()
    ]
    said = f"ROC-AUC of moments against the known time, in mixes ({study.protocol['n_mixes']} clips):"
    brief = [row for row in rows if row[1] == ALL]
    return [said, Table("faithfulness_mixes", [*keys, "mixes", *MOMENTS_S], rows, (), brief), *_mix_pairs(study)]


def _mix_pairs(study: Study) -> list[str | Table]:
    first = study.protocol["methods"][0]
    others = [method for method in dict.fromkeys(row["method"] for row in study.mixes) if method != first]
    rows = []
    for other in others:
        paired: Sequence[Mapping[str, Any]] = study.mixes
        if other in BLIND_ORDERS:  # they have no scales: every scale is compared with the same order
            blind = {(row["model"], row["clip"]): row for row in study.mixes if row["method"] == other}
            own = [row for row in study.mixes if row["method"] == first]
            paired = [*own, *({**blind[row["model"], row["clip"]], "scale": row["scale"]} for row in own)]
        found = differences(paired, ("model", "scale"), first, other, seed=study.protocol["seed"])
        rows += [
            [*group, other, *(_figure(of_group[moment], 3) for moment in MOMENTS_S)]
            for group, of_group in found.items()
        ]
    said = f"By how much {first} lies above others in the same mixes:"
    brief = [row for row in rows if row[1] == ALL or row[2] == study.protocol["methods"][-1]]
    return [said, Table("faithfulness_mix_pairs", ["model", "scale", "than", *MOMENTS_S], rows, (), brief)]


def _figure(interval: Interval | None, digits: int = 3) -> str:
    return estimate(interval.mean, (interval.low, interval.high), digits) if interval else ""
