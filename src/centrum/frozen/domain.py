"""What a model was trained on: the distribution of every feature, acquisitions, regions.

A new case is held against it; what lies outside is flagged, never silently scored.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass as plain_dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from centrum.arrays import Flags, Floats
from centrum.frozen.schema import PART, GappyVector, Number, agree
from centrum.io.facts import NUMBERS, Facts
from centrum.measure.acquisition import REGION, TEXTS
from centrum.text import OneLine, counted, sentence_case

if TYPE_CHECKING:
    import pandas as pd

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)

FAR = 1.0
"""A value is far outside when it lies this many training SDs beyond the training range."""

MANY = 0.1
"""Share of the features that may lie outside the training range before it is a warning."""

FEWEST = 3
"""So many features outside are never a warning by their number alone."""

NAMED = 5
"""Features that a flag names before it counts the rest."""

TOLERANCE = 0.05
"""Of an acquisition number beyond the training range, relative to its nearer end."""

REGION_TOLERANCE = 0.25
"""The same of a region's size."""

OUT_OF_RANGE = "features-out-of-range"

UNSEEN = (
    "Check it; if it is right, the score is untested: the model has not learnt from such images."
)
"""What to do where an acquisition is unlike those of the training cases."""

Severity = Literal["refuse", "warning", "note"]


@plain_dataclass(frozen=True)
class Flag:
    """One thing about a new case that its score must be read with.

    Attributes
    ----------
    severity : "refuse" (no score is given), "warning" (look at it before the score) or "note"
    code : short name of the kind
    message : what was found, what the training cases were like, and what to do
    features : names of those that it is about, the farthest outside first
    """

    severity: Severity
    code: str
    message: str
    features: tuple[str, ...] = ()

    def told(self, labels: Mapping[str, str] | None = None) -> str:
        """The message and the first of the features, as `labels` call them.

        >>> Flag("note", "far", "2 features are far.", ("a", "b")).told({"a": "A", "b": "B"})
        '2 features are far. Farthest first: A; B.'
        """
        if not self.features:
            return self.message
        named = [labels[name] if labels else name for name in self.features]
        more = f"; and {len(named) - NAMED} more" if len(named) > NAMED else ""
        text = f"{self.message} Farthest first: {'; '.join(named[:NAMED])}{more}"
        return text if text.endswith(".") else f"{text}."


@dataclass(frozen=True, eq=False, repr=False, config=PART)
class Distribution(OneLine):
    """A number over the training cases: all, and by outcome.

    Attributes
    ----------
    name : of a feature, or "score"
    mean, sd : of all training cases
    positive, negative : (7,) quantiles of the cases of each outcome, at `QUANTILES`; nan where
        not one case of the outcome has a value
    """

    name: str
    mean: Number
    sd: Annotated[Number, Field(ge=0)]
    positive: GappyVector
    negative: GappyVector

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for side in (self.positive, self.negative):
            agree(side.size == len(QUANTILES), f"expected {len(QUANTILES)} quantiles")
            agree(not (np.diff(side) < 0).any(), "quantiles must rise")
        agree(bool(self.lowest <= self.highest), "expected a value of at least one outcome")
        return self

    @property
    def lowest(self) -> float:
        """The smallest training value."""
        return float(np.fmin(self.positive[0], self.negative[0]))

    @property
    def highest(self) -> float:
        """The largest training value."""
        return float(np.fmax(self.positive[-1], self.negative[-1]))

    def beyond(self, value: float) -> float:
        """Training SDs by which a value lies outside the training range; 0 inside.

        >>> q = np.arange(7.0)
        >>> Distribution("volume", 3.0, 2.0, q, q).beyond(10.0)
        2.0
        """
        away = max(self.lowest - value, value - self.highest, 0.0)
        if away == 0:
            return 0.0
        return away / self.sd if self.sd > 0 else float("inf")

    @classmethod
    def of(cls, name: str, values: Floats, positive: Flags) -> Self:
        """Over the training cases (cases,); missing values do not count."""
        sides = (np.nanquantile(values[side], QUANTILES) for side in (positive, ~positive))
        return cls(name, float(np.nanmean(values)), float(np.nanstd(values)), *sides)


@dataclass(frozen=True, config=PART)
class Range:
    """Smallest and largest value of an acquisition or region number in training."""

    lowest: Number
    highest: Number

    def holds(self, value: float, tolerance: float) -> bool:
        """Whether a value lies in the range, widened by a share of its ends."""
        return self.lowest * (1 - tolerance) <= value <= self.highest * (1 + tolerance)


@dataclass(frozen=True, repr=False, config=PART)
class Domain(OneLine):
    """Acquisitions and regions of the training cases.

    Attributes
    ----------
    numbers : name -> range, of the acquisition, for what was known of any training case
    texts : name -> values that occurred
    region : name -> range of the regions' voxels, slices and volume_mm3
    """

    numbers: Mapping[str, Range]
    texts: Mapping[str, tuple[str, ...]]
    region: Mapping[str, Range]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for kind, found, known in (
            ("number", self.numbers, NUMBERS),
            ("region", self.region, REGION),
        ):
            unknown = [name for name in found if name not in known]
            agree(not unknown, f"no {kind} is called {', '.join(unknown)}")
        return self

    def flags(self, facts: Facts, region: Mapping[str, float]) -> tuple[Flag, ...]:
        """What is unlike the training cases."""
        return (*self._modality(facts), *self._acquisition(facts), *self._region(region))

    def _modality(self, facts: Facts) -> Iterator[Flag]:
        known, found = self.texts.get("modality", ("MR",)), facts.get("modality", "MR")
        if found not in known:
            yield Flag(
                "refuse",
                "modality",
                f"The image is {found}; the model was trained on {', '.join(known)}. Intensities "
                f"of another modality mean something else. Give an image of {' or '.join(known)}.",
            )

    def _acquisition(self, facts: Facts) -> Iterator[Flag]:
        for name, limits in self.numbers.items():
            value = facts.get(name)
            if isinstance(value, (int, float)) and not limits.holds(float(value), TOLERANCE):
                yield Flag(
                    "warning",
                    "acquisition",
                    f"{sentence_case(spoken(name))} {value:.4g} {NUMBERS[name]}: training cases "
                    f"had {_span(limits)} {NUMBERS[name]}. {UNSEEN}",
                )
        for name, known in self.texts.items():
            value = facts.get(name)
            if name != "modality" and value is not None and value not in known:
                text = f"{spoken(name)} {value}: training cases had {', '.join(known)}. {UNSEEN}"
                yield Flag("warning", "acquisition", sentence_case(text))
        told_apart = ("modality", "weighting")
        known_here = {*facts, *told_apart}
        unknown = [n for n in (*self.numbers, *self.texts) if n not in known_here]
        if unknown:
            yield Flag(
                "note",
                "acquisition-unknown",
                f"Not known of this image: {', '.join(map(spoken, unknown))}. Whether it was "
                "acquired like the training cases cannot be told. Give what is known: --known "
                f"{unknown[0]}=..., or a column of that name.",
            )

    def _region(self, region: Mapping[str, float]) -> Iterator[Flag]:
        volume, limits = region.get("volume_mm3"), self.region.get("volume_mm3")
        if volume is None or limits is None or limits.holds(volume, REGION_TOLERANCE):
            return
        small = volume < limits.lowest
        yield Flag(
            "warning",
            "region-small" if small else "region-large",
            f"The region has {volume / 1000:.3g} ml; those of the training cases had "
            f"{limits.lowest / 1000:.3g} to {limits.highest / 1000:.3g} ml. Check that "
            f"{'the whole' if small else 'only one'} vertebra was drawn, as in training.",
        )

    @classmethod
    def of(cls, facts: Sequence[Facts], regions: Sequence[Mapping[str, float]]) -> Self:
        """Of the training cases."""
        numbers, texts = _ranges(facts, NUMBERS), dict[str, tuple[str, ...]]()
        for name in sorted({n for row in facts for n in row} - numbers.keys()):
            texts[name] = tuple(sorted({str(row[name]) for row in facts if name in row}))
        return cls(numbers, texts, _ranges(regions, REGION))

    @classmethod
    def of_frame(cls, acquisition: "pd.DataFrame") -> Self:
        """Of cases with a row each, as `extract` leaves them; nan is not known."""
        rows: list[dict[str, Any]] = [
            {str(n): v for n, v in row.items() if v == v} for row in acquisition.to_dict("records")
        ]
        facts: list[Facts] = [{n: row[n] for n in (*NUMBERS, *TEXTS) if n in row} for row in rows]
        return cls.of(facts, rows)


def feature_flags(distributions: Sequence[Distribution], values: Floats) -> tuple[Flag, ...]:
    """What the features (features,) of a case say: which lie outside the training range."""
    beyond = [d.beyond(v) if v == v else 0.0 for d, v in zip(distributions, values, strict=True)]
    pairs = zip(beyond, (d.name for d in distributions), strict=True)
    outside = sorted([pair for pair in pairs if pair[0] > 0], reverse=True)
    if not outside:
        return ()
    far = sum(b > FAR for b, _ in outside)
    many = len(outside) > max(FEWEST, MANY * len(distributions))
    text = (
        f"{len(outside)} of {counted(len(distributions), 'feature')} outside the training range"
        f"{f', {far} of them by more than {FAR:g} SD' if far else ''}. Look at the region on every "
        "slice, and for artefacts"
    )
    names = tuple(name for _, name in outside)
    if not (far or many):
        return (Flag("note", OUT_OF_RANGE, f"{text}; so few, by so little, is no warning.", names),)
    unlike = "if both are right, the case is unlike those that the model learnt from"
    return (Flag("warning", OUT_OF_RANGE, f"{text}; {unlike}, and its score a guess.", names),)


def spoken(name: str) -> str:
    """A fact's name for people.

    >>> spoken("repetition_time_ms"), spoken("field_strength_t")
    ('repetition time', 'field strength')
    """
    unit = {"ms": "_ms", "mm": "_mm", "T": "_t"}.get(NUMBERS.get(name, ""), "")
    return name.removesuffix(unit).replace("_", " ")


def _span(limits: Range) -> str:
    if limits.lowest == limits.highest:
        return f"{limits.lowest:.4g}"
    return f"{limits.lowest:.4g} to {limits.highest:.4g}"


def _ranges(rows: Sequence[Mapping[str, Any]], names: Sequence[str] | Mapping) -> dict[str, Range]:
    found = {name: [float(row[name]) for row in rows if name in row] for name in names}
    return {name: Range(min(v), max(v)) for name, v in found.items() if v}
