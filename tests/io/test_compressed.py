"""Compressed pixels: every transfer syntax, loss that is told, streams that are refused."""

import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from centrum.errors import ImageError
from centrum.io import dicom_object, inspect_image, list_series, read_image
from centrum.io.codestream import SYNTAXES, Contradiction, PixelFormat, check_codestream
from tests.io.codestreams import JPEG, LOSSLESS, LOSSY, PICTURE, STREAMS, shown, slice_of

TWELVE = PixelFormat(40, 34, 16, 12)


def of_kind(end: str) -> PixelFormat:
    return PixelFormat(40, 34, 8, 8) if end == "50" else TWELVE


@pytest.fixture
def series(write_series, tmp_path: Path) -> Callable[..., Path]:
    """A folder of two slices that show the picture, compressed."""

    def _series(change: Callable[[Dataset], object]) -> Path:
        folder = write_series(np.stack([PICTURE, PICTURE]))
        for path in folder.iterdir():
            header = pydicom.dcmread(path)
            change(header)
            header.save_as(path, enforce_file_format=True)
        return folder

    return _series


@pytest.mark.parametrize("end", [*LOSSLESS, *LOSSY])
def test_every_syntax_shows_the_picture(series, end: str) -> None:
    volume = read_image(series(lambda header: slice_of(header, end)))
    away = np.abs(volume.array.astype(int) - shown(end))
    assert away.max() <= LOSSY.get(end, 0)
    assert volume.array.dtype == ("u1" if end == "50" else "u2")
    told = volume.history[0].parameters.get("lossy_compression", [])
    found = [f for f in inspect_image(volume, "sagittal", "series") if f.code != "unread-fact"]
    assert [f.code for f in found] == ["lossy-compression"] * (end in LOSSY)
    assert [f.severity for f in found] == ["warning"] * len(told)


def test_the_syntaxes_that_are_read_are_tested() -> None:
    """202 is that of 201 with another order of packets."""
    assert {JPEG + end for end in (*LOSSLESS, *LOSSY, "202")} == set(SYNTAXES)


def test_pixels_with_a_sign(series) -> None:
    def signed(header: Dataset) -> None:
        slice_of(header, "90", STREAMS["signed"]).PixelRepresentation = 1

    volume = read_image(series(signed))
    np.testing.assert_array_equal(volume.array[1], PICTURE - 1900)


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_run_lengths_and_deflated_files(series, bits: int) -> None:
    """pydicom writes both by itself."""
    wanted = PICTURE // 16 if bits == 8 else PICTURE

    def compress(header: Dataset) -> None:
        if bits == 8:
            header.BitsAllocated = header.BitsStored = 8
            header.HighBit, header.PixelData = 7, wanted.astype("u1").tobytes()
        header.BitsStored, header.HighBit = bits, bits - 1
        header.compress(RLELossless, generate_instance_uid=False)

    np.testing.assert_array_equal(read_image(series(compress)).array[0], wanted)


def test_a_deflated_series(series) -> None:
    def deflate(header: Dataset) -> None:
        header.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
        header.RescaleSlope, header.RescaleIntercept = "2", "-1024"

    folder = series(deflate)
    np.testing.assert_array_equal(read_image(folder).array[1], PICTURE * 2 - 1024)
    header = pydicom.dcmread(path := sorted(folder.iterdir())[0])
    header.PixelData = header.PixelData[:-2]
    header.save_as(path)
    with pytest.raises(ImageError, match="announces 2720 bytes of pixels, found 2718"):
        read_image(folder)


def test_what_a_deflated_file_becomes_is_bounded(series, monkeypatch) -> None:
    def deflate(header: Dataset) -> None:
        header.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian

    folder = series(deflate)
    monkeypatch.setattr(dicom_object, "LARGEST_INFLATED", 2000)
    for read in (read_image, list_series):
        with pytest.raises(ImageError, match="unpacks to more than 2000 bytes"):
            read(folder)


@pytest.mark.parametrize("slopes", [("2", "-1024"), ("0.5", "3")])
def test_the_scale_of_a_compressed_slice(series, slopes: tuple[str, str]) -> None:
    def scaled(header: Dataset) -> None:
        slice_of(header, "80").RescaleSlope, header.RescaleIntercept = slopes

    volume = read_image(series(scaled))
    np.testing.assert_array_equal(volume.array[0], PICTURE * float(slopes[0]) + float(slopes[1]))
    assert volume.array.dtype.kind == ("i" if slopes[0] == "2" else "f")


def test_several_fragments_are_one_frame(series) -> None:
    def split(header: Dataset) -> None:
        slice_of(header, "70")
        stream = STREAMS["70"]
        header.PixelData = pydicom.encaps.encapsulate([stream], fragments_per_frame=3)

    np.testing.assert_array_equal(read_image(series(split)).array[0], PICTURE)


def test_loss_stays_said_when_pixels_are_unpacked(series) -> None:
    def said(header: Dataset) -> None:
        header.LossyImageCompression, header.LossyImageCompressionRatio = "01", 12
        header.LossyImageCompressionMethod = "ISO_15444_1"

    (told,) = read_image(series(said)).history[0].parameters["lossy_compression"]
    assert told == "JPEG 2000, 12 to 1"


def test_what_may_lose_something_and_did_not(series) -> None:
    def lossless(header: Dataset) -> None:
        slice_of(header, "91", STREAMS["90"]).LossyImageCompression = "00"

    assert "lossy_compression" not in read_image(series(lossless)).history[0].parameters


SAMPLES = {
    "693_J2KI.dcm": True,
    "J2K_pixelrep_mismatch.dcm": False,  # no sign in the stream
    "MR_small_RLE.dcm": False,
    "MR_small_jp2klossless.dcm": False,
    "MR_small_jpeg_ls_lossless.dcm": False,
}
"""Slices that come with pydicom, and whether they were compressed with loss."""


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_of_pydicom_have_the_values_that_it_reads(tmp_path: Path, name: str) -> None:
    sample = Path(pydicom.__file__).parent / "data" / "test_files" / name
    if not sample.is_file():
        pytest.skip(f"pydicom comes without {name}")
    shutil.copy(sample, tmp_path)
    header = pydicom.dcmread(sample)
    try:
        stored = header.pixel_array
    except RuntimeError:
        pytest.skip("pydicom has no decoder for it")
    volume = read_image(tmp_path)
    scale = [float(header.get(k, v)) for k, v in (("RescaleSlope", 1), ("RescaleIntercept", 0))]
    np.testing.assert_array_equal(volume.array[0], stored * scale[0] + scale[1])
    assert ("lossy_compression" in volume.history[0].parameters) == SAMPLES[name]


# Broken streams


def changed(end: str, at: bytes, behind: int, new: bytes) -> bytes:
    """The stream with other bytes, so many behind the beginning of a marker."""
    stream = bytearray(STREAMS[end])
    start = stream.index(at) + behind
    stream[start : start + len(new)] = new
    return bytes(stream)


SIZ, COD, SOT = b"\xff\x51", b"\xff\x52", b"\xff\x90"
SOF, LS, SOS = b"\xff\xc3", b"\xff\xf7", b"\xff\xda"

BROKEN = {
    "another format": ("90", STREAMS["70"], "does not begin as JPEG 2000"),
    "the other format": ("70", STREAMS["90"], "does not begin as JPEG"),
    "nothing": ("90", b"", "does not begin"),
    "more columns": ("90", changed("90", SIZ, 6, struct.pack(">L", 41)), "has 41 x 34 pixels"),
    "a million rows": ("90", changed("90", SIZ, 10, struct.pack(">L", 1 << 20)), "x 1048576"),
    "off its corner": ("90", changed("90", SIZ, 14, struct.pack(">L", 1)), "off its corner"),
    "tiles of no size": ("90", changed("90", SIZ, 22, bytes(4)), "off its corner"),
    "three channels": ("90", changed("90", SIZ, 38, b"\0\3"), "has 3 channels"),
    "17 bits": ("90", changed("90", SIZ, 40, b"\x10"), "has 17 bits in a pixel of 16"),
    "a byte of two": ("90", changed("90", SIZ, 40, b"\x07"), "has 8 bits in a pixel of 16"),
    "a sign": ("90", STREAMS["signed"], "has a sign of its pixels"),
    "half the columns": ("90", changed("90", SIZ, 41, b"\2"), "off its corner"),
    "65535 layers": ("90", changed("90", COD, 6, b"\xff\xff"), "packets"),
    "no layers": ("90", changed("90", COD, 6, b"\0\0"), "coding parameters"),
    "40 resolutions": ("90", changed("90", COD, 9, b"\x28"), "coding parameters"),
    "wide code-blocks": ("90", changed("90", COD, 10, b"\x08\x08"), "coding parameters"),
    "precincts that are not there": ("90", changed("90", COD, 4, b"\1"), "ends within a header"),
    "a second component": ("90", changed("90", b"\xff\x5c", 0, b"\xff\x53"), "marker ff53"),
    "a tile that is none": ("90", changed("90", SOT, 4, b"\0\1"), "described wrongly"),
    "a tile that is cut": ("90", STREAMS["90"][:-40], "is cut"),
    "a tile too long": ("90", changed("90", SOT, 6, b"\x7f"), "is cut"),
    "bytes behind the tiles": ("90", STREAMS["90"] + b"ab", "goes on behind its tiles"),
    "another size": ("70", changed("70", SOF, 5, b"\1\1"), "has 40 x 257 pixels"),
    "baseline in lossless": ("70", STREAMS["51"], "JPEG marker c1"),
    "lossless in baseline": ("51", STREAMS["70"], "JPEG marker c3"),
    "RGB": ("70", changed("70", SOF, 9, b"\3"), "has 3 channels"),
    "few bits": ("70", changed("70", SOF, 4, b"\x08"), "has 8 bits in a pixel of 16"),
    "no end": ("70", STREAMS["70"].rstrip(b"\0")[:-2], "has no end"),
    "cut": ("70", STREAMS["70"][:600], "has no end"),
    "cut in a header": ("70", STREAMS["70"][:12], "ends within a header"),
    "a frame within the scan": ("70", changed("70", SOS, 30, SOF), "goes on behind"),
    "another size in JPEG-LS": ("80", changed("80", LS, 5, b"\1\1"), "has 40 x 257 pixels"),
    "loss in lossless": ("80", STREAMS["81"], "scan of the parameters"),
    "cut JPEG-LS": ("80", STREAMS["80"][:300], "has no end"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_streams_that_contradict_their_file(case: str) -> None:
    end, stream, message = BROKEN[case]
    with pytest.raises(Contradiction, match=message):
        check_codestream(stream, JPEG + end, of_kind(end))


@pytest.mark.parametrize("number", [1, 2, 5])
@pytest.mark.parametrize(("end", "mark"), [("70", SOF), ("70", SOS), ("80", LS)])
def test_bytes_that_fill_up_before_a_marker(end: str, mark: bytes, number: int) -> None:
    """Any marker may be preceded by any number of bytes FF (ITU-T T.81, B.1.1.2)."""
    before, found, behind = STREAMS[end].partition(mark)
    filled = before + number * b"\xff" + found + behind
    check_codestream(filled, JPEG + end, of_kind(end))


def test_jpeg_that_describes_its_pixels_twice() -> None:
    stream = STREAMS["70"]
    start = stream.index(SOF)
    segment = stream[start : start + 13]
    with pytest.raises(Contradiction, match="has 2 descriptions"):
        check_codestream(stream[:start] + segment + stream[start:], JPEG + "70", TWELVE)


def test_a_hundred_tiles_need_as_many_parts() -> None:
    """Tiles of 4 x 4 pixels, of which the stream has one; and of 8 x 8, which are too many."""
    for side, message in ((4, "has 1 of 90 tiles"), (0, "off its corner")):
        tiles = changed("90", SIZ, 22, struct.pack(">LL", side, side))
        with pytest.raises(Contradiction, match=message):
            check_codestream(tiles, JPEG + "90", TWELVE)
    wide = struct.pack(">HHHLLLLLLLLHBBB", 0xFF51, 41, 0, 4096, 4096, 0, 0, 8, 8, 0, 0, 1, 11, 1, 1)
    with pytest.raises(Contradiction, match="has 262144 tiles"):
        check_codestream(b"\xff\x4f" + wide, JPEG + "90", PixelFormat(4096, 4096, 16, 12))


@pytest.mark.parametrize("end", [*LOSSLESS, *LOSSY])
def test_a_stream_is_sound_only_as_a_whole(end: str) -> None:
    """Cut anywhere before its end it is refused, not grey from there on."""
    check_codestream(STREAMS[end], JPEG + end, of_kind(end))
    least = STREAMS[end].rstrip(b"\0").removesuffix(b"\xff\xd9")
    for length in range(len(least)):
        with pytest.raises(Contradiction):
            check_codestream(STREAMS[end][:length], JPEG + end, of_kind(end))


def test_a_broken_slice_is_named(series) -> None:
    folder = series(lambda header: slice_of(header, "90", BROKEN["65535 layers"][1]))
    with pytest.raises(
        ImageError, match=r"1\.2\.3-00\.dcm is .*: its frame 1 has \d+ packets"
    ) as e:
        read_image(folder)
    assert e.value.code == "damaged-file"


def test_what_gdcm_cannot_decode_is_named_after_its_file(series) -> None:
    """A table of JPEG with a number that there is not."""
    stream = changed("70", b"\xff\xc4", 4, b"\x33")
    folder = series(lambda header: slice_of(header, "70", stream))
    with pytest.raises(ImageError, match=r"1\.2\.3-00\.dcm .*its frame 1 cannot be decoded"):
        read_image(folder)


def _fragments(*parts: bytes) -> bytes:
    return b"".join(b"\xfe\xff\x00\xe0" + struct.pack("<L", len(p)) + p for p in parts)


FRAGMENTS = {
    "no frame": (_fragments(b""), "announces 1 frames"),
    "an offset of no fragment": (_fragments(struct.pack("<L", 8), STREAMS["90"]), "1 offsets"),
    "an offset of the second": (
        _fragments(struct.pack("<L", 8 + 40), STREAMS["90"][:40], STREAMS["90"]),
        "of 2 fragments .* at 1 offsets",
    ),
    "two offsets": (_fragments(bytes(8), STREAMS["90"]), "at 2 offsets"),
    "bits of no RLE": (_fragments(b"", bytes(7000)), "longer compressed than its 2720 bytes"),
}


@pytest.mark.parametrize("case", FRAGMENTS)
def test_fragments_that_contradict_the_header(series, case: str) -> None:
    data, message = FRAGMENTS[case]

    def broken(header: Dataset) -> None:
        slice_of(header, "90").PixelData = data

    with pytest.raises(ImageError, match=message):
        read_image(series(broken))


@pytest.mark.parametrize(
    ("entry", "value"),
    [("BitsAllocated", 32), ("BitsStored", 17), ("BitsStored", 0), ("HighBit", 15),
     ("SamplesPerPixel", 3), ("Rows", 5000), ("PixelRepresentation", 2)],
)  # fmt: skip
def test_pixels_that_are_not_decoded(series, entry: str, value: int) -> None:
    def other(header: Dataset) -> None:
        setattr(slice_of(header, "90"), entry, value)
        if value == 5000:
            header.Columns = value

    with pytest.raises(ImageError) as caught:
        read_image(series(other))
    assert caught.value.code in ("damaged-file", "transfer-syntax")


def test_a_syntax_that_is_not_read_is_named(series) -> None:
    def video(header: Dataset) -> None:
        slice_of(header, "90").file_meta.TransferSyntaxUID = f"{JPEG}102"

    with pytest.raises(ImageError, match="transfer syntax MPEG-4 AVC") as caught:
        read_image(series(video))
    assert caught.value.code == "transfer-syntax"


# Other programs


def _encodings() -> dict[str, list[str]]:
    return {
        "dcmcjpeg": ["+e1"],
        "dcmcjpls": ["+el"],
        "dcmcrle": [],
        "gdcmconv": ["--j2k"],
    }


@pytest.mark.parametrize("program", _encodings())
@pytest.mark.parametrize("folder", ["siemens_prisma_sagittal_epi", "dcmqi_ct_seg/ct-3slice"])
def test_a_series_that_other_programs_compress(
    reference: Path, tmp_path: Path, program: str, folder: str
) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"the encoder {program} is not installed")
    plain = reference / "dicom" / folder
    for path in sorted(plain.iterdir()):
        command = [program, *_encodings()[program], path, tmp_path / path.name]
        subprocess.run(command, check=True, capture_output=True)
    found, wanted = read_image(tmp_path), read_image(plain)
    np.testing.assert_array_equal(found.array, wanted.array)
    assert found.geometry == wanted.geometry
    assert found.history[0].parameters["acquisition"] == wanted.history[0].parameters["acquisition"]


@pytest.mark.parametrize("syntax", [JPEG2000Lossless, JPEGLSLossless])
@pytest.mark.parametrize("kind", ["u1", "i1", "u2", "i2"])
def test_what_pydicom_compresses(series, syntax: str, kind: str) -> None:
    info = np.iinfo(kind)
    pixels = np.random.default_rng(2).integers(info.min, info.max, PICTURE.shape, kind, True)

    def compress(header: Dataset) -> None:
        bits = 8 * info.dtype.itemsize
        header.BitsAllocated = header.BitsStored = bits
        header.HighBit, header.PixelRepresentation = bits - 1, int(kind[0] == "i")
        header.PixelData = pixels.tobytes()
        try:
            header.compress(syntax, generate_instance_uid=False)
        except RuntimeError:
            pytest.skip("no encoder for pydicom is installed")

    np.testing.assert_array_equal(read_image(series(compress)).array[0], pixels)
