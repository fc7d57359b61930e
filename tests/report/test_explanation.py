"""The section on what the score rests on: shown where the AUC is above chance, and true."""

from dataclasses import replace

import numpy as np
import pytest

from centrum.arrays import Floats
from centrum.evaluate.bootstrap import Interval
from centrum.frozen.explanation import RESAMPLES, not_explained
from centrum.manuscript.methods import methods_text
from centrum.report.build import with_figures
from centrum.report.figures.contributions import draw_contributions
from centrum.report.figures.importance import draw_importance
from centrum.report.numbering import assemble
from centrum.report.results import StudyResults
from centrum.report.sections.explanation import TITLE, explanation, over_patients
from centrum.report.tables import labels_of

from .conftest import Make, above_chance


@pytest.fixture(scope="module")
def results(make: Make) -> StudyResults:
    return make()


def test_it_has_contributions_groups_and_effects(results: StudyResults) -> None:
    block, found = explanation(results), results.explanation
    assert block is not None
    assert found is not None
    assert block.title == TITLE
    assert [p.key for p in block.pictures] == [
        "contributions-held-out", "importance", "local-effects"
    ]  # fmt: skip
    table, sizes = block.tables
    assert len(table.rows) == len(found.groups)
    assert [row[2] for row in sizes.rows] == list(found.features)
    assert "coefficient × standardised value" in block.prose[0]
    assert "0.7" in block.prose[1]
    assert "10 times" in block.prose[1]


def test_how_the_interval_was_found_is_told(
    results: StudyResults, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = results.evaluation.by_set["test"].n_patients
    few = min(results.protocol.evaluation.n_resamples, RESAMPLES)
    assert over_patients(results) == (
        f"by a bootstrap of its own, of {few} samples of the patients of the test side"
    )
    monkeypatch.setattr("centrum.frozen.explanation.MOST_RESAMPLED", held - 1)
    by_delong = f"by DeLong's variance over the {held} patients of the test side"
    assert over_patients(results) == by_delong
    block = explanation(results)
    assert block is not None
    assert by_delong in block.tables[0].notes[0]
    assert any(by_delong in paragraph.text for paragraph in methods_text(results))


def test_the_drawn_contributions_are_those_of_the_test_cases(results: StudyResults) -> None:
    block = explanation(results)
    assert block is not None
    data = block.pictures[0].data
    tested = results.scores.index[results.scores["part"] == "test"]
    assert [row[0] for row in data.rows] == list(tested)
    parts = results.model.z_scores(results.table) * results.model.coefficients
    labels = labels_of(results, results.model.features)
    at = [column.name for column in data.columns].index(labels[2])
    rows = results.table.cases.index
    wanted = [parts[rows(case), 2] for case in tested]
    assert [row[at] for row in data.rows] == pytest.approx(wanted)
    assert f"n = {len(tested)} held-out cases" in block.pictures[0].caption


@pytest.mark.parametrize("lower", [0.5, 0.31, float("nan")])
def test_a_model_that_may_be_chance_shows_why_and_no_more(
    results: StudyResults, lower: float
) -> None:
    chance = above_chance(results.evaluation, lower=lower)
    block = explanation(replace(results, evaluation=chance))
    assert block is not None
    assert (*block.tables, *block.pictures, *block.files) == ()
    assert len(block.prose) == 1
    wanted = "is not known" if np.isnan(lower) else f"({lower:.3f}–"
    assert wanted in block.prose[0]


def test_the_interval_over_the_parts_decides_where_there_are_several(
    results: StudyResults,
) -> None:
    mean = type("Mean", (), {"interval": Interval(0.49, 0.9)})
    evaluation = replace(results.evaluation, over_parts={"AUC": mean})
    assert not evaluation.above_chance
    block = explanation(replace(results, evaluation=evaluation))
    assert block is not None
    assert "0.490–0.900" in block.prose[0]


def test_without_the_setting_there_is_no_section(results: StudyResults) -> None:
    off = results.protocol.evaluation.model_copy(update={"explanation": None})
    protocol = results.protocol.model_copy(update={"evaluation": off})
    assert explanation(replace(results, protocol=protocol)) is None


def test_what_could_not_be_explained_says_why(results: StudyResults) -> None:
    block = explanation(replace(results, explanation=not_explained("score", "No part fitted.")))
    assert block is not None
    assert block.warnings == ("The score could not be explained: No part fitted.",)


def swarm(contributions: Floats, z: Floats) -> list[Floats]:
    labels = [f"feature {k}" for k in range(contributions.shape[1])]
    figure = draw_contributions(labels, z, contributions, ("a", "b"), "score")
    return [np.asarray(points.get_offsets()) for points in figure.axes[0].collections[1:]]


def test_every_case_is_a_point_and_none_hides_another() -> None:
    rng = np.random.default_rng(0)
    contributions = np.round(rng.normal(size=(60, 3)), 1)
    contributions[:4, 1] = np.nan
    rows = swarm(contributions, contributions)
    assert [len(points) for points in rows] == [60, 56, 60]
    for k, points in enumerate(rows):
        own = contributions[:, k][np.isfinite(contributions[:, k])]
        np.testing.assert_allclose(points[:, 0], own)
        assert (np.abs(points[:, 1] - k) <= 0.5).all()
        assert len(np.unique(points.round(6), axis=0)) == len(points)


def test_features_alone_stand_below_their_group() -> None:
    drops = np.array([0.2, 0.01])
    intervals = np.array([[0.1, -0.02], [0.3, 0.03]])
    alone = [np.array([0.0, 0.05]), np.array([])]
    figure = draw_importance(["copies and 1 more", "third"], drops, intervals, alone)
    whole, each = figure.axes[0].lines[-2:]
    np.testing.assert_allclose(whole.get_xydata(), [[0.2, 0], [0.01, 1]])
    x, y = each.get_xydata().T
    np.testing.assert_allclose(x, [0.0, 0.05])
    assert ((y > 0) & (y < 0.5)).all()


def test_axes_of_effects_tell_units(results: StudyResults) -> None:
    block, found = explanation(results), results.explanation
    assert block is not None
    assert found is not None
    figure = block.pictures[2].drawing()
    shown = [axes.get_xlabel().replace("\n", " ") for axes in figure.axes if axes.get_visible()]
    assert len(shown) == len(found.effects) == 3
    known = dict(zip(results.table.names, results.table.features, strict=True))
    for label, effect in zip(shown, found.effects, strict=True):
        unit = known[effect.feature].unit
        assert ("(" in label.rsplit(" ", 1)[-1]) == (unit not in ("", "1"))
    assert assemble(with_figures([replace(block, pictures=())], [])).tables


def test_several_parts_are_told_as_such(results: StudyResults) -> None:
    split = results.protocol.split.model_copy(update={"design": "nested_cv"})
    protocol = results.protocol.model_copy(update={"split": split})
    block = explanation(replace(results, protocol=protocol))
    assert block is not None
    assert "by the models of 1 part that had not seen them" in block.prose[0]
    assert "the same for every part" in block.prose[1]
    assert "held-out cases of the first repeat" in block.pictures[0].caption
    assert block.tables[0].columns[-1].name == "Read in share of parts"
    alone = explanation(results)
    assert alone is not None
    assert "first repeat" not in alone.pictures[0].caption
    assert alone.tables[0].columns[-1].name == "Drop in AUC (CI)"
