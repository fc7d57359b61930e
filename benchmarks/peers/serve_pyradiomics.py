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
    label = task.get("label", 1)

    def work():
        found = extractor.execute(image, mask, label)
        return {k: v for k, v in found.items() if not k.startswith("diagnostics")}

    return work


def make(task):
    """The extractor of a parameter file, or of settings and classes."""
    if "params" in task:
        return FACTORY(task["params"], **task.get("settings", {}))
    extractor = FACTORY(**task.get("settings", {}))
    extractor.disableAllImageTypes()
    extractor.enableImageTypeByName("Original")
    if "classes" in task:
        extractor.disableAllFeatures()
        for name in task["classes"]:
            extractor.enableFeatureClassByName(name)
    return extractor


if __name__ == "__main__":
    serve(load)
