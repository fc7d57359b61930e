"""Shards over dask.distributed: a scheduler and workers as processes, on loopback."""

import threading
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
    slurm_options,
)
from centrum.errors import CentrumError, DataError, ProtocolError
from centrum.measure.batches import ROUNDS, Batch, BatchWork, measure_batches
from centrum.measure.shards import Shards
from centrum.study.study import open_study
from tests.clusters import LIMIT, Cluster, a_cluster, end
from tests.naps import fails, nap, naps, no_nap, taken
from tests.smallest import image_study
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
