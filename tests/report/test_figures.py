"""Every figure draws, without warnings and inside its canvas, in the shapes that studies take."""

import re
import warnings
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from centrum.perturb import RobustnessSettings
from centrum.report.build import sections_of
from centrum.report.drawing import figure_of
from centrum.report.figures import RoiPanel, draw_feature_count, draw_rois
from centrum.report.maps import map_pictures
from centrum.report.numbering import assemble
from centrum.report.results import StudyResults
from centrum.report.style import COLUMN_CM, PAGE_CM, PNG_DPI, png_bytes, svg_bytes
from centrum.report.tables import model_labels
from centrum.text import interval_text

from .conftest import SIMULATED, Make, with_maps

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


def test_a_reader_has_one_colour_whoever_else_drew_a_case() -> None:
    masks = {name: np.eye(8, dtype=bool) for name in "ABC"}
    everyone = RoiPanel(np.eye(8), masks, (1, 1), ("all",), readers=("A", "B", "C"))
    without = replace(everyone, masks={"A": masks["A"], "C": masks["C"]})
    first, second, alone = (
        draw_rois(panels) for panels in ([without, everyone], [everyone, without], [without])
    )
    for figure, n in ((first, 0), (second, 1), (alone, 0)):
        lines = outline_colours(figure.axes[n])
        legend = {t.get_text(): to_hex(h.get_color()) for t, h in legend_of(figure)}
        assert lines == [legend["A"], legend["C"]]
    assert [t.get_text() for t, _ in legend_of(first)] == ["A", "B", "C"]
    assert [t.get_text() for t, _ in legend_of(alone)] == ["A", "C"]


def outline_colours(axes: Axes) -> list[str]:
    return [to_hex(c.get_edgecolor()[0]) for c in axes.collections]


def legend_of(figure: Figure) -> list[tuple[Text, Line2D]]:
    (legend,) = figure.legends
    return [*zip(legend.get_texts(), legend.get_lines(), strict=True)]


@pytest.fixture(scope="module", params=VARIANTS)
def figures(request: pytest.FixtureRequest, make: Make) -> dict[str, Figure]:
    """The figures of a variant by key, drawn with every warning an error."""
    results = make(**VARIANTS[request.param])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pictures = [p for block in sections_of(results) for p in block.pictures]
        pictures += map_pictures(with_maps(results))
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


def test_legends_are_smaller_than_the_plots_and_hide_nothing(figures: dict[str, Figure]) -> None:
    for name, figure in figures.items():
        plots = Bbox.union([axes.get_window_extent() for axes in figure.axes])
        for legend in _legends(figure):
            box = legend.get_window_extent()
            assert box.height < 0.7 * plots.height, f"{name}: the legend is as high as the plot"
            assert box.x1 < figure.bbox.x1 + 1, f"{name}: the legend is wider than the figure"
            hidden = [part for part in _below(figure, legend) if _meet(box, part)]
            assert hidden == [], f"{name}: the legend lies on {hidden[0]}"


def _legends(figure: Figure) -> list[Legend]:
    return [*figure.legends, *(axes.legend_ for axes in figure.axes if axes.legend_ is not None)]


def _below(figure: Figure, legend: Legend) -> list[Artist]:
    """All plots, or what is drawn in the one that a legend belongs to."""
    if legend in figure.legends:
        return [*figure.axes]
    assert legend.axes is not None
    return [*legend.axes.lines, *legend.axes.patches]


def _meet(box: Bbox, part: Artist) -> bool:
    """Whether a box has a point of a line, or lies on a bar or plot."""
    if isinstance(part, Line2D):
        drawn = part.get_transform().transform(part.get_xydata())
        return any(box.contains(*point) for point in drawn)
    return bool(box.padded(-1.5).overlaps(part.get_window_extent()))


LISTING = ("lasso", "coefficients", "distributions", "contributions-held-out", "importance",
           "local-effects")  # fmt: skip
"""Figures that name features."""


def test_names_of_features_are_whole(results: StudyResults) -> None:
    pictures = {p.key: p for block in sections_of(results) for p in block.pictures}
    for key in LISTING:
        figure = figure_of(pictures[key].drawing)
        assert not any("…" in text.get_text() for text in figure.findobj(Text)), key
        assert _named(figure) & {*results.labels.values()}, key


def _named(figure: Figure) -> set[str]:
    """What the figure writes, without numbers before it, and units or counts behind it."""
    texts = (text.get_text().replace("\n", " ") for text in figure.findobj(Text))
    plain = {re.sub(r"^\d+  ", "", text) for text in texts}
    return plain | {re.sub(r" (and \d+ more|\([^()]*\))$", "", text) for text in plain}


def test_what_a_figure_leaves_out_is_said_and_is_in_a_table(make: Make) -> None:
    results = make(n_selected=27)
    document = assemble(sections_of(results))
    captions = {p.key: p.caption for p in document.pictures}
    tables = {table.key: table for table in document.tables}
    for key, shown, by, table in (
        ("lasso", 7, "largest coefficients", "score"),
        ("coefficients", 20, "largest coefficients", "score"),
        ("distributions", 12, "largest coefficients", "values"),
        ("contributions-held-out", 12, "largest of these", "contribution-sizes"),
        ("local-effects", 3, "largest mean absolute contributions", "contribution-sizes"),
    ):
        told = f"the {shown} of 27 with the {by} (table {tables[table].number} has all)"
        assert told in captions[key], key
        assert {*model_labels(results)} <= {str(c) for row in tables[table].rows for c in row}, key
    few = assemble(sections_of(make(n_selected=6)))
    assert "values" not in {table.key for table in few.tables}
    assert all("has all" not in p.caption for p in few.pictures if p.key != "local-effects")


def test_no_figure_names_more_features_than_can_be_read(make: Make) -> None:
    for picture in (p for block in sections_of(make(n_selected=27)) for p in block.pictures):
        if picture.key in LISTING:
            height = figure_of(picture.drawing).get_figheight() * 2.54
            assert height < HIGHEST_CM, picture.key


HIGHEST_CM = 16
"""Of a figure that has room for its caption on a page."""


@pytest.mark.parametrize("explained_too", [True, False])
def test_labels_in_figures_are_explained_in_one_table(make: Make, explained_too: bool) -> None:
    results = make(n_selected=27)
    if not explained_too:
        results = replace(results, explanation=None)
    blocks, labels = sections_of(results), {*results.labels.values()}
    (table,) = (t for block in blocks for t in block.tables if t.key == "feature-labels")
    explained = {row[0]: row for row in table.rows}
    assert len(explained) == len(table.rows)
    drawings = [p.drawing for block in blocks for p in block.pictures if p.key in LISTING]
    for drawing in drawings:
        assert _named(figure_of(drawing)) & labels <= {*explained}
    features = dict(zip(results.table.names, results.table.features, strict=True))
    for name, label in results.labels.items():
        if label in {*model_labels(results)}:
            feature = features[name]
            row = explained[label]
            assert {feature.name, feature.code, feature.image, name} <= {*row}


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
        for axes in (axes for axes in figures[key].axes if key != "maps" or axes.axison):
            lines = [text.get_text() for text in axes.texts] if key == "nomogram" else []
            named = axes.get_xlabel() or axes.get_ylabel() or {"Points", "Total points"} <= {*lines}
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
