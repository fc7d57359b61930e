"""Names of labels from the extension of a NIfTI header, and what is no such table."""

import gzip
import time
from pathlib import Path

import numpy as np
import pytest

from centrum.io import label_table, list_segments, read_image, read_labels, read_mask
from centrum.io.label_table import LONGEST
from tests.cohort.label_maps import blocks, write
from tests.io.label_tables import HEADER, caret_xml, extension, insert

NAMES = {27: "vertebrae_L5", 28: "vertebrae_L4", 79: "spinal_cord"}


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return write(tmp_path / "labels.nii", blocks([28, 27]))


def names(path: Path) -> list[str]:
    return [segment.name for segment in list_segments(path)]


@pytest.mark.parametrize("code", [0, 30])
def test_labels_are_called_as_the_table_says(plain: Path, code: int) -> None:
    before = read_labels(plain)
    path = insert(plain, extension(caret_xml(NAMES), code))
    found = read_labels(path)
    assert [segment.name for segment in found.segments] == ["vertebrae_L5", "vertebrae_L4"]
    assert found.table == NAMES
    assert np.array_equal(read_image(path).array, before.mask(before.segments[0]).array * 27
                          + before.mask(before.segments[1]).array * 28)  # fmt: skip
    for part in ("vertebrae_L5", "27"):
        mask = read_mask(f"{path}#{part}", found.geometry)
        assert mask.n_voxels == before.segments[0].voxels
    packed = path.with_suffix(".nii.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert names(packed) == names(path)


def test_a_table_of_more_names_than_there_can_be_labels_is_none(
    plain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = insert(plain, extension(caret_xml(NAMES)))
    monkeypatch.setattr(label_table, "MOST_LABELS", len(NAMES))
    assert read_labels(path).table == NAMES
    monkeypatch.setattr(label_table, "MOST_LABELS", len(NAMES) - 1)
    assert not read_labels(path).table


def test_it_is_found_behind_other_extensions(plain: Path) -> None:
    others = extension(b"<afni>", 4) + extension(b"a comment", 6)
    assert names(insert(plain, others + extension(caret_xml(NAMES)))) == [
        "vertebrae_L5", "vertebrae_L4"
    ]  # fmt: skip


def test_a_label_without_name_keeps_its_number(plain: Path) -> None:
    assert names(insert(plain, extension(caret_xml({27: "L5", 28: " "})))) == ["L5", "28"]


def test_a_name_is_one_line(plain: Path) -> None:
    assert names(insert(plain, extension(caret_xml({27: "L\n5", 28: "x" * 500})))) == ["L 5", "28"]


ENTITY = b'<!DOCTYPE x [<!ENTITY a "vertebrae_L5">]><CaretExtension><Label Key="27">&a;</Label>'
DEEP = b"<CaretExtension>" + b"<a>" * 200_000


@pytest.mark.parametrize(
    "content",
    [
        extension(caret_xml(NAMES)[:-100]),
        extension(b"<CaretExtension/>"),
        extension(b"no XML"),
        extension(ENTITY + b"</CaretExtension>"),
        extension(DEEP),
        extension(DEEP + b"</a>" * 200_000 + b"</CaretExtension>"),
        extension(caret_xml(NAMES).replace(b"UTF-8", b"nonsense")),
        extension(caret_xml(NAMES).replace(b'Key="', b'Key="-')),
        extension(caret_xml(NAMES), code=4),
        extension(caret_xml(NAMES), length=8),
        extension(caret_xml(NAMES), length=2**31 - 1),
        extension(b" " * LONGEST + caret_xml(NAMES)),
    ],
    ids=["cut", "empty", "text", "entity", "open", "deep", "encoding", "keys", "code", "short",
         "long", "huge"],
)  # fmt: skip
def test_what_is_no_table_names_nothing(plain: Path, content: bytes) -> None:
    start = time.process_time()
    assert names(insert(plain, content)) == ["27", "28"]
    assert time.process_time() - start < 2


def test_a_chain_that_is_not_announced_is_not_followed(plain: Path) -> None:
    path = insert(plain, extension(caret_xml(NAMES)))
    data = bytearray(path.read_bytes())
    data[HEADER] = 0
    path.write_bytes(data)
    assert names(path) == ["27", "28"]
