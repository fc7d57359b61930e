"""What may be chosen for the preparation, and what is chosen where nobody says anything."""

from typing import Any

import pytest
from pydantic import ValidationError

from centrum.prepare.regions import LargestPiece, Shell
from centrum.prepare.settings import (
    BiasField,
    Nyul,
    Percentiles,
    Preparation,
    ReferenceTissue,
    ZScore,
)
from centrum.settings import Settings

LIMITS: list[tuple[type[Settings], str, tuple[Any, ...], tuple[Any, ...]]] = [
    (BiasField, "shrink_factor", (1, 16), (0, 17)),
    (BiasField, "iterations", ((1,), (10_000,) * 10), ((), (0,), (10_001,), (1,) * 11)),
    (BiasField, "convergence", (1e-9, 0.999), (0, 1)),
    (Percentiles, "lower", (0, 98.9), (-0.1, 99)),
    (Percentiles, "upper", (1.1, 100), (1, 100.1)),
    (Percentiles, "range", ((0, 1e-6), (-1e12, 1e12)), ((1, 1), (2, 1), (-1.1e12, 0))),
    (Nyul, "percentiles", ((0, 100), (1, 2, 3)), ((1,), (1, 1), (2, 1), (-0.1, 1), (1, 100.1))),
    (Nyul, "range", ((0, 1e-6),), ((1, 1), (2, 1))),
    (Nyul, "landmarks", (tuple(range(11)),), (tuple(range(10)), tuple(range(12)), (1,) * 11)),
    (ReferenceTissue, "min_voxels", (1, 10**9), (0, 10**9 + 1)),
    (ReferenceTissue, "segments", (("a",),), ((),)),
    (LargestPiece, "connectivity", (6, 18, 26), (5, 7, 19, 27)),
]


@pytest.mark.parametrize(("kind", "name", "taken", "refused"), LIMITS)
def test_a_choice_is_taken_up_to_its_limits(
    kind: type[Settings], name: str, taken: tuple[Any, ...], refused: tuple[Any, ...]
) -> None:
    for value in taken:
        assert getattr(kind(**{name: value}), name) == value
    for value in refused:
        with pytest.raises(ValidationError):
            kind(**{name: value})


@pytest.mark.parametrize("limits", [(-1000, 1000), (0, 0.001)])
def test_a_shell_has_two_limits_that_differ(limits: tuple[float, float]) -> None:
    inner, outer = limits
    shell = Shell(from_mm=inner, to_mm=outer)
    assert (shell.from_mm, shell.to_mm) == limits
    for wrong in ((inner, inner), (outer, inner), (-1000.5, outer), (inner, 1000.5)):
        with pytest.raises(ValidationError):
            Shell(from_mm=wrong[0], to_mm=wrong[1])


def test_nothing_is_prepared_unless_it_is_said() -> None:
    assert Preparation().model_dump() == {
        "subtract_air": False, "bias_field": None, "normalisation": {"method": "none"},
        "region": (),
    }  # fmt: skip
    assert Preparation(subtract_air=True).active


def test_landmarks_are_the_deciles_between_the_ends() -> None:
    """As Nyul, Udupa and Zhang have them (IEEE Trans Med Imaging 2000;19:143)."""
    assert Nyul().percentiles == (1, *range(10, 100, 10), 99)
    assert Nyul().range == Percentiles().range == (0, 100)
    assert (Percentiles().lower, Percentiles().upper, Percentiles().clip) == (1, 99, True)


def test_one_sd_becomes_one_and_a_reference_a_hundred() -> None:
    assert ZScore().scale == 1
    tissue = ReferenceTissue()
    assert (tissue.scale, tissue.statistic, tissue.min_voxels) == (100, "mean", 50)


def test_the_field_has_three_levels() -> None:
    """A fourth follows the spinal canal, docs/concepts/preparation.md."""
    field = BiasField()
    assert (field.iterations, field.convergence) == ((50, 50, 50), 0.001)
    assert (field.shrink_factor, field.mask) == (8, "body")


def test_what_readers_decide_is_regions_and_a_tissue() -> None:
    region = ({"operation": "erode", "mm": 1},)
    whole = {"subtract_air": True, "bias_field": {}, "region": region}
    tissue = {"method": "reference_tissue"}
    found = Preparation(**whole, normalisation=tissue).by_reader  # type: ignore[arg-type]
    assert found == Preparation(normalisation=tissue, region=region)  # type: ignore[arg-type]
    found = Preparation(**whole, normalisation={"method": "z_score"}).by_reader  # type: ignore[arg-type]
    assert found == Preparation(region=region)  # type: ignore[arg-type]
