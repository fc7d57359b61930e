"""Feature classes for use without the extractor: one class, made for each of PyRadiomics' names.

>>> import numpy as np
>>> image = sitk.GetImageFromArray(np.arange(27.0).reshape(3, 3, 3))
>>> mask = sitk.GetImageFromArray(np.ones((3, 3, 3), np.uint8))
>>> first_order = feature_class("firstorder")(image, mask, binWidth=5)
>>> first_order.enableFeatureByName("Mean")
>>> first_order.execute()["Mean"].item(), first_order.getMeanFeatureValue().item()
(13.0, 13.0)
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import SimpleITK as sitk

from centrum.arrays import Floats
from centrum.pyradiomics.engine import measure, measure_shape
from centrum.pyradiomics.errors import InputError, UnknownFeature
from centrum.pyradiomics.feature_names import FEATURE_CLASSES, SHAPE_CLASSES, entries, names_of
from centrum.pyradiomics.regions import MaskedImage, mask_of, volume_of
from centrum.pyradiomics.settings import read
from centrum.pyradiomics.voxel_maps import feature_maps
from centrum.volume import Mask

CLASS_NAMES = {
    "firstorder": "RadiomicsFirstOrder",
    "glcm": "RadiomicsGLCM",
    "gldm": "RadiomicsGLDM",
    "glrlm": "RadiomicsGLRLM",
    "glszm": "RadiomicsGLSZM",
    "ngtdm": "RadiomicsNGTDM",
    "shape": "RadiomicsShape",
    "shape2D": "RadiomicsShape2D",
}


class RadiomicsFeaturesBase:
    """The features of one class in one image and mask.

    Parameters
    ----------
    inputImage, inputMask : SimpleITK images on the same grid
    kwargs : settings of PyRadiomics, such as label, binWidth, voxelBased
    """

    feature_class: ClassVar[str]

    def __init__(self, inputImage: sitk.Image, inputMask: sitk.Image, **kwargs: Any) -> None:
        if inputImage is None or inputMask is None:
            raise InputError("Missing input image or mask.")
        self.logger = logging.getLogger(f"radiomics.{self.feature_class}")
        self.settings = kwargs
        self.label = read(kwargs, "label")
        self.voxelBased = kwargs.get("voxelBased", False)
        if self.voxelBased and self.feature_class in SHAPE_CLASSES:
            raise NotImplementedError("Shape features are not available in voxel-based mode.")
        self.inputImage = inputImage
        self.inputMask = inputMask
        self.featureNames = self.getFeatureNames()
        self.enabledFeatures: dict[str, bool] = {}
        self.featureValues: dict[str, Any] = {}

    @classmethod
    def getFeatureNames(cls) -> dict[str, bool]:
        """Features by name, and whether each is deprecated."""
        return dict(names_of(cls.feature_class))

    def enableFeatureByName(self, featureName: str, enable: bool = True) -> None:
        """Switch one feature on or off."""
        if featureName not in self.featureNames:
            raise UnknownFeature(f"Feature not found: {featureName}")
        self.enabledFeatures[featureName] = enable

    def enableAllFeatures(self) -> None:
        """Switch all features on that are not deprecated."""
        for name, deprecated in self.featureNames.items():
            if not deprecated:
                self.enableFeatureByName(name)

    def disableAllFeatures(self) -> None:
        """Switch all features off and forget their values."""
        self.enabledFeatures = {}
        self.featureValues = {}

    def execute(self) -> dict[str, Any]:
        """Values (or maps, if `voxelBased`) of the enabled features; of all if none is."""
        if not self.enabledFeatures:
            self.enableAllFeatures()
        wanted = [name for name, enabled in self.enabledFeatures.items() if enabled]
        if wanted:
            self.featureValues.update(self._compute(wanted))
        return self.featureValues

    def _compute(self, features: list[str]) -> dict[str, Any]:
        wanted = {self.feature_class: features}
        region, dimension = self._region(), self.inputImage.GetDimension()
        if self.voxelBased:
            found = feature_maps(region, dimension, self.settings, wanted)
        elif self.feature_class in SHAPE_CLASSES:
            found = measure_shape(region, self.settings, wanted, dimension)
        else:
            found = measure(region, self.settings, wanted, dimension)
        return {name.removeprefix(f"{self.feature_class}_"): value for name, value in found}

    def _region(self) -> MaskedImage:
        volume = volume_of(self.inputImage)
        inside = mask_of(self.inputMask, self.label).array
        if inside.shape != volume.array.shape:
            raise InputError(
                f"Image and mask must have one size, found {volume.array.shape} and {inside.shape}."
            )
        return MaskedImage(volume, Mask(inside, volume.geometry, f"label {self.label}"))

    def __getattr__(self, name: str) -> Callable[[], Floats]:
        """get<Name>FeatureValue() for every feature of the class."""
        feature = name.removeprefix("get").removesuffix("FeatureValue")
        if name != f"get{feature}FeatureValue" or feature not in names_of(self.feature_class):
            raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")
        method = partial(self._value, feature)
        method.__doc__ = _documentation(self.feature_class, feature)
        return method

    def _value(self, feature: str) -> Any:
        return self._compute([feature])[feature]


def _documentation(feature_class: str, feature: str) -> str:
    entry = entries(feature_class).get(feature)
    if entry is None:
        return "Deprecated: PyRadiomics gives no value."
    return f"{entry.name}: {entry.formula} (IBSI {entry.section} {entry.code})"


def feature_class(name: str) -> type[RadiomicsFeaturesBase]:
    """The class of features called `name`, such as "glcm"."""
    return FEATURE_CLASS_TYPES[name]


FEATURE_CLASS_TYPES: dict[str, type[RadiomicsFeaturesBase]] = {
    name: type(CLASS_NAMES[name], (RadiomicsFeaturesBase,), {"feature_class": name})
    for name in FEATURE_CLASSES
}
