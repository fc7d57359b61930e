"""The verb `manuscript`: what a paper about a study needs, from the study's own records."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from centrum.commands.results import MODEL
from centrum.commands.study import collect
from centrum.execution import Progress, expect_workers, silent
from centrum.frozen.external_record import read_external
from centrum.manuscript.abstract import abstract_text
from centrum.manuscript.answers import StudyFacts
from centrum.manuscript.cards import data_sheet, model_card
from centrum.manuscript.checklists import (
    CHECKLISTS,
    ChecklistName,
    FilledItem,
    checklist,
    checklist_table,
    fill,
    metrics_score,
)
from centrum.manuscript.docx import Heading, Part, Prose, manuscript_docx
from centrum.manuscript.figures import write_figures
from centrum.manuscript.kit import cited_texts, study_parts
from centrum.manuscript.limitations import limitations_text
from centrum.manuscript.methods import Paragraph, as_markdown, methods_markdown, methods_text
from centrum.manuscript.results import results_text
from centrum.manuscript.results_external import (
    external_block,
    external_text,
    room_beside,
    with_external,
)
from centrum.report.build import drawn_document, sections_of
from centrum.report.drawing import FOLDER as PICTURES
from centrum.report.results import StudyResults
from centrum.store import Store, write_atomically
from centrum.study.extraction import load_extraction
from centrum.study.stage_keys import KEYS, refuse_stale
from centrum.study.study import Study
from centrum.text import counted

FOLDER = "manuscript"
"""Of a study's results."""

WRITTEN = (
    "manuscript.docx", "checklists.docx", "abstract.md", "methods.md", "results.md",
    "limitations.md", "model-card.md", "data-sheet.md",
)  # fmt: skip
"""The files beside the checklists' own tables and the figures."""

WHAT = "Writing the manuscript"


def write_manuscript(
    study: Study,
    *,
    external: Path | None = None,
    workers: int = 1,
    progress: Progress = silent,
) -> tuple[str, ...]:
    """Leave results/manuscript: Word document, figures, methods, checklists, cards.

    Parameters
    ----------
    external : folder that `centrum validate` left for this study's model

    Returns
    -------
    Lines that say what was written, and how much of the checklists is filled in.

    Raises
    ------
    CentrumError
        The study was not run, or the validation is of another model.
    """
    refuse_stale(study, "manuscript")
    if workers > 1:
        expect_workers()
    progress(WHAT, 0, 4)
    results, folder = collect(study), study.results / FOLDER
    facts = _facts(study, external)
    pictures = Store(study.results / PICTURES)
    blocks = [*sections_of(results), *external_block(results, facts)]
    abstract = abstract_text(results, facts.external)
    found = (*results_text(results), *external_text(results, facts))
    methods = methods_text(results, room_beside(results, facts))
    text = with_external(methods, results, facts)
    limits = limitations_text(results, facts.external)
    cited = cited_texts(abstract, text, found, limitations=limits)
    report = drawn_document(blocks, pictures, workers, cited)
    numbers = report.numbers
    progress(WHAT, 1, 4)
    parts = study_parts(report, text, abstract=abstract, results=found, limitations=limits)
    document = manuscript_docx(results.title, parts, results.simulated, reviewed=True)
    answers = {
        name: [answer.numbered(numbers) for answer in fill(results, name, facts)]
        for name in CHECKLISTS
    }
    contents = (
        document,
        _checklists_docx(results, answers),
        as_markdown(abstract).encode(),
        numbers.resolve(methods_markdown(text)).encode(),
        numbers.resolve(as_markdown(found)).encode(),
        numbers.resolve(as_markdown([Paragraph("Limitations", limits)])).encode(),
        numbers.resolve(model_card(results, facts)).encode(),
        numbers.resolve(data_sheet(results, facts)).encode(),
    )
    texts = {
        **dict(zip(WRITTEN, contents, strict=True)),
        **{f"{name}.csv": checklist_table(name, a).csv().encode() for name, a in answers.items()},
    }
    for name, content in texts.items():
        write_atomically(folder / name, content)
    progress(WHAT, 2, 4)
    figures = write_figures(report.pictures, folder / "figures", pictures, workers)
    files = [*(folder / name for name in texts), *figures]
    study.stages.done("manuscript", KEYS["manuscript"](study), files)
    progress(WHAT, 4, 4)
    return (
        f"{counted(len(texts), 'file')} and {counted(len(figures), 'file')} of figures (SVG, PDF, "
        f"TIFF) in {folder}",
        *(_filled(name, a) for name, a in answers.items()),
    )


def _facts(study: Study, external: Path | None) -> StudyFacts:
    acquisition = load_extraction(study).acquisition
    return StudyFacts(
        acquisition=acquisition if len(acquisition.columns) else None,
        external=None if external is None else read_external(external, _own_model(study)),
        exported_model=(study.results / MODEL).is_file(),
        methods=True,
    )


def _own_model(study: Study) -> str:
    """SHA-256 of the study's frozen model."""
    return study.stages.result(MODEL, lambda path: str(json.loads(path.read_bytes())["sha256"]))


def _checklists_docx(
    results: StudyResults, answers: Mapping[ChecklistName, Sequence[FilledItem]]
) -> bytes:
    parts: list[Part] = []
    for name, own in answers.items():
        parts += [
            Heading(checklist(name).title),
            Prose(_filled(name, own)),
            checklist_table(name, own),
        ]
    return manuscript_docx(f"{results.title}: checklists", parts, results.simulated)


def _filled(name: str, answers: Sequence[FilledItem]) -> str:
    """How many items the records answer, and the score where the list has one."""
    author = sum(answer.status == "author" for answer in answers)
    score = f"; score {metrics_score(answers).text}" if name == "METRICS" else ""
    return (
        f"{name}: {len(answers) - author} of {len(answers)} items from the study's records, "
        f"{author} for the author{score}"
    )
