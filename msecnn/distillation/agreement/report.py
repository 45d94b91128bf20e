"""A judgement by an ensemble of teachers, as the tables that people read."""

from collections.abc import Sequence

from msecnn.distillation.agreement.comparison import ENSEMBLE, Contrast, TeacherComparison
from msecnn.distillation.agreement.metrics import FIGURES, Agreement, Figure
from msecnn.distillation.agreement.scale_study import ScaleStudy
from msecnn.evaluation.report import difference_cell, number, spread, table

SHORT = ("roc_auc_top", "pr_auc_top", "spearman", "top5", "mae")


def judgement(found: TeacherComparison, *, markdown: bool = False) -> str:
    """Everything found, subset by subset."""
    head = (
        f"{found.data}, split {found.split}: {found.n_clips:,} clips. Reference: the mean probability of "
        f"{', '.join(found.ensemble)}. Top 10 %: each tag's most probable tenth of the clips counts as positive; "
        "prevalence: as many as carry the tag in MagnaTagATune. Means over tags or clips. In brackets: 95 % "
        f"intervals from {found.n_replicates:,} bootstrap replicates of tracks, seed {found.seed}."
    )
    parts = [head]
    for subset in dict.fromkeys(each.subset for each in found.agreements):
        own = [each for each in found.agreements if each.subset == subset]
        title = f"{subset.capitalize()}: {own[0].n_clips:,} clips of {own[0].n_groups:,} tracks."
        parts += [title, _agreements(own, markdown=markdown)]
    contrasts = [each for each in found.contrasts if each.subset == found.subset]
    parts += [
        f"First minus second on {found.subset}, paired; where a side has several runs, they are drawn anew too.",
        _contrasts(contrasts, markdown=markdown),
        f"ROC-AUC on what is known for certain: sung clips against others on {found.subset}, by the highest and by "
        "the mean probability of the voice tags; known labels on all clips (positive/negative clips in brackets).",
        _known(found, markdown=markdown),
        *(_scales(each, markdown=markdown) for each in found.scales),
        f"Per tag, {found.subset}, with the {ENSEMBLE}: ROC-AUC / PR-AUC of its top tenth, Spearman.",
        _per_tag(found, markdown=markdown),
    ]
    return "\n\n".join(parts)


def _bracketed(figure: Figure | None, digits: int = 3) -> str:
    if figure is None:
        return number(None)
    return f"{number(figure.value, digits)} [{spread(figure.interval, digits)}]"


def _agreements(agreements: Sequence[Agreement], *, markdown: bool) -> str:
    rows = [
        [each.system, each.reference]
        + [_bracketed(each.figures[name], 4 if name in ("mae", "bias") else 3) for name in FIGURES]
        for each in agreements
    ]
    return table(["system", "compared with", *FIGURES.values()], rows, markdown=markdown)


def _contrasts(contrasts: Sequence[Contrast], *, markdown: bool) -> str:
    rows = []
    for each in contrasts:
        with_what = dict.fromkeys([each.first_reference, each.second_reference])
        cells = [difference_cell(each.figures[name], 4 if name == "mae" else 3) for name in SHORT]
        rows.append([f"{each.first} − {each.second}", " and ".join(with_what), *cells])
    return table(["", "compared with", *(FIGURES[name] for name in SHORT)], rows, markdown=markdown)


def _known(found: TeacherComparison, *, markdown: bool) -> str:
    """One row a system: voices, then each tag with known labels."""
    first, counts = found.known_labels[0], found.voices[0]
    header = [
        "system",
        f"voices, highest ({counts.n_sung} sung, {counts.n_other} not)",
        "voices, mean",
        "known labels, mean over tags",
        *(f"{each.tag} ({each.n_positive}/{each.n_negative})" for each in first.per_tag),
    ]
    rows = [
        [known.system, _bracketed(voice.highest), _bracketed(voice.mean), _bracketed(known.macro)]
        + [number(each.roc_auc.value, 3) for each in known.per_tag]
        for known, voice in zip(found.known_labels, found.voices, strict=True)
    ]
    return table(header, rows, markdown=markdown)


def _scales(study: ScaleStudy, *, markdown: bool) -> str:
    """What the network owes to each scale."""
    average = "the average training clip" if study.mean_known else "the average of these clips"
    rows = [["all scales", *(_bracketed(study.whole.figures[name]) for name in SHORT), ""]]
    for each in study.ablations:
        cells = [_bracketed(each.figures[name]) for name in SHORT]
        rows.append([each.name, *cells, difference_cell(each.change["roc_auc_top"], 3)])
    shares = [[each.scale, _bracketed(each.share), _bracketed(each.own)] for each in study.shares]
    return "\n\n".join(
        [
            f"Scales of {study.system} on {study.subset}; a scale that is taken away is replaced by {average}.",
            table(["", *(FIGURES[name] for name in SHORT), "change of ROC-AUC"], rows, markdown=markdown),
            "Share of the logits' variance: covariance with the logit (adds up to 1), and each term's own variance.",
            table(["scale", "share", "own"], shares, markdown=markdown),
        ]
    )


def _per_tag(found: TeacherComparison, *, markdown: bool) -> str:
    own = [each for each in found.agreements if (each.subset, each.reference) == (found.subset, ENSEMBLE)]
    own = [each for each in own if each.system not in found.ensemble]
    rows = [
        [tag.tag]
        + [
            f"{number(t.roc_auc_top.value, 3)} / {number(t.pr_auc_top.value, 3)}, {number(t.spearman.value, 3)}"
            for each in own
            for t in [each.per_tag[k]]
        ]
        for k, tag in enumerate(own[0].per_tag)
    ]
    return table(["tag", *(each.system for each in own)], rows, markdown=markdown)
