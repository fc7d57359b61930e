"""Cases of the page: what the tables say, contributions that sum, small pictures, no patients."""

import json
from base64 import b64decode
from dataclasses import replace
from io import BytesIO
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from centrum.errors import DataError
from centrum.frozen.classifiers import RadialKernel
from centrum.report.drawing import make_pictures
from centrum.report.overlay import MOST_BYTES, WINDOW, small_picture
from centrum.report.results import StudyResults
from centrum.report.sections import cases as module
from centrum.report.sections.cases import (
    case_data,
    case_frame,
    case_jobs,
    cases,
    roc_data,
)
from centrum.report.sections.regions import regions
from centrum.report.tables import model_order
from centrum.report.words.contributions import UNTOLD
from centrum.table import FeatureTable
from centrum.validation.model import Model

from .conftest import NEGATIVE, POSITIVE, Make, above_chance


@pytest.fixture(scope="module")
def results(make: Make) -> StudyResults:
    return make()


# Contributions


def contributions(model: Model, table: FeatureTable) -> np.ndarray:
    return model.z_scores(table) * model.coefficients


@pytest.mark.parametrize("clip", [None, 1.0])
def test_contributions_and_intercept_sum_to_the_score(results: StudyResults, clip) -> None:
    model = replace(results.model, clip=clip)
    parts = contributions(model, results.table)
    assert parts.shape == (len(results.table.cases), len(model.features))
    np.testing.assert_allclose(
        model.intercept + parts.sum(axis=1), model.score(results.table), rtol=1e-12, atol=1e-12
    )
    if clip is not None:
        assert (np.abs(parts) <= clip * np.abs(model.coefficients) + 1e-12).all()


def test_a_model_without_coefficients_has_no_z_scores_of_its_own(results: StudyResults) -> None:
    none = np.full(len(results.model.features), np.nan)
    forest = replace(results.model, coefficients=none, classifier="random_forest")
    with pytest.raises(DataError, match="random_forest has no coefficients"):
        contributions(forest, results.table)


def test_the_page_and_the_file_have_the_contributions_of_the_model(results: StudyResults) -> None:
    wanted = contributions(results.model, results.table)
    data = case_data(results, {})
    (file,) = cases(results).files
    assert [column.name for column in file.columns][:2] == ["Case", "Intercept"]
    assert [column.name for column in file.columns][-1] == "Score"
    for k, (case, intercept, *row, score) in enumerate(file.rows):
        assert ["Intercept", intercept] == data["base"]
        assert intercept == pytest.approx(results.model.intercept, abs=1e-12)
        assert intercept + sum(row) == pytest.approx(score, abs=1e-9)
        assert score == pytest.approx(results.scores["score"].iloc[k], abs=1e-9)
        np.testing.assert_allclose(np.sort(row), np.sort(wanted[k]), rtol=1e-9)
        shown = data["cases"][case]
        np.testing.assert_allclose(shown["parts"], row, atol=1e-4)
        assert shown["total"] == pytest.approx(score, abs=1e-4)
        assert shown["rest"] == 0
        z = np.array(shown["z"]) * results.model.coefficients[model_order(results.model)]
        np.testing.assert_allclose(z, row, atol=0.02)


def test_a_kernel_has_contributions_that_sum_too(results: StudyResults) -> None:
    (branch,) = results.scorer.branches
    rng = np.random.default_rng(0)
    kernel = RadialKernel(rng.normal(size=(9, branch.mean.size)), rng.normal(size=9), 0.2, 0.1)
    member = replace(branch.members[0], classifier=kernel)
    scorer = replace(results.scorer, branches=(replace(branch, members=(member,)),))
    (file,) = cases(replace(results, scorer=scorer)).files
    assert file.columns[1].name == "At the training means"
    at = [results.table.names.index(name) for name in scorer.features]
    wanted = scorer.score(results.table.values[:, at, 0])
    for score, (_, *row, total) in zip(wanted, file.rows, strict=True):
        assert sum(row) == pytest.approx(total, abs=1e-9)
        assert total == pytest.approx(score, abs=1e-12)


def test_a_model_that_may_be_chance_is_not_explained(results: StudyResults) -> None:
    other = replace(results, evaluation=above_chance(results.evaluation, lower=0.5))
    assert cases(other).files == ()
    assert cases(other).prose[-1] == UNTOLD
    data = case_data(other, {})
    assert data["why"] == UNTOLD
    assert all(case["z"] is None and "parts" not in case for case in data["cases"].values())


def test_a_missing_value_is_not_shown_as_a_number(results: StudyResults) -> None:
    values = results.table.values.copy()
    values[0, results.table.names.index(results.model.features[0])] = np.nan
    data = case_data(replace(results, table=replace(results.table, values=values)), {})
    assert data["cases"][results.table.cases[0]]["z"] is None
    json.dumps(data, allow_nan=False)


# The table


def test_of_very_many_cases_the_page_lists_some_and_a_file_has_all(
    results: StudyResults, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame, whole = case_frame(results), case_data(results, {})
    wrong = (frame["call"] == "wrong").sum()
    most = int(wrong) + 2
    monkeypatch.setattr(module, "MOST_LISTED", most)
    block, data = cases(results), case_data(results, {})
    contributions_file, everyone = block.files
    listed = [row[0] for row in block.tables[0].rows]
    assert len(listed) == len(contributions_file.rows) == most < len(frame)
    assert set(frame["case"][frame["call"] == "wrong"]) <= set(listed)
    assert [row[0] for row in everyone.rows] == frame["case"].tolist()
    assert data["cases"] == {case: whole["cases"][case] for case in listed}
    assert f"the page lists {most}" in block.prose[1]


def test_of_very_many_thresholds_some_and_the_cut_off_are_shown(
    results: StudyResults, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = roc_data(results)["curves"][0]
    monkeypatch.setattr(module, "MOST_POINTS", 5)
    few = roc_data(results)["curves"][0]
    points = list(zip(whole["thresholds"], whole["tp"], whole["fp"], strict=True))
    kept = list(zip(few["thresholds"], few["tp"], few["fp"], strict=True))
    assert 5 <= len(kept) <= 7
    assert set(kept) <= set(points)
    assert kept[few["at"]] == points[whole["at"]]


def test_cases_are_judged_by_models_that_had_not_seen_them(results: StudyResults) -> None:
    frame, evaluation = case_frame(results).set_index("case"), results.evaluation
    tested = list(evaluation.tested)
    assert (frame.loc[tested, "side"] == "test").all()
    assert frame.loc[tested, "probability"].tolist() == evaluation.probability.tolist()
    called = np.where(evaluation.called, POSITIVE, NEGATIVE)
    assert frame.loc[tested, "called"].tolist() == called.tolist()
    train = frame.drop(tested)
    wanted = np.where(train["out_of_fold"] >= results.cutoff.value, POSITIVE, NEGATIVE)
    assert train["called"].tolist() == wanted.tolist()
    right = frame["called"] == frame["outcome"]
    assert (frame["call"] == right.map({True: "right", False: "wrong"})).all()
    confusion = results.evaluation.by_set["test"].confusion
    assert (frame.loc[tested, "call"] == "wrong").sum() == confusion.fp + confusion.fn


def test_patients_are_not_in_what_the_page_holds(results: StudyResults) -> None:
    assert "secret-patient" not in json.dumps(case_data(results, {}))
    assert "secret-patient" not in cases(results).tables[0].csv()


# Pictures


def pictured(results: StudyResults) -> dict[str, Any]:
    """What the page's script shows, pictures of cases included."""
    jobs = case_jobs(results)
    return case_data(results, dict(zip(jobs, make_pictures([*jobs.values()]), strict=True)))


def test_pictures_are_small_and_the_outline_lies_in_them(results: StudyResults) -> None:
    for shown in pictured(results)["cases"].values():
        picture = shown["picture"]
        content = b64decode(picture["webp"])
        image = Image.open(BytesIO(content))
        assert len(content) <= MOST_BYTES
        assert np.ptp(np.asarray(image.convert("RGB"), dtype=int), axis=2).max() <= 2
        assert image.width / image.height == pytest.approx(
            picture["width"] / picture["height"] * picture["spacing"][1] / picture["spacing"][0],
            rel=0.05,
        )
        assert picture["path"].startswith("M")


@pytest.mark.parametrize("side", [1, 7, 150, 400])
def test_any_picture_becomes_small(side: int) -> None:
    noise = np.random.default_rng(side).normal(size=(side, side + 3))
    assert len(small_picture(noise)) <= MOST_BYTES
    assert small_picture(noise) == small_picture(noise)


@pytest.mark.parametrize("noise", [4, 8, 16])
def test_a_picture_loses_less_than_the_noise_of_the_image(noise: float) -> None:
    """Of smooth tissue with noise of 2 to 6 % of the grey scale."""
    rng = np.random.default_rng(1)
    smooth = gaussian_filter(rng.normal(size=(150, 150)), 6)
    smooth = 255 * (smooth - smooth.min()) / np.ptp(smooth)
    image = np.clip(smooth + rng.normal(0, noise, smooth.shape), 0, 255)
    shown = Image.open(BytesIO(small_picture(image))).convert("L")
    low, high = np.percentile(image, WINDOW)
    kept = 255 * np.clip((image - low) / (high - low), 0, 1)
    assert shown.size == image.shape[::-1]
    assert np.sqrt(np.mean((np.asarray(shown) - kept) ** 2)) < noise


def test_a_case_takes_few_bytes_of_the_page(results: StudyResults) -> None:
    data = pictured(results)
    for case, found in data["cases"].items():
        size = len(json.dumps(found)) - 40 * len(data["features"])
        assert size < 4 / 3 * MOST_BYTES + 2500, case


def test_without_images_there_are_no_pictures(results: StudyResults) -> None:
    bare = replace(results, sources={})
    for shown in pictured(bare)["cases"].values():
        assert shown["picture"] == {"why": "There is no image of this case."}
    assert "no images" in " ".join(cases(bare).prose)


def test_an_image_that_is_gone_says_so(results: StudyResults) -> None:
    case = results.table.cases[0]
    gone = {**results.sources, case: ("nowhere.nrrd", results.sources[case][1])}
    found = pictured(replace(results, sources=gone))["cases"][case]
    assert "There is no file '[image]'" in found["picture"]["why"]


def test_a_case_that_cannot_be_drawn_stops_no_report(
    results: StudyResults, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails = Mock(side_effect=KeyError("Anna Roth"))
    monkeypatch.setattr("centrum.report.sections.regions.shown_image", fails)
    assert "regions" not in {picture.key for picture in regions(results).pictures}
    monkeypatch.setattr("centrum.report.sections.cases.small_picture", fails)
    for found in pictured(results)["cases"].values():
        assert "KeyError" in found["picture"]["why"]
        assert "Anna" not in found["picture"]["why"]


def test_of_very_many_cases_the_wrong_and_the_extreme_are_shown(
    results: StudyResults, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_PICTURES", 12)
    frame, data = case_frame(results).set_index("case"), pictured(results)["cases"]
    shown = [case for case, found in data.items() if "webp" in found["picture"]]
    wrong = set(frame.index[frame["call"] == "wrong"])
    assert len(shown) == 12
    assert wrong <= set(shown) or set(shown) <= wrong
    extreme = (frame["probability"] - 0.5).abs()
    others = set(frame.index) - wrong
    if left := others & set(shown):
        assert extreme[list(left)].min() >= extreme[list(others - left)].max() - 1e-12
    assert "the pictures of 12" in " ".join(cases(results).prose)


# The curve


@pytest.mark.parametrize("key", ["test", "out_of_fold"])
def test_the_page_counts_what_lies_above_each_threshold(results: StudyResults, key: str) -> None:
    part, column = {"test": ("test", "score"), "out_of_fold": ("train", "out_of_fold")}[key]
    rows = results.scores[results.scores["part"] == part]
    positive = (rows["outcome"] == POSITIVE).to_numpy()
    values = rows[column].to_numpy()
    data = roc_data(results)["curves"][["test", "out_of_fold"].index(key)]
    ends = [-np.inf, *data["thresholds"][1:-1], np.inf]
    for threshold, tp, fp in zip(ends, data["tp"], data["fp"], strict=True):
        assert (tp, fp) == (
            (values[positive] >= threshold).sum(), (values[~positive] >= threshold).sum(),
        )  # fmt: skip
    called = values >= results.cutoff.value
    at = data["at"]
    assert (data["tp"][at], data["fp"][at]) == (
        (called & positive).sum(), (called & ~positive).sum(),
    )  # fmt: skip
    json.dumps(data, allow_nan=False)


def test_a_cut_off_of_another_scale_is_not_put_on_the_curve(make: Make) -> None:
    results = make()
    split = results.protocol.split.model_copy(update={"design": "repeated_split"})
    several = replace(results, protocol=results.protocol.model_copy(update={"split": split}))
    test, learnt = roc_data(several)["curves"]
    assert test["scale"] == "mean probability"
    assert test["at"] is None
    assert learnt["scale"] == "score"
