"""Images and masks of a case, read as the protocol's `images` says."""

from centrum.io import read_image, read_mask
from centrum.prepare.image import fill_missing
from centrum.protocol import Images
from centrum.volume import Mask, Volume


def image_of(source: str, images: Images, first: Volume | None = None) -> Volume:
    """The image of a case, or a further sequence beside the `first`; see `read_image`."""
    beside = first.geometry if first else None
    return read_image(source, orientation=images.orientation, beside=beside)


def shown_image(source: str, images: Images) -> Volume:
    """The image of a case as pictures show it, voxels without a value as background."""
    return fill_missing(image_of(source, images))


def mask_of(source: str, volume: Volume, images: Images) -> Mask:
    """A reader's mask on the grid of its image; see `centrum.io.read_mask`."""
    return read_mask(
        source,
        volume.geometry,
        tolerance_mm=images.grid_tolerance_mm,
        on_mismatch=images.on_grid_mismatch,
        orientation=images.orientation,
    )
