"""All that would stop a run, or go wrong in it: what `centrum check` says at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from centrum.cohort import Cohort, apply_rules
from centrum.cohort.findings import Problem
from centrum.cohort.manifest import examine_manifest, missing_files
from centrum.commands.problems import Problems
from centrum.commands.study import outlook
from centrum.errors import CentrumError, StorageDown
from centrum.execution import Progress, silent
from centrum.io import split_source
from centrum.io.objects import is_url
from centrum.io.paths import seen_from
from centrum.measure.case import ALL_READERS
from centrum.protocol import Protocol, examine_protocol, protocol_text
from centrum.store import tidy
from centrum.study.extraction import failures_of, findings_of, for_console, measure_all
from centrum.study.findings import EVERY_CASE, Failure, Finding
from centrum.study.sources import look_at_sources, with_sources
from centrum.study.study import (
    PROTOCOL,
    Study,
    manifest_options,
    manifest_path,
    open_study,
    refuse_nobody,
)
from centrum.study.tables import read_study_tables
from centrum.validation.foresight import WHICH_SEQUENCE, WITHOUT, foresee, foresee_images

Row = TypeVar("Row", Finding, Failure)
Looked = tuple[tuple[Failure, ...], tuple[Finding, ...]]


def check_study(folder: Path, *, workers: int = 1, progress: Progress = silent) -> Problems:
    """Read protocol, manifest and every file, and say all that is wrong.

    What is wrong in one of them does not keep the others from being looked at.

    Raises
    ------
    ProtocolError, ManifestError
        There is no protocol or manifest, or nothing in it can be understood.
    StorageDown
        Object storage cannot be reached.
    """
    study, found = _survey(folder)
    try:
        failures, noticed = _looked_at(_readable(study), workers, progress)
    except StorageDown:  # which images can be read is not known
        raise
    except CentrumError as error:
        return _problems(study, (*found, _stop(error)))
    return _problems(study, (*found, *_without(study, failures, found)), failures, noticed)


def _without(
    study: Study, failures: Sequence[Failure], found: Sequence[Finding]
) -> Iterator[Finding]:
    """What stops a run only because cases that cannot be measured are left out."""
    failed, known = {failure.case for failure in failures}, {finding.code for finding in found}
    kept = {case.id for case in study.cohort.cases} - failed
    if failed and kept:
        for finding in (f for f in foresee(study.only(kept)) if f.code not in known):
            yield replace(finding, message=f"{WITHOUT} {finding.message}")


def _looked_at(study: Study | None, workers: int, progress: Progress) -> Looked:
    return check_cases(study, workers=workers, progress=progress) if study else ((), ())


def check_cases(study: Study, *, workers: int = 1, progress: Progress = silent) -> Looked:
    """Read every image, mask and table of the study, without features, and say what is wrong.

    Raises
    ------
    DataError
        A link in `results` leads out of it.
    """
    if study.protocol.tables:
        read = with_sources(study, read_study_tables(study))
        return for_console(study, read.failures), for_console(study, read.findings)
    tidy(study.results)
    records = measure_all(study, workers, progress, features=False)
    gaps, told = look_at_sources(study)
    failures, findings = (*failures_of(study, records), *gaps), (*findings_of(records), *told)
    return for_console(study, failures), for_console(study, findings)


def foresee_run(folder: Path) -> tuple[Problems, tuple[str, ...]]:
    """What would stop a run, told without reading an image; and what a run would do.

    The latter is empty where something stops it. Raises as `check_study`.
    """
    study, found = _survey(folder)
    problems = _problems(study, found, tuple(_gone(study.cohort)))
    return problems, () if problems.stops else outlook(open_study(folder))


def _survey(folder: Path) -> tuple[Study, tuple[Finding, ...]]:
    """The study as far as its protocol and manifest can be understood, and what is wrong there."""
    protocol, faults = examine_protocol(protocol_text(folder / PROTOCOL), PROTOCOL)
    everyone, problems = examine_manifest(manifest_path(folder), **manifest_options(protocol))
    study, stops = _eligible(folder, protocol, everyone)
    return study, (
        *(Finding(EVERY_CASE, "", "error", f.code, f.message, PROTOCOL, f.remedy) for f in faults),
        *_of_manifest(everyone, problems),
        *stops,
        *foresee(study),
    )


def _of_manifest(cohort: Cohort, problems: Sequence[Problem]) -> Iterator[Finding]:
    """Problems of the table by case, and what was assumed."""
    name, cases = Path(cohort.source).name, {case.row: case.id for case in cohort.cases}
    for problem in problems:
        text = str(problem)
        text = text if problem.remedy in text else f"{text.rstrip('.')}. {problem.remedy}"
        case = cases.get(problem.row, EVERY_CASE)
        yield Finding(case, "", problem.severity, problem.code, text, name, problem.remedy)
    warned = {str(problem) for problem in problems}
    for note in (note for note in cohort.notes if note not in warned):
        yield Finding(EVERY_CASE, "", "note", "manifest", note, name)


def _eligible(
    folder: Path, protocol: Protocol, everyone: Cohort
) -> tuple[Study, tuple[Finding, ...]]:
    """The study with its eligible cases; with all of them where the rules cannot be applied."""
    outcomes = manifest_options(protocol)["outcomes"]
    whole = Study(folder, protocol, *apply_rules(everyone, (), outcomes=outcomes))
    if not everyone.cases:
        return whole, ()
    try:
        eligible = apply_rules(everyone, protocol.eligibility, outcomes=outcomes)
        study = Study(folder, protocol, *eligible)
        refuse_nobody(study)
    except CentrumError as error:
        return whole, (_stop(error),)
    return study, ()


def _stop(error: CentrumError) -> Finding:
    return Problems.of_error(error).stops[0]


def _readable(study: Study) -> Study | None:
    """The study without a choice of reader or sequence that its manifest lacks.

    None where the manifest has no image or no mask at all.
    """
    cohort, images = study.cohort, study.protocol.images
    if study.protocol.tables:
        return study
    if not (cohort.cases and cohort.readers and cohort.sequences):
        return None
    change: dict[str, object] = {}
    if images.reader not in cohort.readers:
        change["reader"] = None
    if WHICH_SEQUENCE in {finding.code for finding in foresee_images(study)}:
        change |= {"sequence": cohort.sequences[0], "sequences": (), "weighting": None}
    known = images.model_copy(update=change)
    return replace(study, protocol=study.protocol.model_copy(update={"images": known}))


def _gone(cohort: Cohort) -> Iterator[Failure]:
    for case, name, problem in missing_files(cohort):
        text = f"{problem.text}. {problem.remedy}"
        yield Failure(case.id, text, problem.code, name, problem.remedy)


def _problems(
    study: Study,
    surveyed: Sequence[Finding],
    failures: Sequence[Failure] = (),
    noticed: Sequence[Finding] = (),
) -> Problems:
    """Sorted by what they do to a run; a case whose row names no file is not told twice."""
    unnamed = {f.case for f in surveyed if f.code in ("no-image", "no-mask")}
    named = [failure for failure in failures if failure.case not in unnamed]
    rest = [f for f in surveyed if f.severity != "error"]
    places = _places(study)
    return Problems(
        cases=len(study.cohort),
        stops=tuple(f for f in surveyed if f.severity == "error"),
        failures=tuple(_placed(failure, places) for failure in named),
        findings=tuple(_placed(finding, places) for finding in (*rest, *noticed)),
    )


def _places(study: Study) -> dict[tuple[str, str], str]:
    """Where the files of a case lie, seen from the study, by case and their name or their reader.

    The reader of an image is `ALL_READERS`; that of the primary mask also "".
    """
    places: dict[tuple[str, str], str] = {}
    for case in study.cohort.cases:
        images = ((ALL_READERS, source) for source in case.images.values())
        for reader, source in (*case.drawn.items(), *images):
            path, _ = split_source(source)
            seen = path.name if is_url(source) else seen_from(study.folder, path)
            places |= {(case.id, path.name): seen, (case.id, reader): seen}
            places.setdefault((case.id, ""), seen)
    return places


def _placed(row: Row, places: Mapping[tuple[str, str], str]) -> Row:
    """The row with where its file lies; a finding that names none is about its reader's mask."""
    known = row.file or (row.reader if isinstance(row, Finding) else "")
    return replace(row, file=places.get((row.case, known), row.file))
