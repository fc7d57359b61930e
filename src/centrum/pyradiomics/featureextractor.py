"""`RadiomicsFeatureExtractor`, with PyRadiomics' interface and results.

>>> extractor = RadiomicsFeatureExtractor(binWidth=5, additionalInfo=False)
>>> extractor.disableAllFeatures()
>>> extractor.enableFeaturesByName(firstorder=["Mean", "Maximum"])
>>> image = sitk.GetImageFromArray(np.arange(27.0).reshape(3, 3, 3))
>>> mask = sitk.GetImageFromArray(np.ones((3, 3, 3), np.uint8))
>>> {name: value.item() for name, value in extractor.execute(image, mask).items()}
{'original_firstorder_Mean': 13.0, 'original_firstorder_Maximum': 26.0}
"""

import logging
import os
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

import numpy as np
import SimpleITK as sitk

from centrum.arrays import Array, Floats
from centrum.pyradiomics import generalinfo, preparation
from centrum.pyradiomics.engine import measure, measure_images, measure_shape
from centrum.pyradiomics.feature_names import FEATURE_CLASSES, SHAPE_CLASSES, names_of
from centrum.pyradiomics.image_types import (
    FILTER_SETTINGS,
    IMAGE_TYPES,
    images,
    warn_of_cropping,
)
from centrum.pyradiomics.parameters import (
    Parameters,
    load_json,
    read_parameter_file,
    read_parameters,
)
from centrum.pyradiomics.regions import (
    MaskedImage,
    as_image,
    grown,
    joined,
    mask_of,
    open_image,
    scalar_labels,
    volume_of,
)
from centrum.pyradiomics.settings import NO_MEANING, Settings, defaults, read
from centrum.pyradiomics.voxel_maps import feature_maps
from centrum.volume import Volume

logger = logging.getLogger("radiomics.featureextractor")


class RadiomicsFeatureExtractor:
    """Features of an image and a mask.

    Parameters
    ----------
    args : path of a parameter file (YAML or JSON) or its content as a dictionary; else defaults
    kwargs : settings that override those; unknown ones are kept and do nothing, as in PyRadiomics

    Attributes
    ----------
    settings : by name, see `settings.TABLE`
    enabledImagetypes : settings of each image type to measure
    enabledFeatures : feature names by class; an empty list or None stands for all
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.featureClassNames = list(FEATURE_CLASSES)
        self.settings: dict[str, Any] = defaults()
        self.enabledImagetypes: dict[str, dict[str, Any]] = {"Original": {}}
        self.enabledFeatures: dict[str, list[str] | None] = {
            name: [] for name in FEATURE_CLASSES if name != "shape2D"
        }
        if len(args) == 1 and isinstance(args[0], dict):
            self._apply(read_parameters(args[0]))
        elif len(args) == 1 and isinstance(args[0], str | os.PathLike):
            self._apply(read_parameter_file(args[0]))
        self._override(kwargs)

    def _override(self, settings: dict[str, Any]) -> None:
        for name in NO_MEANING.keys() & settings.keys():
            logger.warning("The setting %s has no effect: %s.", name, NO_MEANING[name])
        self.settings.update(settings)
        if self.settings.get("binCount") is not None:
            logger.warning("Fixed bin count enabled; a fixed bin width compares better.")

    def _apply(self, parameters: Parameters) -> None:
        self.enabledImagetypes = parameters.image_types or {"Original": {}}
        self.enabledFeatures = parameters.features or {name: [] for name in FEATURE_CLASSES}
        self.settings = defaults() | parameters.settings

    def loadParams(self, paramsFile: str | os.PathLike[str]) -> None:
        """Replace settings, image types and features by those of a parameter file."""
        self._apply(read_parameter_file(paramsFile))

    def loadJSONParams(self, JSON_configuration: str) -> None:
        """The same from a JSON text."""
        self._apply(read_parameters(load_json(JSON_configuration)))

    def addProvenance(self, provenance_on: bool = True) -> None:
        """Report the `diagnostics_*` entries, or not."""
        self.settings["additionalInfo"] = provenance_on

    def enableAllImageTypes(self) -> None:
        """Measure the image and all that filters make of it."""
        self.enabledImagetypes.update({name: {} for name in IMAGE_TYPES})

    def disableAllImageTypes(self) -> None:
        """Measure nothing but shape."""
        self.enabledImagetypes = {}

    def enableImageTypeByName(
        self, imageType: str, enabled: bool = True, customArgs: dict[str, Any] | None = None
    ) -> None:
        """Switch one image type on, with its own settings, or off."""
        if imageType not in IMAGE_TYPES:
            logger.warning("Image type %s is not recognized", imageType)
        elif enabled:
            self.enabledImagetypes[imageType] = customArgs or {}
        else:
            self.enabledImagetypes.pop(imageType, None)

    def enableImageTypes(self, **enabledImagetypes: dict[str, Any]) -> None:
        """Switch image types on, each with its own settings."""
        self.enabledImagetypes.update(enabledImagetypes)

    def enableAllFeatures(self) -> None:
        """Compute all features that are not deprecated, of all classes."""
        self.enabledFeatures.update({name: [] for name in FEATURE_CLASSES})

    def disableAllFeatures(self) -> None:
        """Compute nothing."""
        self.enabledFeatures = {}

    def enableFeatureClassByName(self, featureClass: str, enabled: bool = True) -> None:
        """Switch all features of a class on or off."""
        if featureClass not in FEATURE_CLASSES:
            logger.warning("Feature class %s is not recognized", featureClass)
        elif enabled:
            self.enabledFeatures[featureClass] = []
        else:
            self.enabledFeatures.pop(featureClass, None)

    def enableFeaturesByName(self, **enabledFeatures: list[str] | None) -> None:
        """Choose the features of classes; an empty list or None chooses all of them."""
        self.enabledFeatures.update(enabledFeatures)

    def getFeatureClassNames(self) -> list[str]:
        """The feature classes that there are."""
        return self.featureClassNames

    def getFeatureNames(self, featureClassName: str) -> list[str]:
        """The features of a class, deprecated ones included."""
        return list(names_of(featureClassName))

    def execute(
        self,
        imageFilepath: sitk.Image | str,
        maskFilepath: sitk.Image | str,
        label: int | None = None,
        label_channel: int | None = None,
        voxelBased: bool = False,
    ) -> "OrderedDict[str, Any]":
        """Diagnostics and features of a region.

        Parameters
        ----------
        imageFilepath, maskFilepath : SimpleITK images, or paths of files that SimpleITK reads
        label : value of the region in the mask; None takes the setting
        label_channel : channel of a mask with several; None takes the setting
        voxelBased : give a map (SimpleITK image) of each feature instead of a number

        Raises
        ------
        InputError
            Image and mask cannot be measured (a ValueError).
        """
        given = {"label": label, "label_channel": label_channel, "voxelBased": voxelBased or None}
        settings = self.settings | {k: v for k, v in given.items() if v is not None}
        result: OrderedDict[str, Any] = OrderedDict()
        notes = result if read(settings, "additionalInfo") else None
        if notes is not None:
            notes.update(generalinfo.static())
            notes.update(generalinfo.configuration(settings, self.enabledImagetypes))
        image = open_image(imageFilepath, "image")
        labels = scalar_labels(open_image(maskFilepath, "mask"), read(settings, "label_channel"))
        prepared = preparation.prepare(image, labels, settings, notes)
        dimension = image.GetDimension()
        if voxelBased:
            result.update(self._maps_of_images(prepared.region, dimension, settings))
            return result
        result.update(self._shapes(prepared.shape_region, dimension, settings))
        result.update(self._features_of_images(prepared.region, dimension, settings))
        return result

    def _features_of_images(
        self, region: MaskedImage, dimension: int, settings: Settings
    ) -> Iterator[tuple[str, Floats]]:
        """Of every image; those that are measured alike are measured together."""
        for own, kinds in groupby(self._kinds(settings), key=lambda kind: _measuring(kind[1])):
            found = [
                image
                for image_type, made in kinds
                for image in images(image_type, region.volume, region.box, dimension, made)
            ]
            if not found:
                continue
            arrays = [None if name == "original" else array for name, array in found]
            measured = measure_images(region, arrays, own, self._wanted(), dimension)
            for (name, _), values in zip(found, measured, strict=True):
                yield from _named(name, values)

    def _maps_of_images(
        self, region: MaskedImage, dimension: int, settings: Settings
    ) -> Iterator[tuple[str, sitk.Image]]:
        """Of every image, in the box of the region and its neighbourhoods."""
        for image_type, own in self._kinds(settings):
            pad = int(read(own, "kernelRadius"))
            box = grown(region.box, region.mask.array.shape, pad)
            part = region.cropped(box)
            for name, array in images(image_type, region.volume, box, dimension, own):
                image = MaskedImage(Volume(array, part.volume.geometry), part.mask)
                yield from self._maps(image, dimension, name, own)

    def _kinds(self, settings: Settings) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every image type with its settings."""
        if read(settings, "preCrop") and set(self.enabledImagetypes) - {"Original"}:
            warn_of_cropping()
        for image_type, custom in self.enabledImagetypes.items():
            yield image_type, {**settings, **custom}

    def _shapes(
        self, region: MaskedImage, dimension: int, settings: dict[str, Any]
    ) -> Iterator[tuple[str, Floats]]:
        classes = list(self._shape_classes(dimension, settings))
        wanted = {name: self.enabledFeatures[name] for name in classes}
        return _named("original", measure_shape(region, settings, wanted, dimension))

    def _shape_classes(self, dimension: int, settings: Settings) -> Iterator[str]:
        if "shape" in self.enabledFeatures:
            if dimension == 3:
                yield "shape"
            else:
                logger.warning("shape needs a 3-D image, found %d-D; use shape2D", dimension)
        if "shape2D" in self.enabledFeatures:
            if dimension == 2 or read(settings, "force2D"):
                yield "shape2D"
            else:
                logger.warning("parameter force2D must be set to True to enable shape2D extraction")

    def _wanted(self) -> dict[str, Iterable[str] | None]:
        return {
            name: features
            for name, features in self.enabledFeatures.items()
            if name in FEATURE_CLASSES and name not in SHAPE_CLASSES
        }

    def _textures(
        self, region: MaskedImage, dimension: int, image_name: str, settings: dict[str, Any]
    ) -> Iterator[tuple[str, Floats]]:
        return _named(image_name, measure(region, settings, self._wanted(), dimension))

    def _maps(
        self, region: MaskedImage, dimension: int, image_name: str, settings: dict[str, Any]
    ) -> Iterator[tuple[str, sitk.Image]]:
        return _named(image_name, feature_maps(region, dimension, settings, self._wanted()))

    @staticmethod
    def loadImage(
        ImageFilePath: sitk.Image | str,
        MaskFilePath: sitk.Image | str,
        generalInfo: Any = None,
        **kwargs: Any,
    ) -> tuple[sitk.Image, sitk.Image]:
        """Image and mask as files or images, normalised and resampled or cropped.

        `generalInfo` may be a dictionary to which diagnostics are added.
        """
        image = open_image(ImageFilePath, "image")
        labels = scalar_labels(open_image(MaskFilePath, "mask"), read(kwargs, "label_channel"))
        volume, mask = preparation.load(image, labels, kwargs, generalInfo)
        values = mask.array.astype(np.uint32) * np.uint32(read(kwargs, "label"))
        n = image.GetDimension()
        return as_image(volume.array, volume.geometry, n), as_image(values, mask.geometry, n)

    def computeShape(
        self, image: sitk.Image, mask: sitk.Image, boundingBox: Array, **kwargs: Any
    ) -> "OrderedDict[str, Floats]":
        """Shape features of the mask in a bounding box of `imageoperations.checkMask`."""
        ends = np.reshape(boundingBox, (-1, 2))[::-1]
        inside = tuple(slice(int(a), int(b) + 1) for a, b in ends)
        z, y, x = inside if len(inside) == 3 else (slice(0, 1), *inside)
        region = _region(image, mask, kwargs).cropped((z, y, x))
        return OrderedDict(self._shapes(region, image.GetDimension(), kwargs))

    def computeFeatures(
        self, image: sitk.Image, mask: sitk.Image, imageTypeName: str, **kwargs: Any
    ) -> "OrderedDict[str, Any]":
        """Intensity and texture features of an image that is on the grid of the mask."""
        region, dimension = _region(image, mask, kwargs), image.GetDimension()
        make = self._maps if kwargs.get("voxelBased", False) else self._textures
        return OrderedDict(make(region, dimension, imageTypeName, kwargs))


def _measuring(settings: Settings) -> dict[str, Any]:
    """The settings without those that only matter to the making of an image."""
    return {name: value for name, value in settings.items() if name not in FILTER_SETTINGS}


def _named(image_name: str, values: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    return ((f"{image_name}_{name}", value) for name, value in values)


def _region(image: sitk.Image, mask: sitk.Image, settings: Settings) -> MaskedImage:
    return joined(volume_of(image), mask_of(mask, read(settings, "label")), settings)[0]
