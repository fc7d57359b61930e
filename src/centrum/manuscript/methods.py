"""The Methods section of a paper, from a study's records.

Every sentence follows from the protocol or from what the run left behind; what the software
cannot know is a sentence of its own, "[Author: ...]".
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from types import MappingProxyType

from centrum.manuscript import (
    methods_added_value,
    methods_agreement,
    methods_explanation,
    methods_features,
    methods_images,
    methods_model,
    methods_plan,
    methods_population,
    methods_statistics,
    methods_tables,
    methods_validation,
)
from centrum.manuscript.passage import Passage
from centrum.protocol.inherited import stated
from centrum.report.results import StudyResults
from centrum.text import counted, listed, placeholder

FOLLOWED = "whether the study follows a published one, and where it departs from it"


@dataclass(frozen=True)
class Paragraph:
    """A paragraph under a heading; several may share one.

    Attributes
    ----------
    main : whether it stands in the paper itself; others are of the supplement
    items : a list that the text leads to
    """

    heading: str
    text: str
    main: bool = True
    items: tuple[str, ...] = ()


Text = Callable[[StudyResults], Passage]
"""A paragraph in either of the two places; empty where there is nothing to say."""


def software(results: StudyResults) -> Passage:
    """What it was computed with, and where the rest of the methods is told."""
    named = [f"{name} {version}" for name, version in results.versions.items()]
    return Passage(FURTHER, f"The study was computed with {listed(named)}.")


FURTHER = "All further settings, and the software, are in the supplementary methods."


def deviations(results: StudyResults) -> Passage:
    """Where the protocol departs from the study that it follows."""
    said = stated(results.protocol).deviations
    if not results.protocol.deviations:
        return Passage(supplement="The protocol states no deviations.")
    if not said:
        return Passage(placeholder(FOLLOWED))
    departures = counted(len(said), "deviation")
    return Passage(supplement=f"The protocol states {departures}:", items=said)


SECTIONS: Mapping[str, Sequence[Text]] = MappingProxyType(
    {
        "Study population": (methods_population.recruitment, methods_population.eligibility),
        "Images and segmentation": (
            methods_population.images,
            methods_population.segmentation,
            methods_population.overlap,
        ),
        "Image preparation": (
            methods_images.intensities,
            methods_images.regions,
            methods_images.resampling,
            methods_images.resegmentation,
            methods_images.discretisation,
        ),
        "Feature extraction": (
            methods_features.software,
            methods_features.families,
            methods_features.filters,
            methods_features.textures,
            methods_features.volume_histogram,
            methods_tables.sources,
        ),
        "Reproducibility of features": (
            methods_agreement.between_readers,
            methods_agreement.perturbed,
            methods_agreement.morphometry,
        ),
        "Model": (
            methods_model.inputs,
            methods_model.fusion,
            methods_model.preprocessing,
            methods_model.classification,
            methods_model.probabilities,
        ),
        "Validation": (
            methods_validation.design,
            methods_validation.out_of_fold,
            methods_validation.pooled,
        ),
        "Statistical analysis": (
            methods_statistics.cutoff,
            methods_statistics.discrimination,
            methods_statistics.calibration,
            methods_statistics.use,
            methods_statistics.subgroups,
            methods_statistics.readers,
            methods_agreement.of_the_score,
            methods_added_value.odds_ratios,
            methods_added_value.added_value,
            methods_explanation.explanation,
            methods_validation.ablation,
            methods_validation.sparse,
            methods_validation.optimism,
            methods_validation.permutations,
            methods_validation.leak_audit,
            methods_statistics.population_tests,
            methods_statistics.sample_size,
        ),
        "Software": (software,),
        "Deviations": (methods_plan.plan, deviations),
    }
)
"""Headings and their paragraphs, in their order."""


OF_TABLES: Mapping[str, Sequence[Text]] = MappingProxyType(
    {
        "Images and segmentation": (methods_tables.segmentation,),
        "Image preparation": (),
        "Feature extraction": (methods_tables.tables, methods_tables.sources),
    }
)
"""What a study of tables says under these headings instead."""


MOST_WORDS = 900
"""Of the Methods of a paper, headings and all."""

MOVED_FIRST: Sequence[Text] = (
    methods_statistics.subgroups,
    methods_added_value.odds_ratios,
    methods_agreement.morphometry,
    methods_agreement.perturbed,
    methods_validation.optimism,
    methods_validation.permutations,
    methods_statistics.readers,
    methods_statistics.use,
    methods_images.discretisation,
    methods_features.filters,
)
"""What goes into the supplement where the Methods would be too long, the first ones first."""


def methods_text(results: StudyResults, most: int = MOST_WORDS) -> tuple[Paragraph, ...]:
    """The paragraphs of the Methods section, in their order, then those of the supplement.

    A heading may have several, in each of the two. With more words than `most` in the paper those
    of `MOVED_FIRST` are in the supplement, as many as need be.
    """
    instead = OF_TABLES if results.protocol.tables else {}
    texts = [(heading, write) for heading, own in {**SECTIONS, **instead}.items() for write in own]
    passages = {write: write(results) for _, write in texts}
    for write in MOVED_FIRST:
        found = _paragraphs([(heading, passages[each]) for heading, each in texts])
        if word_count(found) <= most:
            break
        if write in passages:
            own = passages[write]
            passages[write] = Passage(supplement=own.whole, items=own.items)
    return _paragraphs([(heading, passages[each]) for heading, each in texts])


def word_count(paragraphs: Iterable[Paragraph]) -> int:
    """Words of what stands in the paper itself, each heading once."""
    return len(as_markdown(p for p in paragraphs if p.main).replace("#", "").split())


def _paragraphs(written: Sequence[tuple[str, Passage]]) -> tuple[Paragraph, ...]:
    return (
        *(Paragraph(heading, own.paper) for heading, own in written if own.paper),
        *(
            Paragraph(heading, own.supplement, False, own.items)
            for heading, own in written
            if own.supplement
        ),
    )


def as_markdown(paragraphs: Iterable[Paragraph]) -> str:
    """Markdown with each heading once, before the first of its paragraphs.

    >>> print(as_markdown([Paragraph("Model", "One."), Paragraph("Model", "Two.")]))
    ## Model
    <BLANKLINE>
    One.
    <BLANKLINE>
    Two.
    <BLANKLINE>
    """
    blocks: list[str] = []
    for heading, under in groupby(paragraphs, attrgetter("heading")):
        blocks += [f"## {heading}", *map(_markdown, under)]
    return "\n\n".join(blocks) + "\n"


def _markdown(paragraph: Paragraph) -> str:
    items = "\n".join(f"{k}. {text}" for k, text in enumerate(paragraph.items, 1))
    return f"{paragraph.text}\n\n{items}" if items else paragraph.text


PAPER, SUPPLEMENT = "Methods", "Supplementary methods"
"""What the two places are called."""


def methods_markdown(paragraphs: Sequence[Paragraph]) -> str:
    """The Methods as Markdown, and then those of the supplement."""
    return "\n".join(
        f"# {title}\n\n{as_markdown([p for p in paragraphs if p.main == main])}"
        for title, main in ((PAPER, True), (SUPPLEMENT, False))
    )
