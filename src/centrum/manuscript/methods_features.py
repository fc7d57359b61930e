"""Which features were computed, by whose definitions, on which images, how aggregated."""

from collections.abc import Iterator, Sequence

from centrum.features.aggregation import AGGREGATIONS, UNDIRECTED, undirected
from centrum.features.families import DIRECTED, FAMILIES, OF_RESPONSES, TEXTURES
from centrum.features.settings import ExtractionSettings
from centrum.filters.gradient import Gradient
from centrum.filters.riesz import RieszFilter
from centrum.manuscript.passage import Passage
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
from centrum.report.words.filters import FILTER_KINDS, filter_text
from centrum.text import counted, listed, number, numbers, quoted, sentences

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


def software(results: StudyResults) -> Passage:
    """With what, and by whose definitions, features were computed."""
    extraction = results.protocol.extraction
    version = results.versions.get("centrum", "")
    exact = "enclosing" in present(extraction)
    paper = sentences(
        f"Features were computed with centrum {version}.".replace(" .", "."),
        DIALECTS[extraction.dialect].told(extraction),
    )
    supplement = sentences(
        "For the smallest enclosing box and ellipsoid the IBSI has no consensus values."
        if exact
        else "",
        _energy(extraction),
    )
    return Passage(paper, supplement)


def _energy(settings: ExtractionSettings) -> str:
    if not settings.energy_shift or "statistics" not in present(settings):
        return ""
    return (
        f"Before energy and root mean square {number(settings.energy_shift)} was added to the "
        "intensities."
    )


def families(results: StudyResults) -> Passage:
    """Families with the number of features, and how many there are in all."""
    extraction, images = results.protocol.extraction, results.protocol.images
    further = images.sequences[1:]
    kept = present(without_shape(extraction))
    paper = sentences(_total(results), _filtered(extraction), _further_regions(results.regions))
    supplement = sentences(
        f"Of the image {_counted_families(extraction, present(extraction))} were computed.",
        f"Of each further sequence {_counted_families(extraction, kept)} were computed."
        if further
        else "",
        _responses(extraction),
        *_ratios(results),
        _undefined(results),
    )
    return Passage(paper, supplement)


def _further_regions(names: Sequence[str]) -> str:
    if not names:
        return ""
    word = "region" if len(names) == 1 else "regions"
    return f"The same features were computed of the further {word} {quoted(names)}."


def _ratios(results: StudyResults) -> Iterator[str]:
    for ratio in results.protocol.extraction.ratios:
        told = listed([FAMILY_WORDS[family].told for family in ratio.families])
        yield (
            f"Of {told} on the image itself, those of the region {quoted([ratio.of])} were also "
            f"divided by those of the region {quoted([ratio.to])}."
        )


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


def _filtered(settings: ExtractionSettings) -> str:
    """How many response maps were measured too, and of which filters."""
    if not settings.filters:
        return "No filter was applied to the images."
    n_maps = sum(len(chosen.names) for chosen in settings.filters)
    kinds = listed([*dict.fromkeys(FILTER_KINDS[chosen.filter] for chosen in settings.filters)])
    return f"Features were also computed on {counted(n_maps, 'response map')} of filters ({kinds})."


def _responses(settings: ExtractionSettings) -> str:
    if not settings.filters:
        return ""
    kept = [f for f in present(settings) if f in OF_RESPONSES]
    return (
        f"In the same voxels {_counted_families(settings, kept)} were computed on each response "
        "map."
    )


def _undefined(results: StudyResults) -> str:
    """How many features were left out because no region had a value of them."""
    table = results.table
    lost = [s for s in table.history if s.name == "leave out undefined"]
    undefined = len(lost[-1].parameters["features"]) if lost else 0
    if not undefined:
        return ""
    return (
        f"{counted(undefined, 'feature')} that no region had a value of {_were(undefined)} left "
        "out."
    )


def _total(results: StudyResults) -> str:
    n, extraction = len(results.table.measured.features), results.protocol.extraction
    labels = ", ".join(FAMILY_WORDS[name].label for name in present(extraction))
    kinds = f" ({labels})" if labels else ""
    return f"{counted(n, 'feature')} per case and reader {_were(n)} analysed{kinds}."


def _were(n: int) -> str:
    return "was" if n == 1 else "were"


def filters(results: StudyResults) -> Passage:
    """Filters with their parameters; nothing without them."""
    extraction = results.protocol.extraction
    if not extraction.filters:
        return Passage()
    named = [
        f"({k}) {filter_text(f, extraction.plane)}" for k, f in enumerate(extraction.filters, 1)
    ]
    over = "images" if extraction.interpolation is None else "interpolated images"
    supplement = sentences(
        f"Filters were applied to the {over}: {'; '.join(named)}.",
        "Which voxels of the region counted was decided on the image, before any filter.",
        IBSI_FILTERS if extraction.dialect == "ibsi" else "Filters were those of PyRadiomics.",
        _unreferenced(extraction),
    )
    return Passage(supplement=supplement)


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


def textures(results: StudyResults) -> Passage:
    """How texture matrices were counted and aggregated."""
    extraction = results.protocol.extraction
    kept = [name for name in present(extraction) if name in TEXTURES]
    if not kept:
        return Passage(supplement="No texture matrices were computed.")
    directed = [name for name in kept if name in DIRECTED]
    others = [name for name in kept if name not in DIRECTED]
    flat = any(AGGREGATIONS[a].by_slice for a in extraction.aggregations)
    supplement = sentences(
        _directed(directed, extraction),
        _undirected(others, extraction),
        f"Slices were {extraction.plane}." if flat else "",
        *_neighbours(kept, extraction),
    )
    return Passage(supplement=supplement)


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


def volume_histogram(results: StudyResults) -> Passage:
    """How the intensity-volume histogram was discretised, and over which range, if computed."""
    extraction = results.protocol.extraction
    if "ivh" not in present(extraction):
        return Passage()
    kind, limits = binned(IVH, extraction.ivh), extraction.resegmentation
    ends = [
        *(["from the lower"] if limits.lower is not None else []),
        *(["to the upper"] if limits.upper is not None else []),
    ]
    over = f", in the image {' '.join(ends)} bound of the re-segmentation" if ends else ""
    return Passage(
        supplement=f"The intensity-volume histogram was computed in {kind}"
        f"{over if extraction.ivh.bins is None else ''}."
    )
