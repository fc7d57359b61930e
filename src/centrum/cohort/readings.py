"""What was read in the reading room, as it lies in a study's folder `readings/`.

`readings/<reader>/<session>/signed.json` holds a record for each signed case, by its token, beside
the mask `<token>.seg.nrrd`. This is the one reader and writer of those files. Whose case a token is
stands in the room's tickets, and after closing in the manifest, whose masks lie here.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePath
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from centrum.errors import DataError
from centrum.io.objects import is_url
from centrum.io.paths import split_source
from centrum.io.structured import read_json
from centrum.provenance import canonical_json
from centrum.store import write_atomically
from centrum.text import STEM_BYTES

READINGS = "readings"
"""Folder of the readings in that of the study; raw data, never among results."""

SIGNED = "signed.json"

MASK_ENDING = ".seg.nrrd"

CONSENSUS = "consensus"
"""Who reads the masks that were adjudicated; no reader of a room may be called so."""

SliceProvenance = Literal[
    "drawn", "filled", "filled_corrected", "proposed", "proposed_corrected", "nobody"
]
"""How the outline of a slice came about: drawn by hand from nothing; filled between drawn slices,
left as it was or corrected; proposed by another program, likewise; reviewed, with no body on it."""

PROVENANCES: tuple[SliceProvenance, ...] = get_args(SliceProvenance)

QualityFlag = Literal["motion", "artefact", "wrong_level", "not_measurable"]
"""What a reader says of an image."""

FLAGS: tuple[QualityFlag, ...] = get_args(QualityFlag)

Convention = Literal["outer_edge", "mid_cortex", "marrow_edge"]
"""Where a study draws the outline: around the dark cortex, along its middle, within it."""

Name = Annotated[str, Field(pattern=r"\S", max_length=STEM_BYTES)]
Count = Annotated[int, Field(ge=0)]
_NAME = re.compile(r"[^/\\]+")


class _RoomRecord(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class LevelMark(_RoomRecord):
    """Where a reader placed the level, in the grid that the room shows.

    Attributes
    ----------
    slice : number of the acquired slice, from 0
    x, y : along columns and rows, in pixels; the centre of the first pixel is (0, 0)
    """

    slice: Count
    x: float
    y: float


class ReadingRecord(_RoomRecord):
    """What is known of one signed case of one reader.

    Attributes
    ----------
    digest : of the mask
    seconds : active time, without idling
    strokes : how often each tool was used
    provenance : of every acquired slice, None where there is neither outline nor word
    quality : flags that the reader set
    comment : of the reader; may hold anything, and is never reported
    level : where the level was placed, None where the room does not ask
    signed_utc : when, ISO 8601
    journal_line : number of the line of the journal that signed it
    taken_from : of a consensus, the reader whose outline it is, or from what it was drawn anew

    >>> record = ReadingRecord(digest="ab", seconds=90, provenance=("nobody", "drawn", "filled"))
    >>> record.slices("drawn", "filled")
    (1, 2)
    """

    digest: str
    seconds: float = Field(ge=0)
    strokes: Mapping[str, Count] = {}
    provenance: tuple[SliceProvenance | None, ...]
    quality: tuple[QualityFlag, ...] = ()
    comment: str = ""
    level: LevelMark | None = None
    signed_utc: str = ""
    journal_line: Count = 0
    taken_from: str = ""

    def slices(self, *provenances: SliceProvenance) -> tuple[int, ...]:
        """The slices of which this is the provenance."""
        return tuple(k for k, found in enumerate(self.provenance) if found in provenances)


class ReadingPlace(_RoomRecord):
    """Where a signed case lies: who read it, in which session, and its token.

    >>> place = ReadingPlace(reader="reader1", session="first", token="0f")
    >>> place.source
    'readings/reader1/first/0f.seg.nrrd'
    >>> ReadingPlace.of("my-study/readings/reader1/first/0f.seg.nrrd#L1") == place
    True
    >>> ReadingPlace.of("masks/reader1/0f.seg.nrrd") is None
    True
    """

    reader: Name
    session: Name
    token: Name

    @property
    def source(self) -> str:
        """Path of the mask, seen from the folder of the study, as a manifest has it."""
        return f"{READINGS}/{self.reader}/{self.session}/{self.token}{MASK_ENDING}"

    @classmethod
    def of(cls, source: str) -> "ReadingPlace | None":
        """The place of a mask by its source; None where that does not lie among readings."""
        if is_url(source):
            return None
        path, _ = split_source(source)
        *_, folder, reader, session, file = ("", "", "", *path.parts)
        if folder != READINGS or not file.endswith(MASK_ENDING):
            return None
        return cls(reader=reader, session=session, token=file.removesuffix(MASK_ENDING))


SignedReadings = Mapping[str, ReadingRecord]
"""Record by token, of one reader and session."""

_SIGNED = TypeAdapter(dict[str, ReadingRecord])


def signed_path(study: Path, reader: str, session: str) -> Path:
    """Where the records of a reader's session lie.

    Raises
    ------
    DataError
        The reader or the session has a name that leads to another folder.
    """
    for name in (reader, session):
        if not _NAME.fullmatch(name) or name in (".", ".."):
            raise DataError(
                f"A reader and a session name folders: no slash in them, found {name!r}.",
                remedy="Correct readings/room.yaml.",
                code="bad-reader",
            )
    return study / READINGS / reader / session / SIGNED


def read_signed(study: Path, reader: str, session: str) -> dict[str, ReadingRecord]:
    """What a reader has signed in a session, by token; empty where that is nothing yet.

    Raises
    ------
    DataError
        The file is not what `write_signed` wrote; code "bad-reading".
    """
    path = signed_path(study, reader, session)
    if not path.exists():
        return {}
    try:
        return _SIGNED.validate_python(read_json(path, DataError))
    except ValidationError as error:
        told = f"{SIGNED} of {reader}, session {session}"
        remedy = "It is written by the reading room alone: take it back from the backup."
        raise _refusal(path, told, remedy, error) from error


def write_signed(study: Path, reader: str, session: str, signed: SignedReadings) -> Path:
    """Write all that a reader has signed in a session, in place of what was there; the path."""
    path = signed_path(study, reader, session)
    records = {token: record.model_dump(mode="json") for token, record in signed.items()}
    write_atomically(path, canonical_json(records).encode() + b"\n")
    return path


# What closing leaves for the report

SlicesMade = Literal["drawn", "filled", "proposed", "one_only"]
"""How the outlines of one slice came about: drawn by both; filled between drawn slices by at least
one, corrected or not; proposed to at least one, likewise; outlined by one of the two alone."""

SLICES_MADE: tuple[SlicesMade, ...] = get_args(SlicesMade)


class SlicePair(_RoomRecord):
    """One acquired slice as two readers outlined it.

    Attributes
    ----------
    slice : its number, from 0
    a, b : provenance of each outline
    pixels_a, pixels_b, common : how many each covers, and both
    """

    slice: Count
    a: SliceProvenance | None
    b: SliceProvenance | None
    pixels_a: Count
    pixels_b: Count
    common: Count

    @property
    def dice(self) -> float:
        """The Dice coefficient of the slice; 0 where only one has outlined it.

        >>> SlicePair(slice=0, a="drawn", b="drawn", pixels_a=6, pixels_b=4, common=4).dice
        0.8
        """
        return 2 * self.common / (self.pixels_a + self.pixels_b)

    @property
    def made(self) -> SlicesMade:
        """How the two outlines came about.

        >>> SlicePair(slice=0, a="drawn", b="filled", pixels_a=6, pixels_b=4, common=4).made
        'filled'
        """
        if not (self.pixels_a and self.pixels_b):
            return "one_only"
        own = {self.a, self.b}
        if own & {"proposed", "proposed_corrected"}:
            return "proposed"
        return "filled" if own & {"filled", "filled_corrected"} else "drawn"


class ReadingPair(_RoomRecord):
    """Two signed readings of one case.

    Attributes
    ----------
    reader_a, reader_b : names of their columns in the manifest
    token_a, token_b : of the readings
    intra : whether one reader read twice; else two readers are compared
    slices : those on which at least one has an outline
    level_mm : how far apart the marks of the level lie along the spine; None without both marks
    height_mm : of the lower of the two outlined bodies; None without an outline
    """

    reader_a: str
    reader_b: str
    token_a: str
    token_b: str
    intra: bool = False
    slices: tuple[SlicePair, ...] = ()
    level_mm: float | None = None
    height_mm: float | None = None

    @property
    def other_level(self) -> bool:
        """Whether the marks lie further apart than half a body is high.

        >>> names = dict(reader_a="1", reader_b="2", token_a="0f", token_b="1e")
        >>> ReadingPair(**names, level_mm=14, height_mm=26).other_level
        True
        """
        if self.level_mm is None or self.height_mm is None:
            return False
        return 2 * self.level_mm > self.height_mm


class ClosedRoom(_RoomRecord):
    """What a closed room tells the report beside the signed records: choices, and agreement.

    Attributes
    ----------
    convention : where outlines run
    order_seed : of the order of the cases, which differs from reader to reader
    shown : what readers were told beside the image: "age", "sex", "sequences"
    assistance : which aids there were: "fill", "livewire", "growcut", "proposals"
    scratch_share : share of the cases that were drawn without a proposal; None without proposals
    training : number of phantoms for practice, and the Dice coefficient that passed; None without
    digests : of the signed masks, by the paths that the manifest has
    pairs : of readings of one case, by two readers or by one reader twice
    """

    convention: Convention
    order_seed: int
    shown: tuple[str, ...] = ()
    assistance: tuple[str, ...] = ()
    scratch_share: float | None = None
    training: tuple[int, float] | None = None
    digests: Mapping[str, str] = {}
    pairs: tuple[ReadingPair, ...] = ()


CLOSED = "closed.json"


def read_closed(study: Path) -> ClosedRoom | None:
    """What closing left; None where the room was not closed.

    Raises
    ------
    DataError
        The file is not what `write_closed` wrote; code "bad-reading".
    """
    path = study / READINGS / CLOSED
    if not path.exists():
        return None
    try:
        return ClosedRoom.model_validate(read_json(path, DataError))
    except ValidationError as error:
        raise _refusal(path, CLOSED, "Run `centrum read --close` again.", error) from error


def write_closed(study: Path, closed: ClosedRoom) -> Path:
    """Write what closing leaves; the path."""
    path = study / READINGS / CLOSED
    write_atomically(path, canonical_json(closed.model_dump(mode="json")).encode() + b"\n")
    return path


def _refusal(path: Path, told: str, remedy: str, error: ValidationError) -> DataError:
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    return DataError(
        f"{told}: {place}: {first['msg']}.", remedy=remedy, code="bad-reading", file=path
    )


def counted_provenance(records: Iterable[ReadingRecord]) -> dict[SliceProvenance, int]:
    """Number of slices of each provenance, all of them named.

    >>> one = ReadingRecord(digest="", seconds=0, provenance=("drawn", None, "drawn", "filled"))
    >>> {name: n for name, n in counted_provenance([one, one]).items() if n}
    {'drawn': 4, 'filled': 2}
    """
    found = Counter(name for record in records for name in record.provenance if name)
    return {name: found[name] for name in PROVENANCES}


def sessions_in(study: Path) -> Iterator[tuple[str, str]]:
    """Reader and session of every file of records, in alphabetic order."""
    for path in sorted((study / READINGS).glob(f"*/*/{SIGNED}")):
        yield path.parent.parent.name, path.parent.name


def places_of(masks: Mapping[str, PurePath | str]) -> dict[str, ReadingPlace]:
    """By the manifest's reader, the places of those masks of a case that lie among readings."""
    found = {reader: ReadingPlace.of(str(source)) for reader, source in masks.items()}
    return {reader: place for reader, place in found.items() if place}
