"""Units of measurement as they stand in the heads of tables."""

YEARS = frozenset(
    {"year", "years", "yr", "yrs", "y", "a", "jahr", "jahre", "jahren", "j", "ans", "an", "años"}
    | {"anni", "anos", "岁", "歲", "年"}
)
"""What says that an age is in years."""

_UNITS = YEARS | {
    *("months", "month", "mo", "monate", "mois", "meses", "weeks", "wochen", "days", "d", "tage"),
    *("mm", "mm2", "mm²", "mm^2", "mm3", "mm³", "mm^3", "cm", "cm2", "cm²", "cm3", "cm³", "m"),
    *("ml", "l", "cc", "kg", "g", "mg", "kg/m2", "kg/m²", "%", "‰", "°", "deg", "rad", "a.u."),
    *("au", "hu", "ms", "s", "sec", "min", "h", "t", "tesla", "hz", "khz", "mhz", "hz/px"),
    *("ng/ml", "µg/l", "ug/l", "mg/dl", "g/dl", "g/l", "u/l", "mmol/l", "µmol/l", "1/mm", "px"),
    *("pixel", "pixels", "voxel", "voxels", "points"),
}


def is_unit(text: str) -> bool:
    """Whether a text is a unit.

    >>> is_unit("mm"), is_unit("kg/m²"), is_unit("good")
    (True, True, False)
    """
    return text.strip().casefold() in _UNITS
