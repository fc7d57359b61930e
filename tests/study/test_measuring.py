"""Shares of a study on several machines, the table gathered of them, and studies of before."""

import errno
import json
import os
import shutil
import threading
import tracemalloc
from collections.abc import Callable
from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from typer.testing import CliRunner

from centrum import table
from centrum.arrays import Columns
from centrum.cli import BAD_INPUT, CASES_FAILED, OK, app
from centrum.commands import study as of_study
from centrum.commands.shards import Share, extract_share, gather
from centrum.errors import DataError, ProtocolError
from centrum.execution import silent
from centrum.measure import shards as format_
from centrum.measure.batches import LocalEngine
from centrum.measure.case import MeasurementJob, Record
from centrum.measure.records_on_disk import RecordsMade, RecordsOnDisk, each
from centrum.measure.shards import Shards
from centrum.study import extraction, measuring
from centrum.study.extraction import measure_all
from centrum.study.findings import Finding
from centrum.study.measuring import shards_of
from centrum.study.study import Study, open_study
from centrum.table import FeatureTable
from tests.smallest import image_study, table_study
from tests.studies import read_rows, write_rows

N = 5


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that was measured by one machine; not to be changed."""
    folder = image_study(tmp_path_factory.mktemp("whole") / "study", N)
    of_study.extract(open_study(folder))
    return folder


@pytest.fixture
def study(whole: Path, tmp_path: Path) -> Path:
    """The same, unmeasured."""
    shutil.copytree(whole, tmp_path / "study", ignore=shutil.ignore_patterns("results"))
    return tmp_path / "study"


def results(folder: Path) -> dict[str, bytes]:
    """The results of `extract`, without what keeps them."""
    return {p.name: p.read_bytes() for p in (folder / "results").iterdir() if p.is_file()}


def shards(folder: Path) -> dict[str, int]:
    return {p.name: p.stat().st_mtime_ns for p in (folder / "results/shards").glob("??/*")}


def nobody(job: MeasurementJob) -> Record:
    raise AssertionError("nothing is measured")


@given(st.integers(0, 40), st.integers(1, 50))
def test_shares_are_all_cases_once(n: int, among: int) -> None:
    cases = list(range(n))
    shares = [Share(k, among).of(cases) for k in range(1, among + 1)]
    assert sorted(case for share in shares for case in share) == cases
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "1/", "/3", "a/b", "1/0", "-1/3", "1/3/5", ""])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(ProtocolError, match="from 1 to N"):
        Share.parse(text)


def test_shares_of_three_machines_make_the_same_table(whole: Path, study: Path) -> None:
    done = [extract_share(open_study(study), Share(k, 3)) for k in (3, 1, 2)]
    assert [share.cases for share in done] == [1, 2, 2]
    assert results(study) == {}, "shards alone"
    found = gather(open_study(study))
    assert results(study) == results(whole)
    assert found.table.cases == tuple(f"P{k:02d}" for k in range(N))


def test_records_that_wait_on_disk_make_the_same_table(
    whole: Path, study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "LARGE", 100)
    monkeypatch.setattr(extraction, "AT_ONCE", 500)
    values = np.asarray(of_study.extract(open_study(study)).table.values)
    assert isinstance(gather(open_study(study)).table.values, Columns)
    np.testing.assert_array_equal(values, FeatureTable.load(whole / "results").values)
    np.testing.assert_array_equal(FeatureTable.load(study / "results").values, values)
    frames = (pd.read_parquet(each / "results" / "features.parquet") for each in (whole, study))
    pd.testing.assert_frame_equal(*frames)
    for name in ("extraction.json", "overlap.csv", "acquisition.csv"):
        assert results(study)[name] == results(whole)[name], name


def test_errors_and_findings_of_records_on_disk(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A broken image, and the image of a patient as another's."""
    (study / "P01-first.nii.gz").write_bytes(b"broken")
    shutil.copyfile(study / "P02-first.nii.gz", study / "P03-first.nii.gz")
    of_study.extract(open_study(study))
    whole = results(study)
    assert b"P01" in whole["extraction.json"]
    assert b"same-image" in whole["extraction.json"]
    monkeypatch.setattr(table, "LARGE", 100)
    shutil.rmtree(study / "results")
    of_study.extract(open_study(study))
    gather(open_study(study))
    for name in ("extraction.json", "overlap.csv", "acquisition.csv"):
        assert results(study)[name] == whole[name], name


def heavy(n: int, folder: Path) -> list[str]:
    """Shards of so many records, each of some 20 KB in memory; gives their keys."""
    rng = np.random.default_rng(0)
    keys = [f"{k:032x}" for k in rng.permutation(n)]
    for begin in range(0, n, 100):
        Shards(folder).write({
            key: {"values": {"R1": rng.normal(size=300).tolist()}, "errors": [], "findings": [],
                  "history": [{"name": f"step {j} of {key}"} for j in range(50)]}
            for key in keys[begin : begin + 100]
        })  # fmt: skip
    return keys


def peak(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_records(tmp_path: Path) -> None:
    """Of four times as many: what an index of cases needs, and not what records do."""
    used = {}
    for n in (200, 800):
        folder = tmp_path / str(n)
        keys = heavy(n, folder)

        def gone_over(folder: Path = folder, keys: list[str] = keys) -> None:
            kept = RecordsOnDisk(tmp_path)
            Shards(folder).records(keys, into=kept)
            made = each(
                RecordsMade(keys, kept.__getitem__), lambda case, record: record | {"case": case}
            )
            assert sum(np.asarray(r["values"]["R1"]).size for r in made.values()) == 300 * len(keys)
            Shards(folder).settle(kept)

        used[n] = peak(gone_over), peak(Shards(folder).compact)
        inside = peak(lambda folder=folder, keys=keys: Shards(folder).records(keys))
    assert inside > 800 * 15_000, "what all of them need"
    for many, few in zip(used[800], used[200], strict=True):
        assert many - few < 600 * 2_000


def test_a_share_that_is_done_is_not_done_again(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    extract_share(open_study(study), Share(1, 2))
    before = shards(study)
    monkeypatch.setattr(measuring, "measure_anew", nobody)
    assert extract_share(open_study(study), Share(1, 2)).failures == ()
    assert shards(study) == before


def test_other_shares_of_the_same_cases_need_nothing(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number of machines can change between two runs."""
    for k in (1, 2):
        extract_share(open_study(study), Share(k, 2))
    monkeypatch.setattr(measuring, "measure_anew", nobody)
    for k in (1, 2, 3):
        assert extract_share(open_study(study), Share(k, 3)).failures == ()


def test_what_is_missing_is_told_by_count_and_case(study: Path) -> None:
    extract_share(open_study(study), Share(1, 2))
    with pytest.raises(DataError, match=r"2 of 5 cases have not been measured: P01, P03\.") as told:
        gather(open_study(study))
    assert told.value.code == "not-measured"
    assert results(study) == {}, "no table of a part"


def test_extract_measures_what_shares_have_left(
    whole: Path, study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    extract_share(open_study(study), Share(1, 2))
    measured, true = [], measuring.measure_anew
    monkeypatch.setattr(
        measuring, "measure_anew", lambda job: measured.append(job.case) or true(job)
    )
    of_study.extract(open_study(study))
    assert measured == ["P01", "P03"]
    assert results(study) == results(whole)


def test_the_exit_codes(study: Path) -> None:
    def run(*words: object) -> int:
        return CliRunner().invoke(app, list(map(str, words)), catch_exceptions=True).exit_code

    assert run("extract", study, "--shard", "1/2", "--workers", 1) == OK
    told = CliRunner().invoke(app, ["gather", str(study)])
    assert isinstance(told.exception, DataError)  # which `main` ends with BAD_INPUT
    assert BAD_INPUT == 2
    (study / "P01-first.nii.gz").write_bytes(b"broken")
    assert run("extract", study, "--shard", "2/2", "--workers", 1) == CASES_FAILED
    assert run("gather", study) == CASES_FAILED
    assert isinstance(
        CliRunner().invoke(app, ["extract", str(study), "--shard", "1/2", "--dask", "x"]).exception,
        ProtocolError,
    )


def test_a_case_with_an_error_is_gathered_as_such_and_tried_again(whole: Path, study: Path) -> None:
    image = study / "P01-first.nii.gz"
    sound = image.read_bytes()
    image.write_bytes(b"broken")
    [failure] = extract_share(open_study(study), Share(2, 2)).failures
    assert (failure.case, failure.file) == ("P01", "P01-first.nii.gz")
    extract_share(open_study(study), Share(1, 2))
    found = gather(open_study(study))
    assert [f.case for f in found.failures] == ["P01"]
    assert "P01-first.nii.gz" in found.failures[0].message, "the screen shows the file"
    of_study.extract(open_study(study))
    gathered = results(study)
    shutil.rmtree(study / "results")
    of_study.extract(open_study(study))
    assert results(study) == gathered, "as one machine does it"
    image.write_bytes(sound)
    with pytest.raises(DataError, match="1 of 5 cases have not been measured: P01"):
        gather(open_study(study))
    extract_share(open_study(study), Share(2, 2))
    gather(open_study(study))
    assert results(study) == results(whole)


def test_no_name_of_a_file_is_in_a_shard(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(job: MeasurementJob) -> Record:
        raise ValueError(f"cannot read 'Anna Roth' in {job.image}")

    monkeypatch.setattr(measuring, "measure_anew", unknown)
    told = extract_share(open_study(study), Share(1, 1)).failures[0]
    assert "Anna Roth" in told.message, "on the screen"
    kept = shards_of(open_study(study)).records(
        [job.key() for job in open_study(study).jobs()], failed=True
    )
    assert len(kept) == N
    assert "Anna" not in json.dumps(kept)
    assert "P00-first" not in json.dumps(kept)


def test_two_gather_at_once(whole: Path, study: Path) -> None:
    for k in (1, 2):
        extract_share(open_study(study), Share(k, 2))
    (study / "results/shards/index.parquet").unlink(missing_ok=True)
    opened, errors = [open_study(study) for _ in range(4)], list[BaseException]()

    def one(each: Study) -> None:
        try:
            gather(each)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=one, args=(each,)) for each in opened]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert results(study) == results(whole)


def test_two_extract_at_once(whole: Path, study: Path) -> None:
    """Both measure, both settle, and each reads what the other one has laid out anew."""
    for k in (1, 2):
        extract_share(open_study(study), Share(k, 2))
    opened, errors = [open_study(study) for _ in range(4)], list[BaseException]()

    def one(each: Study) -> None:
        try:
            of_study.extract(each)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=one, args=(each,)) for each in opened]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert results(study) == results(whole)


def test_a_disk_that_is_full_at_any_write_is_told_and_the_same_command_goes_on(
    whole: Path, study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each write in turn, of shards, index, settled shards and tables, finds no space left."""
    true, writes = os.fsync, 0

    def until(refused: int) -> Callable[[int], None]:
        def fsync(handle: int) -> None:
            nonlocal writes
            writes += 1
            if writes == refused:
                raise OSError(errno.ENOSPC, "No space left on device")
            true(handle)

        return fsync

    for refused in count(1):
        shutil.rmtree(study / "results", ignore_errors=True)
        writes = 0
        with monkeypatch.context() as full:
            full.setattr(os, "fsync", until(refused))
            told = None
            try:
                of_study.extract(open_study(study))
            except OSError as error:
                told = error.errno
        if writes < refused:
            break
        assert told == errno.ENOSPC
        assert [p.name for p in (study / "results").rglob(".*")] == [], "nothing is left behind"
        for path in shards(study):
            assert cases_of(study / "results/shards" / path[:2] / path) > 0, "whole or not there"
        of_study.extract(open_study(study))
        assert results(study) == results(whole), refused
    assert refused > 9, "shards, the index, settled ones, five files of the table and its keys"


def test_what_another_version_measured_does_not_count(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from centrum import provenance

    with monkeypatch.context() as other:
        other.setattr(provenance, "package_version", lambda name: "9.9")
        extract_share(open_study(study), Share(1, 1))
    with pytest.raises(DataError, match=r"5 of 5 cases .* 5 cases were measured by centrum .*9\.9"):
        gather(open_study(study))


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


@pytest.mark.parametrize("damage", [cut_off, Path.unlink, lambda path: path.write_bytes(b"")])
def test_a_damaged_shard_is_missing_and_then_measured_again(
    whole: Path, study: Path, damage: Callable[[Path], None]
) -> None:
    for k in (1, 2):
        extract_share(open_study(study), Share(k, 2))
    gather(open_study(study))
    [path] = [p for p in (study / "results/shards").glob("??/*") if cases_of(p) == 2][:1]
    damage(path)
    with pytest.raises(DataError, match="2 of 5 cases have not been measured"):
        gather(open_study(study))
    for k in (1, 2):
        extract_share(open_study(study), Share(k, 2))
    gather(open_study(study))
    assert results(study) == results(whole)


def test_shards_that_were_deleted_are_made_again_in_other_batches(whole: Path, study: Path) -> None:
    """The index still knows them."""
    for k in (1, 2):
        extract_share(open_study(study), Share(k, 2))
    gather(open_study(study))
    for path in (study / "results/shards").glob("??/*"):
        path.unlink()
    of_study.extract(open_study(study))
    assert results(study) == results(whole)


def cases_of(path: Path) -> int:
    return format_._table(path, format_._ROW).num_rows


def test_workers_that_write_elsewhere_are_told(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Elsewhere(LocalEngine):
        def run(self, work, waiting):
            for batch, told in super().run(work, waiting):
                shutil.rmtree(study / "results/shards")
                yield batch, told

    opened = open_study(study)
    with pytest.raises(DataError, match="same path") as caught:
        measuring.by_engine(Elsewhere(1))(opened, opened.jobs(), silent, "")
    assert caught.value.code == "not-shared"


def test_what_is_learnt_of_all_cases_has_no_shares(study: Path) -> None:
    protocol = study / "study.yaml"
    text = protocol.read_text()
    protocol.write_text(text + "preparation: {normalisation: {method: nyul}}\n")
    for verb in (lambda s: extract_share(s, Share(1, 2)), gather):
        with pytest.raises(ProtocolError, match="learnt from all training patients"):
            verb(open_study(study))


def test_a_study_of_tables_has_no_shares(tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match="nothing to measure"):
        gather(open_study(table_study(tmp_path / "study")))


# Studies of before: a JSON file for each case


def as_before(folder: Path) -> None:
    """Put what was measured where version 0.3.0 had it."""
    study = open_study(folder)
    keys = [job.key() for job in study.jobs()]
    for key, record in shards_of(study).records(keys).items():
        study.store.put(key, record)
    shutil.rmtree(folder / "results/shards")


def test_a_study_of_before_is_converted_and_not_measured_again(
    whole: Path, study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_study.extract(open_study(study))
    as_before(study)
    assert len(list((study / "results/store").glob("??/*.json"))) == N
    assert "0 cases to do, 5 in the store" in of_study.outlook(open_study(study))[1]
    monkeypatch.setattr(measuring, "measure_anew", nobody)
    of_study.extract(open_study(study))
    assert results(study) == results(whole)
    assert list((study / "results/store").glob("??/*.json")) == []
    of_study.extract(open_study(study))
    assert "0 cases to do, 5 in the store" in of_study.outlook(open_study(study))[1]


def test_a_damaged_entry_of_before_is_measured_again(whole: Path, study: Path) -> None:
    of_study.extract(open_study(study))
    as_before(study)
    next((study / "results/store").glob("??/*.json")).write_text("{")
    of_study.extract(open_study(study))
    assert results(study) == results(whole)


def test_progress_counts_what_is_kept(study: Path) -> None:
    extract_share(open_study(study), Share(1, 2))
    told: list[tuple[str, int, int]] = []
    measure_all(open_study(study), 1, lambda *each: told.append(each))
    counts = [done for _, done, _ in told]
    assert counts[0] == 0
    assert counts[-1] == N
    assert 3 in counts, "those that are kept already"
    assert counts == sorted(counts)
    assert {(what, total) for what, _, total in told} == {("Measuring cases", N)}


def test_a_study_that_is_open_sees_what_is_drawn_meanwhile(tmp_path: Path) -> None:
    study = open_study(image_study(tmp_path / "study", 2))
    before = of_study.extract(study).table.values.copy()
    shutil.copy(study.folder / "P00-first.nii.gz", study.folder / "P01-first.nii.gz")
    assert not np.array_equal(of_study.extract(study).table.values, before)


def test_a_share_looks_at_no_file_of_others(tmp_path: Path, monkeypatch) -> None:
    study = open_study(image_study(tmp_path / "study", 4))
    looked: list[str] = []
    look = MeasurementJob.sources

    def noted(job: MeasurementJob):
        looked.append(job.case)
        return look(job)

    monkeypatch.setattr(MeasurementJob, "sources", noted)
    share = Share(1, 2)
    extract_share(study, share)
    assert {*looked} == {job.case for job in share.of(study.jobs())}
    assert len({*looked}) == 2


def test_names_of_patients_in_findings_become_their_codes(tmp_path: Path) -> None:
    """Also in a finding about another patient's case, whose own files do not have the name."""
    folder = image_study(tmp_path / "study", 3)
    rows = read_rows(folder)
    write_rows(folder, [row | {"patient": "Anna Roth"} if k == 0 else row
                        for k, row in enumerate(rows)])  # fmt: skip
    study = open_study(folder)
    (code,) = {each.pseudonym for each in study.cohort.identities if each.name == "Anna Roth"}
    other = study.cohort.cases[1].id
    found = Finding(other, "senior", "warning", "copy", "The same image as that of ANNA ROTH.")
    (written,) = extraction._written(study, [found])
    assert written["message"] == f"The same image as that of {code}."
