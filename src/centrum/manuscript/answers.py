"""What a study's records say of an item: status, sentence, place; and how things are said."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from centrum.features.settings import Interpolation
from centrum.frozen.external_record import ExternalRecord, shared_scores
from centrum.modelling.settings import FEW
from centrum.protocol import Protocol
from centrum.report.blocks import Estimate, PValue
from centrum.report.numbering import ref
from centrum.report.results import StudyResults
from centrum.report.sections.validation import ablation_table, means_over_parts
from centrum.report.tables import funnel_table
from centrum.report.words.features import BINS, INTERPOLATIONS, binned
from centrum.report.words.images import NORMALISATIONS
from centrum.report.words.model import classifier_label
from centrum.text import counted, fixed, interval_text, p_equals, percent

Status = Literal["answered", "not done", "not applicable", "author"]

THESE_LISTS = "checklists.docx"
DATA_SHEET = "data-sheet.md, Acquisition"
ANOTHER_COHORT = "Report of the external validation"
"""Places that are neither in the report nor a file of its results."""

IN_PAPER = f"Manuscript, {ref('Table external')}, {ref('Figure external')}"
"""Where the paper shows the external validation."""

MODEL_FILE = "results/model.json"

VOLUME = "volume"
"""What the ablation calls the size of the region alone."""

AT_RANDOM = ("single", "repeated_split", "repeated_k_fold", "nested_cv")
WITHIN = (*AT_RANDOM, "temporal")
"""Designs that split patients at random; those that test on unseen cases of the same source."""

IMAGING = {
    "repetition time": {"tr", "repetition"},
    "echo time": {"te", "echo"},
    "field strength": {"field"},
    "distance or thickness of slices": {"slice"},
}
"""What an imaging protocol has to say, and words in the headings of its columns."""

SCANNER = {"manufacturer", "vendor", "model", "scanner"}
"""Further words in headings that tell of the acquisition."""


@dataclass(frozen=True)
class StudyFacts:
    """What a paper can say of a study that is not among its results.

    Attributes
    ----------
    acquisition : a row per case, as `extract` leaves it; columns such as manufacturer,
        field_strength_t, repetition_time_ms, slice_step_mm. None when headers were not read
    external : what a validation of the frozen model on other patients found; None without one
    exported_model : the frozen model, model.json, is among the results
    methods : so is a text of the methods
    """

    acquisition: pd.DataFrame | None = None
    external: ExternalRecord | None = None
    exported_model: bool = False
    methods: bool = False


@dataclass(frozen=True)
class ItemAnswer:
    """Status of a checklist item, answer, and where it is shown; a hint, or "", for the author."""

    status: Status
    answer: str = ""
    pointer: str = ""


Evidence = Callable[[StudyResults, StudyFacts], ItemAnswer]

EVIDENCE: dict[str, Evidence] = {}
"""Key of the lists -> who looks it up."""


def evidence(function: Evidence) -> Evidence:
    EVIDENCE[function.__name__] = function
    return function


def shown(anchor: str, *what: str) -> str:
    """Tables and figures as `ref` names them, and the section of the report that has them.

    >>> from centrum.report.numbering import Numbering
    >>> numbers = Numbering({("table", "performance"): "3"})
    >>> numbers.resolve(shown("performance", "Table performance")), shown("quality")
    ('Manuscript, Table 3 (report #performance)', 'Report #quality')
    """
    if not what:
        return f"Report #{anchor}"
    return f"{', '.join(('Manuscript', *map(ref, what)))} (report #{anchor})"


def result_file(results: StudyResults, name: str) -> list[str]:
    """A file of the results, if the records have it."""
    path = f"results/{name}"
    return [path] if path in results.digests else []


def answered(answer: str, *places: str) -> ItemAnswer:
    return ItemAnswer("answered", answer, "; ".join(places))


def not_done(answer: str, *places: str) -> ItemAnswer:
    return ItemAnswer("not done", answer, "; ".join(places))


def not_applicable(answer: str, *places: str) -> ItemAnswer:
    return ItemAnswer("not applicable", answer, "; ".join(places))


def author(hint: str = "") -> ItemAnswer:
    return ItemAnswer("author", hint)


# How things are said


def listed(names: Iterable[str], most: int = 12) -> str:
    """Names in a row; those beyond `most` are counted.

    >>> listed(["a", "b"]), listed("abcde", most=2)
    ('a, b', 'a, b and 3 more')
    """
    every = list(names)
    more = f" and {len(every) - most} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more


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


def headline_auc(results: StudyResults) -> Estimate:
    """AUC of the test cases with its interval, or the mean over the parts of a design."""
    means = {} if results.protocol.split.single_part else means_over_parts(results)
    if "AUC" in means:
        return Estimate.of(means["AUC"].mean, means["AUC"].interval)
    area = results.evaluation.by_set["test"].auc
    return Estimate.of(area.value, area.interval)


def area_text(results: StudyResults, digits: int = 2) -> str:
    """The AUC of `headline_auc` in words."""
    confidence = f"{percent(results.evaluation.by_set['test'].confidence)} CI"
    averaged = not results.protocol.split.single_part and "AUC" in means_over_parts(results)
    of = ", mean over the parts" if averaged else ""
    area = headline_auc(results)
    limits = interval_text(area.lower, area.upper, digits)
    return f"{fixed(area.value, digits)} ({confidence} {limits}{of})"


def prepared(protocol: Protocol) -> list[str]:
    """The steps between an image and its features, in order."""
    preparation, extraction = protocol.preparation, protocol.extraction
    normalised = NORMALISATIONS[preparation.normalisation.method].label
    over = getattr(preparation.normalisation, "over", "")
    cut = extraction.resegmentation.sigma
    steps = (
        "level of air subtracted" if preparation.subtract_air else "",
        "N4 bias field correction" if preparation.bias_field else "",
        f"intensities normalised ({normalised}{f' of the {over}' if over else ''})"
        if normalised
        else "",
        f"z-score of the image x {extraction.normalise_scale:g}"
        if extraction.normalise_scale
        else "",
        f"{counted(len(preparation.region), 'operation')} on the region"
        if preparation.region
        else "",
        resampled(extraction.interpolation),
        f"voxels within mean ± {cut:g} SD of the region" if cut else "",
        f"grey levels by {binned(BINS, extraction.discretisation)}",
    )
    return [step for step in steps if step]


def resampled(settings: Interpolation | None) -> str:
    """The grid and the interpolation; "" where images keep theirs.

    >>> resampled(Interpolation(in_plane=0.6, image="cubic"))
    'resampled to 0.6 mm within slices (image by cubic B-splines, region by linear interpolation)'
    """
    if settings is None:
        return ""
    if settings.in_plane is not None:
        grid = f"{settings.in_plane:g} mm within slices"
    elif settings.isotropic is not None:
        grid = f"{settings.isotropic:g} mm along all axes"
    else:
        grid = (
            " x ".join("as is" if s is None else f"{s:g}" for s in settings.spacing or ()) + " mm"
        )
    image, region = (INTERPOLATIONS[kind] for kind in (settings.image, settings.mask))
    return f"resampled to {grid} (image by {image}, region by {region})"


def classifier_text(results: StudyResults) -> str:
    """What the classifier is called."""
    return classifier_label(results.model.classifier)


def funnel_text(results: StudyResults) -> str:
    """Features after every step."""
    rows = ((str(step), n) for step, n in funnel_table(results).rows)
    return "; ".join(f"{step[:1].lower()}{step[1:]}: {n}" for step, n in rows)


# What several functions look at


Alternative = tuple[Estimate, Estimate, PValue]


def alternatives(results: StudyResults) -> dict[str, Alternative]:
    """Variant of the ablation -> AUC, difference to the model, p; those that could be fitted."""
    if not results.validation.ablation:
        return {}
    rows = ablation_table(results).rows[1:]
    return {str(r[0]): (r[2], r[3], r[4]) for r in rows if isinstance(r[2], Estimate)}


def simple_models(results: StudyResults) -> dict[str, Alternative]:
    """Those that are a logistic regression of what is no radiomics."""
    found = alternatives(results)
    return {name: found[name] for name in (VOLUME, *FEW) if name in found}


def beside(found: Mapping[str, Alternative]) -> str:
    return "; ".join(
        f"{name} alone has an AUC of {fixed(area.value, 2)} "
        f"({interval_text(area.lower, area.upper, 2)}), {fixed(gap.value, 2)} from the "
        f"model's, {p_equals(p.value)}"
        for name, (area, gap, p) in found.items()
    )


def tested_subgroups(results: StudyResults) -> dict[str, float]:
    """Variable -> p that the AUC is the same in all its groups, where that could be tested."""
    rows = results.evaluation.subgroups
    return {r.variable: r.heterogeneity for r in rows if np.isfinite(r.heterogeneity)}


def by_group(tests: Mapping[str, float]) -> str:
    return ", ".join(f"{name} ({p_equals(p)})" for name, p in tests.items())


def centres_of(results: StudyResults) -> dict[str, int]:
    """Centre -> cases; empty where it is not known of every case."""
    obs = results.table.obs
    if "centre" not in obs or obs["centre"].isna().any():
        return {}
    return {str(name): int(n) for name, n in obs["centre"].value_counts(sort=False).items()}


def elsewhere(results: StudyResults, found: ExternalRecord) -> bool | None:
    """Whether the external cases are of other centres than the study's; None if not known.

    Neither is a set of which some cases are and others are not.
    """
    own, new = {*centres_of(results)}, {*found.people.centre}
    known = own and sum(found.people.centre.values()) == found.evaluation.n
    if not known or (own & new and new - own):
        return None
    return not own & new


def shared_with(results: StudyResults, found: ExternalRecord) -> int:
    """External cases that have the very score of a case of the study, which they may be."""
    return shared_scores(results.scores["score"].to_numpy(dtype=float), found.scores)


def centres_text(centres: Mapping[str, int]) -> str:
    return listed(f"{name} {n}" for name, n in centres.items())


def touched(results: StudyResults) -> tuple[int, int]:
    """Patients on both sides of a part; test patients that a fitted step has seen."""
    found = results.validation
    crossing = sum(side["patients"] for side in found.rows["parts"])
    seen = (counts for part in found.parts for counts in part.get("seen", {}).values())
    return crossing, sum(tested for _, tested in seen)


def share_positive(results: StudyResults) -> str:
    n, positive = len(results.scores), results.model.positive
    hits = int((results.scores["outcome"] == positive).sum())
    return f"{hits} of {n} cases ({percent(hits / n, 0)}) are {positive}"
