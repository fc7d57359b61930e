"""The page of one scored patient: the score, what speaks for it, and what speaks against it.

It is drawn as SVG by the template itself, without a plotting library: a single patient is to
be scored in a second and a half.
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jinja2 import Environment

from centrum.frozen.domain import Distribution
from centrum.frozen.elsewhere import Elsewhere
from centrum.frozen.model import FrozenModel
from centrum.frozen.score import Score
from centrum.report.colours import OUTCOMES, READERS
from centrum.report.environment import templates
from centrum.report.labels import feature_labels, unit_text
from centrum.report.overlay import Overlay
from centrum.text import file_stem, fixed, interval_text, significant

SHOWN = 12
"""Features that the waterfall shows one by one; the others are one bar."""


INDEX = "index"
"""Stem of the page that lists the scored cases."""


def page_of(case: str) -> str:
    """Name of the page of a case.

    >>> page_of("P01"), page_of("index")
    ('P01.html', 'index-1bc04b52.html')
    """
    return f"{file_stem(case, taken=(INDEX,))}.html"


def render_index(
    model: FrozenModel, scores: Sequence[Score], elsewhere: Elsewhere | None = None
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
    """A step of the waterfall, on the scale of the score."""

    label: str
    start: float
    end: float
    text: str

    @property
    def up(self) -> bool:
        """Whether it speaks for the positive outcome."""
        return self.end >= self.start


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
    share: float
    beyond: str
    scale: Scale
    marker: float | None
    placed: Placed


def render_patient(
    model: FrozenModel,
    score: Score,
    picture: Overlay | None,
    elsewhere: Elsewhere | None = None,
) -> str:
    """The page, whole in itself; all texts are escaped."""
    bars = waterfall(model, score)
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
            outline=READERS[0],
            picture=picture,
            bars=bars,
            scale=_waterfall_scale(bars, model.cutoff),
            strips=strips(model, score),
            score_scale=(places := _score_scale(model, score)),
            among=_placed(model.scores, places),
            clip=_clip(model),
            linear=model.scorer.linear,
        )
    )


def _placed(distribution: Distribution, scale: Scale) -> Placed:
    sides = (distribution.positive, distribution.negative)
    return Placed(*(tuple(scale.at(q) for q in side) for side in sides))


def _clip(model: FrozenModel) -> str:
    clips = {b.clip for b in model.scorer.branches if b.clip is not None}
    return " or ".join(f"{clip:g}" for clip in sorted(clips))


def labels_of(model: FrozenModel) -> dict[str, str]:
    """Names for people by column name; a covariate is called as its column."""
    known = [f for f in model.features if f is not None]
    named = iter(feature_labels(known))
    return {
        name: name.replace("_", " ") if feature is None else next(named)
        for name, feature in zip(model.scorer.features, model.features, strict=True)
    }


def waterfall(model: FrozenModel, score: Score) -> tuple[Bar, ...]:
    """From the intercept to the score, the largest contributions first; only of linear models."""
    if score.refused or score.score is None or not model.scorer.linear:
        return ()
    labels, at = labels_of(model), model.scorer.intercept()
    bars = [Bar("Intercept", 0.0, at, fixed(at, 2))]
    for part in score.parts[:SHOWN]:
        bars.append(Bar(labels[part.name], at, at + part.contribution, _signed(part.contribution)))
        at += part.contribution
    if rest := score.parts[SHOWN:]:
        label = f"{len(rest)} other features"
        bars.append(Bar(label, at, score.score, _signed(score.score - at)))
    return (*bars, Bar("Score", 0.0, score.score, fixed(score.score, 2)))


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
    largest = max((abs(part.contribution) for part in score.parts), default=1.0) or 1.0
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
                contribution=_signed(part.contribution),
                share=round(part.contribution / largest, 4),
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
    return f"data:image/png;base64,{b64encode(picture.png).decode()}"
