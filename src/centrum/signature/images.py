"""Which images a published table was measured on, in the order of the table."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import comb

from centrum.errors import SignatureError
from centrum.filters import Filter
from centrum.filters.pyradiomics_gradient import GradientMagnitude
from centrum.filters.pyradiomics_lbp2d import LocalBinaryPattern2D
from centrum.filters.pyradiomics_lbp3d import LocalBinaryPattern3D
from centrum.filters.pyradiomics_log import RecursiveLaplacian
from centrum.filters.pyradiomics_pointwise import Exponential, Logarithm, Square, SquareRoot
from centrum.filters.pyradiomics_wavelet import PeriodicWavelet

ORIGINAL = "original"

FILTERS: dict[str, Callable[[], Filter]] = {
    "wavelet": PeriodicWavelet,
    "wavelet2d": lambda: PeriodicWavelet(dimension="2D"),
    "square": Square,
    "squareroot": SquareRoot,
    "logarithm": Logarithm,
    "exponential": Exponential,
    "gradient": GradientMagnitude,
    "lbp2d": LocalBinaryPattern2D,
    "lbp3d": LocalBinaryPattern3D,
}
"""Types of images that have no settings here: PyRadiomics' defaults."""

LOG = "log:"

MOST_BINDINGS = 10_000
"""Ways of putting known sigmas in for unknown ones that are tried."""

_LOGS = re.compile(r"log\(([1-9]\d?)\)")
_UNKNOWN_LOG = re.compile(r"log-sigma-\?\d+-mm-3D")
_LOG_NAME = re.compile(r"log-sigma-(\d+)(?:-(\d+))?-mm-3D")


@dataclass(frozen=True)
class ImageTypes:
    """Types of images, in the order in which a table lists them.

    Attributes
    ----------
    parts : "original", "log:1,2,3" (sigmas in mm), "log(2)" (two LoG images whose sigmas are not
        known) and the keys of `FILTERS`

    Raises
    ------
    SignatureError
        An unknown part, one that is there twice, or a sigma that is not a positive number.

    >>> ImageTypes(("original", "log:1,2.5")).names
    ('original', 'log-sigma-1-0-mm-3D', 'log-sigma-2-5-mm-3D')
    """

    parts: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(set(self.names)) != len(self.names) or not self.names:
            raise SignatureError(
                f"The image types {str(self)!r} name an image twice, or none. Each is named once, "
                "such as original+log:1,2+wavelet."
            )

    @classmethod
    def parse(cls, text: str) -> "ImageTypes":
        """From a text such as "original+log:1,2,3+wavelet"; spaces and case do not matter.

        >>> str(ImageTypes.parse("Original + LoG:3.0,5 + Wavelet"))
        'original+log:3,5+wavelet'
        """
        parts = "".join(text.split()).lower().split("+")
        return cls(tuple(_tidy(part) for part in parts))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the images, as they stand in the names of features."""
        return tuple(name for part in self.parts for name in _names(part))

    @property
    def unknown(self) -> bool:
        """Whether sigmas are not known."""
        return any(_UNKNOWN_LOG.match(name) for name in self.names)

    def __str__(self) -> str:
        return "+".join(self.parts)


def unknown_logs(n: int) -> str:
    """The part for `n` LoG images whose sigmas are not known.

    >>> ImageTypes((unknown_logs(2),)).names
    ('log-sigma-?1-mm-3D', 'log-sigma-?2-mm-3D')
    """
    return f"log({n})"


def bindings(names: Sequence[str], logs: Sequence[str]) -> list[tuple[str, ...]]:
    """Names of features with LoG images put in for those of unknown sigma.

    Sigmas are taken to rise. Where `logs` are too few the names stay as they are.

    Parameters
    ----------
    names : full names of features
    logs : names of LoG images in the order of their sigmas

    Raises
    ------
    SignatureError
        There are more than `MOST_BINDINGS`.

    >>> logs = ("log-sigma-1-0-mm-3D", "log-sigma-3-0-mm-3D")
    >>> bindings(["log-sigma-?2-mm-3D_glcm_Id", "original_glcm_Id"], logs)
    [('log-sigma-1-0-mm-3D_glcm_Id', 'original_glcm_Id'),
     ('log-sigma-3-0-mm-3D_glcm_Id', 'original_glcm_Id')]
    """
    found = {m[0] for name in names if (m := _UNKNOWN_LOG.match(name))}
    unknown = sorted(found, key=lambda name: (len(name), name))
    if len(unknown) > len(logs):
        return [tuple(names)]
    if comb(len(logs), len(unknown)) > MOST_BINDINGS:
        raise SignatureError(
            f"{len(unknown)} LoG images whose sigmas are not known may be any of {len(logs)} in "
            "the table: too many to try.",
            remedy="Write the sigmas into the signature's `images`, such as log:1,2.5.",
        )
    choices = (dict(zip(unknown, c, strict=True)) for c in combinations(logs, len(unknown)))
    return [tuple(_replaced(name, chosen) for name in names) for chosen in choices]


def logs_of(columns: Sequence[str]) -> tuple[str, ...]:
    """LoG images that columns are of, by their sigma.

    >>> logs_of(["log-sigma-10-0-mm-3D_glcm_Id", "log-sigma-2-5-mm-3D_glcm_Id", "age"])
    ('log-sigma-2-5-mm-3D', 'log-sigma-10-0-mm-3D')
    """
    found = {m[0]: _sigma(m) for column in columns if (m := _LOG_NAME.match(column))}
    return tuple(sorted(found, key=found.__getitem__))


def same_sigma(name: str) -> str:
    """A name in which sigma is spelled as a decimal number, as PyRadiomics spells 3.0.

    >>> same_sigma("log-sigma-3-mm-3D_glcm_Id")
    'log-sigma-3-0-mm-3D_glcm_Id'
    """
    return _LOG_NAME.sub(lambda m: _log_name(_sigma(m)), name)


def _names(part: str) -> tuple[str, ...]:
    if part == ORIGINAL:
        return (ORIGINAL,)
    if part.startswith(LOG):
        return tuple(_log_name(sigma) for sigma in _sigmas(part))
    if match := _LOGS.fullmatch(part):
        return tuple(f"log-sigma-?{k}-mm-3D" for k in range(1, int(match[1]) + 1))
    if part not in FILTERS:
        raise SignatureError(
            f"Unknown image type {part!r}. Must be one of {ORIGINAL}, log:1,2 (sigmas in mm), "
            f"log(2) (two sigmas that are not known), {', '.join(FILTERS)}."
        )
    return FILTERS[part]().names


def _sigmas(part: str) -> tuple[float, ...]:
    try:
        sigmas = tuple(float(sigma) for sigma in part.removeprefix(LOG).split(","))
    except ValueError:
        sigmas = (0.0,)
    if not all(0 < sigma < float("inf") for sigma in sigmas):
        raise SignatureError(
            f"The sigmas of {part!r} must be positive numbers in mm, such as log:1,2.5; two that "
            "are not known are log(2)."
        )
    return sigmas


def _tidy(part: str) -> str:
    """The part with each sigma written in the shortest way."""
    if not part.startswith(LOG):
        return part
    return LOG + ",".join(f"{sigma:g}" for sigma in _sigmas(part))


def _log_name(sigma: float) -> str:
    (name,) = RecursiveLaplacian(sigma=(float(sigma),)).names
    return name


def _sigma(match: re.Match[str]) -> float:
    return float(f"{match[1]}.{match[2] or 0}")


def _replaced(name: str, chosen: dict[str, str]) -> str:
    image, rest = name.split("_", 1)
    return f"{chosen.get(image, image)}_{rest}"
