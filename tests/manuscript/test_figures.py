"""Figures as journals want them: their size, colours and dots, and the same bytes each time."""

import re
from dataclasses import replace
from functools import partial
from io import BytesIO
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from centrum.manuscript.figures import write_figures
from centrum.report.blocks import Picture, picture
from centrum.report.drawing import draw, figure_of
from centrum.report.sections.regions import regions
from centrum.report.style import (
    COLUMN_CM,
    PAGE_CM,
    new_figure,
    pdf_bytes,
    png_bytes,
    svg_bytes,
    tiff_bytes,
)
from centrum.report.tables import frame_table
from centrum.store import Store
from tests.pictures import rendered
from tests.report import conftest as report

make, sources = report.make, report.sources


def drawn() -> Figure:
    figure = new_figure(COLUMN_CM, 6, "Simulated patients")
    axes, other = figure.subplots(1, 2)
    axes.plot([0, 1, 2], [3, -1, 2], label="µ²")
    axes.set_xlabel("Time (s)")
    axes.legend()
    other.imshow(np.arange(12).reshape(3, 4))
    return figure


def as_picture(number: str = "5") -> Picture:
    data = frame_table(report.pd.DataFrame({"x": [1]}))
    drawing = partial(drawn)
    made = picture(drawing, "curve", "Curve", "A curve.", "One curve.", data, reading="It rises.")
    return replace(made, number=number, drawn=draw(drawing))


@pytest.fixture(scope="module")
def roi(make: report.Make) -> Picture:
    """A figure with images."""
    found = regions(make(n_selected=1, n_measured=1, readers=("senior",)))
    (shown, *_) = found.pictures
    with rendered():
        return replace(shown, drawn=draw(shown.drawing))


@pytest.fixture(scope="module")
def roi_tiff(roi: Picture) -> bytes:
    return tiff_bytes(figure_of(roi.drawing))


@pytest.mark.usefixtures("rendered")
def test_every_kind_of_file_is_written(tmp_path: Path) -> None:
    first = write_figures([as_picture()], tmp_path / "a")
    again = write_figures([as_picture()], tmp_path / "b")
    assert [path.name for path in first] == ["figure-5.svg", "figure-5.pdf", "figure-5.tiff"]
    assert sorted(first) == sorted((tmp_path / "a").iterdir())
    for one, other in zip(first, again, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


def test_files_of_numbers_that_are_gone_do_not_stay(tmp_path: Path) -> None:
    write_figures([as_picture("S2")], tmp_path)
    (tmp_path / "figure-S2-edited.svg").write_text("the author's own")
    write_figures([as_picture("S1")], tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "figure-S1.svg", "figure-S1.pdf", "figure-S1.tiff", "figure-S2-edited.svg",
    }  # fmt: skip


@pytest.mark.usefixtures("drawn")
def test_files_that_are_there_are_not_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, folder = Store(tmp_path / "kept"), tmp_path / "figures"
    paths = write_figures([as_picture()], folder, store)
    whole = [path.read_bytes() for path in paths]
    (folder / "figure-5.pdf").write_bytes(b"edited")
    write_figures([as_picture()], folder, store)
    assert [path.read_bytes() for path in paths] == whole
    monkeypatch.setattr("centrum.manuscript.figures.figure_of", None)
    write_figures([as_picture()], folder, store)
    assert [path.read_bytes() for path in paths] == whole


@pytest.mark.usefixtures("rendered")
def test_a_picture_gives_the_same_bytes_again(roi: Picture) -> None:
    curve = as_picture()
    assert tiff_bytes(figure_of(curve.drawing)) == tiff_bytes(figure_of(curve.drawing))
    for shown in (roi, curve):
        assert pdf_bytes(figure_of(shown.drawing)) == pdf_bytes(figure_of(shown.drawing))
        assert svg_bytes(figure_of(shown.drawing)) == shown.made.svg
        assert png_bytes(figure_of(shown.drawing)) == shown.made.png


def test_a_figure_is_left_as_it_was(roi: Picture) -> None:
    figure = figure_of(roi.drawing)
    own = figure.dpi
    tiff_bytes(figure)
    assert figure.dpi == own
    with rendered():
        assert svg_bytes(figure) == roi.made.svg
        assert png_bytes(figure) == roi.made.png


def test_tiff_is_rgb_of_600_dpi_at_the_printed_width(roi: Picture, roi_tiff: bytes) -> None:
    curve = as_picture()
    whole, half = (roi, roi_tiff, PAGE_CM), (curve, tiff_bytes(figure_of(curve.drawing)), COLUMN_CM)
    for shown, content, width_cm in (whole, half):
        with Image.open(BytesIO(content)) as image:
            assert image.mode == "RGB"
            assert image.info["dpi"] == (600, 600)
            assert image.info["compression"] == "tiff_lzw"
            assert image.width == pytest.approx(width_cm / 2.54 * 600, abs=1)
            assert shown.made.width_cm == pytest.approx(width_cm)


def test_tiff_shows_what_the_png_shows(roi: Picture, roi_tiff: bytes) -> None:
    png = Image.open(BytesIO(roi.made.png)).convert("L")
    tiff = Image.open(BytesIO(roi_tiff)).convert("L").resize(png.size)
    assert np.corrcoef(np.ravel(png), np.ravel(tiff))[0, 1] > 0.95


def test_pdf_embeds_truetype_and_tells_no_date_and_no_program(roi: Picture) -> None:
    with matplotlib.rc_context({"pdf.fonttype": 3, "font.size": 20}):
        contents = [pdf_bytes(figure_of(shown.drawing)) for shown in (roi, as_picture())]
    for content in contents:
        assert content.startswith(b"%PDF")
        assert b"/FontFile2" in content
        assert b"/Type3" not in content
        assert not re.search(rb"Date|/Producer|/Creator", content)


def test_pdf_has_the_printed_size() -> None:
    (box,) = re.findall(rb"/MediaBox \[ 0 0 (\S+) (\S+) \]", pdf_bytes(drawn()))
    assert [float(side) / 72 * 2.54 for side in box] == pytest.approx([COLUMN_CM, 6])


def test_axes_stay_where_they_are_in_every_file() -> None:
    figure = drawn()
    places = []
    for kind in (png_bytes, svg_bytes, pdf_bytes, tiff_bytes, png_bytes):
        kind(figure)
        places.append(figure.axes[0].get_position().bounds)
    assert len(set(places)) == 1
