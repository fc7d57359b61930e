"""A standard scale of intensity, learnt from many images.

Nyul, Udupa: On standardizing the MR image intensity scale. Magn Reson Med 42 (1999), with the
landmarks of Nyul, Udupa, Zhang, IEEE Trans Med Imaging 19 (2000): percentiles, between which
intensities are mapped linearly.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from centrum.arrays import Array, Floats
from centrum.errors import DataError, ProtocolError
from centrum.prepare.normalise import Looked, looked_at
from centrum.prepare.settings import Nyul
from centrum.provenance import Step
from centrum.volume import Volume

Landmarks = Floats


def landmarks_of(volume: Volume, percentiles: Sequence[float], inside: Looked = None) -> Landmarks:
    """Percentiles of the voxels looked at, (landmarks,).

    Raises
    ------
    DataError
        The first and the last are one intensity.

    >>> from centrum.geometry import Geometry
    >>> image = Volume(np.arange(5.0).reshape(1, 1, 5), Geometry((5, 1, 1), (1, 1, 1)))
    >>> landmarks_of(image, (0, 50, 100)).tolist()
    [0.0, 2.0, 4.0]
    """
    found = np.percentile(looked_at(volume, inside), percentiles)
    if not found[0] < found[-1]:
        raise DataError(
            f"Percentiles {percentiles[0]:g} and {percentiles[-1]:g} of the image are both "
            f"{found[0]:g}: it has no scale to standardise."
        )
    return np.asarray(found, dtype=float)


def standard_scale(landmarks: ArrayLike, ends: tuple[float, float]) -> Landmarks:
    """Mean landmarks of many images, (images, landmarks) to (landmarks,).

    Each image counts once, after its first and last landmark were brought to the ends.

    Raises
    ------
    DataError
        Two landmarks are the same in every image, so that the scale does not rise.

    >>> standard_scale([[0, 5, 10], [20, 24, 40]], (0, 100)).tolist()
    [0.0, 35.0, 100.0]
    """
    found = np.atleast_2d(np.asarray(landmarks, dtype=float))
    first, last = found[:, :1], found[:, -1:]
    start, end = ends
    scale = (start + (found - first) * ((end - start) / (last - first))).mean(axis=0)
    if not np.all(np.diff(scale) > 0):
        raise DataError(
            f"The landmarks of {len(found)} images make no rising scale: "
            f"{', '.join(f'{value:g}' for value in scale)}.",
            remedy="Two percentiles are one intensity in all of them, as where a large background "
            "is 0: choose `over: body`, or other percentiles.",
            code="no-scale",
        )
    return np.asarray(scale)


def to_standard_scale(volume: Volume, settings: Nyul, inside: Looked = None) -> Volume:
    """The image with its landmarks on those of `settings.landmarks`.

    Between landmarks linear; beyond the first and the last as in the outermost interval.

    Raises
    ------
    ProtocolError
        `settings` has no landmarks yet.

    >>> from centrum.geometry import Geometry
    >>> image = Volume(np.array([[[10, 20, 30, 40, 60]]]), Geometry((5, 1, 1), (1, 1, 1)))
    >>> settings = Nyul(over="image", percentiles=(0, 50, 75), landmarks=(0, 80, 100))
    >>> to_standard_scale(image, settings).array.tolist()
    [[[0.0, 40.0, 80.0, 100.0, 140.0]]]
    """
    if settings.landmarks is None:
        raise ProtocolError(
            "The Nyul landmarks are not fitted yet: `centrum extract` learns them from the "
            "training patients, or give those of landmarks.json as normalisation.landmarks."
        )
    found = landmarks_of(volume, settings.percentiles, inside)
    array = piecewise_linear(volume.array, found, np.array(settings.landmarks))
    step = Step("nyul", settings.model_dump(mode="json") | {"found": found.tolist()})
    return volume.with_array(array, step)


def piecewise_linear(x: Array, old: Landmarks, new: Landmarks) -> Floats:
    """`x` with `old` landmarks at `new` ones; landmarks that coincide are joined at their mean.

    >>> piecewise_linear(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2, 2]), np.array([0.0, 4, 6]))
    array([ 0., 5., 10.])
    """
    knots, which = np.unique(old, return_inverse=True)
    goals = np.bincount(which, weights=new) / np.bincount(which)
    slopes = np.diff(goals) / np.diff(knots)
    piece = np.clip(np.searchsorted(knots, x, side="right") - 1, 0, len(slopes) - 1)
    return np.asarray(goals[piece] + (x - knots[piece]) * slopes[piece])
