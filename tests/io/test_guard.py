"""Nothing but the project's own errors leaves the readers."""

import os
from pathlib import Path

import numpy as np
import pytest

from centrum.errors import ImageError, describe
from centrum.geometry import Geometry
from centrum.io import (
    list_segments,
    list_series,
    read_image,
    read_labels,
    read_mask,
    read_masks,
    source_digest,
)

GRID = Geometry((4, 3, 2), (1, 1, 2))


@pytest.mark.parametrize("kind", [TypeError, NotImplementedError, MemoryError, RecursionError])
def test_what_nobody_foresaw_names_the_file_and_its_kind(write, monkeypatch, kind) -> None:
    def fails(path: Path) -> None:
        raise kind("wanted 7, found Anna")

    path = write("a.nrrd", np.ones(GRID.shape, np.uint8), GRID)
    monkeypatch.setattr("centrum.io.open._READERS", {"NRRD": fails})
    monkeypatch.setattr("centrum.io.open._DIGESTS", {"NRRD": fails})
    readers = [read_image, read_labels, read_masks, list_segments, source_digest]
    readers += [lambda path: read_mask(f"{path}#L1", GRID)]
    for read in readers:
        with pytest.raises(ImageError, match=f"^a.nrrd cannot be read: {kind.__name__}") as caught:
            read(path)
        assert isinstance(caught.value.__cause__, kind)
        assert caught.value.file == "a.nrrd"
        assert "'wanted 7, found Anna'" in describe(caught.value)
        of_memory = "more memory" in caught.value.remedy
        assert of_memory == (kind is MemoryError), "the file may be damaged otherwise"


def test_an_interruption_is_no_error_of_a_file(write, monkeypatch) -> None:
    def stops(path: Path) -> None:
        raise KeyboardInterrupt

    path = write("a.nrrd", np.ones(GRID.shape, np.uint8), GRID)
    monkeypatch.setattr("centrum.io.open._READERS", {"NRRD": stops})
    with pytest.raises(KeyboardInterrupt):
        read_image(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
@pytest.mark.parametrize("read", [read_image, list_segments, source_digest])
def test_a_pipe_is_refused_before_it_is_opened(tmp_path: Path, read) -> None:
    os.mkfifo(tmp_path / "a.nii")
    with pytest.raises(ImageError, match="is a pipe") as caught:
        read(tmp_path / "a.nii")
    assert caught.value.code == "not-a-file"


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode here")
@pytest.mark.parametrize("name", ["\udcff.nii", "\udcff/a.nii"])
@pytest.mark.parametrize("read", [read_image, list_segments, source_digest])
def test_names_that_are_not_utf8(write, tmp_path: Path, name: str, read) -> None:
    there = write("a.nii", np.ones(GRID.shape, np.uint8), GRID)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    there.rename(tmp_path / name)
    with pytest.raises(ImageError, match="UTF-8") as caught:
        read(tmp_path / name)
    assert caught.value.code == "file-name"


@pytest.mark.parametrize("name", ["a" * 5000 + ".nii", "a\0b.nii", "/".join("a" * 3000), ""])
def test_names_that_no_file_can_have(tmp_path: Path, name: str) -> None:
    for read in (read_image, list_segments, list_series, source_digest):
        with pytest.raises(ImageError):
            read(f"{tmp_path}/{name}")
