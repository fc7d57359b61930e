"""Images and masks of a case, read as the protocol's `images` says."""

from centrum.io import read_image, read_mask
from centrum.prepare.image import fill_missing
from centrum.protocol import Images
from centrum.volume import Mask, Volume


def image_of(source: str, how: Images, first: Volume | None = None) -> Volume:
    """The image of a case, or a further sequence beside the `first`; see `read_image`."""
    beside = first.geometry if first else None
    return read_image(source, orientation=how.orientation, beside=beside)


def shown_image(source: str, how: Images) -> Volume:
    """The image of a case as pictures show it, voxels without a value as background."""
    return fill_missing(image_of(source, how))


def mask_of(source: str, volume: Volume, how: Images) -> Mask:
    """A reader's mask on the grid of its image; see `centrum.io.read_mask`."""
    return read_mask(
        source,
        volume.geometry,
        tolerance_mm=how.grid_tolerance_mm,
        on_mismatch=how.on_grid_mismatch,
        orientation=how.orientation,
    )
