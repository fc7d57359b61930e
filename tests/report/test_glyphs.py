"""Names of any script and length: every figure draws them or says what stands for them."""

import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from centrum.cohort.eligibility import EligibilityRule
from centrum.report import glyphs
from centrum.report.blocks import Block, picture
from centrum.report.build import drawn_document
from centrum.report.drawing import figure_of
from centrum.report.figures import draw_agreement, draw_coefficients, draw_flow
from centrum.report.flow import flow_chart
from centrum.report.glyphs import fit_text, stands_for
from centrum.report.labels import wrapped
from centrum.report.sections.regions import regions
from centrum.report.style import new_figure, pdf_bytes, png_bytes, svg_bytes, tiff_bytes
from centrum.report.tables import frame_table
from tests.report.conftest import Make

UNDRAWN = "\U000e0a41\U000e0a42"
"""Letters of no script: no font has them."""

LONG = " ".join(["Senior radiologist of the department of diagnostic and interventional"] * 3)

KINDS: tuple[Callable[[Figure], bytes], ...] = (svg_bytes, png_bytes, pdf_bytes, tiff_bytes)


@pytest.fixture(autouse=True)
def silent() -> None:
    warnings.simplefilter("error", UserWarning)


def labelled(name: str) -> Figure:
    """A figure with a name in every place that holds one."""
    figure = new_figure(8, 6)
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], label=name)
    axes.set_yticks([0, 1], [name, "plain"])
    axes.set(title=name, xlabel=name)
    axes.annotate(name, (0.5, 0.5))
    figure.legend()
    return figure


@pytest.mark.parametrize("name", [UNDRAWN, f"Dr {UNDRAWN}", "阅片者二", "👩\u200d⚕️"])
def test_a_name_without_a_font_is_numbered_everywhere(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(glyphs, "_font_of", lambda letter: None)
    figure = labelled(name)
    numbers = fit_text(figure)
    assert list(numbers) == ["‹1›"]
    assert numbers["‹1›"] in name
    for kind in KINDS:
        assert kind(figure)
    shown = [text.get_text() for text in figure.findobj(Text) if isinstance(text, Text)]
    assert sum("‹1›" in text for text in shown) >= 5
    assert not any(numbers["‹1›"] in text for text in shown)


@pytest.mark.parametrize("name", ["مريض-7", "קורא", "Ünïcødé Ψ ≥ ‰", "$x$ & $y$", "a_b^{c}", "%s"])
def test_a_name_that_the_font_has_is_drawn_as_it_is(name: str) -> None:
    figure = labelled(name)
    assert fit_text(figure) == {}
    for kind in KINDS:
        assert kind(figure)
    assert figure.axes[0].get_title() == name


def test_a_font_that_has_the_letters_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glyphs, "_own", lambda: frozenset(map(ord, "plain \n‹›0123456789")))
    assert glyphs._font_of("Σ") is not None
    figure = labelled("ΣΩ")
    assert fit_text(figure) == {}
    assert glyphs._font_of("Σ") in figure.axes[0].title.get_fontfamily()


def test_the_same_name_gives_the_same_bytes() -> None:
    first, second = (labelled(f"مريض {UNDRAWN}") for _ in range(2))
    for figure in (first, second):
        fit_text(figure)
    assert svg_bytes(first) == svg_bytes(second)


@pytest.mark.usefixtures("drawn")
def test_the_caption_says_what_a_number_stands_for() -> None:
    data = frame_table(pd.DataFrame({"x": [1]}))
    drawing = partial(labelled, UNDRAWN)
    undrawn = picture(drawing, "labelled", "T", "A line.", "A.", data, reading="It rises.")
    (drawn,) = drawn_document([Block("b", "b", pictures=(undrawn,))]).pictures
    said = f"‹1› stands for {UNDRAWN}, for which this computer has no font."
    assert drawn.caption == f"A line. {said}"
    assert stands_for({}) == ""


def test_wide_letters_fill_a_line_twice_as_fast() -> None:
    assert wrapped("患" * 12, 20).splitlines() == ["患" * 10, "患" * 2]
    assert max(map(len, wrapped("x" * 300, 20).splitlines())) == 20


def outside(figure: Figure) -> list[str]:
    """Texts that are not labels of ticks and leave the figure."""
    figure.draw_without_rendering()
    frame = figure.bbox.padded(2)
    ticks = {
        id(label)
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for label in axis.get_ticklabels(which="both")
    }
    texts = [t for t in figure.findobj(Text) if isinstance(t, Text) and id(t) not in ticks]
    drawn = [t for t in texts if t.get_visible() and t.get_text().strip()]
    boxes = [(t.get_text(), t.get_window_extent()) for t in drawn]
    return [name for name, box in boxes if not (
        frame.contains(box.x0, box.y0) and frame.contains(box.x1, box.y1)
    )]  # fmt: skip


@pytest.mark.parametrize("name", [LONG, "x" * 300])
def test_long_names_stay_within_their_figures(make: Make, name: str) -> None:
    results = make(
        readers=(name, f"{name} 2"), rules=(EligibilityRule(name=name, exclude="age < 61"),)
    )
    figures = [figure_of(p.drawing) for p in regions(results).pictures]
    assert [outside(figure) for figure in figures] == [[]] * len(figures)
    assert outside(draw_flow(flow_chart(results))) == []
    assert outside(draw_coefficients([name] * 2, [0.5, -0.5], (name, name))) == []
    dice = {f"{name} – {name} 2": np.array([0.9, 0.8])}
    figure = draw_agreement([0.9], [True], 0.75, "ICC(A,1)", "rule", dice)
    assert "2\nn = 2" in figure.axes[1].get_yticklabels()[0].get_text()


def test_a_long_case_id_keeps_its_end(make: Make) -> None:
    results = make(prefix="x" * 150)
    figure = figure_of(regions(results).pictures[0].drawing)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    shown = [title.splitlines()[1] for title in titles if title]
    assert len(set(shown)) == len(shown)
