"""PyRadiomics, or whatever has its API: `python serve_pyradiomics.py PACKAGE`.

A task holds `image`, `mask`, `label`, and either `params` (a parameter file) or `settings`
with `classes` (all by default) on the original image.
"""

import importlib
import logging
import sys

import SimpleITK as sitk
from serve import serve

PACKAGE = sys.argv[1]
FACTORY = importlib.import_module(f"{PACKAGE}.featureextractor").RadiomicsFeatureExtractor


def load(task):
    """Read the case and make the extractor; the function returns the features."""
    logging.disable(logging.CRITICAL)
    image, mask = sitk.ReadImage(task["image"]), sitk.ReadImage(task["mask"])
    extractor = make(task)
    label, maps = task.get("label", 1), task.get("voxel_based", False)

    def work():
        found = extractor.execute(image, mask, label, voxelBased=maps)
        wanted = {k: v for k, v in found.items() if not k.startswith("diagnostics")}
        return flat(wanted) if maps else wanted

    return work


def make(task):
    """The extractor of a parameter file, or of settings and what is to be enabled.

    `filters` are image types beside the original one, each with its own settings.
    """
    if "params" in task:
        return FACTORY(task["params"])
    extractor = FACTORY(**task.get("settings", {}))
    for name, custom in task.get("filters", {}).items():
        extractor.enableImageTypeByName(name, customArgs=custom)
    if "classes" in task or "features" in task:
        extractor.disableAllFeatures()
    for name in task.get("classes", ()):
        extractor.enableFeatureClassByName(name)
    if "features" in task:
        extractor.enableFeaturesByName(**task["features"])
    return extractor


def flat(maps):
    """The voxels of feature maps, each under a name of its own."""
    return {
        f"{name}[{number}]": value
        for name, image in maps.items()
        for number, value in enumerate(sitk.GetArrayFromImage(image).ravel().tolist())
    }


if __name__ == "__main__":
    serve(load)
