"""Every filter in words, with its parameters."""

from centrum.filters import Filter
from centrum.filters.gabor import Gabor
from centrum.filters.gradient import Gradient
from centrum.filters.laws import Laws
from centrum.filters.log import LaplacianOfGaussian
from centrum.filters.mean import Mean
from centrum.filters.pyradiomics_gradient import GradientMagnitude
from centrum.filters.pyradiomics_lbp2d import LocalBinaryPattern2D
from centrum.filters.pyradiomics_lbp3d import LocalBinaryPattern3D
from centrum.filters.pyradiomics_log import RecursiveLaplacian
from centrum.filters.pyradiomics_pointwise import Exponential, Logarithm, Square, SquareRoot
from centrum.filters.pyradiomics_wavelet import PeriodicWavelet
from centrum.filters.riesz import RieszFilter, RieszLog, RieszSimoncelli
from centrum.filters.simoncelli import Simoncelli
from centrum.filters.wavelet import Wavelet
from centrum.text import counted, listed, number, numbers

BOUNDARIES = {
    "zero": "zeros",
    "nearest": "the nearest voxel",
    "periodic": "the other side of the image",
    "mirror": "the mirrored image",
}
"""What lay beyond the edge of the image."""

POOLED = {"max": "maximum", "average": "mean", "min": "minimum"}

PATTERNS = {
    "default": "the bits of the pattern as a number",
    "ror": "the smallest number of its rotations",
    "uniform": "the number of brighter neighbours of uniform patterns",
    "var": "the variance of the neighbours",
}
"""Methods of local binary patterns in two dimensions."""


def filter_text(chosen: Filter, plane: str) -> str:
    """A filter with its parameters, as a part of a sentence.

    >>> filter_text(Mean(support=5), "sagittal")
    'mean filter with a side of 5 voxels (IBSI S60F), in three dimensions, continued by the
    mirrored image'
    """
    where = f"within {plane} slices" if chosen.in_slices else "in three dimensions"
    boundary = getattr(chosen, "boundary", None)
    beyond = f", continued by {BOUNDARIES[boundary]}" if boundary else ""
    if isinstance(chosen, Square | SquareRoot | Logarithm | Exponential):
        return _what(chosen)
    return f"{_what(chosen)}, {where}{beyond}"


def _what(chosen: Filter) -> str:
    match chosen:
        case Mean():
            return f"mean filter with a side of {counted(chosen.support, 'voxel')} (IBSI S60F)"
        case Laws():
            return _laws(chosen)
        case Gradient():
            return "magnitude of the gradient per mm by central differences"
        case LaplacianOfGaussian():
            return _laplacian(chosen)
        case Gabor():
            return _gabor(chosen)
        case Wavelet():
            return _wavelet(chosen)
        case Simoncelli():
            return f"Simoncelli wavelet (IBSI PRT7) of level {numbers(chosen.levels)}"
        case RieszFilter():
            return _riesz(chosen)
    return _of_pyradiomics(chosen)


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


def _riesz(settings: RieszFilter) -> str:
    base = {
        RieszLog: lambda f: (
            f"Laplacian of Gaussian of σ = {number(f.sigma)} mm, its kernel cut "
            f"off at {number(f.cutoff)} σ"
        ),
        RieszSimoncelli: lambda f: f"Simoncelli wavelet of level {f.level}",
    }[type(settings)](settings)
    turned = (
        f", along the axes of the structure tensor in a window of {number(settings.tensor_sigma)} "
        "mm"
        if settings.tensor_sigma is not None
        else ""
    )
    order = ", ".join(map(str, settings.order))
    return f"Riesz transform (IBSI AYRS) of order ({order}) of the {base}{turned}"


def _of_pyradiomics(chosen: Filter) -> str:
    match chosen:
        case RecursiveLaplacian():
            return (
                "Laplacian of Gaussian of PyRadiomics (recursive Gaussian) of σ = "
                f"{numbers(chosen.sigma)} mm"
            )
        case PeriodicWavelet():
            return (
                f"undecimated wavelet {chosen.wavelet} of PyRadiomics (periodic), "
                f"{counted(chosen.level, 'level')} after {chosen.start_level} low passes, bands "
                f"{listed(chosen.bands)}"
            )
        case GradientMagnitude():
            unit = "mm" if chosen.gradientUseSpacing else "voxel"
            return f"magnitude of the gradient of PyRadiomics per {unit}"
        case LocalBinaryPattern2D():
            return (
                f"local binary pattern of {counted(chosen.lbp2DSamples, 'neighbour')} at "
                f"{number(chosen.lbp2DRadius)} voxels, as {PATTERNS[chosen.lbp2DMethod]}"
            )
        case LocalBinaryPattern3D():
            return (
                f"local binary pattern of {counted(chosen.lbp3DLevels, 'degree')} of spherical "
                f"harmonics and the kurtosis, of neighbours at "
                f"{number(chosen.lbp3DIcosphereRadius)} voxels on an icosahedron subdivided "
                f"{counted(chosen.lbp3DIcosphereSubdivision, 'time')}"
            )
        case Square() | SquareRoot() | Logarithm() | Exponential():
            return POINTWISE[chosen.filter]
    raise TypeError(f"the filter {chosen.filter!r} has no words in the Methods section")


POINTWISE = {
    "Square": "square of the intensities, scaled to the largest of the image",
    "SquareRoot": "square root of the intensities, scaled to the largest of the image",
    "Logarithm": "logarithm of the intensities, scaled to the largest of the image",
    "Exponential": "exponential of the intensities, scaled to the largest of the image",
}
"""Filters of PyRadiomics that look at one voxel."""
