"""Nothing is learnt from permuted outcomes, under every design and preset."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

_SOURCE = Path(__file__).parents[1] / "benchmarks" / "permuted.py"
_SPEC = importlib.util.spec_from_file_location("permuted", _SOURCE)
assert _SPEC is not None
assert _SPEC.loader is not None
permuted = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(permuted)


def test_every_advertised_design_is_tried() -> None:
    from centrum.modelling.settings import Design

    assert set(permuted.DESIGNS) == set(Design.__args__)


@pytest.mark.slow
@pytest.mark.parametrize("cell", [*permuted.cells(), *permuted.SPARSE], ids=" ".join)
def test_permuted_outcomes_give_half(cell: tuple[str, str]) -> None:
    areas = permuted.permuted(cell)
    assert len(areas) == permuted.PERMUTATIONS
    assert abs(permuted.errors(areas)) <= permuted.ERRORS


@pytest.mark.slow
@pytest.mark.parametrize("preset", permuted.PRESETS)
def test_nothing_is_learnt_beside_the_score(preset: str) -> None:
    """By age and sex, with them, by another reader's regions, in refits."""
    for name, areas in permuted.beside(preset).items():
        assert len(areas) == permuted.PERMUTATIONS
        assert abs(permuted.errors(areas)) <= permuted.ERRORS, name


@pytest.mark.slow
@pytest.mark.parametrize("harmonised", ["", permuted.HARMONISED])
@pytest.mark.parametrize("name", permuted.COMBINED_DESIGNS)
def test_nothing_is_learnt_by_the_combined_model(name: str, harmonised: str) -> None:
    areas = permuted.together(f"{name}{harmonised}")
    assert len(areas) == permuted.PERMUTATIONS >= 100
    assert abs(permuted.errors(areas)) <= permuted.ERRORS


@pytest.mark.slow
@pytest.mark.parametrize("leak", ["apparent", "selection_before_split", "copies_on_both_sides"])
def test_a_leak_that_is_switched_on_shows_its_rise(leak: str) -> None:
    assert np.mean(permuted.leaked(leak)) > 0.56
