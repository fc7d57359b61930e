"""How many cases two or more readers have to read to know their agreement.

Source: Bonett, Stat Med 2002;21:1331-1335.
"""

from math import ceil

from scipy.stats import norm

from centrum.errors import DataError

HIGH = 0.7
"""Two readers of an ICC from here on need 5 ICC cases more than the approximation gives."""


def cases_for_icc(icc: float, readers: int, width: float, confidence: float = 0.95) -> int:
    """Cases that all readers read, for a confidence interval of the ICC of this width.

    Parameters
    ----------
    icc : that is expected
    readers : of every case
    width : from limit to limit

    Raises
    ------
    DataError
        A number is out of its range.

    >>> cases_for_icc(0.8, readers=2, width=0.2), cases_for_icc(0.8, readers=3, width=0.2)
    (55, 36)
    """
    for name, value in (("ICC", icc), ("width", width), ("confidence", confidence)):
        if not 0 < value < 1:
            raise DataError(f"The {name} must lie between 0 and 1, found {value:g}.")
    if readers < 2:
        raise DataError(f"Agreement is between 2 readers or more, found {readers}.")
    z = norm.ppf((1 + confidence) / 2)
    spread = (1 - icc) * (1 + (readers - 1) * icc) / width
    n = 8 * z**2 * spread**2 / (readers * (readers - 1)) + 1
    return ceil(n + 5 * icc if readers == 2 and icc >= HIGH else n)
