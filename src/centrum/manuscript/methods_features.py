"""Which features were computed, by whose definitions, on which images, how aggregated."""

from collections.abc import Sequence

from centrum.features.aggregation import AGGREGATIONS, UNDIRECTED, undirected
from centrum.features.families import DIRECTED, FAMILIES, OF_RESPONSES, TEXTURES
from centrum.features.settings import ExtractionSettings
from centrum.filters.gradient import Gradient
from centrum.filters.riesz import RieszFilter
from centrum.measure.sequences import without_shape
from centrum.report.results import StudyResults
from centrum.report.words.features import (
    AGGREGATIONS as AGGREGATED,
    DIALECTS,
    FAMILIES as FAMILY_WORDS,
    IVH,
    NORMS,
    UNDIRECTED_AGGREGATIONS,
    binned,
)
from centrum.report.words.filters import filter_text
from centrum.text import counted, listed, number, numbers, sentences

IBSI_FILTERS = (
    "Filters were those of IBSI 2 (Whybra et al., Radiology 2024;310:e231319); the software "
    "reproduces all 33 reference response maps within 1 % of their range, and all 323 reference "
    "statistics."
)


def present(settings: ExtractionSettings) -> tuple[str, ...]:
    """Families that were asked for and have features in the dialect.

    >>> present(ExtractionSettings(families=("statistics", "shape2D")))
    ('statistics',)
    """
    return tuple(f for f in settings.families if FAMILIES[f].features(settings.dialect))


def software(results: StudyResults) -> str:
    """With what, and by whose definitions, features were computed."""
    extraction = results.protocol.extraction
    version = results.versions.get("centrum", "")
    exact = "enclosing" in present(extraction)
    return sentences(
        f"Features were computed with centrum {version}.".replace(" .", "."),
        DIALECTS[extraction.dialect].told(extraction),
        "For the smallest enclosing box and ellipsoid the IBSI has no consensus values."
        if exact
        else "",
        _energy(extraction),
    )


def _energy(settings: ExtractionSettings) -> str:
    if not settings.energy_shift or "statistics" not in present(settings):
        return ""
    return (
        f"Before energy and root mean square {number(settings.energy_shift)} was added to the "
        "intensities."
    )


def families(results: StudyResults) -> str:
    """Families with the number of features, and how many there are in all."""
    extraction, images = results.protocol.extraction, results.protocol.images
    further = images.sequences[1:]
    text = f"Of the image {_counted_families(extraction, present(extraction))} were computed."
    if further:
        kept = present(without_shape(extraction))
        text += f" Of each further sequence {_counted_families(extraction, kept)} were computed."
    return sentences(text, *_responses(extraction), _total(results))


def _counted_families(settings: ExtractionSettings, names: Sequence[str]) -> str:
    found = [
        f"{FAMILY_WORDS[name].told} ({counted(_size(name, settings), 'feature')})" for name in names
    ]
    return listed(found) or "no features"


def _size(name: str, settings: ExtractionSettings) -> int:
    """Features of a family on one image, all aggregations counted."""
    n = len(FAMILIES[name].features(settings.dialect))
    if name not in TEXTURES:
        return n
    known = settings.aggregations if name in DIRECTED else undirected(settings.aggregations)
    return n * len(known)


def _responses(settings: ExtractionSettings) -> tuple[str, ...]:
    if not settings.filters:
        return ("No filter was applied to the images.",)
    maps = [name for chosen in settings.filters for name in chosen.names]
    kept = [f for f in present(settings) if f in OF_RESPONSES]
    return (
        f"In the same voxels {_counted_families(settings, kept)} were computed on each of "
        f"{counted(len(maps), 'response map')} of filters.",
    )


def _total(results: StudyResults) -> str:
    table = results.table
    lost = [s for s in table.history if s.name == "leave out undefined"]
    undefined = len(lost[-1].parameters["features"]) if lost else 0
    left = (
        f"{counted(undefined, 'feature')} that no region had a value of {_were(undefined)} left "
        "out. "
        if undefined
        else ""
    )
    n = len(table.features)
    return f"{left}{counted(n, 'feature')} per case and reader {_were(n)} analysed."


def _were(n: int) -> str:
    return "was" if n == 1 else "were"


def filters(results: StudyResults) -> str:
    """Filters with their parameters; nothing without them."""
    extraction = results.protocol.extraction
    if not extraction.filters:
        return ""
    named = [
        f"({k}) {filter_text(f, extraction.plane)}" for k, f in enumerate(extraction.filters, 1)
    ]
    return sentences(
        f"Filters were applied to the {_filtered(extraction)}: {'; '.join(named)}.",
        "Which voxels of the region counted was decided on the image, before any filter.",
        IBSI_FILTERS if extraction.dialect == "ibsi" else "Filters were those of PyRadiomics.",
        _unreferenced(extraction),
    )


def _filtered(settings: ExtractionSettings) -> str:
    return "images" if settings.interpolation is None else "interpolated images"


def _unreferenced(settings: ExtractionSettings) -> str:
    """Filters of which the standard says nothing."""
    names = [
        *(["the gradient"] if any(isinstance(f, Gradient) for f in settings.filters) else []),
        *(
            ["Riesz transforms along the structure tensor"]
            if any(isinstance(f, RieszFilter) and f.tensor_sigma for f in settings.filters)
            else []
        ),
    ]
    return f"For {listed(names)} the IBSI has no reference." if names else ""


def textures(results: StudyResults) -> str:
    """How texture matrices were counted and aggregated."""
    extraction = results.protocol.extraction
    kept = [name for name in present(extraction) if name in TEXTURES]
    if not kept:
        return "No texture matrices were computed."
    directed = [name for name in kept if name in DIRECTED]
    others = [name for name in kept if name not in DIRECTED]
    flat = any(AGGREGATIONS[a].by_slice for a in extraction.aggregations)
    return sentences(
        _directed(directed, extraction),
        _undirected(others, extraction),
        f"Slices were {extraction.plane}." if flat else "",
        *_neighbours(kept, extraction),
    )


def _directed(names: Sequence[str], settings: ExtractionSettings) -> str:
    if not names:
        return ""
    done = [f"{AGGREGATED[a]} ({a}, IBSI {AGGREGATIONS[a].code})" for a in settings.aggregations]
    return f"Matrices of {_family_list(names)} were {listed(done)}."


def _undirected(names: Sequence[str], settings: ExtractionSettings) -> str:
    if not names:
        return ""
    found = undirected(settings.aggregations)
    done = [f"{UNDIRECTED_AGGREGATIONS[a]} ({a}, IBSI {UNDIRECTED[a].code})" for a in found]
    return f"Matrices of {_family_list(names)} were {listed(done)}."


def _family_list(names: Sequence[str]) -> str:
    return listed([FAMILY_WORDS[name].told for name in names])


def _neighbours(names: Sequence[str], settings: ExtractionSettings) -> tuple[str, ...]:
    """Distances, symmetry, weights and tolerance, each where a family reads it."""
    far = [name for name in names if name in ("glcm", "ngtdm", "ngldm")]
    return (
        f"Neighbours in {_family_list(far)} {_distance(settings)}." if far else "",
        _symmetry(settings) if "glcm" in names else "",
        _weights([name for name in names if name in DIRECTED], settings),
        "Neighbours were dependent when their grey levels differed by at most "
        f"{int(settings.coarseness)}."
        if "ngldm" in names
        else "",
    )


def _distance(settings: ExtractionSettings) -> str:
    if settings.dialect == "pyradiomics":
        return (
            "were the voxels at steps whose largest component was "
            f"{listed([str(d) for d in settings.distances], 'or')}"
        )
    return (
        f"were taken at a Chebyshev distance of {numbers(settings.distances)} (co-occurrence: of "
        "that many voxels along each direction; others: within it)"
    )


def _symmetry(settings: ExtractionSettings) -> str:
    if settings.symmetric:
        return "Co-occurrence was symmetric: each pair was counted both ways."
    return "Co-occurrence was not symmetric: each pair was counted one way."


def _weights(names: Sequence[str], settings: ExtractionSettings) -> str:
    if not names:
        return ""
    if settings.weighting in (None, "no_weighting"):
        return "Directions were not weighted by distance."
    of_runs = settings.dialect == "pyradiomics" and "glrlm" in names
    runs = ", in run lengths by d itself" if of_runs else ""
    return (
        f"Directions were weighted by exp(−d²){runs}, d the {NORMS[settings.weighting]} length of "
        "the step in mm."
    )


def volume_histogram(results: StudyResults) -> str:
    """How the intensity-volume histogram was discretised, and over which range, if computed."""
    extraction = results.protocol.extraction
    if "ivh" not in present(extraction):
        return ""
    kind, limits = binned(IVH, extraction.ivh), extraction.resegmentation
    ends = [
        *(["from the lower"] if limits.lower is not None else []),
        *(["to the upper"] if limits.upper is not None else []),
    ]
    over = f", in the image {' '.join(ends)} bound of the re-segmentation" if ends else ""
    return (
        f"The intensity-volume histogram was computed in {kind}"
        f"{over if extraction.ivh.bins is None else ''}."
    )
