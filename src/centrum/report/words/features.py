"""Words for the choices of an extraction: families, dialects, grids, grey levels, aggregations."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from centrum.features.aggregation import AGGREGATIONS as BY_DIRECTION, UNDIRECTED
from centrum.features.settings import Discretisation, Interpolation
from centrum.report.words.word import Wording, always, complete
from centrum.text import number


@dataclass(frozen=True)
class FamilyWording:
    """The words for a family of features.

    Attributes
    ----------
    label : what figures and tables call it
    told : what the Methods call it
    short : what a feature's label begins with, "" where its short name tells the family
    """

    label: str
    told: str
    short: str


FAMILIES = complete(
    __name__,
    ("extraction.families", "extraction.ratios.families"),
    {
        "morphology": FamilyWording("shape", "shape", "Shape"),
        "enclosing": FamilyWording(
            "enclosing solids", "smallest enclosing box and ellipsoid", "Shape"
        ),
        "shape2D": FamilyWording("shape in 2D", "shape in two dimensions", "2D shape"),
        "spatial": FamilyWording("spatial", "spatial autocorrelation", ""),
        "local_intensity": FamilyWording("local intensity", "local intensity", "Intensity"),
        "statistics": FamilyWording("statistics", "intensity statistics", "Intensity"),
        "histogram": FamilyWording("histogram", "intensity histogram", "Histogram"),
        "ivh": FamilyWording("IVH", "intensity-volume histogram", "IVH"),
        "glcm": FamilyWording("GLCM", "grey level co-occurrence", "GLCM"),
        "glrlm": FamilyWording("GLRLM", "grey level run length", "GLRLM"),
        "glszm": FamilyWording("GLSZM", "grey level size zone", "GLSZM"),
        "gldzm": FamilyWording("GLDZM", "grey level distance zone", "GLDZM"),
        "ngtdm": FamilyWording("NGTDM", "neighbourhood grey tone difference", "NGTDM"),
        "ngldm": FamilyWording("NGLDM", "neighbouring grey level dependence", "NGLDM"),
    },
)

DIALECTS: Mapping[str, Wording[object]] = complete(
    __name__,
    ("extraction.dialect",),
    {
        "ibsi": Wording(
            "the IBSI",
            always(
                "Features were those of the Image Biomarker Standardisation Initiative (IBSI; "
                "Zwanenburg et al., Radiology 2020;295:328); the software reproduces all 1804 "
                "consensus values of IBSI 1."
            ),
        ),
        "pyradiomics": Wording(
            "PyRadiomics",
            always(
                "Features had the names and definitions of PyRadiomics (van Griethuysen et al., "
                "Cancer Res 2017;77:e104), which depart from those of the Image Biomarker "
                "Standardisation Initiative (IBSI), among others: kurtosis is not excess, the "
                "covariance of voxel centres is divided by n, and bins of fixed size begin at a "
                "multiple of their width."
            ),
        ),
    },
)
"""Whose definitions."""

# The grid

INTERPOLATIONS = complete(
    __name__,
    ("extraction.interpolation.image", "extraction.interpolation.mask"),
    {
        "nearest": "nearest neighbour",
        "linear": "linear interpolation",
        "cubic": "cubic B-splines",
    },
)

SPLINE_BOUNDARIES = complete(
    __name__,
    ("extraction.interpolation.boundary",),
    {"mirror": "its mirror image", "nearest": "its outermost voxels"},
)
"""What a spline found beyond the edges of the image."""


def _centred(settings: Interpolation) -> str:
    share = (
        f"; a new voxel belonged to the region from a share of {number(settings.partial_volume)} on"
        if settings.mask == "linear"
        else ""
    )
    beyond = (
        f" (the image continued beyond its edges by {SPLINE_BOUNDARIES[settings.boundary]})"
        if settings.image == "cubic"
        else ""
    )
    return (
        "The new grid had the centre of the old one (align grid centres). Intensities were "
        f"interpolated by {INTERPOLATIONS[settings.image]}{beyond} and "
        f"{'rounded to integers' if settings.round_intensities else 'not rounded'}; the region was "
        f"interpolated by {INTERPOLATIONS[settings.mask]}{share}."
    )


def _cornered(settings: Interpolation) -> str:
    return (
        "The new grid had the corner of the old one (resampledPixelSpacing of PyRadiomics). "
        f"Intensities were interpolated by {INTERPOLATIONS[settings.image]} and kept the number "
        "type of the image, without rounding; the region was interpolated by "
        f"{INTERPOLATIONS['nearest']}."
    )


GRIDS: Mapping[str, Callable[[Interpolation], str]] = complete(
    __name__, ("extraction.dialect",), {"ibsi": _centred, "pyradiomics": _cornered}
)
"""Where the new grid lay and how it was filled, by dialect."""

# Grey levels

METHODS_OF_BINS = (
    "extraction.discretisation.method",
    "extraction.response_discretisation.method",
    "extraction.ivh.method",
)

BINS = complete(
    __name__,
    METHODS_OF_BINS,
    {
        "fixed_bin_number": "fixed bin number ({bins} bins)",
        "fixed_bin_size": "fixed bin size (width {width})",
        "none": "none",
    },
)

UNDISCRETISED = "integer intensities were taken as grey levels without discretisation"

LEVELS = complete(
    __name__,
    ("extraction.dialect",),
    {
        "ibsi": complete(
            __name__,
            METHODS_OF_BINS,
            {
                "fixed_bin_number": "intensities were discretised into {bins} bins of equal width "
                "between the minimum and the maximum of the region (fixed bin number, IBSI K15C)",
                "fixed_bin_size": "intensities were discretised into bins of a width of {width} "
                "that began at {start} (fixed bin size, IBSI Q3RU)",
                "none": UNDISCRETISED,
            },
        ),
        "pyradiomics": complete(
            __name__,
            METHODS_OF_BINS,
            {
                "fixed_bin_number": "intensities were discretised into {bins} bins of equal width "
                "between the minimum and the maximum of the region (binCount of PyRadiomics)",
                "fixed_bin_size": "intensities were discretised into bins of a width of {width} "
                "with edges at multiples of the width (binWidth of PyRadiomics)",
                "none": UNDISCRETISED,
            },
        ),
    },
)
"""How intensities became grey levels, by dialect and method."""

IVH = complete(
    __name__,
    METHODS_OF_BINS,
    {
        "fixed_bin_number": "{bins} bins",
        "fixed_bin_size": "bins of a width of {width}",
        "none": "the units of intensity, without discretisation",
    },
)
"""In what the intensity-volume histogram was computed."""


def binned(words: Mapping[str, str], settings: Discretisation, **places: str) -> str:
    """A discretisation in the words of one of the tables above.

    >>> binned(BINS, Discretisation(method="fixed_bin_number", bins=32))
    'fixed bin number (32 bins)'
    """
    width = "" if settings.width is None else number(settings.width)
    return words[settings.method].format(bins=settings.bins, width=width, **places)


# Texture matrices

AGGREGATIONS = complete(
    __name__,
    ("extraction.aggregations",),
    {
        "2D_averaged": "counted in each slice and direction, and features averaged",
        "2D_slice_merged": "counted in each slice and merged over directions, and features "
        "averaged over slices",
        "2.5D_direction_merged": "counted in each direction and merged over slices, and features "
        "averaged over directions",
        "2.5D_merged": "counted within slices and merged over directions and slices",
        "3D_averaged": "counted in three dimensions in each direction, and features averaged",
        "3D_merged": "counted in three dimensions and merged over directions",
    },
    choices=BY_DIRECTION,
)
"""Of co-occurrence and run lengths."""

UNDIRECTED_AGGREGATIONS = complete(
    __name__,
    ("aggregation without directions",),
    {
        "2D": "counted in each slice, and features averaged over slices",
        "2.5D": "counted within slices and merged over slices",
        "3D": "counted in three dimensions",
    },
    choices=UNDIRECTED,
)
"""Of zones, tone differences and dependence."""

NORMS = complete(
    __name__,
    ("extraction.weighting",),
    {"manhattan": "Manhattan", "euclidean": "Euclidean", "infinity": "Chebyshev"},
    unspoken=("no_weighting",),
)
"""By which length of a step directions were weighted."""
