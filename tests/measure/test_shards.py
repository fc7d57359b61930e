"""A shard holds whole rows or none, whoever writes, reads or damages it."""

import json
import os
import random
import shutil
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings, strategies as st

from centrum.measure import shards as module
from centrum.measure.shards import INDEX, Shards

numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"]))
records = st.fixed_dictionaries(
    {
        "values": st.dictionaries(texts, st.lists(numbers, max_size=4), max_size=3),
        "errors": st.lists(st.fixed_dictionaries({"message": texts, "code": texts}), max_size=2),
        "history": st.dictionaries(texts, st.lists(st.integers() | texts), max_size=2),
    }
)


def record(number: float, *errors: str) -> dict:
    told = [{"message": text} for text in errors]
    return {"values": {"senior": [number, None], "junior": [-0.0]}, "errors": told}


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("??/*.parquet"))


@settings(max_examples=30)
@given(batch=st.dictionaries(st.sampled_from(["a", "b", "c"]), records))
def test_what_is_written_comes_back(
    tmp_path_factory: pytest.TempPathFactory, batch: dict[str, dict]
) -> None:
    shards = Shards(tmp_path_factory.mktemp("shards"))
    shards.write(batch)
    assert json.dumps(shards.records("abcd", failed=True), sort_keys=True) == json.dumps(
        batch, sort_keys=True
    ), "with the sign of zero"
    sound = {key for key, each in batch.items() if not each["errors"]}
    assert shards.records("abcd").keys() == shards.measured("abcd") == sound


def test_a_shard_is_a_plain_table_of_one_row_for_each_case(tmp_path: Path) -> None:
    """So that other programs read it: values are one list column."""
    name = Shards(tmp_path).write({"b": record(1.5), "a": record(2.5, "Too small.")}, "choices")
    frame = pq.read_table(tmp_path / name[:2] / f"{name}.parquet").to_pandas()
    assert frame["key"].tolist() == ["a", "b"]
    assert frame["error"].fillna("").tolist() == ["Too small.", ""]
    assert frame["values"][1][[0, 2]].tolist() == [1.5, 0.0]


def test_the_name_of_a_shard_is_what_it_is_of(tmp_path: Path) -> None:
    shards = Shards(tmp_path)
    names = [
        shards.write({"a": record(1), "b": record(2)}),
        shards.write({"a": record(1)}),
        shards.write({"a": record(1), "b": record(2)}, "other choices"),
    ]
    assert len(set(names)) == 3
    assert shards.write({"b": record(2), "a": record(1)}) == names[0]


def test_every_damage_is_noticed(tmp_path: Path) -> None:
    """One bit of a shard is turned at a time: the record is as it was or not there."""
    shards, whole = Shards(tmp_path / "whole"), {"a": record(1.5), "b": record(2.5)}
    shards.write(whole)
    [path] = files(shards.folder)
    content, rng = path.read_bytes(), random.Random(0)
    for place in rng.sample(range(len(content)), 300):
        spoilt = bytearray(content)
        spoilt[place] ^= 1 << rng.randrange(8)
        path.write_bytes(bytes(spoilt))
        (shards.folder / INDEX).unlink(missing_ok=True)
        found = shards.records("ab")
        assert all(whole.get(key) == each for key, each in found.items()), place


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
def test_a_shard_that_was_cut_is_taken_away_and_its_cases_can_be_kept_again(
    tmp_path: Path, keep: int
) -> None:
    shards = Shards(tmp_path)
    shards.write({"a": record(1)})
    assert shards.measured("a") == {"a"}
    [path] = files(tmp_path)
    path.write_bytes(path.read_bytes()[:keep])
    assert shards.records("a") == {}
    assert not files(tmp_path)
    shards.write({"a": record(1)})
    shards.compact()
    assert shards.records("a") == {"a": record(1)}


def test_one_damaged_row_does_not_take_the_others_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shards, true = Shards(tmp_path), module._digest
    wrong = Mock(side_effect=lambda key, *more: "wrong" if key == "a" else true(key, *more))
    monkeypatch.setattr(module, "_digest", wrong)
    shards.write({"a": record(1), "b": record(2)}, "choices")
    monkeypatch.undo()
    assert shards.records("ab") == {"b": record(2)}
    shards.compact()
    assert shards.measured("ab") == {"b"}
    (left,) = files(tmp_path)
    assert left.stem == Shards(tmp_path / "alone").write({"b": record(2)}, "choices")


def test_an_error_that_lost_its_mark_is_no_result(tmp_path: Path) -> None:
    """What is in the record counts, not what the column beside it says."""
    shards = Shards(tmp_path)
    shards.write({"a": record(1, "Wrong.")})
    [path] = files(tmp_path)
    with pq.ParquetFile(path) as file:
        table = file.read()
    none = pa.nulls(1, pa.string())
    pq.write_table(table.set_column(table.column_names.index("error"), "error", none), path)
    assert shards.records("a") == {}
    assert shards.records("a", failed=True).keys() == {"a"}


def test_a_file_that_cannot_be_reached_is_not_taken_for_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network folder that is away for a moment."""
    shards = Shards(tmp_path)
    shards.write({"a": record(1)})
    shards.compact()
    true = pq.ParquetFile
    monkeypatch.setattr(pq, "ParquetFile", lambda p: true(p) if p.name == INDEX else _gone())
    with pytest.raises(OSError, match="stale"):
        shards.records("a")
    monkeypatch.undo()
    assert shards.records("a") == {"a": record(1)}


def _gone() -> None:
    raise OSError(116, "stale file handle")


def test_what_is_measured_is_asked_of_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shards = Shards(tmp_path)
    for key in "abc":
        shards.write({key: record(1)})
    assert shards.measured("abcd") == {*"abc"}
    read: list[str] = []
    true = module._table
    monkeypatch.setattr(module, "_table", lambda path, *c: read.append(path.name) or true(path, *c))
    monkeypatch.setattr(
        os, "scandir", Mock(side_effect=AssertionError("folders are not looked at"))
    )
    assert shards.measured("abc") == {*"abc"}
    assert read == [INDEX]


@pytest.mark.parametrize("index", ["deleted", "cut", "another file"])
def test_an_index_that_is_lost_is_made_again(tmp_path: Path, index: str) -> None:
    shards = Shards(tmp_path)
    shards.write({"a": record(1)})
    shards.compact()
    path, before = tmp_path / INDEX, (tmp_path / INDEX).read_bytes()
    if index == "deleted":
        path.unlink()
    elif index == "cut":
        path.write_bytes(before[:50])
    else:
        shutil.copy(files(tmp_path)[0], path)
    assert shards.records("a") == {"a": record(1)}
    assert path.read_bytes() == before


def test_shards_that_are_gone_leave_the_index(tmp_path: Path) -> None:
    shards = Shards(tmp_path)
    shards.write({"a": record(1)})
    shards.compact()
    files(tmp_path)[0].unlink()
    assert shards.records("a") == {}
    shards.compact()
    assert shards.measured("a") == set()


def test_a_sound_row_counts_before_one_with_an_error_whichever_is_newer(tmp_path: Path) -> None:
    shards = Shards(tmp_path)
    shards.write({"a": record(1)})
    shards.write({"a": record(2, "Later."), "b": record(3, "Wrong.")})
    assert shards.records("ab") == {"a": record(1)}
    assert shards.records("ab", failed=True) == {"a": record(1), "b": record(3, "Wrong.")}


def test_the_last_error_counts(tmp_path: Path) -> None:
    shards = Shards(tmp_path)
    for k, others in enumerate(("xyz", "uv", "w")):
        batch = {"a": record(1, f"Try {k}"), **{key: record(1) for key in others}}
        name = shards.write(batch)
        os.utime(tmp_path / name[:2] / f"{name}.parquet", ns=(0, 1000 - k))
    [found] = shards.records("a", failed=True).values()
    assert found["errors"] == [{"message": "Try 0"}]


def test_a_shard_that_was_written_again_is_read_again(tmp_path: Path) -> None:
    """The same cases are tried again, and this time all is well."""
    shards = Shards(tmp_path)
    shards.write({"a": record(1, "The disk was away.")})
    assert shards.measured("a") == set()
    shards.write({"a": record(1)})
    assert shards.measured("a") == {"a"}


def test_many_write_and_gather_at_once(tmp_path: Path) -> None:
    shards, keys = Shards(tmp_path), [f"{k:02d}" for k in range(40)]

    def write(key: str) -> None:
        shards.write({key: record(float(key))})
        shards.compact()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, keys))
    assert shards.records(keys) == {key: record(float(key)) for key in keys}


def test_a_full_disk_leaves_no_part_of_a_shard(tmp_path: Path) -> None:
    """A process that may not write more than 2048 bytes to a file stands for a full disk."""
    script = f"""
        import resource, signal
        from pathlib import Path
        from centrum.measure.shards import Shards
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))
        values = {{"senior": [k ** 0.5 for k in range(999)]}}
        try:
            Shards(Path({str(tmp_path)!r})).write({{"a": {{"values": values, "errors": []}}}})
        except OSError:
            print("refused")
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "refused\n"
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_what_other_versions_measured_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shards = Shards(tmp_path)
    monkeypatch.setattr(module, "own_software", lambda: "centrum 0.1")
    shards.write({"a": record(1), "b": record(1)})
    monkeypatch.undo()
    shards.write({"c": record(1)})
    shards.compact()
    assert shards.other_software() == {"centrum 0.1": 2}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*.parquet")}


@settings(max_examples=20)
@given(order=st.permutations("abcdefg"), cuts=st.lists(st.integers(1, 6), max_size=3))
def test_whoever_measured_which_the_settled_files_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, order: list[str], cuts: list[int]
) -> None:
    """Of seven cases in shards of three, one of them with an error."""
    cases = {key: record(ord(key), *(["Too small."] if key == "d" else [])) for key in "abcdefg"}
    folders = [tmp_path_factory.mktemp("shards") for _ in range(2)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SETTLED", 3)
        Shards(folders[0]).write(cases, "choices")
        edges = [0, *sorted(set(cuts)), 7]
        for first, last in pairwise(edges):
            Shards(folders[1]).write({key: cases[key] for key in order[first:last]}, "choices")
        for folder in folders:
            Shards(folder).settle(cases, "choices")
    assert contents(folders[0]) == contents(folders[1])
    assert len(files(folders[0])) == 3
    assert Shards(folders[1]).records(cases, failed=True) == cases


def test_what_is_settled_is_left_alone_and_so_are_other_cases(tmp_path: Path) -> None:
    shards, cases = Shards(tmp_path), {key: record(1) for key in "ab"}
    other = shards.write({"a": record(1), "z": record(2)})
    shards.settle(cases)
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")}
    shards.settle(cases)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")} == times
    assert (tmp_path / other[:2] / f"{other}.parquet").exists(), "it also holds another case"


def test_what_others_lay_out_anew_meanwhile_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One has read the index; another one settles; then the first one reads the shards."""
    shards, cases = Shards(tmp_path), {key: record(ord(key)) for key in "abc"}
    for key, each in cases.items():
        shards.write({key: each})
    shards.compact()
    true, read = Shards._read, []

    def late(self: Shards, name: str) -> dict:
        if not read:
            read.append(name)
            shards.settle(cases)
        return true(self, name)

    monkeypatch.setattr(Shards, "_read", late)
    assert Shards(tmp_path).records("abc") == cases
    assert len(files(tmp_path)) == 1


def test_two_that_settle_at_once_leave_every_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each lays out the same cases under another name, and takes away what was there before."""
    shards, cases = Shards(tmp_path), {key: record(ord(key)) for key in "abcd"}
    for key, each in cases.items():
        shards.write({key: each})
    true, begun = Shards.write, []

    def meanwhile(self: Shards, own: dict, protocol: str = "") -> str:
        name = true(self, own, protocol)
        if not begun:
            begun.append(name)
            shards.settle(cases, "other choices")
        return name

    monkeypatch.setattr(Shards, "write", meanwhile)
    Shards(tmp_path).settle(cases)
    assert shards.records("abcd") == cases
    monkeypatch.undo()
    shards.settle(cases)
    assert len(files(tmp_path)) == 1


def test_a_damaged_shard_of_the_same_name_is_written_anew(tmp_path: Path) -> None:
    """What is there under the name of a settled shard need not be it."""
    shards, cases = Shards(tmp_path), {key: record(1) for key in "ab"}
    settled = tmp_path / "settled"
    Shards(settled).settle(cases)
    [whole] = files(settled)
    for key, each in cases.items():
        shards.write({key: each})
    place = tmp_path / whole.parent.name / whole.name
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(whole.read_bytes()[:-9])
    shards.settle(cases)
    assert shards.records("ab") == cases
    assert place.read_bytes() == whole.read_bytes()


def test_a_digest_is_of_all_that_a_row_holds() -> None:
    """And of missing values whatever the bits of their NaN."""
    true = module._digest("a", "{}", np.array([1.0, np.nan]))
    others = (
        ("b", "{}", [1.0, np.nan]), ("a", "[]", [1.0, np.nan]), ("a", "{}", [2.0, np.nan]),
        ("a", "{}", [1.0]),
    )  # fmt: skip
    for key, more, values in others:
        assert module._digest(key, more, np.array(values)) != true
    other_nan = np.array([0x7FF8000000000001], np.int64).view(np.float64)
    assert np.isnan(other_nan).all()
    assert module._digest("a", "{}", np.concatenate([[1.0], other_nan])) == true
