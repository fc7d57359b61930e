"""Who measures the cases of a study: an engine that fills its shards, or nobody any more."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from centrum.errors import DataError, ProtocolError
from centrum.execution import Progress
from centrum.measure.batches import MOST, Batch, BatchWork, Engine, measure_batches
from centrum.measure.case import MeasurementJob, Record, measure_anew, of_each, warm_up
from centrum.measure.numbers_on_disk import NumbersOnDisk
from centrum.measure.shards import Shards
from centrum.provenance import digest
from centrum.study.landmarks import is_learnt
from centrum.study.study import Study
from centrum.table import is_large

Measure = Callable[[Study, Sequence[MeasurementJob], Progress, str], list[Record]]
"""Gives the records of jobs, in their order, and calls the progress with what it does."""

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


def _records(study: Study, keys: Collection[str], *, failed: bool = False) -> dict[str, Record]:
    """What the shards hold of these keys; the values of very many cases wait on disk."""
    numbers = len(keys) * len(study.features) * len(study.readers)
    if not is_large(numbers):
        return shards_of(study).records(keys, failed=failed)
    light = NumbersOnDisk(study.results).light
    return shards_of(study).records(keys, failed=failed, light=light)


def by_engine(engine: Engine, *, settle: bool = True) -> Measure:
    """Have an engine measure what the shards lack; `settle` them unless others measure, too."""

    def measure(
        study: Study, jobs: Sequence[MeasurementJob], progress: Progress, what: str
    ) -> list[Record]:
        progress(what, 0, len(jobs))
        keys = _keys(jobs)
        known = _known(study, keys)
        wanted = [job for job in jobs if keys[job.case] not in known]
        before, bad = len(jobs) - len(wanted), dict[str, Record]()
        if wanted:
            progress(what, before, len(jobs))
            bad = _measure(
                study, wanted, keys, engine, lambda n: progress(what, before + n, len(jobs))
            )
            known |= _left(study, {job.case: keys[job.case] for job in wanted})
        if settle:
            shards_of(study).settle(known, measured_by(study))
        progress(what, len(jobs), len(jobs))
        return [bad.get(job.case) or known[keys[job.case]] for job in jobs]

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


def _left(study: Study, keys: Mapping[str, str]) -> dict[str, Record]:
    """What workers have left of these cases.

    Raises
    ------
    DataError
        They wrote it to another place.
    """
    shards = shards_of(study)
    shards.compact()
    found = _records(study, keys.values(), failed=True)
    if lost := [case for case, key in keys.items() if key not in found]:
        raise DataError(
            f"{len(lost)} cases were measured, and are not among the shards: {_listed(lost)}.",
            remedy="Every worker must see the folder of the study under the same path, or the same "
            "object storage. If it does, run the same command again.",
            code="not-shared",
        )
    return found


def gathered(
    study: Study, jobs: Sequence[MeasurementJob], progress: Progress, what: str
) -> list[Record]:
    """The records that others have left, also those with errors; nothing is measured.

    Raises
    ------
    DataError
        A case was not measured with these files, by this protocol and these versions.
    """
    keys = _keys(jobs)
    known = _records(study, keys.values(), failed=True)
    known = _known(study, {c: k for c, k in keys.items() if k not in known}) | known
    if missing := [case for case, key in keys.items() if key not in known]:
        raise DataError(
            f"{len(missing)} of {len(jobs)} cases have not been measured: {_listed(missing)}."
            f"{_elsewhere(study)}",
            remedy="`centrum extract STUDY` measures them here; or run the shards again that did "
            "not end.",
            code="not-measured",
        )
    return [known[keys[job.case]] for job in jobs]


def _elsewhere(study: Study) -> str:
    """What was measured by other versions, which does not count."""
    others = shards_of(study).other_software()
    told = (f" {n} cases were measured by {names}, which does not count." for names, n in
            sorted(others.items()))  # fmt: skip
    return "".join(told)


def _known(study: Study, keys: Mapping[str, str]) -> dict[str, Record]:
    """Records without errors by key: of the shards, and of a study of before, which are moved."""
    known = _records(study, keys.values())
    return known | _moved(study, [key for key in keys.values() if key not in known])


def measured_before(study: Study, jobs: Sequence[MeasurementJob]) -> int:
    """How many of the cases need not be measured."""
    keys = _keys(jobs).values()
    measured = shards_of(study).measured(keys)
    return sum(key in measured or study.store.get(key) is not None for key in keys)


def _keys(jobs: Sequence[MeasurementJob]) -> dict[str, str]:
    """The key of each case."""
    keys = of_each(MeasurementJob.key, jobs)
    return {job.case: key for job, key in zip(jobs, keys, strict=True)}


def _moved(study: Study, keys: Iterable[str]) -> dict[str, Record]:
    """Records that version 0.3.0 and before kept as a JSON file each, now in shards."""
    entries = ((key, study.store.get(key)) for key in keys)
    old = ((key, record) for key, record in entries if record is not None)
    moved: dict[str, Record] = {}
    while some := dict(islice(old, MOST)):
        shards_of(study).write(some, measured_by(study))
        for key in some:
            study.store.path(key).unlink(missing_ok=True)
        moved |= some
    return moved


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
