"""What a session shows of results: one line, and in a notebook a table that gives nothing away."""

import re
from dataclasses import fields, is_dataclass
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from centrum.frozen.model import FrozenModel
from centrum.modelling.pipeline import StudyClassifier
from centrum.modelling.settings import ModelSettings
from centrum.report.results import StudyResults
from tests.frozen.models import frozen

LONGEST = 1000


@pytest.fixture(scope="module")
def model() -> FrozenModel:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 12, 1)), np.arange(60) % 2
    X[:, 0, 0] += 2 * y
    names = [f"<i>{k}" for k in range(12)]
    settings = ModelSettings(classifier="random_forest")
    return frozen(StudyClassifier(settings, 1, names).fit(X, y), names, X, y)


def within(result: Any) -> list[Any]:
    """The results that a result is made of, itself included."""
    own = [getattr(result, field.name) for field in fields(result)]
    items = [x for v in own for x in (v if isinstance(v, tuple) else [v])]
    items += [x for v in own if isinstance(v, dict) for x in v.values()]
    return [result, *(x for item in items if is_dataclass(item) for x in within(item))]


def test_results_are_shown_in_a_line(results: StudyResults, model: FrozenModel) -> None:
    parts = [part for whole in (results, model) for part in within(whole)]
    assert {"StudyResults", "FeatureTable", "Model", "LassoFacts", "StudyEvaluation", "Evaluation",
            "RocCurve", "DecisionCurve", "InternalValidation", "FrozenModel", "Scorer", "Branch",
            "Forest", "SelfTest", "Domain"} <= {type(part).__name__ for part in parts}  # fmt: skip
    lines = [repr(part) for part in parts]
    assert [line for line in lines if "\n" in line or len(line) > LONGEST] == []


def test_a_line_tells_names_numbers_and_sizes(model: FrozenModel) -> None:
    line = repr(model)
    assert line.startswith(f"FrozenModel(name='Test', features=<{len(model.features)}>, ")
    assert f"cutoff={model.cutoff}" in line


class _Page(HTMLParser):
    """Tags, attributes and the texts of cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.told: list[tuple[str, str | None]] = []
        self.cells: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.told += attrs

    def handle_data(self, data: str) -> None:
        self.cells.append(data)


def test_notebooks_show_tables_that_load_nothing_and_name_cases_alone(
    results: StudyResults, model: FrozenModel
) -> None:
    evaluations = results.evaluation.by_set.values()
    for result in (results.table, results.model, model, *evaluations):
        page = _Page(result._repr_html_())
        assert page.tags == {"table", "caption", "tr", "th", "td"}
        assert page.told == []
        assert not [cell for cell in page.cells if "secret-patient" in cell]


def test_a_table_shows_its_first_cases_and_features(results: StudyResults) -> None:
    table = results.table
    cells = _Page(table._repr_html_()).cells
    assert cells[0].startswith(f"{len(table.cases)} cases, {len(table.features)} features")
    assert cells[1:3] == ["case", table.names[0]]
    assert table.cases[0].startswith("<b>&")
    assert table.cases[0] in cells
    assert table.cases[-1] not in cells


def test_models_show_what_they_read(results: StudyResults, model: FrozenModel) -> None:
    linear, trees = (_Page(m._repr_html_()).cells for m in (results.model, model))
    assert set(results.model.features) <= set(linear)
    assert f"{results.model.coefficients[0]:.3f}".replace("-", "−") in linear
    assert set(model.scorer.features) <= set(trees)


def test_an_evaluation_shows_each_measure_with_its_interval(results: StudyResults) -> None:
    found = results.evaluation.by_set["test"]
    cells = _Page(found._repr_html_()).cells
    assert {"auc", *found.measures} <= set(cells)
    assert f"auc={found.auc.value}, cutoff={found.cutoff.value}, " in repr(found)
    assert f"{found.auc.value:.3f}" in cells
    assert f"{found.auc.interval.lower:.3f}–{found.auc.interval.upper:.3f}" in cells


def test_an_estimator_shows_its_settings_as_one_parameter() -> None:
    page = StudyClassifier(ModelSettings(C=2))._repr_html_()
    assert "settings__" not in page
    assert not re.search(r"(src|href)=[\"']?http", page)
