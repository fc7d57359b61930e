"""Headers of thousands of files: what is read of each, and what a broken or hostile one costs."""

import time
import zlib
from contextlib import suppress
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
)

from centrum.errors import ImageError
from centrum.io import inspect_image, read_image
from centrum.io.dicom_header import (
    FIRST_BYTES,
    MOST_BYTES,
    MOST_ITEMS,
    read_header,
    series_code,
    series_of,
)
from tests.archives import Exam, body, pixels, write_seg, write_series

JANE = Exam()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A slice of the T2 series."""
    return write_series(tmp_path, JANE, 1, pixels(1))[0]


def changed(file: Path, **entries: object) -> Path:
    header = pydicom.dcmread(file)
    for keyword, value in entries.items():
        setattr(header, keyword, value)
    header.save_as(file, enforce_file_format=True)
    return file


def entries(file: Path) -> Dataset:
    found = read_header(file)
    assert found is not None
    return found.entries


def test_every_file_of_the_reference(reference: Path) -> None:
    """What pydicom reads of the whole file."""
    files = [p for p in (reference / "dicom").rglob("*") if p.is_file() and read_header(p)]
    assert len(files) > 100
    for path in files:
        whole, found = pydicom.dcmread(path, stop_before_pixels=True), entries(path)
        for keyword in ("PatientID", "SeriesInstanceUID", "ImageType", "EchoTime", "Modality",
                        "ImagePositionPatient", "ContentCreatorName"):  # fmt: skip
            assert found.get(keyword) == whole.get(keyword), (path.name, keyword)
        assert series_of(path) == whole.SeriesInstanceUID


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_other_orders_of_bytes(file: Path, syntax: str) -> None:
    header, fresh = pydicom.dcmread(file), Dataset()
    fresh.file_meta, header.PixelData = header.file_meta, b""
    fresh.update({element.tag: element for element in header})
    fresh.file_meta.TransferSyntaxUID = syntax
    fresh.save_as(file, enforce_file_format=True)
    assert entries(file).EchoTime == 105
    assert series_of(file) == JANE.series(1)


def test_what_a_name_holds_is_read_in_its_characters(file: Path) -> None:
    assert entries(changed(file, PatientName="Müller^Jürgen")).PatientName == "Müller^Jürgen"


def test_a_long_private_entry_before_the_series(file: Path) -> None:
    header = pydicom.dcmread(file)
    header.private_block(0x0009, "MAKER", create=True).add_new(1, "OB", bytes(3 * FIRST_BYTES))
    header.save_as(file, enforce_file_format=True)
    assert entries(file).SeriesInstanceUID == JANE.series(1)
    header.private_block(0x0009, "MAKER").add_new(1, "OB", bytes(MOST_BYTES))
    header.save_as(file, enforce_file_format=True)
    with pytest.raises(ImageError, match=f"more than {MOST_BYTES} bytes"):
        read_header(file)
    assert series_of(file) is None


def test_what_is_no_dicom(tmp_path: Path) -> None:
    for name, content in (("a.txt", b"hello"), ("b", bytes(500)), ("c", b"")):
        (tmp_path / name).write_bytes(content)
        assert read_header(tmp_path / name) is None
        assert series_of(tmp_path / name) == ""
    (tmp_path / "d.dcm").write_bytes(bytes(500))
    with pytest.raises(ImageError, match=r"d\.dcm"):
        read_header(tmp_path / "d.dcm")
    assert series_of(tmp_path / "d.dcm") is None
    assert series_of(tmp_path / "missing") is None


def test_hostile_files_end_soon(file: Path) -> None:
    """Nested and countless items, a bomb that is deflated, a length beyond the file."""
    deep = b"\x08\x00\x15\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    many = b"\x08\x00\x15\x11SQ\0\0\xff\xff\xff\xff" + b"\xfe\xff\x00\xe0\0\0\0\0" * (
        MOST_ITEMS + 1
    )
    lying = b"\x10\x00\x10\x00PN\xff\xff" + b"\x10\x00\x20\x00LO\xff\xff"
    whole = file.read_bytes()
    start = whole.index(b"\x08\x00\x05\x00CS")  # the first entry behind the meta information
    began = time.process_time()
    for content in (deep * 20_000, many, lying):
        file.write_bytes(whole[:start] + content + whole[start:])
        with suppress(ImageError):
            read_header(file)
    meta = pydicom.dcmread(file, stop_before_pixels=True, force=True).file_meta
    meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    bomb = packer.compress(b"\x09\x00\x01\x10OB\0\0\0\0\0\x40" + bytes(1 << 28)) + packer.flush()
    header = Dataset()
    header.file_meta = meta
    header.save_as(file, enforce_file_format=True)
    with file.open("ab") as stream:
        stream.write(bomb)
    with suppress(ImageError):
        read_header(file)
    assert time.process_time() - began < 10


def test_what_was_read_is_kept_until_the_file_changes(file: Path) -> None:
    assert series_of(file) == JANE.series(1)
    changed(file, SeriesInstanceUID="1.2.3.4")
    assert series_of(file) == "1.2.3.4"


# One series of many in a folder


def test_a_series_is_chosen_by_its_code_beside_broken_files(tmp_path: Path) -> None:
    for number in (1, 2):
        write_series(tmp_path, JANE, number, pixels(number), names=f"{number}-{{}}")
    write_seg(tmp_path / "seg", JANE, {"L1": body()})
    source = f"{tmp_path}#{series_code(JANE.series(2))}"
    found = read_image(source)
    assert (found.array == pixels(2)).all()
    assert not [f for f in inspect_image(found, "sagittal", "") if f.code == "unread-files"]
    (tmp_path / "broken.dcm").write_bytes(b"")
    (finding,) = inspect_image(read_image(source), "sagittal", "")
    assert finding.code == "unread-files"
    assert finding.message.startswith("1 DICOM files of the folder cannot be read")
    with pytest.raises(ImageError):
        read_image(tmp_path)
