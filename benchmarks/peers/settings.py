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


FILTERS = {
    "pyradiomics": (
        {"filter": "LoG", "sigma": [1.0, 2.0, 3.0, 4.0, 5.0]},
        {"filter": "Wavelet", "wavelet": "coif1"},
    ),
    "ibsi": (
        *({"filter": "log", "sigma": sigma, "dimension": "3D"} for sigma in (1, 2, 3, 4, 5)),
        {"filter": "wavelet", "wavelet": "coif1", "dimension": "3D"},
    ),
}
"""Thirteen response maps beside the image: 1316 features of PyRadiomics."""


def settings(what, bins=32, filtered=False):
    """The settings of one of the three sets, of the image alone or of response maps too."""
    dialect = "pyradiomics" if what == "pyradiomics" else "ibsi"
    aggregation = "3D_averaged" if what == "pyradiomics" else "3D_merged"
    return ExtractionSettings.model_validate(
        {
            "dialect": dialect,
            "families": SETS[what],
            "discretisation": {"method": "fixed_bin_number", "bins": bins},
            "aggregations": [aggregation],
            "filters": FILTERS[what] if filtered else (),
        }
    )
