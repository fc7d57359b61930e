"""The printed sheet of a scored patient says what the page says, and that it is for research."""

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from centrum.frozen.domain import Flag
from centrum.frozen.score import Score, score_values
from centrum.report import patient
from centrum.report.colours import VERMILION
from centrum.report.sheet import MOST_LINES, NOTICE, draw_sheet
from centrum.report.slices import Slice
from centrum.report.style import pdf_bytes, rgb_picture
from tests.pacs.models import model

VALUES = np.array([71.5, 431.2, 60.0, 1400.0])


@pytest.fixture
def score() -> Score:
    return score_values(model(), "P07", VALUES, None)


@pytest.fixture
def view() -> Slice:
    y, x = np.indices((40, 50))
    region = (abs(y - 20) < 9) & (abs(x - 22) < 12)
    return Slice(np.where(region, 700.0, 200.0) + x, {"ROI": region}, (0.7, 0.6))


def said(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.texts)


def test_it_says_what_the_page_says(score: Score, view: Slice) -> None:
    text = said(draw_sheet(model(), score, view))
    assert score.probability is not None
    assert score.score is not None
    for part in ("Case P07", "Model: Test", f"{100 * score.probability:.0f} %", score.called,
                 " or ".join(score.outcomes), "To be tested.", "– Research only.",
                 "Trained on 80 cases of 60 patients. AUC of 10 test cases 0.70"):  # fmt: skip
        assert part in text
    for part in score.parts:
        assert f"{part.contribution:+.2f}".replace("-", "−").lstrip("+") in text
    assert re.search(r"Intensity mean\n431\.2\nintensity", text)
    assert model().to_dict()["sha256"][:16] in text


def test_the_notice_stands_at_both_ends(score: Score, view: Slice) -> None:
    figure = draw_sheet(model(), score, view)
    assert said(figure).count(NOTICE) == 2
    pixels = np.asarray(rgb_picture(figure, 60))
    wanted = np.rint(255 * np.array(to_rgb(VERMILION)))
    for row in (3, -4):
        np.testing.assert_allclose(pixels[row, 5], wanted, atol=1)


def test_the_outline_is_on_the_slice(score: Score, view: Slice) -> None:
    (image, _) = draw_sheet(model(), score, view).axes
    assert image.images[0].get_array().shape == view.image.shape
    (outline,) = image.collections
    x, y = np.concatenate([p.vertices for p in outline.get_paths()]).T
    np.testing.assert_allclose([x.min(), x.max()], [11 * 0.6, 34 * 0.6])
    np.testing.assert_allclose([y.min(), y.max()], [12 * 0.7, 29 * 0.7])


def test_bars_go_from_the_intercept_to_the_score(score: Score, view: Slice) -> None:
    (_, bars) = draw_sheet(model(), score, view).axes
    ends = [(p.get_x(), p.get_x() + p.get_width()) for p in bars.patches]
    assert ends[0][0] == ends[-1][0] == 0
    np.testing.assert_allclose(ends[-1][1], score.score)
    for before, after in pairwise(ends[:-1]):
        np.testing.assert_allclose(before[1], after[0])


def test_what_has_no_room_is_counted(score: Score) -> None:
    flags = tuple(Flag("warning", "far", f"Feature {k} lies far outside.") for k in range(30))
    text = said(draw_sheet(model(), replace(score, flags=flags), None))
    assert text.count("lies far outside") == MOST_LINES - 1
    assert "and 21 more lines on the patient's page" in text
    many = replace(score, parts=score.parts * 10)
    assert "… and 28 more on the patient's page" in said(draw_sheet(model(), many, None))


def test_nothing_lies_below_the_lower_band(score: Score, view: Slice) -> None:
    """With as much of everything as there can be."""
    flags = tuple(Flag("warning", "far", "word " * 40) for _ in range(9))
    full = replace(score, flags=flags, parts=score.parts * 10)
    use = {"intended": ("word " * 60,), "limits": ("word " * 60,) * 5}
    figure = draw_sheet(replace(model(), use=use), full, view)
    lowest = min(t.get_window_extent().y0 for t in figure.texts if t.get_text() != NOTICE)
    band = next(p for p in figure.patches if p.get_y() == 0).get_window_extent()
    assert lowest > band.y1


def test_long_names_of_features_touch_nothing_else(
    score: Score, view: Slice, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "Normalised dependence count non-uniformity, NGLDM, wavelet-coif1-LLH-2D"
    monkeypatch.setattr(patient, "labels_of", lambda of: dict.fromkeys(of.scorer.features, name))
    figure = draw_sheet(model(), score, view)
    rgb_picture(figure, 100)
    picture, bars = figure.axes
    labels = [t.get_window_extent() for t in bars.get_yticklabels()]
    assert len(labels) == 6
    assert min(label.x0 for label in labels) > picture.get_window_extent().x1
    values = min(t.get_window_extent().x0 for t in figure.texts if t.get_text() == "431.2")
    names = [t.get_window_extent().x1 for t in figure.texts if t.get_text().endswith("2D")]
    assert len(names) == 4
    assert max(names) < values


def test_a_simulated_patient_is_called_so(score: Score, view: Slice) -> None:
    assert "This patient is simulated." in said(
        draw_sheet(model(), replace(score, simulated=True), view)
    )


def test_the_same_sheet_is_the_same_file(score: Score, view: Slice) -> None:
    one, two = (pdf_bytes(draw_sheet(model(), score, view)) for _ in range(2))
    assert one == two
