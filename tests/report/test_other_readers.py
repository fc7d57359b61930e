"""What the report says of the score by the regions of other readers."""

from dataclasses import replace

import numpy as np
import pytest

from centrum.manuscript.answers import StudyFacts
from centrum.manuscript.cards import model_card
from centrum.manuscript.evidence_of_model import agreement
from centrum.manuscript.evidence_of_study import one_reader
from centrum.manuscript.methods_agreement import of_the_score
from centrum.manuscript.passage import Passage
from centrum.report.other_readers import found_text
from centrum.report.results import StudyResults
from centrum.report.sections.caveats import caveats
from centrum.report.sections.other_readers import (
    other_readers,
    regions_table,
    score_agreement_table,
)
from centrum.text import fixed
from tests.report.conftest import Make


@pytest.fixture(scope="module")
def three(make: Make) -> StudyResults:
    return make(readers=("senior", "resident", "third"))


def test_one_reader_says_and_claims_nothing(make: Make) -> None:
    alone = make(readers=("senior",))
    assert other_readers(alone) is None
    assert of_the_score(alone) == Passage()
    assert "was not assessed" in model_card(alone, StudyFacts())
    said = [point.text for point in caveats(alone).points]
    assert not any("With the regions of" in text for text in said)
    assert any("One set of regions was measured" in text for text in said)
    assert agreement(alone, StudyFacts()).status == "not done"
    assert "beside it" not in one_reader(alone, StudyFacts()).answer


def test_the_tables_have_the_numbers(three: StudyResults) -> None:
    resident, third = three.evaluation.other_readers
    table = regions_table(three)
    assert [row[0] for row in table.rows] == ["senior", "resident", "third"]
    assert table.rows[1][3].value == resident.other.auc
    assert table.rows[0][3].value == three.evaluation.by_set["test"].auc.value
    assert table.rows[0][8] == pytest.approx(three.evaluation.calibration.brier)
    beside = {row[0]: row[1:] for row in score_agreement_table(three).rows}
    assert beside["Calls that change to malignant"] == (resident.to_positive, third.to_positive)
    assert beside["ICC(A,1) of the score"][1].value == third.icc
    assert beside["Upper limit of agreement"][0].lower == resident.limits.upper_interval.lower


def test_a_reader_of_fewer_cases_has_the_first_on_the_same(three: StudyResults) -> None:
    resident, third = three.evaluation.other_readers
    fewer = replace(third, cases=third.cases[:-1])
    results = replace(three, evaluation=replace(three.evaluation, other_readers=(resident, fewer)))
    rows = regions_table(results).rows
    assert [row[0] for row in rows] == ["senior", "resident", "senior", "third"]
    assert rows[2][1] == len(third.cases) - 1


def test_caveats_and_manuscript_tell_each_reader(three: StudyResults) -> None:
    said = [point.text for point in caveats(three).points]
    for found in three.evaluation.other_readers:
        assert found_text(found) in said
        assert fixed(found.other.auc, 2) in found_text(found)
        assert f"{found.changed} of {len(found.cases)} calls" in found_text(found)
    assert '"resident" and "third"' in of_the_score(three).whole
    assert "bootstrap by patient" in of_the_score(three).whole, "patients have two cases"
    answer = agreement(three, StudyFacts()).answer
    assert f"ICC {fixed(three.evaluation.other_readers[0].icc, 2)}" in answer
    assert "beside it, with those of resident, third" in one_reader(three, StudyFacts()).answer
    assert found_text(three.evaluation.other_readers[1]) in model_card(three, StudyFacts())


@pytest.mark.usefixtures("drawn")
def test_the_figure_holds_every_case_of_each_reader(three: StudyResults) -> None:
    block = other_readers(three)
    (picture,) = block.pictures
    assert len(picture.data.rows) == sum(len(f.cases) for f in three.evaluation.other_readers)
    figure = picture.drawing()
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert len(panels) == 2
    resident = three.evaluation.other_readers[0]
    points = {line.get_label(): line for line in panels[0].lines}
    shown = np.concatenate([points[name].get_ydata() for name in ("malignant", "osteoporotic")])
    gaps = resident.scores[:, 1] - resident.scores[:, 0]
    np.testing.assert_allclose(np.sort(shown), np.sort(gaps))
    assert len(points["call changes"].get_xdata()) == resident.changed
