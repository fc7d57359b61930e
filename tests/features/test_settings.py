"""Settings that contradict each other are refused, with the way out."""

from typing import Any

import pytest
from pydantic import ValidationError

from centrum.features.settings import ExtractionSettings

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "two distances": ({"distances": (1, 2)}, "one distance, found .1, 2."),
    "weights of averages": ({"weighting": "euclidean", "aggregations": ("3D_averaged",)}, "merge"),
    "two spellings": (
        {"dialect": "pyradiomics", "aggregations": ("3D_averaged", "3D_merged")},
        "exactly one",
    ),
    "bins without a number": ({"discretisation": {"method": "fixed_bin_number"}}, "takes `bins`"),
    "no spacing": ({"interpolation": {"image": "linear"}}, "spacing"),
    "region by partial volume": (
        {
            "dialect": "pyradiomics",
            "aggregations": ("3D_averaged",),
            "interpolation": {"spacing": (1, 1, None)},
        },
        "mask: nearest",
    ),
    "unknown family": ({"families": ("gldm",)}, "ngldm"),
}


@pytest.mark.parametrize(("choices", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(choices: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ExtractionSettings.model_validate(choices)


def test_pyradiomics_takes_several_distances_and_weights() -> None:
    found = ExtractionSettings(
        dialect="pyradiomics", distances=(1, 2), weighting="manhattan", aggregations=("3D_merged",)
    )
    assert found.distances == (1, 2)
