"""What could mislead: the study's own numbers, and what speaks against them first."""

from dataclasses import replace

import numpy as np
import pytest

from centrum.agreement import icc
from centrum.evaluate import Confusion, Scored
from centrum.evaluate.bootstrap import Interval
from centrum.modelling.agreement_filter import AgreementFilter
from centrum.modelling.settings import AgreementUse
from centrum.protocol.limits import outside_the_region
from centrum.report.readers import trained_agreement
from centrum.report.results import StudyResults
from centrum.report.sections import SECTIONS
from centrum.report.sections.caveats import cautions, caveats, plateau
from centrum.report.sections.leak_audit import leak_audit
from centrum.report.sections.performance import performance
from centrum.report.sections.regions import regions
from centrum.report.sections.summary import summary
from centrum.report.tables import agreement_table, performance_table
from centrum.study.findings import Finding, MeasuredSequence
from centrum.validation.procedure import Permutation

from .conftest import Make


@pytest.fixture(scope="module")
def results(make: Make) -> StudyResults:
    return make()


def said(results: StudyResults) -> str:
    return " ".join(point.text for point in caveats(results).points)


def changed(results: StudyResults, **changes: object) -> StudyResults:
    test = replace(results.evaluation.by_set["test"], **changes)
    by_set = {**results.evaluation.by_set, "test": test}
    return replace(results, evaluation=replace(results.evaluation, by_set=by_set))


def test_they_come_after_the_summary() -> None:
    assert [section.__name__ for section in SECTIONS[:3]] == ["summary", "caveats", "population"]


def test_each_is_a_sentence_with_the_study_s_numbers(results: StudyResults) -> None:
    text, test = said(results), results.evaluation.by_set["test"]
    assert f"{len(results.scores)} cases are not enough for a model of 6 features" in text
    assert f"rests on {test.n_patients} patients" in text
    assert f"AUC is {results.evaluation.by_set['train'].auc.value:.2f}, out of fold" in text
    assert outside_the_region(None) in text
    images = results.protocol.images.model_copy(update={"region": "whole_vertebra"})
    whole = replace(results, protocol=results.protocol.model_copy(update={"images": images}))
    assert outside_the_region("whole_vertebra") in said(whole)
    assert "simulated" in text
    train = results.scores[results.scores["part"] == "train"]["outcome"]
    assert f"fitted to {train.value_counts().min()} cases of the rarer outcome" in text


def test_cautions_come_first_and_are_said_once(results: StudyResults) -> None:
    sound = changed(results, n_patients=20)
    assert cautions(sound) == ()
    doubtful = changed(sound, optimistic=True)
    first, *others = caveats(doubtful).points
    assert first.grave
    assert "optimistic" in first.text
    assert not any(point.grave for point in others)
    assert summary(doubtful).warnings == performance(doubtful).warnings == ()
    assert "1 caution speaks against these numbers" in summary(doubtful).prose[-1]
    assert "caution" not in " ".join(summary(sound).prose)


def test_regions_that_no_reader_drew_are_a_caution(results: StudyResults) -> None:
    assert not any("proposed by the software" in point.text for point in cautions(results))
    (case, *_), reader = results.table.cases, results.table.readers[0]
    codes = {case: "proposal:spider", "not-measured": "proposal:spider"}
    found = tuple(Finding(one, reader, "warning", code, "") for one, code in codes.items())
    *_, point = cautions(replace(results, findings=(*results.findings, *found)))
    assert point.grave
    assert f'1 of "{reader}" (proposal:spider) were proposed by the software' in point.text


def test_the_scheme_stands_on_the_user_s_word(results: StudyResults) -> None:
    assert "the scheme" not in said(results)
    images = results.protocol.images.model_copy(update={"labels": "spider"})
    numbered = replace(results, protocol=results.protocol.model_copy(update={"images": images}))
    assert "by the scheme spider (SPIDER, reference masks), as the authors named it" in said(
        numbered
    )
    assert "from those of totalsegmentator-vertebrae-mr or mrspineseg." in said(numbered)
    only = images.model_copy(update={"labels": "totalspineseg"})
    alone = replace(results, protocol=results.protocol.model_copy(update={"images": only}))
    assert "by the scheme totalspineseg" in said(alone)
    assert "cannot tell" not in said(alone)


def test_a_leak_is_said_first_of_all(results: StudyResults) -> None:
    rows = {**results.validation.rows}
    rows["parts"] = [{**rows["parts"][0], "patients": 2}]
    leaky = replace(results, validation=replace(results.validation, rows=rows))
    assert "no number in this report can be trusted" in caveats(leaky).points[0].text
    assert "found no patient on both sides" not in said(leaky)
    assert "found no patient on both sides" in said(results)
    assert leak_audit(leaky).warnings


def test_equal_rows_and_a_lucky_nothing_are_cautioned_about(results: StudyResults) -> None:
    rows = {**results.validation.rows}
    rows["parts"] = [{**rows["parts"][0], "equal_rows": 1, "near_copies": 1}]
    permuted = Permutation(0.9, (0.7, 0.8), 0)
    doubtful = replace(results.validation, rows=rows, permutation=permuted)
    texts = [point.text for point in cautions(replace(results, validation=doubtful))]
    assert any("2 pairs of rows" in text for text in texts)
    assert any("the mean AUC is 0.75" in text for text in texts)


def test_permutations_and_readers_change_the_caveats(results: StudyResults, make: Make) -> None:
    permuted = replace(results.validation, permutation=Permutation(0.9, (0.5,) * 9, 0))
    text = said(replace(results, validation=permuted))
    assert "P = .10, the share of assignments" in text
    assert "(1 of 10); 9 permutations cannot show a P below .10" in text
    none = replace(results.validation, permutation=None)
    assert "ermutation" not in said(replace(results, validation=none))
    assert "One set of regions was measured" in said(make(readers=("senior",)))
    assert "One set of regions" not in said(results)


def test_centres(results: StudyResults) -> None:
    def with_centres(*names: str | None, shared: int = 2) -> str:
        obs = results.table.obs.assign(centre=np.resize(names, len(results.table.obs)))
        sides = [{**side, "centres": shared} for side in results.validation.rows["parts"]]
        found = replace(results.validation, rows={**results.validation.rows, "parts": sides})
        return said(replace(results, table=replace(results.table, obs=obs), validation=found))

    assert "come from one centre" in with_centres("A")
    assert "come from 2 centres, of which some are on both sides" in with_centres("A", "B")
    assert "test cases are from other centres" in with_centres("A", "B", shared=0)
    assert "centres that are not stated" in said(results)


def test_calibration_says_when_it_departs(results: StudyResults) -> None:
    found = results.evaluation.calibration

    def with_limits(lower: float, upper: float) -> str:
        interval = type(found.slope.interval)(lower, upper)
        slope = replace(found.slope, value=(lower + upper) / 2, interval=interval)
        level = replace(found.in_the_large, value=0.0, interval=type(interval)(-1, 1))
        judged = replace(found, slope=slope, in_the_large=level, reason="")
        return said(replace(results, evaluation=replace(results.evaluation, calibration=judged)))

    assert "so that they are too extreme" in with_limits(0.2, 0.8)
    assert "so that they are too moderate" in with_limits(1.2, 1.8)
    assert "cannot show that they are right" in with_limits(0.5, 1.5)


def test_the_plateau_of_the_cut_off_is_as_good_but_for_one_case(results: StudyResults) -> None:
    learnt = results.evaluation.by_set["out_of_fold"]
    train = results.scores[results.scores["part"] == "train"]
    scored = Scored.of(train["out_of_fold"], train["outcome"] == results.model.positive, None)

    def youden(cutoff: float) -> float:
        return Confusion.of(scored, cutoff).measures()["youden"]

    low, high = plateau(learnt)
    best, one_case = youden(learnt.cutoff.value), 1 / min(learnt.n_positive, learnt.n_negative)
    assert low <= learnt.cutoff.value <= high
    for end in (low, high):
        assert youden(end) >= best - one_case - 1e-9
    assert f"cut-offs from {low:.2f}".replace("-", "−") in said(results).replace("-", "−")


def test_outcomes_that_cannot_be_dealt_out_give_no_p(results: StudyResults) -> None:
    few = replace(results.validation, permutation=Permutation(0.9, (0.9,) * 7, 0, ways=8))
    changed = replace(results, validation=few)
    audit = leak_audit(changed)
    assert "can be permuted in 8 ways only" in said(changed)
    assert not any("shuffled" in point.text for point in cautions(changed))
    assert "AUC under shuffled outcomes" not in dict(audit.facts)
    assert not any("P = " in text for text in audit.prose)


def test_patients_with_both_outcomes_are_said_to_be_permuted_within(results: StudyResults) -> None:
    assert f"({results.mixed_patients} patients have both outcomes)" in leak_audit(results).prose[0]
    scores = results.scores.assign(patient=results.scores.index)
    plain = replace(results, scores=scores)
    assert "randomly permuted among the patients" in leak_audit(plain).prose[0]


def with_dice(results: StudyResults, *dice: float) -> StudyResults:
    """The first cases overlap as is said."""
    overlap = results.overlap.copy()
    overlap.loc[overlap.index[: len(dice)], "dice"] = dice
    return replace(results, overlap=overlap)


def test_copied_masks_are_counted_first_of_all(results: StudyResults) -> None:
    assert "voxel for voxel" not in said(results)
    some = with_dice(results, 1.0, 1.0)
    n = len(results.overlap)
    told = f"are one, voxel for voxel, in 2 of {n} cases: copies raise their agreement."
    assert any(point.grave and told in point.text for point in cautions(some))
    assert any(told in text for text in regions(some).prose)
    assert "their agreement means nothing" in said(with_dice(results, *[1.0] * n))


def test_one_exam_under_two_patients_is_a_caution(results: StudyResults) -> None:
    twice = [
        Finding(case, "all", "warning", "same-image", "One image.") for case in ("X001", "X002")
    ]
    before = cautions(results)
    (caution,) = set(cautions(replace(results, findings=tuple(twice)))) - set(before)
    assert caution.text.startswith("2 cases (X001, X002) have an image that is")
    noted = tuple(replace(finding, severity="note") for finding in twice)
    assert cautions(replace(results, findings=noted)) == before


def test_sequences_that_nothing_tells_are_said(results: StudyResults) -> None:
    known = MeasuredSequence("", "T2w", cases=30, by_times=12, by_name=8)
    told = (
        "verified from TR and TE in 12 of 30 cases; only named so in 8; sequence not verified in 10"
    )
    results = replace(results, sequences=(known,))
    whom = summary(results).answers[2]
    assert f"The images were taken to be T2w: {told}." in [point.text for point in whom.points]
    assert told in said(results)
    verified = replace(known, by_times=30, by_name=0)
    assert "verified from TR" not in said(replace(results, sequences=(verified,)))


def _parted(results: StudyResults, value: float, interval: Interval) -> StudyResults:
    test = results.evaluation.by_set["test"]
    area = replace(test.auc, value=value, interval=interval)
    by_set = {**results.evaluation.by_set, "test": replace(test, auc=area)}
    return replace(results, evaluation=replace(results.evaluation, by_set=by_set))


def test_an_auc_of_1_has_one_limit(results: StudyResults) -> None:
    changed = _parted(results, 1.0, Interval(0.742, 1.0))
    shown = performance_table(changed.evaluation.by_set)
    cells = [row[-1].text for row in shown.rows if row[0] == "AUC"]
    assert cells == ["1.000 (0.742–1.000)"]
    assert any("the interval of the AUC is one-sided" in note for note in shown.notes)
    assert "its interval is one-sided: with" in said(changed)
    assert "it reaches from 0.74 to 1.00" in said(changed)
    assert "1.00 (0.74–1.00)" in dict(summary(changed).answers[0].facts).values()
    plain = performance_table(results.evaluation.by_set)
    assert not any("one-sided" in note for note in plain.notes)


def test_intervals_without_width_are_no_precision(results: StudyResults) -> None:
    changed = _parted(results, 0.5, Interval(0.5, 0.5))
    shown = performance_table(changed.evaluation.by_set)
    assert [row[-1].text for row in shown.rows if row[0] == "AUC"] == ["0.500 (no interval)"]
    assert any("nothing of the precision" in note for note in shown.notes)
    assert "which is no precision; no interval can be given" in said(changed)
    assert "0.50 (no interval)" in dict(summary(changed).answers[0].facts).values()


def test_readers_with_the_same_values_have_no_interval(results: StudyResults) -> None:
    same = results.agreement.assign(icc=1.0, lower=1.0, upper=1.0)
    table = agreement_table(replace(results, agreement=same))
    assert {row[2].text for row in table.rows} == {"1.000 (no interval)"}
    assert f"{len(same)} features: all readers have the same values" in table.notes[-1]
    assert len(agreement_table(results).notes) == len(table.notes) - 1
    assert "jackknife over patients" in agreement_table(results).notes[1]


@pytest.mark.parametrize("use", ["estimate", "lower_bound"])
def test_the_table_of_agreement_has_what_the_models_own_filter_decided(
    results: StudyResults, use: AgreementUse
) -> None:
    rule = results.protocol.model.agreement.model_copy(update={"use": use, "threshold": 0.8})
    model = results.protocol.model.model_copy(update={"agreement": rule})
    changed = replace(results, protocol=results.protocol.model_copy(update={"model": model}))
    train = (results.scores["part"] == "train").reindex(results.table.cases).to_numpy()
    assert 0 < train.sum() < train.size
    owners = results.table.obs["patient"][train]
    step = AgreementFilter(**dict(rule)).fit(results.table.values[train], groups=owners)
    table = agreement_table(changed)
    assert [row[6] == "yes" for row in table.rows] == step.support_.tolist()
    assert [row[5].value for row in table.rows] == step.icc_.value.tolist()
    assert {row[4] for row in table.rows} == set(step.icc_.n_subjects)
    otherwise = np.sum(step.support_ != results.agreement["kept"].to_numpy(bool))
    assert f"would decide otherwise on {otherwise}." in table.notes[0]
    lower = icc(results.table.values[train], rule.form, patients=owners).lower
    assert not np.allclose(lower, icc(results.table.values[train], rule.form).lower)
    np.testing.assert_array_equal(trained_agreement(changed)["lower"], lower)
    unsure = np.sum(step.support_ & (lower <= 0.8))
    assert f"Of those kept, {unsure} have a lower 95 % limit of 0.8 or less" in table.notes[0]
    assert (unsure > 0) == (use == "estimate")
