"""Bands against PyWavelets on the whole image, which is what PyRadiomics calls."""

import numpy as np
import pytest
import pywt
from pydantic import ValidationError

from centrum.filters import FILTERS, View
from centrum.filters.pyradiomics_wavelet import PeriodicWavelet

SPACING = (4.4, 0.6, 0.7)
IMAGE = np.random.default_rng(3).integers(0, 1000, size=(15, 36, 41)).astype(np.int16)
BOXES = (
    (slice(0, 15), slice(0, 36), slice(0, 41)),
    (slice(6, 8), slice(10, 30), slice(20, 31)),
    (slice(0, 1), slice(30, 36), slice(40, 41)),
)


def by_pywavelets(
    image: np.ndarray, axes: tuple[int, ...], wavelet: str, level: int, start_level: int
) -> dict[str, np.ndarray]:
    """Names and bands of the whole image, in PyRadiomics' order."""
    data = np.pad(image, [(0, n % 2) for n in image.shape], "wrap")
    inside = tuple(slice(0, n) for n in image.shape)
    low = "a" * len(axes)
    found = {}
    for done in range(start_level + level):
        bands = pywt.swtn(data, wavelet, level=1, start_level=0, axes=axes)[0]
        data = bands.pop(low)
        number = done - start_level + 1
        prefix = "wavelet-" if number == 1 else f"wavelet{number}-"
        if number >= 1:
            for letters, band in bands.items():
                found[prefix + letters.replace("a", "L").replace("d", "H")] = band[inside]
    return found | {prefix + "L" * len(axes): data[inside]}


@pytest.mark.parametrize("box", BOXES)
@pytest.mark.parametrize("wavelet", ["haar", "coif1", "db4", "bior1.3", "rbio3.1", "dmey"])
@pytest.mark.parametrize(("level", "start_level"), [(1, 0), (2, 0), (1, 2), (3, 1)])
def test_bands_equal_those_of_the_whole_image(
    box: tuple[slice, slice, slice], wavelet: str, level: int, start_level: int
) -> None:
    theirs = by_pywavelets(IMAGE, (2, 1, 0), wavelet, level, start_level)
    ours = PeriodicWavelet(wavelet=wavelet, level=level, start_level=start_level)
    assert ours.names == tuple(theirs)
    bands = ours.respond(View(IMAGE, box, SPACING))
    for band, expected in zip(bands, theirs.values(), strict=True):
        assert np.abs(band - expected[box]).max() <= 1e-12 * np.abs(expected).max()


@pytest.mark.parametrize("wavelet", ["coif1", "bior1.3", "db4", "sym5"])
def test_rounding_is_that_of_pywavelets(wavelet: str) -> None:
    """On flat ground a band is rounding, whose sign decides between two bins.

    PyWavelets sums in another order where a filter reaches over the far end of an axis.
    """
    image = (IMAGE // 500 * 100).astype(np.int16)
    box = (slice(0, 9), slice(0, 30), slice(5, 35))
    theirs = by_pywavelets(image, (2, 1, 0), wavelet, 1, 0)
    bands = PeriodicWavelet(wavelet=wavelet).respond(View(image, box, SPACING))
    for band, expected in zip(bands, theirs.values(), strict=True):
        assert np.array_equal(band, expected[box])


@pytest.mark.parametrize(("axis", "axes"), [(0, (2, 1)), (1, (2, 0)), (2, (1, 0))])
def test_in_slices_it_leaves_out_an_axis(axis: int, axes: tuple[int, int]) -> None:
    theirs = by_pywavelets(IMAGE, axes, "coif1", 2, 0)
    ours = PeriodicWavelet(dimension="2D", level=2)
    assert ours.names == tuple(theirs)
    for box in BOXES:
        bands = ours.responses(View(IMAGE, box, SPACING, slice_axis=axis))
        for band, expected in zip(bands, theirs.values(), strict=True):
            assert np.abs(band - expected[box]).max() <= 1e-12 * np.abs(expected).max()


def test_number_types_are_those_of_pywavelets() -> None:
    view = View.whole(IMAGE.astype(np.float32), SPACING)
    theirs = by_pywavelets(view.array, (2, 1, 0), "coif1", 1, 0)
    for band, expected in zip(PeriodicWavelet().respond(view), theirs.values(), strict=True):
        assert band.dtype == expected.dtype == np.float32
        assert np.abs(band - expected).max() <= 1e-6 * np.abs(expected).max()
    whole = View.whole(IMAGE, SPACING)
    assert {band.dtype for band in PeriodicWavelet().respond(whole)} == {np.dtype(np.float64)}


def test_choices() -> None:
    assert FILTERS["Wavelet"] is PeriodicWavelet
    assert PeriodicWavelet().reach(SPACING) == (None, None, None)
    assert PeriodicWavelet(dimension="2D").reach(SPACING) == (0, None, None)
    for wrong in ({"wavelet": "coif0"}, {"wavelet": "morl"}, {"level": 0}, {"start_level": -1}):
        with pytest.raises(ValidationError):
            PeriodicWavelet.model_validate(wrong)
