"""Cases of an image and its mask files: a case for each region, whichever reader drew it.

Regions of two readers belong together by level, else by name, else by where they lie on the image.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from centrum.agreement.overlap import dice
from centrum.cohort.case import Case
from centrum.cohort.findings import listed
from centrum.cohort.label_map import LabelMap, read_label_map
from centrum.cohort.levels import Level
from centrum.cohort.schemes import Scheme
from centrum.errors import CentrumError, describe
from centrum.io import read_image, read_mask
from centrum.volume import Mask

ONE_BODY = 0.5
"""Dice coefficient from which two regions are of one body; those of neighbours hardly meet."""

_PLAIN_NAME = re.compile(r"[^/\\#]+")


@dataclass(frozen=True)
class FoundExam:
    """An image of a patient and the mask files that were drawn on it.

    Attributes
    ----------
    name, patient : as the case and its patient are to be called
    images : source of each sequence, relative to the folder that is looked into
    masks : mask files of each reader, relative to it
    told : what messages call it; its name if empty
    """

    name: str
    patient: str
    images: Mapping[str, str]
    masks: Mapping[str, Sequence[str]]
    told: str = ""

    @property
    def title(self) -> str:
        """What messages call it."""
        return self.told or self.name


@dataclass(frozen=True)
class FoundRegion:
    """A region of a mask file: where it is, and the vertebra that its name or number says."""

    level: Level | None
    source: str


Regions = dict[str, FoundRegion]
"""Regions by the name of their level, else by their own."""


@dataclass
class CaseMaker:
    """Makes cases of exams, and keeps what is to be told about them.

    Attributes
    ----------
    folder : that the sources of exams are relative to
    labels : scheme of the numbers in masks
    notes : what was assumed, or could not be read
    about : what is noted of several mask files, with these
    doubts : why levels cannot be right
    """

    folder: Path
    labels: Scheme | None = None
    notes: list[str] = field(default_factory=list)
    about: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    doubts: list[CentrumError] = field(default_factory=list)

    def all_cases(self, exams: Iterable[FoundExam]) -> tuple[Case, ...]:
        """The cases of the exams; errors as of `finished`."""
        return self.finished(case for exam in exams for case in self.cases(exam))

    def finished(self, cases: Iterable[Case]) -> tuple[Case, ...]:
        """The cases that were made, once the notes are complete.

        Raises
        ------
        DataError
            In no mask the levels of the scheme fit the anatomy.
        """
        made = tuple(cases)
        if self.labels and self.doubts and not any(case.level for case in made):
            raise self.doubts[0]
        self.notes += [f"{listed(files, 3)}: {text}" for text, files in self.about.items()]
        return made

    def cases(self, exam: FoundExam) -> list[Case]:
        """The case of the exam, or one for each of its regions where a reader has several."""
        found = {r: self._regions_of_files(r, paths) for r, paths in exam.masks.items()}
        if all(len(regions) <= 1 for regions in found.values()):
            only = {r: region for r, regions in found.items() for region in regions.values()}
            groups = {"": only} if only else {}
        else:
            found = self._matched(exam, found)
            keys = dict.fromkeys(key for regions in found.values() for key in regions)
            groups = {
                f"_{key}": {r: own[key] for r, own in found.items() if key in own} for key in keys
            }
        for end, regions in groups.items():
            without = (r for r in found if r not in regions)
            self.notes += [f"case {exam.title}{end} has no mask by reader {r}" for r in without]
        return [self._case(exam, end, regions) for end, regions in groups.items()]

    def _case(self, exam: FoundExam, end: str, regions: Mapping[str, FoundRegion]) -> Case:
        levels = {region.level for region in regions.values() if region.level}
        if len(levels) > 1:
            told = listed(sorted(levels))
            self.notes.append(f"case {exam.title}{end}: the readers name {told}; level left empty")
        return Case(
            id=exam.name + end,
            patient=exam.patient,
            outcome="",
            level=levels.pop() if len(levels) == 1 else None,
            images=exam.images,
            masks={reader: region.source for reader, region in regions.items()},
        )

    # Regions of one reader

    def _regions_of_files(self, reader: str, paths: Sequence[str]) -> Regions:
        """The regions of a reader's files; none of those that several files have."""
        by_key: dict[str, list[FoundRegion]] = defaultdict(list)
        for path in paths:
            for key, region in self._regions(path).items():
                by_key[key].append(region)
        for key, several in by_key.items():
            if len(several) > 1:
                files = listed([region.source for region in several])
                self.notes.append(
                    f"reader {reader} has {len(several)} segmentations of {key}, none of which is "
                    f"taken: {files}. Choose by --segmentations, or tell readers apart by --readers"
                )
        return {key: several[0] for key, several in by_key.items() if len(several) == 1}

    def _regions(self, path: str) -> Regions:
        """The regions of a mask file by the name of their level, else by their own name."""
        try:
            found = read_label_map(self.folder / path, self.labels)
        except CentrumError as error:
            self.notes.append(f"{path} could not be read: {describe(error)}")
            return {}
        sure = self._sure(found, path)
        found = found if sure else read_label_map(self.folder / path)
        names = [label.segment.name for label in found.labels]
        regions: Regions = {}
        for label in found.regions:
            name, level = label.segment.name, label.level if sure else None
            key = level.name if level else _file_name(name or str(label.segment.label))
            if key in regions:
                self.notes.append(f"segment {name!r} of {path} is ignored: it is another {key}")
            else:
                clear = names.count(name) == 1 and _PLAIN_NAME.fullmatch(name)
                part = f"#{name if clear else label.segment.label}" if len(names) > 1 else ""
                regions[key] = FoundRegion(level, path + part)
        return regions

    def _sure(self, found: LabelMap, path: str) -> bool:
        """Whether the levels of a label map may be right; notes what it leaves open."""
        for label in found.labels:
            if label.is_empty:
                self.notes.append(f"segment {label.segment.name!r} of {path} is empty")
        try:
            found.check()
        except CentrumError as error:
            self.doubts.append(error)
            self.notes.append(f"{path}: level left empty. {describe(error)}")
            return False
        if not found.oriented and any(label.level for label in found.labels):
            unchecked = "it does not say how it lies: the order of levels is not checked"
            self.about[unchecked].append(path)
        if found.tabled and any(label.level for label in found.labels):
            said = f"levels are those of the table in the file{_of(found.scheme)}"
            self.about[said].append(path)
        if any(label.segment.proposal for label in found.regions):
            self.about["proposed by centrum and drawn by no reader"].append(path)
        if why := found.unusual_size():
            self.about[f"the sizes are not those of the levels: {why}"].append(path)
        if found.unplaced:
            unchecked = "contours: the order of levels is checked when they are measured"
            self.about[unchecked].append(path)
        if left_out := found.left_out():
            self.about[f"left out, no vertebrae: {left_out}"].append(path)
        if found.numbers:
            self.about[f"level left empty: {found.hint()}; see --labels"].append(path)
        return True

    # Regions of several readers

    def _matched(self, exam: FoundExam, found: Mapping[str, Regions]) -> dict[str, Regions]:
        """The regions of readers with one key for one body, where their own keys differ."""
        shared = set.intersection(*map(set, found.values()))
        rest = {r: {k: v for k, v in own.items() if k not in shared} for r, own in found.items()}
        if sum(map(bool, rest.values())) < 2:
            return dict(found)
        keys = self._keys_by_place(exam, rest)
        return {
            r: {keys.get((r, key), key): region for key, region in own.items()}
            for r, own in found.items()
        }

    def _keys_by_place(
        self, exam: FoundExam, rest: Mapping[str, Regions]
    ) -> dict[tuple[str, str], str]:
        """A common key for regions of two readers that are of one body, that of a level first."""
        try:
            masks = dict(self._masks(exam, rest))
        except CentrumError as error:
            self.notes.append(f"case {exam.title}: regions not compared. {describe(error)}")
            return {}
        keys: dict[tuple[str, str], str] = {}
        notes = []
        for (one, a), (other, b) in combinations(masks, 2):
            if one == other or dice(masks[one, a].array, masks[other, b].array) < ONE_BODY:
                continue
            first, second = rest[one][a], rest[other][b]
            key = keys.get((one, a)) or (b if second.level and not first.level else a)
            keys |= {(one, a): key, (other, b): key}
            told = f"{first.source} and {second.source}"
            notes.append(f"{told} are of one body by where they lie: {key}")
        if _collide(rest, keys):
            notes, keys = [f"case {exam.title}: regions overlap, and are not compared"], {}
        self.notes += notes
        return keys

    def _masks(
        self, exam: FoundExam, rest: Mapping[str, Regions]
    ) -> Iterator[tuple[tuple[str, str], Mask]]:
        image = read_image(self.folder / next(iter(exam.images.values())))
        for reader, own in rest.items():
            for key, region in own.items():
                yield (reader, key), read_mask(self.folder / region.source, image)


def _collide(rest: Mapping[str, Regions], keys: Mapping[tuple[str, str], str]) -> bool:
    """Whether two regions of a reader would get one key."""
    renamed = {r: [keys.get((r, key), key) for key in own] for r, own in rest.items()}
    return any(len(set(found)) < len(found) for found in renamed.values())


def _of(scheme: Scheme | None) -> str:
    """What the table of a file says of its masks."""
    if scheme is None:
        return ""
    whole = ", whole vertebrae; see --region" if scheme.whole else ""
    return f" ({scheme.title}{whole})"


def _file_name(name: str) -> str:
    return re.sub(r"[/\\#\s]+", "_", name)
