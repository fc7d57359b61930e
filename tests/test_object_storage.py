"""A study whose images, shards or both lie in object storage.

Against moto, an emulator of S3: see `tests.object_storage`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import pytest
from typer.testing import CliRunner

from centrum.cli import BAD_INPUT, CASES_FAILED, OK, app
from centrum.cohort.withheld import roles, withheld
from centrum.commands import study as of_study
from centrum.errors import ManifestError, StorageDown
from centrum.io import objects, scratch
from centrum.study.study import open_study
from tests import clusters
from tests.conftest import ROOT
from tests.markers import found_in
from tests.object_storage import Bucket, Door, Emulator
from tests.smallest import image_study
from tests.studies import read_rows, write_rows

N = 4
FOLDER = "Klinik-Nord/Anna-Roth"
"""A prefix that says what nobody is to read."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that was measured from files; not to be changed."""
    folder = image_study(tmp_path_factory.mktemp("whole") / "study", N)
    of_study.extract(open_study(folder))
    return folder


@pytest.fixture
def study(whole: Path, tmp_path: Path, bucket: Bucket) -> Path:
    """The same, unmeasured, with its images and masks in the bucket."""
    there = tmp_path / "study"
    there.mkdir()
    shutil.copy(whole / "study.yaml", there)
    for path in (p for p in whole.iterdir() if p.is_file() and p.name.startswith("P")):
        bucket.put(f"{FOLDER}/{path.name}", path.read_bytes())
    rows = [
        {head: bucket.url(f"{FOLDER}/{cell}") if head.startswith(("image", "mask")) else cell
         for head, cell in row.items()}
        for row in read_rows(whole)
    ]  # fmt: skip
    write_rows(there, rows)
    return there


def results(folder: Path) -> dict[str, bytes]:
    """What `extract` leaves, but for digests of the manifest, which has URLs in it or not."""
    files = (p for p in (folder / "results").iterdir() if p.is_file() and p.name != "stages.json")
    return {p.name: re.sub(rb'"sha256": "\w+"', b"", p.read_bytes()) for p in files}


def invoke(*words: object):
    """In this process: others are forked from one that has the environment of a test before."""
    one = ("--workers", "1") if words[0] != "gather" else ()
    return CliRunner().invoke(app, [str(word) for word in (*words, *one)])


def command(*words: object) -> "subprocess.CompletedProcess[str]":
    """As a user runs it."""
    script = "from centrum.cli import main; main()"
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), *sys.path])}
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, words)],
        env=env, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


def test_the_table_is_that_of_the_files_to_the_byte(study: Path, whole: Path) -> None:
    found = of_study.extract(open_study(study))
    assert found.failures == ()
    assert results(study) == results(whole)


def test_a_rerun_transfers_and_measures_nothing(
    study: Path, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_study.extract(open_study(study))
    with Door(emulator) as door:
        monkeypatch.setenv("AWS_ENDPOINT_URL", door.address)
        objects._store.cache_clear()
        of_study.extract(open_study(study))
        shutil.rmtree(os.environ["CENTRUM_SCRATCH"])
        scratch._hold_last(0)
        (study / "results/features.csv").unlink()
        of_study.extract(open_study(study))
        objects._store.cache_clear()
    assert door.asked
    assert not [asked for asked in door.asked if asked.startswith("GET")]
    assert not Path(os.environ["CENTRUM_SCRATCH"]).exists()


def test_each_object_is_transferred_once_by_a_run_of_two_processes(
    study: Path, whole: Path, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Door(emulator) as door:
        monkeypatch.setenv("AWS_ENDPOINT_URL", door.address)
        objects._store.cache_clear()
        assert command("extract", study, "--workers", 2).returncode == OK
    transferred = [asked for asked in door.asked if asked.startswith("GET")]
    assert len(transferred) == len(set(transferred)) == 4 * N, "an image and its sidecar, two masks"
    assert results(study) == results(whole)


def test_objects_that_were_moved_are_not_measured_again(
    study: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key is of the content, not of the URL."""
    of_study.extract(open_study(study))
    for key, content in bucket.keys(FOLDER).items():
        bucket.put(key.replace(FOLDER, "moved"), content)
    text = (study / "cases.csv").read_text().replace(FOLDER, "moved")
    (study / "cases.csv").write_text(text)
    monkeypatch.setattr("centrum.study.measuring.measure_anew", lambda job: 1 / 0)
    assert of_study.extract(open_study(study)).failures == ()


# Shards


def test_shares_and_gather_by_object_storage_alone(
    study: Path, whole: Path, bucket: Bucket, tmp_path: Path
) -> None:
    """Machines that share no folder: each has a copy of protocol and manifest."""
    place = bucket.url("consortium/shards")
    for k in (1, 2):
        own = tmp_path / f"machine {k}"
        shutil.copytree(study, own)
        done = invoke("extract", own, "--shard", f"{k}/2", "--shards", place)
        assert done.exit_code == OK, done.output
        assert not (own / "results/shards").exists()
        if k == 1:
            missing = invoke("gather", study, "--shards", place)
            assert missing.exception.code == "not-measured"
    last = tmp_path / "machine 3"
    shutil.copytree(study, last, ignore=shutil.ignore_patterns("results"))
    done = invoke("gather", last, "--shards", place)
    assert done.exit_code == OK, done.output
    assert results(last) == results(whole)
    assert "consortium" not in done.output


def test_workers_of_dask_share_object_storage_and_nothing_else(
    study: Path, whole: Path, bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(clusters, "forks", cache(clusters.Forks))  # that know the bucket
    place = bucket.url("shards")
    with clusters.a_cluster(tmp_path / "cluster", 2) as cluster:
        told = ("--dask", cluster.address, "--shards", place)
        done = command("extract", study, *told)
        assert done.returncode == OK, done.stderr
        before = bucket.keys("shards")
        again = command("extract", study, *told)
        assert again.returncode == OK, again.stderr
        assert FOLDER not in cluster.logs()
    assert results(study) == results(whole)
    assert not (study / "results/shards").exists()
    assert before
    assert bucket.keys("shards") == before, "the same command does nothing again"


def test_gathering_transfers_shards_and_no_image(
    study: Path, bucket: Bucket, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = bucket.url("shards")
    done = invoke("extract", study, "--shard", "1/1", "--shards", place)
    assert done.exit_code == OK, done.output
    with Door(emulator) as door:
        monkeypatch.setenv("AWS_ENDPOINT_URL", door.address)
        objects._store.cache_clear()
        assert invoke("gather", study, "--shards", place).exit_code == OK
        objects._store.cache_clear()
    assert all(asked.startswith("GET shards/") for asked in door.asked if "GET" in asked
               and "list-type" not in asked)  # fmt: skip


def test_a_place_that_is_no_url_is_refused(study: Path) -> None:
    done = invoke("extract", study, "--shards", "s3://KEY:SECRET@bucket/shards")
    assert "such as a password" in str(done.exception)
    assert "SECRET" not in done.output + str(done.exception)


# What goes wrong with one case


def broken(study: Path, head: str, cell: str) -> None:
    rows = read_rows(study)
    rows[1][head] = cell
    write_rows(study, rows)


def test_an_object_that_is_missing_is_the_error_of_its_case(study: Path, bucket: Bucket) -> None:
    objects.remove(objects.ObjectUrl(bucket.name, f"{FOLDER}/P01-senior.nrrd"))
    [failure] = of_study.extract(open_study(study)).failures
    assert (failure.case, failure.code, failure.file) == (
        "P01",
        "missing-object",
        "P01-senior.nrrd",
    )
    assert "Check the URL in the manifest." in failure.message
    told = invoke("check", study).output
    assert "There is no object 'P01-senior.nrrd'" in told
    assert '"missing-object"' in invoke("check", study, "--json").output


def test_a_bucket_that_is_missing_is_the_error_of_its_case(study: Path) -> None:
    broken(study, "image:first", "s3://no-such-bucket/P01.nii.gz")
    [failure] = of_study.extract(open_study(study)).failures
    assert (failure.case, failure.code) == ("P01", "no-bucket")


def test_a_transfer_that_is_cut_is_the_error_of_its_case(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = objects._get

    def cut(url, options):
        if url.name == "P01-first.nii.gz":
            raise objects._TOLD["transfer-cut"][0]("Cut.", code="transfer-cut", file=url.name)
        return true(url, options)

    monkeypatch.setattr(objects, "_get", cut)
    [failure] = of_study.extract(open_study(study)).failures
    assert (failure.case, failure.code) == ("P01", "transfer-cut")
    monkeypatch.undo()
    assert failure.file == "P01-first.nii.gz"


# What stops all


def test_a_storage_that_cannot_be_reached_stops_and_the_next_run_goes_on(
    study: Path, whole: Path, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is nobody's case: no case has it as its error, and what was measured is kept."""
    true, count = scratch.transfer, []

    def away(stored):
        count.append(stored)
        if len(count) == 10:
            monkeypatch.setattr(objects, "PATIENCE", objects.timedelta(seconds=1))
            monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
            objects._store.cache_clear()
        return true(stored)

    monkeypatch.setattr(scratch, "transfer", away)
    with pytest.raises(StorageDown, match="cannot be reached") as caught:
        of_study.extract(open_study(study))
    assert caught.value.__notes__ == ["while measuring case P02"]
    assert not (study / "results/features.csv").exists()
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.address)
    objects._store.cache_clear()
    assert of_study.extract(open_study(study)).failures == ()
    assert results(study) == results(whole)


def test_a_storage_that_is_away_from_the_start_is_told_once(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setattr(objects, "PATIENCE", objects.timedelta(seconds=1))
    objects._store.cache_clear()
    for verb in ("extract", "check"):
        done = invoke(verb, study)
        assert isinstance(done.exception, StorageDown)


def test_a_full_scratch_stops_and_names_the_case(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(9, 9, 0))
    with pytest.raises(StorageDown, match=r"no room for P00-first\.nii\.gz") as caught:
        of_study.extract(open_study(study))
    assert caught.value.__notes__ == ["while measuring case P00"]


# Privacy


SECRETS = ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "AKIAIOSFODNN7EXAMPLE")


def test_nothing_that_is_written_or_shown_holds_a_place_or_a_secret(
    study: Path, bucket: Bucket
) -> None:
    bucket.put(f"{FOLDER}/P01-first.nii.gz", b"broken")
    objects.remove(objects.ObjectUrl(bucket.name, f"{FOLDER}/P02-senior.nrrd"))
    place = bucket.url("Anna-Roth/shards")
    shown = [
        invoke(verb, study, *words, *more)
        for verb, more in (("check", ()), ("extract", ("--shards", place)))
        for words in ((), ("--json",))
    ]
    markers = ["Klinik-Nord", "Anna-Roth", "s3:/", *SECRETS]
    for done in shown:
        told = f"{done.output} {done.exception}"
        assert done.exit_code in (CASES_FAILED, BAD_INPUT)
        assert not [m for m in markers if m in told], told
        assert "P01-first.nii.gz" in told, "the name is shown, as that of a file is"
    assert found_in(study / "results", [*markers, "P01-first", bucket.name]) == []
    written = bucket.keys("Anna-Roth")
    assert not [m for m in markers for each in written.values() if m.encode() in each]


def test_errors_of_the_library_never_reach_the_screen(
    study: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a server answers can repeat the signature; --traceback shows where, and not that."""
    objects.remove(objects.ObjectUrl.parse(read_rows(study)[1]["image:first"]))
    monkeypatch.setenv("CENTRUM_TRACEBACK", "1")
    of_study.extract(open_study(study))
    told = capsys.readouterr()
    assert "Klinik-Nord" not in told.out + told.err


def test_what_a_message_may_call_an_object_is_withheld() -> None:
    found = roles("s3://praxis/Klinik-Nord/Anna/T2w.nrrd", {"senior": "s3://praxis/x/a.nrrd#Roth"})
    text = "T2w.nrrd of 'Klinik-Nord', s3://praxis/Klinik-Nord/Anna/T2w.nrrd, 'Roth'"
    assert withheld(text, found) == "[image] of '[...]', [image], '[...]'"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("s3://KEY:SECRET@bucket/P01.nii.gz", "such as a password"),
        ("https://b.s3.amazonaws.com/P01.nii.gz?X-Amz-Signature=SECRET", "https:// cannot be read"),
        ("s3://bucket/P01.nii.gz?X-Amz-Signature=SECRET", "question mark"),
        ("S3://SECRET/P01.nii.gz", "cannot be read"),
        ("gs://SECRET/P01.nii.gz", "cannot be read"),
        ("s3://bucket", "names no object"),
        ("s3://bucket/SECRET/../x", "names no object"),
    ],
)
def test_a_url_that_cannot_be_or_holds_a_secret_is_a_problem_of_its_row(
    study: Path, url: str, told: str
) -> None:
    broken(study, "image:first", url)
    with pytest.raises(ManifestError, match=r"row 3, column 'image:first'") as caught:
        open_study(study)
    assert told in str(caught.value)
    assert "SECRET" not in str(caught.value)


def test_where_objects_go_is_told(study: Path) -> None:
    done = invoke("extract", study, "--json")
    assert f"Objects are staged in {os.environ['CENTRUM_SCRATCH']}, at most 20 GB" in done.stderr
    assert json.loads(done.stdout)["cases"] == N


def test_a_storage_that_is_away_is_not_asked_for_every_case(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a consortium there are 100 000, and each would wait."""
    asked: list[str] = []

    def away(source: str) -> None:
        asked.append(source)
        time.sleep(0.05)
        raise StorageDown("away")

    row = read_rows(study)[0]
    many = [
        {head: cell.replace("P00", f"P{k:03d}").replace("Q00", f"Q{k:03d}")
         for head, cell in row.items()}
        for k in range(300)
    ]  # fmt: skip
    write_rows(study, many)
    monkeypatch.setattr("centrum.io.open.url_digest", away)
    with pytest.raises(StorageDown):
        of_study.extract(open_study(study))
    assert len(asked) < 100
