"""MIRP: `extract_features`, all families, 3-D averaged. It reads the files in every call."""

import warnings

from mirp import extract_features
from serve import serve

FAMILIES = [
    "morphology",
    "statistics",
    "intensity_histogram",
    "intensity_volume_histogram",
    "glcm",
    "glrlm",
    "glszm",
    "gldzm",
    "ngtdm",
    "ngldm",
]


def load(task):
    """The function returns the features of the first region."""
    warnings.simplefilter("ignore")

    def work():
        (table,) = extract_features(
            image=task["image"],
            mask=task["mask"],
            roi_name=str(task.get("label", 1)),
            base_feature_families=FAMILIES,
            base_discretisation_method="fixed_bin_number",
            base_discretisation_n_bins=task.get("bins", 32),
            ivh_discretisation_method="none",
        )
        numbers = table.select_dtypes("number")
        return numbers.iloc[0].to_dict()

    return work


if __name__ == "__main__":
    serve(load)
