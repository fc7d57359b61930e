"""Shards in object storage: whoever writes at the same time, each is there once and whole.

Against moto, an emulator of S3: see `tests.object_storage`.
"""

import multiprocessing
import os
import pickle
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from unittest.mock import Mock

import pytest

from centrum.errors import StorageDown, StorageError
from centrum.io import objects
from centrum.io.objects import ObjectUrl, create, read_object, replace_object
from centrum.measure import shard_places, shards as module
from centrum.measure.shards import INDEX, Shards
from tests.measure.test_shards import record
from tests.object_storage import Bucket, Door, Emulator, as_at_first


@pytest.fixture
def url(bucket: Bucket) -> ObjectUrl:
    return ObjectUrl.parse(bucket.url("study/shards"))


def test_what_is_written_comes_back_as_from_a_folder(url: ObjectUrl, tmp_path: Path) -> None:
    places = [Shards(url), Shards(tmp_path)]
    batch = {"a": record(1.5), "b": record(2.5, "Too small.")}
    names = [shards.write(batch, "choices") for shards in places]
    for shards in places:
        assert shards.records("ab") == {"a": record(1.5)}
        assert shards.records("abc", failed=True) == batch
        assert shards.measured("ab") == {"a"}
    assert names[0] == names[1]


def test_both_places_hold_the_same_bytes_once_settled(
    bucket: Bucket, url: ObjectUrl, tmp_path: Path
) -> None:
    cases = {key: record(ord(key)) for key in "abcdefg"}
    for shards, cuts in ((Shards(url), ("abc", "defg")), (Shards(tmp_path), ("ab", "cd", "efg"))):
        for keys in cuts:
            shards.write({key: cases[key] for key in keys}, "choices")
        shards.settle(cases, "choices")
    files = {
        p.relative_to(tmp_path).as_posix(): p.read_bytes() for p in tmp_path.rglob("*.parquet")
    }
    assert bucket.keys() == {f"study/shards/{name}": content for name, content in files.items()}
    assert len(files) == 2, "one shard and the index"


def test_other_objects_are_left_alone_and_are_no_shards(bucket: Bucket, url: ObjectUrl) -> None:
    others = {"study/shards/notes.txt", "study/shards/ab/cd.parquet", "study/shards.parquet",
              "study/shards/x.parquet"}  # fmt: skip
    for key in others:
        bucket.put(key, b"of somebody else")
    shards = Shards(url)
    shards.settle({"a": record(1)})
    assert shards.records("a") == {"a": record(1)}
    assert {
        key for key, content in bucket.keys().items() if content == b"of somebody else"
    } == others


def _write(start, done, url: ObjectUrl, number: int) -> None:
    """One of two processes that have measured the same case, and say so with other words."""
    as_at_first()
    true = create
    shard_places.create = lambda *wanted: (start.wait(), true(*wanted))[1]
    Shards(url).write({"a": record(1, f"By process {number}."), "b": record(2)})
    done.put(number)
    done.close()
    done.join_thread()
    os._exit(0)  # what threads of libraries do at the end of an interpreter is not what is tried


def test_of_two_processes_that_race_for_a_shard_both_succeed_and_one_is_kept(
    bucket: Bucket, url: ObjectUrl
) -> None:
    """The conditional put itself: both are let go when both are about to ask for it."""
    context = multiprocessing.get_context("spawn")
    for _ in range(3):
        start, done = context.Barrier(2), context.Queue()
        writers = [context.Process(target=_write, args=(start, done, url, n)) for n in (1, 2)]
        for each in writers:
            each.start()
        for each in writers:
            each.join(120)
        assert [each.exitcode for each in writers] == [0, 0]
        assert sorted(done.get(timeout=10) for _ in writers) == [1, 2]
        [key] = bucket.keys()
        [found] = (r for k, r in Shards(url).records("ab", failed=True).items() if k == "a")
        assert found["errors"][0]["message"] in ("By process 1.", "By process 2.")
        for each in [key, f"study/shards/{INDEX}"]:
            objects.remove(ObjectUrl(bucket.name, each))


def test_the_first_of_two_stays(url: ObjectUrl) -> None:
    shards = Shards(url)
    for text in ("First.", "Second."):
        shards.write({"a": record(1, text)})
    assert shards.records("a", failed=True) == {"a": record(1, "First.")}


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
def test_a_damaged_shard_is_replaced_by_whoever_measures_again(
    bucket: Bucket, url: ObjectUrl, keep: int
) -> None:
    """Nothing of it was ever in the index, so that nobody has taken it away."""
    shards = Shards(url)
    name = shards.write({"a": record(1)})
    key = f"study/shards/{name[:2]}/{name}.parquet"
    whole = bucket.keys()[key]
    bucket.put(key, whole[:keep])
    assert shards.write({"a": record(1)}) == name
    assert bucket.keys()[key] == whole
    assert shards.records("a") == {"a": record(1)}


def test_a_shard_that_is_taken_away_meanwhile_is_written(
    url: ObjectUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the answer that it is there and the look at it."""
    shards, true = Shards(url), read_object
    shards.write({"a": record(1)})

    def gone(wanted: ObjectUrl):
        objects.remove(wanted)
        monkeypatch.setattr(shard_places, "read_object", true)
        return true(wanted)

    monkeypatch.setattr(shard_places, "read_object", gone)
    shards.write({"a": record(1)})
    assert shards.records("a") == {"a": record(1)}


def test_gatherers_at_once_lose_nothing(bucket: Bucket, url: ObjectUrl) -> None:
    """Eight write and compact; the index knows all, though each has replaced that of another."""
    shards, keys = Shards(url), [f"{k:02d}" for k in range(24)]

    def write(key: str) -> None:
        shards.write({key: record(float(key))})
        shards.compact()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, keys))
    content, _ = read_object(url.within(INDEX))
    bucket.put(f"study/shards/{INDEX}", content)
    assert shards.measured(keys) == {*keys}
    table, _ = shards._index()
    assert sorted(table["key"].to_pylist()) == keys


def test_an_index_that_was_replaced_meanwhile_is_made_of_the_new_one(
    url: ObjectUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise what the other has found would be lost, or looked for again."""
    shards, true = Shards(url), replace_object
    shards.write({"a": record(1)})
    shards.compact()
    shards.write({"b": record(2)})
    turns: list[bool] = []

    def late(*wanted) -> bool:
        if not turns:
            turns.append(False)
            Shards(url).write({"c": record(3)})
            Shards(url).compact()
        turns.append(true(*wanted))
        return turns[-1]

    monkeypatch.setattr(shard_places, "replace_object", late)
    shards.compact()
    assert turns == [False, True, False, *turns[3:]]
    assert sorted(shards._index()[0]["key"].to_pylist()) == ["a", "b", "c"]


def test_an_index_that_cannot_be_written_is_no_reason_to_go_on_for_ever(
    url: ObjectUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    shards = Shards(url)
    shards.write({"a": record(1)})
    never = Mock(return_value=False)
    monkeypatch.setattr(shard_places, "create", never)
    assert shards.records("a") == {"a": record(1)}
    assert never.call_count == module.COMPACTIONS


def test_what_is_measured_is_asked_of_one_object(
    bucket: Bucket, url: ObjectUrl, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    shards = Shards(url)
    for key in "abc":
        shards.write({key: record(1)})
    shards.compact()
    with Door(emulator) as door:
        monkeypatch.setenv("AWS_ENDPOINT_URL", door.address)
        objects._store.cache_clear()
        assert shards.measured("abc") == {*"abc"}
        assert door.asked == [f"GET study/shards/{INDEX}"]
        objects._store.cache_clear()


def test_what_goes_to_workers_holds_no_credentials(url: ObjectUrl) -> None:
    """They have their own."""
    shards = Shards(url)
    shards.write({"a": record(1)})
    content = pickle.dumps(shards)
    assert pickle.loads(content).records("a") == {"a": record(1)}
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL"):
        assert os.environ[name].encode() not in content


def test_a_bucket_that_is_not_there_is_told(bucket: Bucket) -> None:
    shards = Shards(ObjectUrl.parse("s3://no-such-bucket/shards"))
    for ask in (lambda: shards.write({"a": record(1)}), lambda: shards.records("a")):
        with pytest.raises(StorageError, match="no such bucket") as caught:
            ask()
        assert caught.value.code == "no-bucket"


def test_a_storage_that_is_away_is_not_taken_for_damaged(
    bucket: Bucket, url: ObjectUrl, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    shards = Shards(url)
    shards.write({"a": record(1)})
    shards.compact()
    before = bucket.keys()
    with Door(emulator, cuts=10_000, after=10) as door:
        monkeypatch.setenv("AWS_ENDPOINT_URL", door.address)
        monkeypatch.setattr(objects, "PATIENCE", objects.timedelta(seconds=1))
        objects._store.cache_clear()
        with pytest.raises(StorageDown, match="cannot be reached"):
            shards.records("a")
    monkeypatch.setenv("AWS_ENDPOINT_URL", emulator.address)
    objects._store.cache_clear()
    assert bucket.keys() == before
    assert shards.records("a") == {"a": record(1)}


@pytest.fixture
def door(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    """The way that all requests of a test take once it is entered."""
    with Door(emulator) as found:
        monkeypatch.setenv("AWS_ENDPOINT_URL", found.address)
        objects._store.cache_clear()
        yield found
    objects._store.cache_clear()


def looked(door: Door) -> list[str]:
    """What was asked for of shards."""
    return sorted(each for each in door.asked if each.startswith("GET study/shards/")
                  and not each.endswith(INDEX))  # fmt: skip


def test_the_index_of_large_shards_is_made_without_their_values(
    bucket: Bucket, url: ObjectUrl, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of each the end, which says where its columns are, and the columns of keys and errors."""
    shards, rng = Shards(url), random.Random(0)
    for shard in range(3):
        values = [{"senior": [rng.random() for _ in range(20_000)]} for _ in range(4)]
        shards.write({f"{shard}{k}": {"values": own, "errors": []} for k, own in enumerate(values)})
    sizes = [len(content) for content in bucket.keys().values()]
    assert min(sizes) > 500_000
    door.asked.clear()
    transferred: list[int] = []
    true = objects._get

    def counted(*wanted):
        content, version = true(*wanted)
        transferred.append(len(content))
        return content, version

    monkeypatch.setattr(objects, "_get", counted)
    shards.compact()
    assert len(shards._index()[0]) == 12
    assert len(looked(door)) == 2 * 3
    assert sum(transferred) < 3 * 70_000 < min(sizes), "pyarrow reads the last 64 KB"


def test_a_small_shard_is_looked_at_by_one_request(url: ObjectUrl, door: Door) -> None:
    shards = Shards(url)
    names = {shards.write({key: record(1)}) for key in "abc"}
    door.asked.clear()
    shards.compact()
    assert looked(door) == sorted(f"GET study/shards/{name[:2]}/{name}.parquet" for name in names)


def test_several_shards_are_looked_at_at_once(
    url: ObjectUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All wait for each other: one after the other would wait for ever."""
    shards, together = Shards(url), Barrier(4)
    for key in "abcd":
        shards.write({key: record(1)})
    true = shard_places.ObjectFile
    monkeypatch.setattr(
        shard_places, "ObjectFile", lambda found: (together.wait(30), true(found))[1]
    )
    shards.compact()
    assert shards.measured("abcd") == {*"abcd"}


def test_a_shard_that_is_replaced_while_it_is_looked_at_is_seen_the_next_time(
    bucket: Bucket, url: ObjectUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its end is of one version, and its columns would be of another."""
    shards, true = Shards(url), shard_places.ObjectFile
    name = shards.write({"a": record(1)})
    key = f"study/shards/{name[:2]}/{name}.parquet"

    def replaced(found):
        bucket.put(key, bucket.keys()[key] + b"more")
        return true(found)

    monkeypatch.setattr(shard_places, "ObjectFile", replaced)
    whole = bucket.keys()[key]
    shards.compact()
    assert len(shards._index()[0]) == 0
    monkeypatch.setattr(shard_places, "ObjectFile", true)
    bucket.put(key, whole)
    assert shards.measured("a") == {"a"}


def test_a_storage_that_is_away_while_shards_are_looked_at_is_told(
    bucket: Bucket, url: ObjectUrl, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no damage: the index would be written without them."""
    shards, true = Shards(url), shard_places.ObjectFile
    shards.write({"a": record(1)})

    def cut(found):
        door.cuts, door.after = 10_000, 10
        return true(found)

    monkeypatch.setattr(shard_places, "ObjectFile", cut)
    monkeypatch.setattr(objects, "PATIENCE", objects.timedelta(seconds=1))
    objects._store.cache_clear()
    with pytest.raises(StorageError):
        shards.compact()
    door.cuts = 0
    index, _ = shards._index()
    assert index.num_rows == 0
