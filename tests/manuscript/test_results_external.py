"""The external validation in the paper: its numbers, what it may claim, and its files."""

import json
import re
from dataclasses import replace
from itertools import product
from math import hypot
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from centrum.errors import DataError
from centrum.evaluate.bootstrap import Interval
from centrum.frozen.external import NewCases, validate
from centrum.frozen.external_record import ExternalRecord, read_external, shared_scores
from centrum.frozen.people import NO_IMAGES, People
from centrum.manuscript.abstract import abstract_text
from centrum.manuscript.answers import StudyFacts, headline_auc
from centrum.manuscript.methods import Paragraph, methods_text
from centrum.manuscript.results_external import (
    HEADING,
    benefit_text,
    external_block,
    external_results,
    external_text,
    with_external,
)
from centrum.records import as_json
from centrum.report.external_beside import external_table
from centrum.report.results import StudyResults
from centrum.report.size_of_test import rests_on
from centrum.text import fixed

from .conftest import Make
from .elsewhere import external_of
from .test_truth import made
from .variants import everything, of_block, varied

ELSEWHERE = {"Z": 40}


# Numbers of the paragraphs


def numbers_in(text: str) -> set[str]:
    return set(re.findall(r"\d+(?:\.\d+)?", text))


@pytest.mark.parametrize("better", [0.0, 1.2, 4.0])
def test_every_number_is_one_of_the_records(results: StudyResults, better: float) -> None:
    """Typed by hand which numbers may stand there; none may stand that is not among them."""
    found = external_of(results, n=46, centres={"Z": 46}, better=better, refused=2)
    e, c, curve = found.evaluation, found.calibration, found.decision_curve
    internal = headline_auc(results)
    gap = e.auc.value - internal.value
    low = gap - hypot(e.auc.value - e.auc.interval.lower, internal.upper - internal.value)
    high = gap + hypot(e.auc.interval.upper - e.auc.value, internal.value - internal.lower)
    gain = curve.model - np.maximum(curve.treat_all, 0)
    signs = [np.flatnonzero(sign * gain > 1e-12) for sign in (1, -1)]
    sure = [int((curve.difference_lower[signs[0]] > 0).sum()),
            int((curve.difference_upper[signs[1]] < 0).sum())]  # fmt: skip
    two = [e.auc.value, e.auc.interval.lower, e.auc.interval.upper, internal.value, internal.lower,
           internal.upper, gap, low, high, e.auc.interval.upper - e.auc.interval.lower,
           *(x for m in ("sensitivity", "specificity") for x in (
               e.measures[m].value, e.measures[m].interval.lower, e.measures[m].interval.upper)),
           *(x for k in (c.slope, c.intercept, c.in_the_large) for x in (
               k.value, k.interval.lower, k.interval.upper)),
           *curve.thresholds]  # fmt: skip
    at = np.argmin(abs(curve.thresholds - 0.5))
    one = [100 * x[at] for x in (gain, curve.difference_lower, curve.difference_upper)]
    whole = {46, 23, 2, e.confusion.tp, e.confusion.tn, 95, 99, 100, *map(len, signs), *sure,
             *(found.people.sex[s] for s in "FM"), round(found.people.age.mean),
             int(found.people.age.minimum), int(found.people.age.maximum)}  # fmt: skip
    runs = [1 + int((np.diff(at) > 1).sum()) for at in signs if at.size]
    allowed = (
        {f"{abs(x):.2f}" for x in two} | {f"{abs(x):.1f}" for x in one}
        | {str(k) for k in (*whole, *runs)} | {fixed(c.brier), "0.5"}
    )  # fmt: skip
    text = " ".join(external_results(results, found))
    text = re.sub(r"\(Vergouwe.*?214-226\)|\0[^\0]*\0", "", text)
    assert numbers_in(text) - allowed == set()
    slope = {f"{abs(c.slope.value):.2f}"} if np.isfinite(c.slope.value) else set()
    assert {f"{e.auc.value:.2f}", fixed(c.brier), *slope} <= numbers_in(text)
    assert f"sensitivity was {e.measures['sensitivity'].value:.2f} ({e.confusion.tp} of 23;" in text
    assert f"specificity was {e.measures['specificity'].value:.2f} ({e.confusion.tn} of 23;" in text


def with_auc(found: ExternalRecord, value: float, lower: float, upper: float) -> ExternalRecord:
    area = replace(found.evaluation.auc, value=value, interval=Interval(lower, upper))
    return replace(found, evaluation=replace(found.evaluation, auc=area))


@pytest.mark.parametrize(
    ("area", "said"),
    [
        ((0.30, 0.25, 0.36), " lower than the internal one of .* did not hold 0."),
        ((0.999, 0.99, 0.9999), " higher than the internal one of .*"),
        ((0.70, 0.50, 0.85), "held 0: these patients neither showed a difference nor ruled"),
        ((0.70, 0.70, 0.70), "cannot be told: one of the two has no interval"),
    ],
)
def test_a_difference_is_claimed_where_its_interval_shows_it(
    results: StudyResults, area: tuple[float, float, float], said: str
) -> None:
    found = with_auc(external_of(results), *area)
    assert re.search(said, external_results(results, found)[0])


def test_gain_and_harm_are_told_with_their_intervals(results: StudyResults) -> None:
    found = external_of(results)
    curve, size = found.decision_curve, 99
    zero = np.zeros(size)
    flat = replace(curve, model=zero, treat_all=zero, difference_lower=zero, difference_upper=zero)
    model = np.where(np.arange(size) < 20, 0.1, np.where(np.arange(size) < 60, -0.05, 0))
    shaped = replace(
        flat,
        model=model,
        difference_lower=np.where(np.arange(size) < 5, 0.02, -0.2),
        difference_upper=np.where((np.arange(size) >= 30) & (np.arange(size) < 60), -0.01, 0.2),
    )
    none = benefit_text(replace(found, decision_curve=flat))
    assert none.startswith("Net benefit was at none of 99 threshold probabilities higher than by")
    assert "and lower at none." in none
    text = benefit_text(replace(found, decision_curve=shaped))
    assert "at 20 of 99 threshold probabilities (0.01 to 0.20; the interval of" in text
    assert "gain lay above 0 at 5), and lower, so that the model did harm, at 40 (0.21 to" in text
    assert "0.60; the interval of the gain lay below 0 at 30)" in text
    assert (
        "the model lost 5.0 net true positives per 100 cases (95 % CI of the gain −20.0 to −1.0;"
        in text
    )


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ((100, 100), "100 malignant and 100 osteoporotic cases, no fewer than the 100 of each"),
        ((100, 99), "99 osteoporotic cases, the osteoporotic fewer than the 100 of each"),
        ((99, 100), "100 osteoporotic cases, the malignant fewer than the 100 of each"),
        ((7, 8), "8 osteoporotic cases, both fewer than the 100 of each"),
    ],
)
def test_how_few_it_rests_on_follows_the_rule(
    results: StudyResults, sizes: tuple[int, int], said: str
) -> None:
    found = replace(
        external_of(results).evaluation, n_positive=sizes[0], n_negative=sizes[1], n_patients=77
    )
    text = rests_on(found, ("malignant", "osteoporotic"), "external")
    assert said in text
    assert text.startswith("The external AUC rests on 77 patients with ")
    lower, upper = (round(end, 2) for end in (found.auc.interval.lower, found.auc.interval.upper))
    assert f"interval, {lower:.2f} to {upper:.2f}, is {upper - lower:.2f} wide." in text


# The table and the figure


def test_the_table_has_the_sides_of_the_study(results: StudyResults) -> None:
    found = external_of(results, centres=ELSEWHERE)
    acquisition = pd.DataFrame({"echo_time_ms": 90.0, "plane": "sagittal"}, results.table.cases)
    table = external_table(results, found, headline_auc(results), acquisition)
    rows = {name: cells for name, *cells in table.rows}
    assert [c.name for c in table.columns] == ["Characteristic", "Training", "Internal test",
                                               "External"]  # fmt: skip
    train, test = (results.scores[results.scores["part"] == part] for part in ("train", "test"))
    assert rows["Patients"] == [train["patient"].nunique(), test["patient"].nunique(), 40]
    assert rows["Cases"] == [len(train), len(test), 40]
    assert [cell.n for cell in rows["Malignant cases"]] == [
        *((side["outcome"] == "malignant").sum() for side in (train, test)), 20
    ]  # fmt: skip
    ages = results.table.obs.loc[test.index].groupby(test["patient"])["age"].first()
    assert rows["Age, years"][1].mean == pytest.approx(ages.mean())
    assert rows["Echo time, ms"] == ["90", "90", "unknown"]
    assert rows["Manufacturer"] == ["unknown", "unknown", "GE"]
    assert rows["Centre: cases"] == ["unknown", "unknown", "Z: 40"]
    assert rows["AUC"][0] is None
    assert rows["AUC"][1] == headline_auc(results)
    assert rows["AUC"][2].value == found.evaluation.auc.value
    own, new = results.evaluation.by_set["test"].confusion, found.evaluation.confusion
    assert rows["True positives"][1:] == [f"{own.tp}/{own.tp + own.fn}", f"{new.tp}/20"]
    assert rows["True negatives"][1:] == [f"{own.tn}/{own.tn + own.fp}", f"{new.tn}/20"]
    pair = (results.evaluation.calibration, found.calibration)
    for name, key in (("Calibration slope", "slope"), ("Calibration intercept", "intercept"),
                      ("Calibration in the large", "in_the_large")):  # fmt: skip
        assert [cell.value for cell in rows[name][1:]] == [getattr(c, key).value for c in pair]
    assert rows["Brier score"][1:] == [
        results.evaluation.calibration.brier,
        found.calibration.brier,
    ]


@pytest.mark.usefixtures("drawn")
def test_the_figure_says_of_how_many_it_is(results: StudyResults) -> None:
    (block,) = external_block(
        results, StudyFacts(external=external_of(results, n=46, per_patient=2))
    )
    (picture,) = block.pictures
    assert "46 external cases of 23 patients (23 malignant, 23 osteoporotic)" in picture.caption
    figure = picture.drawing()
    texts = [t.get_text() for axes in figure.axes for t in axes.texts]
    assert "46 cases of 23 patients\n23 malignant\n23 osteoporotic" in texts


# What may be claimed


class Told(NamedTuple):
    """A study, a validation of its model, and what is known by construction."""

    results: StudyResults
    found: ExternalRecord | None
    where: str
    shared: int
    mixed: bool
    large: bool


class Untrue(NamedTuple):
    """A phrase (a regular expression), the studies that it is false in, and why."""

    phrase: str
    when: Any
    why: str


def several(t: Told) -> bool:
    return t.results.protocol.split.design == "repeated_split"


def of_tables(t: Told) -> bool:
    return bool(t.results.protocol.tables)


def none(t: Told) -> bool:
    return t.found is None


CLAIMS = (
    Untrue(r"^paper|frozen model was applied|Report of the external", none, "there was none"),
    Untrue(r"of (another centre|other centres) \(", lambda t: t.where != "other", "it is not"),
    Untrue(r"of the study's own centre", lambda t: t.where != "same", "it is not"),
    Untrue(r"centre is not recorded", lambda t: t.where in ("other", "same", "mixed"), "it is"),
    Untrue(
        r"than the study's is not recorded", lambda t: t.where in ("other", "same"), "it is"
    ),
    Untrue(
        r"METRICS 27: \[answered\]",
        lambda t: (none(t) or t.where != "other" or t.shared > 0)
        and t.results.protocol.split.design != "external",
        "no case of another institution was tested",
    ),
    Untrue(
        r"METRICS 27: \[not done\]",
        lambda t: t.where == "other" or t.results.protocol.split.design == "external",
        "cases of another institution were tested",
    ),
    Untrue(r"no external test", lambda t: t.where == "other" and not t.shared, "there was one"),
    Untrue(
        r"All cases are from one centre\.$|weak: .*one centre", lambda t: t.where == "other",
        "the external ones are from another",
    ),
    Untrue(
        r"both sides come from one cohort", lambda t: not none(t), "the external set does not"
    ),
    Untrue(
        r"than the internal one|compared with the internal|interval of the difference",
        lambda t: t.mixed or t.shared > 0, "simulated and real, or the same, are not compared",
    ),
    Untrue(r"very score of a case", lambda t: not t.shared, "no score is the same"),
    Untrue(r"others are not: the AUCs", lambda t: not t.mixed, "both are real or simulated"),
    Untrue(r"those of the internal test\.", several, "the internal intervals are over parts"),
    Untrue(r"^paper: (Training|Internal test)$", several, "every case was on both sides"),
    Untrue(r"^paper: Development$", lambda t: not several(t), "the design has two sides"),
    Untrue(r"read from tables, as", lambda t: not of_tables(t), "they were measured"),
    Untrue(
        r"images were acquired with|scanner of the external images", of_tables, "no image was read"
    ),
    Untrue(r"(both|the \w+) fewer than the 100", lambda t: t.large, "there are enough"),
    Untrue(r"no fewer than the 100", lambda t: not t.large, "there are too few"),
    Untrue(r"could not be scored", lambda t: none(t) or not t.found.refused, "all were"),
    Untrue(r"mean age|sex: ", lambda t: t.where == "unknown", "neither is known"),
)  # fmt: skip
"""Typed by hand, as the table of `test_truth`; `where` says how the centres were made."""

PLACES = {
    "other": {"Z": 40},
    "same": {"A": 40},
    "mixed": {"A": 20, "Z": 20},
    "unknown": None,
}

DESIGNS: dict[str, dict[str, Any]] = {
    "single": {},
    "repeated": {"split": {"design": "repeated_split"}},
    "external": {"split": {"design": "external", "test_values": ("B",)}},
    "tables": {"tables": ({"reader": "senior", "file": "a.csv"},
                          {"reader": "resident", "file": "b.csv"})},
}  # fmt: skip

CASES = [
    (design, where, k % 3 == 1, k % 4 == 2, k % 5 == 3)
    for k, (design, where) in enumerate(product(DESIGNS, (*PLACES, "none")))
]
"""Design, centres, whether cases are shared, whether one of two is simulated, whether many."""


def told(make: Make, case: tuple[str, str, bool, bool, bool]) -> Told:
    design, where, shared, mixed, large = case
    results = varied(made(make, 3 if design == "repeated" else 1), DESIGNS[design])
    if design != "external":
        obs = results.table.obs.assign(centre="A")
        results = replace(results, table=replace(results.table, obs=obs))
    if where == "none":
        return Told(results, None, where, 0, False, False)
    centres = PLACES[where]
    size = 200 if large else 40
    if centres is not None:
        centres = {name: k * size // 40 for name, k in centres.items()}
    found = external_of(
        results, n=size, centres=centres, shared=3 * shared, refused=2 * shared,
        simulated=not results.simulated if mixed else None, known=where != "unknown",
    )  # fmt: skip
    return Told(results, found, where, 3 * shared, mixed, large)


def paper(it: Told, facts: StudyFacts) -> list[str]:
    """What the paper says of the external validation."""
    blocks = external_block(it.results, facts)
    text = [line for block in blocks for line in of_block(block)]
    text += [p.text for p in with_external((), it.results, facts)]
    text += [p.text for p in external_text(it.results, facts)]
    text += [p.text for p in abstract_text(it.results, it.found)] if it.found else []
    return [f"paper: {line}" for line in text]


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case)))
def test_no_claim_is_false(make: Make, case: tuple[str, str, bool, bool, bool]) -> None:
    it = told(make, case)
    facts = StudyFacts(external=it.found, exported_model=True, methods=True)
    lines = [
        *paper(it, facts),
        *(line for line in everything(it.results, facts) if not line.startswith("report")),
    ]
    assert lines
    untrue = [row for row in CLAIMS if row.when(it)]
    assert [
        (line, row.why) for row in untrue for line in lines if re.search(row.phrase, line)
    ] == []


def test_each_claim_is_forbidden_somewhere_and_made_somewhere(make: Make) -> None:
    everywhere = [told(make, case) for case in CASES]
    assert [row.phrase for row in CLAIMS if not any(map(row.when, everywhere))] == []
    facts = [StudyFacts(external=it.found) for it in everywhere]
    said = " ".join(
        line for it, fact in zip(everywhere, facts, strict=True) for line in paper(it, fact)
    )
    for phrase in ("another centre (", "study's own centre", "centre is not recorded", "very score",
                   "others are not: the AUCs", "paper: Development", "both fewer", "no fewer",
                   "could not be scored", "read from tables, as"):  # fmt: skip
        assert phrase in said, phrase


def test_without_an_external_validation_the_paper_is_as_before(results: StudyResults) -> None:
    text = methods_text(results)
    assert external_block(results, StudyFacts()) == []
    assert external_text(results, StudyFacts()) == ()
    assert not any("external case" in p.text for p in abstract_text(results))
    area = fixed(external_of(results).evaluation.auc.value, 2)
    (told,) = [
        p.text for p in abstract_text(results, external_of(results)) if p.heading == "Results"
    ]
    said = f"On 40 simulated external cases of 40 patients (20 malignant) the AUC was {area}"
    assert said in told
    assert with_external(text, results, StudyFacts()) == text
    headings = [p.heading for p in with_external(
        text, results, StudyFacts(external=external_of(results)))]  # fmt: skip
    at = headings.index("External validation")
    assert (headings[at - 1], headings[at + 1]) == ("Validation", "Statistical analysis")


# The same examinations


def test_a_score_to_the_last_digits_is_the_same_case() -> None:
    own = np.array([0.5, 1.25, -3.0])
    assert shared_scores(own, np.array([1.25 + 1e-13, 1.2500001, -3.0])) == 2
    assert shared_scores(np.array([0.5, 0.5, 1.0]), np.array([0.5])) == 0, "as trees vote"


# Files


@pytest.fixture
def written(model_of_numbers: Any, tmp_path: Path) -> tuple[Path, ExternalRecord]:
    """What `validate` leaves of a small model, and what was found."""
    found = validate(*model_of_numbers, refused={"x": "why"})
    record = {"model": "abc", **as_json(found)}
    (tmp_path / "validation.json").write_text(json.dumps(record))
    found.predictions().to_csv(tmp_path / "predictions.csv", index=False)
    return tmp_path, ExternalRecord.of(found)


@pytest.fixture(scope="module")
def model_of_numbers() -> tuple[Any, NewCases]:
    from centrum.modelling.pipeline import StudyClassifier
    from tests.frozen.models import frozen
    from tests.frozen.test_scorer import NAMES, QUICK, cohort

    X, y, patients, _ = cohort()
    fitted = StudyClassifier(QUICK, 1, NAMES).fit(X, y, patients)
    model = frozen(fitted, NAMES, X, y, protocol={"evaluation": {"n_resamples": 100}})
    rng = np.random.default_rng(2)
    mean, sd = (np.array([getattr(d, k) for d in model.distributions]) for k in ("mean", "sd"))
    values = mean + sd * rng.normal(size=(30, mean.size))
    cases = tuple(f"c{k}" for k in range(30))
    known = [{"patient": f"p{k // 2}", "age": 60.0 + k, "sex": "F", "centre": 7} for k in range(30)]
    facts = [{"echo_time_ms": 90.0 + k, "manufacturer": "GE", "described_as": "Anna"}
             for k in range(30)]  # fmt: skip
    people = People.of_new(known, facts, False)
    patients = np.array([row["patient"] for row in known])
    return model, NewCases(cases, patients, np.arange(30) % 2 == 0, values, None, people=people)


def test_what_is_read_is_what_was_found(written: tuple[Path, ExternalRecord]) -> None:
    folder, found = written
    read = read_external(folder, "abc")
    assert as_json(read) == as_json(found)
    assert type(read.evaluation) is type(found.evaluation)
    assert read.evaluation.roc.thresholds.dtype == float
    assert read.evaluation.measures["sensitivity"].interval == (
        found.evaluation.measures["sensitivity"].interval
    )
    assert read.people.age == found.people.age
    assert read.people.acquisition.numbers["echo_time_ms"].highest == 119.0
    assert read.people.centre == {"7": 30}
    assert "Anna" not in (folder / "validation.json").read_text()


def test_people_are_counted_once(model_of_numbers: Any) -> None:
    people = model_of_numbers[1].people
    assert people.sex == {"F": 15}
    assert (people.age.n, people.age.minimum, people.age.maximum) == (15, 60.0, 88.0)
    nobody = People.of(pd.DataFrame({"patient": ["a"]}), NO_IMAGES, False)
    assert (nobody.age, nobody.sex, nobody.centre) == (None, {}, {})


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "validation.json").unlink(), "holds no validation.json"),
        (lambda folder: (folder / "predictions.csv").unlink(), "lacks what this version"),
        (lambda folder: _without(folder, "people"), "lacks what this version"),
        (lambda folder: _fewer(folder), "is of 30 cases, predictions.csv of 29"),
    ],
)
def test_what_cannot_be_read_is_refused(
    written: tuple[Path, ExternalRecord], spoil: Any, said: str
) -> None:
    folder, _ = written
    with pytest.raises(DataError, match="of another model"):
        read_external(folder, "abd")
    spoil(folder)
    with pytest.raises(DataError, match=said):
        read_external(folder, "abc")


def _without(folder: Path, key: str) -> None:
    record = json.loads((folder / "validation.json").read_text())
    del record[key]
    (folder / "validation.json").write_text(json.dumps(record))


def _fewer(folder: Path) -> None:
    lines = (folder / "predictions.csv").read_text().splitlines()
    (folder / "predictions.csv").write_text("\n".join(lines[:-1]))


def test_the_methods_paragraph_stands_in_the_paper_behind_the_validation(
    results: StudyResults,
) -> None:
    facts = StudyFacts(external=external_of(results))
    told = (Paragraph("Validation", "a."), Paragraph("Software", "b."),
            Paragraph("Validation", "c.", main=False))  # fmt: skip
    found = with_external(told, results, facts)
    assert [p.heading for p in found] == ["Validation", HEADING, "Software", "Validation"]
    assert [p.main for p in found] == [True, True, True, False]
