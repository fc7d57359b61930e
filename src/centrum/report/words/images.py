"""Words for the choices of images, regions and tables made elsewhere, and of their preparation."""

from collections.abc import Callable, Mapping
from typing import Any

from centrum.cohort.confusable import not_told_from
from centrum.cohort.schemes import Scheme
from centrum.prepare.regions import Dilate, Erode, FillHoles, LargestPiece, Shell
from centrum.prepare.settings import Nyul, Percentiles, ReferenceTissue, ZScore
from centrum.protocol.limits import BODY, WHOLE, region_words
from centrum.report.words.word import Wording, always, complete
from centrum.text import counted, listed, number, numbers, quoted

REGIONS = complete(
    __name__,
    ("images.region",),
    {
        None: f"Regions of interest were taken to be of the {region_words(None)} alone.",
        BODY: f"The region of interest was the {region_words(BODY)} alone.",
        WHOLE: f"The region of interest was the {region_words(WHOLE)}.",
    },
    choices=(None,),
)
"""What masks hold, by what the protocol says of them."""


def scheme_text(scheme: Scheme | None) -> str:
    """What the numbers of label maps were read as, and on whose word; "" without a scheme."""
    if scheme is None:
        return ""
    alike = listed([other.name for other in not_told_from(scheme)], "or")
    left = f" That cannot tell all such maps from those of {alike}." if alike else ""
    return (
        f"Numbers of label maps were read as levels by the scheme {scheme.name} ({scheme.title}), "
        "as the authors named it; maps whose levels contradicted the anatomy were refused."
        f"{left}"
    )


GRID_MISMATCHES: Mapping[str, Wording[object]] = complete(
    __name__,
    ("images.on_grid_mismatch",),
    {
        "refuse": Wording("is refused", always("A mask on any other grid was rejected.")),
        "resample": Wording(
            "is resampled and recorded",
            always(
                "A mask on any other grid was resampled onto the grid of its image by nearest "
                "neighbour"
            ),
        ),
    },
)
"""What is done with a mask whose grid is not that of its image."""

SEQUENCE_MISMATCHES = complete(
    __name__,
    ("images.on_sequence_mismatch",),
    {
        "refuse": "A further sequence whose voxels the mask did not fit was rejected.",
        "resample": "A further sequence whose voxels the mask did not fit was resampled by linear "
        "interpolation onto the grid of the first.",
    },
)
"""The same for a sequence on which the masks were not drawn."""

PROGRAMS = complete(
    __name__,
    ("tables.format", "sources.format"),
    {
        "pyradiomics": "PyRadiomics",
        "slicer": "the radiomics extension of 3D Slicer",
        "mirp": "MIRP",
        "lifex": "LIFEx",
        "generic": "no program that its table identifies",
    },
    unspoken=("auto",),
)
"""Who writes tables of each format."""

# Preparation

OVER = complete(
    __name__,
    ("preparation.normalisation.over", "preparation.bias_field.mask"),
    {"image": "all voxels of the image", "body": "the voxels of the body"},
)
"""Whose intensities were looked at."""


def _z_score(settings: ZScore) -> str:
    return (
        f"Intensities were normalised to z-scores by mean and SD (with n) of "
        f"{OVER[settings.over]}; one SD became {number(settings.scale)}."
    )


def _percentiles(settings: Percentiles) -> str:
    beyond = "set to its nearer end" if settings.clip else "kept"
    return (
        f"Intensities were normalised linearly so that the percentiles {number(settings.lower)} "
        f"and {number(settings.upper)} of {OVER[settings.over]} became {number(settings.range[0])} "
        f"and {number(settings.range[1])}; intensities beyond this range were {beyond}."
    )


def _nyul(settings: Nyul) -> str:
    source = (
        "learnt once as the mean landmarks of the images of the training patients, with the first "
        f"and the last landmark at {number(settings.range[0])} and {number(settings.range[1])}; "
        "folds within the training side shared it"
        if settings.landmarks is None
        else f"given, with the landmarks {numbers(settings.landmarks)}"
    )
    return (
        "Intensities were normalised by histogram matching (Nyul et al., IEEE Trans Med Imaging "
        f"2000;19:143): the percentiles {numbers(settings.percentiles)} of {OVER[settings.over]} "
        f"were mapped piecewise linearly onto a standard scale. The scale was {source}."
    )


def _reference(settings: ReferenceTissue) -> str:
    first = (
        f"the segment {quoted(settings.segments)}"
        if len(settings.segments) == 1
        else f"the first of the segments {quoted(settings.segments)} that the file held"
    )
    return (
        f"Intensities were divided by the {settings.statistic} of a reference tissue that the same "
        f"reader had drawn ({first}, of at least {counted(settings.min_voxels, 'voxel')}) and "
        f"multiplied by {number(settings.scale)}."
    )


NORMALISATIONS: Mapping[str, Wording[Any]] = complete(
    __name__,
    ("preparation.normalisation.method",),
    {
        "none": Wording("", always("")),
        "z_score": Wording("z-score", _z_score),
        "percentile": Wording("two percentiles brought to a range", _percentiles),
        "nyul": Wording("Nyul's landmarks", _nyul),
        "reference_tissue": Wording("ratio to a reference tissue", _reference),
    },
)

DIMENSIONS = complete(
    __name__,
    ("preparation.region.dimension", "extraction.filters.dimension"),
    {"2D": "within each {plane} slice", "3D": "in three dimensions"},
)

CONNECTED = complete(
    __name__,
    ("preparation.region.connectivity",),
    {6: "faces", 18: "faces or edges", 26: "faces, edges or corners"},
)
"""What voxels of one piece share."""


def _where(settings: Erode | Dilate | Shell | FillHoles, plane: str) -> str:
    return DIMENSIONS[settings.dimension].format(plane=plane)


def _shell(settings: Shell, plane: str) -> str:
    return (
        "the region was replaced by the voxels at signed distances from it of "
        f"{number(settings.from_mm)} to {number(settings.to_mm)} mm {_where(settings, plane)} "
        "(negative: inside)"
    )


def _largest_piece(settings: LargestPiece, plane: str) -> str:
    return (
        "only the piece of most voxels was kept (voxels of a piece share "
        f"{CONNECTED[settings.connectivity]})"
    )


OPERATIONS: Mapping[str, Callable[[Any, str], str]] = complete(
    __name__,
    ("preparation.region.operation",),
    {
        "erode": lambda settings, plane: (
            f"erosion by {number(settings.mm)} mm {_where(settings, plane)}"
        ),
        "dilate": lambda settings, plane: (
            f"dilation by {number(settings.mm)} mm {_where(settings, plane)}"
        ),
        "shell": _shell,
        "fill_holes": lambda settings, plane: (
            f"enclosed holes were filled {_where(settings, plane)}"
        ),
        "largest_piece": _largest_piece,
    },
)
"""What was done to a region, from the settings and the plane of the slices."""
