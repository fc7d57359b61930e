"""What printed names may mean, against R, pandas, real tables and arithmetic of suffixes."""

import csv
import gzip
import io
from collections.abc import Sequence

import pandas as pd
import pytest
from hypothesis import given, strategies as st

from centrum.errors import SignatureError
from centrum.pyradiomics import featureextractor
from centrum.signature import (
    ORDERS,
    PARAMETER_FILE,
    SLICER,
    WITHOUT_NGTDM,
    ImageTypes,
    SourceTable,
    consistent,
    decode,
    decode_all,
    load_shipped,
    plausible_images,
    tables_of,
)
from centrum.signature.names import is_full
from centrum.signature.source_table import last_part, make_unique, r_name
from tests.pyradiomics import cases

WAVELETS = ["LLH", "LHL", "LHH", "HLL", "HLH", "HHL", "HHH", "LLL"]
ORIGINAL_WAVELET = ImageTypes.parse("original+wavelet")

settings = st.lists(
    st.sampled_from(["wavelet", "log(3)", "log:1,2.5", "square", "gradient", "lbp3d", "wavelet2d"]),
    unique_by=lambda part: part[:4],
).map(lambda parts: ImageTypes(("original", *parts)))
orders = st.sampled_from([*ORDERS, WITHOUT_NGTDM])
words = st.lists(st.sampled_from(["a", "b", "a.1", "a.2", "b.1", "a.1.1"]), max_size=12)


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("original", 107),
        ("original+wavelet", 851),
        ("original+log:3+wavelet", 107 + 93 * 9),
        ("original+log(5)+wavelet", 107 + 93 * 13),
        ("original+wavelet+square+squareroot", 107 + 93 * 10),
    ],
)
@pytest.mark.parametrize("order", ORDERS)
def test_a_table_has_107_columns_and_93_for_each_further_image(text, n, order):
    table = SourceTable(ImageTypes.parse(text), order)
    assert len(set(table.full_names)) == len(set(table.printed_names)) == n


def test_the_table_is_what_the_extractor_gives():
    extractor = featureextractor.RadiomicsFeatureExtractor(additionalInfo=False)
    extractor.enableImageTypes(LoG={"sigma": [1.0]}, Wavelet={})
    found = extractor.execute(cases.image(), cases.mask())
    assert tuple(found) == SourceTable(ImageTypes.parse("original+log:1+wavelet")).full_names


@pytest.mark.parametrize(
    ("file", "prefix", "images"),
    [
        ("WORC-Lipo", "MR_", "original+log:3,5+wavelet"),
        ("Brancato2023", "T2_", "original+log:2,3,4,5+wavelet"),
    ],
)
def test_published_tables_are_in_the_order_of_the_parameter_files(reference, file, prefix, images):
    """Constant columns, and shape of a second sequence, were left out of them."""
    with gzip.open(reference / "modelling" / "tables" / f"{file}.csv.gz", "rt") as lines:
        columns = next(csv.reader(lines))
    names = [c.removeprefix(prefix) for c in columns if c.startswith(prefix)]
    table = SourceTable(ImageTypes.parse(images), PARAMETER_FILE)
    assert len(names) > 1000
    assert set(names) <= set(table.full_names)
    assert _blocks(names) == [b for b in _blocks(table.full_names) if b in _blocks(names)]
    slicer = SourceTable(ImageTypes.parse(images), SLICER)
    assert _blocks(names) != [b for b in _blocks(slicer.full_names) if b in _blocks(names)]


def _blocks(names: Sequence[str]) -> list[str]:
    """Images and classes in their order; where each feature lies within is no matter."""
    return list(dict.fromkeys(name.rpartition("_")[0] for name in names))


def test_names_are_made_unique_as_r_does():
    """R 4: make.unique, and make.names for what it changes before."""
    assert make_unique(["a", "a", "a.1", "a"]) == ["a", "a.2", "a.1", "a.3"]
    assert make_unique(["a", "a.1", "a", "a.1", "a"]) == ["a", "a.1", "a.2", "a.1.1", "a.3"]
    assert r_name("wavelet-LHL_ngtdm_Contrast") == "wavelet.LHL_ngtdm_Contrast"
    assert [r_name(n) for n in ("_x", ".1a", "Mean")] == ["X_x", "X.1a", "Mean"]


@given(words)
def test_names_are_made_unique_as_pandas_does(names):
    read = pd.read_csv(io.StringIO(",".join(names) + "\n")) if names else pd.DataFrame()
    assert make_unique(names) == list(read.columns)


def test_a_whole_header_is_made_unique_as_pandas_does():
    table = SourceTable(ORIGINAL_WAVELET)
    header = ",".join(last_part(name) for name in table.full_names)
    assert table.printed_names == tuple(pd.read_csv(io.StringIO(header + "\n")).columns)


@given(settings, orders)
def test_decoding_inverts_making_unique(images, order):
    table = SourceTable(images, order)
    for printed, full in zip(table.printed_names, table.full_names, strict=True):
        assert table.find(printed) == table.find(r_name(printed)) == full
        assert table.find(full) == table.find(r_name(full)) == full


@pytest.mark.parametrize("images", plausible_images(), ids=str)
def test_every_name_of_every_plausible_setting_decodes(images):
    for order in ORDERS:
        table = SourceTable(images, order)
        for printed, full in zip(table.printed_names[::37], table.full_names[::37], strict=True):
            assert decode(printed, images, [order]).names == (full,)


@pytest.mark.parametrize("n_logs", range(5))
def test_the_arithmetic_of_suffixes(n_logs):
    """A name of one class counts images, one of two classes counts them in pairs."""
    logs = [f"log-sigma-{s}-0-mm-3D" for s in range(1, n_logs + 1)]
    part = f"+log:{','.join(map(str, range(1, n_logs + 1)))}" if n_logs else ""
    images = ["original", *logs, *(f"wavelet-{band}" for band in WAVELETS)]
    setting = ImageTypes.parse(f"original{part}+wavelet")
    for k, image in enumerate(images):
        suffix = f".{k}" if k else ""
        assert decode(f"Minimum{suffix}", setting).names == (f"{image}_firstorder_Minimum",)
    for k in range(2 * len(images)):
        suffix = f".{k}" if k else ""
        of = ("glcm", "ngtdm")[k % 2]
        assert decode(f"Contrast{suffix}", setting).names == (f"{images[k // 2]}_{of}_Contrast",)
    assert decode(f"Minimum.{len(images)}", setting).names == ()
    assert decode(f"Contrast.{2 * len(images)}", setting).names == ()


def test_reasons_of_a_name_of_two_classes():
    assert decode("Contrast.5", ORIGINAL_WAVELET).reasoning == (
        "Contrast occurs in glcm and ngtdm: 2 per image.",
        "The 6th Contrast under original+wavelet is wavelet-LHL_ngtdm_Contrast.",
    )


def test_a_tenth_image_rules_out_nine():
    found = decode("Minimum.9", ORIGINAL_WAVELET)
    assert found.candidates == ()
    assert {table.images for table in found.excluded} == {ORIGINAL_WAVELET}
    assert found.reasoning == (
        "Minimum occurs in firstorder: 1 per image.",
        "There is no 10th Minimum under original+wavelet (9 images, 9 in all).",
    )


def test_a_name_of_three_classes_depends_on_their_order():
    found = decode("GrayLevelVariance.4", ORIGINAL_WAVELET)
    by_order = {c.name: [t.order for t in c.tables] for c in found.candidates}
    assert by_order == {
        "wavelet-LLH_glrlm_GrayLevelVariance": [SLICER],
        "wavelet-LLH_glszm_GrayLevelVariance": [PARAMETER_FILE],
    }
    assert "Slicer's class order), or wavelet-LLH_glszm" in found.reasoning[1]


def test_without_ngtdm_contrast_counts_images():
    found = decode("Contrast.5", ORIGINAL_WAVELET, [WITHOUT_NGTDM])
    assert found.names == ("wavelet-HLH_glcm_Contrast",)


def test_all_candidates_with_the_settings_that_give_them():
    found = decode_all("Minimum.9")
    by_images = {c.name: [str(t.images) for t in c.tables[::2]] for c in found.candidates}
    assert by_images == {
        **{
            f"wavelet-{WAVELETS[8 - n]}_firstorder_Minimum": [f"original+log({n})+wavelet"]
            for n in range(1, 6)
        },
        "log-sigma-?9-mm-3D_firstorder_Minimum": ["original+log(9)"],
    }
    assert len(found.excluded) == 2 * (len(plausible_images()) - 6)


def test_shape_is_there_once():
    assert decode_all("Elongation").names == ("original_shape_Elongation",)
    assert decode_all("Elongation.1").names == ()
    assert decode_all("Elongation").reasoning[0] == "Elongation occurs in shape: once in a table."


def test_what_the_published_names_have_in_common():
    found = consistent(load_shipped("vcf-t2w-2024").features)
    assert list(dict.fromkeys(str(table.images) for table in found)) == [
        *(f"original+log({n})+wavelet" for n in range(1, 6)),
        "original+log(9)",
    ]
    assert consistent(["Elongation", "Minimum.9"], tables_of([ORIGINAL_WAVELET])) == ()


def test_names_as_r_spells_them():
    assert decode("X10Percentile.1", ORIGINAL_WAVELET).names == (
        "wavelet-LLH_firstorder_10Percentile",
    )
    assert decode("X10Percentile", ORIGINAL_WAVELET).reasoning[0].startswith("10Percentile occurs")
    assert decode("wavelet.LHL_ngtdm_Contrast", ORIGINAL_WAVELET).names == (
        "wavelet-LHL_ngtdm_Contrast",
    )


def test_full_names_stand_for_themselves():
    for name in SourceTable(ImageTypes.parse("original+log:3+wavelet")).full_names:
        assert is_full(name)
        assert decode_all(name).names == (name,)
    assert decode("wavelet-LLH_glcm_Id", ImageTypes.parse("original")).reasoning == (
        "wavelet-LLH_glcm_Id is a full name, of an image that is not in original.",
    )


def test_names_that_no_table_has():
    found = decode_all("Contrst.5")
    assert found.candidates == ()
    assert decode_all("Dissimilarity").candidates == ()
    assert decode("Busyness", ORIGINAL_WAVELET, [WITHOUT_NGTDM]).candidates == ()
    assert found.reasoning == ("No table has a feature Contrst.5. Close to it: Contrast.",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("original+wavelets", "Unknown image type 'wavelets'. Must be one of original, log:1,2"),
        ("", "Unknown image type ''"),
        ("original+original", "name an image twice"),
        ("original+log:2,2", "name an image twice"),
        ("original+log:0", "must be positive numbers in mm"),
        ("original+log:a", "must be positive numbers in mm"),
        ("original+log:inf", "must be positive numbers in mm"),
        ("original+log(0)", "Unknown image type"),
    ],
)
def test_settings_that_are_refused(text, message):
    with pytest.raises(SignatureError) as caught:
        ImageTypes.parse(text)
    assert message in str(caught.value)


@given(settings)
def test_a_setting_is_read_as_it_is_written(images):
    assert ImageTypes.parse(str(images)) == images


def test_images_in_the_order_that_is_given():
    found = ImageTypes.parse("Original + Wavelet + LoG: 1.0, 2.5").names
    assert found == ImageTypes.parse("original+wavelet+log:1,2.5").names
    assert found[-2:] == ("log-sigma-1-0-mm-3D", "log-sigma-2-5-mm-3D")
