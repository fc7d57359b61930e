"""The verb `map`: what is written of one case, of a study or by a frozen model."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from centrum.commands.maps import by_weight, map_case, map_files
from centrum.commands.study import open_study
from centrum.errors import CentrumError
from centrum.frozen.classifiers import Linear
from centrum.frozen.model import read_model
from centrum.frozen.score import Patient
from centrum.frozen.scorer import Branch, Member, Scorer
from centrum.io import read_image
from centrum.measure.case import first_parts
from centrum.measure.maps import feature_maps, why_not_mapped
from centrum.measure.region import Region
from centrum.report.maps import LEADING
from centrum.report.style import COLUMN_CM, PNG_DPI
from centrum.study.study import Study
from tests.studies import frozen_study

MEDIAN, ENTROPY = "original_statistics_median", "original_glcm_joint_entropy_FBN8_2.5D_merged"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return open_study(frozen_study(tmp_path_factory.mktemp("maps") / "study"))


def test_images_and_pictures_of_a_case(study: Study, tmp_path: Path) -> None:
    """The image holds the map, where the region lies; the picture fits into a column."""
    written = map_case(study, "P003", tmp_path, [ENTROPY, MEDIAN], window_mm=6)
    assert [w.feature for w in written] == [ENTROPY, MEDIAN]
    (part,) = first_parts(next(job for job in study.jobs() if job.case == "P003"))
    wanted = {f.spell("ibsi"): f for f in study.features}
    region = Region(part.image, part.region, part.settings)
    maps = feature_maps(region, [wanted[ENTROPY], wanted[MEDIAN]], 6)
    for each, made in zip(written, maps, strict=True):
        image = read_image(each.image)
        np.testing.assert_array_equal(image.array, made.volume.array.astype(np.float32))
        assert image.geometry.same_grid(made.volume.geometry)
        assert (each.case, each.reader, each.window) == ("P003", "senior", made.window.text)
        assert (each.lowest, each.highest) == (
            np.nanmin(made.volume.array), np.nanmax(made.volume.array),
        )  # fmt: skip
        assert Path(each.image).name == f"P003_{each.feature}.nii.gz"
        width, height = Image.open(each.picture).size
        assert width == pytest.approx(COLUMN_CM / 2.54 * PNG_DPI, abs=1)
        assert 0.7 * width < height < 1.1 * width
    assert len([*tmp_path.iterdir()]) == 4


def test_the_region_of_another_reader(study: Study, tmp_path: Path) -> None:
    found = [
        map_case(study, "P003", tmp_path / reader, [MEDIAN], reader=reader, window_mm=6)[0]
        for reader in ("senior", "resident")
    ]
    senior, resident = (np.isfinite(read_image(each.image).array).sum() for each in found)
    assert resident > senior  # whose outlines are smaller
    assert [each.reader for each in found] == ["senior", "resident"]


def test_without_names_the_leading_features_are_mapped(study: Study, tmp_path: Path) -> None:
    """Of a study and of its frozen model the same, with the same values."""
    of_study = map_case(study, "P003", tmp_path / "study", window_mm=5)
    model = read_model(study.results / "model.json")
    known = dict(zip(model.scorer.features, model.features, strict=True))
    ordered = [known[name] for name in by_weight(model.scorer)]
    leading = [f.spell("ibsi") for f in ordered if f and not why_not_mapped(f)][:LEADING]
    assert leading
    assert [w.feature for w in of_study] == leading
    image, mask = (study.folder / f"{kind}.nrrd" for kind in ("images/P003", "masks/P003_senior"))
    patient = Patient("new", str(image), str(mask))
    of_model = map_files(model, patient, tmp_path / "model", window_mm=5)
    assert [w.feature for w in of_model] == leading
    for a, b in zip(of_study, of_model, strict=True):
        np.testing.assert_array_equal(read_image(a.image).array, read_image(b.image).array)
        assert Path(b.picture).name == f"new_{b.feature}.png"


def test_features_by_weight() -> None:
    """Of all branches together, whichever of their features they keep."""
    ones = np.ones(2)
    first = Member(np.arange(2), 0.5, Linear(np.array([-4.0, 1.0]), 0.0))
    second = Member(np.arange(2), 1.0, Linear(np.array([3.0, -1.5]), 0.0))
    branches = (
        Branch(np.array([0, 1, 3]), None, np.array([0, 2]), None, ones, ones, None, (first,)),
        Branch(np.array([2, 1]), None, np.arange(2), None, ones, ones, None, (second,)),
    )
    assert by_weight(Scorer(("a", "b", "c", "d"), 0.0, branches)) == ["c", "a", "b", "d"]


@pytest.mark.parametrize(
    ("case", "features", "reader", "message"),
    [
        ("P0003", [], None, "no case of that name; did you mean P003?"),
        ("P003", ["original_glcm_joint_entropie_FBN8_2.5D_merged"], None, f"mean {ENTROPY}"),
        ("P003", [MEDIAN], "third", "no mask of third. There are masks of senior, resident"),
        ("P003", ["original_morphology_surface_area"], None, "about the shape of the region"),
    ],
)
def test_what_is_not_there_is_told(
    study: Study, tmp_path: Path, case: str, features: list[str], reader: str, message: str
) -> None:
    with pytest.raises(CentrumError) as told:
        map_case(study, case, tmp_path / "none", features, reader=reader, window_mm=5)
    assert message in f"{told.value} {told.value.remedy}"
    assert not (tmp_path / "none").exists()
