"""Numbers that do not score as the fitted model did are never frozen."""

from dataclasses import replace
from pathlib import Path

import pytest

from centrum.commands import study as verbs
from centrum.errors import DataError
from centrum.frozen.export import scorer_of
from centrum.study.study import Study, open_study
from tests.smallest import table_study


@pytest.fixture
def study(tmp_path: Path) -> Study:
    study = open_study(table_study(tmp_path / "study"))
    verbs.extract(study)
    return study


def test_scores_of_the_numbers_are_compared_with_those_of_the_model(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(*given: object):
        scorer = scorer_of(*given)
        return replace(scorer, offset=scorer.offset + 1e-7)

    monkeypatch.setattr(verbs, "scorer_of", other)
    with pytest.raises(DataError, match="cannot be frozen: as numbers it scores a case 1e-07 away"):
        verbs.fit(study)
    monkeypatch.undo()
    verbs.fit(study)
