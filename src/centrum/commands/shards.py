"""The verbs of a study on several machines: `extract` of a share, and `gather` of all shares."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from centrum.commands.cluster import DaskEngine, dask_engine, slurm_engine
from centrum.commands.study import extract
from centrum.execution import Progress, silent
from centrum.measure.batches import LocalEngine
from centrum.study.extraction import Extraction, for_console
from centrum.study.findings import Failure
from centrum.study.landmarks import known_preparation
from centrum.study.measuring import Share as Share, by_engine, gathered, refuse_undivided
from centrum.study.study import Study


@dataclass(frozen=True)
class ShareDone:
    """What is told of a share: how many cases it has, and those with errors."""

    cases: int
    failures: tuple[Failure, ...]


def extract_share(
    study: Study, share: Share, *, workers: int = 1, progress: Progress = silent
) -> ShareDone:
    """Measure a share of the cases, as far as they are not measured; leaves shards alone.

    Any number of machines may do so at once, in one folder; `gather` makes the table.

    Raises
    ------
    ProtocolError
        The protocol has a preparation that is learnt from all cases, or nothing to measure.
    """
    refuse_undivided(study)
    jobs = share.of(study.jobs(preparation=known_preparation(study)))
    measure = by_engine(LocalEngine(workers), settle=False)
    records = measure(study, jobs, progress, "Measuring cases")
    failures = (
        Failure(job.case, error["message"], error["code"], error["file"], error["remedy"])
        for job, record in zip(jobs, records.values(), strict=True)
        for error in record["errors"]
    )
    return ShareDone(len(jobs), for_console(study, failures))


def extract_on_dask(study: Study, address: str, *, progress: Progress = silent) -> Extraction:
    """As `extract`, measured by the workers of a scheduler; they see the study's folder, too.

    Raises
    ------
    ProtocolError, CentrumError
        As `centrum.commands.cluster.dask_engine` and `DaskEngine.run`.
    """
    with dask_engine(address) as engine:
        return _extract_by(study, engine, progress)


def extract_on_slurm(study: Study, profile: Path, *, progress: Progress = silent) -> Extraction:
    """As `extract`, measured by jobs that are asked of SLURM.

    Raises
    ------
    ProtocolError, CentrumError
        As `centrum.commands.cluster.slurm_engine` and `DaskEngine.run`.
    """
    study.results.mkdir(exist_ok=True)
    with (
        TemporaryDirectory(dir=study.results, prefix=".certificates-") as folder,
        slurm_engine(profile, Path(folder)) as engine,
    ):
        return _extract_by(study, engine, progress)


def _extract_by(study: Study, engine: DaskEngine, progress: Progress) -> Extraction:
    return extract(study, progress=progress, measure=by_engine(engine))


def gather(study: Study, *, progress: Progress = silent) -> Extraction:
    """Make the table of what all shards hold; leaves what `extract` leaves.

    Raises
    ------
    DataError
        A case has not been measured; code "not-measured".
    """
    refuse_undivided(study)
    return extract(study, progress=progress, measure=gathered)
