"""The three sets of features that centrum is timed with."""

from centrum.features.settings import ExtractionSettings

TEXTURES = ("glcm", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm")
IBSI = ("morphology", "statistics", "histogram", "ivh", *TEXTURES)
SETS = {
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
"""`pyradiomics` is the 107 features of its default; `ibsi` nearly what pictologics gives."""


def settings(what, bins=32):
    """The settings of one of the three sets."""
    dialect = "pyradiomics" if what == "pyradiomics" else "ibsi"
    aggregation = "3D_averaged" if what == "pyradiomics" else "3D_merged"
    return ExtractionSettings.model_validate(
        {
            "dialect": dialect,
            "families": SETS[what],
            "discretisation": {"method": "fixed_bin_number", "bins": bins},
            "aggregations": [aggregation],
        }
    )
