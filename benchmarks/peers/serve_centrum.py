"""centrum's own API.

A task says `what`: "pyradiomics", "ibsi" or "everything", and whether to measure response
maps too: `filtered`.
"""

import numpy as np
from serve import serve
from settings import settings

from centrum.io import read_image
from centrum.measure.extract import extract, plan
from centrum.volume import Mask


def load(task):
    """Read the case; the function returns the features by name."""
    image, labels = read_image(task["image"]), read_image(task["mask"])
    mask = Mask(np.asarray(labels.array == task.get("label", 1)), labels.geometry)
    chosen = settings(task["what"], task.get("bins", 32), task.get("filtered", False))

    def work():
        values = extract(image, mask, chosen).tolist()
        return dict(zip(plan(chosen), values, strict=True))

    return work


if __name__ == "__main__":
    serve(load)
