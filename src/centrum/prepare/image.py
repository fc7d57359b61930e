"""A whole image as the protocol wants it before any region of it is measured.

>>> import numpy as np
>>> from centrum.geometry import Geometry
>>> image = Volume(np.arange(27.0).reshape(3, 3, 3), Geometry((3, 3, 3), (3, 3, 3)))
>>> settings = Preparation(normalisation={"method": "z_score", "over": "image"})
>>> [step.name for step in prepare_image(image, settings).history]
['z_score']
"""

from dataclasses import replace

import numpy as np

from centrum.geometry import orientation_of, reading_order
from centrum.prepare.bias_field import correct_bias_field
from centrum.prepare.body import BodyMask, find_body
from centrum.prepare.normalise import Looked, percentile_scale, subtract_air, z_score
from centrum.prepare.nyul import landmarks_of, to_standard_scale
from centrum.prepare.settings import Nyul, Over, Percentiles, Preparation, ZScore
from centrum.provenance import Step
from centrum.volume import Volume, turned

MOSTLY_AIR = 0.5
"""A larger share of air than this decides what is computed over the whole view."""


def fill_missing(volume: Volume) -> Volume:
    """The image with voxels that have no value, NaN or infinite, as background.

    Programs that cut out an organ leave them so. They become 0, or the smallest value of an image
    that goes below.

    >>> from centrum.geometry import Geometry
    >>> image = Volume(np.array([[[np.nan, 7.0, 9.0]]]), Geometry((3, 1, 1), (1, 1, 1)))
    >>> fill_missing(image).array.tolist()
    [[[0.0, 7.0, 9.0]]]
    """
    there = np.isfinite(volume.array)
    if there.all():
        return volume
    value = float(np.min(volume.array, where=there, initial=0.0))
    array = np.where(there, volume.array, volume.array.dtype.type(value))
    step = Step("fill_missing", {"voxels": int(there.size - there.sum()), "value": value})
    return volume.with_array(array, step)


def prepare_image(volume: Volume, preparation: Preparation) -> Volume:
    """Air subtracted, shading divided out, on a common scale; each where the settings say so.

    Voxels without a value become background first. The numbers are the same to the last digit in
    whichever order the axes are stored.
    A reference tissue belongs to a reader: `normalise.relate_to_tissue` is for the caller.
    """
    read = turned(volume, reading_order(volume.geometry))
    ready = _prepared(read, preparation)
    if ready is read:
        return volume
    return replace(turned(ready, orientation_of(volume.geometry)), geometry=volume.geometry)


def _prepared(volume: Volume, preparation: Preparation) -> Volume:
    volume, body = _corrected(volume, preparation)
    scale = preparation.normalisation
    if isinstance(scale, ZScore):
        return z_score(volume, scale, _looked(body, scale.over))
    if isinstance(scale, Percentiles):
        return percentile_scale(volume, scale, _looked(body, scale.over))
    if isinstance(scale, Nyul):
        return to_standard_scale(volume, scale, _looked(body, scale.over))
    return volume


def landmarks_before(volume: Volume, preparation: Preparation, scale: Nyul) -> list[float]:
    """The landmarks of an image after all steps before the normalisation by `scale`."""
    read = turned(volume, reading_order(volume.geometry))
    volume, body = _corrected(read, preparation)
    return landmarks_of(volume, scale.percentiles, _looked(body, scale.over)).tolist()


def air_in_view(volume: Volume) -> str | None:
    """What to say when most of the view is air and the whole view is to be normalised by.

    >>> from centrum.geometry import Geometry
    >>> array = np.full((3, 20, 20), 30.0)
    >>> array[:, 5:15, 5:15] = 200
    >>> print(air_in_view(Volume(array, Geometry((20, 20, 3), (2.5, 2.5, 5.0)))))
    75 % of the view is air, which decides ... Choose `over: body` ...
    """
    share = 1 - find_body(fill_missing(volume)).share
    if share <= MOSTLY_AIR:
        return None
    return (
        f"{100 * share:.0f} % of the view is air, which decides the scale when the whole view is "
        "normalised by: the same tissue gets other values in a smaller field of view. Choose "
        "`over: body` or a reference tissue."
    )


def _corrected(volume: Volume, preparation: Preparation) -> tuple[Volume, BodyMask | None]:
    """The image before normalisation; its body, found before the shading is divided out."""
    volume = fill_missing(volume)
    if preparation.subtract_air:
        volume = subtract_air(volume)
    wanted = (
        preparation.bias_field is not None
        or getattr(preparation.normalisation, "over", None) == "body"
    )
    body = find_body(volume) if wanted else None
    if preparation.bias_field is not None and body is not None:
        volume = correct_bias_field(volume, preparation.bias_field, body)
    return volume, body


def _looked(body: BodyMask | None, over: Over) -> Looked:
    return body.inside if body is not None and over == "body" else None
