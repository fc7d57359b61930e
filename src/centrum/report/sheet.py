"""The page of one scored patient on one sheet of paper, for those who open no web pages.

It says what `centrum.report.patient` says. What has no room on it, such as the features of a model
with many, is counted.
"""

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from centrum.frozen.model import FrozenModel
from centrum.frozen.score import Score
from centrum.provenance import __version__
from centrum.report.colours import GREY, VERMILION
from centrum.report.figures.roi import RoiPanel, draw_panel
from centrum.report.glyphs import fit_text
from centrum.report.labels import shortened
from centrum.report.patient import (
    Bar,
    between_text,
    fixed_text,
    labels_of,
    outlines,
    strips,
    waterfall,
)
from centrum.report.slices import Slice
from centrum.report.style import SMALL_PT, STYLE
from centrum.text import fixed

WIDTH_CM, HEIGHT_CM = 21.0, 29.7
"""A4."""

NOTICE = "FOR RESEARCH USE ONLY  ·  NOT A MEDICAL DEVICE  ·  NOT FOR DIAGNOSIS"

MARGIN_CM, BAND_CM = 1.5, 0.9
LINE_CM = 0.42
LETTER_CM = 0.14
PER_LINE = 118
"""Characters of small text that fill a line."""

MOST_LINES = 10
"""Of what a score must be read with."""

MOST_FEATURES = 12

MOST_LIMITS = 8
"""Lines about the model."""

_SEVERITY = {"refuse": "Refused", "warning": "Warning", "note": "Note"}
_COLUMNS_CM = (0.0, 8.6, 10.9, 13.2, 15.4)
"""Left ends of the columns of the table of features."""


@dataclass
class _Paper:
    """A figure that is written from the top to the bottom; `down` cm are written on."""

    figure: Figure
    down: float = BAND_CM + 0.9

    def write(self, text: str, left: float = 0.0, **look: Any) -> None:
        """Text whose upper left corner is `left` cm from the margin."""
        x, y = (MARGIN_CM + left) / WIDTH_CM, 1 - self.down / HEIGHT_CM
        self.figure.text(x, y, text, va="top", **({"size": SMALL_PT} | look))

    def lines(self, texts: Iterable[str], most: int, what: str) -> None:
        """Paragraphs, of which `most` lines have room."""
        wrapped = [line for text in texts for line in textwrap.wrap(text, PER_LINE)]
        if len(wrapped) > most:
            hidden = len(wrapped) - most + 1
            wrapped = [*wrapped[: most - 1], f"… and {hidden} more lines {what}."]
        for line in wrapped:
            self.write(line)
            self.down += LINE_CM * 0.85

    def heading(self, text: str) -> None:
        """A line above what follows."""
        self.down += 0.3
        self.write(text, size=9, weight="bold")
        self.down += LINE_CM * 1.2


@STYLE
def draw_sheet(model: FrozenModel, score: Score, view: Slice | None) -> Figure:
    """The sheet of a scored patient, A4; `view` as `largest_slice` gives it of a mask `ROI`.

    It names the case, and nobody.
    """
    paper = _Paper(Figure(figsize=(WIDTH_CM / 2.54, HEIGHT_CM / 2.54)))
    for bottom in (0.0, 1 - BAND_CM / HEIGHT_CM):
        _band(paper.figure, bottom)
    _head(paper, model, score)
    _results(paper, model, score)
    _flags(paper, labels_of(model), score)
    _pictures(paper, model, score, view)
    _features(paper, model, score)
    _about(paper, model)
    fit_text(paper.figure)
    return paper.figure


def _band(figure: Figure, bottom: float) -> None:
    height = BAND_CM / HEIGHT_CM
    figure.patches.append(
        Rectangle((0, bottom), 1, height, transform=figure.transFigure, color=VERMILION)
    )
    figure.text(0.5, bottom + height / 2, NOTICE, ha="center", va="center", color="white",
                size=9, weight="bold")  # fmt: skip


def _head(paper: _Paper, model: FrozenModel, score: Score) -> None:
    paper.write(f"Case {shortened(score.case, 48)}", size=15, weight="bold")
    paper.down += 0.85
    paper.write(f"Model: {shortened(model.name, 90)}", size=9)
    paper.down += LINE_CM
    made = f"centrum {__version__}; model file {model.to_dict()['sha256'][:16]}…"
    paper.write(made, color=GREY)
    paper.down += LINE_CM
    if told := _simulated(model, score):
        paper.write(told, color=VERMILION, weight="bold")
        paper.down += LINE_CM


def _simulated(model: FrozenModel, score: Score) -> str:
    if score.simulated:
        return "This patient is simulated."
    return "The model learnt from simulated patients." if model.simulated else ""


def _results(paper: _Paper, model: FrozenModel, score: Score) -> None:
    paper.heading("Result")
    for name, value in _facts(model, score):
        paper.write(name, size=10)
        paper.write(value, 7.5, size=10, weight="bold")
        paper.down += 0.52


def _facts(model: FrozenModel, score: Score) -> Iterator[tuple[str, str]]:
    """As on the page."""
    if score.refused or score.score is None or score.probability is None:
        yield "No score is given", "the case is unlike what the model can judge"
        return
    yield f"Probability of {model.positive}", score.probability_text
    yield "Called, at the frozen cut-off", score.called
    could = " or ".join(score.outcomes) or "neither outcome is typical"
    yield "Cannot be excluded (conformal set)", could
    yield f"Score (cut-off {fixed(model.cutoff, 2)})", fixed(score.score, 2)


def _flags(paper: _Paper, labels: Mapping[str, str], score: Score) -> None:
    paper.heading("To be read with")
    texts = [f"{_SEVERITY[flag.severity]}. {flag.told(labels)}" for flag in score.flags]
    none = "Nothing about image, region or features lies outside what the model was trained on."
    paper.lines(texts or [none], MOST_LINES, "on the patient's page")


def _pictures(paper: _Paper, model: FrozenModel, score: Score, view: Slice | None) -> None:
    """The region on its slice, and beside it what makes the score."""
    bars = waterfall(model, score)
    height = max(6.3 if view else 0.0, 1.3 + 0.42 * len(bars) if bars else 0.0)
    if not height:
        return
    paper.down += 0.2
    bottom = 1 - (paper.down + height) / HEIGHT_CM
    if view is not None:
        axes = paper.figure.add_axes((MARGIN_CM / WIDTH_CM, bottom, 0.3, height / HEIGHT_CM))
        draw_panel(axes, RoiPanel(view.image, view.masks, view.spacing, ()))
        axes.set_anchor("NW")
    if bars:
        _bars(paper.figure, bars, model, bottom + 0.9 / HEIGHT_CM, (height - 1.4) / HEIGHT_CM)
    paper.down += height + 0.15
    if view is not None:
        paper.write("Sagittal slice on which the region is largest; anterior is left.", color=GREY)
        paper.down += LINE_CM
        _named(paper, model, view)


def _named(paper: _Paper, model: FrozenModel, view: Slice) -> None:
    """Which outline is which, where there are several."""
    if len(view.masks) < 2:
        return
    left = 0.0
    for outline in outlines(model, view.masks):
        there = "" if view.masks[outline.region].any() else " (not on this slice)"
        label = f"{shortened(outline.label, 40)}{there}"
        paper.write("■", left, color=outline.colour)
        paper.write(label, left + 0.35, color=GREY)
        left += 0.9 + LETTER_CM * len(label)
    paper.down += LINE_CM


def _bars(
    figure: Figure, bars: Sequence[Bar], model: FrozenModel, bottom: float, height: float
) -> None:
    axes = figure.add_axes((0.69, bottom, 0.235, height))
    for k, bar in enumerate(bars):
        axes.barh(k, bar.end - bar.start, left=bar.start, height=0.7, color=bar.colour)
    labels = [f"{shortened(bar.label, 35)}  {bar.text}" for bar in bars]
    axes.set_yticks(range(len(bars)), labels, size=SMALL_PT)
    axes.invert_yaxis()
    axes.axvline(float(model.scorer.on_scale(model.cutoff)), color=GREY, ls="--", lw=0.8)
    axes.set_title("What makes the score; dashed: the cut-off", size=SMALL_PT, weight="normal")
    axes.set_xlabel(f"towards {model.negative}  ←  →  towards {model.positive}", size=SMALL_PT)
    axes.tick_params(axis="x", labelsize=SMALL_PT)


def _features(paper: _Paper, model: FrozenModel, score: Score) -> None:
    """A row for each feature, those that weigh most first."""
    found = strips(model, score)
    if not found:
        return
    paper.heading("Features of this case among the training cases")
    added = "" if score.breakdown is None else "Contribution"
    _row(paper, ("Feature", "Value", "Unit", added, "Outside training"), weight="bold")
    for s in found[:MOST_FEATURES]:
        _row(paper, (shortened(s.label, 56), s.value, s.unit, s.contribution, s.beyond))
    if (hidden := len(found) - MOST_FEATURES) > 0:
        _row(paper, (f"… and {hidden} more on the patient's page",), color=GREY)


def _row(paper: _Paper, cells: Sequence[str], **look: Any) -> None:
    for left, cell in zip(_COLUMNS_CM, cells, strict=False):
        paper.write(cell, left, **look)
    paper.down += LINE_CM * 0.9


def _about(paper: _Paper, model: FrozenModel) -> None:
    paper.heading("About the model")
    limits = [f"– {line}" for line in model.use["limits"]]
    paper.lines([*model.use["intended"], _judged(model), *limits], MOST_LIMITS, "on the page")


def _judged(model: FrozenModel) -> str:
    """Of how many cases it was learnt, and how well it told others apart."""
    training, test = model.provenance["training"], model.performance["test"]
    auc, inside = test["auc"]["value"], test["auc"]["interval"]
    return (
        f"Trained on {training['cases']} cases of {training['patients']} patients. AUC of "
        f"{test['n']} test cases {fixed_text(auc, 2)} ({100 * test['confidence']:.0f} % CI "
        f"{between_text(inside['lower'], inside['upper'], 2)})."
    )
