"""Tables of PyRadiomics, as its command line, its batches, pandas and R write them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from centrum.exchange import read_table
from tests.exchange.conftest import Read, Refuse

BATCH = """\
Case,Image,Mask,Label,Age,diagnostics_Versions_PyRadiomics,diagnostics_Mask-original_Size,original_shape_Elongation,original_firstorder_10Percentile,log-sigma-2-0-mm-3D_glcm_Contrast
P1,/data/Meyer/t2.nrrd,/data/Meyer/m.nrrd,1,71,v3.0.1,"(8, 9, 10)",0.7,-12.5,1e-05
P2,/data/Smith/t2.nrrd,/data/Smith/m.nrrd,1,64.5,v3.0.1,"(8, 9, 10)",0.81,30,
"""
FEATURES = [
    "original_shape_Elongation",
    "original_firstorder_10Percentile",
    "log-sigma-2-0-mm-3D_glcm_Contrast",
]
LINES = """\
Case-1_Image: /data/a/P1.nii.gz
Case-1_Mask: /data/a/P1_mask.nii.gz
Case-1_diagnostics_Versions_Numpy: 1.26.4
Case-1_diagnostics_Configuration_Settings: {'binWidth': 25, 'label': 1}
Case-1_diagnostics_Image-original_Array: [[0 1]
 [2 3]]
Case-1_original_shape_Elongation: 0.7
Case-1_original_glcm_Contrast: nan
Case-2_Image: /data/a/P2.nii.gz
Case-2_original_shape_Elongation: 0.8
Case-2_original_glcm_Contrast: 3
"""


def test_a_batch(read: Read) -> None:
    table = read(BATCH)
    expected = pd.DataFrame(
        [[0.7, -12.5, 1e-5], [0.81, 30, np.nan]],
        pd.Index(["P1", "P2"], name="case", dtype=object),
        FEATURES,
    )
    pd.testing.assert_frame_equal(table.values, expected)
    assert table.format == "pyradiomics"
    assert list(table.known) == ["Label", "Age"]
    assert list(table.known["Label"]) == ["1", "1"]
    assert list(table.known["Age"]) == [71, 64.5]
    assert "2 columns diagnostics_* left out" in table.notes
    assert not any("Meyer" in str(part) for part in (table.known, table.notes))


@pytest.mark.parametrize("head", ["case", "ID", "Case_ID", "PatientID", "Patient", "study", ""])
def test_the_column_that_names_cases(read: Read, head: str) -> None:
    lines = BATCH.replace("Case,", f"{head},", 1)
    table = read(lines, id_column="study") if head == "study" else read(lines)
    expected = ["t2", "t2"] if head == "" else ["P1", "P2"]
    assert list(table.values.index) == (expected if head else ["P1", "P2"])
    assert (head in table.known) == (head in ("PatientID", "Patient"))


def test_images_name_cases_only_if_nothing_else_does(read: Read, refuse: Refuse) -> None:
    rows = "Image,original_glcm_Contrast\nC:\\mri\\P1.seg.nrrd,1\n/mri/P2.2.nii.gz,2\n"
    assert list(read(rows).values.index) == ["P1", "P2.2"]
    patients = "Patient,Image,original_glcm_Contrast\nM,P1_L1.nrrd,1\nM,P1_L2.nrrd,2\n"
    assert list(read(patients).values.index) == ["P1_L1", "P1_L2"]
    same = patients.replace("P1_L2", "P1_L1").replace("M", "Meyer")
    message = refuse(same)
    assert "column 'Patient'" in message
    assert "2, 3" in message
    assert "Meyer" not in message
    assert "column 'case'" in message


def test_lines_of_text(read: Read) -> None:
    table = read(LINES, "features.txt")
    assert list(table.values.index) == ["P1", "P2"]
    assert list(table.values) == ["original_shape_Elongation", "original_glcm_Contrast"]
    np.testing.assert_array_equal(table.values, [[0.7, np.nan], [0.8, 3]])
    unnamed = "".join(line for line in LINES.splitlines(True) if "Image:" not in line)
    assert list(read(unnamed, "features.txt").values.index) == ["Case-1", "Case-2"]


def test_lines_of_text_that_are_none(refuse: Refuse) -> None:
    assert "row 8: expected a line such as" in refuse(LINES.replace("0.7", "0.7\nx"), "f.txt")
    assert "row 7, column 'Case-1': expected a number, found 'high'" in refuse(
        LINES.replace("0.7", "high"), "f.txt"
    )
    assert "rows 7 and 8" in refuse(LINES.replace("0.7", "1\nCase-1_original_shape_Elongation: 1"))


@pytest.mark.parametrize("head", ["featureName,P1", ",0", "name,value", None])
def test_one_row_per_feature(read: Read, head: str | None) -> None:
    rows = 'diagnostics_Mask-original_Size,"(1, 2)"\noriginal_shape_Flatness,0.25\n'
    table = read(rows if head is None else f"{head}\n{rows}", "P1.csv")
    assert table.format == "pyradiomics"
    np.testing.assert_array_equal(table.values, [[0.25]])
    assert list(table.values.index) == ["P1"]
    assert ("its own name is the case id" in str(table.notes)) == (head != "featureName,P1")


def test_a_feature_in_the_first_column_turns_nothing(read: Read) -> None:
    table = read("original_shape_Flatness,ID,Target\n0.25,P1,1\n0.5,P2,0\n")
    assert list(table.values["original_shape_Flatness"]) == [0.25, 0.5]
    assert list(table.values.index) == ["P1", "P2"]


def test_the_place_of_a_bad_cell_in_a_turned_table(refuse: Refuse) -> None:
    message = refuse("x,P1,P2\noriginal_shape_Flatness,1,2\n\noriginal_glcm_Idm,3,4 mm\n")
    assert "table.csv" in message
    assert "row 4, column 'P2': expected a number, found '4 mm'" in message


def test_names_that_r_changed(read: Read) -> None:
    heads = {
        "wavelet.LLH_glcm_Contrast": "wavelet-LLH_glcm_Contrast",
        "wavelet2.LLL_glcm_Contrast.1": "wavelet2-LLL_glcm_Contrast.1",
        "log.sigma.0.5.mm.3D_firstorder_Mean": "log-sigma-0-5-mm-3D_firstorder_Mean",
        "T2_lbp.3D.m1_glszm_ZoneEntropy": "T2_lbp-3D-m1_glszm_ZoneEntropy",
        "lbp.2D_firstorder_10Percentile": "lbp-2D_firstorder_10Percentile",
        "original_shape_Sphericity.2": "original_shape_Sphericity.2",
    }
    table = read(f"ID,{','.join(heads)}\n1,1,2,3,4,5,6\n")
    assert list(table.values) == list(heads.values())
    assert any("wavelet.LLH_glcm_Contrast read as" in note for note in table.notes)
    assert any("and 4 more" in note for note in table.notes)


def test_bare_names(read: Read) -> None:
    table = read("ID,Elongation,X10Percentile,Contrast,Contrast.1,X10Percentile.1\nP1,1,2,3,4,5\n")
    assert list(table.values) == [
        "Elongation",
        "10Percentile",
        "Contrast",
        "Contrast.1",
        "10Percentile.1",
    ]
    assert any(
        "numbered by R or pandas (Contrast.1, 10Percentile.1)" in note for note in table.notes
    )


def test_two_columns_that_become_one_name(refuse: Refuse) -> None:
    message = refuse("ID,wavelet.LLH_glcm_Idm,wavelet-LLH_glcm_Idm\nP1,1,2\n")
    assert "'wavelet-LLH_glcm_Idm' (2, 3)" in message


def test_the_baselines_of_the_program(reference: Path) -> None:
    folder = reference / "pyradiomics"
    tidy = pd.read_csv(folder / "baseline_values_tidy.csv")
    for path in sorted((folder / "baseline").glob("baseline_*.csv")):
        table = read_table(path)
        kind = path.stem.removeprefix("baseline_")
        rows = tidy[tidy["feature_class"] == kind]
        assert table.format == "pyradiomics"
        assert table.values.size == len(rows)
        assert all(name.startswith(f"original_{kind}_") for name in table.values)
        assert table.values.to_numpy().sum() == pytest.approx(rows["value"].sum(), rel=1e-12)


TABLES = {
    "Brancato2023": 2380,
    "Hosny2018A": 984,
    "WORC-Lipo": 1015,
    "Deng2023": 217,
    "Song2020": 258,
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_of_published_studies(reference: Path, name: str) -> None:
    path = reference / "modelling" / "tables" / f"{name}.csv.gz"
    table, plain = read_table(path), pd.read_csv(path)
    assert table.format == "pyradiomics"
    assert table.values.shape == (len(plain), TABLES[name])
    assert list(table.values.index) == [str(case) for case in plain["ID"]]
    np.testing.assert_array_equal(table.values, plain[list(table.values)])
    assert list(table.known["Target"]) == [str(target) for target in plain["Target"]]
