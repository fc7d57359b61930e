"""centrum's own API. A task says `what`: "pyradiomics", "ibsi" or "everything"."""

import numpy as np
from serve import serve

from centrum.extract import extract, plan
from centrum.features.settings import ExtractionSettings
from centrum.io import read_image
from centrum.volume import Mask

TEXTURES = ("glcm", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm")
IBSI = ("morphology", "statistics", "histogram", "ivh", *TEXTURES)
FAMILIES = {
    "pyradiomics": (
        "morphology",
        "statistics",
        "histogram",
        "glcm",
        "glrlm",
        "glszm",
        "ngtdm",
        "ngldm",
    ),
    "ibsi": IBSI,
    "everything": (*IBSI, "spatial", "local_intensity"),
}
"""`pyradiomics` is the 107 features of its default; `ibsi` is what pictologics gives."""


def settings(what, bins=32):
    """The settings of one of the three sets."""
    dialect = "pyradiomics" if what == "pyradiomics" else "ibsi"
    aggregation = "3D_averaged" if what == "pyradiomics" else "3D_merged"
    return ExtractionSettings.model_validate(
        {
            "dialect": dialect,
            "families": FAMILIES[what],
            "discretisation": {"method": "fixed_bin_number", "bins": bins},
            "aggregations": [aggregation],
        }
    )


def load(task):
    """Read the case; the function returns the features by name."""
    image, labels = read_image(task["image"]), read_image(task["mask"])
    mask = Mask(np.asarray(labels.array == task.get("label", 1)), labels.geometry)
    chosen = settings(task["what"], task.get("bins", 32))

    def work():
        values = extract(image, mask, chosen).tolist()
        return dict(zip(plan(chosen), values, strict=True))

    return work


if __name__ == "__main__":
    serve(load)
