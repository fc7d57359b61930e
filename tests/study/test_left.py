"""A run with nothing to do says what the run before it said, and loads nothing that computes."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from centrum import provenance
from centrum.commands import study as verbs
from centrum.commands.manuscript import write_manuscript
from centrum.commands.run import load_evaluations, run
from centrum.records import as_json
from centrum.study.left import up_to_date
from centrum.study.study import open_study
from tests.smallest import IMAGES, MODEL, image_study, table_study, write
from tests.studies import read_rows, write_rows

HEAVY = (
    "scipy.stats scipy.ndimage sklearn imblearn matplotlib docx jinja2 PIL centrum.validation "
    "centrum.simulate pyarrow.dataset"
)
"""What only a stage that is made needs."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of images that was run, with a mask to be looked at; not to be changed."""
    folder = image_study(tmp_path_factory.mktemp("left") / "study", n=24)
    rng = np.random.default_rng(1)
    for k in range(24):  # the outcomes differ
        array = rng.integers(100, 900, (5, 12, 12), np.int16) + 300 * (k % 2)
        write(folder / f"P{k:02d}-first.nii.gz", array.astype(np.int16))
    stray = sitk.GetArrayFromImage(sitk.ReadImage(folder / "P03-resident.nrrd"))
    stray[0, 0, 0] = 1
    write(folder / "P03-resident.nrrd", stray)
    (folder / "study.yaml").write_text(MODEL + IMAGES.partition("\n")[2])
    verbs.run(open_study(folder))
    return folder


@pytest.fixture
def study(finished: Path, tmp_path: Path) -> Path:
    shutil.copytree(finished, tmp_path / "study")
    return tmp_path / "study"


def test_it_says_the_same(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, page = verbs.run(open_study(study))
    assert {finding.case for finding in made.findings} >= {"P03"}
    monkeypatch.setattr(verbs, "run", None)
    known, same = run(open_study(study))
    assert known.findings == made.findings
    assert known.table.values.tolist() == made.table.values.tolist()
    assert same == page
    _, evaluations = verbs.evaluate(open_study(study))
    assert load_evaluations(open_study(study)) == as_json(evaluations)


def test_nothing_that_computes_is_loaded_and_no_process_starts(study: Path) -> None:
    script = f"""
import gc, multiprocessing, sys
from centrum.cli import main
sys.argv = ["centrum", "run", {str(study)!r}, "--workers", "2"]
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print([name for name in {HEAVY.split()} if name in sys.modules], multiprocessing.active_children())
print(gc.get_threshold()[0])
"""
    run = [sys.executable, "-c", script]
    told = subprocess.run(run, capture_output=True, text=True, check=True).stdout
    assert told.splitlines()[-2:] == ["[] []", "10000"]
    assert "report.html" in told


def edit_protocol(study: Path) -> None:
    path = study / "study.yaml"
    path.write_text(path.read_text().replace("name:", "name: Another"))


def edit_manifest(study: Path) -> None:
    rows = read_rows(study)
    write_rows(study, [{**row, "age": str(float(row["age"]) + 1)} for row in rows])


def turn_image(study: Path) -> None:
    path = str(study / "P03-first.nii.gz")
    sitk.WriteImage(sitk.Flip(sitk.ReadImage(path), (True, False, False)), path)


def edit_page(study: Path) -> None:
    path = study / "results/report.html"
    path.write_text(path.read_text("utf-8") + "<!-- mine -->", "utf-8")


CHANGES: dict[str, Callable[[Path], object]] = {
    "protocol": edit_protocol,
    "manifest": edit_manifest,
    "image": turn_image,
    "page": edit_page,
    "model": lambda study: (study / "results/model.json").unlink(),
    "picture": lambda study: next((study / "results/figures").glob("*.png")).unlink(),
    "record": lambda study: (study / "results/stages.json").unlink(),
    "missing": lambda study: (study / "P03-senior.nrrd").unlink(),
}


@pytest.mark.parametrize("what", CHANGES)
def test_whatever_changes_there_is_something_to_do(study: Path, what: str) -> None:
    assert up_to_date(open_study(study)) is not None
    CHANGES[what](study)
    assert up_to_date(open_study(study)) is None


def test_another_version_makes_it_again(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "__version__", "9")
    assert up_to_date(open_study(study)) is None


def test_what_could_not_be_measured_is_tried_again(study: Path) -> None:
    (study / "P03-senior.nrrd").unlink()
    extraction, _ = verbs.run(open_study(study))
    assert [failure.case for failure in extraction.failures] == ["P03"]
    assert up_to_date(open_study(study)) is None


def test_scores_are_evaluated_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluated, evaluate = [], verbs.evaluate_study

    def counted(*given: object, **named: object) -> object:
        evaluated.append(given)
        return evaluate(*given, **named)

    monkeypatch.setattr(verbs, "evaluate_study", counted)
    folder = table_study(tmp_path / "study")
    verbs.run(open_study(folder))
    verbs.evaluate(open_study(folder))
    write_manuscript(open_study(folder))
    assert len(evaluated) == 1
    edit_protocol(folder)
    verbs.run(open_study(folder))
    assert len(evaluated) == 2
