"""Words for every filter, with its parameters, and labels of the images that it makes."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from centrum.filters import FILTERS, Filter
from centrum.filters.gabor import Gabor
from centrum.filters.laws import Laws
from centrum.filters.log import LaplacianOfGaussian
from centrum.filters.pyradiomics_gradient import GradientMagnitude
from centrum.filters.pyradiomics_lbp2d import LocalBinaryPattern2D
from centrum.filters.pyradiomics_lbp3d import LocalBinaryPattern3D
from centrum.filters.pyradiomics_log import RecursiveLaplacian
from centrum.filters.pyradiomics_wavelet import PeriodicWavelet
from centrum.filters.riesz import RieszFilter, RieszLog, RieszSimoncelli
from centrum.filters.wavelet import Wavelet
from centrum.report.words.images import DIMENSIONS
from centrum.report.words.word import complete
from centrum.text import counted, listed, number, numbers

BOUNDARIES = complete(
    __name__,
    ("extraction.filters.boundary",),
    {
        "zero": "zeros",
        "nearest": "the nearest voxel",
        "periodic": "the other side of the image",
        "mirror": "the mirrored image",
    },
)
"""What lay beyond the edge of the image."""

POOLED = complete(
    __name__,
    ("extraction.filters.pooling",),
    {"max": "maximum", "average": "mean", "min": "minimum"},
)

PATTERNS = complete(
    __name__,
    ("extraction.filters.lbp2DMethod",),
    {
        "default": "the bits of the pattern as a number",
        "ror": "the smallest number of its rotations",
        "uniform": "the number of brighter neighbours of uniform patterns",
        "var": "the variance of the neighbours",
    },
)
"""Methods of local binary patterns in two dimensions."""

FILTER_KINDS = complete(
    __name__,
    ("extraction.filters.filter",),
    {
        "mean": "mean",
        "log": "Laplacian of Gaussian",
        "laws": "Laws",
        "gabor": "Gabor",
        "wavelet": "wavelet",
        "simoncelli": "Simoncelli",
        "riesz-log": "Riesz",
        "riesz-simoncelli": "Riesz",
        "gradient": "gradient",
        "LoG": "Laplacian of Gaussian",
        "Wavelet": "wavelet",
        "Gradient": "gradient",
        "LBP2D": "local binary pattern",
        "LBP3D": "local binary pattern",
        "Square": "square",
        "SquareRoot": "square root",
        "Logarithm": "logarithm",
        "Exponential": "exponential",
    },
    choices=FILTERS,
)
"""What filters are called, without their parameters."""

POINTWISE = ("Square", "SquareRoot", "Logarithm", "Exponential")
"""Filters that look at one voxel."""


def filter_text(chosen: Filter, plane: str) -> str:
    """A filter with its parameters, as a part of a sentence.

    >>> from centrum.filters.mean import Mean
    >>> filter_text(Mean(support=5), "sagittal")
    'mean filter with a side of 5 voxels (IBSI S60F), in three dimensions, continued by the
    mirrored image'
    """
    told = FILTER_WORDS[chosen.filter](chosen)
    if chosen.filter in POINTWISE:
        return told
    where = DIMENSIONS["2D" if chosen.in_slices else "3D"].format(plane=plane)
    boundary = getattr(chosen, "boundary", None)
    beyond = f", continued by {BOUNDARIES[boundary]}" if boundary else ""
    return f"{told}, {where}{beyond}"


def _laplacian(settings: LaplacianOfGaussian) -> str:
    total = "made to sum to zero" if settings.zero_sum else "sampled as it was"
    return (
        f"Laplacian of Gaussian (IBSI L6PA) of σ = {number(settings.sigma)} mm, its kernel cut off "
        f"at {number(settings.cutoff)} σ and {total}"
    )


def _laws(settings: Laws) -> str:
    energy = (
        f", energy as the mean absolute response within {counted(settings.energy, 'voxel')}"
        if settings.energy
        else ""
    )
    return f"Laws kernels {settings.kernels} (IBSI JTXT){_rotations(settings.pooling)}{energy}"


def _rotations(pooling: str | None) -> str:
    if pooling is None:
        return ", without pooling of rotations"
    return f", the {POOLED[pooling]} over all right-angle rotations"


def _wavelet(settings: Wavelet) -> str:
    return (
        f"undecimated wavelet {settings.wavelet} (IBSI 25BO) of level {numbers(settings.levels)}, "
        f"bands {listed(settings.chosen)}{_rotations(settings.pooling)}"
    )


def _gabor(settings: Gabor) -> str:
    turned = f"θ = {number(settings.theta)}°"
    if settings.step is not None:
        turned = (
            f"the {POOLED[settings.pooling]} over directions from {turned} in steps of "
            f"{number(settings.step)}°"
        )
    planes = "" if settings.in_slices else ", averaged over slices across all three axes"
    return (
        f"modulus of a Gabor filter (IBSI Q88H) of σ = {number(settings.sigma)} mm, λ = "
        f"{number(settings.wavelength)} mm and γ = {number(settings.gamma)}, {turned}{planes}"
    )


def _riesz_log(settings: RieszLog) -> str:
    return _riesz(
        settings,
        f"Laplacian of Gaussian of σ = {number(settings.sigma)} mm, its kernel cut off at "
        f"{number(settings.cutoff)} σ",
    )


def _riesz_simoncelli(settings: RieszSimoncelli) -> str:
    return _riesz(settings, f"Simoncelli wavelet of level {settings.level}")


def _riesz(settings: RieszFilter, base: str) -> str:
    turned = (
        f", along the axes of the structure tensor in a window of {number(settings.tensor_sigma)} "
        "mm"
        if settings.tensor_sigma is not None
        else ""
    )
    order = ", ".join(map(str, settings.order))
    return f"Riesz transform (IBSI AYRS) of order ({order}) of the {base}{turned}"


def _periodic_wavelet(settings: PeriodicWavelet) -> str:
    return (
        f"undecimated wavelet {settings.wavelet} of PyRadiomics (periodic), "
        f"{counted(settings.level, 'level')} after {settings.start_level} low passes, bands "
        f"{listed(settings.bands)}"
    )


def _gradient_magnitude(settings: GradientMagnitude) -> str:
    unit = "mm" if settings.gradientUseSpacing else "voxel"
    return f"magnitude of the gradient of PyRadiomics per {unit}"


def _pattern_2d(settings: LocalBinaryPattern2D) -> str:
    return (
        f"local binary pattern of {counted(settings.lbp2DSamples, 'neighbour')} at "
        f"{number(settings.lbp2DRadius)} voxels, as {PATTERNS[settings.lbp2DMethod]}"
    )


def _pattern_3d(settings: LocalBinaryPattern3D) -> str:
    return (
        f"local binary pattern of {counted(settings.lbp3DLevels, 'degree')} of spherical harmonics "
        f"and the kurtosis, of neighbours at {number(settings.lbp3DIcosphereRadius)} voxels on an "
        f"icosahedron subdivided {counted(settings.lbp3DIcosphereSubdivision, 'time')}"
    )


def _of_each_voxel(function: str) -> Callable[[Filter], str]:
    return lambda settings: f"{function} of the intensities, scaled to the largest of the image"


FILTER_WORDS: Mapping[str, Callable[[Any], str]] = complete(
    __name__,
    ("extraction.filters.filter",),
    {
        "mean": lambda f: f"mean filter with a side of {counted(f.support, 'voxel')} (IBSI S60F)",
        "log": _laplacian,
        "laws": _laws,
        "gabor": _gabor,
        "wavelet": _wavelet,
        "simoncelli": lambda f: f"Simoncelli wavelet (IBSI PRT7) of level {numbers(f.levels)}",
        "riesz-log": _riesz_log,
        "riesz-simoncelli": _riesz_simoncelli,
        "gradient": lambda f: "magnitude of the gradient per mm by central differences",
        "LoG": lambda f: (
            "Laplacian of Gaussian of PyRadiomics (recursive Gaussian) of "
            f"σ = {numbers(f.sigma)} mm"
        ),
        "Wavelet": _periodic_wavelet,
        "Gradient": _gradient_magnitude,
        "LBP2D": _pattern_2d,
        "LBP3D": _pattern_3d,
        "Square": _of_each_voxel("square"),
        "SquareRoot": _of_each_voxel("square root"),
        "Logarithm": _of_each_voxel("logarithm"),
        "Exponential": _of_each_voxel("exponential"),
    },
    choices=FILTERS,
)


# Labels of response maps


def _bands(settings: Wavelet) -> list[str]:
    return [
        f"wavelet {band}" if level == 1 else f"wavelet {band} level {level}"
        for level in settings.levels
        for band in settings.chosen
    ]


def _windows(settings: Gabor) -> list[str]:
    turned = f" {settings.theta:g}°" if settings.step is None else ""
    return [f"Gabor {settings.sigma:g} mm{turned}"]


def _order(settings: RieszFilter) -> str:
    return f"Riesz {''.join(map(str, settings.order))}"


def _as_spelled(settings: Filter) -> list[str]:
    return [" ".join(name.split("-")) for name in settings.names]


FILTER_LABELS: Mapping[str, Callable[[Any], Sequence[str]]] = complete(
    __name__,
    ("extraction.filters.filter",),
    {
        "mean": lambda f: [f"mean {f.support}"],
        "log": lambda f: [f"LoG {f.sigma:g} mm"],
        "laws": lambda f: [f"Laws {f.kernels}"],
        "gabor": _windows,
        "wavelet": _bands,
        "simoncelli": lambda f: [f"Simoncelli {level}" for level in f.levels],
        "riesz-log": lambda f: [f"{_order(f)} LoG {f.sigma:g} mm"],
        "riesz-simoncelli": lambda f: [f"{_order(f)} Simoncelli {f.level}"],
        "gradient": lambda f: ["gradient"],
        "LoG": lambda f: [f"LoG {sigma:g} mm" for sigma in f.sigma],
        "Wavelet": _as_spelled,
        "Gradient": _as_spelled,
        "LBP2D": lambda f: ["LBP 2D"],
        "LBP3D": lambda f: [*(f"LBP 3D m{k + 1}" for k in range(f.lbp3DLevels)), "LBP 3D k"],
        "Square": _as_spelled,
        "SquareRoot": lambda f: ["square root"],
        "Logarithm": _as_spelled,
        "Exponential": _as_spelled,
    },
    choices=FILTERS,
)
"""What the response maps of every filter are called in figures, in the order of its names."""


def image_labels(filters: Iterable[Filter]) -> dict[str, str]:
    """Response map -> what figures call it: its own name where two would be called the same.

    >>> image_labels([LaplacianOfGaussian(sigma=2), Wavelet(wavelet="haar", bands=("LHL",))])
    {'log-2mm-3D': 'LoG 2 mm', 'wavelet-haar-LHL-level1-3D': 'wavelet LHL'}
    """
    labels = {
        name: label
        for chosen in filters
        for name, label in zip(chosen.names, FILTER_LABELS[chosen.filter](chosen), strict=True)
    }
    times = Counter(labels.values())
    return {name: label if times[label] == 1 else name for name, label in labels.items()}


def _of_pyradiomics() -> list[Filter]:
    """Its filters with the settings that its tables usually come from."""
    halves = tuple(k / 2 for k in range(1, 21))
    return [
        RecursiveLaplacian(sigma=halves) if kind is RecursiveLaplacian else kind.model_validate({})
        for kind in FILTERS.values()
        if kind.dialect == "pyradiomics"
    ]


PYRADIOMICS_IMAGES = image_labels(_of_pyradiomics())
"""Labels of the images of tables that PyRadiomics made, whose settings are not known here."""
