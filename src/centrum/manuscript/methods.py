"""The Methods section of a paper, from a study's records.

Every sentence follows from the protocol or from what the run left behind; what the software
cannot know is a sentence of its own, "[Author: ...]".
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from centrum.manuscript import (
    methods_added_value,
    methods_agreement,
    methods_features,
    methods_images,
    methods_model,
    methods_plan,
    methods_population,
    methods_statistics,
    methods_tables,
    methods_validation,
)
from centrum.report.results import StudyResults
from centrum.text import listed


@dataclass(frozen=True)
class Paragraph:
    """A paragraph under a heading; several may share one."""

    heading: str
    text: str


Text = Callable[[StudyResults], str]
"""A paragraph; empty where there is nothing to say."""


def software(results: StudyResults) -> str:
    """What it was computed with."""
    named = [f"{name} {version}" for name, version in results.versions.items()]
    return f"The study was computed with {listed(named)}."


def deviations(results: StudyResults) -> str:
    """Where the protocol departs from the study that it follows."""
    said = results.protocol.deviations
    if not said:
        return "The protocol states no deviations."
    return " ".join(f"({k}) {text}" for k, text in enumerate(said, 1))


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
            methods_added_value.added_value,
            methods_validation.ablation,
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
        "Feature extraction": (methods_tables.tables,),
    }
)
"""What a study of tables says under these headings instead."""


def methods_text(results: StudyResults) -> tuple[Paragraph, ...]:
    """The paragraphs of the Methods section, in their order; a heading may have several."""
    instead = OF_TABLES if results.protocol.tables else {}
    return tuple(
        Paragraph(heading, text)
        for heading, texts in {**SECTIONS, **instead}.items()
        for write in texts
        if (text := write(results))
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
    heading = None
    for paragraph in paragraphs:
        if paragraph.heading != heading:
            heading = paragraph.heading
            blocks.append(f"## {heading}")
        blocks.append(paragraph.text)
    return "\n\n".join(blocks) + "\n"
