"""The runner of random protocols draws every choice, and sees what is wrong with a page."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest

from centrum.modelling import settings as choices
from centrum.protocol import CutOffRule, parse_protocol

BENCHMARKS = str(Path(__file__).parents[1] / "benchmarks")


@pytest.fixture(scope="module")
def runner() -> Iterator[ModuleType]:
    sys.path.insert(0, BENCHMARKS)
    yield importlib.import_module("protocols")
    sys.path.remove(BENCHMARKS)


def test_the_same_numbers_give_the_same_study(runner: ModuleType) -> None:
    assert runner.draw(1, 2).files == runner.draw(1, 2).files != runner.draw(1, 3).files


def test_every_choice_of_a_model_is_drawn(runner: ModuleType) -> None:
    drawn = "\n".join(runner.draw(1, k).files["study.yaml"] for k in range(150))
    literals = (choices.Design, choices.ClassifierName, choices.Selector, choices.Fusion,
                choices.Balance, choices.Calibration, choices.ScreenTest, choices.Adjustment,
                choices.CorrelationRule, CutOffRule.model_fields["rule"].annotation)  # fmt: skip
    words = [word for literal in literals for word in get_args(literal)]
    assert [word for word in words if f" {word}\n" not in drawn] == []


def test_what_is_drawn_is_a_protocol(runner: ModuleType) -> None:
    for k in range(40):
        parse_protocol(runner.draw(1, k).files["study.yaml"], "study.yaml")


def test_a_page_that_says_nan_is_seen_and_a_picture_is_not(runner: ModuleType) -> None:
    page = b"<td>0.5 (nan to 1)</td>", b"data:image/png;base64,AA+nan/NaNAA=="
    found = list(runner._nan_in_files({"report.html": page[0], "picture": page[1]}))
    assert len(found) == 1
    assert found[0].startswith("report.html says")


def test_the_process_of_a_study_that_dies_is_a_fault(runner: ModuleType, tmp_path: Path) -> None:
    folder = tmp_path / "1-1"
    (tmp_path / "1-1.log").write_text("Segmentation fault")
    died = runner._ended(folder, -11, 2.0)
    assert died == {
        "end": "fault",
        "faults": ["died, exit code -11: Segmentation fault"],
        "seconds": 2.0,
    }
