"""The first screen: what a reader asks first, each answer from the numbers and their conditions."""

from dataclasses import replace

import pytest

from centrum.evaluate.bootstrap import Interval
from centrum.report.answers import answers
from centrum.report.blocks import Answer
from centrum.report.results import StudyResults
from centrum.report.sections.caveats import caveats
from centrum.report.sections.instability import OFTEN, instability_of
from centrum.report.sections.summary import misleading, summary
from centrum.report.sections.validation import means_over_parts
from centrum.text import fixed, interval_text

from .conftest import NEGATIVE, POSITIVE, Make, above_chance


@pytest.fixture(scope="module")
def results(make: Make) -> StudyResults:
    return make()


def told(answer: Answer) -> str:
    return " ".join(point.text for point in answer.points)


def observed(results: StudyResults, **columns: object) -> StudyResults:
    return replace(results, table=replace(results.table, obs=results.table.obs.assign(**columns)))


def test_the_first_screen_asks_three_questions(results: StudyResults) -> None:
    block = summary(results)
    assert [a.question for a in block.answers] == ["How good?", "How sure?", "For whom?"]
    assert all(a.facts and a.points for a in block.answers)
    assert not block.facts


def test_how_good_has_the_numbers_of_the_test(results: StudyResults) -> None:
    test, (good, _, _) = results.evaluation.by_set["test"], answers(results)
    (name, area), (_, found), (_, spared) = good.facts
    assert name == "AUC, test (95 % CI)"
    interval = test.auc.interval
    assert area == f"{test.auc.value:.2f} ({interval_text(interval.lower, interval.upper, 2)})"
    assert found.startswith(f"{test.measures['sensitivity'].value:.2f} (")
    assert spared.startswith(f"{test.measures['specificity'].value:.2f} (")
    calls = test.confusion
    assert f"{calls.tp} of {test.n_positive} {POSITIVE}" in told(good)
    assert f"{calls.tn} of {test.n_negative} {NEGATIVE}" in told(good)


def test_an_auc_that_may_be_chance_says_so(results: StudyResults) -> None:
    assert "chance" not in told(answers(results)[0])
    lucky = replace(results, evaluation=above_chance(results.evaluation, lower=0.45))
    assert "may be no better than chance" in told(answers(lucky)[0])


def test_a_design_of_several_parts_tells_their_mean(make: Make) -> None:
    one = make(n_parts=3)
    split = one.protocol.split.model_copy(update={"design": "repeated_split", "repeats": 3})
    several = replace(one, protocol=one.protocol.model_copy(update={"split": split}))
    mean, (good, sure, _) = means_over_parts(several)["AUC"], answers(several)
    assert dict(good.facts)["AUC, test (95 % CI)"].startswith(f"{mean.mean:.2f} (")
    assert "means over 3 parts" in told(good)
    assert "the cut-off of each part" in told(good)
    width = mean.interval.upper - mean.interval.lower
    assert dict(sure.facts)["Width of the interval of the AUC"] == fixed(width, 2)
    assert "means over" not in told(answers(one)[0])


@pytest.mark.parametrize(
    ("lower", "upper", "width", "wide"),
    [(0.7, 0.9, "0.20", True), (0.82, 0.9, "0.08", False), (0.8, 0.8, "unknown", False)],
)
def test_how_sure_is_the_width_of_the_interval(
    results: StudyResults, lower: float, upper: float, width: str, wide: bool
) -> None:
    test = results.evaluation.by_set["test"]
    area = replace(test.auc, interval=Interval(lower, upper))
    by_set = {**results.evaluation.by_set, "test": replace(test, auc=area)}
    changed = replace(results, evaluation=replace(results.evaluation, by_set=by_set))
    sure = answers(changed)[1]
    assert dict(sure.facts)["Width of the interval of the AUC"] == width
    assert dict(sure.facts)["Tested on"] == f"{test.n_patients} patients"
    assert dict(sure.facts)["Test cases"] == f"{test.n_positive} {POSITIVE} of {test.n}"
    assert ("leaves open how good" in told(sure)) == wide


def test_how_sure_tells_of_refits_and_readers(results: StudyResults, make: Make) -> None:
    sure = told(answers(results)[1])
    test = (results.scores["part"] == "test").to_numpy()
    changed = int((instability_of(results).of(test).changes > OFTEN).sum())
    assert f"{changed} of {test.sum()} test cases would be called otherwise" in sure
    (other,) = results.evaluation.other_readers
    assert f'"resident" the AUC is {other.difference.first:.2f}' in sure
    assert "who draws" not in sure
    alone = make(readers=("senior",))
    bare = replace(alone, validation=replace(alone.validation, resamples=[]))
    sure = told(answers(bare)[1])
    assert "How far a call depends on who was trained on was not tried." in sure
    assert "who draws the region is unknown" in sure


def test_how_sure_tells_what_is_wrong_with_the_probabilities(results: StudyResults) -> None:
    found = results.evaluation.calibration

    def said(**changes: object) -> str:
        curve = replace(found, **changes)
        evaluation = replace(results.evaluation, calibration=curve)
        return told(answers(replace(results, evaluation=evaluation))[1])

    right = replace(found.slope, value=1.0, interval=Interval(0.8, 1.2))
    level = replace(found.in_the_large, value=0.0, interval=Interval(-1, 1))
    assert "(calibration slope 1.00, 0.80 to 1.20)" in said(slope=right, in_the_large=level)
    steep = replace(right, value=0.5, interval=Interval(0.2, 0.8))
    assert "The probabilities are too extreme." in said(slope=steep, in_the_large=level)
    assert "could not be assessed" in said(reason="all cases have one outcome")


def test_for_whom_tells_who_was_studied(results: StudyResults) -> None:
    whom = answers(results)[2]
    scores, facts = results.scores, dict(whom.facts)
    n, patients = len(scores), scores["patient"].nunique()
    assert facts["Analysed"] == f"{n} cases of {patients} patients"
    events = (scores["outcome"] == POSITIVE).sum()
    assert facts[f"Share of {POSITIVE}"] == f"{100 * events / n:.0f} % ({events} of {n})"
    ages = results.table.obs.groupby("patient")["age"].first()
    assert facts["Age, median (range)"].endswith(f"({ages.min():.0f}–{ages.max():.0f})")
    assert f"Of {results.flow.start.cases} cases: " in told(whom)
    assert "1 not measured" in told(whom)
    assert "Levels T12 to L1." in told(whom)


def test_for_whom_tells_only_what_is_known(results: StudyResults) -> None:
    bare = observed(results, age=None, level=None)
    whom = answers(replace(bare, simulated=""))[2]
    assert "Age, median (range)" not in dict(whom.facts)
    assert "Level" not in told(whom)
    assert "simulated" not in told(whom)
    assert "all cases are simulated" in told(answers(results)[2])
    assert "All at L1." in told(answers(observed(results, level="L1"))[2])
    n = len(results.scores)
    all_there = replace(results.flow.start, cases=n)
    whole = replace(results, flow=replace(results.flow, start=all_there, end=all_there))
    assert "No case was left out." in told(answers(whole)[2])


@pytest.mark.parametrize(
    ("centres", "words"),
    [((None,), "other centres"), (("A",), "a second centre"), (("A", "B"), "beside these 2")],
)
def test_where_it_was_not_tried_depends_on_the_centres(
    results: StudyResults, centres: tuple[str | None, ...], words: str
) -> None:
    n = len(results.table.obs)
    spread = observed(results, centre=[centres[k % len(centres)] for k in range(n)])
    assert f"Not tried: {words}" in told(answers(spread)[2]).replace("centres beside", "beside")


def test_what_could_mislead_is_said_in_short_and_leads_there(results: StudyResults) -> None:
    short, whole = misleading(results), caveats(results).points
    assert 3 < len(short) < len(whole)
    places = {(point.anchor, point.grave) for point in whole}
    for point in short:
        assert (point.anchor, point.grave) in places
        assert point.grave or len(point.text) < 120
    texts = " ".join(point.text for point in short)
    assert f"{len(results.scores)} cases are too few" in texts
    assert summary(results).points == short


def test_what_does_not_speak_against_the_numbers_is_not_in_short(results: StudyResults) -> None:
    by_set = dict(results.evaluation.by_set)
    by_set["train"] = replace(by_set["train"], auc=by_set["out_of_fold"].auc)
    fitted = replace(results, evaluation=replace(results.evaluation, by_set=by_set))
    before, after = (" ".join(p.text for p in misleading(r)) for r in (results, fitted))
    assert "fitted to the AUC is too good" in before
    assert "fitted to the AUC is too good" not in after
    two = observed(results, centre=["A", "B"] * (len(results.table.obs) // 2) + ["A"])
    assert "centre" not in " ".join(p.text for p in misleading(two))
    rows = {**two.validation.rows}
    rows["parts"] = [{**rows["parts"][0], "centres": 1}]
    mixed = replace(two, validation=replace(two.validation, rows=rows))
    assert "2 centres, some on both sides" in " ".join(p.text for p in misleading(mixed))


def test_a_case_that_was_not_measured_is_left_out_without_any_rule(make: Make) -> None:
    whom = told(answers(make(rules=()))[2])
    assert "1 not measured" in whom
    assert "excluded by rules" not in whom
    assert "No case was left out" not in whom


def test_an_age_that_one_case_of_a_patient_lacks_is_that_of_another(results: StudyResults) -> None:
    obs = results.table.obs
    first, second = obs.index[obs["patient"].duplicated(keep=False)][:2]
    assert obs.loc[first, "patient"] == obs.loc[second, "patient"]
    ages = obs["age"].astype(float)
    ages[first], ages[second] = float("nan"), 101.0
    whom = answers(observed(results, age=ages))[2]
    assert dict(whom.facts)["Age, median (range)"].endswith("–101)")
