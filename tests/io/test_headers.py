"""Headers that say something else than they seem to: a right reading or a refusal, no third."""

import gzip
import json
import zlib
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from centrum.errors import CentrumError, ImageError
from centrum.geometry import Geometry
from centrum.io import list_segments, read_image, read_masks, source_digest
from centrum.io.nifti import _voxel_bytes

FIELDS = {
    "type": "short",
    "dimension": "3",
    "space": "left-posterior-superior",
    "sizes": "2 3 4",
    "space directions": "(1,0,0) (0,1,0) (0,0,2)",
    "kinds": "domain domain domain",
    "endian": "little",
    "encoding": "raw",
    "space origin": "(5,6,7)",
}
NUMBERS = np.arange(300, 324, dtype="<i2")
GRID = Geometry((4, 3, 2), (1, 1, 2))


def nrrd(
    path: Path, data: bytes = NUMBERS.tobytes(), tail: str = "", **changes: str | None
) -> Path:
    """An NRRD file, `changes` of whose fields have "_" for a blank; None leaves one out."""
    fields = FIELDS | {name.replace("_", " "): value for name, value in changes.items()}
    lines = [f"{name}: {value}\n" for name, value in fields.items() if value is not None]
    path.write_bytes(f"NRRD0005\n{''.join(lines)}{tail}\n".encode("latin-1") + data)
    return path


def like_simpleitk(path: Path, expected: np.ndarray = NUMBERS) -> None:
    image = sitk.ReadImage(str(path))
    found = read_image(path, orientation="LPS")
    np.testing.assert_array_equal(found.array.ravel(), expected)
    np.testing.assert_array_equal(found.array, sitk.GetArrayFromImage(image))
    assert found.geometry.spacing == image.GetSpacing()


SWAPPED = NUMBERS.byteswap().tobytes()
RAW = NUMBERS.tobytes()


@pytest.mark.parametrize(
    ("data", "changes"),
    [
        (SWAPPED, {"endian": None, "Endian": "Big"}),
        (SWAPPED, {"endian": "BIG"}),
        (b"1234" + RAW, {"Byte Skip": "4"}),
        (b"1234" + RAW, {"byteskip": "04"}),
        (b"1234" + RAW, {"byte skip": "+4"}),
        (b"1234" + RAW, {"BYTE SKIP": "-1"}),
        (b"abc\n" + RAW, {"Line Skip": "1"}),
        (gzip.compress(RAW), {"encoding": None, "Encoding": "GZip"}),
        (gzip.compress(b"1234" + RAW), {"encoding": "gz", "byteskip": "4"}),
        (RAW.hex().encode(), {"encoding": "Hex"}),
        (" ".join(map(str, NUMBERS)).encode(), {"encoding": "TXT"}),
        (RAW, {"type": "Signed Short Int", "sizes": "2\t3 \t4"}),
        (RAW, {"space directions": None, "SpaceDirections": "(1,0,0) (0,1,0) (0,0,2)"}),
        (RAW, {"kinds": "??? domain space", "number": "Hank Hill", "content": "x" * 5000}),
    ],
    ids=range(14),
)
def test_nrrd_words_in_any_spelling(tmp_path: Path, data: bytes, changes: dict) -> None:
    like_simpleitk(nrrd(tmp_path / "a.nrrd", data, **changes))


def test_nrrd_with_ends_of_lines_of_windows(tmp_path: Path) -> None:
    path = nrrd(tmp_path / "a.nrrd", b"")
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n") + RAW)
    like_simpleitk(path)


WRONG = {
    "a size that is no number": {"sizes": "2.9 3 4"},
    "a size of 0": {"sizes": "0 3 4"},
    "a negative size": {"sizes": "-2 3 4"},
    "sizes without end": {"sizes": "4294967298 3 4"},
    "too many sizes": {"sizes": "2 3 4 5"},
    "a dimension with a letter": {"dimension": "3x"},
    "no dimension": {"dimension": None},
    "a byte order of its own": {"endian": "middle"},
    "no byte order": {"endian": None},
    "one field twice": {"Sizes": "3 2 4"},
    "an unknown field": {"colour": "red"},
    "an unknown type": {"type": "quad"},
    "blocks": {"type": "block", "block size": "2"},
    "an unknown encoding": {"encoding": "zip"},
    "a skip with a letter": {"byte skip": "4x"},
    "a direction that is none": {"space directions": "none (0,1,0) (0,0,2)"},
    "no direction at all": {"space directions": "none none none"},
    "a direction of no number": {"space directions": "(nan,nan,nan) (0,1,0) (0,0,2)"},
    "a direction of length 0": {"space directions": "(0,0,0) (0,1,0) (0,0,2)"},
    "an infinite direction": {"space directions": "(inf,0,0) (0,1,0) (0,0,2)"},
    "a direction without end": {"space directions": "(1e99,0,0) (0,1,0) (0,0,2)"},
    "a direction with a letter": {"space directions": "(1.0q,0,0) (0,1,0) (0,0,2)"},
    "an origin of words": {"space origin": "(a,b,c)"},
    "spacings with a gap": {
        "space": None, "space directions": None, "space origin": None, "spacings": "1 nan 3"
    },
    "a negative spacing": {
        "space": None, "space directions": None, "space origin": None, "spacings": "1 -2 3"
    },
    "spacings in centimetres": {
        "space": None, "space directions": None, "space origin": None, "spacings": "1 2 3",
        "units": '"cm" "cm" "cm"',
    },
    "a long type": {"type": "x" * 4000},
    "a long line": {"bogus" + "x" * 4400: "1"},
    "a long name of a file": {"data file": "a" * 1000},
}  # fmt: skip


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
def test_nrrd_headers_that_are_refused(tmp_path: Path, changes: dict) -> None:
    path = nrrd(tmp_path / "a.nrrd", **changes)
    with pytest.raises(CentrumError) as caught:
        read_image(path, orientation="LPS")
    assert caught.value.file == "a.nrrd"
    assert caught.value.code != ImageError.code, "the general guard had to step in"


@pytest.mark.parametrize("data", [RAW[:-1], RAW + b"\0", b""])
@pytest.mark.parametrize("encoding", ["raw", "gzip"])
def test_nrrd_with_too_few_or_too_many_bytes(tmp_path: Path, data: bytes, encoding: str) -> None:
    stored = gzip.compress(data) if encoding == "gzip" else data
    path = nrrd(tmp_path / "a.nrrd", stored, encoding=encoding)
    with pytest.raises(ImageError, match="announces"):
        read_image(path)


@pytest.mark.parametrize("words", ["1 2", "1.5 " * 24, "70000 " * 24, "1_0 " * 24, "1 " * 25])
def test_nrrd_text_that_is_not_of_its_type(tmp_path: Path, words: str) -> None:
    path = nrrd(tmp_path / "a.nrrd", words.encode(), encoding="ascii")
    with pytest.raises(ImageError, match="truncated or damaged"):
        read_image(path)


def test_components_behind_the_axes_are_put_in_order(tmp_path: Path) -> None:
    array = np.arange(81, dtype="<u2")
    path = nrrd(
        tmp_path / "m.nrrd", array.tobytes(), type="ushort", dimension="4", sizes="3 3 3 3",
        kinds="domain domain domain list", space_directions="(1,0,0) (0,1,0) (0,0,2) none",
    )  # fmt: skip
    found = {(s.layer, s.label) for s in list_segments(path)}
    assert found == {(k // 27, k) for k in range(1, 81)}


@pytest.mark.parametrize("field", ["data file", "Data File", "datafile", "DATAFILE"])
def test_the_digest_knows_the_file_of_voxels(tmp_path: Path, field: str) -> None:
    (tmp_path / "x.raw").write_bytes(RAW)
    path = nrrd(tmp_path / "d.nhdr", b"", **{field: "x.raw"})
    like_simpleitk(path)
    before = source_digest(path)
    assert read_image(path).history[0].parameters["sha256"] == before
    (tmp_path / "x.raw").write_bytes(RAW[::-1])
    assert source_digest(path) != before


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../x.raw", "below/../../x.raw", "C:/x.raw", "..\\x.raw", "-", "LIST", ".",
     "x%d.raw 1 4 1", "nowhere.raw", "a" * 700],
)  # fmt: skip
def test_voxels_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "x.raw").write_bytes(RAW)
    (tmp_path / "in" / "below").mkdir(parents=True)
    path = nrrd(tmp_path / "in" / "d.nhdr", b"", data_file=name)
    meta = tmp_path / "in" / "d.mhd"
    lines = {"ObjectType": "Image", "NDims": "3", "DimSize": "2 3 4", "ElementSpacing": "1 1 2",
             "ElementType": "MET_SHORT", "ElementDataFile": name}  # fmt: skip
    meta.write_text("".join(f"{key} = {value}\n" for key, value in lines.items()))
    for header in (path, meta):
        for read in (read_image, source_digest):
            with pytest.raises(ImageError, match=f"^{header.name}") as caught:
                read(header)
            assert caught.value.code in ("outside-folder", "missing-file", "several-files")


def test_voxels_below_the_header(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "x.raw").write_bytes(RAW)
    like_simpleitk(nrrd(tmp_path / "d.nhdr", b"", data_file="below/x.raw"))


# NIfTI

OFFSET, SLOPE, DIM, BITPIX = slice(108, 112), slice(112, 120), slice(40, 56), slice(72, 74)


@pytest.fixture
def nifti(write):
    """A NIfTI file of four slices, bytes of whose header are replaced."""

    def _nifti(where: slice, *values: float, kind: str = "<f4") -> Path:
        path = write("n.nii", np.arange(24, dtype=np.int16).reshape(GRID.shape), GRID)
        content = bytearray(path.read_bytes())
        content[where] = np.array(values, kind).tobytes()
        path.write_bytes(content)
        return path

    return _nifti


@pytest.mark.parametrize("offset", [0, 8, 348, 351, 352.5, -352, np.nan, np.inf, 1e30, 2.0**30])
def test_nifti_voxels_within_the_header(nifti, offset: float) -> None:
    with pytest.raises(ImageError, match="vox_offset"):
        read_image(nifti(OFFSET, offset))


@pytest.mark.parametrize("intercept", [0, 100, np.nan])
def test_nifti_slope_of_0_scales_nothing(nifti, intercept: float) -> None:
    found = read_image(nifti(SLOPE, 0, intercept)).array
    assert found.dtype == np.int16
    np.testing.assert_array_equal(found.ravel(), np.arange(24))


@pytest.mark.parametrize("kind", [np.int32, np.uint32, np.int64, np.float64])
def test_nifti_scaled_numbers_keep_their_digits(write, kind: type) -> None:
    """24 bits of single precision do not hold 2**24 + 1."""
    stored = (2**24 + np.arange(24)).astype(kind).reshape(GRID.shape)
    path = write("n.nii", stored, GRID)
    content = bytearray(path.read_bytes())
    content[SLOPE] = np.array([0.5, 1], "<f4").tobytes()
    path.write_bytes(content)
    found = read_image(path).array
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, stored * 0.5 + 1)


@pytest.mark.parametrize("scale", [(np.nan, 3), (np.inf, 0), (1, np.nan), (2, -np.inf)])
def test_nifti_scale_that_is_no_number(nifti, scale: tuple[float, float]) -> None:
    with pytest.raises(ImageError, match="scl_slope"):
        read_image(nifti(SLOPE, *scale))


@pytest.mark.parametrize("bits", [8, 32, -16])
def test_nifti_bits_that_contradict_the_type(nifti, bits: int) -> None:
    with pytest.raises(ImageError, match="bitpix"):
        read_image(nifti(BITPIX, bits, kind="<i2"))


def test_nifti_bits_that_are_not_given(nifti) -> None:
    found = read_image(nifti(BITPIX, 0, kind="<i2")).array
    np.testing.assert_array_equal(found.ravel(), np.arange(24))


@pytest.mark.parametrize(
    "dim", [(0, 4, 3, 2), (8, 4, 3, 2), (-3, 4, 3, 2), (3, 0, 3, 2), (3, 4, -3, 2), (3, 3000, 3, 2),
            (7, 32767, 32767, 32767, 32767, 32767, 32767, 32767), (3, 4, 3, 1)]
)  # fmt: skip
def test_nifti_sizes_that_cannot_be(nifti, dim: tuple[int, ...]) -> None:
    with pytest.raises(ImageError, match=r"dim is|announces") as caught:
        read_image(nifti(DIM, *dim, *[1] * (8 - len(dim)), kind="<i2"))
    assert caught.value.code == "damaged-file"


@pytest.mark.parametrize("at", [*range(256, 280, 4), *range(280, 328, 4), 80])
@pytest.mark.parametrize("number", [np.inf, np.nan, -1e38])
def test_nifti_forms_without_end(nifti, at: int, number: float) -> None:
    """SimpleITK never ends over them."""
    with pytest.raises(ImageError, match=r"form is|gives no size"):
        read_image(nifti(slice(at, at + 4), number))


@pytest.mark.parametrize("scale", [(2, 0), (1, 5), (0, 5)])
def test_nifti_vectors_that_are_scaled(tmp_path: Path, scale: tuple[float, float]) -> None:
    image = sitk.GetImageFromArray(np.ones((2, 3, 4, 5), np.uint8), isVector=True)
    sitk.WriteImage(image, str(tmp_path / "v.nii"))
    content = bytearray((tmp_path / "v.nii").read_bytes())
    content[SLOPE] = np.array(scale, "<f4").tobytes()
    (tmp_path / "v.nii").write_bytes(content)
    with pytest.raises(ImageError, match="several components are scaled"):
        read_image(tmp_path / "v.nii")


# MetaImage

META = {
    "ObjectType": "Image", "NDims": "3", "BinaryData": "True", "BinaryDataByteOrderMSB": "False",
    "CompressedData": "False", "TransformMatrix": "1 0 0 0 1 0 0 0 1", "Offset": "0 0 0",
    "ElementSpacing": "1 1 2", "DimSize": "2 3 4", "ElementType": "MET_SHORT",
}  # fmt: skip


PACKED = zlib.compress(RAW)


def meta(path: Path, data: bytes, **changes: str) -> Path:
    lines = "".join(f"{key} = {value}\n" for key, value in (META | changes).items())
    path.write_bytes(f"{lines}ElementDataFile = LOCAL\n".encode() + data)
    return path


@pytest.mark.parametrize(
    ("data", "changes"),
    [
        (RAW, {}),
        (SWAPPED, {"BinaryDataByteOrderMSB": "True"}),
        ("\n".join(map(str, [*NUMBERS, ""])).encode(), {"BinaryData": "False"}),
        (b"1234" + RAW, {"HeaderSize": "-1"}),
        (PACKED, {"CompressedData": "True", "CompressedDataSize": str(len(PACKED))}),
    ],
    ids=lambda value: str(value)[:50] if isinstance(value, dict) else "",
)
def test_metaimage_as_simpleitk(tmp_path: Path, data: bytes, changes: dict) -> None:
    like_simpleitk(meta(tmp_path / "a.mha", data, **changes))


def test_metaimage_voxels_behind_a_header_of_their_own(tmp_path: Path) -> None:
    """One byte too few is noticed, however long the other header is."""
    changes = META | {"HeaderSize": "4", "ElementDataFile": "a.raw"}
    path = tmp_path / "a.mhd"
    path.write_text("".join(f"{key} = {value}\n" for key, value in changes.items()))
    (tmp_path / "a.raw").write_bytes(b"1234" + RAW)
    like_simpleitk(path)
    (tmp_path / "a.raw").write_bytes(b"1234" + RAW[:-1])
    with pytest.raises(ImageError, match=f"announces {len(RAW)} bytes, found {len(RAW) - 1}"):
        read_image(path)


def test_metaimage_whose_packed_length_is_not_given(tmp_path: Path) -> None:
    """SimpleITK returns what was in its memory."""
    path = meta(tmp_path / "a.mha", zlib.compress(RAW), CompressedData="True")
    np.testing.assert_array_equal(read_image(path).array.ravel(), NUMBERS)


@pytest.mark.parametrize(
    ("data", "changes"),
    [
        (RAW[:-1], {}),
        (RAW + b"1", {}),
        (zlib.compress(RAW)[:-3], {"CompressedData": "True"}),
        (zlib.compress(RAW + bytes(1 << 24)), {"CompressedData": "True"}),
        (b"1 2 3", {"BinaryData": "False"}),
        (RAW, {"DimSize": "2 3 1e999"}),
        (RAW, {"DimSize": "99999 99999 99999"}),
        (RAW, {"DimSize": "2 -3 4"}),
        (RAW, {"NDims": "2"}),
        (RAW, {"ElementType": "MET_OTHER"}),
        (RAW, {"BinaryDataByteOrderMSB": "perhaps"}),
        (SWAPPED, {"ElementByteOrderMSB": "True"}),
        (RAW, {"ElementSpacing": "1 nan 2"}),
        (RAW, {"TransformMatrix": "1 0 0 0 1e99 0 0 0 1"}),
        (RAW, {"Comment": "x" * 5000}),
    ],
    ids=lambda value: str(value)[:50] if isinstance(value, dict) else "",
)
def test_metaimage_headers_that_are_refused(tmp_path: Path, data: bytes, changes: dict) -> None:
    with pytest.raises(ImageError, match=r"^a\.mha is truncated or damaged"):
        read_image(meta(tmp_path / "a.mha", data, **changes))


# What is packed, and what lies beside


def test_a_bomb_is_refused_before_it_goes_off(tmp_path: Path) -> None:
    zeros = gzip.compress(bytes(1 << 25), 9)
    assert len(zeros) < 40_000
    path = nrrd(tmp_path / "a.nrrd", zeros, encoding="gzip")
    with pytest.raises(ImageError, match="announces"):
        read_image(path)
    path = nrrd(tmp_path / "b.nrrd", zeros, encoding="gzip", sizes="99999 99999 99999")
    with pytest.raises(ImageError, match="announces"):
        read_image(path)


def test_a_bomb_in_nifti(nifti) -> None:
    path = nifti(SLOPE, 1, 0)
    packed = path.with_name("a.nii.gz")
    packed.write_bytes(gzip.compress(path.read_bytes() + bytes(1 << 25)))
    with pytest.raises(ImageError, match="more than the 400 bytes that its header announces"):
        read_image(packed)


DEEP = "[" * 100_000
LONG = json.dumps({"RepetitionTime": [1] * 20_000 + [2]})
ODD = ['{"EchoTime": {"a": 1}}', '{"EchoTime": [0.1, 0.2]}', '{"EchoTime": true}', DEEP, LONG,
       '{"SeriesDescription": [[1]]}', '{"EchoTime": 1e999, "RepetitionTime": NaN}', "7", "",
       '{"EchoTime": ' + "9" * 9000 + "}", '{"Modality": {"a": [1]}}']  # fmt: skip


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_odd_sidecars_are_no_reason_to_refuse_an_image(nifti, text: str) -> None:
    path = nifti(SLOPE, 1, 0)
    path.with_suffix(".json").write_text(text)
    facts = read_image(path).history[0].parameters.get("acquisition", {})
    assert not {"echo_time_ms", "repetition_time_ms", "modality"} & facts.keys()


def test_a_time_as_text_is_read_and_the_digest_knows_the_sidecar(nifti) -> None:
    path, digests = nifti(SLOPE, 1, 0), set()
    for seconds in ("2.5", "9"):
        path.with_suffix(".json").write_text(json.dumps({"RepetitionTime": seconds}))
        facts = read_image(path).history[0].parameters["acquisition"]
        assert facts == {"repetition_time_ms": float(seconds) * 1000}
        digests.add(source_digest(path))
    assert len(digests) == 2


# Segments


@pytest.mark.parametrize(
    "keys",
    ["Segment0_LabelValue:=", "Segment0_LabelValue:=one", "Segment0_LabelValue:=-1",
     "Segment0_LabelValue:=1.0", "Segment0_LabelValue:=0", "Segment0_Layer:=-5",
     "Segment0_Layer:=1", "Segment0_Layer:=x", "Segment0_LabelValue:=" + "9" * 5000],
)  # fmt: skip
def test_segments_that_no_program_writes(tmp_path: Path, keys: str) -> None:
    path = nrrd(tmp_path / "m.seg.nrrd", tail=f"Segment0_Name:=L1\n{keys}\n")
    with pytest.raises(ImageError, match="segment 'L1'") as caught:
        read_masks(path)
    assert caught.value.code == "damaged-file"


def test_keys_and_names_in_latin_1(tmp_path: Path) -> None:
    keys = "Untersucher\xf6:=x\nSegment0_Name:=K\xf6rper\nSegment0_LabelValue:=300\n"
    path = nrrd(tmp_path / "m.seg.nrrd", tail=keys)
    assert list_segments(path)[0].describe() == "'Körper' (label 300, layer 0, 1 voxels)"
    np.testing.assert_array_equal(read_image(path).array.ravel(), NUMBERS)


def test_keys_are_apart_from_fields(tmp_path: Path) -> None:
    keys = (
        "encoding: no:=x\nSegment0_Name:=a\\nb \\\\ c\nSegment0_LabelValue:= 300 \n# endian: big\n"
    )
    path = nrrd(tmp_path / "m.nrrd", tail=keys)
    with pytest.raises(ImageError, match="'encoding' twice"):
        list_segments(path)
    path = nrrd(tmp_path / "m.nrrd", tail=keys.partition("\n")[2])
    assert list_segments(path)[0].name == "a b \\ c"


BITS = {
    2: 8, 4: 16, 8: 32, 16: 32, 32: 64, 64: 64, 128: 24, 256: 8, 512: 16, 768: 32, 1024: 64,
    1280: 64, 1536: 128, 1792: 128, 2048: 256, 2304: 32,
}  # fmt: skip
"""Of a voxel by its datatype: `bitpix` of the NIfTI-1 standard, nifti1.h."""


def test_bytes_of_a_voxel_are_those_of_the_standard() -> None:
    found = {k: 8 * _voxel_bytes({"datatype": k}) for k in range(3000)}
    assert {k: bits for k, bits in found.items() if bits} == BITS
