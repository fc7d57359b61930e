"""Every figure draws, without warnings and inside its canvas, in the shapes that studies take."""

import warnings
from itertools import combinations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from centrum.perturb import RobustnessSettings
from centrum.report.build import sections_of
from centrum.report.drawing import figure_of
from centrum.report.figures import draw_feature_count
from centrum.report.results import StudyResults
from centrum.report.style import COLUMN_CM, PAGE_CM, PNG_DPI, png_bytes, svg_bytes
from centrum.text import interval_text

from .conftest import SIMULATED, Make

KINDS = ("noise", "translation", "rotation", "volume", "contour")

VARIANTS = {
    "usual": {"perturbed": RobustnessSettings(repeats=2)},
    "one selected feature": {"n_selected": 1},
    "one feature, one reader, no rules": {
        "n_selected": 1, "n_measured": 1, "readers": ("senior",), "rules": (), "simulated": "",
        "perturbed": RobustnessSettings(kinds=("noise",), repeats=1),
    },
    "many features with long names, three readers": {
        "n_selected": 15, "readers": ("senior", "resident", "third"),
        "image": "a-filter-with-a-very-long-name-indeed, and blanks in it",
        "perturbed": RobustnessSettings(kinds=KINDS, together=False, repeats=2),
    },
}  # fmt: skip


@pytest.fixture(scope="module", params=VARIANTS)
def figures(request: pytest.FixtureRequest, make: Make) -> dict[str, Figure]:
    """The figures of a variant by key, drawn with every warning an error."""
    results = make(**VARIANTS[request.param])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pictures = [p for block in sections_of(results) for p in block.pictures]
        drawn = {picture.key: figure_of(picture.drawing) for picture in pictures}
        for figure in drawn.values():
            FigureCanvasAgg(figure).draw()
    return drawn


def _texts(figure: Figure) -> dict[Text, Bbox]:
    """The texts that are drawn, and where they are."""
    axes = [part for part in figure.axes if part.axison]
    ticks = {label for part in figure.axes for axis in part._axis_map.values()
             for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks())
             for label in (tick.label1, tick.label2)}  # fmt: skip
    others = {text for text in figure.findobj(Text) if text not in ticks}
    seen = {label for part in axes for name, axis in part._axis_map.items()
            if axis.get_visible()
            for label in axis.get_ticklabels() if _within(label, part, name)}  # fmt: skip
    return {
        text: text.get_window_extent()
        for text in seen | others
        if text.get_text().strip() and text.get_visible()
    }


def _within(label: Text, axes: Axes, name: str) -> bool:
    """Whether a tick lies on its axis; those beyond its ends exist but are not drawn."""
    low, high = sorted(getattr(axes, f"get_{name}lim")())
    return bool(low <= label.get_position()["xy".index(name)] <= high)


def test_texts_are_inside_the_figure(figures: dict[str, Figure]) -> None:
    for number, figure in figures.items():
        width, height = figure.bbox.size
        for text, box in _texts(figure).items():
            inside = box.x0 > -1 and box.y0 > -1 and box.x1 < width + 1 and box.y1 < height + 1
            assert inside, f"figure {number}: {text.get_text()!r} leaves the canvas"


def test_texts_do_not_overlap(figures: dict[str, Figure]) -> None:
    for number, figure in figures.items():
        boxes = {text: box.padded(-1.5) for text, box in _texts(figure).items()}
        for (a, box_a), (b, box_b) in combinations(boxes.items(), 2):
            assert not box_a.overlaps(box_b), (
                f"figure {number}: {a.get_text()!r} lies on {b.get_text()!r}"
            )


def test_texts_are_legible_when_printed(figures: dict[str, Figure]) -> None:
    for number, figure in figures.items():
        assert figure.get_figwidth() * 2.54 == pytest.approx(COLUMN_CM) or (
            figure.get_figwidth() * 2.54 == pytest.approx(PAGE_CM)
        ), number
        assert min(text.get_fontsize() for text in _texts(figure)) >= 6


def test_simulated_is_written_into_every_figure(
    figures: dict[str, Figure], request: pytest.FixtureRequest
) -> None:
    simulated = VARIANTS[request.node.callspec.params["figures"]].get("simulated", SIMULATED)
    for number, figure in figures.items():
        texts = [text.get_text().replace("\n", " ") for text in figure.texts]
        assert (SIMULATED in texts) == bool(simulated), number


def test_axes_name_their_quantity(figures: dict[str, Figure]) -> None:
    for key in sorted(figures.keys() - {"regions", "flow"}):
        for axes in figures[key].axes:
            named = axes.get_xlabel() or axes.get_ylabel()
            assert named, f"figure {key} has an axis without a name"


def test_files_carry_no_date_and_no_program() -> None:
    figure = Figure(figsize=(1, 1))
    svg, png = svg_bytes(figure), png_bytes(figure)
    assert b"dc:date" not in svg
    assert b"Matplotlib" not in svg
    assert b"Software" not in png
    assert b"tEXt" not in png


def test_a_file_is_laid_out_as_matplotlib_would(results: StudyResults) -> None:
    saved, drawn = (draw_feature_count(results.model.feature_count) for _ in range(2))
    svg_bytes(saved)
    drawn.set_dpi(PNG_DPI)
    drawn.draw_without_rendering()
    for one, other in zip(saved.axes, drawn.axes, strict=True):
        np.testing.assert_allclose(one.get_position().bounds, other.get_position().bounds)


def test_a_file_is_drawn_once(results: StudyResults, monkeypatch: pytest.MonkeyPatch) -> None:
    figure, draw, drawn = draw_feature_count(results.model.feature_count), Figure.draw, []
    png = png_bytes(figure)
    monkeypatch.setattr(Figure, "draw", lambda *args: drawn.append(args) or draw(*args))
    assert png_bytes(figure) == png
    assert len(drawn) == 1


def test_png_has_300_dpi(written) -> None:
    content = (written / "figures" / "roc.png").read_bytes()
    at = content.index(b"pHYs") + 4
    per_metre = int.from_bytes(content[at : at + 4], "big")
    assert per_metre == round(300 / 0.0254)
    width = int.from_bytes(content[16:20], "big")
    assert width == pytest.approx(COLUMN_CM / 2.54 * 300, abs=1)


def test_user_style_does_not_matter(results: StudyResults) -> None:
    import matplotlib

    facts = results.model.feature_count
    usual = svg_bytes(draw_feature_count(facts))
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "red", "svg.fonttype": "none"}):
        assert svg_bytes(draw_feature_count(facts)) == usual


def test_roc_passes_through_the_operating_point(results: StudyResults) -> None:
    from centrum.report.figures import draw_roc

    found = results.evaluation.by_set["test"]
    (axes,) = draw_roc({"Test": found}).axes
    (point,) = [line for line in axes.get_lines() if line.get_marker() == "o"]
    x, y = point.get_data()
    confusion = found.confusion
    assert y[0] == confusion.tp / (confusion.tp + confusion.fn)
    assert x[0] == pytest.approx(confusion.fp / (confusion.fp + confusion.tn))
    on_curve = (found.roc.sensitivity == y[0]) & np.isclose(1 - found.roc.specificity, x[0])
    assert on_curve.any()


def test_roc_names_the_interval_of_all_but_apparent_results(results: StudyResults) -> None:
    from centrum.report.figures import draw_roc

    train, test = (results.evaluation.by_set[name] for name in ("train", "test"))
    (legend,) = draw_roc({"Train": train, "Test": test}).legends
    limits = interval_text(test.auc.interval.lower, test.auc.interval.upper, 2)
    assert [text.get_text() for text in legend.get_texts()] == [
        f"Train: {train.auc.value:.2f}",
        f"Test: {test.auc.value:.2f} ({limits})",
    ]
