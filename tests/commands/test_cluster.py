"""Shards over dask.distributed: a scheduler and workers as processes, on loopback."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Container, Iterator
from pathlib import Path

import pytest

pytest.importorskip("distributed")

from centrum.commands import cluster as cluster_module, shards as verbs, study as of_study
from centrum.commands.cluster import (
    SlurmProfile,
    dask_engine,
    read_slurm_profile,
    refuse_open,
    slurm_engine,
    slurm_options,
)
from centrum.errors import CentrumError, DataError, ProtocolError
from centrum.measure.batches import ROUNDS, Batch, BatchWork, measure_batches
from centrum.measure.shards import Shards
from centrum.study.study import open_study
from tests.clusters import LIMIT, ROOT, Cluster, a_cluster, end, wait_for
from tests.naps import fails, nap, naps, no_nap, taken
from tests.object_storage import Bucket
from tests.slurm import LOOPBACK, SBATCH, Slurm, a_slurm
from tests.smallest import image_study
from tests.studies import read_rows, write_rows
from tests.wires import Wire


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is no fault."""
    monkeypatch.setattr("centrum.commands.cluster.WAIT", LIMIT)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with a_cluster(tmp_path_factory.mktemp("cluster"), 2) as found:
        yield found


def sleep_over(
    cluster: Cluster,
    folder: Path,
    batch: Batch,
    told: Callable = int,
    *,
    address: str = "",
    workers: int = 1,
    **more,
) -> Shards:
    shards = Shards(folder / "shards")
    with dask_engine(address or cluster.address) as engine:
        engine.client.wait_for_workers(workers, timeout=LIMIT)
        work = BatchWork(shards, make=nap, failed=no_nap, **more)
        measure_batches(work, batch, engine, told)
    shards.compact()
    return shards


def test_a_study_over_two_workers_is_the_same_to_the_byte(cluster: Cluster, tmp_path: Path) -> None:
    here, there = image_study(tmp_path / "1/study", 6), image_study(tmp_path / "2/study", 6)
    (there / "P03-first.nii.gz").write_bytes(b"broken")
    (here / "P03-first.nii.gz").write_bytes(b"broken")
    expected = of_study.extract(open_study(here))
    found = verbs.extract_on_dask(open_study(there), cluster.address)
    assert found.failures == expected.failures
    for path in (p for p in (here / "results").iterdir() if p.is_file()):
        assert (there / "results" / path.name).read_bytes() == path.read_bytes()
    assert "P03-first" not in cluster.logs(), "workers write no names into their logs"


def test_every_case_is_measured_once_and_a_rerun_does_nothing(
    cluster: Cluster, tmp_path: Path
) -> None:
    batch, counts = naps(tmp_path, 60), list[int]()
    shards = sleep_over(cluster, tmp_path, batch, counts.append, workers=2)
    assert counts[-1] == 60
    assert shards.measured(batch.keys) == {*batch.keys}
    assert sorted(taken(tmp_path)) == sorted(job.case for job in batch.jobs)
    assert len(list(tmp_path.glob("by-*"))) == 2, "both workers took part"


def test_a_worker_of_another_version_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"expected centrum 0\.1; found") as caught:
        sleep_over(cluster, tmp_path, naps(tmp_path, 3), software="centrum 0.1")
    assert caught.value.code == "other-version"
    assert taken(tmp_path) == []


def test_a_full_disk_of_a_worker_stops_all(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "shards").write_text("a file in the place of the folder")
    with pytest.raises(OSError, match=r"exists|directory"):
        sleep_over(cluster, tmp_path, naps(tmp_path, 3))


def test_a_killed_worker_costs_what_it_was_at(tmp_path: Path) -> None:
    with a_cluster(tmp_path / "cluster", 2) as own:
        victim = own.processes[1]

        def kill(done: int) -> None:
            if done > 10:
                end(victim)

        batch = naps(tmp_path, 60)
        shards = sleep_over(own, tmp_path, batch, kill, workers=2)
    assert shards.measured(batch.keys) == {*batch.keys}
    assert len(taken(tmp_path)) < 60 + 2 * 10, "no more again than the batches on its way"


def test_a_scheduler_that_ends_is_told_and_a_rerun_goes_on(tmp_path: Path) -> None:
    batch = naps(tmp_path, 60)
    with a_cluster(tmp_path / "cluster", 2) as own:
        scheduler = own.processes[0]
        with pytest.raises(CentrumError, match="What was finished is kept") as caught:
            sleep_over(own, tmp_path, batch, lambda done: done > 10 and end(scheduler))
        assert caught.value.code == "no-scheduler"
        own.end()
        shards = Shards(tmp_path / "shards")
        shards.compact()
        kept = shards.measured(batch.keys)
        assert 10 < len(kept) < 60
        before = len(taken(tmp_path))
        own.schedule()
        own.work()
        sleep_over(own, tmp_path, left_of(batch, kept))
    assert shards.measured(batch.keys) == {*batch.keys}
    assert len(taken(tmp_path)) - before == 60 - len(kept)


def test_a_worker_whose_network_is_cut_costs_what_it_was_at(tmp_path: Path) -> None:
    """The connection is closed; what the worker had is sent to the other one."""
    with a_cluster(tmp_path / "cluster", 1) as own:
        wire = Wire(own.port)
        own.work(address=wire.address)
        batch = naps(tmp_path, 60)
        shards = sleep_over(own, tmp_path, batch, lambda done: done > 10 and wire.cut(), workers=2)
    assert shards.measured(batch.keys) == {*batch.keys}
    assert len(list(tmp_path.glob("by-*"))) == 2, "both had begun"
    assert len(taken(tmp_path)) <= 60 + 2 * largest(60)


def test_a_worker_that_falls_silent_costs_what_it_was_at(tmp_path: Path) -> None:
    """Nobody is told that the wire is out: the scheduler misses the heartbeat.

    The worker goes on with what it has, and its shards are as good as those of the other one.
    """
    soon = {"distributed.scheduler.worker-ttl": "20s"}
    with a_cluster(tmp_path / "cluster", 0, config=soon) as own:
        wire = Wire(own.port)
        own.work()
        own.work(address=wire.address)
        batch, others = naps(tmp_path, 60), list[int]()

        def pull_out(done: int) -> None:
            if done > 10 and not others:
                wire.pull_out()
                others.append(own.work())

        shards = sleep_over(own, tmp_path, batch, pull_out, workers=2)
        assert shards.measured(batch.keys) == {*batch.keys}
        wire.put_in()
    assert len(list(tmp_path.glob("by-*"))) >= 2, "both had begun"
    assert len(taken(tmp_path)) <= 60 + 2 * largest(60)
    assert shards.records(batch.keys).keys() == {*batch.keys}


def test_whoever_is_cut_off_from_the_scheduler_is_told_and_goes_on_later(tmp_path: Path) -> None:
    batch = naps(tmp_path, 60)
    with a_cluster(tmp_path / "cluster", 1) as own:
        wire = Wire(own.port)
        with pytest.raises(CentrumError, match="What was finished is kept") as caught:
            sleep_over(
                own, tmp_path, batch, lambda done: done > 10 and wire.cut(), address=wire.address
            )
        assert caught.value.code == "no-scheduler"
        kept = (shards := Shards(tmp_path / "shards")).measured(batch.keys)
        assert 10 < len(kept) < 60
        sleep_over(own, tmp_path, left_of(batch, kept))
    assert shards.measured(batch.keys) == {*batch.keys}
    assert len(taken(tmp_path)) <= 60 + 2 * largest(60)


def largest(cases: int) -> int:
    """Cases of the largest batch for two workers."""
    return -(-cases // (2 * ROUNDS))


def left_of(batch: Batch, kept: Container[str]) -> Batch:
    rest = [(j, k) for j, k in zip(batch.jobs, batch.keys, strict=True) if k not in kept]
    return Batch(*map(tuple, zip(*rest, strict=True)))


def test_a_worker_that_goes_while_kernels_are_compiled_stops_nobody(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was there when workers were asked for, and is not when its task comes."""
    with dask_engine(cluster.address) as engine:
        monkeypatch.setattr(engine.client, "nthreads", lambda: {"tcp://127.0.0.1:1": 1})
        work = BatchWork(Shards(cluster.folder), make=nap)
        waits = threading.Thread(target=engine._warm_up, args=(work,), daemon=True)
        waits.start()
        waits.join(LIMIT / 5)
        assert not waits.is_alive()


def test_a_worker_of_several_threads_is_refused(tmp_path: Path) -> None:
    with a_cluster(tmp_path / "cluster", 0) as own:
        own.work(threads=2)
        with pytest.raises(CentrumError, match="2 threads: expected one"), dask_engine(own.address):
            pass


@pytest.mark.parametrize(
    "address",
    ["tcp://10.0.0.5:8786", "10.0.0.5:8786", "tcp://[::]:1", "ws://127.0.0.1:1", "ucx://10.0.0.1:1",
     "inproc://x", "tcp://scheduler:8786", "tcp://127.0.0.1.example.org:1"],
)  # fmt: skip
def test_beyond_this_machine_only_encrypted(address: str) -> None:
    with pytest.raises(ProtocolError, match="not be encrypted") as caught, dask_engine(address):
        pass
    assert caught.value.code == "not-encrypted"


@pytest.mark.parametrize(
    "address", ["tls://10.0.0.5:8786", "tcp://127.0.0.1:1", "localhost:8786", "tcp://[::1]:8786"]
)
def test_what_is_encrypted_or_stays_here_may_be(address: str) -> None:
    refuse_open(address)


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("centrum.commands.cluster.WAIT", 1)
    with pytest.raises(CentrumError, match="No scheduler answers"), dask_engine("127.0.0.1:1"):
        pass


def test_tls_without_certificates_is_told() -> None:
    with pytest.raises(CentrumError, match="certificates"), dask_engine("tls://127.0.0.1:1"):
        pass


class Blamed:
    """A future whose workers were ended, one after the other."""

    def result(self) -> None:
        from distributed import KilledWorker

        raise KilledWorker("a batch", "the last worker", 3)


def test_a_batch_with_which_workers_end_is_done_case_by_case(tmp_path: Path) -> None:
    work = BatchWork(Shards(tmp_path / "shards"), make=nap, failed=no_nap)
    assert cluster_module._outcome(work, Blamed(), naps(tmp_path, 3)).shard == ""
    told = cluster_module._outcome(work, Blamed(), naps(tmp_path, 1))
    assert told.failed == 1
    [kept] = work.shards.records(["key of P000"], failed=True).values()
    assert "Several workers that worked on it were ended" in kept["errors"][0]["message"]


def test_what_a_worker_tells_holds_no_record_and_its_batch_no_name(tmp_path: Path) -> None:
    """The scheduler carries it, and logs show it."""
    batch = naps(tmp_path, 3)
    assert repr(batch) == "Batch()"
    bad = BatchWork(Shards(tmp_path / "shards"), make=fails, failed=no_nap)
    told = cluster_module._told(bad, batch)
    assert (told.cases, told.failed, told.records) == (3, 3, {})


def test_a_worker_reaches_a_scheduler_over_tls_with_certificates_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of dask's configuration; without them nobody gets in."""
    import dask
    from distributed import Security

    security, files = Security.temporary(), {}
    for name in ("tls_ca_file", "tls_client_cert", "tls_client_key"):
        files[name] = tmp_path / f"{name}.pem"
        files[name].write_text(getattr(security, name))
    ca, cert, key = map(str, files.values())
    tls = ("--protocol", "tls", "--tls-ca-file", ca, "--tls-cert", cert, "--tls-key", key)
    with a_cluster(tmp_path / "cluster", 1, tls=tls) as own:
        assert own.address.startswith("tls://")
        with pytest.raises(CentrumError, match="certificates"), dask_engine(own.address):
            pass
        tls_of = {"ca-file": ca, "client.cert": cert, "client.key": key}
        with dask.config.set({f"distributed.comm.tls.{name}": p for name, p in tls_of.items()}):
            shards = sleep_over(own, tmp_path, naps(tmp_path, 5))
        assert len(shards.measured(naps(tmp_path, 5).keys)) == 5


# What is asked of SLURM


def test_a_job_script_has_what_the_profile_says(tmp_path: Path) -> None:
    from dask_jobqueue import SLURMCluster

    (tmp_path / "cluster.yaml").write_text(
        "jobs: 3\nworkers: 4\nmemory_gb: 2\nwalltime_minutes: 1500\nqueue: long\n"
        "account: spine\ndirectives: [--nice]\nprologue: [module load python]\n"
    )
    options = slurm_options(read_slurm_profile(tmp_path / "cluster.yaml"))
    job = SLURMCluster.job_cls("tcp://127.0.0.1:1", name="x", **options)
    script = job.job_script()
    for line in (
        "#SBATCH -p long", "#SBATCH -A spine", "#SBATCH --cpus-per-task=4", "#SBATCH --mem=8G",
        "#SBATCH -t 25:00:00", "#SBATCH --nice", "module load python",
        "export DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED=False", "--nthreads 1",
        "--nworkers 4", "--lifetime 1350m --lifetime-stagger 75m",
        "--no-dashboard --dashboard-address 127.0.0.1:0",
    ):  # fmt: skip
        assert line in script, script


@pytest.mark.parametrize("minutes", [10, 60, 1440])
def test_workers_stop_before_slurm_ends_them(minutes: int) -> None:
    words = slurm_options(SlurmProfile(jobs=1, walltime_minutes=minutes))["worker_extra_args"]
    latest = int(words[1].removesuffix("m")) + int(words[3].removesuffix("m"))
    assert 0 < latest <= minutes - 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("jobs: 0", "jobs"),
        ("job: 3", "jobs"),
        ("[1]", "jobs"),
        ("jobs: 1\nwalltime_minutes: 5", "10"),
    ],
)
def test_a_profile_that_cannot_be_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "cluster.yaml").write_text(text)
    with pytest.raises(ProtocolError, match=message):
        read_slurm_profile(tmp_path / "cluster.yaml")


# Jobs of SLURM


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Slurm]:
    """Commands of SLURM that start processes here; workers find what this process finds."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT / "src"), str(ROOT), *sys.path]))
    found = a_slurm(tmp_path / "slurm", monkeypatch)
    yield found
    found.end()


def profile(folder: Path, **more: object) -> Path:
    """Two jobs, which reach the scheduler on this machine alone."""
    choices = {"jobs": 2, "memory_gb": 1, "interface": LOOPBACK} | more
    path = folder / "cluster.yaml"
    path.write_text("".join(f"{name}: {value}\n" for name, value in choices.items()))
    return path


def tables(folder: Path) -> dict[str, bytes]:
    """What is the same wherever the images lie."""
    paths = (folder / "results").glob("*.[cp][sa][vr]*")
    return {path.name: path.read_bytes() for path in paths}


def test_jobs_measure_to_the_byte_in_a_folder_with_a_space(tmp_path: Path, slurm: Slurm) -> None:
    here, there = image_study(tmp_path / "1/study", 5), image_study(tmp_path / "my own/study", 5)
    of_study.extract(open_study(here))
    done = verbs.extract_on_slurm(open_study(there), profile(tmp_path))
    assert done.failures == ()
    assert "features.parquet" in tables(here)
    assert tables(there) == tables(here)
    assert len(slurm.asked) == 2
    assert slurm.cancelled == slurm.asked
    wait_for(lambda: not slurm.alive())
    assert list((there / "results").glob(".*")) == [], "the certificates are gone"
    assert "P03" not in slurm.written(), "workers write no names into their logs"


def test_jobs_share_object_storage_and_the_credentials_of_whoever_asks(
    tmp_path: Path, slurm: Slurm, bucket: Bucket
) -> None:
    here, there = image_study(tmp_path / "1", 3), tmp_path / "2"
    of_study.extract(open_study(here))
    there.mkdir()
    shutil.copy(here / "study.yaml", there)
    for path in here.glob("P*"):
        bucket.put(f"images/{path.name}", path.read_bytes())
    rows = [
        {head: bucket.url(f"images/{cell}") if head.startswith(("image", "mask")) else cell
         for head, cell in row.items()}
        for row in read_rows(here)
    ]  # fmt: skip
    write_rows(there, rows)
    study = open_study(there).with_shards(bucket.url("shards"))
    assert verbs.extract_on_slurm(study, profile(tmp_path)).failures == ()
    assert tables(there) == tables(here)
    assert bucket.keys("shards")
    assert not (there / "results/shards").exists()
    secret = os.environ["AWS_SECRET_ACCESS_KEY"]
    assert not [path for path in slurm.jobs.iterdir() if secret in path.read_text()]


def test_scheduler_and_workers_show_their_pages_to_this_machine_alone(
    tmp_path: Path, slurm: Slurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are not encrypted; what a site says of its schedulers still holds."""
    import dask

    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    own = {"jobqueue.slurm.scheduler-options": {"port": port}}
    with dask.config.set(own), slurm_engine(profile(tmp_path, jobs=1), tmp_path) as engine:
        assert engine.client.scheduler.address == f"tls://127.0.0.1:{port}"
        assert engine.client.run_on_scheduler(page_of_scheduler) == "127.0.0.1"
        [page] = engine.client.run(page_of_worker).values()
        assert page == "127.0.0.1"


def page_of_scheduler(dask_scheduler) -> str:
    return dask_scheduler.http_server.address


def page_of_worker(dask_worker) -> str:
    return dask_worker.http_server.address


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "kill"]
)
def test_whoever_stops_waiting_leaves_no_job_behind(
    tmp_path: Path, slurm: Slurm, number: int, code: int
) -> None:
    study = image_study(tmp_path / "study")
    waits = profile(tmp_path, prologue="[exec sleep 300]")
    script = "from centrum.cli import main; main()"
    words = [sys.executable, "-c", script, "extract", str(study), "--slurm", str(waits)]
    with subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as command:
        wait_for(lambda: len(slurm.alive()) == 2)
        command.send_signal(number)
        _, told = command.communicate(timeout=LIMIT)
    assert command.returncode == code, told
    assert "Stopped." in told
    assert "Traceback" not in told
    assert slurm.cancelled == slurm.asked
    wait_for(lambda: not slurm.alive())


@pytest.mark.parametrize(
    ("sbatch", "reason"),
    [
        ("sys.exit('sbatch: error: no such partition')", r"\(sbatch: error: no such partition\)"),
        (None, "No such file or directory: 'sbatch'"),
    ],
    ids=["refused", "missing"],
)
def test_jobs_that_slurm_refuses_are_told(
    tmp_path: Path, slurm: Slurm, sbatch: str | None, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if sbatch:
        slurm.put("sbatch", sbatch)
    else:
        monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    study = open_study(image_study(tmp_path / "study"))
    with pytest.raises(CentrumError, match=reason) as caught:
        verbs.extract_on_slurm(study, profile(tmp_path))
    assert caught.value.code == "no-jobs"
    assert list(study.results.iterdir()) == []


def test_some_jobs_are_refused_and_the_others_measure(tmp_path: Path, slurm: Slurm) -> None:
    """A user may have so many at a time."""
    first = "try: (jobs / 'one').mkdir()\nexcept FileExistsError: sys.exit('too many')\n"
    slurm.put("sbatch", first + SBATCH)
    with slurm_engine(profile(tmp_path, jobs=3), tmp_path) as engine:
        assert engine.workers == 1
    assert len(slurm.asked) == 1
    assert slurm.cancelled == slurm.asked


def test_jobs_that_end_before_they_work_are_told(
    tmp_path: Path, slurm: Slurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_module, "LOOK", 0.2)
    ends = profile(tmp_path, prologue="[exit 3]")
    with (
        pytest.raises(CentrumError, match="ended before") as caught,
        slurm_engine(ends, tmp_path),
    ):
        pass
    assert caught.value.code == "no-workers"


def test_jobs_that_end_amid_the_work_are_told(
    tmp_path: Path, slurm: Slurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As at their walltime: nobody would ever do what is left."""
    from distributed import as_completed

    monkeypatch.setattr(cluster_module, "LOOK", 0.2)
    with slurm_engine(profile(tmp_path, jobs=1), tmp_path) as engine:
        left = as_completed([engine.client.submit(time.sleep, 600)], loop=engine.client.loop)
        slurm.end()
        with pytest.raises(CentrumError, match="not all cases are measured") as caught:
            engine._wait(left)
    assert caught.value.code == "no-workers"


@pytest.mark.parametrize(
    ("squeue", "ended"),
    [
        ("print(7)", False),
        ("print('')", True),
        ("sys.exit('slurm_load_jobs error: Invalid job id specified')", True),
        ("sys.exit('slurm_load_jobs error: Unable to contact slurm controller')", False),
    ],
    ids=["waits", "ended", "forgotten", "no-answer"],
)
def test_a_job_has_ended_when_slurm_says_so(slurm: Slurm, squeue: str, ended: bool) -> None:
    slurm.put("squeue", squeue)
    assert cluster_module._have_ended(["7", "8"]) is ended
