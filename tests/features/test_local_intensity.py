"""Local intensity peaks against the consensus of the IBSI."""

from pathlib import Path

import numpy as np
import pytest

from centrum.errors import DataError
from centrum.features.local_intensity import Surroundings, global_peak, local_peak
from centrum.volume import bounding_box
from tests.features.regions import ct_phantom, ibsi_values
from tests.reference import digital_phantom


def test_digital_phantom() -> None:
    """Most teams' exact values: 2.6 and 3.1 in section 5.1 of the manual."""
    inside, spacing = digital_phantom.mask().array, digital_phantom.GRID.spacing
    box = bounding_box(inside)
    n = Surroundings.around(digital_phantom.IMAGE, box, inside[box], spacing)
    assert local_peak(n) == pytest.approx(2.6, rel=1e-6)
    assert global_peak(n) == pytest.approx(90 / 29)


def test_ct_phantom_configuration_a(reference: Path) -> None:
    region = ct_phantom(reference)
    kept = region.inside & (region.image >= -500) & (region.image <= 400)
    box = bounding_box(region.inside)
    n = Surroundings.around(region.image, box, kept[box], region.spacing)
    rows = ibsi_values(reference, "config_A")
    assert local_peak(n) == pytest.approx(float(rows["loc_peak_loc"]["team_value"]))
    assert global_peak(n) == pytest.approx(float(rows["loc_peak_glob"]["team_value"]))


def test_the_box_and_its_surroundings_are_enough() -> None:
    rng = np.random.default_rng(4)
    image = rng.integers(0, 900, (12, 40, 50))
    inside = np.zeros(image.shape, dtype=bool)
    inside[5:8, 15:22, 0:30] = rng.random((3, 7, 30)) < 0.6
    spacing = (0.7, 0.6, 4.4)
    box = bounding_box(inside)
    near = Surroundings.around(image, box, inside[box], spacing)
    assert near.image.shape == (5, 27, 38)
    np.testing.assert_array_equal(near.peaks, Surroundings(image, inside, spacing).peaks)


def test_of_several_maxima_the_highest_peak_counts() -> None:
    image = np.zeros((1, 1, 60))
    image[0, 0, [5, 50]] = 9
    image[0, 0, 51] = 3
    n = Surroundings(image, np.ones(image.shape, dtype=bool), (1, 5, 5))
    assert local_peak(n) == pytest.approx(12 / 13)


def test_surroundings_that_are_not_finite_are_refused() -> None:
    image = np.ones((1, 1, 20))
    image[0, 0, 12] = np.nan
    kept = np.ones((1, 1, 2), dtype=bool)
    box = (slice(0, 1), slice(0, 1), slice(10, 12))
    with pytest.raises(DataError, match="1 of 4 voxels around the region"):
        Surroundings.around(image, box, kept, (5, 5, 5))
    far = Surroundings.around(image, (*box[:2], slice(2, 4)), kept, (5, 5, 5))
    assert global_peak(far) == 1
