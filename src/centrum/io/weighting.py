"""Which weighting an image has: what names call it, and what its times say.

Names are those of manifest columns, files and series descriptions. Times are judged for spin
echoes; a gradient echo of the same times is weighted otherwise, and is not judged.

Sources: weighting by TR and TE as in IMAIOS e-MRI, "Signal weighting" (short TR about 500 ms,
long above 1500 ms; short TE below 30 ms, long about 90 ms), https://www.imaios.com/en/e-mri;
the inversion time that nulls fat is 150 ms at 1.5 T (there, "STIR") and about 240 ms at 3 T.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Literal

Weighting = Literal["T1w", "T2w", "PDw", "T1w-FS", "T2w-FS", "PDw-FS", "STIR"]
"""What a study can claim; FS is with suppression of fat, also by Dixon's method."""

SHORT_TR_MS, LONG_TR_MS = 1000.0, 1500.0
"""Up to the one T1 decides the contrast of a spin echo, from the other on it hardly does."""

SHORT_TE_MS, LONG_TE_MS = 30.0, 60.0
"""Up to the one T2 hardly decides it, from the other on it does; T2w spines have 80 to 120 ms."""

FAT_NULLED_MS = (100.0, 280.0)
"""Inversion times of STIR, from 1 T to 3 T."""

DESCRIPTIONS = ("SeriesDescription", "ProtocolName")
"""What a series is called, in DICOM and in a BIDS sidecar."""

_CONTRASTS = {"t1": "T1w", "t2": "T2w", "pd": "PDw"}
_WEIGHTED = ("w", "wi", "weighted")
_STIR = {"stir", "tirm"}
_FAT_SUPPRESSED = {"fs", "fatsat", "fatsup", "sat", "spair", "spir", "chess"}
_DIXON = {
    "water": {"w", "wat", "water"},
    "in phase": {"in", "ip", "inphase"},
    "fat or opposed phase": {"f", "fat", "op", "opp", "opposed", "out", "outphase"},
}
_OTHERS = {
    "T2*w": {"t2*", "t2star", "t2*w", "t2starw"},
    "a map of T1 or T2": {"t1map", "t2map", "map", "mapping"},
    "DWI": {"dwi", "adc"},
}
_TECHNIQUE = {
    "tse", "fse", "frfse", "se", "gre", "ffe", "fl2d", "fl3d", "vibe", "space", "spc", "flair",
    "dixon", "sag", "sagittal", "cor", "coronal", "ax", "axial", "tra", "gd", "ce", "km",
}  # fmt: skip
"""Words that stand beside a contrast in the names of sequences, and nowhere else."""

_PLAIN = {c + w: kind for c, kind in _CONTRASTS.items() for w in ("", *_WEIGHTED)}
_WORDS = {
    *_PLAIN, *_WEIGHTED, *_STIR, *_FAT_SUPPRESSED, *_TECHNIQUE,
    *(word for group in (*_DIXON.values(), *_OTHERS.values()) for word in group),
}  # fmt: skip
# Philips puts a letter before the contrast: sT2W_TSE is one with SENSE.
_ONE = "|".join(
    [*map(re.escape, sorted(_WORDS, key=len, reverse=True)), r"(?<![a-z])[a-z](?=t\dw)"]
)
_WORD, _TOKEN = re.compile(_ONE), re.compile(rf"(?:{_ONE})+")


def named_weighting(name: str) -> str | None:
    """The weighting that a name says; None where it says none, or several.

    Some names are of what no study can claim here, such as "T2*w": they differ from every claim.

    >>> [named_weighting(n) for n in ("T2", "t2w", "T2W_TSE", "T2_tse_sag", "sT2W", "T2 FSE")]
    ['T2w', 'T2w', 'T2w', 'T2w', 'T2w', 'T2w']
    >>> [named_weighting(n) for n in ("t1_tse_sag", "T2_TIRM", "t2_tse_fs", "t2_tse_dixon_W")]
    ['T1w', 'STIR', 'T2w-FS', 'T2w-FS']
    >>> [named_weighting(n) for n in ("T1w and T2w", "image", "PT1", "t2_dixon", "T2*")]
    [None, None, None, None, 'T2*w']
    """
    words = _known_words(name)
    contrasts = {_PLAIN[word] for word in words & _PLAIN.keys()}
    others = [other for other, known in _OTHERS.items() if words & known]
    if others and (contrasts or others != ["a map of T1 or T2"]):
        return others[0]
    if words & _STIR:
        return "STIR"
    if "flair" in words and contrasts != {"T1w"}:
        return "FLAIR"
    return _with_fat(contrasts.pop(), words) if len(contrasts) == 1 else None


def _known_words(name: str) -> set[str]:
    """The words of sequences in a name; what is no such word through and through is passed over."""
    tokens = re.findall(r"[a-z0-9*]+", name.casefold())
    return {word for token in tokens if _TOKEN.fullmatch(token) for word in _WORD.findall(token)}


def _with_fat(contrast: str, words: set[str]) -> str | None:
    """A contrast and what was done to fat; of Dixon's images only some are that contrast."""
    if "dixon" not in words:
        return f"{contrast}-FS" if words & _FAT_SUPPRESSED else contrast
    kinds = [kind for kind, known in _DIXON.items() if words & known]
    said = {"water": f"{contrast}-FS", "in phase": contrast}
    return said.get(kinds[0], "Dixon's fat or opposed phase") if len(kinds) == 1 else None


def described_weighting(descriptions: Iterable[object]) -> str | None:
    """The weighting that the first of the descriptions says that says one.

    >>> described_weighting([None, "LWS", "t2_tse_sag"])
    'T2w'
    """
    said = (named_weighting(str(text)) for text in descriptions if text)
    return next((weighting for weighting in said if weighting), None)


def _stands_alone(name: str) -> bool:
    """Whether a T1, T2 or PD is all that a name says: it may be a vertebra or a time point."""
    return _known_words(name) <= _CONTRASTS.keys()


def path_weighting(path: PurePath, *, alone: bool = True) -> str | None:
    """The weighting that a file's name says, else the nearest of its folders.

    Unless `alone`, a T1 or T2 without a further word of sequences says nothing: it may be a
    vertebra or a time point.

    >>> path_weighting(PurePath("T1_tse/P07/image.nrrd")), path_weighting(PurePath("P1_T2w.nii"))
    ('T1w', 'T2w')
    >>> path_weighting(PurePath("P1_T2.nii")), path_weighting(PurePath("P1_T2.nii"), alone=False)
    ('T2w', None)
    """
    for part in reversed(path.parts):
        said = named_weighting(part)
        if said and (not _stands_alone(part) or (alone and said != "PDw")):
            return said
    return None


def allowed_by_times(facts: Mapping[str, Any]) -> tuple[str, ...]:
    """Weightings that go with TR, TE and TI, the plain reading first; empty where they tell none.

    `facts` are called as in `centrum.measure.acquisition`. Suppression of fat by its frequency
    does not show in times, and a header may be silent about an inversion.

    >>> allowed_by_times({"repetition_time_ms": 2500, "echo_time_ms": 105})
    ('T2w', 'T2w-FS', 'STIR')
    >>> allowed_by_times({"repetition_time_ms": 550, "echo_time_ms": 11})
    ('T1w', 'T1w-FS')
    >>> allowed_by_times({"repetition_time_ms": 1200, "echo_time_ms": 11})
    ()
    """
    tr, te = facts.get("repetition_time_ms"), facts.get("echo_time_ms")
    ti = facts.get("inversion_time_ms") or 0.0
    if not tr or not te or "GR" in str(facts.get("scanning_sequence", "")):
        return ()
    if tr <= SHORT_TR_MS:
        return ("T1w", "T1w-FS") if te <= SHORT_TE_MS else ()
    if tr < LONG_TR_MS:
        return ()
    if FAT_NULLED_MS[0] <= ti <= FAT_NULLED_MS[1]:
        return ("STIR",)
    if te >= LONG_TE_MS:
        return ("T2w", "T2w-FS", "STIR") if not ti else ("FLAIR",)
    # A T1w FLAIR of the spine has a long TR, too, and an inversion that not every header tells.
    return ("PDw", "PDw-FS", "T1w", "T1w-FS") if te <= SHORT_TE_MS else ()


def told_weighting(facts: Mapping[str, Any]) -> str | None:
    """What a header says: its times, and within these its description.

    >>> times = {"repetition_time_ms": 2500, "echo_time_ms": 105}
    >>> told_weighting(times), told_weighting(times | {"described_as": "T2w-FS"})
    ('T2w', 'T2w-FS')
    """
    allowed, described = allowed_by_times(facts), facts.get("described_as")
    return described if described in allowed or not allowed else allowed[0]


@dataclass(frozen=True)
class Comparison:
    """An image held against the weighting that is claimed of it.

    Attributes
    ----------
    known_from : "times" where TR and TE are those of the claim, "name" where only a name says it,
        "" where nothing does
    contradiction : what speaks against the claim, a sentence; "" if nothing does
    doubt : a name that says something else than the times, which confirm the claim
    """

    known_from: Literal["times", "name", ""] = ""
    contradiction: str = ""
    doubt: str = ""


def compare(
    claimed: str | None,
    facts: Mapping[str, Any],
    path: PurePath,
    column: str = "",
    *,
    vertebra: bool = False,
) -> Comparison:
    """Hold an image against what is claimed of it; times count before names.

    Parameters
    ----------
    facts : of the acquisition; `described_as` is what the description of the series says
    path : of the file, as far as its folders belong to the study
    column : of the manifest, "" where it has no name of its own
    vertebra : whether the case is at T1 or T2, which a file name then may mean

    >>> compare("T2w", {"repetition_time_ms": 550, "echo_time_ms": 11}, PurePath("a")).contradiction
    'Repetition time 550 ms and echo time 11 ms are those of T1w.'
    >>> compare("T2w", {"described_as": "T1w"}, PurePath("a.nii")).contradiction
    'The description of the series says T1w.'
    >>> compare("T2w", {}, PurePath("a_T2w.nii")).known_from
    'name'
    """
    allowed, headed = allowed_by_times(facts), named_weighting(column)
    by_file = path_weighting(path, alone=not (headed or vertebra))
    where, said = _first_said(facts.get("described_as"), by_file, headed)
    if claimed is None:
        return Comparison("times" if allowed else "name" if said else "")
    if allowed and claimed not in allowed:
        return Comparison(contradiction=_times_said(facts, allowed[0]))
    other = f"{where} says {said}." if said not in (None, claimed) else ""
    if other and (not allowed or said in allowed):
        return Comparison(contradiction=other)
    if allowed and allowed[0] == claimed:
        return Comparison("times", doubt=other)
    return Comparison("name" if said == claimed else "")


def _first_said(
    described: str | None, by_file: str | None, headed: str | None
) -> tuple[str, str | None]:
    """Which name says a weighting, that of the scanner first, and which one."""
    names = {
        "The description of the series": described,
        "The name of the file": by_file,
        "The name of the column": headed,
    }
    return next(((where, said) for where, said in names.items() if said), ("", None))


def _times_said(facts: Mapping[str, Any], weighting: str) -> str:
    names = {
        "repetition time": "repetition_time_ms",
        "echo time": "echo_time_ms",
        "inversion time": "inversion_time_ms",
    }
    times = [f"{name} {facts[key]:g} ms" for name, key in names.items() if facts.get(key)]
    told = f"{', '.join(times[:-1])} and {times[-1]}"
    return f"{told[:1].upper()}{told[1:]} are those of {weighting}."
