"""Models of 0.2, whose features this version may measure otherwise."""

import json
from typing import Any

import pytest

from centrum.errors import DataError
from centrum.features.feature_id import FeatureId
from centrum.features.settings import ExtractionSettings
from centrum.frozen.model import FrozenModel
from centrum.frozen.moved import refuse_moved
from centrum.measure.extract import plan
from centrum.records import as_json
from tests.frozen.test_model_file import model, rehashed

LETTERS = {"filter": "wavelet", "wavelet": "db2"}
BY_UNIT = {"ivh": {"method": "none"}, "families": ["ivh"]}


def settings(**chosen: Any) -> ExtractionSettings:
    return ExtractionSettings(**{"families": ["statistics"], **chosen})


def moved(chosen: ExtractionSettings, version: str = "0.2.3") -> list[FeatureId]:
    """Features that the message names, of all that these settings give."""
    features = list(plan(chosen))
    try:
        refuse_moved(features, chosen, version)
    except DataError as error:
        return [f for f in features if f.spell(chosen.dialect) in error.message]
    return []


def test_a_range_moves_the_intensity_volume_histogram() -> None:
    ranged = settings(**BY_UNIT, resegmentation={"lower": 0})
    assert moved(ranged) == list(plan(ranged))
    assert moved(settings(**BY_UNIT)) == []
    assert moved(settings(families=["ivh"], resegmentation={"lower": 0})) == [], "by number"


@pytest.mark.parametrize("pooled", [{}, {"pooling": "average"}])
def test_directions_of_filters_go_by_the_patient(pooled: dict[str, str]) -> None:
    directed = settings(filters=[{**LETTERS, **pooled}, {"filter": "log", "sigma": 2}])
    assert {f.image for f in moved(directed)} == {*directed.filters[0].names}


@pytest.mark.parametrize(
    ("interpolation", "all_moved"),
    [
        ({"isotropic": 1}, False),
        ({"isotropic": 1, "mask": "nearest"}, True),
        ({"spacing": [1, 1, 1]}, False),
        ({"spacing": [1, 1, 3]}, True),
    ],
)
def test_ties_and_sides_go_by_the_patient(interpolation: dict[str, Any], all_moved: bool) -> None:
    chosen = settings(interpolation=interpolation)
    assert moved(chosen) == (list(plan(chosen)) if all_moved else [])


def test_pairs_counted_one_way_go_by_the_patient() -> None:
    chosen = settings(families=["glcm", "glrlm"], symmetric=False)
    assert {f.family for f in moved(chosen)} == {"glcm"}
    assert moved(settings(families=["glcm", "glrlm"])) == []


def test_maximal_correlation_moved_and_its_siblings_did_not() -> None:
    chosen = ExtractionSettings(dialect="pyradiomics", families=["glcm"])
    assert [f.spell("pyradiomics") for f in moved(chosen)] == ["original_glcm_MCC"]


def test_a_model_of_this_version_is_never_refused() -> None:
    assert moved(settings(filters=[LETTERS]), "0.3.0") == []


@pytest.mark.parametrize(("version", "boundary"), [("0.2.2", "nearest"), ("0.3.0", "mirror")])
def test_a_spline_goes_on_beyond_the_image_as_it_did(version: str, boundary: str) -> None:
    """The file of 0.2 has no boundary: there was but one."""
    record = model("plain").to_dict()
    record["provenance"]["versions"]["centrum"] = version
    record["protocol"]["extraction"]["interpolation"] = {"isotropic": 1.0, "image": "cubic"}
    read = FrozenModel.from_dict(rehashed(record, seal=True))
    interpolation = read.protocol.extraction.interpolation
    assert interpolation is not None
    assert interpolation.boundary == boundary
    again = FrozenModel.from_dict(read.to_dict())
    assert again.protocol == read.protocol


def test_a_file_with_features_that_moved_is_refused() -> None:
    record = model("forest").to_dict()
    (feature,) = plan(settings(**BY_UNIT))[:1]
    k = next(k for k, known in enumerate(record["features"]) if known)
    old, new = record["scorer"]["features"][k], feature.spell("ibsi")
    record["features"][k] = as_json(feature)
    record["protocol"]["extraction"] |= {"resegmentation": {"lower": 0}, "ivh": {"method": "none"}}
    renamed = json.loads(json.dumps(record).replace(json.dumps(old), json.dumps(new)))
    with pytest.raises(DataError, match=rf"version 0\.2\.2, .* otherwise: {new} \(the intensity"):
        FrozenModel.from_dict(rehashed(renamed, seal=True))


def test_the_prevalence_of_the_cost_rule_stands_elsewhere_since() -> None:
    """It was a key of `evaluation.cutoff`, None included, in all models of before."""
    for share in (None, 0.2):
        record = model("plain").to_dict()
        evaluation = record["protocol"]["evaluation"]
        del evaluation["prevalence"]
        evaluation["cutoff"]["prevalence"] = share
        read = FrozenModel.from_dict(rehashed(record, seal=True))
        assert read.protocol.evaluation.prevalence == share
