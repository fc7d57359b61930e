"""What was done to images and regions before features: and, in one sentence, what was not."""

from collections.abc import Callable

from centrum.features.families import DISCRETISED, FAMILIES
from centrum.features.settings import Discretisation, ExtractionSettings, Interpolation
from centrum.manuscript.words import listed, number, numbers, percent, quoted, sentences
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
    how = results.protocol.preparation
    looks = how.bias_field is not None or getattr(how.normalisation, "over", None) == "body"
    return sentences(
        f"The level of air, percentile {number(DARKEST)} of block means, was subtracted from every "
        "image."
        if how.subtract_air
        else "",
        _bias_field(how.bias_field),
        _normalised(how.normalisation),
        _whole_image(results.protocol.extraction),
        BODY if looks else "",
        _not_done(results),
    )


def _bias_field(how: BiasField | None) -> str:
    if how is None:
        return ""
    where = " of the body" if how.mask == "body" else ""
    return (
        "The bias field was corrected by N4 (Tustison et al., IEEE Trans Med Imaging 2010;29:1310),"
        f" fitted to the voxels{where} brighter than air, averaged over up to "
        f"{number(how.shrink_factor)} of the smallest voxel edges, with at most "
        f"{numbers(how.iterations)} iterations in {len(how.iterations)} levels and a convergence "
        f"threshold of {number(how.convergence)}."
    )


def _normalised(how: Normalisation) -> str:
    match how:
        case ZScore():
            return (
                f"Intensities were normalised to z-scores by mean and SD (with n) of "
                f"{OVER[how.over]}; one SD became {number(how.scale)}."
            )
        case Percentiles():
            return _percentiles(how)
        case Nyul():
            return _nyul(how)
        case ReferenceTissue():
            return _reference(how)
        case NoNormalisation():
            return ""


def _percentiles(how: Percentiles) -> str:
    beyond = "set to its nearer end" if how.clip else "kept"
    return (
        f"Intensities were normalised linearly so that the percentiles {number(how.lower)} and "
        f"{number(how.upper)} of {OVER[how.over]} became {number(how.range[0])} and "
        f"{number(how.range[1])}; intensities beyond this range were {beyond}."
    )


def _nyul(how: Nyul) -> str:
    source = (
        f"learnt once as the mean landmarks of the images of the training patients, with the first "
        f"and the last landmark at {number(how.range[0])} and {number(how.range[1])}; folds within "
        "the training side shared it"
        if how.landmarks is None
        else f"given, with the landmarks {numbers(how.landmarks)}"
    )
    return (
        "Intensities were normalised by histogram matching (Nyul et al., IEEE Trans Med Imaging "
        f"2000;19:143): the percentiles {numbers(how.percentiles)} of {OVER[how.over]} were mapped "
        f"piecewise linearly onto a standard scale. The scale was {source}."
    )


def _reference(how: ReferenceTissue) -> str:
    first = (
        f"the segment {quoted(how.segments)}"
        if len(how.segments) == 1
        else f"the first of the segments {quoted(how.segments)} that the file held"
    )
    return (
        f"Intensities were divided by the {how.statistic} of a reference tissue that the same "
        f"reader had drawn ({first}, of at least {counted_voxels(how.min_voxels)}) and multiplied "
        f"by {number(how.scale)}."
    )


def counted_voxels(n: int) -> str:
    """A number of voxels.

    >>> counted_voxels(1), counted_voxels(50)
    ('1 voxel', '50 voxels')
    """
    return f"{n} voxel{'' if n == 1 else 's'}"


def _whole_image(how: ExtractionSettings) -> str:
    if how.normalise_scale is None:
        return ""
    return (
        "Intensities were normalised to z-scores by mean and SD (with n − 1) of the whole image "
        f"and multiplied by {number(how.normalise_scale)} (normalize of PyRadiomics)."
    )


def _not_done(results: StudyResults) -> str:
    """The steps of preparation that were left out."""
    how, extraction = results.protocol.preparation, results.protocol.extraction
    plain = isinstance(how.normalisation, NoNormalisation) and extraction.normalise_scale is None
    left = [
        *(["bias field correction"] if how.bias_field is None else []),
        *(["normalisation of intensities"] if plain else []),
        *(["subtraction of the level of air"] if not how.subtract_air else []),
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


def _operation(how: RegionOperation, plane: str) -> str:
    if isinstance(how, LargestPiece):
        return (
            f"only the piece of most voxels was kept (voxels of a piece share "
            f"{CONNECTED[how.connectivity]})"
        )
    where = WITHIN[how.dimension].format(plane=plane)
    match how:
        case Erode():
            return f"erosion by {number(how.mm)} mm {where}"
        case Dilate():
            return f"dilation by {number(how.mm)} mm {where}"
        case Shell():
            return (
                "the region was replaced by the voxels at signed distances from it of "
                f"{number(how.from_mm)} to {number(how.to_mm)} mm {where} (negative: inside)"
            )
        case FillHoles():
            return f"enclosed holes were filled {where}"


def resampling(results: StudyResults) -> str:
    """To which grid image and region were interpolated, and how."""
    how = results.protocol.extraction
    if how.interpolation is None:
        return "Images and regions were not resampled: voxels kept the size of the acquisition."
    parts = _by_dialect[how.dialect]
    return sentences(_grid(how.interpolation, how.plane), *parts(how.interpolation))


def _grid(how: Interpolation, plane: str) -> str:
    if how.in_plane is not None:
        size = f"{number(how.in_plane)} mm within the {plane} slices, whose distance was kept"
    elif how.isotropic is not None:
        size = f"{number(how.isotropic)} mm along all three axes"
    else:
        axes = zip("xyz", how.spacing or (), strict=False)
        size = listed([
            f"{number(mm)} mm along {axis}" if mm is not None else f"the spacing kept along {axis}"
            for axis, mm in axes
        ])  # fmt: skip
    return f"Image and region were interpolated to voxels of {size}."


def _ibsi_grid(how: Interpolation) -> tuple[str, ...]:
    share = (
        f"; a new voxel belonged to the region from a share of {number(how.partial_volume)} on"
        if how.mask == "linear"
        else ""
    )
    return (
        "The new grid had the centre of the old one (align grid centres).",
        f"Intensities were interpolated by {INTERPOLATED[how.image]} and "
        f"{'rounded to integers' if how.round_intensities else 'not rounded'}; the region was "
        f"interpolated by {INTERPOLATED[how.mask]}{share}.",
    )


def _pyradiomics_grid(how: Interpolation) -> tuple[str, ...]:
    return (
        "The new grid had the corner of the old one (resampledPixelSpacing of PyRadiomics).",
        f"Intensities were interpolated by {INTERPOLATED[how.image]} and kept the number type of "
        f"the image, without rounding; the region was interpolated by {INTERPOLATED['nearest']}.",
    )


_by_dialect: dict[str, Callable[[Interpolation], tuple[str, ...]]] = {
    "ibsi": _ibsi_grid,
    "pyradiomics": _pyradiomics_grid,
}


def resegmentation(results: StudyResults) -> str:
    """Which voxels of the region took part in features of intensity and texture."""
    how = results.protocol.extraction.resegmentation
    limits = [
        *([f"of at least {number(how.lower)}"] if how.lower is not None else []),
        *([f"of at most {number(how.upper)}"] if how.upper is not None else []),
        *(
            [f"within {number(how.sigma)} SD (with n) of the mean of the region"]
            if how.sigma is not None
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
    how = results.protocol.extraction
    if not any(f in DISCRETISED and FAMILIES[f].features(how.dialect) for f in how.families):
        return "No feature that needs grey levels was computed."
    lower = how.resegmentation.lower
    start = "the minimum of the region" if lower is None else f"{number(lower)}"
    text = f"For histogram and texture features {_levels(how.discretisation, how.dialect, start)}."
    if not how.filters:
        return text
    own = how.response_discretisation or how.discretisation
    of_maps = _levels(own, how.dialect, "the minimum of the region")
    return f"{text} On response maps {of_maps}."


def _levels(how: Discretisation, dialect: str, start: str) -> str:
    if how.method == "none":
        return "integer intensities were taken as grey levels without discretisation"
    width = "" if how.width is None else number(how.width)
    words = LEVELS[dialect][how.method].format(bins=how.bins, width=width, start=start)
    return f"intensities were discretised into {words}"
