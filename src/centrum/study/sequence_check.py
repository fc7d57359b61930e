"""Every image of a study held against the sequence that the study is of."""

import os
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from centrum.cohort.case import DEFAULT_SEQUENCE, Case
from centrum.io import split_source
from centrum.io.objects import is_url
from centrum.io.paths import seen_from
from centrum.io.weighting import Comparison, compare
from centrum.measure.acquisition import with_manifest
from centrum.measure.case import ALL_READERS, Record
from centrum.measure.sequences import claimed_weightings
from centrum.study.findings import Finding, MeasuredSequence
from centrum.study.study import Study

AMBIGUOUS_LEVELS = ("T1", "T2")
"""Vertebrae that a file name spells as it spells a weighting."""


@dataclass(frozen=True)
class _Held:
    """An image of a case, held against its claim; the name of a plain column is ""."""

    case: str
    name: str
    claimed: str | None
    file: str
    comparison: Comparison


def sequence_findings(study: Study, records: Mapping[str, Record]) -> Iterator[Finding]:
    """An error where an image is of another sequence than is claimed.

    What a name alone contradicts is a warning where the times confirm the claim, and a note says
    where nothing tells the sequence. An image that could not be read is passed over.
    """
    for held in _all_held(study, records):
        found, where = held.comparison, f"{held.name}: " if len(study.sequences) > 1 else ""
        if found.contradiction:
            remedy = _remedy(held)
            yield Finding(
                held.case,
                ALL_READERS,
                "error",
                "other-sequence",
                f"{where}The study is of {held.claimed}, this image is not: {found.contradiction} "
                f"{remedy}",
                held.file,
                remedy,
            )
        if found.doubt:
            text = f"{where}{found.doubt} Its times are those of {held.claimed}, which count."
            yield Finding(held.case, ALL_READERS, "warning", "named-otherwise", text, held.file)
        if held.claimed and not (found.known_from or found.contradiction):
            text = (
                f"{where}Sequence not verified: nothing tells whether the image is {held.claimed}."
            )
            yield Finding(held.case, ALL_READERS, "note", "sequence-not-verified", text)


def _remedy(held: _Held) -> str:
    named = f"image:{held.claimed}"
    return (
        f"Give the {held.claimed} image; if it is one, correct what says otherwise (a T1 or T2 "
        f"alone in a file name does not count where the column is called {named}); if the study is "
        "of another sequence, change images.weighting."
    )


def measured_sequences(
    study: Study, records: Mapping[str, Record], cases: Iterable[str]
) -> tuple[MeasuredSequence, ...]:
    """Of each measured image column, in how many of the cases it is known to be as claimed."""
    chosen, claimed, known_from = {*cases}, dict[str, str](), defaultdict[str, Counter](Counter)
    for held in _all_held(study, records, chosen):
        claimed.setdefault(held.name, held.claimed or "")
        known_from[held.name][held.comparison.known_from] += 1
    return tuple(
        MeasuredSequence(
            name=name,
            claimed=claimed[name],
            cases=counts.total(),
            by_times=counts["times"],
            by_name=counts["name"],
        )
        for name, counts in known_from.items()
    )


def _all_held(
    study: Study, records: Mapping[str, Record], cases: Collection[str] | None = None
) -> Iterator[_Held]:
    """Of all cases that there are records of, or of some."""
    for case in study.cohort.cases:
        if case.id in (records if cases is None else cases):
            record = records[case.id]
            if record["acquisition"]:
                yield from _of_case(study, case, record)


def _of_case(study: Study, case: Case, record: Record) -> Iterator[_Held]:
    claims = claimed_weightings(study.protocol.images, study.sequences)
    facts = [record["acquisition"], *(record["further"][name] for name in study.sequences[1:])]
    if len(facts) == 1:
        facts = [with_manifest(facts[0], case.covariates)]
    vertebra = case.level is not None and case.level.name in AMBIGUOUS_LEVELS
    for (column, claimed), known in zip(claims.items(), facts, strict=True):
        path = _within_study(study, case.images[column])
        name = "" if column == DEFAULT_SEQUENCE else column
        found = compare(claimed, known, path, name, vertebra=vertebra)
        yield _Held(case.id, name, claimed, path.name, found)


def _within_study(study: Study, source: str) -> PurePath:
    """The path of an image without the folders that hold the whole study."""
    path, _ = split_source(source)
    if is_url(source):
        return PurePath(*path.parts[-2:])
    inside = PurePath(seen_from(study.folder, path))
    return PurePath(*(part for part in inside.parts if part not in (os.pardir, inside.anchor)))
