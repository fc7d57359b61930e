"""Filters as blocks of a protocol."""

import pytest
from pydantic import ValidationError

from centrum.features.settings import ExtractionSettings
from centrum.filters import Filter
from centrum.measure.extract import plan

from .test_every_filter import examples


def with_filters(*filters: object, dialect: str = "ibsi") -> ExtractionSettings:
    return ExtractionSettings.model_validate(
        {"dialect": dialect, "aggregations": ["3D_averaged"], "filters": filters}
    )


@pytest.mark.parametrize("chosen", list(examples()), ids=lambda f: " ".join(f.names[:1]))
def test_choices_survive_the_protocol(chosen: Filter) -> None:
    """Equal settings are equal as keys, and as the JSON that digests are taken of."""
    settings = with_filters(chosen, dialect=chosen.dialect)
    written = settings.model_dump(mode="json")
    again = ExtractionSettings.model_validate(written)
    assert (again, hash(again), again.model_dump(mode="json")) == (
        settings,
        hash(settings),
        written,
    )
    assert written["filters"][0]["filter"] == chosen.filter
    assert {f.image for f in plan(again)} == {"original", *chosen.names}


def test_other_choices_are_another_digest() -> None:
    one, other = ({"filter": "log", "sigma": sigma} for sigma in (1.5, 2))
    assert with_filters(one).model_dump(mode="json") != with_filters(other).model_dump(mode="json")


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ([{"filter": "lug", "sigma": 1}], "there is no filter 'lug'; there are"),
        ([{"sigma": 1}], "a filter is a block such as"),
        ([{"filter": "log", "sigma": -1}], "greater than"),
        ([{"filter": "log", "sigma": 1, "sigmas": 2}], "Extra inputs"),
        ([{"filter": "LoG", "sigma": [1]}], "the dialect ibsi has no filter LoG; it has"),
        ([{"filter": "log", "sigma": 1}] * 2, "make the same response map: log-1mm-3D"),
    ],
)
def test_wrong_blocks_are_told(filters: list[object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        with_filters(*filters)
