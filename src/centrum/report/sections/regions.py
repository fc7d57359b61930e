"""The section on the regions of interest, and how well readers agree."""

from functools import partial

import numpy as np
import pandas as pd

from centrum.agreement.copies import copies_in
from centrum.agreement.overlap import LOW_DICE
from centrum.errors import of_case
from centrum.measure.images import mask_of, shown_image
from centrum.modelling.settings import RobustnessRule
from centrum.protocol.limits import region_words
from centrum.report import readings
from centrum.report.blocks import Block, Column, Picture, Table, picture
from centrum.report.figures import (
    RoiPanel,
    draw_agreement,
    draw_agreement_grid,
    draw_robustness,
    draw_rois,
)
from centrum.report.labels import family_label, place_labels
from centrum.report.readers import (
    agreed_cases,
    agreed_over,
    not_compared_text,
    readers_counted,
    span,
    trained_over,
    within_text,
)
from centrum.report.results import StudyResults
from centrum.report.sections.section import section
from centrum.report.slices import (
    MOST_DIFFERING,
    Shown,
    choose_cases,
    differing_cases,
    largest_slice,
)
from centrum.report.tables import agreement_table, frame_table, overlap_table, shown_of
from centrum.report.words.agreement import PERTURBATIONS, icc_label, rule_label
from centrum.text import fixed, quoted, sentences

MOST_IMAGES = 24
"""Images whose agreement is drawn: those that agree least."""


@section
def regions(results: StudyResults) -> Block:
    """The regions of interest, and how well readers agree."""
    tables: list[Table] = []
    pictures: list[Picture] = []
    if results.sources:
        pictures += _roi_pictures(results)
    if len(results.overlap):
        tables.append(overlap_table(results.overlap, results.overlap_of_regions))
    if len(results.agreement):
        pictures += [_agreement_picture(results), _agreement_grid_picture(results)]
        tables += [*_image_table(results), agreement_table(results)]
    readers = results.table.readers
    compared = results.table.compared
    prose = f"Readers: {', '.join(readers_counted(results, among=compared))}"
    if others := [reader for reader in readers if reader not in compared]:
        prose += f"; beside them {', '.join(readers_counted(results, among=others))}"
    prose += f". The features of {readers[0]} feed the model."
    if len(compared) < 2:
        prose += " With one reader, agreement between readers cannot be assessed."
    elif len(results.agreement):
        prose += f" The readers are compared over {agreed_over(results)}; the final model judged "
        prose += f"their agreement on {trained_over(results)}."
        prose = sentences(prose, not_compared_text(results))
    prose = sentences(prose, within_text(results))
    prose = " ".join((prose, *(pair.text() for pair in copies_in(results.overlap))))
    if len(results.robustness):
        prose += f" {_perturbed_text(results)}"
        pictures.append(_robustness_picture(results))
    return Block(
        "Regions and agreement", "regions",
        prose=(prose,), tables=tuple(tables), pictures=tuple(pictures),
    )  # fmt: skip


def _roi_pictures(results: StudyResults) -> list[Picture]:
    """One, of the cases whose files can still be read; none where there is none of them."""
    model = results.model
    usual = choose_cases(results.scores, (model.positive, model.negative))
    differing = differing_cases(results.scores, results.overlap)
    known = {shown.case for shown in usual}
    chosen = (*usual, *(s for s in differing[:MOST_DIFFERING] if s.case not in known))
    drawn = {shown: panel for shown in chosen if (panel := _roi_panel(results, shown))}
    if not drawn:
        return []
    panels = list(drawn.values())
    caption = (
        "Sagittal slice with the largest region of the first reader; anterior is left. Of each "
        "outcome the cases nearest its median score and the one with the most atypical score "
        f"(n = {len(drawn)} of {len(results.scores)} cases; training cases with their "
        f"out-of-fold score){_differing_text(len(differing))}. Dice is that of the whole regions. "
        f"{_further_text(results)}"
        "Grey levels from the 2nd to the 98th percentile of the part shown."
    )
    titles = "; ".join(", ".join(panel.title) for panel in panels)
    data = pd.DataFrame([(s.case, s.outcome, s.score, s.reason) for s in drawn])
    return [picture(
        partial(draw_rois, panels, results.simulated), "regions", "Regions of interest", caption,
        "Sagittal slices with the outlines of the readers around the "
        f"{region_words(results.protocol.images.region)}: {titles}.",
        frame_table(data.set_axis(["case", "outcome", "score", "reason"], axis=1)),
        reading=readings.regions(chosen, (model.positive, model.negative)), raster=True, main=True,
    )]  # fmt: skip


def _further_text(results: StudyResults) -> str:
    """Which further regions are drawn; "" where the model reads none."""
    further = results.regions_in_score
    if not further:
        return ""
    read = f"that the model reads, {quoted(further)}, are those of {results.table.readers[0]}"
    return f"Further regions {read}. "


def _differing_text(n: int) -> str:
    """Which cases are shown because two readers differ, of `n` such cases."""
    if not n:
        return ""
    which = f", of {n} the {MOST_DIFFERING} with the lowest" if n > MOST_DIFFERING else ""
    return f", and the cases in which two readers have a Dice below {LOW_DICE:g}{which}"


def _roi_panel(results: StudyResults, shown: Shown) -> RoiPanel | None:
    """None where the files of the case cannot be read any more."""
    try:
        return _panel(results, shown)
    except Exception as error:
        of_case(error)
        return None


def _panel(results: StudyResults, shown: Shown) -> RoiPanel:
    image, masks = results.sources[shown.case]
    images, table = results.protocol.images, results.table
    volume = shown_image(image, images)
    measured = table.read[table.cases.index(shown.case)]
    readers = [reader for reader, there in zip(table.readers, measured, strict=True) if there]
    regions = {reader: mask_of(masks[reader], volume, images) for reader in readers}
    further = _further(results, shown.case, readers[0])
    own = {name: mask_of(source, volume, images) for name, source in further.items()}
    part = largest_slice(volume, {**regions, **{f"region {name}": m for name, m in own.items()}})
    outlines = {reader: part.masks[reader] for reader in readers}
    nowhere = np.zeros(part.image.shape, dtype=bool)
    drawn = {name: part.masks.get(f"region {name}", nowhere) for name in results.regions_in_score}
    level = table.obs.loc[shown.case].get("level")
    name = [*([level] if isinstance(level, str) else []), shown.outcome, shown.case]
    facts = [shown.reason, f"score {fixed(shown.score, 2)}", *_dice_text(results, shown.case)]
    title = (" · ".join(name), " · ".join(facts))
    return RoiPanel(part.image, outlines, part.spacing, title, drawn, table.readers)


def _further(results: StudyResults, case: str, reader: str) -> dict[str, str]:
    """Further region -> its mask by a reader, of the regions that the model reads."""
    known = results.jobs[case].regions if case in results.jobs else {}
    return {n: known[f"{reader}:{n}"] for n in results.regions_in_score if f"{reader}:{n}" in known}


def _dice_text(results: StudyResults, case: str) -> list[str]:
    """The lowest Dice of two readers, if the case has two."""
    if results.overlap.empty:
        return []
    own = results.overlap[results.overlap["case"] == case]
    return [f"Dice {fixed(own['dice'].min(), 2)}"] if len(own) else []


def _agreement_picture(results: StudyResults) -> Picture:
    agreement, rule = results.agreement, results.protocol.model.agreement
    kept = agreement["kept"].to_numpy(dtype=bool)
    form, limit = icc_label(rule), rule_label(rule)
    dice = {
        f"{a} – {b}": pair["dice"].to_numpy()
        for (a, b), pair in results.overlap.groupby(["reader_a", "reader_b"], sort=False)
    }
    pairs = "; ".join(f"{p} median {fixed(np.median(v))}, n = {len(v)}" for p, v in dice.items())
    caption = (
        f"{'(a) ' if dice else ''}{form} of all {len(agreement)} features over "
        f"{agreed_over(results)} (n = {agreed_cases(results)}); {kept.sum()} pass the rule "
        f"{limit}. The model repeats this decision on its own training cases."
        f"{f' (b) Dice coefficient of the regions ({pairs}).' if dice else ''}"
    )
    return picture(
        partial(draw_agreement,
            agreement["icc"], kept, rule.threshold, form, limit,
            dice, results.simulated,
        ),
        "agreement", "Agreement between readers", caption,
        f"Histogram and box plot. {kept.sum()} of {len(agreement)} features pass the threshold of "
        f"{rule.threshold:g}.{f' Dice: {pairs}.' if dice else ''}",
        frame_table(agreement.reset_index()),
        reading=readings.agreement(kept, dice, agreed_over(results)),
    )  # fmt: skip


def _agreement_by_place(results: StudyResults) -> pd.DataFrame:
    """Of each feature that readers were compared by: image, family, icc, kept."""
    features = results.table.rated.features
    places = place_labels(features, results.protocol.extraction.filters)
    facts = pd.DataFrame({"image": places, "family": [family_label(f) for f in features]})
    facts[["icc", "kept"]] = results.agreement[["icc", "kept"]].to_numpy()
    return facts


def _by_image(facts: pd.DataFrame) -> pd.DataFrame:
    """Median ICC, features kept and all features of each image, in the order of the images."""
    groups = facts.groupby("image", sort=False)
    return groups.agg(median=("icc", "median"), kept=("kept", "sum"), features=("kept", "size"))


def _image_table(results: StudyResults) -> list[Table]:
    """The agreement on every image, where the figure has not room for them."""
    found = _by_image(_agreement_by_place(results))
    if len(found) <= MOST_IMAGES:
        return []
    rows = tuple(
        (name, int(row["features"]), int(row["kept"]), float(row["median"]))
        for name, row in found.iterrows()
    )
    heads = ("Image", "Features", "Kept", f"Median {icc_label(results.protocol.model.agreement)}")
    columns = tuple(Column(head, lambda v: fixed(v) if isinstance(v, float) else str(v))
                    for head in heads)  # fmt: skip
    return [Table("agreement-images", "Agreement by image", columns, rows, sorts=True)]


def _agreement_grid_picture(results: StudyResults) -> Picture:
    rule, facts = results.protocol.model.agreement, _agreement_by_place(results)
    form, by_image = icc_label(rule), _by_image(facts)
    least = by_image.sort_values("median", kind="stable").index[:MOST_IMAGES]
    which = shown_of(len(least), len(by_image), "least agreement", "table agreement-images")
    drawn = facts[facts["image"].isin(least)]
    cells = drawn.groupby(["image", "family"], sort=False)
    data = cells.agg(median=("icc", "median"), kept=("kept", "sum"), features=("kept", "size"))
    listed = "; ".join(
        f"{name} {row['kept']:g} of {row['features']:g}"
        for name, row in _by_image(drawn).iterrows()
    )
    caption = (
        f"Median {form} between readers of the features of each family and image, over "
        f"{agreed_over(results)} (n = {agreed_cases(results)}). Images: {which}. Numbering: how "
        f"many features pass the threshold of {rule.threshold:g}, of how many."
    )
    return picture(
        partial(draw_agreement_grid,
            drawn["icc"].to_numpy(dtype=float), drawn["kept"].to_numpy(dtype=bool),
            drawn["family"].to_list(), drawn["image"].to_list(), form, results.simulated,
        ),
        "agreement-grid", "Agreement by family and image", caption,
        f"Heat map. Features that pass, by image: {listed}.",
        frame_table(data.reset_index()), reading=readings.agreement_grid(facts),
    )  # fmt: skip


def _perturbed_text(results: StudyResults) -> str:
    robustness, found = results.protocol.robustness, results.robustness
    if robustness is None:
        return ""
    kinds = ", ".join(PERTURBATIONS[kind].label for kind in robustness.kinds)
    return (
        f"Image and region of {results.table.readers[0]} were perturbed "
        f"({kinds}{'; together' if robustness.together else '; one at a time'}) and measured "
        f"again: {int(found['kept'].sum())} of {len(found)} features are robust. The model decides "
        "this on its own training cases."
    )


def _perturbed_cases(results: StudyResults) -> str:
    """How many cases were measured under every perturbation, of how many."""
    n = results.robustness["n"]
    return f"{span(int(n.min()), int(n.max()))} of {len(results.table.cases)}"


def _robustness_picture(results: StudyResults) -> Picture:
    found, robustness = results.robustness, results.protocol.robustness
    rule = robustness.icc if robustness else RobustnessRule()
    form, limit = icc_label(rule), rule_label(rule)
    apart = {
        column.removeprefix("icc_"): found[column]
        for column in map(str, found.columns)
        if column.startswith("icc_")
    }
    families = [family_label(feature) for feature in results.table.features]
    n_kept = int(found["kept"].sum())
    caption = (
        f"{form} of {len(found)} features between the measurement and its perturbations, over "
        f"n = {_perturbed_cases(results)} cases, by family. Dashed: the threshold. In brackets: "
        f"features of the family with {limit} over all perturbations. Box: "
        "quartiles and median; whiskers: furthest values within 1.5 interquartile ranges."
    )
    medians = found.groupby(np.array(families), sort=False)["icc"].median()
    listed = "; ".join(f"{family} {fixed(value)}" for family, value in medians.items())
    return picture(
        partial(draw_robustness,
            apart or {"": found["icc"]}, families, found["kept"], rule.threshold, form,
            results.simulated,
        ),
        "robustness", "Robustness to perturbation", caption,
        f"Box plots. {n_kept} of {len(found)} features pass. Medians by family: {listed}.",
        frame_table(found.reset_index()),
        reading=readings.robustness(found["icc"], found["kept"], families),
    )  # fmt: skip
