"""Find the cases in a folder of images and write the manifest that the user then fills in."""

import os
import re
import shlex
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from unicodedata import normalize

from centrum.cohort.archive.exams import ArchiveChoices, find_exams
from centrum.cohort.archive.index import ArchiveIndex, index_files
from centrum.cohort.archive.series import SeriesWanted, judge_all, shown, source_of
from centrum.cohort.case import DEFAULT_READER, DEFAULT_SEQUENCE, Case, Cohort, Identity, column
from centrum.cohort.columns import FIELDS
from centrum.cohort.findings import listed
from centrum.cohort.found_cases import CaseMaker, FoundExam
from centrum.cohort.layouts import learn_layouts
from centrum.cohort.manifest import write_manifest
from centrum.cohort.patterns import ENDING, LAYOUTS, FolderLayout, case_name, match_all, match_known
from centrum.cohort.schemes import Scheme
from centrum.errors import CentrumError, ManifestError, ProtocolError, describe
from centrum.execution import Progress, silent
from centrum.io import list_segments, list_series
from centrum.io.paths import DANGLING, DEEPEST, FETCH, existing, is_dangling, seen_from
from centrum.io.weighting import named_weighting
from centrum.text import one_line

LEFT_BEHIND = ("__macosx", "thumbs.db", "desktop.ini")
"""Names of what macOS and Windows leave in folders, in small letters."""

MOST_LABELS = 80
"""An image with more values than this is no label map."""

ANY_ARCHIVE = ArchiveChoices()
"""Nothing is said of a tree of DICOM files."""

Given = tuple[str | None, str | None]
"""The patterns of images and masks that the user gave."""

_DICOM_MARK = (128, b"DICM")
_SLICER_SUFFIX = ".seg.nrrd"


@dataclass(frozen=True)
class Discovery:
    """The cases of a folder and what did not become one.

    Attributes
    ----------
    folder : where was looked
    layout : the patterns that matched; None where DICOM headers said what belongs together
    cases : without outcome; sources are paths relative to `folder`
    images_without_mask, masks_without_image, ignored : paths relative to `folder`
    notes : what was assumed, or could not be read
    identities : whose the codes among the names of readers are
    """

    folder: Path
    layout: FolderLayout | None
    cases: tuple[Case, ...]
    images_without_mask: tuple[str, ...]
    masks_without_image: tuple[str, ...]
    ignored: tuple[str, ...]
    notes: tuple[str, ...]
    identities: tuple[Identity, ...] = ()

    def summary(self) -> tuple[str, ...]:
        """What was found and what was not matched, in lines to print."""
        cohort = Cohort(self.cases)
        patients = len({case.patient for case in self.cases})
        unmatched = {
            "images without a mask": self.images_without_mask,
            "masks without an image": self.masks_without_image,
            "files ignored": self.ignored,
        }
        found = (
            f"images {self.layout.image}, masks {self.layout.mask}"
            if self.layout
            else "put together by what DICOM headers say"
        )
        return (
            f"{len(cohort)} cases of {patients} patients, {found}, "
            f"readers {', '.join(cohort.readers)}",
            *(f"{what} ({len(p)}): {listed(p, 10)}" for what, p in unmatched.items() if p),
            *self.notes,
        )

    def write(self, path: Path | str) -> None:
        """Write the manifest; what is not known of outcome, centre, age and sex is left to fill.

        Sources become relative to the folder of `path`. Errors as of `write_manifest`.
        """
        path, cohort = Path(path), Cohort(self.cases)
        described = (*FIELDS, *cohort.covariates)
        images = (column("image", name) for name in cohort.sequences)
        masks = (column("mask", name) for name in cohort.readers)
        base = Path(seen_from(path.parent.resolve(), self.folder.resolve()))
        rows = (_cells(case, cohort, described, base) for case in cohort.cases)
        write_manifest([*described, *images, *masks], rows, path)


def _cells(case: Case, cohort: Cohort, described: Iterable[str], base: Path) -> list[object]:
    known = {"case": case.id, **case.record()}
    sources = [case.images.get(name) for name in cohort.sequences]
    sources += [case.masks.get(name) for name in cohort.readers]
    paths = [(base / source).as_posix() if source else "" for source in sources]
    return [*map(known.get, described), *paths]


@dataclass
class _MatchedFiles:
    """Files of one layout, sorted into cases by id."""

    layout: FolderLayout
    images: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    masks: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    patients: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def cases(self) -> list[str]:
        """Ids with an image and a mask."""
        return [case for case in self.images if case in self.masks]

    def exam(self, name: str) -> FoundExam:
        """What was found of the case."""
        masks = {reader: (path,) for reader, path in self.masks[name].items()}
        return FoundExam(name, self.patients[name], self.images[name], masks)


def discover(
    folder: Path | str,
    *,
    image_pattern: str | None = None,
    mask_pattern: str | None = None,
    labels: Scheme | None = None,
    archive: ArchiveChoices = ANY_ARCHIVE,
    progress: Progress = silent,
) -> Discovery:
    """Find images and masks below `folder` and put them together to cases.

    A pattern is a path relative to `folder` with the placeholders {case}, {patient},
    {sequence}, {reader}, {ext} (an ending of image files) and `*`; an image pattern that
    ends with a slash is a folder of DICOM files. Without patterns the usual layouts
    (`centrum.cohort.patterns.LAYOUTS`) are tried and the one that matches most cases is
    taken. A mask file with several segments gives a case per segment, `{case}_{segment}`,
    with the level that the segment's name says, or its number in the scheme `labels`.

    Where there are DICOM masks that no layout has a place for, or several image series in a
    folder, headers say what belongs together, and names of files nothing; `archive` is what the
    user says of that.

    Raises
    ------
    ManifestError
        The folder does not exist, or holds no image with a mask.
    DataError
        In no label map the levels of the scheme fit the anatomy.
    """
    folder = Path(folder).resolve()
    if not folder.is_dir():
        raise ManifestError(f"there is no folder {folder.name!r} to look for images in")
    found = _files(folder)
    there = [path for path in found if not is_dangling(existing(folder / path))]
    files = [path for path in there if one_line(path) == path]
    strange = _notes_on_names(found, there, files)
    folders = _dicom_folders(folder, files)
    given = image_pattern, mask_pattern
    best = max(_matches(LAYOUTS, given, files, folders), key=lambda match: len(match.cases))
    if given == (None, None) and (
        archive_found := _of_archive(folder, best, files, labels, archive, progress)
    ):
        return replace(archive_found, notes=(*archive_found.notes, *strange))
    _check_meant(archive, folders)
    if not best.cases or (given == (None, None) and not _uses(best, files)):
        best = _better(folder, best, given, files, folders)
    best.notes += strange
    return _discovery(folder, best, files, labels, archive.wanted)


def _check_meant(choices: ArchiveChoices, folders: Sequence[str]) -> None:
    """Refuse choices among DICOM files where names of files decide."""
    if choices.masks is None and choices.readers is None and (folders or not choices.stated):
        return
    raise ProtocolError(
        "--series is about DICOM files, --segmentations and --readers about DICOM masks whose "
        "headers say what belongs together; here the names of files do.",
        remedy="Leave them out, or leave out --image and --mask.",
        code="not-dicom",
    )


def _notes_on_names(found: Sequence[str], there: Sequence[str], files: Sequence[str]) -> list[str]:
    """What is said of files that are links to nothing, or whose names no table can hold."""
    notes = []
    if strange := len(there) - len(files):
        notes.append(
            f"files left out, {strange}: a name with control characters, or of another encoding "
            "than this computer's, cannot stand in a table. Rename them"
        )
    return notes + [f"{path} is {DANGLING}. {FETCH}" for path in found if path not in {*there}]


def _of_archive(
    folder: Path,
    best: _MatchedFiles,
    files: Sequence[str],
    labels: Scheme | None,
    choices: ArchiveChoices,
    progress: Progress,
) -> Discovery | None:
    """The cases by what DICOM headers say; None where names of files do, or there are no masks.

    Raises
    ------
    ManifestError
        There are DICOM masks, and none of them has an image.
    """
    if not any(_is_dicom(folder / path) for path in files):
        return None
    index = index_files(folder, files, progress)
    if not index.masks or (not choices.stated and _is_for_names(best, index)):
        return None
    found = find_exams(index, choices, labels)
    if not found.cases:
        raise ManifestError(
            f"no DICOM image with a mask in {folder.name!r}.\n  " + "\n  ".join(found.notes),
            remedy="Choose by --series and --segmentations, or give --image and --mask as patterns "
            "of the names of files.",
            code="no-cases",
        )
    return Discovery(
        folder,
        None,
        found.cases,
        found.without_mask,
        found.without_image,
        index.foreign,
        found.notes,
        found.identities,
    )


def _is_for_names(match: _MatchedFiles, index: ArchiveIndex) -> bool:
    """Whether a layout has a place for every DICOM mask, and its folders hold one series each."""
    images = {path for by in match.images.values() for path in by.values()}
    masks = {path for by in match.masks.values() for path in by.values()}
    single = all(index.series_in[path.rstrip("/")] == 1 for path in images if path.endswith("/"))
    return bool(match.cases) and single and all(mask.path in masks for mask in index.masks)


def _uses(match: _MatchedFiles, files: Sequence[str]) -> bool:
    """Whether the match has a place for most files, so that no other layout is looked for."""
    used = sum(len(by) for kind in (match.images, match.masks) for by in kind.values())
    return 2 * used > sum(bool(re.search(rf"\\.{ENDING}$", path)) for path in files)


def _matches(
    layouts: Iterable[FolderLayout], given: Given, files: Sequence[str], folders: Sequence[str]
) -> list[_MatchedFiles]:
    """The match of each layout, with the given patterns instead of its own."""
    image, mask = given
    wanted = dict.fromkeys(FolderLayout(image or each.image, mask or each.mask) for each in layouts)
    return [_match(layout, files, folders) for layout in wanted]


def _better(
    folder: Path, best: _MatchedFiles, given: Given, files: Sequence[str], folders: Sequence[str]
) -> _MatchedFiles:
    """The match of the one layout that the names suggest, if it has more cases.

    Raises
    ------
    ManifestError
        There is no case otherwise, and no layout or more than one.
    """
    learnt = learn_layouts(files, folders, lambda path: _is_label_map(folder / path))
    matches = _matches(learnt, given, files, folders)
    if len(matches) == 1 and len(matches[0].cases) > len(best.cases):
        matches[0].notes.append(
            "the patterns were learnt from the names of the files: "
            f"{as_options(matches[0].layout)}. Give others if they are wrong"
        )
        return matches[0]
    if not best.cases:
        raise _nothing(folder, files, [match.layout for match in matches if match.cases])
    return best


def _is_label_map(path: Path) -> bool:
    """Whether a file holds few whole numbers, as labels are."""
    try:
        return len(list_segments(path)) <= MOST_LABELS
    except CentrumError:
        return False


def _files(folder: Path) -> list[str]:
    """Paths of all files below `folder`, relative to it; hidden ones are left out.

    Links to folders are followed, each real folder once, and `DEEPEST` folders down. Names are in
    the composed Unicode form, whichever they have on disk, so that those of one case are equal.
    """
    found, seen = [], set()
    for place, below, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        deep = place.count(os.sep) - str(folder).count(os.sep) >= DEEPEST
        below[:] = (
            [] if deep or real in seen else [name for name in below if not _is_left_behind(name)]
        )
        names = [] if real in seen else [name for name in names if not _is_left_behind(name)]
        seen.add(real)
        found += [Path(place, name).relative_to(folder).as_posix() for name in names]
    return sorted(normalize("NFC", path) for path in found)


def _is_left_behind(name: str) -> bool:
    """Whether a name is hidden, or that of what systems leave in folders unasked."""
    return name.startswith(".") or name.casefold() in LEFT_BEHIND


def _dicom_folders(folder: Path, files: Iterable[str]) -> list[str]:
    """Folders with a DICOM file in them, with a slash at the end."""
    inside = defaultdict(list)
    for path in files:
        inside[path.rpartition("/")[0]].append(folder / path)
    return [f"{name}/" for name, paths in inside.items() if name and any(map(_is_dicom, paths))]


def _is_dicom(path: Path) -> bool:
    """Whether a file is DICOM; nothing waits at a pipe, and what cannot be opened is told later."""
    offset, mark = _DICOM_MARK
    there = existing(path)
    if not there.is_file():
        return False
    try:
        with there.open("rb") as stream:
            return stream.read(offset + len(mark))[offset:] == mark
    except OSError:
        return False


def _match(layout: FolderLayout, files: Sequence[str], folders: Sequence[str]) -> _MatchedFiles:
    candidates = folders if layout.image.endswith("/") else files
    images = match_all(layout.image, (p for p in candidates if not p.endswith(_SLICER_SUFFIX)))
    masks = match_known(layout.mask, files, {found["case"] for found in images.values()})
    match = _MatchedFiles(layout)
    for path, found in images.items():
        if path not in masks:
            _put(match, match.images, "sequence", path, found)
            match.patients[case_name(found)] = found.get("patient", found["case"])
    for path, found in masks.items():
        _put(match, match.masks, "reader", path, found)
    return match


def _put(match: _MatchedFiles, kind: dict, by: str, path: str, found: Mapping[str, str]) -> None:
    default = {"sequence": DEFAULT_SEQUENCE, "reader": DEFAULT_READER}[by]
    first = kind[case_name(found)].setdefault(found.get(by, default), path)
    if first != path:
        match.notes.append(f"{path} is ignored: {first} is the same {by} of the same case")


def _discovery(
    folder: Path,
    match: _MatchedFiles,
    files: Sequence[str],
    labels: Scheme | None,
    wanted: SeriesWanted,
) -> Discovery:
    maker = CaseMaker(folder, labels, match.notes)
    found = [_with_series(folder, match.exam(name), files, wanted) for name in match.cases]
    cases = maker.all_cases(exam for exam, _ in found)
    match.notes += [note for _, notes in found for note in notes]
    used = {p for kind in (match.images, match.masks) for by in kind.values() for p in by.values()}
    rest = [p for p in files if p not in used and f"{p.rpartition('/')[0]}/" not in used]
    lonely_masks = match_all(match.layout.mask, rest)
    lonely_images = (by.values() for name, by in match.images.items() if name not in match.masks)
    return Discovery(
        folder,
        match.layout,
        cases,
        tuple(path for paths in lonely_images for path in paths),
        tuple(lonely_masks),
        tuple(path for path in rest if path not in lonely_masks),
        tuple(match.notes),
    )


def _with_series(
    folder: Path, exam: FoundExam, files: Sequence[str], wanted: SeriesWanted
) -> tuple[FoundExam, list[str]]:
    """The exam with the one series of each folder that is measured, and what is to be told.

    Of a folder that a pattern calls a sequence that is the one with its weighting.
    """
    images, notes = dict(exam.images), []
    for sequence, path in exam.images.items():
        if path.endswith("/"):
            named = SeriesWanted(named_weighting(sequence), wanted.plane)
            choice = wanted if sequence == DEFAULT_SEQUENCE else named
            images[sequence], told = _one_of_several(folder, path, files, choice)
            notes += told
    return replace(exam, images=images), notes


def _one_of_several(
    folder: Path, path: str, files: Sequence[str], wanted: SeriesWanted
) -> tuple[str, list[str]]:
    """The source of the only series of a DICOM folder that is measured, and what is told of it."""
    inside = [file for file in files if file.rpartition("/")[0] == path[:-1]]
    index = index_files(folder, inside)
    fits = [index.series[uid] for uid, v in judge_all(index, wanted).items() if not v.why_not]
    total = len(index.series)
    if total > 1 and len(fits) == 1:
        name = shown(fits[0].said) or fits[0].code
        note = f"{path}: taken is {name}, the one {wanted.describe()} of {total} image series"
        return source_of(fits[0], index), [note]
    unmet = f"{path}: --series fits {len(fits)} of {total} image series"
    doubt = [unmet] if wanted.pattern and len(fits) != 1 else []
    return path, doubt + _series_notes(folder, path)


def _series_notes(folder: Path, path: str) -> list[str]:
    try:
        series = [each for each in list_series(folder / path) if each.is_image]
    except CentrumError as error:
        return [f"{path} could not be read: {describe(error)}"]
    told = "; ".join(each.describe() for each in series)
    found = f"{path} holds {len(series)} image series, choose one as FOLDER#CODE: {told}"
    return [] if len(series) == 1 else [found]


def as_options(layout: FolderLayout) -> str:
    """A layout as the options of `centrum init`."""
    return f"--image {shlex.quote(layout.image)} --mask {shlex.quote(layout.mask)}"


def _nothing(folder: Path, files: Sequence[str], learnt: Sequence[FolderLayout]) -> ManifestError:
    """The error of a folder in which no image has a mask; proposes what the names suggest."""
    if learnt:
        place = shlex.quote(str(folder))
        commands = "\n".join(f"  centrum init {place} {as_options(each)}" for each in learnt)
        remedy = f"One of these may be right:\n{commands}"
    else:
        usual = "\n".join(f"  {each.image}  with  {each.mask}" for each in LAYOUTS)
        remedy = f"Give an image and a mask pattern, such as\n{usual}"
    return ManifestError(
        f"no image with a mask in {folder.name!r}. Found {len(files)} files: {listed(files, 10)}.",
        remedy=remedy,
        code="no-cases",
    )
