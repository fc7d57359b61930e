"""Who measures the cases of a study: an engine that fills its shards, or nobody any more."""

from collections.abc import Callable, Collection, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from centrum.errors import DataError, ProtocolError
from centrum.execution import Progress
from centrum.measure.batches import MOST, Batch, BatchWork, Engine, measure_batches
from centrum.measure.case import MeasurementJob, Record, measure_anew, sources_of, warm_up
from centrum.measure.records_on_disk import RecordsMade, RecordsOnDisk
from centrum.measure.shards import Shards
from centrum.provenance import digest
from centrum.study.landmarks import is_learnt
from centrum.study.study import Study
from centrum.table import is_large

Measure = Callable[[Study, Sequence[MeasurementJob], Progress, str], Mapping[str, Record]]
"""Gives the records of jobs by case, in their order, and calls the progress with what it does.

Those of very many cases wait on disk, and are made anew whenever they are asked for.
"""

Kept = MutableMapping[str, Record]
"""Records by key."""

NAMED = 20
"""Cases that a message names before it counts the rest."""


@dataclass(frozen=True)
class Share:
    """One of several equal shares of the cases of a study.

    >>> Share.parse("2/3").of(["a", "b", "c", "d", "e"])
    ['b', 'e']
    """

    number: int
    among: int

    @classmethod
    def parse(cls, text: str) -> "Share":
        """The share that I/N is.

        Raises
        ------
        ProtocolError
            The text is not of that form, or I is not from 1 to N.
        """
        number, _, among = text.partition("/")
        if number.isdecimal() and among.isdecimal() and 1 <= int(number) <= int(among):
            return cls(int(number), int(among))
        raise ProtocolError(
            f"--shard takes I/N with I from 1 to N, such as 17/400; found {text!r}.",
            remedy="Count the machines from 1; SLURM does with --array=1-N.",
            code="no-shard",
        )

    def of(self, cases: Sequence[MeasurementJob]) -> list[MeasurementJob]:
        """Every N-th, beginning with the I-th: long exams of one scanner are spread."""
        return list(cases[self.number - 1 :: self.among])


def shards_of(study: Study) -> Shards:
    """Where the measured cases of a study are kept."""
    return Shards(study.shards or study.results / "shards")


def _nothing_kept(study: Study, jobs: Sequence[MeasurementJob]) -> Kept:
    """Where the records of these cases are put."""
    large = is_large(len(jobs) * len(study.features) * len(study.readers))
    return RecordsOnDisk(study.results) if large else {}


def _by_case(
    keys: Mapping[str, str], kept: Kept, bad: Mapping[str, Record]
) -> Mapping[str, Record]:
    """The records by case, in full where they have errors and were measured here."""

    def record(case: str) -> Record:
        return bad.get(case) or kept[keys[case]]

    lazily = isinstance(kept, RecordsOnDisk)
    return RecordsMade([*keys], record) if lazily else {case: record(case) for case in keys}


def by_engine(engine: Engine, *, settle: bool = True) -> Measure:
    """Have an engine measure what the shards lack; `settle` them unless others measure, too."""

    def measure(
        study: Study, jobs: Sequence[MeasurementJob], progress: Progress, what: str
    ) -> Mapping[str, Record]:
        progress(what, 0, len(jobs))
        keys, known = _keys(jobs), _nothing_kept(study, jobs)
        _add_known(study, keys.values(), known)
        wanted = [job for job in jobs if keys[job.case] not in known]
        before, bad = len(jobs) - len(wanted), dict[str, Record]()
        if wanted:
            progress(what, before, len(jobs))
            bad = _measure(
                study, wanted, keys, engine, lambda n: progress(what, before + n, len(jobs))
            )
            _add_left(study, {job.case: keys[job.case] for job in wanted}, known)
        if settle:
            shards_of(study).settle(known, measured_by(study))
        progress(what, len(jobs), len(jobs))
        return _by_case(keys, known, bad)

    return measure


def _measure(
    study: Study,
    jobs: Sequence[MeasurementJob],
    keys: Mapping[str, str],
    engine: Engine,
    progress: Callable[[int], None],
) -> dict[str, Record]:
    """Full records of the cases with errors."""
    batch = Batch(tuple(jobs), tuple(keys[job.case] for job in jobs))
    work = BatchWork[MeasurementJob](
        shards_of(study),
        measured_by(study),
        measure_anew,
        warm_up=partial(warm_up, jobs[0].extraction),
    )
    return measure_batches(work, batch, engine, progress)


def measured_by(study: Study) -> str:
    """Digest of the choices by which cases are measured; whose regions the model is fed is none."""
    blocks = {"images", "preparation", "extraction"}
    others = {"images": {"reader", "max_memory_gb"}}
    return digest(study.protocol.model_dump(mode="json", include=blocks, exclude=others))


def _add_left(study: Study, keys: Mapping[str, str], kept: Kept) -> None:
    """Add what workers have left of these cases.

    Raises
    ------
    DataError
        They wrote it to another place.
    """
    shards = shards_of(study)
    shards.compact()
    shards.records(keys.values(), failed=True, into=kept)
    if lost := [case for case, key in keys.items() if key not in kept]:
        raise DataError(
            f"{len(lost)} cases were measured, and are not among the shards: {_listed(lost)}.",
            remedy="Every worker must see the folder of the study under the same path, or the same "
            "object storage. If it does, run the same command again.",
            code="not-shared",
        )


def gathered(
    study: Study, jobs: Sequence[MeasurementJob], progress: Progress, what: str
) -> Mapping[str, Record]:
    """The records that others have left, also those with errors; nothing is measured.

    Raises
    ------
    DataError
        A case was not measured with these files, by this protocol and these versions.
    """
    keys, known = _keys(jobs), _nothing_kept(study, jobs)
    shards_of(study).records(keys.values(), failed=True, into=known)
    _add_known(study, [key for key in keys.values() if key not in known], known)
    if missing := [case for case, key in keys.items() if key not in known]:
        raise DataError(
            f"{len(missing)} of {len(jobs)} cases have not been measured: {_listed(missing)}."
            f"{_elsewhere(study)}",
            remedy="`centrum extract STUDY` measures them here; or run the shards again that did "
            "not end.",
            code="not-measured",
        )
    return _by_case(keys, known, {})


def _elsewhere(study: Study) -> str:
    """What was measured by other versions, which does not count."""
    others = shards_of(study).other_software()
    told = (f" {n} cases were measured by {names}, which does not count." for names, n in
            sorted(others.items()))  # fmt: skip
    return "".join(told)


def _add_known(study: Study, keys: Collection[str], kept: Kept) -> None:
    """Add records without errors: of the shards, and of a study of before, which are moved."""
    shards_of(study).records(keys, into=kept)
    _add_moved(study, [key for key in keys if key not in kept], kept)


def measured_before(study: Study, jobs: Sequence[MeasurementJob]) -> int:
    """How many of the cases need not be measured."""
    keys = _keys(jobs).values()
    measured = shards_of(study).measured(keys)
    return sum(key in measured or study.store.get(key) is not None for key in keys)


def _keys(jobs: Sequence[MeasurementJob]) -> dict[str, str]:
    """The key of each case: of its files as they are now, and of no others'."""
    known = sources_of(jobs)
    return {job.case: job.key(known[job.case]) for job in jobs}


def _add_moved(study: Study, keys: Iterable[str], kept: Kept) -> None:
    """Add records that version 0.3.0 and before kept as a JSON file each, now in shards."""
    entries = ((key, study.store.get(key)) for key in keys)
    old = ((key, record) for key, record in entries if record is not None)
    while some := dict(islice(old, MOST)):
        shards_of(study).write(some, measured_by(study))
        for key in some:
            study.store.path(key).unlink(missing_ok=True)
        kept.update(some)


def refuse_undivided(study: Study) -> None:
    """Refuse shares of a study of tables, and of one whose images are compared with each other."""
    if study.protocol.tables:
        raise ProtocolError(
            "A study of tables has nothing to measure, and no shards.",
            remedy="`centrum run STUDY` reads the tables.",
            code="no-images",
        )
    if is_learnt(study.protocol.preparation):
        raise ProtocolError(
            "preparation.normalisation: a standard scale (nyul) is learnt from all training "
            "patients, and a share of the cases does not have them.",
            remedy="Learn it once with `centrum extract` on some of the patients, and write its "
            "`landmarks` from results/landmarks.json into the protocol; or use --dask or --slurm.",
            code="learnt-preparation",
        )


def _listed(cases: Sequence[str]) -> str:
    more = f" and {len(cases) - NAMED} more" if len(cases) > NAMED else ""
    return ", ".join(cases[:NAMED]) + more
