"""Agreement with an ensemble of teachers as paragraphs and tables."""

from collections.abc import Sequence

from msecnn.distillation.agreement.comparison import ENSEMBLE, Contrast, TeacherComparison
from msecnn.distillation.agreement.metrics import FIGURES, Agreement, Figure
from msecnn.distillation.agreement.scale_study import ScaleStudy
from msecnn.evaluation.report import difference_cell, estimate, number
from msecnn.evaluation.tables import Report, Table

SHORT = ("roc_auc_top", "pr_auc_top", "spearman", "top5", "mae")
#: The figures that a page shows; its CSV files have the others too.
ON_THE_PAGE = tuple(FIGURES[name] for name in SHORT if name != "mae")


def teacher_agreement(comparison: TeacherComparison) -> Report:
    """All that a comparison with teachers says, subset by subset."""
    subset = comparison.subset
    parts: list[str | Table] = [_protocol(comparison)]
    for name in dict.fromkeys(agreement.subset for agreement in comparison.agreements):
        own = [agreement for agreement in comparison.agreements if agreement.subset == name]
        title = f"{name.capitalize()}: {own[0].n_clips:,} clips of {own[0].n_groups:,} tracks."
        parts += [title, _agreements(name, own)]
    return Report(
        [
            *parts,
            f"First minus second on {subset}, paired; where a side has several runs, they are drawn anew too.",
            _contrasts([contrast for contrast in comparison.contrasts if contrast.subset == subset]),
            f"ROC-AUC on what is known for certain: sung clips against others on {subset}, by the highest and by the "
            "mean probability of the voice tags; known labels on all clips (positive/negative clips in brackets).",
            _known_labels(comparison),
            *(part for study in comparison.scales for part in _scales(study)),
            f"Per tag, {subset}, with the {ENSEMBLE}: ROC-AUC / PR-AUC of its top tenth, Spearman.",
            _per_tag(comparison),
        ]
    )


def _protocol(comparison: TeacherComparison) -> str:
    return (
        f"{comparison.data}, split {comparison.split}: {comparison.n_clips:,} clips. Reference: the mean probability "
        f"of {', '.join(comparison.ensemble)}. Top 10 %: each tag's most probable tenth of the clips counts as "
        "positive; prevalence: as many as carry the tag in MagnaTagATune. Means over tags or clips. In brackets: 95 % "
        f"intervals from {comparison.n_replicates:,} bootstrap replicates of tracks, seed {comparison.seed}."
    )


def _cell(figure: Figure | None, digits: int = 3) -> str:
    return estimate(figure.value, figure.interval, digits) if figure else number(None)


def _agreements(subset: str, agreements: Sequence[Agreement]) -> Table:
    header = ["system", "compared with", *FIGURES.values()]
    rows = [
        [agreement.system, agreement.reference]
        + [_cell(agreement.figures[name], 4 if name in ("mae", "bias") else 3) for name in FIGURES]
        for agreement in agreements
    ]
    return Table(f"agreement_{subset}", header, rows, shown=["system", "compared with", *ON_THE_PAGE])


def _contrasts(contrasts: Sequence[Contrast]) -> Table:
    rows = []
    for contrast in contrasts:
        references = dict.fromkeys([contrast.first_reference, contrast.second_reference])
        cells = [difference_cell(contrast.figures[name], 4 if name == "mae" else 3) for name in SHORT]
        rows.append([f"{contrast.first} − {contrast.second}", " and ".join(references), *cells])
    header = ["first − second", "compared with", *(FIGURES[name] for name in SHORT)]
    return Table("agreement_differences", header, rows, shown=["first − second", "compared with", *ON_THE_PAGE])


def _known_labels(comparison: TeacherComparison) -> Table:
    """One row a system: voices, then each tag with known labels."""
    first, counts = comparison.known_labels[0], comparison.voices[0]
    means = [
        "system",
        f"voices, highest ({counts.n_sung} sung, {counts.n_other} not)",
        "voices, mean",
        "known labels, mean over tags",
    ]
    header = [*means, *(f"{tag.tag} ({tag.n_positive}/{tag.n_negative})" for tag in first.per_tag)]
    rows = [
        [known.system, _cell(voice.highest), _cell(voice.mean), _cell(known.macro)]
        + [number(tag.roc_auc.value, 3) for tag in known.per_tag]
        for known, voice in zip(comparison.known_labels, comparison.voices, strict=True)
    ]
    return Table("agreement_known_labels", header, rows, shown=means)


def _scales(study: ScaleStudy) -> list[str | Table]:
    """What the network owes to each scale."""
    average = "the average training clip" if study.mean_known else "the average of these clips"
    change = "change of ROC-AUC"
    rows = [["all scales", *(_cell(study.whole.figures[name]) for name in SHORT), ""]]
    for ablation in study.ablations:
        cells = [_cell(ablation.figures[name]) for name in SHORT]
        rows.append([ablation.name, *cells, difference_cell(ablation.change["roc_auc_top"], 3)])
    header = ["scales", *(FIGURES[name] for name in SHORT), change]
    return [
        f"Scales of {study.system} on {study.subset}; a scale that is taken away is replaced by {average}.",
        Table(f"scales_{study.system}", header, rows, shown=["scales", *ON_THE_PAGE, change]),
        "Share of the logits' variance: covariance with the logit (adds up to 1), and each term's own variance.",
        Table(
            f"variance_{study.system}",
            ["scale", "share", "own"],
            [[share.scale, _cell(share.share), _cell(share.own)] for share in study.shares],
        ),
    ]


def _per_tag(comparison: TeacherComparison) -> Table:
    own = [
        agreement
        for agreement in comparison.agreements
        if (agreement.subset, agreement.reference) == (comparison.subset, ENSEMBLE)
        and agreement.system not in comparison.ensemble
    ]
    rows = [
        [tag.tag]
        + [
            f"{number(t.roc_auc_top.value, 3)} / {number(t.pr_auc_top.value, 3)}, {number(t.spearman.value, 3)}"
            for agreement in own
            for t in [agreement.per_tag[k]]
        ]
        for k, tag in enumerate(own[0].per_tag)
    ]
    return Table("agreement_tags", ["tag", *(agreement.system for agreement in own)], rows)
