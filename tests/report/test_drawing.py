"""Pictures are drawn once: kept ones give the same bytes, and whatever is drawn decides which."""

import shutil
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
from matplotlib.figure import Figure

from centrum.report import drawing as module
from centrum.report.blocks import Block, picture
from centrum.report.build import drawn_document, sections_of, write_report
from centrum.report.drawing import FOLDER, FigureJob, drawing_key, make_pictures
from centrum.report.results import StudyResults
from centrum.report.sections.cases import case_jobs
from centrum.report.style import new_figure
from centrum.report.tables import frame_table
from centrum.store import Store

from .conftest import Make
from .test_figures import VARIANTS


@pytest.fixture(scope="module")
def few(make: Make) -> StudyResults:
    """Images of three cases only, which is what takes time."""
    results = make(n_selected=2, n_measured=3)
    return replace(results, sources={c: results.sources[c] for c in results.table.cases[:3]})


def written(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def fail(*_: object) -> None:
    raise AssertionError("drawn anew")


@pytest.mark.usefixtures("rendered")
def test_kept_pictures_give_the_same_bytes(
    few: StudyResults, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_report(few, tmp_path / "new", workers=2)
    new = written(tmp_path / "new")
    write_report(few, tmp_path / "alone")
    assert written(tmp_path / "alone") == new
    shutil.copytree(tmp_path / "new" / FOLDER, tmp_path / "kept" / FOLDER)
    monkeypatch.setattr(module, "draw", fail)
    monkeypatch.setattr("centrum.report.sections.cases.small_picture", fail)
    write_report(few, tmp_path / "kept")
    assert written(tmp_path / "kept") == new


def test_pictures_of_a_report_that_is_gone_are_taken_away(
    few: StudyResults, tmp_path: Path
) -> None:
    write_report(few, tmp_path)
    first = set((tmp_path / FOLDER).glob("*/*"))
    write_report(replace(few, simulated="Marked otherwise"), tmp_path)
    second = set((tmp_path / FOLDER).glob("*/*"))
    assert len(second) == len(first)
    assert len(first & second) == 1  # that of the cases, which share a file, bears no mark


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_every_figure_is_drawn_of_has_a_key(make: Make, variant: str) -> None:
    keys = [
        [drawing_key(shown.drawing) for block in sections_of(results) for shown in block.pictures]
        for results in (make(**VARIANTS[variant]), make(**VARIANTS[variant]))
    ]
    assert keys[0] == keys[1]
    assert len({*keys[0]}) == len(keys[0]) > 8


@dataclass(frozen=True)
class Given:
    values: np.ndarray
    name: str = "a"


def one(*_: object, **__: object) -> Figure:
    return new_figure(3, 2)


def other(*_: object) -> Figure:
    return new_figure(3, 2)


VALUES = np.array([1.0, 2.0])

CHANGED = {
    "who draws": partial(other, VALUES),
    "a number": partial(one, np.array([1.0, np.nextafter(2.0, 3.0)])),
    "the type of numbers": partial(one, np.array([1, 2])),
    "the shape": partial(one, VALUES[None]),
    "a name": partial(one, VALUES, mark="simulated"),
    "values of an object": partial(one, Given(VALUES)),
    "a name of an object": partial(one, Given(VALUES, "b")),
    "a table": partial(one, pd.Series(VALUES)),
    "the rows of a table": partial(one, pd.Series(VALUES, ["x", "y"])),
    "a mapping": partial(one, {"x": VALUES}),
    "the order of a mapping": partial(one, {"y": VALUES, "x": VALUES}),
    "texts": partial(one, np.array(["x", None], dtype=object)),
}


def test_whatever_is_drawn_stands_in_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [drawing_key(drawing) for drawing in (partial(one, VALUES), *CHANGED.values())]
    assert drawing_key(partial(one, VALUES.copy())) == keys[0]
    monkeypatch.setattr(module.fontManager, "ttflist", module.fontManager.ttflist[1:])
    keys.append(drawing_key(partial(one, VALUES)))
    assert len({*keys}) == len(keys)


def test_what_has_no_digest_is_refused() -> None:
    with pytest.raises(TypeError, match="found object"):
        drawing_key(partial(one, object()))


def test_another_image_is_another_picture(few: StudyResults, tmp_path: Path) -> None:
    case, (image, masks) = next(iter(few.sources.items()))
    copy = str(tmp_path / "image.nrrd")
    shutil.copyfile(image, copy)
    store = Store(tmp_path / "kept")

    def made() -> object:
        jobs = case_jobs(replace(few, sources={case: (copy, masks)}))
        return make_pictures([*jobs.values()], store)[0]

    first = made()
    assert made() == first
    array = sitk.GetArrayFromImage(read := sitk.ReadImage(copy))
    changed = sitk.GetImageFromArray(array[:, ::-1])
    changed.CopyInformation(read)
    sitk.WriteImage(changed, copy)
    assert made() != first


def test_a_file_that_changes_meanwhile_is_not_kept(few: StudyResults, tmp_path: Path) -> None:
    case = next(iter(few.sources))
    known = {"images": [["", ["of before", None]]], "masks": [[few.table.readers[0], ["m", None]]]}
    jobs = case_jobs(replace(few, contents={case: known}))
    store = Store(tmp_path)
    (told,) = make_pictures([jobs[case]], store)
    assert "was changed while it was read" in told["why"]
    assert store.get(jobs[case].key()) is None


@pytest.mark.usefixtures("drawn")
def test_a_section_whose_figure_fails_says_so() -> None:
    data = frame_table(pd.DataFrame({"x": [1]}))
    good, bad = (
        picture(drawing, key, "T", "A line.", "A.", data, reading="It rises.")
        for key, drawing in (("good", partial(one)), ("bad", partial(fails)))
    )
    blocks = [Block("One", "one", pictures=(bad,)), Block("Two", "two", pictures=(good,))]
    first, second = drawn_document(blocks).blocks
    assert "ZeroDivisionError" in first.warnings[0]
    assert not first.pictures
    assert second.pictures[0].number == "S1"
    assert second.pictures[0].made.png


def fails() -> Figure:
    raise ZeroDivisionError


@pytest.mark.usefixtures("drawn")
def test_what_failed_is_tried_again(tmp_path: Path) -> None:
    store, job = Store(tmp_path), FigureJob(partial(fails))
    assert "ZeroDivisionError" in make_pictures([job], store)[0]["why"]
    assert store.get(job.key()) is None
