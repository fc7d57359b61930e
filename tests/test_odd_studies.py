"""Studies whose side analyses cannot be computed: they end in a report that says so."""

from pathlib import Path

import numpy as np
import pytest

from centrum.commands import results as left, study as verbs
from centrum.commands.manuscript import write_manuscript
from centrum.report import build
from centrum.study.study import open_study
from centrum.validation import evaluation, procedure
from tests.table_studies import QUIET, features, table_study

pytestmark = pytest.mark.usefixtures("drawn")


def run(folder: Path) -> tuple[procedure.InternalValidation, str]:
    study = open_study(folder)
    _, page = verbs.run(study)
    return left.load_internal_validation(study), page.read_text(encoding="utf-8")


def test_gaps_go_through_every_side_analysis(tmp_path: Path) -> None:
    """The leaks are judged by the whole pipeline, which fills gaps and harmonises."""
    table = features()
    age = np.where(np.arange(32) % 5 == 0, np.nan, 70.0 + np.arange(32) % 7)
    folder = table_study(
        tmp_path / "study", table,
        {"model": {"imputation": {"method": "knn"}, "covariates": ["age", "sex"],
                   "harmonisation": {"method": "combat"}},
         "evaluation": {"ablation": True, "optimism_resamples": 2}},
        age=age, sex=[("F", "M", None)[k % 3] for k in range(32)],
        centre=[1000001 + k // 2 % 2 for k in range(32)],
    )  # fmt: skip
    found, _ = run(folder)
    assert found.failed == {}
    assert all(record["errors"] == {} for record in found.leaks)
    assert all(record["selection_before_split"] is not None for record in found.leaks)
    assert len(found.resamples) == 2


def test_centres_with_one_outcome_each(tmp_path: Path) -> None:
    """No part has an AUC: none is told, and no P of it; the pooled cases have one."""
    folder = table_study(
        tmp_path / "study", features(),
        {"split": {"design": "leave_one_centre_out"},
         "evaluation": {"leak_audit": {"permutations": 3, "splits": 0}}},
        centre=["ABCDEF"[k % 2 + 2 * (k // 2 % 3)] for k in range(31)] + ["G"],
    )  # fmt: skip
    found, text = run(folder)
    assert all(record["auc"] is None for record in found.parts)
    assert np.isnan(found.permutation.p)
    assert "none has an AUC" in text
    test = verbs.evaluate_scores(open_study(folder)).by_set["test"]
    assert test.auc.value > 0.6


@pytest.mark.parametrize("analysis", ["leaks", "permute", "resamples", "variants", "row_audit"])
def test_a_side_analysis_that_fails_is_said(
    analysis: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError("patient Anna")

    monkeypatch.setattr(procedure, analysis, fails)
    found, text = run(table_study(tmp_path / "study", features(20), {}))
    assert list(found.failed.values()) == ["an error that centrum does not know: ZeroDivisionError"]
    assert "could not be computed: an error that centrum does not know: ZeroDivisionError" in text
    assert "Anna" not in text


@pytest.mark.parametrize(
    ("what", "said", "wanted"),
    [("subgroup_table", {"subgroups": ["sex"]}, "Subgroups of sex"),
     ("compare_reader", {"reader_calls": ["call"]}, "The comparison with call")],
)  # fmt: skip
def test_a_part_of_the_evaluation_that_fails_is_said(
    what: str, said: dict, wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ZeroDivisionError("patient Anna")

    monkeypatch.setattr(evaluation, what, fails)
    call = ["osteoporotic", "malignant"] * 10
    folder = table_study(
        tmp_path / "study", features(20), {"evaluation": QUIET | said},
        sex=["F", "F", "M", "M"] * 5, call=call,
    )  # fmt: skip
    _, text = run(folder)
    assert f"{wanted} could not be computed: an error that centrum does not know" in text
    assert "Anna" not in text


@pytest.mark.usefixtures("lost_section")
def test_a_section_that_fails_takes_no_other_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in the report nor in the manuscript."""

    def population(_: object) -> None:
        raise ZeroDivisionError("patient Anna")

    sections = [population if s.__name__ == "population" else s for s in build.SECTIONS]
    assert population in sections
    monkeypatch.setattr(build, "SECTIONS", sections)
    folder = table_study(tmp_path / "study", features(20), {})
    _, text = run(folder)
    assert "This section could not be computed: an error that centrum does not know" in text
    assert "Table 1. The score" in text
    assert "See a table that could not be made" in text
    assert "Anna" not in text
    write_manuscript(open_study(folder))
    assert (folder / "results/manuscript/manuscript.docx").is_file()
    clear = (folder / "results/manuscript/CLEAR.csv").read_text(encoding="utf-8")
    assert "Manuscript, a table that could not be made (report #population)" in clear
