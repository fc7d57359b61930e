"""No sentence is false on the page of an external validation, and on that of a patient.

Typed by hand, as the table of `test_truth`: a phrase, what forbids it, and why.
"""

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from centrum.evaluate.calibration import Calibration
from centrum.frozen.domain import Flag
from centrum.frozen.external import ExternalValidation, NewCases, validate
from centrum.frozen.model import FrozenModel
from centrum.frozen.score import Patient, Score, not_scored, score_known
from centrum.modelling.pipeline import StudyClassifier
from centrum.report.external import external_blocks
from centrum.report.patient import render_patient
from tests.frozen.models import INTERVAL, MEASURE, frozen
from tests.frozen.test_scorer import COMBAT, NAMES, QUICK, cohort

from .variants import of_block

pytestmark = pytest.mark.usefixtures("few_trees")


class Untrue(NamedTuple):
    """A phrase (a regular expression), where it is false, and why."""

    phrase: str
    when: Callable[[Any], bool]
    why: str


KINDS = ("plain", "age", "combat", "images", "parts", "chance")
KNOWN: dict[str, FrozenModel] = {}


def model_of(kind: str) -> FrozenModel:
    """Without more, with a covariate, harmonised, of images, judged over parts, or by chance."""
    if kind not in KNOWN:
        KNOWN[kind] = _fitted(kind)
    return KNOWN[kind]


def _fitted(kind: str) -> FrozenModel:
    X, y, patients, centre = cohort()
    combat = kind == "combat"
    settings = QUICK.model_copy(update={"harmonisation": COMBAT} if combat else {})
    fitted = StudyClassifier(settings, 1, NAMES).fit(X, y, patients, centre if combat else None)
    model = frozen(
        fitted, NAMES, X, y, centre if combat else None, age=kind == "age",
        protocol={"evaluation": {"n_resamples": 100}},
    )  # fmt: skip
    performance, provenance = {**model.performance}, {**model.provenance}
    if kind == "images":
        provenance["of_tables"] = False
    if kind == "parts":
        performance["test"] = {**performance["test"], "pooled": True}
        performance["over_parts"] = MEASURE
    if kind == "chance":
        low = {"value": 0.5, "interval": {**INTERVAL, "lower": 0.3}}
        performance["test"] = {**performance["test"], "auc": low}
    return replace(model, performance=performance, provenance=provenance)


# The page of an external validation


class Page(NamedTuple):
    """A model, what was found on the page's cases, and how these were made."""

    model: FrozenModel
    found: ExternalValidation
    kind: str
    choices: Mapping[str, bool]


CHOICES = ("refused", "flagged", "clustered", "read", "compared", "shifted", "many")

PAGES = [
    (kind, dict(zip(CHOICES, values, strict=True)))
    for kind, values in product(
        KINDS,
        ((False,) * 7, (True,) * 7, (True, False) * 3 + (True,), (False, True) * 3 + (False,)),
    )
]


def page(kind: str, choices: Mapping[str, bool]) -> Page:
    model = model_of(kind)
    n = 220 if choices["many"] else 40
    rng = np.random.default_rng(5)
    mean, sd = (np.array([getattr(d, k) for d in model.distributions]) for k in ("mean", "sd"))
    values = mean + sd * rng.normal(size=(n, mean.size))
    batch = ("A",) * n if kind == "combat" else None
    scores = model.scorer.score(values, batch)
    positive = rng.random(n) < model.calibrator.predict_proba(scores)
    if choices["many"]:
        positive = np.arange(n) // 2 % 2 == 0
    cases = tuple(f"c{k}" for k in range(n))
    patients = np.array([f"p{k // (2 if choices['clustered'] else 1)}" for k in range(n)])
    new = NewCases(
        cases, patients, positive, values + 1.5 * sd * choices["shifted"], batch,
        read={"R2": scores + 0.1 * rng.normal(size=n)} if choices["read"] else {},
    )  # fmt: skip
    others = {"other": (model, -scores)} if choices["compared"] else {}
    found = validate(
        model, new, refused={"x": "Why."} if choices["refused"] else {},
        flags=["unknown-batch"] if choices["flagged"] else [], others=others,
    )  # fmt: skip
    return Page(model, found, kind, choices)


def lacks(choice: str) -> Callable[[Page], bool]:
    return lambda page: not page.choices[choice]


def has(choice: str) -> Callable[[Page], bool]:
    return lambda page: page.choices[choice]


def holds_one(found: Calibration) -> bool:
    return not (found.slope.interval.upper < 1 or found.slope.interval.lower > 1)


def slope_holds_one(page: Page) -> bool:
    return holds_one(page.found.calibrated[0].calibration)


def level_holds_zero(page: Page) -> bool:
    level = page.found.calibrated[0].calibration.in_the_large.interval
    return level.lower <= 0 <= level.upper


def of_kind(*kinds: str) -> Callable[[Page], bool]:
    return lambda page: page.kind in kinds


ON_THE_PAGE = (
    Untrue(r"could not be scored|Cases that were refused|Why\.", lacks("refused"), "none was"),
    Untrue(r"\b0 refused", has("refused"), "one was"),
    Untrue(r"does not know: scored as they are", lacks("flagged"), "no batch is unknown"),
    Untrue(
        r"(highest of (its|their) cases|Cases or patients)", lacks("clustered"),
        "each patient has one case",
    ),
    Untrue(r"another reader drew|R2", lacks("read"), "nobody else drew"),
    Untrue(
        r"covariates stayed", lambda p: p.kind != "age" or not p.choices["read"], "there is none"
    ),
    Untrue(r"^other \|", lacks("compared"), "no other model was compared"),
    Untrue(r"moved by more than one", lacks("shifted"), "the features lie as in training"),
    Untrue(r"^\d+ of \d+ features moved by at most", lambda p: False, ""),
    Untrue(
        r"probabilities are.*too (extreme|moderate)[ :]", slope_holds_one, "its interval holds 1"
    ),
    Untrue(
        r"probabilities are.*too (low|high):", level_holds_zero, "the interval of the level holds 0"
    ),
    Untrue(r"clearly too moderate", lambda p: not any(
        holds_one(c.calibration) for c in p.found.calibrated
    ), "no interval holds 1"),
    Untrue(r"both fewer than|the \w+ fewer than", has("many"), "there are 100 of each"),
    Untrue(r"no fewer than the 100", lacks("many"), "there are not 100 of each"),
    Untrue(r"[Ii]mage, region", lambda p: p.kind != "images", "no image was read"),
    Untrue(
        r"pooled|mean over the parts", lambda p: p.kind != "parts",
        "the model was judged on one test side",
    ),
    Untrue(
        r"test cases of the study that built it", of_kind("parts"),
        "the AUC is the mean over the parts",
    ),
)  # fmt: skip


@pytest.mark.parametrize(("kind", "choices"), PAGES)
def test_no_line_of_the_page_is_false(kind: str, choices: Mapping[str, bool]) -> None:
    it = page(kind, choices)
    blocks = external_blocks(it.model, it.found, "")
    lines = [line for block in blocks for line in of_block(block)]
    untrue = [row for row in ON_THE_PAGE if row.when(it)]
    found = [(line, row.why) for row in untrue for line in lines if re.search(row.phrase, line)]
    assert found == []


# The page of a patient


class Scored(NamedTuple):
    """A model, a score of it, and what is known of the case."""

    model: FrozenModel
    score: Score
    kind: str
    centre: str
    far: bool
    refused: bool


def scored(kind: str, centre: str, far: bool, refused: bool) -> Scored:
    model = model_of(kind)
    values: NDArray = np.array([d.mean + 9 * far * d.sd for d in model.distributions])
    patient = Patient("P1", "", "", known={"centre": centre, "age": 70.0})
    score = score_known(model, patient, values)
    if refused:
        score = not_scored(patient, ValueError("It cannot be read."))
    return Scored(model, score, kind, centre, far, refused)


ON_A_PATIENT = (
    Untrue(r"Probability of|Called, at|What makes the score", lambda s: s.refused, "no score"),
    Untrue(r"No score is given|cannot be read", lambda s: not s.refused, "there is one"),
    Untrue(
        r"the model harmonises by|not harmonised", lambda s: s.kind != "combat" or s.centre == "A",
        "the batch is known, or nothing is harmonised",
    ),
    Untrue(r"features? outside the training range", lambda s: not s.far, "all are at the mean"),
    Untrue(r"Nothing about the image", lambda s: bool(s.score.flags), "there are flags"),
    Untrue(r"most refits|range in brackets", lambda s: s.score.low is None, "no refit is kept"),
    Untrue(r"prevalence of", lambda s: True, "none was given"),
    Untrue(r"mean vote", lambda s: True, "there is no tree"),
    Untrue(r"towards malignant|Contribution<", lambda s: s.kind == "chance", "it may be chance"),
    Untrue(r"it may be chance", lambda s: s.kind != "chance", "it is above"),
    Untrue(
        r"pooled|mean over the parts", lambda s: s.kind != "parts", "it was judged on one side"
    ),
    Untrue(r"(?i)simulated", lambda s: not s.score.simulated, "the patient is real"),
)  # fmt: skip


def text_of(page: str) -> str:
    body = re.sub(r"<(style|script).*?</\1>", " ", page, flags=re.S)
    return html.unescape(body)


@pytest.mark.parametrize(
    ("kind", "centre", "far", "refused"),
    [*product(KINDS, ("A", "Q"), (False, True), (False,)), ("plain", "A", False, True)],
)
def test_no_line_of_a_patient_is_false(kind: str, centre: str, far: bool, refused: bool) -> None:
    it = scored(kind, centre, far, refused)
    text = text_of(render_patient(it.model, it.score, None))
    assert "Test" in text
    untrue = [row for row in ON_A_PATIENT if row.when(it)]
    assert [(row.phrase, row.why) for row in untrue if re.search(row.phrase, text)] == []


def test_what_is_forbidden_is_said_where_it_is_true() -> None:
    """A phrase that nobody says would forbid nothing."""
    told = " ".join(
        text_of(render_patient(it.model, it.score, None))
        for it in (scored("combat", "Q", True, False), scored("plain", "A", False, True),
                   scored("chance", "A", False, False), scored("parts", "A", False, False))
    )  # fmt: skip
    pages = [page("age", dict.fromkeys(CHOICES, True)), page("images", PAGES[0][1]),
             page("plain", PAGES[0][1]), page("parts", PAGES[0][1])]  # fmt: skip
    said = "\n".join(
        line
        for it in pages
        for b in external_blocks(it.model, it.found, "")
        for line in of_block(b)
    )
    for row in ON_A_PATIENT:
        if row.phrase not in (r"prevalence of", r"mean vote", r"(?i)simulated",
                              r"most refits|range in brackets"):  # fmt: skip
            assert re.search(row.phrase, told), row.phrase
    for row in ON_THE_PAGE:
        if "too (extreme" not in row.phrase:
            assert re.search(row.phrase, said, re.M), row.phrase


def test_a_flag_of_the_case_is_told() -> None:
    it = scored("plain", "A", False, False)
    flagged = replace(it.score, flags=(Flag("warning", "outline-off", "It is off."),))
    assert "It is off." in render_patient(it.model, flagged, None)
