"""Images of simulated patients."""

from dataclasses import replace

import numpy as np
import pytest

from centrum.simulate import PhantomSettings, plan_cohort, render
from centrum.simulate.acquisition import CENTRES, VoxelGrid, build_grid, image_grid, smoothed
from centrum.simulate.render import POSE, Scene, build_scene
from tests.simulate.conftest import SETTINGS, Drawn


def test_same_seed_same_voxels(drawn: list[Drawn]) -> None:
    patient, image, truth, _ = drawn[0]
    again, mask = render(patient, SETTINGS)
    np.testing.assert_array_equal(again.array, image.array)
    np.testing.assert_array_equal(mask.array, truth.array)
    assert again.geometry == image.geometry


def test_a_patient_does_not_depend_on_the_others(drawn: list[Drawn]) -> None:
    patients = plan_cohort(SETTINGS)
    later, _ = render(patients[2], SETTINGS)
    np.testing.assert_array_equal(later.array, drawn[2][1].array)


def test_sagittal_series_of_the_protocol(drawn: list[Drawn]) -> None:
    for patient, image, _, _ in drawn:
        protocol = patient.protocol(SETTINGS)
        pixel, row, slices = image.geometry.spacing
        assert (pixel, row) == (protocol.pixel_mm, protocol.pixel_mm)
        assert slices == pytest.approx(protocol.thickness_mm + protocol.gap_mm)
        axes = image.geometry.axes
        # columns run to the back (+y), rows to the feet (-z), slices to the right (-x)
        assert min(axes[1, 0], -axes[2, 1], -axes[0, 2]) > np.cos(np.deg2rad(12))
        assert np.linalg.det(axes) == pytest.approx(1)


@pytest.fixture(scope="module")
def built(drawn: list[Drawn]) -> tuple[Scene, VoxelGrid]:
    """The tissue of a patient, and the grid that it is built on."""
    patient = drawn[0][0]
    protocol = patient.protocol(SETTINGS)
    grid = build_grid(image_grid(protocol, SETTINGS.field_mm, 0.0))
    rng = patient.generator(SETTINGS, POSE)
    return build_scene(patient, grid, protocol.sequence, rng), grid


def test_tissue_is_in_single_precision(built: tuple[Scene, VoxelGrid]) -> None:
    """Double precision shows nothing that noise does not hide, and takes twice as long."""
    scene, _ = built
    assert (scene.tissue.dtype, scene.broken.dtype) == (np.float32, np.float32)


def test_fat_under_the_skin_goes_on_for_two_planes_of_the_build(
    built: tuple[Scene, VoxelGrid],
) -> None:
    scene, grid = built
    body, back = scene.habitus, grid.back[None, :]
    fat = (back > body.fascia[:, None] + 2) & (back < body.skin[:, None] - 4)
    first, second, third, fourth = (plane[fat] for plane in scene.tissue[:4])
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(third, fourth)
    assert np.abs(first - third).max() > 0.1 * first.mean()


def test_gap_is_part_of_the_spacing_of_centre_a() -> None:
    settings = PhantomSettings()
    pitches = {p.level.region: p.protocol(settings).pitch_mm for p in plan_cohort(settings)}
    assert {k: round(v, 2) for k, v in pitches.items()} == {
        "cervical": 3.3,
        "thoracic": 3.3,
        "lumbar": 4.4,
    }


def test_body_lies_inside_the_image(drawn: list[Drawn]) -> None:
    for patient, image, truth, _ in drawn:
        assert truth.name == patient.level.name
        assert truth.geometry == image.geometry
        used = np.argwhere(truth.array)
        assert (used.min(axis=0)[1:] > 3).all()
        assert (used.max(axis=0)[1:] < np.array(truth.array.shape[1:]) - 4).all()


def test_intensities(drawn: list[Drawn]) -> None:
    for _, image, truth, _ in drawn:
        marrow = np.median(image.array[truth.array])
        dark = np.percentile(image.array, 1)
        assert image.array.dtype == np.int16
        assert image.array.min() >= 0
        assert 0 <= dark < 0.25 * marrow
        assert np.percentile(image.array, 99.5) > 1.3 * marrow


def test_centre_b_is_another_scanner() -> None:
    """It images the same patients."""
    other = replace(SETTINGS, centre="B")
    patient = plan_cohort(other)[0]
    assert patient == plan_cohort(SETTINGS)[0]
    image, mask = render(patient, other)
    assert image.geometry.spacing != render(patient, SETTINGS)[0].geometry.spacing
    assert mask.array.any()


def test_centre_b_smooths_image_and_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    settings, centre = replace(SETTINGS, centre="B"), CENTRES["B"]
    patient = plan_cohort(settings)[0]
    image, _ = render(patient, settings)
    monkeypatch.setitem(CENTRES, "B", replace(centre, smoothing_mm=0.0))
    noisy, _ = render(patient, settings)
    pixel_mm = image.geometry.spacing[0]
    expected = smoothed(noisy.array.astype(np.float32), centre.smoothing_mm, pixel_mm)
    np.testing.assert_allclose(image.array, expected, atol=1.0)  # both are stored as whole numbers
