"""Undecimated wavelets, against the stationary transform of PyWavelets."""

import numpy as np
import pytest
import pywt
from pydantic import ValidationError

from centrum.filters import View
from centrum.filters.wavelet import Wavelet, low_and_high_pass

MM = (4.0, 0.6, 0.6)


def differs_by_a_shift(found: np.ndarray, wanted: np.ndarray) -> bool:
    return any(np.allclose(np.roll(found, k), wanted, atol=1e-10) for k in range(len(found)))


@pytest.mark.parametrize("wavelet", ["haar", "db2", "db3", "coif1", "sym5", "bior2.2", "rbio3.1"])
@pytest.mark.parametrize("level", [1, 2, 3])
def test_is_the_stationary_transform(wavelet: str, level: int) -> None:
    """Along x of rows that repeat themselves; PyWavelets leaves its origin elsewhere."""
    row = np.random.default_rng(0).normal(size=64)
    image = np.tile(row, (1, 64, 1))
    chosen = Wavelet(
        wavelet=wavelet, levels=(level,), bands=("HL",), dimension="2D", boundary="periodic"
    )
    (found,) = chosen.responses(View.whole(image, MM))
    (_, detail), *_ = pywt.swt(row, wavelet, level)
    gain = low_and_high_pass(wavelet, level)["L"].total
    assert differs_by_a_shift(found[0, 0] / gain, detail)


@pytest.mark.parametrize("wavelet", ["haar", "db4", "coif3", "sym6"])
def test_high_pass_ignores_a_constant(wavelet: str) -> None:
    image = np.full((4, 9, 9), 700.0)
    for name, found in zip(
        (chosen := Wavelet(wavelet=wavelet)).names,
        chosen.responses(View.whole(image, MM)),
        strict=True,
    ):
        band = name.split("-")[2]
        assert np.allclose(found, 700 * 2**1.5 if band == "LLL" else 0, atol=1e-6)


def test_all_bands_in_order() -> None:
    bands = [name.split("-")[2] for name in Wavelet().names]
    assert bands == ["LLL", "LLH", "LHL", "LHH", "HLL", "HLH", "HHL", "HHH"]


def test_pooled_bands_with_the_same_letters_are_one_map() -> None:
    image = np.random.default_rng(0).normal(size=(7, 8, 9))
    for pooling in ("average", "max", "min"):
        chosen = Wavelet(wavelet="db3", bands=("LLH", "LHL", "HLL"), pooling=pooling)
        first, second, third = chosen.responses(View.whole(image, MM))
        assert np.allclose(first, second, atol=1e-12)
        assert np.allclose(first, third, atol=1e-12)
    assert [n.split("-")[2] for n in Wavelet(pooling="max").names] == ["LLL", "LLH", "LHH", "HHH"]


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"wavelet": "db99"}, "no discrete wavelet 'db99'; PyWavelets has bior1.1"),
        ({"wavelet": "mexh"}, "no discrete wavelet 'mexh'"),
        ({"bands": ["LH"]}, r"bands of a 3D wavelet are all, or some of LLL LLH .*found \['LH'\]"),
        ({"bands": []}, "some of LLL"),
        ({"levels": []}, "at least 1 item"),
        ({"levels": [0]}, "greater than or equal to 1"),
    ],
)
def test_refuses_what_is_not_there(choices: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Wavelet.model_validate(choices)
