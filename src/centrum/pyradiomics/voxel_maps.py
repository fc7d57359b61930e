"""Maps: the features of the neighbourhood of every voxel of the region (voxelBased)."""

from collections.abc import Iterable, Iterator, Mapping

import SimpleITK as sitk

from centrum.pyradiomics.errors import NotAvailable
from centrum.pyradiomics.regions import Region
from centrum.pyradiomics.settings import Settings


def feature_maps(
    region: Region, dimension: int, settings: Settings, wanted: Mapping[str, Iterable[str] | None]
) -> Iterator[tuple[str, sitk.Image]]:
    """(class_Feature, map) of the features `wanted` of each class."""
    raise NotAvailable("Maps of features (voxelBased) are not available yet.")
