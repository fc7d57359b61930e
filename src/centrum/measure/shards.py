"""Measured cases in shards: a Parquet file for each batch, and one index of all that they hold.

A shard has a row for every case of its batch: the key of the case, its error (none where all went
well), the values of all readers as one list, and whatever else the record holds as JSON. It is
named by what it is of, written whole or not at all, and never changed, so that any number of
machines write into one folder without knowing of each other. A row carries the digest of its
content; what does not agree counts as absent.

The index is made of the shards and can be lost: what it does not know it looks for in them.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from centrum.arrays import Floats
from centrum.errors import StorageError
from centrum.io.objects import ObjectUrl
from centrum.measure.case import Record
from centrum.measure.shard_places import Content, Seen, ShardFolder, ShardObjects, ShardPlace
from centrum.provenance import MEASURING, canonical_json, job_key, software

INDEX = "index.parquet"
"""File that says which shard holds which case."""

SETTLED = 200
"""Cases of a shard once all are measured."""

LOOKS = 16
"""Shards that are looked at at once: of a storage that is far away each takes some answers."""

COMPACTIONS = 20
"""How often an index is made anew that others write at the same time."""

_ROW = pa.schema(
    [
        ("key", pa.string()),
        ("error", pa.string()),
        ("values", pa.list_(pa.float64())),
        ("more", pa.string()),
        ("digest", pa.string()),
    ]
)

_ENTRY = pa.schema(
    [
        ("key", pa.string()),
        ("shard", pa.string()),
        ("failed", pa.bool_()),
        ("software", pa.string()),
    ]
)


class _Damaged(Exception):
    """A file is not what it was written as."""


class _Changed(Exception):
    """A file was replaced while it was read."""


def own_software() -> str:
    """Names and versions of all that measures here, as a shard tells them."""
    return ", ".join(f"{name} {number}" for name, number in software(MEASURING).items())


@dataclass(frozen=True)
class Shards:
    """Shards in a folder, or in a place of object storage.

    >>> from tempfile import TemporaryDirectory
    >>> record = {"values": {"senior": [1.5, None]}, "errors": [], "findings": []}
    >>> with TemporaryDirectory() as folder:
    ...     shards = Shards(Path(folder))
    ...     _ = shards.write({"ab12": record})
    ...     shards.records(["ab12", "cd34"]) == {"ab12": record}
    True
    """

    folder: Path | ObjectUrl

    @property
    def place(self) -> ShardPlace:
        """Where they lie."""
        where = self.folder
        return ShardFolder(where) if isinstance(where, Path) else ShardObjects(where)

    def write(self, records: Mapping[str, Record], protocol: str = "") -> str:
        """Keep the records of a batch by their keys; gives the name of the shard.

        `protocol` is the digest of the choices by which they were measured.

        Raises
        ------
        OSError, StorageError
            The disk is full or cannot be written to; nothing is left behind.
        """
        name = _name(records, protocol)
        told = {"software": own_software(), "protocol": protocol}
        rows = [_row(key, records[key]) for key in sorted(records)]
        table = pa.Table.from_pylist(rows, _ROW.with_metadata(told))
        self._keep(name, _parquet(table))
        return name

    def _keep(self, name: str, content: bytes) -> None:
        """Write a shard; a sound one that somebody else has written meanwhile says the same."""
        while not self.place.create(_file(name), content):
            with suppress(FileNotFoundError):
                there, seen = self.place.read(_file(name))
                if _is_sound(there) or self.place.replace(_file(name), content, seen):
                    return

    def settle(self, records: Mapping[str, Record], protocol: str = "") -> None:
        """Lay these records out in the one way that does not tell who measured which, and when.

        `SETTLED` cases each, by their keys. Shards that hold nothing else than these cases go, if
        they were there before: what others lay out meanwhile is theirs.
        """
        keys = sorted(records)
        parts = [keys[k : k + SETTLED] for k in range(0, len(keys), SETTLED)]
        laid_out = {_name(_of(records, part), protocol): part for part in parts}
        entries = self._entries(keys)
        if {entries[key].shard for key in keys if key in entries} == laid_out.keys():
            return
        before = {name for name, _ in self.place.shards()}
        known = {entry.shard for entry in entries.values()}
        for name, part in laid_out.items():
            if name not in known:
                self.write(_of(records, part), protocol)
        self.compact()
        held = defaultdict[str, set[str]](set)
        table, _ = self._index()
        for key, shard in zip(table["key"].to_pylist(), table["shard"].to_pylist(), strict=True):
            held[shard].add(key)
        for shard in before & held.keys() - laid_out.keys():
            if held[shard] <= records.keys():
                self.place.remove(_file(shard))
        self.compact()

    def records(
        self,
        keys: Collection[str],
        *,
        failed: bool = False,
        into: MutableMapping[str, Record] | None = None,
    ) -> MutableMapping[str, Record]:
        """The records of those keys that were measured; with `failed` also those with errors.

        They are put where `into` keeps them, if that is given.
        """
        found: MutableMapping[str, Record] = {} if into is None else into
        shards = self._shards_of(keys, failed)
        found.update(self._found(shards, failed))
        if lost := shards.keys() - found.keys():
            self.compact()  # perhaps others have laid them out anew since the index was read
            found.update(self._found(self._shards_of(lost, failed), failed))
        return found

    def _shards_of(self, keys: Collection[str], failed: bool) -> dict[str, str]:
        entries = self._entries(keys)
        found = ((key, entries[key]) for key in keys if key in entries)
        return {key: entry.shard for key, entry in found if failed or not entry.failed}

    def _found(self, shards: Mapping[str, str], failed: bool) -> Iterator[tuple[str, Record]]:
        """The records of keys in shards, one shard after the other."""
        return (
            (key, record)
            for name in dict.fromkeys(shards.values())
            for key, record in self._read(name).items()
            if shards.get(key) == name and (failed or not record["errors"])
        )

    def measured(self, keys: Collection[str]) -> set[str]:
        """Those of the keys that need not be measured, as the index has it."""
        entries = self._entries(keys)
        return {key for key in keys if key in entries and not entries[key].failed}

    def compact(self) -> None:
        """Look for shards that the index does not know, and drop those that are gone."""
        self._compacted(*self._index())

    def other_software(self) -> dict[str, int]:
        """How many cases were measured by other versions than those here, by their names."""
        counted = self._index()[0]["software"].value_counts().to_pylist()
        others = {each["values"]: each["counts"] for each in counted}
        others.pop(own_software(), None)
        return others

    def _entries(self, keys: Collection[str]) -> dict[str, "_Whereabouts"]:
        """What is known of these keys, and of others; one file is read where it knows them all."""
        table, seen = self._index()
        entries = _by_key(table)
        if all(key in entries and not entries[key].failed for key in keys):
            return entries
        return _by_key(self._compacted(table, seen))

    def _index(self) -> tuple[pa.Table, Seen]:
        """The index as it is read, and which version of it that was."""
        seen: Seen = None
        with suppress(FileNotFoundError, _Damaged):
            content, seen = self.place.read(INDEX)
            return _table(content, _ENTRY), seen
        return _ENTRY.empty_table(), seen

    def _compacted(self, table: pa.Table, seen: Seen) -> pa.Table:
        """The index of what is there now, which is written if it is another.

        Where somebody else has written it meanwhile, it is made anew of that one; so often, since
        it can be written by the next.
        """
        for _ in range(COMPACTIONS):
            found = self._current(table)
            if found.equals(table) or self.place.replace(INDEX, _parquet(found), seen):
                break
            table, seen = self._index()
        return found

    def _current(self, table: pa.Table) -> pa.Table:
        """The index without shards that are gone, and with those that it does not know."""
        present = dict(self.place.shards())
        current = [shard in present for shard in table["shard"].to_pylist()]
        kept = table.filter(pa.array(current, pa.bool_()))
        new = sorted(present.keys() - set(kept["shard"].unique().to_pylist()))
        with ThreadPoolExecutor(LOOKS) as pool:
            found = pool.map(self._look, new, (present[name] for name in new))
            return pa.concat_tables([kept, *found]).sort_by(
                [("key", "ascending"), ("shard", "ascending")]
            )

    def _look(self, name: str, found: Any) -> pa.Table:
        """The entries of a shard, without its values.

        None where it is damaged, or no longer as it was found: whoever next looks sees it.
        """
        with suppress(FileNotFoundError, _Damaged, _Changed):
            rows = _table(self.place.peek(found), _ROW, ["key", "error"])
            told = (rows.schema.metadata or {}).get(b"software", b"").decode(errors="replace")
            columns = [
                rows["key"], [name] * len(rows), rows["error"].is_valid(), [told] * len(rows),
            ]  # fmt: skip
            return pa.table(columns, names=_ENTRY.names).cast(_ENTRY)
        return _ENTRY.empty_table()

    def _read(self, name: str) -> dict[str, Record]:
        """The records of a shard by key; those that are damaged are taken away."""
        table = _ROW.empty_table()
        try:
            table = _table(self.place.read(_file(name))[0], _ROW)
        except FileNotFoundError:
            return {}
        except _Damaged:
            pass
        rows = list(_rows(table))
        sound = {key: record for key, record in rows if record is not None}
        if not sound:
            self.place.remove(_file(name))
        elif len(sound) < len(rows):
            protocol = (table.schema.metadata or {}).get(b"protocol", b"").decode(errors="replace")
            self.write(sound, protocol)
            self.place.remove(_file(name))
        return sound


@dataclass(frozen=True)
class _Whereabouts:
    """Where a case is kept, and whether something went wrong with it."""

    shard: str
    failed: bool


def _file(name: str) -> str:
    """Where a shard lies in its place."""
    return f"{name[:2]}/{name}.parquet"


def _is_sound(content: Content) -> bool:
    """Whether every row of a shard agrees with its digest."""
    try:
        return all(record is not None for _, record in _rows(_table(content, _ROW)))
    except _Damaged:
        return False


def _by_key(table: pa.Table) -> dict[str, _Whereabouts]:
    """The entry that counts of each key: a sound one where there is one."""
    order = table.sort_by([("failed", "descending"), ("shard", "ascending")])
    columns = (order[name].to_pylist() for name in ("key", "shard", "failed"))
    return {key: _Whereabouts(shard, failed) for key, shard, failed in zip(*columns, strict=True)}


def _table(content: Content, schema: pa.Schema, names: Sequence[str] | None = None) -> pa.Table:
    """The columns of a file; what is no such file is `_Damaged`, and what cannot be reached is not.

    pyarrow says both by OSError, which has a number only where the system has said so.
    """
    try:
        with pq.ParquetFile(content) as file:
            table = file.read(names or schema.names)
        table.validate(full=True)
    except StorageError as error:
        if error.code == "changed-meanwhile":
            raise _Changed from error
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise _Damaged from error
    wanted = pa.schema([schema.field(name) for name in names or schema.names])
    if not table.schema.equals(wanted):
        raise _Damaged
    return table


def _of(records: Mapping[str, Record], keys: Sequence[str]) -> dict[str, Record]:
    return {key: records[key] for key in keys}


def _name(records: Mapping[str, Record], protocol: str) -> str:
    """What a shard is called that holds these records: other errors are another shard."""
    failed = sorted(key for key, record in records.items() if record["errors"])
    cases = sorted(records)
    return job_key("shard", MEASURING, cases=cases, failed=failed, protocol=protocol)


def _parquet(table: pa.Table) -> bytes:
    stream = BytesIO()
    dictionaries = [name for name in ("shard", "software") if name in table.column_names]
    pq.write_table(table, stream, compression="zstd", use_dictionary=dictionaries)
    return stream.getvalue()


def _row(key: str, record: Record) -> dict[str, Any]:
    """A record as a row; a value that is missing is NaN, which no feature is."""
    readers = {reader: len(numbers) for reader, numbers in record["values"].items()}
    numbers = [v for own in record["values"].values() for v in own]
    values = np.array(numbers, dtype=np.float64)
    rest = {name: block for name, block in record.items() if name != "values"}
    more = canonical_json(rest | {"readers": list(readers.items())})
    errors = [error["message"] for error in record["errors"]]
    return {
        "key": key,
        "error": " ".join(errors) if errors else None,
        "values": values,
        "more": more,
        "digest": _digest(key, more, values),
    }


def _digest(key: str, more: str, values: Floats) -> str:
    """SHA-256 of what a row holds; missing values are one NaN, whatever its bits."""
    found = hashlib.sha256(f"{key}\n{more}\n".encode())
    found.update(np.where(np.isnan(values), np.nan, values).astype("<f8").tobytes())
    return found.hexdigest()


def _rows(table: pa.Table) -> Iterator[tuple[str, Record | None]]:
    """Keys and records; none where a row does not agree with its digest."""
    columns = (table[name].to_pylist() for name in ("key", "more", "digest"))
    for k, (key, more, digest) in enumerate(zip(*columns, strict=True)):
        numbers = table["values"][k].values
        values = np.asarray([] if numbers is None else numbers, dtype=np.float64)
        whole = digest == _digest(key, more, values)
        yield key, _record(json.loads(more), values.tolist()) if whole else None


def _record(more: Record, values: Sequence[float]) -> Record:
    found, begin = dict[str, list[float | None]](), 0
    for reader, length in more.pop("readers"):
        own = values[begin : begin + length]
        found[reader] = [None if v != v else v for v in own]
        begin += length
    return {**more, "values": found}
