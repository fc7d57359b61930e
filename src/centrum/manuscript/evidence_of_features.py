"""From images to features: evidence for checklists."""

import numpy as np
import pandas as pd

from centrum.evaluate.population import MISSING
from centrum.manuscript.answers import (
    ItemAnswer,
    StudyFacts,
    answered,
    evidence,
    funnel_text,
    listed,
    not_applicable,
    not_done,
    prepared,
    resampled,
    result_file,
    shown,
)
from centrum.measure.extract import IMAGE
from centrum.prepare.settings import NoNormalisation
from centrum.report.labels import family_label
from centrum.report.numbering import ref
from centrum.report.results import StudyResults
from centrum.report.tables import protocol_table
from centrum.report.words.features import BINS, DIALECTS, binned
from centrum.report.words.model import IMPUTATIONS
from centrum.text import counted, sentence_case


@evidence
def preparation(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """MR intensities have no unit: without a common scale preparation is not suitable."""
    protocol, place = results.protocol, shown("protocol", "Table protocol")
    text = f"{'; '.join(prepared(protocol))}."
    if isinstance(protocol.preparation.normalisation, NoNormalisation) and (
        protocol.extraction.normalise_scale is None
    ):
        return not_done(f"Intensities were not brought to a common scale: {text}", place)
    return answered(sentence_case(text), place)


@evidence
def resampling(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """The grid."""
    text, place = (
        resampled(results.protocol.extraction.interpolation),
        shown("protocol", "Table protocol"),
    )
    if not text:
        return not_done("Images and regions were measured on their own grid.", place)
    return answered(f"Images and regions were {text}.", place)


@evidence
def discretisation(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """The bins."""
    extraction, place = results.protocol.extraction, shown("protocol", "Table protocol")
    if extraction.discretisation.method == "none":
        return not_done("Intensities were not discretised.", place)
    responses = extraction.response_discretisation or extraction.discretisation
    other = (
        f"; response maps: {binned(BINS, responses)}"
        if responses != extraction.discretisation
        else ""
    )
    return answered(f"Grey levels by {binned(BINS, extraction.discretisation)}{other}.", place)


@evidence
def filters(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """Images that features are of."""
    images = list(dict.fromkeys(f.image for f in results.table.features))
    responses = [image for image in images if image != IMAGE]
    text = f"the image and {counted(len(responses), 'response map')}: {listed(responses)}"
    if not responses:
        text = "the image alone, without filters"
    return answered(f"Features of {text}.", shown("protocol", "Table protocol"))


@evidence
def software(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """Name, version, definitions."""
    features = results.table.features
    coded = sum(bool(f.code) for f in features)
    return answered(
        f"centrum {results.versions['centrum']} with the definitions of "
        f"{DIALECTS[results.table.dialect].label}; {coded} of {len(features)} features have an "
        "IBSI code.",
        shown("provenance", "Table software"),
    )


@evidence
def families(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """Classes and how many features of each."""
    counts = pd.Series([family_label(f) for f in results.table.features]).value_counts(sort=False)
    text = listed((f"{name} {n}" for name, n in counts.items()), most=20)
    return answered(f"Over all images: {text}.", shown("protocol", "Table protocol"))


@evidence
def numbers(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """Features measured and kept."""
    measured, kept = len(results.table.features), len(results.model.features)
    text = f"{measured} measured of every case, {kept} in the model."
    return answered(text, shown("selection", "Table selection"))


@evidence
def settings(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """Every choice is printed."""
    n = len(protocol_table(results).rows)
    text = f"All {n} choices are listed, those left at their defaults included."
    return answered(text, shown("protocol", "Table protocol"))


@evidence
def first_predictors(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """All that were measured."""
    joined = results.protocol.model.covariates
    text = f"All {len(results.table.features)} features that were measured"
    text += f", and {listed(joined)}" if joined else ""
    return answered(
        f"{text} enter the first step. Left on training cases, {funnel_text(results)}.",
        shown("selection", "Table selection"),
    )


@evidence
def predictors(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """Where each feature is defined."""
    features = results.table.features
    coded = sum(bool(f.code) for f in features)
    return answered(
        f"Each of {len(features)} features is a record of image, family, name, discretisation and "
        f"aggregation; {coded} have an IBSI code.",
        shown("model", "Table score"), shown("protocol", "Table protocol"),
        *result_file(results, "features.json"),
    )  # fmt: skip


@evidence
def covariates(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """Predictors from the manifest."""
    names, place = results.protocol.model.covariates, shown("protocol", "Table protocol")
    if not names:
        return not_applicable("No column of the manifest joins the features.", place)
    columns = "a column" if len(names) == 1 else "columns"
    joins = "joins" if len(names) == 1 else "join"
    text = f"{listed(names)}, {columns} of the manifest, {joins} the features."
    return answered(sentence_case(text), place, shown("population", "Table population"))


@evidence
def missing(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """Values that are not there, and what stands for them."""
    rows = [row for row in results.population if row.level == MISSING]
    gaps = ", ".join(f"{row.variable} {row.overall.text}" for row in rows)
    lost = int((~np.isfinite(results.table.values[:, :, 0])).sum())
    filled = IMPUTATIONS[results.protocol.model.imputation.method].label
    text = (
        f"{counted(lost, 'value')} of the features missing; {len(results.failures)} eligible cases "
        f"not measured; missing in {ref('table population')}: {gaps or 'none'}. In the model a "
        f"missing value {filled}."
    )
    places = (shown("population", "Table population"), shown("protocol", "Table protocol"))
    return answered(text, *places)


@evidence
def quality(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """What was checked on the way, and done."""
    text = (
        f"Every image and region was checked when it was read: "
        f"{counted(len(results.findings), 'finding')}, {len(results.failures)} cases not measured. "
        f"Done to the images: {'; '.join(prepared(results.protocol))}."
    )
    return answered(text, shown("quality"), shown("protocol", "Table protocol"))
