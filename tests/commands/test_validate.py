"""Patients of another place: a case's fault is that case's, and only the same is compared."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from centrum import arrays, table
from centrum.arrays import Columns
from centrum.cohort import Case
from centrum.commands import validate as validating
from centrum.errors import DataError
from centrum.exchange import large
from centrum.frozen.external import ExternalValidation, NewCases, validate
from centrum.frozen.inputs import Covariate
from centrum.frozen.model import OLDER, FrozenModel
from centrum.frozen.score import Patient, not_scored, score_known, score_values
from centrum.modelling.pipeline import StudyClassifier
from centrum.report.external import external_blocks
from centrum.report.patient import render_patient
from centrum.study import extraction
from tests.frozen.models import frozen
from tests.frozen.test_scorer import COMBAT, NAMES, QUICK, cohort

pytestmark = pytest.mark.usefixtures("drawn")

SITES = ("1234567", "1234568")


@pytest.fixture(scope="module")
def model() -> FrozenModel:
    """Harmonised by sites of seven digits; its first feature is the covariate age."""
    X, y, patients, centre = cohort()
    site = np.where(centre == "A", *SITES)
    settings = QUICK.model_copy(update={"harmonisation": COMBAT, "n_features": None})
    fitted = StudyClassifier(settings, 1, NAMES).fit(X, y, patients, site)
    quick = {"evaluation": {"n_resamples": 100}}
    return frozen(fitted, NAMES, X, y, site, age=True, protocol=quick)


def values_of(model: FrozenModel) -> NDArray:
    return np.array([d.mean for d in model.distributions])


# Batches


@pytest.mark.parametrize("site", [1234567, 1234567.0, "1234567"])
def test_a_number_and_its_text_are_one_batch(model: FrozenModel, site: object) -> None:
    patient = Patient("P1", "", "", known={"centre": site})
    found = score_known(model, patient, values_of(model))
    assert "unknown-batch" not in [flag.code for flag in found.flags]
    assert found.score == score_values(model, "P1", values_of(model), ["1234567"]).score


def test_sites_of_seven_digits_stay_apart(model: FrozenModel) -> None:
    a, b = (
        score_known(model, Patient("P1", "", "", known={"centre": float(s)}), values_of(model))
        for s in SITES
    )
    assert abs((a.score or 0) - (b.score or 0)) > 0.1


def test_a_batch_as_0_2_0_wrote_it_is_found(model: FrozenModel) -> None:
    branch = model.scorer.branches[0]
    assert branch.harmoniser is not None
    names = tuple(f"{name}.0" for name in branch.harmoniser.batches)
    older = replace(branch, harmoniser=replace(branch.harmoniser, batches=names))
    changed = replace(model, scorer=replace(model.scorer, branches=(older,)))
    assert changed.batch_of({"centre": 1234567.0}) == ["1234567.0"]
    assert model.batch_of({"centre": 1234567.0}) == ["1234567"]


def test_an_unknown_batch_is_flagged_on_the_page(model: FrozenModel) -> None:
    patient = Patient("P1", "", "", known={"centre": "7654321"})
    found = score_known(model, patient, values_of(model))
    flag = next(flag for flag in found.flags if flag.code == "unknown-batch")
    assert flag.severity == "warning"
    assert "centre is '7654321'" in flag.message
    assert "1234567, 1234568" in flag.message
    assert "are scored as they are, not harmonised" in render_patient(model, found, None)


@pytest.mark.parametrize("empty", [None, "", float("nan")])
def test_an_empty_batch_is_refused(model: FrozenModel, empty: object) -> None:
    with pytest.raises(DataError, match="harmonises by 'centre', which is not known"):
        score_known(model, Patient("P1", "", "", known={"centre": empty}), values_of(model))


def test_a_level_written_as_a_number_is_the_level() -> None:
    grade = Covariate("grade=2", "grade", "2", ("1", "2", "2a"))
    assert (grade.of({"grade": 2.0}), grade.of({"grade": "2"}), grade.of({"grade": 1})) == (1, 1, 0)


# Cohorts


def cases(model: FrozenModel, n: int, outcomes: str = "+-") -> list[Case]:
    return [
        Case(f"C{k}", f"P{k}", model.positive if outcomes[k % len(outcomes)] == "+"
             else model.negative, age=50.0 + k, centre=SITES[k % 2])
        for k in range(n)
    ]  # fmt: skip


class Place:
    """A cohort whose features are made up: what `validate_model` asks of a folder."""

    def __init__(self, cohort: list[Case]) -> None:
        self.patients = tuple(map(validating._patient_of_tables, cohort))
        self.readers = ("R1",)

    def roles(self, case: str, why: str) -> dict[str, str]:
        return {}

    def score(self, model: FrozenModel, reader: str) -> validating._Judged:
        rng = np.random.default_rng(5)
        mean, sd = (np.array([getattr(d, k) for d in model.distributions]) for k in ("mean", "sd"))
        read = model.scorer.features
        rows = mean + sd * rng.normal(size=(len(self.patients), len(read)))
        measured = [dict(zip(read, row, strict=True)) for row in rows.tolist()]
        pairs = zip(self.patients, measured, strict=True)
        judged = [validating._score_row(model, *pair) for pair in pairs]
        return validating._Judged([s for s, _ in judged], np.array([v for _, v in judged]))

    def keep_key(self) -> None: ...


def validated(
    monkeypatch: pytest.MonkeyPatch, model: FrozenModel, cohort: list[Case], out: Path, **more: dict
) -> ExternalValidation:
    monkeypatch.setattr(validating, "_place_of", lambda *_: Place(cohort))
    return validating.validate_model(model, out, out, **more)


def test_a_bad_value_of_one_case_is_that_cases_error(
    model: FrozenModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cohort = cases(model, 20)
    cohort[3] = replace(cohort[3], centre=None)
    cohort[4] = replace(cohort[4], centre="7654321")
    cohort[5] = replace(cohort[5], age=None)
    found = validated(monkeypatch, model, cohort, tmp_path)
    assert {*found.refused} == {"C3", "C5"}
    assert "harmonises by 'centre'" in found.refused["C3"]
    assert found.flags["unknown-batch"] == 1
    assert len(found.cases) == 18
    page = (tmp_path / "report.html").read_text()
    assert ">External</th>" in page
    assert "1 case from a batch (centre or scanner) that the model does not know" in page
    json.loads((tmp_path / "validation.json").read_text())


def test_covariates_stay_those_of_the_first_reader(
    model: FrozenModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another reader's regions give other features; who the patient is does not change."""
    cohort = cases(model, 20)
    cohort[7] = replace(cohort[7], centre=None)
    place = Place(cohort)
    pairs = zip(model.features, model.distributions, strict=True)
    shift = np.array([0.0 if f is None else 0.3 * d.sd for f, d in pairs])
    age = [k for k, feature in enumerate(model.features) if feature is None]
    once = Place.score

    def score(_: Place, of: FrozenModel, reader: str) -> validating._Judged:
        own = once(place, of, reader)
        if reader == "R1":
            return own
        values = np.asarray(own.values) + shift
        values[:, age] += 40
        scores = [*own.scores]
        scores[3] = not_scored(place.patients[3], DataError("not drawn"))
        return validating._Judged(scores, values)

    place.readers = ("R1", "R2")
    monkeypatch.setattr(Place, "score", score)
    monkeypatch.setattr(validating, "_place_of", lambda *_: place)
    found = validating.validate_model(model, tmp_path, tmp_path)
    batch = [model.batch_of(p.known)[0] for p in place.patients if p.case in found.cases]
    expected = model.scorer.score(found.values + shift, batch)
    expected[found.cases.index("C3")] = np.nan
    np.testing.assert_allclose(found.read["R2"], expected, rtol=1e-12)
    assert age
    assert "C7" in found.refused
    assert [len(each.cases) for each in found.other_readers] == [18]
    page = (tmp_path / "report.html").read_text()
    assert "Nothing in it was changed; the covariates stayed." in page


def test_a_case_that_a_compared_model_refuses_takes_no_part(
    model: FrozenModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    branch = model.scorer.branches[0]
    assert branch.harmoniser is not None
    strict = replace(branch, harmoniser=replace(branch.harmoniser, unseen="refuse"))
    other = replace(model, scorer=replace(model.scorer, branches=(strict,)))
    cohort = cases(model, 20)
    cohort[4] = replace(cohort[4], centre="7654321")
    monkeypatch.setattr(validating, "_write", lambda *_: None)
    found = validated(monkeypatch, model, cohort, tmp_path, others={"strict": other})
    assert "'strict' refuses this one" in found.refused["C4"]
    np.testing.assert_allclose(found.compared[-1].scores, found.scores, rtol=1e-12)


@pytest.mark.parametrize("words", [("osteoporotic", "malignant"), ("myeloma", "osteoporotic")])
def test_a_model_of_other_outcomes_is_not_compared(
    model: FrozenModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, str]
) -> None:
    outcome = model.protocol.outcome.model_copy(update=dict(zip(("positive", "negative"), words,
                                                                strict=True)))  # fmt: skip
    other = replace(model, protocol=model.protocol.model_copy(update={"outcome": outcome}))
    with pytest.raises(DataError, match=f"the model 'b' {words[0]} from {words[1]}"):
        validated(monkeypatch, model, cases(model, 20), tmp_path, others={"b": other})


@pytest.mark.parametrize(
    ("cohort", "message"),
    [
        (lambda m: [], "not one case"),
        (lambda m: cases(m, 1), "outcome"),
        (lambda m: cases(m, 8, "+"), "outcome"),
        (lambda m: cases(m, 8, "-"), "outcome"),
        (lambda m: [replace(c, centre=None) for c in cases(m, 8)], "Not one of 8 cases could be"),
    ],
)
def test_a_cohort_that_tells_nothing_is_refused_in_words(
    model: FrozenModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cohort: object,
    message: str,
) -> None:  # fmt: skip
    with pytest.raises(DataError, match=message):
        validated(monkeypatch, model, cohort(model), tmp_path)  # type: ignore[operator]


@pytest.mark.parametrize("outcomes", ["+-", "+++-"])
def test_a_few_cases_make_a_report(
    model: FrozenModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outcomes: str
) -> None:
    found = validated(monkeypatch, model, cases(model, len(outcomes), outcomes), tmp_path)
    assert (tmp_path / "report.html").is_file()
    assert len(found.cases) == len(outcomes)


def test_scores_without_width_make_a_report(model: FrozenModel) -> None:
    values = np.repeat(values_of(model)[None], 12, axis=0)
    names = tuple(f"C{k}" for k in range(12))
    new = NewCases(names, np.array(names), np.arange(12) % 2 == 0, values, (SITES[0],) * 12)
    found = validate(model, new, refused={})
    assert external_blocks(model, found, "")
    assert found.evaluation.auc.value == 0.5


def test_a_model_that_was_not_judged_and_one_of_an_older_layout_make_pages(
    model: FrozenModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None stands for what could not be computed when the model was built."""
    nothing = {"value": None, "interval": {"lower": None, "upper": None}}
    test = {**model.performance["test"], "auc": nothing}
    old = replace(model, performance={**model.performance, "test": test}, schema=OLDER)
    found = validated(monkeypatch, old, cases(model, 20), tmp_path)
    text = (tmp_path / "report.html").read_text()
    assert len(found.cases) == 20
    assert "gave no test AUC" in text
    assert "its self-test checks scores and probabilities" in text
    score = score_known(old, Patient("P1", "", "", known={"centre": SITES[0]}), values_of(old))
    assert "Trained on 80 cases" in render_patient(old, score, None)
    endless = replace(model, cutoff=float("inf"))
    assert not re.search(r"\bnan\b|inf%", render_patient(endless, score, None))


# A study of tables


@pytest.fixture(scope="module")
def site(model: FrozenModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty cases of a table made elsewhere; an unread feature and a read one have a gap."""
    folder = tmp_path_factory.mktemp("site")
    rng = np.random.default_rng(2)
    read = model.scorer.features[1]
    unread = next(name for name in NAMES if name not in model.scorer.features)
    frame = pd.DataFrame(50 + 10 * rng.normal(size=(20, len(NAMES))), columns=list(NAMES))
    frame = frame.drop(columns=model.scorer.features[0])  # the covariate
    frame.insert(0, "case", [f"C{k:02d}" for k in range(20)])
    frame.loc[3, unread] = np.nan
    frame.loc[4, read] = np.nan
    frame.to_csv(folder / "features.csv", index=False)
    manifest = pd.DataFrame({
        "case": frame["case"], "patient": frame["case"],
        "outcome": np.where(np.arange(20) % 2, model.negative, model.positive),
        "centre": [int(SITES[k % 2]) for k in range(20)], "age": 50 + np.arange(20),
    })  # fmt: skip
    manifest.to_csv(folder / "cases.csv", index=False)
    (folder / "study.yaml").write_text(
        "name: Another place\ntables: [{reader: R1, file: features.csv}]\n"
    )
    return folder


def test_a_table_may_lack_what_the_model_does_not_read(
    model: FrozenModel, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validating, "_write", lambda *_: None)
    found = validating.validate_model(model, site, tmp_path)
    assert {*found.refused} == {"C04"}
    assert (
        f"1 features that other cases have are missing ({model.scorer.features[1]})"
        in (found.refused["C04"])
    )
    assert len(found.cases) == 19
    assert "unknown-batch" not in found.flags, "sites are the numbers of the manifest"


def two_readers(site: Path, folder: Path, moved: list[str]) -> Path:
    """The site with another reader, whose features are higher, and who has not read C06."""
    shutil.copytree(site, folder)
    frame = pd.read_csv(site / "features.csv")
    frame[[name for name in moved if name in frame]] += 1
    frame.drop(index=6).to_csv(folder / "second.csv", index=False)
    text = (site / "study.yaml").read_text()
    (folder / "study.yaml").write_text(text.replace("}]", "}, {reader: R2, file: second.csv}]"))
    return folder


def test_a_large_table_is_scored_on_disk_as_in_memory(
    model: FrozenModel, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few rows and columns at a time, of files that name more than the model reads."""
    two = two_readers(site, tmp_path / "site", list(model.scorer.features))
    others = {"another": replace(model, name="another")}
    whole = validating.validate_model(model, two, tmp_path / "whole", others=others)
    monkeypatch.setattr(large, "LARGE_TEXT", 0)
    monkeypatch.setattr(large, "BLOCK", 500)
    monkeypatch.setattr(table, "LARGE", 1)
    monkeypatch.setattr(arrays, "AT_ONCE", 50)
    found = validating.validate_model(model, two, tmp_path / "disk", others=others)
    assert isinstance(found.values, Columns)
    np.testing.assert_array_equal(np.asarray(found.values), whole.values)
    np.testing.assert_allclose(found.scores, whole.scores, rtol=1e-12)
    assert (found.cases, found.refused, found.flags) == (whole.cases, whole.refused, whole.flags)
    assert found.drift == whole.drift
    pairs = zip(found.compared, whole.compared, strict=True)
    for there, here in pairs:
        np.testing.assert_allclose(there.scores, here.scores, rtol=1e-9)
    assert [c.name for c in found.compared] == [c.name for c in whole.compared]
    np.testing.assert_allclose(found.read["R2"], whole.read["R2"], rtol=1e-12)
    first, second = (tmp_path / each / "predictions.csv" for each in ("whole", "disk"))
    pd.testing.assert_frame_equal(pd.read_csv(first), pd.read_csv(second), rtol=1e-9)


def test_the_table_of_another_reader_is_read(
    model: FrozenModel, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = [*model.scorer.features[1:]]
    other = two_readers(site, tmp_path / "site", read)
    monkeypatch.setattr(validating, "_write", lambda *_: None)
    found = validating.validate_model(model, other, tmp_path / "out")
    batch = [SITES[int(case[1:]) % 2] for case in found.cases]
    moved = found.values + np.isin(model.scorer.features, read)
    expected = model.scorer.score(moved, batch)
    expected[found.cases.index("C06")] = np.nan
    np.testing.assert_allclose(found.read["R2"], expected, rtol=1e-12)
    assert len(found.other_readers[0].cases) == 18


def test_what_would_be_done_with_tables_is_told(model: FrozenModel, site: Path) -> None:
    first, second = validating.outlook(model, site, Path("out"))
    assert first.startswith("19 cases of tables would be scored")
    assert second == "1 would be refused"


def test_a_level_that_was_not_seen_is_that_cases_error(
    model: FrozenModel, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"{model.scorer.features[0]}=M"
    text = Covariate(name, "sex", "M", ("F", "M"))
    scorer = replace(model.scorer, features=(name, *model.scorer.features[1:]))
    test = replace(model.self_test, features=scorer.features)
    first = replace(model.distributions[0], name=name)
    by_sex = replace(model, covariates=(text,), scorer=scorer, self_test=test,
                     distributions=(first, *model.distributions[1:]))  # fmt: skip
    frame = pd.read_csv(site / "cases.csv").assign(sex=["M", "F", "O", "F"] + 16 * ["M"])
    other = tmp_path / "site"
    shutil.copytree(site, other)
    frame.to_csv(other / "cases.csv", index=False)
    monkeypatch.setattr(validating, "_write", lambda *_: None)
    found = validating.validate_model(by_sex, other, tmp_path)
    assert {*found.refused} == {"C02", "C04"}
    assert "sex is 'O'; the model was trained on F, M" in found.refused["C02"]


def test_words_of_an_acquisition_stay_words(tmp_path: Path) -> None:
    """A column of numbers with a gap would make the scanner 3020 one of another name, 3020.0."""
    path = tmp_path / "acquisition.csv"
    path.write_text("case,model,echo_time_ms\n001,3020,90\n002,,\n")
    read = extraction._by_case(path)
    assert read["model"].tolist()[0] == "3020"
    assert read["case"].tolist() == ["001", "002"]
    assert read["echo_time_ms"].dtype == float
