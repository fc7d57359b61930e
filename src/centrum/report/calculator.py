"""What the calculator of a nomogram reads, on the page of a study and on that of a patient."""

import math
from collections.abc import Mapping
from typing import Any

from centrum.cohort.case import Value
from centrum.cohort.numbers import parse_number
from centrum.modelling.nomogram import MOST, Axis, Nomogram, TextAxis
from centrum.report.labels import heading
from centrum.text import spelled


def labels_of(found: Nomogram) -> dict[str, str]:
    """Variable -> what its axis is called."""
    return {axis.variable: heading(axis.variable) for axis in found.axes}


def known_of(found: Nomogram, score: float, known: Mapping[str, Value]) -> dict[str, float | str]:
    """What is known of a case, by axis: its score, and of the columns what has a place there.

    A text that no training case had has none.
    """
    *clinical, last = found.axes
    values = {axis.variable: _placed(axis, known.get(axis.variable)) for axis in clinical}
    return {name: value for name, value in values.items() if value is not None} | {
        last.variable: score
    }


def _placed(axis: Axis, value: Value | None) -> float | str | None:
    text = spelled(value) if value is not None else ""
    if isinstance(axis, TextAxis):
        return text if text in axis.levels else None
    number = parse_number(text)
    return number if number is not None and math.isfinite(number) else None


def calculator(
    found: Nomogram,
    positive: str,
    prevalence: float | None,
    known: Mapping[str, float | str] | None = None,
) -> dict[str, Any]:
    """What the page's calculator reads, JSON-ready; numbers are given in full.

    Without a stated prevalence it begins at that of the training cases. Of a case it begins with
    what is `known` of it, and with empty fields for the rest; else with the usual values.
    """
    labels = labels_of(found)
    return {
        "positive": positive,
        "intercept": found.intercept,
        "share": found.share,
        "prevalence": found.share if prevalence is None else prevalence,
        "stated": prevalence is not None,
        "digits": found.digits,
        "most": MOST,
        "axes": [
            _axis(axis, labels[axis.variable])
            | {"begins": axis.usual if known is None else known.get(axis.variable)}
            for axis in found.axes
        ],
    }


def _axis(axis: Axis, label: str) -> dict[str, Any]:
    told = {"label": label, "effects": list(axis.effects)}
    if isinstance(axis, TextAxis):
        return told | {"levels": list(axis.levels)}
    return told | {"ticks": list(axis.ticks), "per_unit": axis.per_unit}
