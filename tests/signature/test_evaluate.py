"""Scores of signatures: the plain sum, every reading of ambiguous names, and what is refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings as tries, strategies as st

from centrum.errors import DataError, SignatureError
from centrum.signature import (
    PARAMETER_FILE,
    SLICER,
    ImageTypes,
    Signature,
    SourceTable,
    evaluate_signature,
    load_shipped,
    tables_of,
)
from centrum.signature.evaluate import PUBLISHED, WITHIN

PUBLISHED_2024 = load_shipped("vcf-t2w-2024")


def table(images: str, n: int = 12, seed: int = 0) -> pd.DataFrame:
    names = SourceTable(ImageTypes.parse(images)).full_names
    values = np.random.default_rng(seed).normal(50, 9, (n, len(names)))
    return pd.DataFrame(values, [f"P{k:03}" for k in range(n)], list(names))


def signature(*features: str, **others) -> Signature:
    k = len(features)
    known = {"coefficients": tuple(np.linspace(-1, 2, k)), "intercept": 0.25} | others
    return Signature("test", "nowhere", tuple(features), **known)


def by_hand(values: pd.DataFrame, names, coefficients, intercept) -> list[float]:
    z = (values - values.mean()) / values.std()
    return [
        intercept + sum(c * row[n] for c, n in zip(coefficients, names, strict=True))
        for _, row in z.iterrows()
    ]


@given(st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_full_names_give_the_plain_sum(k, seed):
    values = table("original", n=5)
    rng = np.random.default_rng(seed)
    names = tuple(rng.choice(values.columns, k, replace=False))
    b, m, s = rng.normal(size=k), rng.normal(size=k), rng.uniform(0.1, 9, k)
    settings = signature(*names, coefficients=tuple(b), means=tuple(m), sds=tuple(s), intercept=3.0)
    (reading,) = evaluate_signature(settings, values)
    wanted = [
        3.0 + sum(b[j] * (values.loc[case, names[j]] - m[j]) / s[j] for j in range(k))
        for case in values.index
    ]
    np.testing.assert_allclose(reading.scores, wanted, rtol=1e-12)
    assert (reading.names, reading.tables, reading.missing) == (names, (), ())
    assert (reading.standardised, reading.caution) == (PUBLISHED, "")


def test_without_means_z_scores_are_of_the_cohort():
    values = table("original+log:3+wavelet")
    (reading,) = [r for r in evaluate_signature(PUBLISHED_2024, values) if r.usable]
    assert reading.names == (
        "original_shape_Elongation",
        "log-sigma-3-0-mm-3D_firstorder_Minimum",
        "wavelet-LLH_ngtdm_Contrast",
        "wavelet-HHL_firstorder_Mean",
        "wavelet-HLH_firstorder_Median",
        "wavelet-HLH_glszm_SmallAreaEmphasis",
        "wavelet-HHL_firstorder_Median",
        "wavelet-LLL_firstorder_Minimum",
    )
    wanted = by_hand(values, reading.names, PUBLISHED_2024.coefficients, -0.307)
    np.testing.assert_allclose(reading.scores, wanted, rtol=1e-12)
    assert reading.standardised == WITHIN
    assert "not the published score" in reading.caution
    assert "The sigmas of LoG images are not published" in " ".join(reading.reasoning)


def test_readings_that_the_table_cannot_give_say_what_is_missing():
    readings = evaluate_signature(PUBLISHED_2024, table("original+wavelet"))
    assert len(readings) == 6
    assert not any(reading.usable for reading in readings)
    assert readings[0].missing == ("log-sigma-?1-mm-3D_firstorder_Minimum",)
    assert "lacks log-sigma-?1-mm-3D_firstorder_Minimum. Measure" in readings[0].problem
    assert readings[0].scores is None


def test_every_sigma_of_the_table_is_tried_in_rising_order():
    values = table("original+log:1,3,10+wavelet")
    readings = evaluate_signature(PUBLISHED_2024, values)
    logs = [[n.split("_")[0] for n in r.names if n.startswith("log")] for r in readings]
    one, three, ten = (f"log-sigma-{s}-0-mm-3D" for s in (1, 3, 10))
    assert logs[:6] == [[one], [three], [ten], [one, three], [one, ten], [three, ten]]
    assert len({r.names for r in readings}) == len(readings)


def test_orders_of_the_classes_are_two_readings_where_they_differ():
    values = table("original+wavelet")
    settings = signature("GrayLevelVariance.4", "Mean", images=ImageTypes.parse("original+wavelet"))
    first, second = evaluate_signature(settings, values)
    assert [t.order for r in (first, second) for t in r.tables] == [SLICER, PARAMETER_FILE]
    assert first.names[0] == "wavelet-LLH_glrlm_GrayLevelVariance"
    assert second.names[0] == "wavelet-LLH_glszm_GrayLevelVariance"


def test_equal_readings_are_one():
    settings = signature("Contrast.1", "Mean")
    (reading,) = evaluate_signature(settings, table("original"))
    assert reading.names == ("original_ngtdm_Contrast", "original_firstorder_Mean")
    assert reading.tables == tables_of()
    assert len(reading.reasoning) == 16 + 2


def test_all_names_come_from_one_table():
    settings = [ImageTypes.parse(t) for t in ("original+wavelet", "original+log:1,2+wavelet")]
    chosen, values = signature("Mean.8", "Strength.4"), table("original+log:1,2+wavelet")
    assert [r.names for r in evaluate_signature(chosen, values, tables_of(settings))] == [
        ("wavelet-LLL_firstorder_Mean", "wavelet-HLL_ngtdm_Strength"),
        ("wavelet-HHL_firstorder_Mean", "wavelet-LHL_ngtdm_Strength"),
    ]


@tries(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_order_of_columns_and_other_columns_do_not_matter(seed):
    values = table("original+log:3+wavelet", n=6)
    rng = np.random.default_rng(seed)
    shuffled = values[rng.permutation(values.columns)].assign(age=70, outcome="malignant")
    before = evaluate_signature(PUBLISHED_2024, values)
    after = evaluate_signature(PUBLISHED_2024, shuffled)
    assert [r.names for r in before] == [r.names for r in after]
    np.testing.assert_array_equal(before[0].scores, after[0].scores)


def test_order_of_rows_is_kept():
    values = table("original")
    settings = signature("Mean", "Range")
    (there,) = evaluate_signature(settings, values)
    (back,) = evaluate_signature(settings, values[::-1])
    np.testing.assert_allclose(there.scores[::-1], back.scores, rtol=1e-12)


def test_full_and_printed_names_together():
    values = table("original+wavelet")
    settings = signature(
        "wavelet-LLL_glcm_Id", "Minimum.8", images=ImageTypes.parse("original+wavelet")
    )
    (reading,) = evaluate_signature(settings, values)
    assert reading.names == ("wavelet-LLL_glcm_Id", "wavelet-LLL_firstorder_Minimum")
    assert reading.reasoning[1] == "wavelet-LLL_glcm_Id is a full name."


def test_names_spelled_in_another_way_are_found():
    values = table("original+log:3+wavelet")
    values.columns = values.columns.str.replace("log-sigma-3-0-mm", "log-sigma-3-mm")
    settings = signature("log.sigma.3.0.mm.3D_glcm_Id", "wavelet.LLH_glcm_Id")
    (reading,) = evaluate_signature(settings, values)
    assert reading.names == ("log-sigma-3-mm-3D_glcm_Id", "wavelet-LLH_glcm_Id")


def test_a_full_name_that_the_table_lacks():
    (reading,) = evaluate_signature(signature("wavelet-LLH_glcm_Id"), table("original"))
    assert reading.missing == ("wavelet-LLH_glcm_Id",)


def test_a_column_that_is_spelled_as_the_printed_name():
    values = table("original").rename(columns={"original_ngtdm_Contrast": "Contrast.1"})
    (reading,) = evaluate_signature(signature("Contrast.1"), values)
    assert reading.names == ("Contrast.1",)
    assert "taken as it stands" in reading.reasoning[0]


def test_no_common_setting_is_said_and_combinations_are_not_tried():
    settings = signature("Mean.8", "Minimum.9", images=ImageTypes.parse("original+wavelet"))
    with pytest.raises(SignatureError, match=r"In none of them: Minimum\.9\."):
        evaluate_signature(settings, table("original+wavelet"))
    settings = signature("Mean.13", "Minimum.2")
    tables = tables_of([ImageTypes.parse("original"), ImageTypes.parse("original+wavelet")])
    with pytest.raises(SignatureError, match="Tried: original, original"):
        evaluate_signature(settings, table("original"), tables)


def test_names_of_different_tables_are_told():
    tables = (
        SourceTable(ImageTypes.parse("original"), replace(SLICER, classes=("shape", "glcm"))),
        SourceTable(ImageTypes.parse("wavelet"), replace(SLICER, classes=("firstorder",))),
    )
    with pytest.raises(SignatureError) as caught:
        evaluate_signature(signature("Elongation", "Mean"), table("original"), tables)
    assert "Elongation fits original; Mean fits wavelet." in str(caught.value)
    assert "not combined (1 ways): all names of a signature came from one table" in str(
        caught.value
    )


def test_a_constant_feature_has_no_z_score():
    values = table("original").assign(original_firstorder_Mean=3.0)
    with pytest.raises(DataError, match="original_firstorder_Mean has one value in all 12 cases"):
        evaluate_signature(signature("Mean", "Range"), values)
    fixed = signature("Mean", "Range", means=(0.0, 0.0), sds=(1.0, 1.0))
    assert evaluate_signature(fixed, values)[0].usable


def test_a_constant_feature_of_one_reading_leaves_the_others():
    values = table("original+wavelet").assign(**{"wavelet-LLH_glrlm_GrayLevelVariance": 0.0})
    settings = signature("GrayLevelVariance.4", images=ImageTypes.parse("original+wavelet"))
    first, second = evaluate_signature(settings, values)
    assert "wavelet-LLH_glrlm_GrayLevelVariance has one value" in first.problem
    assert second.usable


def test_missing_values_are_counted_and_no_case_is_named():
    values = table("original")
    values.iloc[3, values.columns.get_loc("original_firstorder_Mean")] = np.nan
    with pytest.raises(DataError) as caught:
        evaluate_signature(signature("Mean", "Range"), values)
    assert "original_firstorder_Mean (1 of 12)" in str(caught.value)
    assert "P003" not in str(caught.value)


def test_a_single_case_needs_published_means():
    values = table("original", n=1)
    with pytest.raises(DataError, match="need 2 cases or more, found 1"):
        evaluate_signature(signature("Mean"), values)
    assert evaluate_signature(signature("Mean", means=(1.0,), sds=(2.0,)), values)[0].usable


def test_two_columns_of_one_name():
    values = table("original")
    doubled = pd.concat([values, values["original_firstorder_Mean"]], axis=1)
    with pytest.raises(DataError, match="two columns 'original_firstorder_Mean'"):
        evaluate_signature(signature("Mean"), doubled)
