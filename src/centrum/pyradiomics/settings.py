"""Every setting that PyRadiomics documents, once: name, default, what is allowed, what it does.

Parameter files and the defaults of the extractor are read off this table, and so is the table
in the documentation.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

from centrum.prepare.discretise import MAX_LEVELS
from centrum.pyradiomics.errors import ParameterError, ParameterTypeError

Block = Literal["setting", "voxelSetting"]
"""Where a parameter file has it; settings of an image type are those of "setting"."""

Settings = Mapping[str, Any]
"""Settings of an extraction by name."""

Check = Callable[[str, Any], None]
"""Raises `ParameterError` for a (name, value) that is not allowed."""

ABSENT = object()
"""Default of a setting that is not in `settings` unless it is given."""


MOST_SHOWN = 60
"""Characters of a wrong value that a message shows."""


def shown(value: Any) -> str:
    """A value as a message shows it: the beginning of a long one.

    >>> shown(-1), shown("x" * 100)[-6:]
    ('-1', 'xxx...')
    """
    text = repr(value) if not isinstance(value, int) or abs(value) < 2**64 else "a huge integer"
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."


def _number(kind: str, value: Any) -> float | None:
    """The number in `value` as a parameter file of PyRadiomics may write it, else None."""
    if isinstance(value, bool):
        return None
    if kind == "integer":
        return value if isinstance(value, int) else None
    try:
        return float(value) if isinstance(value, int | float | str) else None
    except (ValueError, OverflowError):
        return None


LARGEST = 1e12
"""Numbers beyond this, on either side of 0, are slips of the pen."""


@dataclass(frozen=True)
class Number:
    """An integer or a number within [minimum, maximum], or above `above`; none is `LARGEST`."""

    kind: Literal["integer", "number"]
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None

    def __str__(self) -> str:
        if self.minimum is not None and self.maximum is not None:
            return f"{self.kind}, {self.minimum:g} to {self.maximum:g}"
        if self.above is not None:
            most = "" if self.maximum is None else f", <= {self.maximum:g}"
            return f"{self.kind} > {self.above:g}{most}"
        return f"{self.kind} >= {self.minimum:g}" if self.minimum is not None else self.kind

    def __call__(self, name: str, value: Any) -> None:
        number = _number(self.kind, value)
        if number is None or self._outside(number):
            raise ParameterError(f"{name}: expected {self._article} {self}, found {shown(value)}.")

    @property
    def _article(self) -> str:
        return "an" if self.kind == "integer" else "a"

    def _outside(self, number: float) -> bool:
        return (
            not abs(number) <= LARGEST  # or NaN
            or (self.minimum is not None and number < self.minimum)
            or (self.maximum is not None and number > self.maximum)
            or (self.above is not None and number <= self.above)
        )


@dataclass(frozen=True)
class NumberOrNaN:
    """A number that may be NaN or infinite."""

    def __str__(self) -> str:
        return "number or nan"

    def __call__(self, name: str, value: Any) -> None:
        if _number("number", value) is None:
            raise ParameterError(f"{name}: expected a {self}, found {shown(value)}.")


@dataclass(frozen=True)
class ListOf:
    """A list of numbers; `gaps`: an empty place is allowed."""

    item: Number
    gaps: bool = False

    def __str__(self) -> str:
        return f"list of: {self.item}"

    def __call__(self, name: str, value: Any) -> None:
        if not isinstance(value, list | tuple):
            raise ParameterError(f"{name}: expected a {self}, found {shown(value)}.")
        for k, item in enumerate(value):
            if item is not None or not self.gaps:
                self.item(f"{name}[{k}]", item)


@dataclass(frozen=True)
class BooleanSetting:
    """true or false."""

    def __str__(self) -> str:
        return "true or false"

    def __call__(self, name: str, value: Any) -> None:
        if not isinstance(value, bool):
            raise ParameterError(f"{name}: expected {self}, found {shown(value)}.")


@dataclass(frozen=True)
class OneOf:
    """One of some words, or of the integers from 1 to `numbers`."""

    words: tuple[str, ...]
    numbers: int = 0
    wrong_kind: type[ParameterError] = ParameterTypeError

    def __str__(self) -> str:
        words = ", ".join(self.words)
        return f"{words}, or 1 to {self.numbers}" if self.numbers else words

    def __call__(self, name: str, value: Any) -> None:
        if isinstance(value, str):
            allowed, error = value in self.words, ParameterError
        elif self.numbers and isinstance(value, int) and not isinstance(value, bool):
            allowed, error = 1 <= value <= self.numbers, ParameterError
        else:
            allowed, error = False, self.wrong_kind
        if not allowed:
            raise error(f"{name}: expected one of {self}, found {shown(value)}.")


@dataclass(frozen=True)
class WaveletName:
    """A wavelet of PyWavelets."""

    def __str__(self) -> str:
        return "name of a wavelet of PyWavelets, such as coif1"

    def __call__(self, name: str, value: Any) -> None:
        from pywt import wavelist

        if not isinstance(value, str):
            raise ParameterTypeError(f"{name}: expected a {self}, found {shown(value)}.")
        if value not in wavelist():
            raise ParameterError(f"{name}: expected a {self}, found {shown(value)}.")


@dataclass(frozen=True)
class Setting:
    """One setting.

    Attributes
    ----------
    default : in the extractor's `settings`; ABSENT where PyRadiomics leaves it out
    check : what is allowed; an empty value (None) is allowed for all but `wavelet`
    effect : what it does here; names what PyRadiomics does otherwise
    implied : what an absent setting means
    """

    name: str
    default: Any
    check: Check
    effect: str
    implied: Any = None
    block: Block = "setting"
    nullable: bool = True

    def validate(self, value: Any) -> None:
        if value is None and self.nullable:
            return
        self.check(self.name, value)


INTERPOLATORS = (
    "sitkNearestNeighbor",
    "sitkLinear",
    "sitkBSpline",
    "sitkGaussian",
    "sitkLabelGaussian",
    "sitkHammingWindowedSinc",
    "sitkCosineWindowedSinc",
    "sitkWelchWindowedSinc",
    "sitkLanczosWindowedSinc",
    "sitkBlackmanWindowedSinc",
)
"""Names in the order of the numbers 1 to 10 that PyRadiomics documents for them."""

WEIGHTINGS = ("euclidean", "manhattan", "infinity", "no_weighting")
RESEGMENT_MODES = ("absolute", "relative", "sigma")
LBP_METHODS = ("default", "ror", "uniform", "var")

LARGEST_DISTANCE = 64
"""Voxels between neighbours; the work grows with the third power, and no vertebra is as large."""

MOST_WAVELET_LEVELS = 16
"""Kernels double in length with each level."""

_FLAG = BooleanSetting()
_NEAR = Number("integer", 1, LARGEST_DISTANCE)
_RADIUS = Number("number", above=0, maximum=LARGEST_DISTANCE)
_BINS = Number("integer", 1, MAX_LEVELS)
_LEVELS = Number("integer", 1, MOST_WAVELET_LEVELS)
_PASSES = Number("integer", 0, MOST_WAVELET_LEVELS)
_DIVISIONS = Number("integer", 0, 5)
_SPACING = ListOf(Number("number", minimum=0), gaps=True)
_POSITIVE = Number("number", above=0)
_COUNT = Number("integer", above=0)
_NATURAL = Number("integer", minimum=0)

TABLE = (
    Setting("minimumROIDimensions", 2, Number("integer", 1, 3), "axes along which the region must "
            "have more than one voxel, else ValueError; one voxel is always refused", 2),
    Setting("minimumROISize", None, _COUNT, "regions of up to this many voxels: ValueError"),
    Setting("geometryTolerance", ABSENT, _POSITIVE, "largest difference of origin and spacing in "
            "parts of the first spacing, and of direction cosines; nothing global is changed"),
    Setting("correctMask", ABSENT, _FLAG, "bring a mask on another grid to the image's by nearest "
            "neighbour instead of ValueError", False),
    Setting("additionalInfo", True, _FLAG, "report diagnostics_* entries", False),
    Setting("label", 1, _COUNT, "value of the region in the mask", 1),
    Setting("label_channel", ABSENT, _NATURAL, "channel of a mask with several", 0),
    Setting("binWidth", ABSENT, _POSITIVE, "bins of this width, edges at its multiples", 25),
    Setting("binCount", ABSENT, _BINS, "this many bins from minimum to maximum instead"),
    Setting("normalize", False, _FLAG, "z-score of the whole image (SD with n - 1)", False),
    Setting("normalizeScale", 1, _POSITIVE, "factor after normalize", 1),
    Setting("removeOutliers", None, _POSITIVE, "clip z-scores of normalize to +- this"),
    Setting("resampledPixelSpacing", None, _SPACING, "mm along x, y, z to resample to; 0 keeps "
            "that of the mask"),
    Setting("interpolator", "sitkBSpline", OneOf(INTERPOLATORS, numbers=10), "of the image when "
            "resampled, by name, documented number or SimpleITK constant; None: no resampling"),
    Setting("padDistance", 5, Number("integer", 0, 10_000), "voxels kept around the region by "
            "resampling, preCrop", 5),
    Setting("distances", [1], ListOf(_NEAR), "of neighbours in voxels, infinity norm; in glcm, "
            "gldm and ngtdm", [1]),
    Setting("force2D", False, _FLAG, "textures within slices; needed for shape2D of a 3-D image",
            False),
    Setting("force2Ddimension", 0, Number("integer", 0, 2), "across slices: 0 = z, 1 = y, 2 = x; "
            "of a 2-D image 0 = y, 1 = x, 2 = none", 0),
    Setting("resegmentRange", None, ListOf(Number("number")), "one or two thresholds of the "
            "intensities that stay in the region"),
    Setting("resegmentMode", ABSENT, OneOf(RESEGMENT_MODES, wrong_kind=ParameterError),
            "thresholds as they are, in parts of the maximum, or in SD from the mean",
            "absolute"),
    Setting("resegmentShape", ABSENT, _FLAG, "shape of the re-segmented region", False),
    Setting("preCrop", False, _FLAG, "crop to the region and padDistance before all else", False),
    Setting("sigma", ABSENT, ListOf(Number("number", maximum=100, above=0)), "LoG: scales in mm; "
            "none: no images"),
    Setting("start_level", ABSENT, _PASSES, "Wavelet: low passes before the first level", 0),
    Setting("level", ABSENT, _LEVELS, "Wavelet: how many levels", 1),
    Setting("wavelet", ABSENT, WaveletName(), "Wavelet: which; a discrete one", "coif1",
            nullable=False),
    Setting("gradientUseSpacing", ABSENT, _FLAG, "Gradient: per mm, else per voxel", True),
    Setting("lbp2DRadius", ABSENT, _RADIUS, "LBP2D: voxels to the samples", 1),
    Setting("lbp2DSamples", ABSENT, Number("integer", 1, 30), "LBP2D: samples on the circle "
            "(PyRadiomics documents 9 and takes 8)", 8),
    Setting("lbp2DMethod", ABSENT, OneOf(LBP_METHODS, wrong_kind=ParameterError), "LBP2D: what "
            "is made of the pattern", "uniform"),
    Setting("lbp3DLevels", ABSENT, Number("integer", 1, 32), "LBP3D: degrees of the spherical "
            "harmonics, an image each", 2),
    Setting("lbp3DIcosphereRadius", ABSENT, _RADIUS, "LBP3D: voxels to the samples", 1),
    Setting("lbp3DIcosphereSubdivision", ABSENT, _DIVISIONS, "LBP3D: how often the icosahedron of "
            "the samples is subdivided", 1),
    Setting("voxelArrayShift", ABSENT, Number("integer"), "added to intensities in Energy, "
            "TotalEnergy and RootMeanSquared", 0),
    Setting("symmetricalGLCM", ABSENT, _FLAG, "count each pair of glcm both ways", True),
    Setting("weightingNorm", ABSENT, OneOf(WEIGHTINGS), "weigh the directions of glcm and glrlm "
            "by their length and merge them; None: mean over directions"),
    Setting("gldm_a", ABSENT, _NATURAL, "largest difference of dependent grey levels", 0),
    Setting("kernelRadius", ABSENT, _NEAR, "voxels around the centre of a neighbourhood", 1,
            "voxelSetting"),
    Setting("maskedKernel", ABSENT, _FLAG, "neighbourhoods hold voxels of the region only", True,
            "voxelSetting"),
    Setting("initValue", ABSENT, NumberOrNaN(), "value of maps outside the region", 0,
            "voxelSetting"),
    Setting("voxelBatch", ABSENT, _COUNT, "neighbourhoods between two reports of progress; "
            "results do not depend on it", -1, "voxelSetting"),
)  # fmt: skip

BY_NAME = {setting.name: setting for setting in TABLE}

NO_MEANING = {
    "enableCExtensions": "there are no C extensions to switch off; it was dropped in PyRadiomics 3",
}
"""Settings of older versions: taken as a keyword and without effect, refused in a file."""


def defaults() -> dict[str, Any]:
    """What the extractor's `settings` holds at the start.

    >>> defaults()["interpolator"], "binWidth" in defaults()
    ('sitkBSpline', False)
    """
    return {
        s.name: list(s.default) if isinstance(s.default, list) else s.default
        for s in TABLE
        if s.default is not ABSENT
    }


def read(settings: Settings, name: str) -> Any:
    """The value of a setting, or what its absence (or emptiness) means.

    >>> read({}, "binWidth"), read({"binWidth": 5}, "binWidth")
    (25, 5)
    """
    value = settings.get(name)
    return BY_NAME[name].implied if value is None else value


def setting_from_text(text: str) -> tuple[str, Any]:
    """A setting written as NAME:VALUE; commas lie between the values of a list.

    >>> setting_from_text("distances:1,2"), setting_from_text("force2D:true")
    (('distances', [1, 2]), ('force2D', True))

    Raises
    ------
    ParameterError
        There is no colon, no setting of that name, or its value is not allowed.
    """
    name, colon, value = text.partition(":")
    if not colon or name not in BY_NAME:
        near = get_close_matches(name, BY_NAME, 1, 0.4)
        hint = f", such as {near[0]}:VALUE" if near else ""
        raise ParameterError(f"Expected a setting as NAME:VALUE{hint}, found {shown(text)}.")
    chosen = BY_NAME[name]
    made = _from_text(chosen.check, value)
    chosen.validate(made)
    return name, made


_FLAGS = {"true": True, "1": True, "false": False, "0": False}


def _from_text(check: Check, text: str) -> Any:
    """What a text stands for; the text itself if it is not of the kind that is wanted."""
    if isinstance(check, ListOf):
        return [_from_text(check.item, part) for part in text.split(",")]
    if isinstance(check, BooleanSetting):
        return _FLAGS.get(text.lower(), text)
    whole = isinstance(check, OneOf) or getattr(check, "kind", "") == "integer"
    try:
        return (int if whole else float)(text) if text else None
    except ValueError:
        return text


def axis_left_out(settings: Settings, dimension: int) -> int | None:
    """Array axis (z, y, x) along which `force2D` takes no neighbours; None without it.

    PyRadiomics counts the axes of the image as given: in one of two dimensions, which is [y, x],
    the first is y, and neighbours remain along x alone.

    >>> axis_left_out({"force2D": True}, 3), axis_left_out({"force2D": True}, 2)
    (0, 1)
    """
    axis = int(read(settings, "force2Ddimension")) + 3 - dimension
    return axis if read(settings, "force2D") and axis < 3 else None


def names(block: Block) -> Iterable[str]:
    """Settings that may stand in that block of a parameter file."""
    return (s.name for s in TABLE if s.block == block)
