"""`python -m centrum.pyradiomics`: what goes in, comes out and is refused.

Columns, lines and names of files are those that PyRadiomics 3.0.1 wrote for the same options.
"""

import csv
import io
import json
import logging
import os
import subprocess
import sys

import numpy as np
import pytest
import SimpleITK as sitk

from centrum import pyradiomics
from centrum.pyradiomics import featureextractor
from centrum.pyradiomics.command_line import main, overrides
from centrum.pyradiomics.errors import ParameterError
from tests.pyradiomics import cases

PARAMETERS = """\
imageType: {Original: {}}
featureClass: {firstorder: [Mean, Maximum], glcm: [Contrast]}
setting: {binWidth: 20, additionalInfo: false}
"""
FEATURES = ["firstorder_Mean", "firstorder_Maximum", "glcm_Contrast"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with an image, its mask, parameters and a table of cases, as the current one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    sitk.WriteImage(cases.image(), "data/image.nrrd")
    sitk.WriteImage(cases.mask(), "data/mask.nrrd")
    (tmp_path / "params.yaml").write_text(PARAMETERS)
    write_table("A,image.nrrd,mask.nrrd,1", "B,image.nrrd,mask.nrrd,3", "C,image.nrrd,mask.nrrd,")
    return tmp_path


def write_table(*rows):
    with open("data/cases.csv", "w") as file:
        file.write("\n".join(["ID,Image,Mask,Label", *rows, ""]))


def expected(region=1, **settings):
    extractor = featureextractor.RadiomicsFeatureExtractor("params.yaml", **settings)
    return {k: float(v) for k, v in extractor.execute(cases.image(), cases.mask(), region).items()}


def values(row):
    return {name: float(value) for name, value in row.items() if name.startswith("original_")}


def printed(capsys, *words, code=0):
    assert main([*words, "-p", "params.yaml"]) == code
    return capsys.readouterr().out


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


IMAGE = ("data/image.nrrd", "data/mask.nrrd")
TABLE = "data/cases.csv"


def test_one_case_as_text(folder, capsys):
    lines = printed(capsys, *IMAGE).splitlines()
    assert lines[:2] == [
        f"Case-1_Image: {folder / IMAGE[0]}",
        f"Case-1_Mask: {folder / IMAGE[1]}",
    ]
    wanted = [f"Case-1_{name}: {value}" for name, value in expected().items()]
    assert lines[2:] == wanted


def test_a_table_of_cases_as_csv(folder, capsys):
    found = rows_of(printed(capsys, TABLE, "--format", "csv", "--format-path", "relative"))
    names = [f"original_{name}" for name in FEATURES]
    assert list(found[0]) == ["ID", "Image", "Mask", "Label", *names]
    assert [(r["ID"], r["Image"], r["Mask"]) for r in found] == [
        (one, "image.nrrd", "mask.nrrd") for one in "ABC"
    ]
    assert [values(row) for row in found] == [expected(), expected(3), expected()]


def test_a_table_of_cases_as_json(folder, capsys):
    found = json.loads(printed(capsys, TABLE, "-f", "json", "--format-path", "basename"))
    assert [values(case) for case in found] == [expected(), expected(3), expected()]
    assert found[0]["Image"] == "image.nrrd"


def test_diagnostics_can_be_written_in_every_format(folder, capsys):
    words = (*IMAGE, "-s", "additionalInfo:true")
    (found,) = json.loads(printed(capsys, *words, "-f", "json"))
    assert found["diagnostics_Mask-original_BoundingBox"] == [5, 4, 2, 12, 10, 5]
    assert found["diagnostics_Configuration_Settings"]["binWidth"] == 20
    line = "Case-1_diagnostics_Mask-original_CenterOfMassIndex: (10.5, 8.5, 4.0)\n"
    assert line in printed(capsys, *words)


@pytest.mark.parametrize(
    ("words", "settings"),
    [
        (["--setting", "binWidth:10"], {"binWidth": 10}),
        (["-s", "force2D:true", "-s", "distances:1,2"], {"force2D": True, "distances": [1, 2]}),
        (["-s", "resampledPixelSpacing:1,1,0"], {"resampledPixelSpacing": [1, 1, 0]}),
        (["-s", "label:3"], {"label": 3}),
        (["-l", "3"], {"label": 3}),
    ],
)
def test_settings_override_the_parameter_file(folder, capsys, words, settings):
    (found,) = rows_of(printed(capsys, *IMAGE, "-f", "csv", *words))
    assert values(found) == expected(None, **settings)


def test_settings_as_text():
    given = ["binCount:32", "sigma:1,2.5", "force2D:0", "wavelet:haar", "interpolator:3"]
    assert overrides([*given, "initValue:nan", "weightingNorm:"]) == {
        "binCount": 32,
        "sigma": [1.0, 2.5],
        "force2D": False,
        "wavelet": "haar",
        "interpolator": 3,
        "initValue": pytest.approx(np.nan, nan_ok=True),
        "weightingNorm": None,
    }
    for wrong in ("binwidth:5", "binWidth", "binWidth:wide", "force2D:maybe", "sigma:1,x"):
        with pytest.raises(ParameterError, match=r"expected|Expected"):
            overrides([wrong])


def test_a_case_that_fails_leaves_the_others(folder, capsys):
    write_table("A,image.nrrd,mask.nrrd,1", "B,absent.nrrd,mask.nrrd,1", "C,image.nrrd,mask.nrrd,9")
    text = printed(capsys, TABLE, "-f", "csv", code=1)
    first, *failed = rows_of(text)
    assert values(first) == expected()
    assert [(r["ID"], r["original_glcm_Contrast"]) for r in failed] == [("B", ""), ("C", "")]


def test_why_a_case_failed_is_told(folder, capsys, caplog):
    (folder / "data" / "broken.nrrd").write_text("no image")
    write_table(
        "A,absent.nrrd,mask.nrrd,1", "B,broken.nrrd,mask.nrrd,1", "C,image.nrrd,mask.nrrd,x"
    )
    printed(capsys, TABLE, code=1)
    told = [record.getMessage() for record in caplog.records]
    for number, why in ((1, "absent.nrrd"), (2, "'broken.nrrd' is no image"), (3, "found 'x'")):
        assert any(f"Case {number}" in line and why in line for line in told)
    assert told[-1] == "3 of 3 cases failed."


def test_rows_without_an_image_are_skipped(folder, capsys, caplog):
    write_table("A,,mask.nrrd,1", "B,image.nrrd,mask.nrrd,3")
    (found,) = rows_of(printed(capsys, TABLE, "-f", "csv"))
    assert found["ID"] == "B"
    assert "Line 2 has no image" in caplog.text


def test_features_of_cases_are_kept_and_read_again(folder, capsys):
    text = printed(capsys, TABLE, "-f", "csv", "-od", "kept")
    kept = folder / "kept" / "features_2.csv"
    assert values(rows_of(kept.read_text())[0]) == expected(3)
    kept.write_text(kept.read_text().replace("B,", "Bee,", 1))
    assert printed(capsys, TABLE, "-f", "csv", "-od", "kept") == text.replace("B,", "Bee,", 1)


def test_a_kept_file_that_is_damaged(folder, capsys, caplog):
    printed(capsys, *IMAGE, "-od", "kept")
    for content in ("", "Image,Mask\n", "Image,Mask\n1\n"):
        (folder / "kept" / "features_1.csv").write_text(content)
        printed(capsys, *IMAGE, "-od", "kept", code=1)
        assert "features_1.csv holds no features of a case; delete it" in caplog.text
        caplog.clear()


def test_a_failed_case_is_not_kept(folder, capsys):
    write_table("A,image.nrrd,mask.nrrd,9")
    printed(capsys, TABLE, "-od", "kept", code=1)
    assert not (folder / "kept" / "features_1.csv").exists()


def test_maps_are_written(folder, capsys):
    words = (*IMAGE, "--mode", "voxel", "--out-dir", "maps", "--unix-path", "-f", "csv")
    (found,) = rows_of(printed(capsys, *words))
    assert found["original_glcm_Contrast"] == "maps/Case-1_original_glcm_Contrast.nrrd"
    extractor = featureextractor.RadiomicsFeatureExtractor("params.yaml")
    wanted = extractor.execute(cases.image(), cases.mask(), voxelBased=True)
    for name, image in wanted.items():
        written = sitk.ReadImage(found[name])
        np.testing.assert_array_equal(
            sitk.GetArrayFromImage(written), sitk.GetArrayFromImage(image)
        )


def test_results_are_appended_to_a_file(folder, capsys):
    for _ in range(2):
        assert printed(capsys, *IMAGE, "-o", "out.txt") == ""
    lines = (folder / "out.txt").read_text().splitlines()
    assert len(lines) == 10
    assert lines[:5] == lines[5:]


def test_features_that_are_nan_can_be_left_out(folder, capsys):
    labels = np.zeros(cases.SHAPE, np.uint8)
    labels[4, 5, 6] = labels[4, 8, 9] = 1
    sitk.WriteImage(cases.as_image(labels), "data/mask.nrrd")
    assert "glcm_Contrast: nan" in printed(capsys, *IMAGE)
    assert "glcm_Contrast" not in printed(capsys, *IMAGE, "--skip-nans")
    (found,) = rows_of(printed(capsys, *IMAGE, "--skip-nans", "-f", "csv"))
    assert found["original_glcm_Contrast"] == ""


def test_the_number_of_processes_does_not_matter(folder, capsys):
    alone = printed(capsys, TABLE, "-f", "csv")
    assert printed(capsys, TABLE, "-f", "csv", "--jobs", "2") == alone


def test_validation_measures_nothing(folder, capsys, caplog):
    assert printed(capsys, TABLE, "--validate") == ""
    write_table("A,image.nrrd,absent.nrrd,1", "B,image.nrrd,mask.nrrd,1")
    assert printed(capsys, TABLE, "--validate", code=1) == ""
    assert "Case 1 of 2" in caplog.text
    (folder / "params.yaml").write_text("setting: {binwidth: 3}")
    assert printed(capsys, *IMAGE, "--validate", code=3) == ""
    assert "did you mean 'binWidth'?" in caplog.text


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["data/image.nrrd"], "An image wants a mask after it"),
        (["data/absent.csv"], "absent.csv"),
        ([*IMAGE, "-s", "binwidth:3"], "such as binWidth:VALUE"),
    ],
)
def test_what_cannot_be_done_is_refused(folder, capsys, caplog, words, why):
    assert printed(capsys, *words, code=3) == ""
    assert why in caplog.text


def test_tables_without_cases_are_refused(folder, capsys, caplog):
    for text, why in (
        ("Image\ni.nrrd\n", "found no Mask"),
        ("Image;Mask\n", "found no Image and no Mask"),
        ("Image,Mask\n", "no row"),
        ("Image,Mask\ni.nrrd,m.nrrd,1\n", "Line 2 has more cells"),
        ('Image,Mask\n"i.nrrd"x,m.nrrd\n', "no CSV file"),
    ):
        (folder / TABLE).write_text(text)
        printed(capsys, TABLE, code=3)
        assert why in caplog.text


def test_messages_go_where_they_are_wanted(folder, capsys):
    before = pyradiomics.handler.level, pyradiomics.logger.level
    words = (*IMAGE, "--log-file", "log.txt", "--logging-level", "INFO", "-v", "1")
    printed(capsys, *words)
    printed(capsys, *words, "-s", "label:8", code=1)
    log = (folder / "log.txt").read_text().splitlines()
    assert [line.split("] ")[1][:1] for line in log] == ["I", "I", "E", "E"]
    assert "radiomics.script: Case 1 processed in" in log[0]
    assert (pyradiomics.handler.level, pyradiomics.logger.level) == before
    assert len(logging.getLogger("radiomics").handlers) == 1


@pytest.mark.parametrize(
    "words",
    [
        [*IMAGE, "--format", "xlsx"],
        [*IMAGE, "--mode", "slice"],
        [*IMAGE, "--jobs", "0"],
        [*IMAGE, "--verbosity", "6"],
        [],
    ],
)
def test_wrong_words_end_with_code_2(words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2


def test_it_is_run_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "centrum.pyradiomics", "--version"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ,
    )
    assert done.stdout.split() == ["python", "-m", "centrum.pyradiomics", pyradiomics.__version__]
