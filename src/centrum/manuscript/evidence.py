"""What a study's records say about the items of reporting checklists.

Each function of `EVIDENCE` looks at one kind of evidence and gives a status, a sentence with the
study's own numbers and where they are shown. "not done" is said of an analysis that the records
would hold had it been made. What may stand elsewhere, as in the manuscript, is the author's: the
records give at most a hint.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from centrum.acquisition import REGION
from centrum.agreement import parse_form
from centrum.errors import DataError
from centrum.evaluate.population import MISSING
from centrum.extract import IMAGE
from centrum.features.settings import Discretisation, Interpolation
from centrum.modelling.fusion import CLINICAL
from centrum.modelling.settings import AgreementSettings, RobustnessRule
from centrum.prepare.settings import NoNormalisation
from centrum.protocol import Protocol
from centrum.report.blocks import Estimate, PValue
from centrum.report.labels import MEASURES, counted, family_label, fixed, p_text
from centrum.report.sections import CLASSIFIERS
from centrum.report.tables import funnel_table, protocol_table
from centrum.report.validation import (
    CALIBRATIONS,
    DESIGNS,
    ablation_table,
    means_over_parts,
    sizes_needed,
)
from centrum.results import StudyResults

Status = Literal["answered", "not done", "not applicable", "author"]

THESE_LISTS = "The checklists themselves"
DATA_SHEET = "Data sheet, Acquisition"
ANOTHER_COHORT = "Results of the external validation"
"""Places that are neither in the report nor a file of its results."""

MODEL_FILE = "results/model.json"

VOLUME = "volume"
"""What the ablation calls the size of the region alone."""

AT_RANDOM = ("single", "repeated_split", "repeated_k_fold", "nested_cv")
WITHIN = (*AT_RANDOM, "temporal")
"""Designs that deal patients out by chance; those that test on unseen cases of the same source."""

IMAGING = {
    "repetition time": {"tr", "repetition"},
    "echo time": {"te", "echo"},
    "field strength": {"field"},
    "distance or thickness of slices": {"slice"},
}
"""What an imaging protocol has to say, and words in the headings of its columns."""

SCANNER = {"manufacturer", "vendor", "model", "scanner"}
"""Further words in headings that tell of the acquisition."""

DEFINITIONS = {"ibsi": "the IBSI", "pyradiomics": "PyRadiomics"}

NORMALISATIONS = {
    "none": "",
    "z_score": "z-score",
    "percentile": "two percentiles brought to a range",
    "nyul": "Nyul's landmarks",
    "reference_tissue": "ratio to a reference tissue",
}

BALANCES = {
    "repeat": "cases of the rarer outcome were repeated",
    "smote": "cases of the rarer outcome were made up between neighbours (SMOTE)",
    "class_weight": "cases of the rarer outcome weigh more",
    "none": "nothing was done about it",
}


@dataclass(frozen=True)
class Facts:
    """What a paper can say that is not among the results.

    Attributes
    ----------
    acquisition : a row per case, as `extract` leaves it; columns such as manufacturer,
        field_strength_t, repetition_time_ms, slice_step_mm. None when headers were not read
    external : a validation on another cohort was run
    exported_model : the frozen model, model.json, is among the results
    methods : so is a text of the methods
    """

    acquisition: pd.DataFrame | None = None
    external: bool = False
    exported_model: bool = False
    methods: bool = False


@dataclass(frozen=True)
class Found:
    """Status, sentence and place; of an author's item a hint, or nothing."""

    status: Status
    answer: str = ""
    pointer: str = ""


Evidence = Callable[[StudyResults, Facts], Found]

EVIDENCE: dict[str, Evidence] = {}
"""Key of the lists -> who looks it up."""


def _evidence(function: Evidence) -> Evidence:
    EVIDENCE[function.__name__] = function
    return function


def shown(anchor: str, *what: str) -> str:
    """A place in the report.

    >>> shown("performance", "Table 2"), shown("quality")
    ('Report, Table 2 (#performance)', 'Report (#quality)')
    """
    return f"{', '.join(('Report', *what))} (#{anchor})"


def _file(results: StudyResults, name: str) -> list[str]:
    """A file of the results, if the records have it."""
    path = f"results/{name}"
    return [path] if path in results.digests else []


def _answered(answer: str, *places: str) -> Found:
    return Found("answered", answer, "; ".join(places))


def _not_done(answer: str, *places: str) -> Found:
    return Found("not done", answer, "; ".join(places))


def _not_applicable(answer: str, *places: str) -> Found:
    return Found("not applicable", answer, "; ".join(places))


def _author(hint: str = "") -> Found:
    return Found("author", hint)


# How things are said


def listed(names: Iterable[str], most: int = 12) -> str:
    """Names in a row; those beyond `most` are counted.

    >>> listed(["a", "b"]), listed("abcde", most=2)
    ('a, b', 'a, b and 3 more')
    """
    every = list(names)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more


def p_said(p: float) -> str:
    """A p value in a sentence.

    >>> p_said(0.0421), p_said(0.00001)
    ('P = .042', 'P < .001')
    """
    return f"P = {p_text(p)}".replace("= <", "< ").replace("= >", "> ")


def spread(values: pd.Series) -> str:
    """Range of numbers, or how often each text; cases without a value are left out.

    Texts that all differ are counted, not told: they may name a patient.

    >>> spread(pd.Series([2500.0, 2778.0])), spread(pd.Series(["HDxt", "HDxt"]))
    ('2500–2778', 'HDxt (2)')
    >>> spread(pd.Series(["1.2.840.1", "1.2.840.2"]))
    '2 different values'
    """
    known = values.dropna()
    if is_numeric_dtype(known):
        ends = dict.fromkeys(f"{end:g}" for end in (known.min(), known.max()))
        return "–".join(ends)
    counts = known.astype(str).value_counts()
    if len(counts) == len(known) > 1:
        return f"{len(known)} different values"
    return listed(f"{name} ({n})" for name, n in counts.items())


def area_said(results: StudyResults) -> str:
    """AUC of the test cases with its interval, or the mean over the parts."""
    test = results.evaluations["test"]
    confidence = f"{100 * test.confidence:g} % CI"
    value, interval, of = test.auc.value, test.auc.percentile, ""
    if not results.protocol.split.single_part and "AUC" in (means := means_over_parts(results)):
        value, interval, of = means["AUC"].mean, means["AUC"].interval, ", mean over the parts"
    limits = f"{fixed(interval.lower, 2)}–{fixed(interval.upper, 2)}"
    return f"{fixed(value, 2)} ({confidence} {limits}{of})"


def prepared(protocol: Protocol) -> list[str]:
    """The steps between an image and its features, in order."""
    how, extraction = protocol.preparation, protocol.extraction
    normalised = NORMALISATIONS[how.normalisation.method]
    over = getattr(how.normalisation, "over", "")
    cut = extraction.resegmentation.sigma
    steps = (
        "level of air subtracted" if how.subtract_air else "",
        "N4 bias field correction" if how.bias_field else "",
        f"intensities normalised ({normalised}{f' of the {over}' if over else ''})"
        if normalised
        else "",
        f"z-score of the image x {extraction.normalise_scale:g}"
        if extraction.normalise_scale
        else "",
        f"{counted(len(how.region), 'operation')} on the region" if how.region else "",
        resampled(extraction.interpolation),
        f"voxels within mean ± {cut:g} SD of the region" if cut else "",
        f"grey levels by {binned(extraction.discretisation)}",
    )
    return [step for step in steps if step]


def resampled(how: Interpolation | None) -> str:
    """The grid and the interpolation; "" where images keep theirs.

    >>> resampled(Interpolation(in_plane=0.6, image="cubic"))
    'resampled to 0.6 mm within slices (image cubic, region linear)'
    """
    if how is None:
        return ""
    if how.in_plane is not None:
        grid = f"{how.in_plane:g} mm within slices"
    elif how.isotropic is not None:
        grid = f"{how.isotropic:g} mm along all axes"
    else:
        grid = " x ".join("as is" if s is None else f"{s:g}" for s in how.spacing or ()) + " mm"
    return f"resampled to {grid} (image {how.image}, region {how.mask})"


def binned(how: Discretisation) -> str:
    """The discretisation in words.

    >>> binned(Discretisation(method="fixed_bin_number", bins=32))
    'fixed bin number (32 bins)'
    """
    if how.method == "fixed_bin_number":
        return f"fixed bin number ({how.bins} bins)"
    return f"fixed bin size (width {how.width:g})" if how.method == "fixed_bin_size" else "none"


def rule_said(rule: AgreementSettings | RobustnessRule) -> str:
    """A rule on the ICC.

    >>> rule_said(AgreementSettings())
    'ICC(A,1) > 0.75'
    """
    judged = "" if rule.use == "estimate" else "lower 95 % limit of "
    return f"{judged}ICC({parse_form(rule.form)}) > {rule.threshold:g}"


def classifier_said(results: StudyResults) -> str:
    """What the classifier is called."""
    return CLASSIFIERS.get(results.model.classifier, results.model.classifier)


def funnel_said(results: StudyResults) -> str:
    """Features after every step."""
    return "; ".join(f"{str(step).lower()}: {n}" for step, n in funnel_table(results).rows)


# What several functions look at


Alternative = tuple[Estimate, Estimate, PValue]


def alternatives(results: StudyResults) -> dict[str, Alternative]:
    """Variant of the ablation -> AUC, difference to the model, p; those that could be fitted."""
    if not results.assessment.ablation:
        return {}
    rows = ablation_table(results).rows[1:]
    return {str(r[0]): (r[2], r[3], r[4]) for r in rows if isinstance(r[2], Estimate)}


def _simple(results: StudyResults) -> dict[str, Alternative]:
    """Those that are a logistic regression of what is no radiomics."""
    found = alternatives(results)
    return {name: found[name] for name in (VOLUME, CLINICAL) if name in found}


def _beside(found: Mapping[str, Alternative]) -> str:
    return "; ".join(
        f"{name} alone has an AUC of {fixed(area.value, 2)} ({fixed(area.lower, 2)}–"
        f"{fixed(area.upper, 2)}), {fixed(gap.value, 2)} from the model's, {p_said(p.value)}"
        for name, (area, gap, p) in found.items()
    )


def tested_subgroups(results: StudyResults) -> dict[str, float]:
    """Variable -> p that the AUC is the same in all its groups, where that could be tested."""
    rows = results.judgement.subgroups
    return {r.variable: r.heterogeneity for r in rows if np.isfinite(r.heterogeneity)}


def _by_group(tests: Mapping[str, float]) -> str:
    return ", ".join(f"{name} ({p_said(p)})" for name, p in tests.items())


def _centres(results: StudyResults) -> dict[str, int]:
    """Centre -> cases; empty where it is not known of every case."""
    obs = results.table.obs
    if "centre" not in obs or obs["centre"].isna().any():
        return {}
    return {str(name): int(n) for name, n in obs["centre"].value_counts(sort=False).items()}


def _centres_said(centres: Mapping[str, int]) -> str:
    return listed(f"{name} {n}" for name, n in centres.items())


def _touched(results: StudyResults) -> tuple[int, int]:
    """Patients on both sides of a part; test patients that a fitted step has seen."""
    found = results.assessment
    crossing = sum(side["patients"] for side in found.rows["parts"])
    seen = (counts for part in found.parts for counts in part.get("seen", {}).values())
    return crossing, sum(tested for _, tested in seen)


def _share_positive(results: StudyResults) -> str:
    n, positive = len(results.scores), results.model.positive
    hits = int((results.scores["outcome"] == positive).sum())
    return f"{hits} of {n} cases ({100 * hits / n:.0f} %) are {positive}"


# Who and what was studied


@_evidence
def guideline(results: StudyResults, facts: Facts) -> Found:
    """That a checklist was followed."""
    return _answered(
        "METRICS, CLEAR and TRIPOD+AI were filled in from the records of this study; what only "
        "the authors know is marked.",
        THESE_LISTS,
    )


@_evidence
def centres(results: StudyResults, facts: Facts) -> Found:
    """Whether there are several."""
    found = _centres(results)
    if not found:
        return _author("The manifest does not name the centre of every case.")
    if len(found) == 1:
        return _not_done(
            f"All {len(results.table.cases)} cases are of one centre.",
            shown("population", "Table 1"),
        )
    text = f"{counted(len(found), 'centre')}, cases: {_centres_said(found)}."
    return _answered(text, shown("population", "Table 1"))


@_evidence
def setting(results: StudyResults, facts: Facts) -> Found:
    """A hint: how many centres."""
    found = _centres(results)
    return _author(f"The records know centres and cases: {_centres_said(found)}." if found else "")


@_evidence
def data_source(results: StudyResults, facts: Facts) -> Found:
    """Known where patients are simulated."""
    if not results.simulated:
        return _author()
    return _answered(f"{results.simulated.rstrip('.')}.", shown("summary"))


@_evidence
def acquisition(results: StudyResults, facts: Facts) -> Found:
    """Parameters of the images: from their headers, or from columns of the manifest."""
    frame, place = acquired(results, facts), DATA_SHEET
    if facts.acquisition is None:
        place = shown("population", "Table 1")
    words = {word for name in frame for word in _words(name)}
    missing = [what for what, names in IMAGING.items() if not names & words]
    known = "; ".join(f"{str(name).replace('_', ' ')} {spread(frame[name])}" for name in frame)
    if not missing:
        return _answered(f"{known}.", place)
    return _author(f"Known: {known}. To be added: {listed(missing)}." if known else "")


def acquired(results: StudyResults, facts: Facts) -> pd.DataFrame:
    """Columns that tell of the acquisition; without a value, or of the region, left out."""
    frame = facts.acquisition
    if frame is None:
        obs, telling = results.table.obs, SCANNER.union(*IMAGING.values())
        frame = obs[[name for name in obs if telling.intersection(_words(name))]]
    return frame.drop(columns=list(REGION), errors="ignore").dropna(axis="columns", how="all")


def _words(heading: object) -> list[str]:
    return str(heading).casefold().replace("_", " ").split()


@_evidence
def eligibility(results: StudyResults, facts: Facts) -> Found:
    """The rules of the protocol, if it has any."""
    rules = results.flow.exclusions
    if not rules:
        return _author("The protocol has no rule; who entered the manifest is not in the records.")
    text = "; ".join(f"{e.rule.name} ({e.excluded.cases} excluded)" for e in rules)
    return _answered(f"{text}.", shown("population", "Figure S1"), shown("protocol", "Table S6"))


@_evidence
def flow(results: StudyResults, facts: Facts) -> Found:
    """From the manifest to the two sides."""
    start, excluded = results.flow.start, results.flow.start.cases - results.flow.end.cases
    text = (
        f"{counted(start.cases, 'case')} of {counted(start.patients, 'patient')} in the manifest, "
        f"all with an outcome; {excluded} excluded by rules, {len(results.failures)} not measured, "
        f"{len(results.scores)} analysed. Who was left out before the manifest is not in it."
    )
    return _answered(text, shown("population", "Figure S1"))


@_evidence
def characteristics(results: StudyResults, facts: Facts) -> Found:
    """Table 1."""
    names = dict.fromkeys(row.variable for row in results.population)
    known = [name for name in names if name not in ("cases", "patients")]
    text = f"By outcome and overall, with missing values counted: {listed(known)}."
    return _answered(text, shown("population", "Table 1"))


@_evidence
def readers(results: StudyResults, facts: Facts) -> Found:
    """A hint: their number; training and tools are the author's."""
    table = results.table
    read = {
        reader: int(np.isfinite(table.values[:, :, k]).any(axis=1).sum())
        for k, reader in enumerate(table.readers)
    }
    each = listed(f"{reader} {n}" for reader, n in read.items())
    return _author(
        f"{counted(len(read), 'reader')}, cases: {each}. Experience, tool, rules and blinding are "
        "not in the records."
    )


@_evidence
def automatic_segmentation(results: StudyResults, facts: Facts) -> Found:
    """Regions that several readers gave are drawn."""
    n = len(results.table.readers)
    if n < 2 or results.overlap.empty:
        return _author("One mask per case: the records do not say whether a tool drew it.")
    dice = fixed(float(results.overlap["dice"].median()), 2)
    return _not_applicable(
        f"{n} readers gave a region of their own (median Dice {dice}); no step of the study "
        "segments automatically.",
        shown("regions", "Table S1"),
    )


@_evidence
def one_reader(results: StudyResults, facts: Facts) -> Found:
    """Whose features score the test cases."""
    primary = results.table.readers[0]
    text = f"Test cases are scored with the features of one reader, {primary}, alone."
    return _answered(text, shown("regions"))


# From images to features


@_evidence
def preparation(results: StudyResults, facts: Facts) -> Found:
    """MR intensities have no unit: without a common scale preparation is not suitable."""
    how, place = results.protocol, shown("protocol", "Table S6")
    text = f"{'; '.join(prepared(how))}."
    if isinstance(how.preparation.normalisation, NoNormalisation) and (
        how.extraction.normalise_scale is None
    ):
        return _not_done(f"Intensities were not brought to a common scale: {text}", place)
    return _answered(f"{text[:1].upper()}{text[1:]}", place)


@_evidence
def resampling(results: StudyResults, facts: Facts) -> Found:
    """The grid."""
    text, place = (
        resampled(results.protocol.extraction.interpolation),
        shown("protocol", "Table S6"),
    )
    if not text:
        return _not_done("Images and regions were measured on their own grid.", place)
    return _answered(f"Images and regions were {text}.", place)


@_evidence
def discretisation(results: StudyResults, facts: Facts) -> Found:
    """The bins."""
    how, place = results.protocol.extraction, shown("protocol", "Table S6")
    if how.discretisation.method == "none":
        return _not_done("Intensities were not discretised.", place)
    responses = how.response_discretisation or how.discretisation
    other = f"; response maps: {binned(responses)}" if responses != how.discretisation else ""
    return _answered(f"Grey levels by {binned(how.discretisation)}{other}.", place)


@_evidence
def filters(results: StudyResults, facts: Facts) -> Found:
    """Images that features are of."""
    images = list(dict.fromkeys(f.image for f in results.table.features))
    responses = [image for image in images if image != IMAGE]
    text = f"the image and {counted(len(responses), 'response map')}: {listed(responses)}"
    if not responses:
        text = "the image alone, without filters"
    return _answered(f"Features of {text}.", shown("protocol", "Table S6"))


@_evidence
def software(results: StudyResults, facts: Facts) -> Found:
    """Name, version, definitions."""
    features = results.table.features
    coded = sum(bool(f.code) for f in features)
    return _answered(
        f"centrum {results.versions['centrum']} with the definitions of "
        f"{DEFINITIONS[results.table.dialect]}; {coded} of {len(features)} features have an IBSI "
        "code.",
        shown("provenance", "Table S8"),
    )


@_evidence
def families(results: StudyResults, facts: Facts) -> Found:
    """Classes and how many features of each."""
    counts = pd.Series([family_label(f) for f in results.table.features]).value_counts(sort=False)
    text = listed((f"{name} {n}" for name, n in counts.items()), most=20)
    return _answered(f"Over all images: {text}.", shown("protocol", "Table S6"))


@_evidence
def numbers(results: StudyResults, facts: Facts) -> Found:
    """Features measured and kept."""
    measured, kept = len(results.table.features), len(results.model.features)
    text = f"{measured} measured of every case, {kept} in the model."
    return _answered(text, shown("selection", "Table S3"))


@_evidence
def settings(results: StudyResults, facts: Facts) -> Found:
    """Every choice is printed."""
    n = len(protocol_table(results).rows)
    text = f"All {n} choices are listed, those left at their defaults included."
    return _answered(text, shown("protocol", "Table S6"))


@_evidence
def first_predictors(results: StudyResults, facts: Facts) -> Found:
    """All that were measured."""
    joined = results.protocol.model.covariates
    text = f"All {len(results.table.features)} features that were measured"
    text += f", and {listed(joined)}" if joined else ""
    return _answered(
        f"{text} enter the first step. Left on training cases, {funnel_said(results)}.",
        shown("selection", "Table S3"),
    )


@_evidence
def predictors(results: StudyResults, facts: Facts) -> Found:
    """Where each feature is defined."""
    features = results.table.features
    coded = sum(bool(f.code) for f in features)
    return _answered(
        f"Each of {len(features)} features is a record of image, family, name, discretisation and "
        f"aggregation; {coded} have an IBSI code.",
        shown("model", "Table 3"), shown("protocol", "Table S6"),
        *_file(results, "features.json"),
    )  # fmt: skip


@_evidence
def covariates(results: StudyResults, facts: Facts) -> Found:
    """Predictors from the manifest."""
    names, place = results.protocol.model.covariates, shown("protocol", "Table S6")
    if not names:
        return _not_applicable("The model reads features of the images alone.", place)
    text = f"{listed(names)}, columns of the manifest, join the features of the images."
    return _answered(f"{text[:1].upper()}{text[1:]}", place, shown("population", "Table 1"))


@_evidence
def missing(results: StudyResults, facts: Facts) -> Found:
    """Values that are not there, and what stands for them."""
    rows = [row for row in results.population if row.level == MISSING]
    gaps = ", ".join(f"{row.variable} {row.overall.text}" for row in rows)
    lost = int((~np.isfinite(results.table.values[:, :, 0])).sum())
    method = results.protocol.model.imputation.method
    filled = {"none": "a missing value is refused"}.get(method, f"filled by {method}")
    text = (
        f"{counted(lost, 'value')} of the features missing; {len(results.failures)} eligible cases "
        f"not measured; missing in table 1: {gaps or 'none'}. In the model {filled}."
    )
    return _answered(text, shown("population", "Table 1"), shown("protocol", "Table S6"))


@_evidence
def quality(results: StudyResults, facts: Facts) -> Found:
    """What was checked on the way, and done."""
    text = (
        f"Every image and region was checked when it was read: "
        f"{counted(len(results.findings), 'finding')}, {len(results.failures)} cases not measured. "
        f"Done to the images: {'; '.join(prepared(results.protocol))}."
    )
    return _answered(text, shown("quality"), shown("protocol", "Table S6"))


# From features to a model


@_evidence
def agreement(results: StudyResults, facts: Facts) -> Found:
    """Features that readers or perturbations change are removed."""
    texts, places = [], []
    if len(results.agreement):
        rule, kept = results.protocol.model.agreement, int(results.agreement["kept"].sum())
        texts.append(
            f"{rule_said(rule)} between {len(results.table.readers)} readers, decided on training "
            f"cases in every fit; over all cases {kept} of {len(results.agreement)} features pass"
        )
        places += [shown("regions", "Figure S2", "Table S2"), shown("selection", "Table S3")]
    if len(results.robustness) and results.protocol.robustness is not None:
        rule_of, kept = results.protocol.robustness.icc, int(results.robustness["kept"].sum())
        texts.append(
            f"{rule_said(rule_of)} under perturbation of image and region: {kept} of "
            f"{len(results.robustness)} features pass"
        )
        places.append(shown("regions", "Figure S4"))
    if not texts:
        return _not_done("One reader and no perturbations: not judged.", shown("regions"))
    return _answered(f"{'; '.join(texts)}.", *places)


@_evidence
def selection(results: StudyResults, facts: Facts) -> Found:
    """Steps that take redundant or useless features out."""
    how = results.protocol.model
    reduced = (
        how.correlation is not None
        or how.screen is not None
        or how.select.method != "none"
        or how.rfe.estimator != "none"
        or how.classifier == "elastic_net"
        or results.protocol.search is not None
    )
    place = shown("selection", "Table S3")
    if not reduced:
        return _not_done(f"No step looks for redundancy: {funnel_said(results)}.", place)
    limit = f"; |r| > {how.correlation.threshold:g} is redundant" if how.correlation else ""
    return _answered(f"Features left, {funnel_said(results)}{limit}.", place)


@_evidence
def feature_statistics(results: StudyResults, facts: Facts) -> Found:
    """Agreement, selection, means and spread."""
    places = [shown("selection", "Table S3"), shown("model", "Table 3", "Figure 4")]
    if len(results.agreement):
        places.insert(0, shown("regions", "Table S2"))
    n = counted(len(results.model.features), "feature")
    judged = "ICC of all features, " if len(results.agreement) else ""
    text = f"{judged}features left after each step, mean and SD of the {n} of the model"
    return _answered(f"{text[:1].upper()}{text[1:]}, and their values by outcome.", *places)


@_evidence
def sample_size(results: StudyResults, facts: Facts) -> Found:
    """Riley's criteria were worked out."""
    place, n = shown("validation", "Table S15"), len(results.scores)
    try:
        needed = sizes_needed(results)
    except DataError as error:
        return _not_done(f"Riley's criteria cannot be worked out: {error}", place)
    return _answered(
        f"Riley's criteria, worked out after the study: {needed.model.n} cases for the "
        f"{len(results.model.features)} features of the model, {needed.candidates.n} for all "
        f"{len(results.table.features)} candidates; the study has {n}.",
        place,
    )


@_evidence
def enough_cases(results: StudyResults, facts: Facts) -> Found:
    """Whether the study meets Riley's criteria: for all candidates, or not even for the model."""
    found = sample_size(results, facts)
    if found.status != "answered":
        return found
    needed, n = sizes_needed(results), len(results.scores)
    if n >= needed.candidates.n:
        return found
    if n < needed.model.n:
        return _not_done(f"{found.answer} That is too few.", found.pointer)
    return _author(f"{found.answer} Whether that is enough is to be argued.")


@_evidence
def deep_learning(results: StudyResults, facts: Facts) -> Found:
    """There is none."""
    text = f"No end-to-end deep learning: {classifier_said(results)} on tabulated features."
    return _not_applicable(text, shown("model", "Table 3"))


@_evidence
def split(results: StudyResults, facts: Facts) -> Found:
    """Sides, and proof that nothing crosses."""
    crossing, seen = _touched(results)
    places = (shown("leaks", "Table S17", "Table S18"), shown("validation"))
    proof = (
        f"{counted(crossing, 'patient')} on both sides of a part, {counted(seen, 'test patient')} "
        "seen by a fitted step"
    )
    if crossing or seen:
        return _not_done(f"Test patients took part in the fit: {proof}.", *places)
    return _answered(f"{_design_said(results)}; whole patients on one side. {proof}.", *places)


def _design_said(results: StudyResults) -> str:
    how, parts = results.protocol.split, results.assessment.parts
    sizes = " and ".join(
        f"{_between(part[side] for part in parts)} {name} cases"
        for side, name in (("n_train", "training"), ("n_test", "test"))
    )
    seed = f", seed {how.seed}" if how.design in AT_RANDOM else ""
    design = DESIGNS[how.design]
    return f"{design[:1].upper()}{design[1:]}: {counted(len(parts), 'part')} of {sizes}{seed}"


def _between(values: Iterable[int]) -> str:
    every = list(values)
    return "–".join(dict.fromkeys(f"{end}" for end in (min(every), max(every))))


@_evidence
def design(results: StudyResults, facts: Facts) -> Found:
    """How the model was tested."""
    text = f"{_design_said(results)}; all steps were fitted anew in every part."
    return _answered(text, shown("validation"))


@_evidence
def balance(results: StudyResults, facts: Facts) -> Found:
    """Methods against unequal classes."""
    how, place = results.protocol.model, shown("protocol", "Table S6")
    text = f"{_share_positive(results)}; {BALANCES[how.balance]}"
    if how.balance == "none":
        return _not_applicable(f"{text}.", place)
    after = f"probabilities come from {CALIBRATIONS[how.calibration]} on out-of-fold scores"
    return _answered(f"{text}, in training cases of every fit only; {after}.", place)


@_evidence
def scaling(results: StudyResults, facts: Facts) -> Found:
    """The z-score."""
    clip = results.model.clip
    cut = f", set to ±{clip:g} beyond it" if clip is not None else ""
    text = f"Continuous, z-scored by mean and SD of the training cases of every fit{cut}."
    return _answered(text, shown("model", "Table 3"))


@_evidence
def algorithm(results: StudyResults, facts: Facts) -> Found:
    """The model and its steps."""
    text = (
        f"Model: {classifier_said(results)}. Features left, {funnel_said(results)}. All steps are "
        f"fitted anew in every part of the design ({DESIGNS[results.protocol.split.design]})."
    )
    return _answered(text, shown("selection", "Table S3"), shown("protocol", "Table S6"))


@_evidence
def tuning(results: StudyResults, facts: Facts) -> Found:
    """What was chosen by cross-validation."""
    how, model = results.protocol.model, results.model
    texts, places = [], []
    if model.lasso is not None:
        texts.append(
            f"penalty λ = {model.lasso.chosen:.4g} ({how.lasso.choice}) by {how.lasso.folds}-fold "
            f"cross-validated {MEASURES[model.lasso.measure]}"
        )
        places.append(shown("selection", "Figure 2"))
    if model.feature_count is not None and how.n_features is not None:
        texts.append(
            f"{counted(model.feature_count.chosen, 'feature')} by {how.n_features.folds}-fold "
            f"cross-validated {MEASURES[model.feature_count.measure]}"
        )
        places.append(shown("selection", "Figure S5"))
    if results.search:
        texts.append(f"{counted(len(results.search), 'candidate')} of the search")
        places.append(shown("validation", "Table S16"))
    said = "; ".join(texts) or "nothing was tuned, the settings are those of the protocol"
    text = f"{said}; folds by patient, within training cases"
    return _answered(
        f"{text[:1].upper()}{text[1:]}.", *places, shown("protocol", "Table S6")
    )  # fmt: skip


@_evidence
def model_choice(results: StudyResults, facts: Facts) -> Found:
    """One model, or the winner of a search."""
    if not results.search:
        text = f"The protocol states one model, {classifier_said(results)}; there was no search."
        return _answered(text, shown("protocol", "Table S6"))
    measure = MEASURES[results.protocol.search.measure] if results.protocol.search else ""
    text = (
        f"{counted(len(results.search), 'candidate')} were compared by cross-validated {measure} "
        f"within training cases; chosen: {classifier_said(results)}."
    )
    return _answered(text, shown("validation", "Table S16", "Figure S8"))


@_evidence
def specification(results: StudyResults, facts: Facts) -> Found:
    """All that a prediction is computed from."""
    n, place = counted(len(results.model.features), "feature"), shown("model", "Table 3")
    if results.model.linear:
        how = CALIBRATIONS[results.protocol.model.calibration]
        text = (
            f"Intercept, and coefficient, mean and SD of {n}: the score is their weighted sum. "
            f"Probabilities follow by {how}."
        )
        files = (*_file(results, "model.json"), *_file(results, "evaluation.json"))
        return _answered(text, place, *files)
    if facts.exported_model:
        text = f"The {classifier_said(results)} of {n} is the exported model itself."
        return _answered(text, place, MODEL_FILE)
    return _not_done(f"Of the {classifier_said(results)} only its {n} are given.", place)


@_evidence
def interpretation(results: StudyResults, facts: Facts) -> Found:
    """Coefficients and distributions."""
    if not results.model.linear:
        text = f"The {classifier_said(results)} has no coefficients, and no prediction is explained"
        return _not_done(f"{text}.", shown("model", "Table 3", "Figure 4"))
    n = counted(len(results.model.features), "coefficient")
    text = f"{n} per SD of their features, with values by outcome and their correlation."
    return _answered(text, shown("model", "Table 3", "Figure 3", "Figure 4"))


# How it did


@_evidence
def measures(results: StudyResults, facts: Facts) -> Found:
    """Which, and what each is for."""
    text = (
        f"{_share_positive(results)}. AUC, ROC and precision-recall for the order of the scores; "
        "sensitivity, specificity, predictive values, accuracy and F1 with all counts for "
        "decisions at the cut-off; slope, intercept, Brier score and curve for the probabilities; "
        "net benefit for their use."
    )
    return _answered(
        text, shown("performance", "Table 2", "Figure 5"),
        shown("calibration", "Table 4", "Figure 6", "Figure 7", "Figure S6"),
    )  # fmt: skip


@_evidence
def uncertainty(results: StudyResults, facts: Facts) -> Found:
    """Intervals and how they were made."""
    test = results.evaluations["test"]
    text = (
        f"{100 * test.confidence:g} % confidence intervals of every measure: bootstrap of patients "
        f"({test.n_resamples} samples), DeLong, and {test.interval_method.capitalize()} or "
        f"bootstrap for shares. Test AUC {area_said(results)}."
    )
    places = [shown("performance", "Table 2")]
    if len(results.assessment.parts) > 1:
        places.append(shown("validation", "Table S12"))
    return _answered(text, *places)


@_evidence
def calibration(results: StudyResults, facts: Facts) -> Found:
    """Slope, intercept and curve of the test cases."""
    found = results.judgement.calibration
    place = shown("calibration", "Table 4", "Figure 6")
    if not np.isfinite(found.slope.value):
        return _not_done(f"The calibration slope cannot be found: {found.reason}.", place)
    slope, limits = found.slope, found.slope.interval
    text = (
        f"Test cases: slope {fixed(slope.value, 2)} ({fixed(limits.lower, 2)}–"
        f"{fixed(limits.upper, 2)}), in the large {fixed(found.in_the_large.value, 2)}, Brier "
        f"score {fixed(found.brier)}, mean distance from the curve {fixed(found.ici)}."
    )
    return _answered(text, place)


@_evidence
def performance(results: StudyResults, facts: Facts) -> Found:
    """Of training, out of fold and test; of subgroups."""
    found, tests = results.evaluations, tested_subgroups(results)
    text = (
        f"AUC apparent {fixed(found['train'].auc.value, 2)}, out of fold "
        f"{fixed(found['out_of_fold'].auc.value, 2)}, test {area_said(results)}; calibration slope "
        f"{fixed(results.judgement.calibration.slope.value, 2)}"
    )
    places = [shown("performance", "Table 2"), shown("calibration", "Table 4")]
    if tests:
        text += f"; by subgroup, P that the AUC is the same: {_by_group(tests)}"
        places.append(shown("calibration", "Table S10"))
    return _answered(f"{text}.", *places)


@_evidence
def participants(results: StudyResults, facts: Facts) -> Found:
    """Numbers of each analysis."""
    train, test = results.evaluations["train"], results.evaluations["test"]
    said = (
        f"{name} {counted(e.n, 'case')} of {counted(e.n_patients, 'patient')}, {e.n_positive} "
        f"{results.model.positive}"
        for name, e in (("fit:", train), ("test:", test))
    )
    text = f"{'; '.join(said)}. Cut-off and calibration: the training cases, out of fold."
    return _answered(
        f"{text[:1].upper()}{text[1:]}", shown("performance", "Table 2"),
        shown("leaks", "Table S17"),
    )  # fmt: skip


@_evidence
def cut_off(results: StudyResults, facts: Facts) -> Found:
    """Output and threshold."""
    cut, how = results.cutoff, results.protocol.model.calibration
    text = (
        f"A score, a probability by {CALIBRATIONS[how]}, and the call {results.model.positive} "
        f"from a score of {fixed(cut.value)} on ({cut.rule}, learnt on {cut.learnt_on})."
    )
    return _answered(text, shown("performance", "Table 2"), shown("calibration"))


@_evidence
def confounders(results: StudyResults, facts: Facts) -> Found:
    """Subgroups and the covariates alone; the size of the region beside them."""
    tests, simple = tested_subgroups(results), _simple(results)
    texts, places = [], []
    if tests:
        texts.append(f"P that the AUC is the same in all groups: {_by_group(tests)}")
        places.append(shown("calibration", "Table S10"))
    if simple:
        texts.append(_beside(simple))
        places.append(shown("validation", "Table 5"))
    text = f"{'; '.join(texts)}."
    if tests or CLINICAL in simple:
        return _answered(f"{text[:1].upper()}{text[1:]}", *places)
    return _author(f"{text[:1].upper()}{text[1:]}" if texts else "")


@_evidence
def sequences(results: StudyResults, facts: Facts) -> Found:
    """One, or each alone against all."""
    names = list(dict.fromkeys(f.sequence for f in results.table.features))
    if len(names) == 1:
        return _answered("One image sequence is used.", shown("summary"))
    found = alternatives(results)
    alone = {n: found[n.replace("_", " ")] for n in names if n.replace("_", " ") in found}
    worse = [name for name, (_, gap, _p) in alone.items() if gap.upper < 0]
    text = f"Sequences {listed(names)}: {_beside(alone) or 'not tried alone'}."
    places = [shown("validation", "Table 5")] if found else [shown("validation")]
    return (_answered if len(worse) == len(names) else _not_done)(text, *places)


@_evidence
def non_radiomic(results: StudyResults, facts: Facts) -> Found:
    """The size of the region, covariates and readers beside the model."""
    simple, texts, places = _simple(results), [], []
    if simple:
        texts.append(_beside(simple))
        places.append(shown("validation", "Table 5"))
    if beside := results.judgement.readers:
        texts.append(
            "; ".join(
                f"{r.name} has a sensitivity of {fixed(r.sensitivity, 2)} and a specificity of "
                f"{fixed(r.specificity, 2)}"
                for r in beside
            )
        )
        places.append(shown("calibration", "Table S11"))
    if not texts:
        return _not_done("The model was compared with nothing else.", shown("validation"))
    text = f"Same test cases: {'; '.join(texts)}."
    return _answered(text, *places)


@_evidence
def baseline(results: StudyResults, facts: Facts) -> Found:
    """A logistic regression of little, and no information."""
    simple, test = _simple(results), results.evaluations["test"]
    most = max(test.n_positive, test.n_negative) / test.n
    guess = (
        f"the commoner outcome for everybody is right in {100 * most:.0f} % of the test cases, the "
        f"model in {100 * test.measures['accuracy'].value:.0f} %"
    )
    if not simple:
        return _not_done(f"No simple model was fitted; {guess}.", shown("performance", "Table 2"))
    return _answered(
        f"Logistic regressions: {_beside(simple)}; {guess}.",
        shown("validation", "Table 5"), shown("performance", "Table 2"),
    )  # fmt: skip


@_evidence
def internal_test(results: StudyResults, facts: Facts) -> Found:
    """Unseen cases of the same source."""
    how = results.protocol.split
    if how.design in WITHIN:
        text = f"{_design_said(results)}; test AUC {area_said(results)}."
        return _answered(text, shown("performance", "Table 2"), shown("validation"))
    if not how.single_part:
        text = f"Each {how.column} is tested by a model of the others only."
        return _not_done(text, shown("validation"))
    area = fixed(results.evaluations["out_of_fold"].auc.value, 2)
    text = f"Training cases by models that were fitted wholly without their patients: AUC {area}."
    return _answered(text, shown("performance", "Table 2"))


@_evidence
def external_test(results: StudyResults, facts: Facts) -> Found:
    """Cases of another institution."""
    how, place = results.protocol.split, shown("validation")
    if facts.external:
        return _answered("The frozen model was validated on another cohort.", ANOTHER_COHORT)
    text = f"{_design_said(results)}; test AUC {area_said(results)}."
    if how.design == "external":
        return _answered(text, place, shown("performance", "Table 2"))
    if how.design == "leave_one_centre_out":
        if how.column == "centre":
            return _answered(text, place, shown("performance", "Table 2"))
        return _author(f"{text} Whether each {how.column} is an institution is to be said.")
    return _not_done(f"{_design_said(results)}: no cases of another institution.", place)


@_evidence
def clusters(results: StudyResults, facts: Facts) -> Found:
    """Differences between centres."""
    found, tests = _centres(results), tested_subgroups(results)
    if not found:
        return _author("The manifest does not name the centre of every case.")
    if len(found) == 1:
        return _not_applicable("All cases are of one centre.", shown("population", "Table 1"))
    how, harmonised = results.protocol.split, results.protocol.model.harmonisation.method
    after = "" if harmonised == "none" else f" Features were harmonised by {harmonised}."
    if how.design == "leave_one_centre_out":
        areas = ((p["name"], p["auc"]) for p in results.assessment.parts)
        each = listed(f"{name} {fixed(area, 2)}" for name, area in areas if area is not None)
        text = f"AUC of each {how.column} by a model of the others: {each}.{after}"
        return _answered(text, shown("validation", "Table S12", "Figure S7"))
    if "centre" in tests:
        text = f"P that the AUC is the same in all {len(found)} centres: {p_text(tests['centre'])}."
        return _answered(f"{text}{after}", shown("calibration", "Table S10"))
    text = f"{counted(len(found), 'centre')}; performance was not compared between them.{after}"
    return _not_done(text, shown("population", "Table 1"))


@_evidence
def fairness(results: StudyResults, facts: Facts) -> Found:
    """Performance by sex and age."""
    tests = {name: p for name, p in tested_subgroups(results).items() if name in ("sex", "age")}
    if not tests:
        return _author("Performance by sex and age could not be tested.")
    text = f"Performance was looked at by {_by_group(tests)}: P that the AUC is the same."
    return _answered(text, shown("calibration", "Table S10"))


@_evidence
def same_setting(results: StudyResults, facts: Facts) -> Found:
    """Sides of one cohort do not differ by design."""
    how = results.protocol.split
    same = "the same rules, outcome and predictors on both sides"
    if how.single_part and how.design != "single":
        return _author(f"{_design_said(results)}: {same}; how their setting differs is to be said.")
    if how.design == "leave_one_centre_out":
        return _author(f"Each {how.column} is tested by a model of the others: {same}.")
    return _answered(
        f"None by design: sides of one cohort, dealt out at random by patient; {same}.",
        shown("validation"), shown("population", "Figure S1"),
    )  # fmt: skip


@_evidence
def distributions(results: StudyResults, facts: Facts) -> Found:
    """Predictors of both sides are not compared."""
    if not results.protocol.split.single_part:
        text = "Every case is on the training side of some parts and on the test side of others."
        return _not_applicable(text, shown("validation"))
    text = "The report compares the outcomes of both sides, not the values of the predictors."
    return _not_done(text, shown("population", "Figure S1"))


@_evidence
def updating(results: StudyResults, facts: Facts) -> Found:
    """Nothing was changed after the test."""
    text = "The model was not changed after it was tested; calibration is learnt on training cases."
    return _not_applicable(text, shown("calibration"))


@_evidence
def poor_input(results: StudyResults, facts: Facts) -> Found:
    """What happens to a new case that is not as it should be."""
    how, sets = results.protocol, results.judgement.conformal
    filled = how.model.imputation.method
    lacking = "is refused" if filled == "none" else f"is filled by {filled}"
    other = {"refuse": "is refused", "resample": "is resampled and recorded"}
    text = (
        f"A region on another grid than its image {other[how.images.on_grid_mismatch]}; a missing "
        f"value {lacking}. {100 * sets.uncertain:.0f} % of the test cases are called uncertain and "
        f"{100 * sets.neither:.0f} % unlike both outcomes."
    )
    return _answered(text, shown("protocol", "Table S6"), shown("calibration"))


# What is the author's to share or to say


@_evidence
def data_files(results: StudyResults, facts: Facts) -> Found:
    """A hint: the files that could be shared."""
    files = _file(results, "features.csv")
    return _author(f"The features are in {files[0]}, with case and patient ids." if files else "")


@_evidence
def code(results: StudyResults, facts: Facts) -> Found:
    """The software is the code, the protocol the script."""
    text = (
        f"All code is centrum {results.versions['centrum']} (Apache-2.0); the study's own script "
        "is its protocol, printed in full with its digest."
    )
    places = (shown("protocol", "Table S6"), shown("provenance", "Table S8", "Table S9"))
    return _answered(text, *places)


@_evidence
def model_file(results: StudyResults, facts: Facts) -> Found:
    """The frozen model among the results."""
    if not facts.exported_model:
        return _author("The model was not exported.")
    text = "The frozen model is a file among the results; it is shared where these are published."
    return _answered(text, MODEL_FILE)


@_evidence
def pipeline(results: StudyResults, facts: Facts) -> Found:
    """A hint: the steps are listed, not drawn."""
    return _author(f"Table S7 lists all {len(results.history)} steps in order; none is drawn.")


@_evidence
def limits(results: StudyResults, facts: Facts) -> Found:
    """A hint: what the records show to be weak."""
    weak = [
        ("simulated patients", bool(results.simulated)),
        ("one centre", len(_centres(results)) == 1),
        ("no external test", external_test(results, facts).status == "not done"),
        ("fewer cases than Riley's criteria ask for",
         enough_cases(results, facts).status == "not done"),
        ("the vertebral body alone, without the signs outside it", True),
    ]  # fmt: skip
    return _author(f"From the records: {listed(name for name, there in weak if there)}.")


OF_IMAGES = (
    "automatic_segmentation", "preparation", "resampling", "discretisation", "filters", "software",
    "families", "settings", "quality", "sequences",
)  # fmt: skip
"""What the records of a study of tables do not hold: it was done elsewhere."""


def find(keys: Sequence[str], results: StudyResults, facts: Facts) -> dict[str, Found]:
    """What the records say about each key, looked up once."""
    elsewhere = OF_IMAGES if results.protocol.tables else ()
    return {
        key: _author("Features were read from tables that were made elsewhere.")
        if key in elsewhere
        else EVIDENCE[key](results, facts)
        for key in dict.fromkeys(keys)
    }
