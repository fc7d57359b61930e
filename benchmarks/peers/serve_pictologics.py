"""pictologics: its pipeline on images in memory, as its user guide shows.

The configuration is its `standard_fbn_32` without resampling; `everything` adds the spatial
and local intensity features.
"""

import dataclasses

import numpy as np
import pictologics
from serve import serve


def load(task):
    """Read the case and make the pipeline; the function returns the features."""
    image = pictologics.load_image(task["image"])
    mask = pictologics.load_image(task["mask"])
    chosen = (mask.array == task.get("label", 1)).astype(np.uint8)
    mask = dataclasses.replace(mask, array=chosen)
    steps = FILTERS if task.get("filtered") else {"speed": []}
    pipeline = configured(task.get("bins", 32), task.get("what") == "everything", steps)
    names = list(steps)

    def work():
        found = pipeline.run(image, mask, config_names=names)
        return {f"{name} {key}": v for name in names for key, v in found[name].items()}

    return work


def of_filter(kind, **parameters):
    """The steps before discretisation for one response map."""
    return [{"step": "filter", "params": {"type": kind, **parameters}}]


FILTERS = {
    "speed": [],
    **{f"log {sigma}": of_filter("log", sigma_mm=float(sigma)) for sigma in (1, 2, 3, 4, 5)},
    **{
        f"wavelet {a}{b}{c}": of_filter("wavelet", wavelet="coif1", decomposition=a + b + c)
        for a in "LH"
        for b in "LH"
        for c in "LH"
    },
}
"""The image and thirteen response maps of it."""


def configured(bins, everything, filters):
    """A pipeline with a configuration for each image; shape is measured once."""
    pipeline = pictologics.RadiomicsPipeline(load_standard=False)
    for name, steps in filters.items():
        families = ["intensity", "texture", "histogram", "ivh"]
        extraction = {
            "families": families if steps else [*families, "morphology"],
            "include_spatial_intensity": everything,
            "include_local_intensity": everything,
        }
        discretise = {"step": "discretise", "params": {"method": "FBN", "n_bins": bins}}
        last = {"step": "extract_features", "params": extraction}
        pipeline.add_config(name, [*steps, discretise, last])
    return pipeline


if __name__ == "__main__":
    serve(load)
