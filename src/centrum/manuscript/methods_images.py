"""What was done to images and regions before features: and, in one sentence, what was not."""

from centrum.features.families import DISCRETISED, FAMILIES
from centrum.features.settings import ExtractionSettings, Interpolation
from centrum.manuscript.passage import Passage
from centrum.prepare.body import BODY_FRACTION, BRIGHTEST, CLOSE_MM, DARKEST
from centrum.prepare.settings import BiasField, NoNormalisation
from centrum.report.results import StudyResults
from centrum.report.words.features import GRIDS, LEVELS, binned
from centrum.report.words.images import NORMALISATIONS, OPERATIONS
from centrum.text import listed, number, numbers, percent, sentences

BODY = (
    "The body was found in block means of the image as the largest piece brighter than "
    f"{percent(BODY_FRACTION)} of the way from percentile {number(DARKEST)} to percentile "
    f"{number(BRIGHTEST)}, closed by {number(CLOSE_MM)} mm and filled within slices."
)


def intensities(results: StudyResults) -> Passage:
    """What was done to whole images: air, bias field, normalisation."""
    preparation, extraction = results.protocol.preparation, results.protocol.extraction
    normalisation = preparation.normalisation
    label = NORMALISATIONS[normalisation.method].label
    looks = preparation.bias_field is not None or getattr(normalisation, "over", None) == "body"
    prepared = [
        *(["subtraction of the level of air"] if preparation.subtract_air else []),
        *(["N4 bias field correction"] if preparation.bias_field is not None else []),
        *([f"normalisation ({label})"] if label else []),
        *(["normalisation of the whole image"] if extraction.normalise_scale is not None else []),
    ]
    supplement = sentences(
        f"The level of air, percentile {number(DARKEST)} of block means, was subtracted from every "
        "image."
        if preparation.subtract_air
        else "",
        _bias_field(preparation.bias_field),
        NORMALISATIONS[normalisation.method].told(normalisation),
        _whole_image(extraction),
        BODY if looks else "",
    )
    if not prepared:
        return Passage(_not_done(results))
    paper = f"Images were prepared by {listed(prepared)}."
    return Passage(paper, sentences(supplement, _not_done(results)))


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


def regions(results: StudyResults) -> Passage:
    """What was done to every reader's region before it was measured."""
    operations = results.protocol.preparation.region
    if not operations:
        return Passage(
            supplement="The regions of interest were measured as drawn, without morphological "
            "operations."
        )
    plane = results.protocol.extraction.plane
    done = [f"({k}) {OPERATIONS[o.operation](o, plane)}" for k, o in enumerate(operations, 1)]
    return Passage(
        "Every reader's region of interest was changed before it was measured.",
        f"Operations on the regions of interest were, in this order: {'; '.join(done)}. Distances "
        "are those between centres of voxels.",
    )


def resampling(results: StudyResults) -> Passage:
    """To which grid image and region were interpolated, and how."""
    extraction = results.protocol.extraction
    if extraction.interpolation is None:
        return Passage(
            "Images and regions were not resampled: voxels kept the size of the acquisition."
        )
    return Passage(
        _grid(extraction.interpolation, extraction.plane),
        GRIDS[extraction.dialect](extraction.interpolation),
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


def resegmentation(results: StudyResults) -> Passage:
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
        return Passage(supplement="No re-segmentation of intensities was applied.")
    return Passage(
        supplement=f"The region was re-segmented to intensities {listed(limits)}, for features of "
        "intensity and texture; features of shape were those of the whole region."
    )


def discretisation(results: StudyResults) -> Passage:
    """How intensities became grey levels."""
    extraction = results.protocol.extraction
    if not any(
        f in DISCRETISED and FAMILIES[f].features(extraction.dialect) for f in extraction.families
    ):
        return Passage(supplement="No feature that needs grey levels was computed.")
    words, lower = LEVELS[extraction.dialect], extraction.resegmentation.lower
    start = "the minimum of the region" if lower is None else number(lower)
    levels = binned(words, extraction.discretisation, start=start)
    text = f"For histogram and texture features {levels}."
    if not extraction.filters:
        return Passage(text)
    own = extraction.response_discretisation or extraction.discretisation
    of_maps = binned(words, own, start="the minimum of the region")
    return Passage(text, f"On response maps {of_maps}.")
