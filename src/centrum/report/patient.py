"""The page of one scored patient: the score, what speaks for it, and what speaks against it.

It is drawn as SVG by the template itself, without a plotting library: a single patient is to
be scored in a second and a half.
"""

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from jinja2 import Environment

from centrum.cohort.case import Value
from centrum.frozen.domain import Distribution
from centrum.frozen.model import FrozenModel
from centrum.frozen.score import Score
from centrum.protocol.limits import region_words
from centrum.report.calculator import calculator, known_of
from centrum.report.colours import GREY, OUTCOMES, READERS
from centrum.report.environment import templates
from centrum.report.labels import labels_within, unit_text
from centrum.report.overlay import ROI, Overlay, SliceStack
from centrum.report.words.contributions import (
    BASE,
    LIMIT,
    TOTAL,
    UNTOLD,
    contribution_text,
    sum_text,
)
from centrum.text import (
    file_stem,
    fixed,
    interval_text,
    listed,
    percent,
    sentences,
    significant,
)

if TYPE_CHECKING:
    from centrum.frozen.elsewhere import Elsewhere

SHOWN = 12
"""Features that the waterfall shows one by one; the others are one bar."""


DASHED = ("", "4 3")
"""Dashes of outlines, which take turns."""

INDEX = "index"
"""Stem of the page that lists the scored cases."""


def page_of(case: str) -> str:
    """Name of the page of a case.

    >>> page_of("P01"), page_of("index")
    ('P01.html', 'index-1bc04b52.html')
    """
    return f"{file_stem(case, taken=(INDEX,))}.html"


def render_index(
    model: FrozenModel, scores: Sequence[Score], elsewhere: "Elsewhere | None" = None
) -> str:
    """A page with a line for each scored case, and a link to the case's page."""
    return (
        _environment()
        .get_template("patients.html")
        .render(
            model=model,
            scores=scores,
            elsewhere=elsewhere,
            title="Scored cases",
            simulated=False,
        )
    )


def _environment() -> Environment:
    environment = templates()
    environment.filters["source"] = _source
    environment.filters["fixed"] = fixed_text
    environment.filters["interval_text"] = between_text
    environment.filters["page_of"] = page_of
    environment.filters["percent"] = partial(percent, digits=0)
    return environment


def _number(value: float | str | None) -> float:
    """A number as a model's record has it: None is nan, and one without end a word."""
    return float("nan" if value is None else value)


def fixed_text(value: float | str | None, digits: int = 3) -> str:
    """A number of a model's record with as many decimals."""
    return fixed(_number(value), digits)


def between_text(lower: float | str | None, upper: float | str | None, digits: int = 3) -> str:
    """An interval of a model's record."""
    return interval_text(_number(lower), _number(upper), digits)


@dataclass(frozen=True)
class Bar:
    """A step of the waterfall; a `plain` one speaks for neither outcome."""

    label: str
    start: float
    end: float
    text: str
    plain: bool = False

    @property
    def up(self) -> bool:
        """Whether it speaks for the positive outcome."""
        return self.end >= self.start

    @property
    def colour(self) -> str:
        """That of the outcome that it speaks for."""
        return GREY if self.plain else OUTCOMES[0] if self.up else OUTCOMES[1]


@dataclass(frozen=True)
class Scale:
    """From numbers to a share of a width."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """0 at the left end, 100 at the right end."""
        return round(100 * (min(max(value, self.low), self.high) - self.low) / self.span, 2)

    @property
    def span(self) -> float:
        """From end to end, never 0."""
        return (self.high - self.low) or 1.0


@dataclass(frozen=True)
class Placed:
    """The training quantiles of both outcomes on a scale."""

    positive: tuple[float, ...]
    negative: tuple[float, ...]


@dataclass(frozen=True)
class Strip:
    """A feature of the case among the training cases of both outcomes."""

    label: str
    name: str
    value: str
    unit: str
    contribution: str
    beyond: str
    scale: Scale
    marker: float | None
    placed: Placed


def render_patient(
    model: FrozenModel,
    score: Score,
    stack: SliceStack | None,
    elsewhere: "Elsewhere | None" = None,
    known: Mapping[str, Value] = {},
) -> str:
    """The page, whole in itself; all texts are escaped.

    Parameters
    ----------
    stack : the slices of its regions, where they can be drawn
    elsewhere : another prevalence, at which numbers are wanted beside those of the study
    known : columns that are known of the case
    """
    bars, cut = waterfall(model, score), float(model.scorer.on_scale(model.cutoff))
    return (
        _environment()
        .get_template("patient.html")
        .render(
            model=model,
            title=f"Case {score.case}",
            simulated=score.simulated,
            score=score,
            elsewhere=elsewhere,
            colours=OUTCOMES,
            labels=labels_of(model),
            study=_study_text(model),
            stack=stack,
            outlines=outlines(model, stack.slices[0].paths) if stack else (),
            bars=bars,
            scale=_waterfall_scale(bars, cut),
            cut=cut,
            bars_text=_bars_text(model),
            untold=UNTOLD,
            strips=strips(model, score),
            score_scale=(places := _score_scale(model, score)),
            among=_placed(model.scores, places),
            nomogram=(filled := _calculator(model, score, elsewhere, known)),
            filled=_filled_text(filled["axes"]) if filled else "",
        )
    )


def _study_text(model: FrozenModel) -> str:
    """How frequent the positive outcome is where the probability holds."""
    training = model.provenance["training"]
    share = percent(training["positive"] / max(training["cases"], 1), 0)
    return f"where {share} of cases are {model.positive}, as in training"


@dataclass(frozen=True)
class RegionOutline:
    """How a region is drawn and what it is called."""

    region: str
    label: str
    colour: str
    dash: str


def outlines(model: FrozenModel, regions: Iterable[str]) -> tuple[RegionOutline, ...]:
    """Of the regions of a case by their names, the first of them the model's own."""
    own = region_words(model.protocol.images.region)
    return tuple(
        RegionOutline(name, own if name == ROI else name, READERS[k % len(READERS)], DASHED[k % 2])
        for k, name in enumerate(regions)
    )


def _calculator(
    model: FrozenModel,
    score: Score,
    elsewhere: "Elsewhere | None",
    known: Mapping[str, Value],
) -> dict[str, Any] | None:
    """What the calculator reads; None where the model has none, or there is no score."""
    if model.nomogram is None or score.score is None:
        return None
    stated = model.protocol.evaluation.prevalence if elsewhere is None else elsewhere.prevalence
    begins = known_of(model.nomogram, score.score, known)
    return calculator(model.nomogram, model.positive, stated, begins)


def _filled_text(axes: Sequence[Mapping[str, Any]]) -> str:
    """Which fields of the calculator begin with what is known, and which are left to the reader."""
    own = [str(axis["label"]) for axis in axes if axis["begins"] is not None]
    others = [str(axis["label"]) for axis in axes if axis["begins"] is None]
    told = f"Filled in of this case: {listed(own)}."
    left = f"Not known, or of no training case: {listed(others)}. Fill in what is known."
    return sentences(told, left if others else "")


def _placed(distribution: Distribution, scale: Scale) -> Placed:
    sides = (distribution.positive, distribution.negative)
    return Placed(*(tuple(scale.at(q) for q in side) for side in sides))


def _bars_text(model: FrozenModel) -> str:
    """What a bar is, and what the bars sum to."""
    clips = {b.clip for b in model.scorer.branches if b.clip is not None}
    limit = " or ".join(f"{clip:g}" for clip in sorted(clips))
    clipped = f"Standardised values are clipped at ±{limit} SD." if limit else ""
    each = f"Each bar is {contribution_text(model.scorer)}."
    return sentences(each, sum_text(model.scorer), clipped)


@lru_cache(maxsize=1)
def labels_of(model: FrozenModel) -> dict[str, str]:
    """Names for people by column name; a covariate is called as its column."""
    pairs = zip(model.scorer.features, model.features, strict=True)
    known = {name: feature for name, feature in pairs if feature is not None}
    labels = labels_within(known, model.protocol.extraction)
    return {name: labels.get(name, name.replace("_", " ")) for name in model.scorer.features}


NOTHING = 1e-9
"""A rest of a sum that is smaller is rounding."""


def waterfall(model: FrozenModel, score: Score) -> tuple[Bar, ...]:
    """From the value at the training means to the score, the largest contributions first.

    Empty where there is no score, and where the model is not explained.
    """
    whole = score.breakdown
    if whole is None:
        return ()
    labels, at = labels_of(model), whole.base
    # A vote of .4 is not "towards" an outcome, as a score below 0 is.
    plain = whole.scale == "vote"
    bars = [Bar(BASE[model.scorer.linear], 0.0, at, fixed(at, 2), plain)]

    def add(label: str, by: float) -> None:
        start = bars[-1].end
        bars.append(Bar(label, start, start + by, _signed(by)))

    added = [(labels[part.name], part.contribution or 0.0) for part in score.parts]
    for label, by in added[:SHOWN]:
        add(label, by)
    if others := added[SHOWN:]:
        add(f"{len(others)} other features", sum(by for _, by in others))
    if abs(whole.rest) > NOTHING:
        add(LIMIT, whole.rest)
    return (*bars, Bar(TOTAL[whole.scale], 0.0, whole.total, fixed(whole.total, 2), plain))


def _signed(value: float) -> str:
    return f"+{fixed(value, 2)}" if value >= 0 else fixed(value, 2)


def _waterfall_scale(bars: Sequence[Bar], cutoff: float) -> Scale:
    return _around([0.0, cutoff, *(b.start for b in bars), *(b.end for b in bars)])


def _score_scale(model: FrozenModel, score: Score) -> Scale:
    ends = [model.scores.lowest, model.scores.highest, model.cutoff]
    ends += [] if score.score is None else [score.score]
    return _around(ends)


def _around(ends: Sequence[float]) -> Scale:
    """A cut-off without end lies beyond every scale."""
    known = [end for end in ends if np.isfinite(end)]
    low, high = min(known), max(known)
    margin = 0.04 * (high - low)
    return Scale(low - margin, high + margin)


def strips(model: FrozenModel, score: Score) -> tuple[Strip, ...]:
    """Every feature of the case among the training cases."""
    labels = labels_of(model)
    known = {d.name: d for d in model.distributions}
    units = {
        name: "–" if feature is None else unit_text(feature.unit)
        for name, feature in zip(model.scorer.features, model.features, strict=True)
    }
    found = []
    for part in score.parts:
        distribution = known[part.name]
        scale = _strip_scale(distribution)
        found.append(
            Strip(
                label=labels[part.name],
                name=part.name,
                value="filled" if part.value is None else significant(part.value),
                unit=units[part.name],
                contribution="" if part.contribution is None else _signed(part.contribution),
                beyond="" if part.beyond == 0 else f"{fixed(part.beyond, 1)} SD outside",
                scale=scale,
                marker=None if part.value is None else scale.at(part.value),
                placed=_placed(distribution, scale),
            )
        )
    return tuple(found)


def _strip_scale(distribution: Distribution) -> Scale:
    room = distribution.sd if np.isfinite(distribution.sd) else 0.0
    return Scale(distribution.lowest - room, distribution.highest + room)


def _source(picture: Overlay) -> str:
    """The picture as the address of an image."""
    return f"data:image/webp;base64,{b64encode(picture.webp).decode()}"
