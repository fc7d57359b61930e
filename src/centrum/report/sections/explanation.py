"""The section on what the score rests on: contributions, groups of features, local effects."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd

from centrum.frozen.explanation import (
    MOST_ALONE,
    RESAMPLES,
    Importance,
    StudyExplanation,
    resamples_patients,
)
from centrum.frozen.scorer import Scale
from centrum.report import readings
from centrum.report.blocks import Block, Column, Estimate, Picture, Table, picture
from centrum.report.figures import draw_contributions, draw_importance, draw_local_effects
from centrum.report.figures.strip import MOST_POINTS, step_of
from centrum.report.numbering import ref
from centrum.report.results import StudyResults
from centrum.report.sections.section import section
from centrum.report.tables import frame_table, labels_of, shown_of, units_of
from centrum.report.words.contributions import contribution_text, sum_text
from centrum.text import counted, fixed, interval_text, percent, sentences

TITLE, ANCHOR = "What the score rests on", "explanation"

MOST_FEATURES = 12
"""Whose contributions are drawn, those with the largest."""

MOST_GROUPS = 12
"""Of features, whose drop is drawn, the largest first."""

NAMED = 3
"""Features of a group that a row names before it counts the rest."""

ON: Mapping[Scale, str] = {"score": "score", "vote": "mean vote of the trees"}


@section
def explanation(results: StudyResults) -> Block | None:
    """Why a score is high or low, or why that is not told; None where it was not asked for."""
    if results.protocol.evaluation.explanation is None:
        return None
    if not results.evaluation.above_chance:
        return Block(TITLE, ANCHOR, prose=(_untold(results),))
    found = results.explanation
    if found is None or not found.parts:
        why = "" if found is None else found.failed
        return Block(TITLE, ANCHOR, warnings=(f"The score could not be explained: {why}",))
    tables = [_importance_table(results, found)] if found.groups else []
    pictures = [
        _contribution_picture(results, found),
        *([_importance_picture(results, found)] if found.groups else []),
        *([_effect_picture(results, found)] if found.effects else []),
    ]
    warnings = (f"Parts that are not explained: {found.failed}",) if found.failed else ()
    return Block(
        TITLE, ANCHOR, prose=tuple(_prose(results, found)), warnings=warnings,
        tables=(*tables, _sizes(results, found)), pictures=tuple(pictures),
    )  # fmt: skip


def _untold(results: StudyResults) -> str:
    mean, test = results.evaluation.over_parts.get("AUC"), results.evaluation.by_set["test"]
    interval = test.auc.interval if mean is None else mean.interval
    told = (
        f"({interval_text(interval.lower, interval.upper)}) reaches .5"
        if np.isfinite(interval.lower)
        else "is not known"
    )
    return (
        f"Contributions, groups of features and local effects are not shown: the "
        f"{percent(test.confidence)} confidence interval of the AUC {told}. The model may tell no "
        "more than chance, and what it rests on would be noise explained."
    )


def _prose(results: StudyResults, found: StudyExplanation) -> list[str]:
    settings, scorer = results.protocol.evaluation.explanation, results.scorer
    assert settings is not None
    held = (
        "of the test cases, by the model"
        if results.protocol.split.single_part
        else f"of held-out cases, by the models of {counted(found.parts, 'part')} that had not "
        "seen them"
    )
    text = sentences(
        f"A contribution is {contribution_text(scorer)}.", sum_text(scorer),
        f"Contributions here are {held}.",
    )  # fmt: skip
    if not found.groups:
        return [text, "The table has too many features for their correlations to be grouped."]
    over = (
        "in the training cases are one group"
        if results.protocol.split.single_part
        else "over all cases are one group, the same for every part"
    )
    permuted = (
        f"Features whose mean |r| is at least {settings.correlation:g} {over} (average linkage): "
        "one of them stands in for another, so that only together can they be "
        "taken away. The values of a group were permuted together among the held-out cases, "
        f"{counted(settings.permutations, 'time')}, and the AUC fell by what "
        f"{ref('table importance')} shows. For a single feature only the part was permuted that "
        "the others of its group do not predict (linear regression in the training cases). What "
        "matters to this score need not be a cause of the disease."
    )
    return [text, permuted]


def _names(results: StudyResults, names: Sequence[str]) -> dict[str, str]:
    return dict(zip(names, labels_of(results, names), strict=True))


def _contribution_picture(results: StudyResults, found: StudyExplanation) -> Picture:
    shown = min(len(found.features), MOST_FEATURES, found.contributions.shape[1])
    names = found.features[:shown]
    labels = labels_of(results, names)
    contributions, z = found.contributions[:, :shown], found.z[:, :shown]
    outcomes = (results.model.positive, results.model.negative)
    data = pd.DataFrame(contributions, columns=list(labels))
    data.insert(0, "case", found.cases)
    values = pd.DataFrame(z, columns=[f"{label} (SD)" for label in labels])
    which = shown_of(shown, len(found.features), "largest of these", "table contribution-sizes")
    few = "" if step_of(len(found.cases)) == 1 else f"; points: at most {MOST_POINTS} of a feature"
    first = "" if results.protocol.split.single_part else " of the first repeat"
    reading = readings.contributions(labels, found.sizes[:shown], ON[found.scale])
    return picture(
        partial(draw_contributions, labels, z, contributions, outcomes, ON[found.scale],
                results.simulated),
        "contributions-held-out", "Contributions to the score in held-out patients",
        "Each point is a case. Features in the order of their mean absolute contributions: "
        f"{which}. Colour: value of the feature in training "
        f"standard deviations (SD). n = {len(found.cases)} held-out cases{first}{few}.",
        f"Swarm of points for each feature. {reading}",
        frame_table(pd.concat([data, values], axis=1)), reading=reading,
    )  # fmt: skip


def _group_label(group: Importance, names: Mapping[str, str], order: Mapping[str, int]) -> str:
    """Its features, those with the largest contributions first."""
    known = sorted(group.features, key=lambda name: order.get(name, len(order)))
    more = f" and {len(known) - 1} more" if len(known) > 1 else ""
    return f"{names[known[0]]}{more}"


def _all_names(results: StudyResults, found: StudyExplanation) -> dict[str, str]:
    names = dict.fromkeys(name for group in found.groups for name in group.features)
    return _names(results, [*names])


def _importance_table(results: StudyResults, found: StudyExplanation) -> Table:
    names, several = _all_names(results, found), not results.protocol.split.single_part
    rows = []
    for k in found.groups:
        listed = [names[name] for name in k.features]
        more = f"; and {len(listed) - NAMED} more" if len(listed) > NAMED else ""
        text = f"{'; '.join(listed[:NAMED])}{more}"
        rows.append(
            (str(k.group), "alone" if k.alone else "group", text, len(k.features),
             Estimate.of(k.drop, k.interval), *([k.read] if several else []))
        )  # fmt: skip
    read = [Column("Read in share of parts", lambda v: fixed(v, 2))] if several else []
    columns = (Column("Group"), Column("Permuted"), Column("Features"), Column("Number"),
               Column("Drop in AUC (CI)"), *read)  # fmt: skip
    how = (
        "Mean over the parts with an interval that allows for their overlap (Nadeau and Bengio); a "
        "model that reads none of a group loses nothing."
        if several
        else f"Interval {over_patients(results)}, the permutations averaged."
    )
    notes = (
        f"{how} Alone: beyond what the others of the group tell; of the {MOST_ALONE} features with "
        f"the largest contributions{' to the model of a part' if several else ''}.",
    )
    title = "What permuting features takes off the AUC"
    return Table("importance", title, columns, tuple(rows), notes, sorts=True, boxed=True)


def over_patients(results: StudyResults) -> str:
    """How the interval of a drop was found in a design with one part."""
    held = results.evaluation.by_set["test"].n_patients
    if resamples_patients(held):
        samples = min(results.protocol.evaluation.n_resamples, RESAMPLES)
        return f"by a bootstrap of its own, of {samples} samples of the patients of the test side"
    return f"by DeLong's variance over the {held} patients of the test side"


def _importance_picture(results: StudyResults, found: StudyExplanation) -> Picture:
    names = _all_names(results, found)
    order = {name: k for k, name in enumerate(found.features)}
    whole = [g for g in found.groups if not g.alone]
    groups = whole[:MOST_GROUPS]
    labels = [_group_label(g, names, order) for g in groups]
    drops = np.array([g.drop for g in groups])
    intervals = np.array([[g.interval.lower, g.interval.upper] for g in groups]).T
    alone = [np.array([a.drop for a in found.groups if a.alone and a.group == g.group])
             for g in groups]  # fmt: skip
    data = pd.DataFrame(
        {"features": labels, "drop": drops, "lower": intervals[0], "upper": intervals[1],
         "alone": ["; ".join(f"{drop:.6g}" for drop in each) for each in alone]}
    )  # fmt: skip
    reading = readings.importance(labels, drops, intervals)
    over = (
        f"n = {len(found.cases)} test cases"
        if results.protocol.split.single_part
        else f"n = {counted(found.parts, 'part')}"
    )
    return picture(
        partial(draw_importance, labels, drops, intervals, alone, results.simulated),
        "importance", "What permuting features takes off the AUC",
        "Filled: groups of correlated features permuted together, with "
        f"{percent(results.protocol.evaluation.confidence)} intervals, the first {len(groups)} of "
        f"{len(whole)}. Open: features of a group of several, each alone. Names and numbers are in "
        f"{ref('table importance')}. {over}.",
        f"Points with intervals. {reading}",
        frame_table(data), reading=reading,
    )  # fmt: skip


def _effect_picture(results: StudyResults, found: StudyExplanation) -> Picture:
    names = [effect.feature for effect in found.effects]
    labels, units = labels_of(results, names), units_of(results, names)
    data = pd.concat(
        pd.DataFrame({"feature": label, "value": effect.grid, "effect": effect.effect})
        for label, effect in zip(labels, found.effects, strict=True)
    )
    which = shown_of(
        len(names),
        len(found.features),
        "largest mean absolute contributions",
        "table contribution-sizes",
    )
    reading = readings.local_effects(labels, units, found.effects, ON[found.scale])
    return picture(
        partial(draw_local_effects, found.effects, labels, units, ON[found.scale],
                results.simulated),
        "local-effects", "Accumulated local effects of the leading features",
        f"Effect of a feature on the {ON[found.scale]} of the final model (Apley and Zhu 2020), "
        "from changes within small intervals in which the other features are those of real cases; "
        f"its mean is 0. Features: {which}. Ticks: cases. n = {len(found.effects[0].values)} "
        "analysed cases.",
        f"Curves. {reading}",
        frame_table(data), reading=reading,
    )  # fmt: skip


def _sizes(results: StudyResults, found: StudyExplanation) -> Table:
    """The mean absolute contribution of every feature."""
    rows = tuple(
        zip(labels_of(results, found.features), found.sizes.tolist(), found.features, strict=True)
    )
    heads = ("Feature", f"Mean absolute contribution to the {ON[found.scale]}", "Column name")
    title = "Mean absolute contributions in held-out patients"
    return Table("contribution-sizes", title, tuple(map(Column, heads)), rows, sorts=True)
