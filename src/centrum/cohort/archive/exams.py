"""The exams of a tree of DICOM files that can be measured, and what was chosen and left out."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from centrum.cohort.archive.directory import directory_notes
from centrum.cohort.archive.index import ArchiveIndex, ArchiveSeries
from centrum.cohort.archive.masks import PlacedMask, place_masks
from centrum.cohort.archive.readers import readers_of
from centrum.cohort.archive.series import SeriesWanted, Verdict, judge_all, shown, source_of
from centrum.cohort.case import DEFAULT_SEQUENCE, Case, Identity
from centrum.cohort.findings import listed
from centrum.cohort.found_cases import CaseMaker, FoundExam
from centrum.cohort.schemes import Scheme
from centrum.io.dicom_header import series_code
from centrum.text import counted

WITHOUT_MASK, MASKS_NOT_TAKEN = "without a mask", "none of its masks was taken"
"""Why a series is left out that could be measured."""


@dataclass(frozen=True)
class ArchiveChoices:
    """What the user says of a tree of DICOM files.

    Attributes
    ----------
    wanted : which series is measured
    masks : pattern for the description or path of the masks that are taken, None for all
    readers : what names the readers, one of `readers.SOURCES`; None for what is there
    key : file of the codes of readers; None leaves their names
    """

    wanted: SeriesWanted = field(default_factory=SeriesWanted)
    masks: str | None = None
    readers: str | None = None
    key: Path | None = None

    @property
    def stated(self) -> bool:
        """Whether the user says something of series, masks or readers."""
        said = (self.wanted.pattern, self.masks, self.readers)
        return any(each is not None for each in said)


@dataclass(frozen=True, eq=False)
class ArchiveFinds:
    """What was found.

    Attributes
    ----------
    cases : without outcome
    identities : whose the codes of readers are
    notes : what was chosen and left out, in lines to print
    without_mask : sources of series that could be measured
    without_image : paths of masks that are not taken
    """

    cases: tuple[Case, ...]
    identities: tuple[Identity, ...]
    notes: tuple[str, ...]
    without_mask: tuple[str, ...]
    without_image: tuple[str, ...]


def find_exams(
    index: ArchiveIndex, choices: ArchiveChoices, labels: Scheme | None = None
) -> ArchiveFinds:
    """The cases of all exams whose image and masks are known.

    Raises
    ------
    ProtocolError
        Nothing names readers as `choices` has it.
    ManifestError
        The key file of the readers cannot be understood.
    DataError
        In no mask the levels of the scheme fit the anatomy.
    """
    verdicts = judge_all(index, choices.wanted)
    placed = place_masks(index, verdicts, choices.masks)
    drawn = [each for each in placed if each.series]
    readers, who = readers_of(drawn, index, choices.readers, choices.key)
    maker = CaseMaker(index.folder, labels)
    cases = maker.finished(_without_doubles(_exams(index, readers), index, maker))
    used = {case.images[DEFAULT_SEQUENCE] for case in cases}
    with_mask = {each.series for each in drawn}
    taken = {uid for uid in with_mask if source_of(index.series[uid], index) in used}
    alone = [uid for uid, v in verdicts.items() if not v.why_not and uid not in with_mask]
    notes = (
        _overview(index),
        *_notes_on_series(index, verdicts, taken, with_mask),
        *_notes_on_masks(index, placed, readers),
        *_notes_on_patients(index, drawn),
        *directory_notes(index),
        *maker.notes,
    )
    return ArchiveFinds(
        cases,
        who,
        notes,
        tuple(source_of(index.series[uid], index) for uid in alone),
        tuple(each.mask.path for each in placed if not each.series),
    )


def _exams(index: ArchiveIndex, readers: Mapping[PlacedMask, str]) -> dict[str, FoundExam]:
    """The series with masks by UID, named after their patients."""
    masks: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for placed, reader in readers.items():
        masks[placed.series][reader].append(placed.mask.path)
    series = sorted((index.series[uid] for uid in masks), key=_by_date)
    patients = [_patient(each) for each in series]
    count, seen = Counter(patients), Counter[str]()
    found = {}
    for each, patient in zip(series, patients, strict=True):
        seen[patient] += 1
        name = patient if count[patient] == 1 else f"{patient}_{seen[patient]}"
        source = source_of(each, index)
        images = {DEFAULT_SEQUENCE: source}
        found[each.uid] = FoundExam(name, patient, images, dict(masks[each.uid]), source)
    return found


def _by_date(series: ArchiveSeries) -> tuple[str, ...]:
    said = series.said
    order = (said["StudyDate"] or "", series.exam[1], f"{said['SeriesNumber'] or 0:>9}", series.uid)
    return (series.exam[0], *map(str, order))


def _patient(series: ArchiveSeries) -> str:
    """The patient's id; one without id is told apart by the study, whose UID stays out."""
    patient, study = series.exam
    return patient or series_code(study)


def _without_doubles(
    exams: Mapping[str, FoundExam], index: ArchiveIndex, maker: CaseMaker
) -> Iterator[Case]:
    """The cases, but those of exams of which several series have masks of what may be one body."""
    by_exam: dict[tuple[str, str], list[FoundExam]] = defaultdict(list)
    for uid, exam in exams.items():
        by_exam[index.series[uid].exam].append(exam)
    for several in by_exam.values():
        found = [maker.cases(exam) for exam in several]
        levels = [{case.level for case in cases} for cases in found]
        met = set[object]().union(*levels)
        if len(several) == 1 or (None not in met and len(met) == sum(map(len, levels))):
            yield from (case for cases in found for case in cases)
        else:
            sources = listed([exam.title for exam in several])
            maker.notes.append(
                f"{len(several)} series of one exam have masks of what may be one vertebra, and "
                f"none is taken: {sources}. Choose by --series"
            )


# What is told


def _overview(index: ArchiveIndex) -> str:
    """How many files there are, and of what."""
    parts = {
        "image series": len(index.series),
        "masks": len(index.masks),
        "copies of masks": len(index.copied),
        "other objects": len(index.others),
    }
    told = ", ".join(f"{n} {what}" for what, n in parts.items() if n)
    broken = listed(index.unreadable, 3)
    lost = f"; {len(index.unreadable)} that cannot be read: {broken}" if broken else ""
    return f"{len(index.files)} DICOM files: {told}{lost}"


def _notes_on_series(
    index: ArchiveIndex,
    verdicts: Mapping[str, Verdict],
    taken: Collection[str],
    with_mask: Collection[str],
) -> Iterator[str]:
    """Which series were taken, and why not the others; the most frequent reason first."""
    why = {uid: verdict.why_not for uid, verdict in verdicts.items()}
    for reason, uids in _by_reason({uid: why[uid] for uid in verdicts if uid in taken}):
        yield f"taken{f' although {reason}' if reason else ''}: {_told_series(index, uids)}"
    rest = {
        uid: MASKS_NOT_TAKEN if uid in with_mask else why[uid] or WITHOUT_MASK
        for uid in verdicts
        if uid not in taken
    }
    for reason, uids in _by_reason(rest):
        yield f"left out, {reason}: {_told_series(index, uids)}"


def _by_reason(why: Mapping[str, str]) -> list[tuple[str, list[str]]]:
    found = defaultdict(list)
    for uid, reason in why.items():
        found[reason].append(uid)
    return sorted(found.items(), key=lambda each: (-len(each[1]), each[0]))


def _told_series(index: ArchiveIndex, uids: Sequence[str]) -> str:
    """Series by their descriptions, with how many have each, and where the first lies."""
    series = [index.series[uid] for uid in uids]
    names = Counter(shown(each.said) or "no description" for each in series)
    words = [name if n == 1 else f"{name} ({n})" for name, n in names.most_common()]
    first = min(f"{folder}/" if folder else "./" for folder in series[0].in_folders())
    return f"{len(series)} series, {listed(words, 4)}, as {first}"


def _notes_on_masks(
    index: ArchiveIndex, placed: Sequence[PlacedMask], readers: Mapping[PlacedMask, str]
) -> Iterator[str]:
    counts = Counter(f"{each.mask.kind} by {reader}" for each, reader in readers.items())
    if counts:
        yield f"masks: {', '.join(f'{n} {what}' for what, n in sorted(counts.items()))}"
    told: dict[str, list[str]] = defaultdict(list)
    for each in placed:
        if each.told:
            told[f"{'taken' if each.series else 'left out'}, {each.told}"].append(each.mask.path)
        if each.series and _of_another(each, index):
            told["taken, although with another patient's id than the image"].append(each.mask.path)
    yield from (f"masks {what}: {listed(paths, 3)}" for what, paths in told.items())


def _of_another(placed: PlacedMask, index: ArchiveIndex) -> bool:
    """Whether a mask bears the id of another patient than its image, or was renamed alone."""
    own, other = (
        str(said["PatientID"] or "").strip()
        for said in (placed.mask.said, index.series[placed.series].said)
    )
    return bool(own and other and own != other)


def _notes_on_patients(index: ArchiveIndex, drawn: Sequence[PlacedMask]) -> Iterator[str]:
    """What makes it doubtful who is one patient; no id is told."""
    series = [index.series[each.series] for each in drawn]
    nameless = {each.exam for each in series if not each.exam[0]}
    if nameless:
        yield (
            f"{counted(len(nameless), 'exam')} without a patient's id: taken as of a patient each. "
            "Write one `patient` for those of one"
        )
    born = defaultdict(set)
    for each in series:
        born[each.exam[0]].add(each.said["PatientBirthDate"])
    mixed = [patient for patient, dates in born.items() if patient and len(dates - {None}) > 1]
    if mixed:
        yield (
            f"{counted(len(mixed), 'id')} of a patient with several dates of birth: taken as one "
            "patient. Write `patient` apart where there are two"
        )
