"""Which image series can be the one that a study measures, and why the others are not.

What a header does not say is not guessed: such a series is taken where a mask was drawn on it, or
where the user names it.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from centrum.cohort.archive.index import ArchiveIndex, ArchiveSeries, Said
from centrum.io.facts import read_facts
from centrum.io.weighting import DESCRIPTIONS, described_weighting, told_weighting
from centrum.text import one_line

FEWEST_SLICES = 5
"""Localisers have fewer slices; a stack across the spine has 11 to 20."""

LOCALISER_WORDS = frozenset(("localizer", "localiser", "scout", "survey", "topogram", "loc"))
"""Words of descriptions of localisers."""

CONTRAST_WORDS = frozenset(("gd", "km", "contrast", "gadolinium"))
"""Words of descriptions of images after contrast agent."""

LONGEST_SHOWN = 40
"""Characters of a description that are shown."""

_TIMES = {
    "repetition_time_ms": "RepetitionTime",
    "echo_time_ms": "EchoTime",
    "inversion_time_ms": "InversionTime",
}


@dataclass(frozen=True)
class SeriesWanted:
    """What is measured.

    Attributes
    ----------
    weighting : that of the study, None for any
    plane : of the slices
    pattern : of the user for the description, number, code or folder; decides instead of these
    """

    weighting: str | None = "T2w"
    plane: str = "sagittal"
    pattern: str | None = None

    def describe(self) -> str:
        """In a few words.

        >>> SeriesWanted().describe()
        'sagittal T2w'
        """
        return self.pattern or " ".join(filter(None, (self.plane, self.weighting)))


@dataclass(frozen=True)
class Verdict:
    """What speaks against a series.

    Attributes
    ----------
    broken : why it cannot be read as one stack
    other : why it is not what is measured
    doubtful : what a mask that was drawn on it outweighs
    """

    broken: str = ""
    other: str = ""
    doubtful: str = ""

    @property
    def usable(self) -> bool:
        """Whether it can be measured if masks were drawn on it."""
        return not (self.broken or self.other)

    @property
    def why_not(self) -> str:
        """The first of the reasons."""
        return self.broken or self.other or self.doubtful


def judge(series: ArchiveSeries, wanted: SeriesWanted) -> Verdict:
    """What speaks against measuring a series."""
    broken = next(_broken(series), "")
    if wanted.pattern is not None:
        named = fits(wanted.pattern, _names(series))
        return Verdict(broken, "" if named else "not named by --series")
    return Verdict(broken, next(_other(series, wanted), ""), next(_doubtful(series, wanted), ""))


def judge_all(index: ArchiveIndex, wanted: SeriesWanted) -> dict[str, Verdict]:
    """The verdict on every series, by UID."""
    return {uid: judge(series, wanted) for uid, series in index.series.items()}


def fits(pattern: str, names: Iterable[str]) -> bool:
    """Whether one of the names fits a pattern with `*` and `?`, in small or capital letters.

    >>> fits("T2*sag", ["t2_tse_sag"]), fits("T2*sag", ["t2_tse_sag_fs"])
    (True, False)
    """
    return any(fnmatchcase(name.casefold(), pattern.casefold()) for name in names)


def source_of(series: ArchiveSeries, index: ArchiveIndex) -> str:
    """The series as `centrum.io.read_image` takes it, relative to the folder of the index."""
    whole = _whole(series)
    if not whole:
        return f"{_spread(series) or '.'}/#{series.code}"
    folder = min(whole)
    part = f"#{series.code}" if index.series_in[folder] > 1 else ""
    return f"{folder or '.'}/{part}"


def shown(said: Said) -> str:
    """A description to print or to call a reader by: without what names the patient.

    >>> shown({"SeriesDescription": "DOE T2 sag", "PatientName": "Doe^Jane", "PatientID": "47"})
    'T2 sag'
    """
    text = next((str(said[key]) for key in DESCRIPTIONS if said.get(key)), "")
    names = f"{said.get('PatientName')} {said.get('PatientID')} {said.get('PatientBirthDate')}"
    secret = {word for word in _words(names) if len(word) > 1}
    kept = [part for part in re.split(r"([^\W_]+)", text) if part.casefold() not in secret]
    return re.sub(r"\s+", " ", one_line("".join(kept))).strip(" _-^,")[:LONGEST_SHOWN]


def weighting_of(said: Said) -> str | None:
    """What the header says of the contrast: times, description, and suppression of fat.

    >>> times = {"RepetitionTime": 2500, "EchoTime": 105}
    >>> weighting_of(times), weighting_of(times | {"ScanOptions": ["PFP", "FS"]})
    ('T2w', 'T2w-FS')
    >>> weighting_of({"EchoTime": 105}) is None
    True
    """
    facts: dict[str, object] = {**read_facts({k: said.get(v) for k, v in _TIMES.items()}).facts}
    facts["scanning_sequence"] = said.get("ScanningSequence") or ""
    described = described_weighting(said.get(key) for key in DESCRIPTIONS)
    told = told_weighting(facts | ({"described_as": described} if described else {}))
    suppressed = "FS" in _several(said.get("ScanOptions"))
    return f"{told}-FS" if suppressed and told in ("T1w", "T2w", "PDw") else told


def _names(series: ArchiveSeries) -> Iterator[str]:
    """What the pattern of a user may name."""
    yield from (str(series.said[key]) for key in DESCRIPTIONS if series.said[key])
    yield str(series.said["SeriesNumber"])
    yield series.code
    yield from series.in_folders()


def _whole(series: ArchiveSeries) -> list[str]:
    """Folders that hold all of its slices."""
    wanted = {each.uid for each in series.slices}
    found = {
        folder: {each.uid for each in inside} for folder, inside in series.in_folders().items()
    }
    return [folder for folder, uids in found.items() if uids == wanted]


def _spread(series: ArchiveSeries) -> str | None:
    """The folder below which its slices lie in several; None where some lie in it itself."""
    folders = series.in_folders()
    base = os.path.commonpath([f"/{folder}" for folder in folders])[1:]
    return None if base in folders else base


def _broken(series: ArchiveSeries) -> Iterator[str]:
    whole = _whole(series)
    if len(series.exams) > 1:
        yield "one series UID in several exams"
    if not whole and _spread(series) is None:
        yield "slices lie in a folder and in others within it"
        return
    inside = series.in_folders()[min(whole)] if whole else series.slices
    if len({each.uid for each in inside}) < len(inside):
        yield "slices are there twice"
    elif len({each.position for each in inside} - {None}) < len(inside) and _is_stack(series):
        yield "several images at one position (echoes, time points)"


def _is_stack(series: ArchiveSeries) -> bool:
    """Whether all slices have a place, in one plane."""
    return _plane(series) not in ("", "mixed") and all(
        each.position is not None for each in series.slices
    )


def _other(series: ArchiveSeries, wanted: SeriesWanted) -> Iterator[str]:
    said = series.said
    if said["Modality"] != "MR" and wanted.weighting:
        yield f"{said['Modality'] or 'unknown'} modality"
    kinds = _several(said["ImageType"])
    if any(kind.startswith("LOCALI") for kind in kinds) or LOCALISER_WORDS & _described(said):
        yield "localiser"
    plane = _plane(series)
    if plane not in ("", wanted.plane):
        yield "several planes" if plane == "mixed" else plane
    weighting = weighting_of(said)
    if wanted.weighting and weighting not in (None, wanted.weighting):
        yield weighting or ""


def _doubtful(series: ArchiveSeries, wanted: SeriesWanted) -> Iterator[str]:
    said = series.said
    if {"DERIVED", "SECONDARY"} & set(_several(said["ImageType"])):
        yield "derived"
    if len({each.uid for each in series.slices}) < FEWEST_SLICES:
        yield f"fewer than {FEWEST_SLICES} slices"
    if not _plane(series):
        yield "plane not stated"
    if wanted.weighting and weighting_of(said) is None:
        yield "weighting not stated"
    if said["ContrastBolusAgent"] or CONTRAST_WORDS & _described(said):
        yield "with contrast agent"


def _plane(series: ArchiveSeries) -> str:
    planes = {each.plane for each in series.slices}
    return planes.pop() if len(planes) == 1 else "mixed"


def _several(value: object) -> list[str]:
    """The values of an entry that may have one or several, in capital letters."""
    values = value if isinstance(value, list) else [value]
    return [str(each).strip().upper() for each in values if each]


def _described(said: Mapping[str, object]) -> set[str]:
    return _words(" ".join(str(said[key]) for key in DESCRIPTIONS if said.get(key)))


def _words(text: str) -> set[str]:
    return set(re.findall(r"[^\W_]+", text.casefold()))
