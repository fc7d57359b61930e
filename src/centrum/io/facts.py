"""Facts of an acquisition as people and programs write them, in units that are always the same.

A fact is optional: one that cannot be read is left out, and a note says why.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from centrum.text import one_line

Facts = dict[str, float | str]

NUMBERS = {
    "field_strength_t": "T",
    "repetition_time_ms": "ms",
    "echo_time_ms": "ms",
    "inversion_time_ms": "ms",
    "slice_thickness_mm": "mm",
    "pixel_mm": "mm",
    "slice_step_mm": "mm",
}
"""Facts that are numbers, with their units; the last two are those of the grid."""

OTHER_NAMES = {
    "tr_ms": "repetition_time_ms",
    "te_ms": "echo_time_ms",
    "ti_ms": "inversion_time_ms",
    "thickness_mm": "slice_thickness_mm",
    "field_strength": "field_strength_t",
    "vendor": "manufacturer",
}
"""What columns of a manifest are also called."""

LARGEST = {
    "field_strength_t": 25.0,
    "repetition_time_ms": 30_000.0,
    "echo_time_ms": 1_000.0,
    "inversion_time_ms": 15_000.0,
    "slice_thickness_mm": 100.0,
    "pixel_mm": 100.0,
    "slice_step_mm": 100.0,
}
"""No scanner for people goes beyond: a larger number is in another unit than it seems."""

_UNITS = {
    "T": {"t": 1.0, "tesla": 1.0, "mt": 1e-3, "g": 1e-4, "gauss": 1e-4},
    "ms": {
        "ms": 1.0, "msec": 1.0, "msecs": 1.0, "millisecond": 1.0, "milliseconds": 1.0,
        "s": 1e3, "sec": 1e3, "secs": 1e3, "second": 1e3, "seconds": 1e3, "us": 1e-3, "µs": 1e-3,
    },
    "mm": {"mm": 1.0, "millimetre": 1.0, "millimetres": 1.0, "millimeter": 1.0,
           "millimeters": 1.0, "cm": 10.0, "m": 1e3, "um": 1e-3, "µm": 1e-3},
}  # fmt: skip
"""What a unit is in that of the fact, spelled without regard to case."""

_SHOWN = 4
"""Values of a fact that a note lists."""

_WRITTEN = re.compile(r"([+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?)\s*([^\W\d].*)?")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")


def fact_of(column: str) -> str:
    """The fact that a column of a manifest tells by its name, or the name itself.

    >>> fact_of("TR_ms"), fact_of("tumour")
    ('repetition_time_ms', 'tumour')
    """
    return OTHER_NAMES.get(column.casefold(), column.casefold())


class Unread(ValueError):
    """Why a fact cannot be read, the end of a sentence that names it."""


@dataclass
class AcquisitionFacts:
    """Facts that could be read, and a note for each that could not, or only by a rule."""

    facts: Facts = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_facts(
    given: Mapping[str, Any], bare: Mapping[str, str] = {}, called: Mapping[str, str] = {}
) -> AcquisitionFacts:
    """Facts by name as they were found: numbers, text, or lists of one value.

    Parameters
    ----------
    given : what was found; None and empty text are no facts
    bare : units of numbers that are written without one, where they are not those of `NUMBERS`.
        A number that is beyond `LARGEST` in it, but not in that of `NUMBERS`, is in the latter
    called : what a note calls a fact, where its source has another name for it

    >>> found = read_facts({"field_strength_t": "1.5 T", "echo_time_ms": [20, 100]})
    >>> found.facts, found.notes
    ({'field_strength_t': 1.5}, ['echo_time_ms has several values, [20, 100], and is left out.'])
    >>> read_facts({"echo_time_ms": 0.1}, {"echo_time_ms": "s"}).facts
    {'echo_time_ms': 100.0}
    """
    found = AcquisitionFacts()
    for name, value in given.items():
        title = called.get(name, name)
        try:
            known = _read(name, value, bare.get(name, ""), title, found.notes)
        except Unread as why:
            found.notes.append(f"{title} {why}, and is left out.")
        else:
            if known is not None:
                found.facts[name] = known
    return found


def _read(name: str, value: Any, bare: str, title: str, notes: list[str]) -> float | str | None:
    if name not in NUMBERS:
        return _words(value)
    one, unit = _single(value), NUMBERS[name]
    if one is None or one == "":
        return None
    number, written = _number_and_unit(one, unit)
    if number == 0:
        return None  # what scanners write where a fact does not apply
    if number < 0:
        raise Unread(f"is negative, {one!r}")
    scale = _UNITS[unit][written or (bare or unit).casefold()]
    if not written and bare and number * scale > LARGEST[name] >= number:
        notes.append(f"{title} is {number:g}, which cannot be {bare}: taken as {unit}.")
        scale = 1.0
    if number * scale > LARGEST[name]:
        raise Unread(f"is {one!r}, more than {LARGEST[name]:g} {unit}")
    return number * scale


def _words(value: Any) -> str | None:
    """Text; several words as DICOM writes them, with a backslash between."""
    several = value if isinstance(value, list) else [value]
    words = [one_line(str(each)) for each in map(_single, several) if each is not None]
    return "\\".join(words) or None


def _single(value: Any) -> Any:
    """The one value of a list, and of the value in JSON of DICOM, which is a dict."""
    if isinstance(value, Mapping) and {str(key).casefold() for key in value} <= {"vr", "value"}:
        value = next((v for key, v in value.items() if str(key).casefold() == "value"), None)
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        if any(each != value[0] for each in value[1:]):
            shown = ", ".join(map(repr, value[:_SHOWN]))
            raise Unread(f"has several values, [{shown}{', ...' * (len(value) > _SHOWN)}]")
        value = value[0] if value else None
    if value is not None and not isinstance(value, (str, int, float)):
        raise Unread(f"is no number and no text, {value!r}")
    return value.strip() if isinstance(value, str) else value


def _number_and_unit(value: Any, unit: str) -> tuple[float, str]:
    """A number and the unit that is written behind it, "" where none is.

    >>> _number_and_unit("2,5", "ms"), _number_and_unit("3000 ms", "ms")
    ((2.5, ''), (3000.0, 'ms'))
    """
    text = str(value)
    if isinstance(value, bool) or text.casefold() in ("true", "false"):
        raise Unread(f"is no number, {value!r}")
    match = _WRITTEN.fullmatch(text)
    if match is None:
        raise Unread(f"is no number, {value!r}")
    if _THOUSANDS.fullmatch(match[1]):
        raise Unread(f"may have a decimal comma or a comma of thousands, {value!r}")
    written = (match[2] or "").strip().casefold().replace("μ", "µ")
    if written and written not in _UNITS[unit]:
        raise Unread(f"has a unit that is not known, {value!r}")
    return float(match[1].replace(",", ".")), written
