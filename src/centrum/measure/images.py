"""Images and masks of a case, read as the protocol's `images` says."""

from dataclasses import dataclass, field

from centrum.io import read_image, read_mask
from centrum.prepare.image import fill_missing
from centrum.protocol import Images
from centrum.volume import Mask, Volume


def image_of(source: str, images: Images, first: Volume | None = None) -> Volume:
    """The image of a case, or a further sequence beside the `first`; see `read_image`."""
    beside = first.geometry if first else None
    return read_image(source, orientation=images.orientation, beside=beside)


@dataclass(frozen=True)
class CaseImages:
    """Image and masks of one case, each of them read once, however often it is asked for."""

    images: Images
    _volumes: dict[str, Volume] = field(default_factory=dict, repr=False)
    _masks: dict[str, Mask] = field(default_factory=dict, repr=False)

    def image(self, source: str, first: Volume | None = None) -> Volume:
        """As `image_of`."""
        if source not in self._volumes:
            self._volumes[source] = image_of(source, self.images, first)
        return self._volumes[source]

    def mask(self, source: str, volume: Volume) -> Mask:
        """As `mask_of`; `volume` is the image on which the masks of the case were drawn."""
        if source not in self._masks:
            self._masks[source] = mask_of(source, volume, self.images)
        return self._masks[source]


def shown_image(source: str, images: Images) -> Volume:
    """The image of a case as pictures show it, voxels without a value as background."""
    return fill_missing(image_of(source, images))


def mask_of(source: str, volume: Volume, images: Images) -> Mask:
    """A reader's mask on the grid of its image; see `centrum.io.read_mask`."""
    return read_mask(
        source,
        volume,
        tolerance_mm=images.grid_tolerance_mm,
        on_mismatch=images.on_grid_mismatch,
        orientation=images.orientation,
    )
