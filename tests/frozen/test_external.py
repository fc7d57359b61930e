"""External validation: what is found of shifts that were made, and that nothing is learnt."""

import json
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from centrum.commands import study as verbs
from centrum.commands.console import external_lines
from centrum.commands.validate import outlook, validate_model
from centrum.errors import DataError
from centrum.evaluate import Scored
from centrum.evaluate.bootstrap import Interval
from centrum.evaluate.calibration import calibration
from centrum.evaluate.evaluation import CutOff
from centrum.evaluate.recalibration import Recalibration, cross_fitted, recalibration
from centrum.frozen.external import (
    ExternalValidation,
    NewCases,
    _can_harmonise,
    drift_of,
    validate,
)
from centrum.frozen.external_record import ExternalRecord, read_external, shared_scores
from centrum.frozen.model import FrozenModel, read_model
from centrum.modelling.combat import ComBat, to_reference
from centrum.modelling.split import folds_by_patient, train_and_held_out
from centrum.records import as_json
from centrum.report.answers import with_interval
from centrum.report.blocks import Answer
from centrum.report.external import external_blocks
from centrum.study.study import open_study
from centrum.text import agreeing
from tests.frozen.test_model_file import model as model_of
from tests.studies import frozen_study, make_study
from tests.study.test_tables import of_tables


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return frozen_study(tmp_path_factory.mktemp("built") / "study")


@pytest.fixture(scope="module")
def model(finished: Path) -> FrozenModel:
    return read_model(finished / "results" / "model.json")


def drawn(model: FrozenModel, n: int = 400, seed: int = 0, shift: float = 0.0) -> NewCases:
    """Cases around the training mean, their outcome by the model's own probability."""
    rng = np.random.default_rng(seed)
    mean, sd = (np.array([getattr(d, k) for d in model.distributions]) for k in ("mean", "sd"))
    values = mean + sd * rng.normal(size=(n, mean.size))
    likely = model.calibrator.predict_proba(model.scorer.score(values))
    positive = rng.random(n) < likely
    moved = values + shift * sd
    names = np.array([f"p{k // 2}" for k in range(n)])
    return NewCases(tuple(f"c{k}" for k in range(n)), names, positive, moved, None)


def judged(model: FrozenModel, new: NewCases) -> ExternalValidation:
    return validate(model, new, refused={})


def test_on_its_own_kind_a_model_is_calibrated(model: FrozenModel) -> None:
    found = judged(model, drawn(model))
    slope = found.calibrated[0].calibration.slope
    assert slope.interval.lower < 1 < slope.interval.upper
    assert max(abs(d.shift) for d in found.drift) < 0.2


def test_a_shift_is_seen_and_harmonised(model: FrozenModel) -> None:
    plain, found = judged(model, drawn(model)), judged(model, drawn(model, shift=1.5))
    assert all(abs(d.shift - 1.5) < 0.2 for d in found.drift)
    (harmonised,) = found.compared
    np.testing.assert_allclose(
        harmonised.evaluation.auc.value, plain.evaluation.auc.value, atol=0.02
    )
    assert abs(harmonised.slope - plain.calibrated[0].calibration.slope.value) < 0.1


def test_harmonising_is_combat_with_the_training_cases_as_reference() -> None:
    rng = np.random.default_rng(3)
    a = rng.normal(size=(50, 9)) * rng.uniform(1, 5, 9) + 20
    b = rng.normal(size=(30, 9)) * 3 + 24
    batch = np.repeat(["A", "B"], (50, 30))
    step = ComBat(reference="A").fit(np.vstack([a, b]), batch=batch)
    moved = to_reference(b, a.mean(axis=0), a.std(axis=0))
    np.testing.assert_allclose(moved, step.transform(b, batch=["B"] * 30), rtol=1e-10)


def too_extreme(seed: int, n: int = 300) -> tuple[Scored, NDArray]:
    rng = np.random.default_rng(seed)
    log_odds = rng.normal(0, 2, n)
    y = rng.random(n) < expit(0.8 + 0.5 * log_odds)
    return Scored.of(expit(log_odds), y), y


def test_recalibration_restores_level_and_slope() -> None:
    scored, y = too_extreme(1)
    found = recalibration(scored, "slope")
    again = calibration(Scored.of(found.apply(scored.scores), y))
    np.testing.assert_allclose([again.slope.value, again.intercept.value], [1, 0], atol=1e-6)
    level = recalibration(scored, "in_the_large")
    assert level.slope == 1
    p = level.apply(scored.scores)
    np.testing.assert_allclose(p.mean(), y.mean(), atol=1e-9)


def test_cross_fitted_probabilities_have_not_seen_the_case() -> None:
    scored, y = too_extreme(2)
    parts = list(train_and_held_out(folds_by_patient(y.astype(int), scored.patients, 5, 0)))
    before = cross_fitted(scored, "slope", parts)
    held_out = parts[0][1]
    other = y.copy()
    other[held_out] = ~other[held_out]
    after = cross_fitted(Scored.of(scored.scores, other), "slope", parts)
    np.testing.assert_array_equal(before[held_out], after[held_out])
    assert not np.array_equal(before, after)
    assert abs(calibration(Scored.of(before, y)).slope.value - 1) < 0.15


def test_each_case_is_judged_by_a_recalibration_that_has_not_seen_it(model: FrozenModel) -> None:
    """What is learnt of all cases is told; its own calibration is that of the held-out cases."""
    new = drawn(model, 90, seed=4)
    probable = Scored.of(judged(model, new).probability, new.positive, new.patients)
    fold = folds_by_patient(new.positive.astype(int), probable.patients, 10, 2024)
    for found in judged(model, new).calibrated[1:]:
        held_out = cross_fitted(probable, found.name, train_and_held_out(fold))
        np.testing.assert_array_equal(found.probability, held_out)
        again = calibration(Scored.of(held_out, new.positive, new.patients), 10)
        assert found.calibration.slope == again.slope
        assert found.update == recalibration(probable, found.name)
        assert not np.allclose(found.probability, found.update.apply(probable.scores))


def test_no_change_is_no_change() -> None:
    p = np.array([0.01, 0.4, 0.9])
    np.testing.assert_allclose(Recalibration(0.0, 1.0).apply(p), p)


def test_nothing_is_learnt_for_the_scores(model: FrozenModel) -> None:
    new = drawn(model)
    other = NewCases(new.cases, new.patients, ~new.positive, new.values, None)
    first, second = judged(model, new), judged(model, other)
    np.testing.assert_array_equal(first.scores, second.scores)
    np.testing.assert_array_equal(first.probability, second.probability)
    assert first.called == second.called
    np.testing.assert_allclose(first.evaluation.auc.value, 1 - second.evaluation.auc.value)


def test_drift_counts_what_lies_outside(model: FrozenModel) -> None:
    values = np.array([[d.mean for d in model.distributions]] * 4)
    values[0] = [d.highest + d.sd for d in model.distributions]
    assert {d.outside for d in drift_of(model, values)} == {0.25}


@pytest.fixture(scope="module")
def small() -> FrozenModel:
    """A model of a few numbers; its first feature is a covariate."""
    return model_of("plain")


def test_drift_is_in_training_sds_the_largest_first(small: FrozenModel) -> None:
    shifts = np.linspace(-2, 1, len(small.distributions))
    values = np.array([
        [d.mean + (shift + away) * d.sd for away in (-0.5, 0.5)] + [np.nan]
        for d, shift in zip(small.distributions, shifts, strict=True)
    ]).T  # fmt: skip
    found = drift_of(small, values)
    wanted = sorted(zip(shifts, small.distributions, strict=True), key=lambda p: -abs(p[0]))
    assert [d.name for d in found] == [d.name for _, d in wanted]
    np.testing.assert_allclose([d.shift for d in found], [shift for shift, _ in wanted])
    np.testing.assert_allclose([d.spread for d in found], 0.5)
    with pytest.raises(DataError, match=f"has a value of '{small.distributions[0].name}'"):
        drift_of(small, np.full((2, len(small.distributions)), np.nan))


def test_the_ends_of_the_training_range_lie_inside(small: FrozenModel) -> None:
    ends = np.array([[d.lowest, d.highest] for d in small.distributions]).T
    assert {d.outside for d in drift_of(small, ends)} == {0}
    beyond = ends + np.array([[-1e-6], [1e-6]])
    assert {d.outside for d in drift_of(small, beyond)} == {1}
    still = replace(small.distributions[0], sd=0.0)
    (first, *_) = small.distributions
    other = replace(small, distributions=(still, *small.distributions[1:]))
    values = np.array([[d.mean for d in small.distributions]] * 2)
    values[:, 0] += 3
    drift = {d.name: d for d in drift_of(other, values)}[first.name]
    assert (drift.shift, drift.spread) == (pytest.approx(3), 0)


def test_covariates_are_not_harmonised(small: FrozenModel) -> None:
    new = drawn(small, 60, shift=1.5)
    (harmonised,) = judged(small, new).compared
    covariate = [f is None for f in small.features]
    assert covariate[0]
    assert not all(covariate)
    moved = new.values.copy()
    own = [k for k, alone in enumerate(covariate) if not alone]
    mean, sd = (np.array([getattr(small.distributions[k], n) for k in own]) for n in ("mean", "sd"))
    moved[:, own] = to_reference(new.values[:, own], mean, sd)
    np.testing.assert_allclose(harmonised.scores, small.scorer.score(moved), rtol=1e-10)
    assert harmonised.difference.difference == pytest.approx(
        roc_auc_score(new.positive, harmonised.scores)
        - roc_auc_score(new.positive, small.scorer.score(new.values))
    )


def test_few_or_incomplete_cases_are_not_harmonised(small: FrozenModel) -> None:
    new = drawn(small, 40)
    three = replace(new, cases=new.cases[:3], values=new.values[:3])
    assert _can_harmonise(three)
    assert not _can_harmonise(replace(new, cases=new.cases[:2], values=new.values[:2]))
    gap = three.values.copy()
    gap[0, 0] = np.nan
    assert not _can_harmonise(replace(three, values=gap))


@pytest.mark.parametrize(("n", "groups"), [(20, 3), (30, 5), (90, 10)])
def test_calibration_is_shown_in_groups_of_six_cases(
    small: FrozenModel, n: int, groups: int
) -> None:
    """Three groups at least, and ten at most."""
    each = np.arange(n)
    found = judged(small, replace(drawn(small, n), patients=each, positive=each % 2 == 0))
    assert {len(c.calibration.groups) for c in found.calibrated} == {groups}
    assert [c.name for c in found.calibrated] == ["as is", "in_the_large", "slope"]
    assert found.calibrated[0].update is None


def test_an_update_that_cannot_be_learnt_in_every_fold_is_told(small: FrozenModel) -> None:
    """A single patient of an outcome: the training side of his fold has one outcome."""
    new = drawn(small, 40)
    one = replace(new, positive=np.arange(40) == 0, patients=np.arange(40))
    found = judged(small, one)
    assert [c.name for c in found.calibrated] == ["as is"]
    assert set(found.not_recalibrated) == {"in_the_large", "slope"}


def test_a_validation_is_of_the_frozen_cut_off_and_names_no_patient(small: FrozenModel) -> None:
    new = replace(drawn(small, 60), read={"other": np.linspace(-1, 1, 60)})
    found = validate(small, new, refused={"c99": "no mask"}, flags=["b", "a", "b"],
                     others={"same": (small, small.scorer.score(new.values))})  # fmt: skip
    assert found.evaluation.cutoff == CutOff(small.cutoff, "Youden", "training cases, frozen")
    assert list(found.flags.items()) == [("a", 1), ("b", 2)]
    assert [c.name for c in found.compared] == ["harmonised", "same"]
    assert found.compared[1].slope == found.calibrated[0].calibration.slope.value
    table = found.predictions()
    assert list(table) == [
        "case", "positive", "score", "probability", "called", "set", "probability, in_the_large",
        "probability, slope", "score, harmonised", "score, same", "score:other",
    ]  # fmt: skip
    assert table["positive"].tolist() == new.positive.astype(int).tolist()
    record = as_json(found)
    assert (record["n"], record["refused"]) == (60, 1)
    assert set(record["compared"]["same"]) == {"evaluation", "difference", "slope"}
    assert record["calibration"]["as is"]["update"] is None
    again = validate(small, new, refused={})
    assert again.evaluation.auc == found.evaluation.auc
    assert validate(small, new, refused={}, seed=1).band != found.band


def read_by_another(model: FrozenModel, drawn_by_both: int = 300) -> NewCases:
    """New cases of which another reader drew the first ones, a little differently."""
    new = drawn(model)
    scores = model.scorer.score(new.values)
    other = scores + np.random.default_rng(9).normal(0.2, 0.5 * scores.std(), scores.size)
    other[drawn_by_both:] = np.nan
    return replace(new, reader="senior", read={"resident": other})


def test_the_score_by_another_reader_is_judged_as_in_a_study(model: FrozenModel) -> None:
    new = read_by_another(model)
    found = judged(model, new)
    (resident,) = found.other_readers
    assert (resident.primary.reader, resident.name, len(resident.cases)) == (
        "senior", "resident", 300)  # fmt: skip
    own, other, y = found.scores[:300], new.read["resident"][:300], new.positive[:300]
    assert resident.other.auc == pytest.approx(roc_auc_score(y, other))
    assert resident.difference.difference == pytest.approx(
        roc_auc_score(y, other) - roc_auc_score(y, own)
    )
    called, recalled = own >= model.cutoff, other >= model.cutoff
    assert (resident.to_positive, resident.to_negative) == (
        np.sum(recalled & ~called), np.sum(called & ~recalled))  # fmt: skip
    assert resident.kappa.value == pytest.approx(cohen_kappa_score(called, recalled))
    assert resident.limits.bias == pytest.approx(np.mean(other - own))
    likely = model.calibrator.predict_proba(other)
    assert resident.other.brier == pytest.approx(np.mean((likely - y) ** 2))
    assert resident.other.sensitivity == pytest.approx(recalled[y].mean())
    kept = found.predictions()["score:resident"]
    np.testing.assert_array_equal(kept, new.read["resident"])
    record = as_json(found)
    assert record["other_readers"][0]["n"] == 300
    assert "c0" not in json.dumps(record["other_readers"])
    assert record["not_compared"] == {}


def test_a_reader_of_one_outcome_is_not_compared(model: FrozenModel) -> None:
    new = drawn(model)
    other = np.where(new.positive, model.scorer.score(new.values), np.nan)
    found = judged(model, replace(new, read={"resident": other}))
    assert found.other_readers == ()
    assert "outcome" in found.not_compared["resident"]
    assert any(
        block.anchor == "other-readers" and "could not be compared" in block.prose[0]
        for block in external_blocks(model, found, "")
    )


def test_patients_stand_beside_cases(model: FrozenModel) -> None:
    new = drawn(model)
    found = judged(model, new)
    each = pd.DataFrame(
        {"score": found.scores, "y": new.positive, "patient": new.patients}
    ).groupby("patient").max()  # fmt: skip
    assert found.by_patient is not None
    assert found.by_patient.n == len(each) == 200
    assert found.by_patient.auc.value == pytest.approx(roc_auc_score(each["y"], each["score"]))
    called = each["score"] >= model.cutoff
    assert found.by_patient.measures["specificity"].value == pytest.approx(
        (~called[~each["y"]]).mean()
    )
    (table,) = [t for b in external_blocks(model, found, "") for t in b.tables
                if t.key == "patients"]  # fmt: skip
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows["Cases or patients"] == (400, 200)
    assert rows["AUC"][1].value == found.by_patient.auc.value
    alone = judged(model, replace(new, patients=np.arange(400)))
    assert alone.by_patient is None
    assert as_json(alone)["patients"] is None
    assert "patients" not in [t.key for b in external_blocks(model, alone, "") for t in b.tables]


def answered(model: FrozenModel, found: ExternalValidation) -> dict[str, Answer]:
    block = external_blocks(model, found, "")[0]
    assert not block.facts
    return {answer.question: answer for answer in block.answers}


def said(answer: Answer) -> str:
    return " ".join(point.text for point in answer.points)


@pytest.fixture(scope="module")
def plain(model: FrozenModel) -> ExternalValidation:
    return judged(model, drawn(model))


def test_the_first_screen_asks_what_that_of_a_study_asks(
    model: FrozenModel, plain: ExternalValidation
) -> None:
    found = plain
    told = answered(model, found)
    assert [*told] == ["How good?", "How sure?", "For whom?"]
    e, calls = found.evaluation, found.evaluation.confusion
    good, sure, whom = told.values()
    assert f"At the frozen cut-off, {calls.tp} of {e.n_positive} malignant and" in said(good)
    width = e.auc.interval.upper - e.auc.interval.lower
    assert dict(sure.facts) == {
        "Width of the interval of the AUC": f"{width:.2f}",
        "Tested on": f"{e.n_patients} patients",
        "New cases": f"{e.n_positive} malignant of {e.n}",
    }
    assert "who draws the region was not tried here" in said(sure)
    assert dict(whom.facts)["Scored"] == "400 cases of 200 patients"
    assert said(whom).startswith("No case was refused. The means of all features lie within one")
    assert "For no patient" not in said(whom)
    assert "For no patient" in " ".join(
        point.text for point in external_blocks(model, found, "Simulated")[0].answers[2].points
    )
    shifted = replace(judged(model, drawn(model, shift=1.5)), refused={"x": "Why."})
    assert "1 of 401 cases could not be scored. 1 of 1 feature moved" in said(
        answered(model, shifted)["For whom?"]
    )
    page = external_blocks(model, shifted, "")[0]
    assert [point.grave for point in page.points][-2:] == [False, False]
    assert any("could not be scored" in point.text and point.grave for point in page.points)


@pytest.mark.parametrize(
    ("lower", "upper", "chance", "wide"),
    [(0.45, 0.52, True, False), (0.45, 0.9, True, True), (0.6, 0.9, False, True),
     (float("nan"), float("nan"), False, False)],
)  # fmt: skip
def test_how_far_the_auc_can_be_trusted(
    model: FrozenModel, plain: ExternalValidation, lower: float, upper: float,
    chance: bool, wide: bool,
) -> None:  # fmt: skip
    area = replace(plain.evaluation.auc, interval=Interval(lower, upper))
    found = replace(plain, evaluation=replace(plain.evaluation, auc=area))
    good, sure, _ = answered(model, found).values()
    assert ("may be no better than chance" in said(good)) == chance
    assert ("leaves open how good" in said(sure)) == wide


@given(st.integers(0, 1200), st.integers(0, 1200))
def test_the_auc_here_agrees_with_that_of_the_study(
    model: FrozenModel, plain: ExternalValidation, now: int, before: int
) -> None:
    """The two and their difference, as they are printed."""
    with_area = replace(plain.evaluation.auc, value=now / 1200)
    found = replace(plain, evaluation=replace(plain.evaluation, auc=with_area))
    record = {"value": before / 1200, "interval": {"lower": 0.2, "upper": 0.9}}
    test = {**model.performance["test"], "auc": record}
    good = answered(replace(model, performance={**model.performance, "test": test}), found)
    here, there = (Decimal(value.split()[0]) for _, value in good["How good?"].facts[:2])
    gap = re.search(r"Its AUC is (\S+) (lower|higher)", said(good["How good?"]))
    assert gap is not None
    assert here - there == Decimal(gap[1]) * (1 if gap[2] == "higher" else -1)


def test_images_of_another_place(finished: Path, model: FrozenModel, tmp_path: Path) -> None:
    other = make_study(tmp_path / "other", n=20, seed=4)
    assert "drawn by resident" in "".join(outlook(model, other, tmp_path / "out"))
    found = validate_model(model, other, tmp_path / "out", others={"same": model})
    record = json.loads((tmp_path / "out" / "validation.json").read_text())
    assert record["evaluation"]["auc"]["value"] == found.evaluation.auc.value
    assert found.compared[-1].difference.difference == 0
    resident = validate_model(model, other, tmp_path / "resident", reader="resident")
    np.testing.assert_allclose(found.read["resident"], resident.scores, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(resident.read["senior"], found.scores, rtol=1e-12, atol=1e-12)
    (beside,) = record["other_readers"]
    assert (beside["name"], beside["n"]) == ("resident", len(found.cases))
    page = (tmp_path / "out" / "report.html").read_text()
    for title in ("Discrimination and decisions", "Calibration", "Drift of the features",
                  "The score by other readers", "Performance with the regions of each reader",
                  "Agreement of the score between readers"):  # fmt: skip
        assert title in page
    assert "patient-" not in page + json.dumps(record)
    area = found.evaluation.auc
    before = model.performance["test"]["auc"]["value"]
    digits, _ = agreeing((area.value, before))
    told = with_interval(area.value, area.interval, digits)
    (shown,) = re.findall(r"AUC here \(95 % CI\)</dt>\s*<dd>([^<]*)</dd>", page)
    assert shown == told
    limits = f"({area.interval.lower:.3f}-{area.interval.upper:.3f})"
    lines = list(external_lines(found))
    assert f"n {len(found.cases)}  AUC {area.value:.3f} {limits}" in lines
    gap = found.other_readers[0].difference
    (line,) = [line for line in lines if line.startswith("regions of resident: ")]
    assert f"AUC {gap.first:.3f}, difference {gap.difference:+.3f}" in line
    files = {p: p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    validate_model(model, other, tmp_path / "out", others={"same": model})
    assert {p: p.read_bytes() for p in files} == files


def test_tables_of_another_place(finished: Path, model: FrozenModel, tmp_path: Path) -> None:
    other = make_study(tmp_path / "images", n=20, seed=4)
    verbs.extract(open_study(other))
    by_images = validate_model(model, other, tmp_path / "a")
    by_tables = validate_model(
        model, of_tables(other, tmp_path / "t", "slicer").folder, tmp_path / "b"
    )
    np.testing.assert_allclose(by_tables.scores, by_images.scores, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(
        by_tables.read["resident"], by_images.read["resident"], rtol=1e-12, atol=1e-12
    )


def test_one_outcome_is_refused(model: FrozenModel, tmp_path: Path) -> None:
    new = drawn(model, 10)
    one = NewCases(new.cases, new.patients, np.ones(10, bool), new.values, None)
    with pytest.raises(DataError, match="outcome"):
        judged(model, one)


def test_what_a_validation_left_is_read_again(small: FrozenModel, tmp_path: Path) -> None:
    new = drawn(small, 60)
    found = validate(small, new, refused={"c99": "no mask"})
    path = tmp_path / "validation.json"

    def leave(record: object, cases: pd.DataFrame) -> None:
        path.write_text(json.dumps(record))
        cases.to_csv(tmp_path / "predictions.csv", index=False)

    with pytest.raises(DataError, match=r"holds no validation\.json"):
        read_external(tmp_path, "abc")
    record = as_json(found) | {"model": "abc"}
    leave(record, found.predictions())
    again, own = read_external(tmp_path, "abc"), ExternalRecord.of(found)
    assert (again.refused, own.refused) == (1, 1)
    assert as_json(again.evaluation) == as_json(own.evaluation)
    assert as_json(again.calibration) == as_json(own.calibration)
    assert as_json(again.people) == as_json(own.people)
    assert as_json(own.calibration) == as_json(found.calibrated[0].calibration)
    for name in ("positive", "scores", "probability"):
        np.testing.assert_allclose(getattr(again, name), getattr(found, name))
        np.testing.assert_array_equal(getattr(own, name), getattr(found, name))
    assert again.positive.dtype == bool
    leave(record, found.predictions().iloc[:59])
    with pytest.raises(DataError, match=r"is of 60 cases, predictions\.csv of 59"):
        read_external(tmp_path, "abc")
    leave({name: value for name, value in record.items() if name != "band"}, found.predictions())
    with pytest.raises(DataError, match=r"lacks what this version .* \(KeyError: 'band'\)"):
        read_external(tmp_path, "abc")
    for other in (record | {"model": "abd"}, [record]):
        leave(other, found.predictions())
        with pytest.raises(DataError, match="is of another model"):
            read_external(tmp_path, "abc")


def test_scores_that_both_have_are_counted_where_they_are_all_different() -> None:
    own = np.array([0.1, 0.25, 0.7])
    assert shared_scores(own, np.array([0.1 + 4e-10, 0.7 + 6e-10, 0.25, 0.25])) == 3
    assert shared_scores(np.array([0.1, 0.1, 0.7]), own) == 0
