"""Images and masks are read as the protocol says, and once."""

from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

from centrum.geometry import Geometry
from centrum.measure import images as module
from centrum.measure.images import CaseImages, shown_image
from centrum.protocol import Images
from centrum.volume import Mask, Volume

GRID = Geometry((4, 4, 2), (1.0, 1.0, 4.0))
IMAGE, MASK = Volume(np.ones(GRID.shape), GRID), Mask(np.ones(GRID.shape, bool), GRID)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> dict[str, Mock]:
    """What reads images and masks, which remember how they were asked."""
    made = {"read_image": Mock(return_value=IMAGE), "read_mask": Mock(return_value=MASK)}
    for name, mock in made.items():
        monkeypatch.setattr(module, name, mock)
    return made


def test_each_file_is_read_once_and_as_the_protocol_says(read: dict[str, Mock]) -> None:
    chosen: dict[str, Any] = {
        "orientation": "RAS", "grid_tolerance_mm": 0.25, "on_grid_mismatch": "resample",
    }  # fmt: skip
    case = CaseImages(Images.model_construct(**chosen))
    for _ in range(2):
        assert case.image("a.nii") is IMAGE
        assert case.image("b.nii", IMAGE) is IMAGE
        assert case.mask("m.nii#L1", IMAGE) is case.mask("m.nii#L2", IMAGE) is MASK
    first, further = read["read_image"].call_args_list
    assert (first.args, first.kwargs) == (("a.nii",), {"orientation": "RAS", "beside": None})
    assert further.kwargs["beside"] is GRID
    assert [call.args for call in read["read_mask"].call_args_list] == [
        ("m.nii#L1", IMAGE), ("m.nii#L2", IMAGE),
    ]  # fmt: skip
    wanted = {"tolerance_mm": 0.25, "on_mismatch": "resample", "orientation": "RAS"}
    assert read["read_mask"].call_args.kwargs == wanted


def test_another_case_has_files_of_its_own(read: dict[str, Mock]) -> None:
    for _ in range(2):
        CaseImages(Images()).image("a.nii")
    assert read["read_image"].call_count == 2


def test_voxels_without_a_value_are_shown_as_background(read: dict[str, Mock]) -> None:
    array = np.full(GRID.shape, 3.0)
    array[0, 0, 0] = np.nan
    read["read_image"].return_value = Volume(array, GRID)
    assert np.isfinite(shown_image("a.nii", Images()).array).all()
