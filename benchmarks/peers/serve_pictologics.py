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
    pipeline = configured(task.get("bins", 32), task.get("what") == "everything")
    return lambda: pipeline.run(image, mask, config_names=["speed"])["speed"]


def configured(bins, everything):
    """A pipeline with one configuration, called speed."""
    pipeline = pictologics.RadiomicsPipeline(load_standard=False)
    families = ["intensity", "morphology", "texture", "histogram", "ivh"]
    extraction = {
        "families": families,
        "include_spatial_intensity": everything,
        "include_local_intensity": everything,
    }
    steps = [
        {"step": "discretise", "params": {"method": "FBN", "n_bins": bins}},
        {"step": "extract_features", "params": extraction},
    ]
    pipeline.add_config("speed", steps)
    return pipeline


if __name__ == "__main__":
    serve(load)
