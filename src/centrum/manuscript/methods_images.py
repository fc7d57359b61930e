"""What was done to images and regions before features: and, in one sentence, what was not."""

from collections.abc import Callable

from centrum.features.families import DISCRETISED, FAMILIES
from centrum.features.settings import Discretisation, ExtractionSettings, Interpolation
from centrum.prepare.body import BODY_FRACTION, BRIGHTEST, CLOSE_MM, DARKEST
from centrum.prepare.regions import (
    Dilate,
    Erode,
    FillHoles,
    LargestPiece,
    RegionOperation,
    Shell,
)
from centrum.prepare.settings import (
    BiasField,
    NoNormalisation,
    Normalisation,
    Nyul,
    Percentiles,
    ReferenceTissue,
    ZScore,
)
from centrum.report.results import StudyResults
from centrum.text import counted, listed, number, numbers, percent, quoted, sentences

OVER = {"image": "all voxels of the image", "body": "the voxels of the body"}
"""Whose intensities were looked at."""

BODY = (
    "The body was found in block means of the image as the largest piece brighter than "
    f"{percent(BODY_FRACTION)} of the way from percentile {number(DARKEST)} to percentile "
    f"{number(BRIGHTEST)}, closed by {number(CLOSE_MM)} mm and filled within slices."
)

WITHIN = {"2D": "within each {plane} slice", "3D": "in three dimensions"}

CONNECTED = {6: "faces", 18: "faces or edges", 26: "faces, edges or corners"}
"""What voxels of one piece share."""

INTERPOLATED = {
    "nearest": "nearest neighbour",
    "linear": "linear interpolation",
    "cubic": "cubic B-splines",
}

LEVELS = {
    "ibsi": {
        "fixed_bin_number": "{bins} bins of equal width between the minimum and the maximum of "
        "the region (fixed bin number, IBSI K15C)",
        "fixed_bin_size": "bins of a width of {width} that began at {start} (fixed bin size, IBSI "
        "Q3RU)",
    },
    "pyradiomics": {
        "fixed_bin_number": "{bins} bins of equal width between the minimum and the maximum of "
        "the region (binCount of PyRadiomics)",
        "fixed_bin_size": "bins of a width of {width} with edges at multiples of the width "
        "(binWidth of PyRadiomics)",
    },
}
"""How intensities became grey levels, by dialect and method."""


def intensities(results: StudyResults) -> str:
    """What was done to whole images: air, bias field, normalisation."""
    preparation = results.protocol.preparation
    looks = (
        preparation.bias_field is not None
        or getattr(preparation.normalisation, "over", None) == "body"
    )
    return sentences(
        f"The level of air, percentile {number(DARKEST)} of block means, was subtracted from every "
        "image."
        if preparation.subtract_air
        else "",
        _bias_field(preparation.bias_field),
        _normalised(preparation.normalisation),
        _whole_image(results.protocol.extraction),
        BODY if looks else "",
        _not_done(results),
    )


def _bias_field(settings: BiasField | None) -> str:
    if settings is None:
        return ""
    where = " of the body" if settings.mask == "body" else ""
    return (
        "The bias field was corrected by N4 (Tustison et al., IEEE Trans Med Imaging "
        f"2010;29:1310), fitted to the voxels{where} brighter than air, averaged over up to "
        f"{number(settings.shrink_factor)} of the smallest voxel edges, with at most "
        f"{numbers(settings.iterations)} iterations in {len(settings.iterations)} levels and a "
        f"convergence threshold of {number(settings.convergence)}."
    )


def _normalised(settings: Normalisation) -> str:
    match settings:
        case ZScore():
            return (
                f"Intensities were normalised to z-scores by mean and SD (with n) of "
                f"{OVER[settings.over]}; one SD became {number(settings.scale)}."
            )
        case Percentiles():
            return _percentiles(settings)
        case Nyul():
            return _nyul(settings)
        case ReferenceTissue():
            return _reference(settings)
        case NoNormalisation():
            return ""


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


def _whole_image(settings: ExtractionSettings) -> str:
    if settings.normalise_scale is None:
        return ""
    return (
        "Intensities were normalised to z-scores by mean and SD (with n − 1) of the whole image "
        f"and multiplied by {number(settings.normalise_scale)} (normalize of PyRadiomics)."
    )


def _not_done(results: StudyResults) -> str:
    """The steps of preparation that were left out."""
    preparation, extraction = results.protocol.preparation, results.protocol.extraction
    plain = (
        isinstance(preparation.normalisation, NoNormalisation)
        and extraction.normalise_scale is None
    )
    left = [
        *(["bias field correction"] if preparation.bias_field is None else []),
        *(["normalisation of intensities"] if plain else []),
        *(["subtraction of the level of air"] if not preparation.subtract_air else []),
    ]
    return f"No {listed(left, 'or')} was applied." if left else ""


def regions(results: StudyResults) -> str:
    """What was done to every reader's region before it was measured."""
    operations = results.protocol.preparation.region
    if not operations:
        return "The regions of interest were measured as drawn, without morphological operations."
    plane = results.protocol.extraction.plane
    done = [f"({k}) {_operation(o, plane)}" for k, o in enumerate(operations, 1)]
    return (
        "Every reader's region of interest was changed before it was measured, in this order: "
        f"{'; '.join(done)}. Distances are those between centres of voxels."
    )


def _operation(settings: RegionOperation, plane: str) -> str:
    if isinstance(settings, LargestPiece):
        return (
            f"only the piece of most voxels was kept (voxels of a piece share "
            f"{CONNECTED[settings.connectivity]})"
        )
    where = WITHIN[settings.dimension].format(plane=plane)
    match settings:
        case Erode():
            return f"erosion by {number(settings.mm)} mm {where}"
        case Dilate():
            return f"dilation by {number(settings.mm)} mm {where}"
        case Shell():
            return (
                "the region was replaced by the voxels at signed distances from it of "
                f"{number(settings.from_mm)} to {number(settings.to_mm)} mm {where} (negative: "
                "inside)"
            )
        case FillHoles():
            return f"enclosed holes were filled {where}"


def resampling(results: StudyResults) -> str:
    """To which grid image and region were interpolated, and how."""
    extraction = results.protocol.extraction
    if extraction.interpolation is None:
        return "Images and regions were not resampled: voxels kept the size of the acquisition."
    parts = _by_dialect[extraction.dialect]
    return sentences(
        _grid(extraction.interpolation, extraction.plane), *parts(extraction.interpolation)
    )


def _grid(settings: Interpolation, plane: str) -> str:
    if settings.in_plane is not None:
        size = f"{number(settings.in_plane)} mm within the {plane} slices, whose distance was kept"
    elif settings.isotropic is not None:
        size = f"{number(settings.isotropic)} mm along all three axes"
    else:
        axes = zip("xyz", settings.spacing or (), strict=False)
        size = listed([
            f"{number(mm)} mm along {axis}" if mm is not None else f"the spacing kept along {axis}"
            for axis, mm in axes
        ])  # fmt: skip
    return f"Image and region were interpolated to voxels of {size}."


def _ibsi_grid(settings: Interpolation) -> tuple[str, ...]:
    share = (
        f"; a new voxel belonged to the region from a share of {number(settings.partial_volume)} on"
        if settings.mask == "linear"
        else ""
    )
    return (
        "The new grid had the centre of the old one (align grid centres).",
        f"Intensities were interpolated by {INTERPOLATED[settings.image]} and "
        f"{'rounded to integers' if settings.round_intensities else 'not rounded'}; the region was "
        f"interpolated by {INTERPOLATED[settings.mask]}{share}.",
    )


def _pyradiomics_grid(settings: Interpolation) -> tuple[str, ...]:
    return (
        "The new grid had the corner of the old one (resampledPixelSpacing of PyRadiomics).",
        f"Intensities were interpolated by {INTERPOLATED[settings.image]} and kept the number "
        "type of "
        f"the image, without rounding; the region was interpolated by {INTERPOLATED['nearest']}.",
    )


_by_dialect: dict[str, Callable[[Interpolation], tuple[str, ...]]] = {
    "ibsi": _ibsi_grid,
    "pyradiomics": _pyradiomics_grid,
}


def resegmentation(results: StudyResults) -> str:
    """Which voxels of the region took part in features of intensity and texture."""
    settings = results.protocol.extraction.resegmentation
    limits = [
        *([f"of at least {number(settings.lower)}"] if settings.lower is not None else []),
        *([f"of at most {number(settings.upper)}"] if settings.upper is not None else []),
        *(
            [f"within {number(settings.sigma)} SD (with n) of the mean of the region"]
            if settings.sigma is not None
            else []
        ),
    ]
    if not limits:
        return "No re-segmentation of intensities was applied."
    return (
        f"The region was re-segmented to intensities {listed(limits)}, for features of intensity "
        "and texture; features of shape were those of the whole region."
    )


def discretisation(results: StudyResults) -> str:
    """How intensities became grey levels."""
    extraction = results.protocol.extraction
    if not any(
        f in DISCRETISED and FAMILIES[f].features(extraction.dialect) for f in extraction.families
    ):
        return "No feature that needs grey levels was computed."
    lower = extraction.resegmentation.lower
    start = "the minimum of the region" if lower is None else f"{number(lower)}"
    text = (
        "For histogram and texture features "
        f"{_levels(extraction.discretisation, extraction.dialect, start)}."
    )
    if not extraction.filters:
        return text
    own = extraction.response_discretisation or extraction.discretisation
    of_maps = _levels(own, extraction.dialect, "the minimum of the region")
    return f"{text} On response maps {of_maps}."


def _levels(settings: Discretisation, dialect: str, start: str) -> str:
    if settings.method == "none":
        return "integer intensities were taken as grey levels without discretisation"
    width = "" if settings.width is None else number(settings.width)
    words = LEVELS[dialect][settings.method].format(bins=settings.bins, width=width, start=start)
    return f"intensities were discretised into {words}"
