"""Image and region on another grid (IBSI 2.4; PyRadiomics `resampledPixelSpacing`).

Both grids of the IBSI have the same centre and the same axes, so that interpolation is
three passes along one axis each. Only the voxels around the region are computed, and they
have the values that they have on the whole grid.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from typing import TYPE_CHECKING, Literal

import numpy as np

from centrum.arrays import Array, Flags, Floats, Ints
from centrum.errors import DataError, GeometryError
from centrum.geometry import TIE_DECIMALS, Geometry, nearest_voxel, orientation_of
from centrum.provenance import Step
from centrum.volume import Mask, Volume, bounding_box

if TYPE_CHECKING:
    import SimpleITK as sitk

Method = Literal["nearest", "linear", "cubic"]

SplineBoundary = Literal["mirror", "nearest"]

CONTINUATIONS: Mapping[SplineBoundary, Literal["reflect", "edge"]] = {
    "mirror": "reflect",
    "nearest": "edge",
}
"""How numpy pads, by what lies beyond the edges of an image through which a spline is laid:
its mirror image, the outermost voxel once (d c b | a b c d | c b a), or that voxel again and again
(a a a | a b c d | d d d).

The first is what the recursive filter of B-splines assumes (Unser et al. 1993), what ITK and scipy
have, and what gives the whole image of configuration E the mean on which most IBSI teams agree
(-269.32853; with the outermost voxel twice -270.170, again and again -270.007). The other is what
two or three teams had for filter 9.B of IBSI 2. All consensus values allow both."""

SIZE_TOLERANCE = 1e-4
"""Part of a new voxel that may be lost at the edge: 8 x 0.5 mm is 4 voxels of 1 mm even when
a header says 0.50000001."""

MOST_VOXELS = 2**28
"""Voxels of an image that is resampled as PyRadiomics does; beyond them a spacing is an error."""

SPLINE_SUPPORT = 32
"""Voxels on either side from which a cubic B-spline coefficient is computed: the influence of
a voxel falls by 2 - sqrt(3) per voxel, to 5e-19 at this distance."""

SUPPORTS: Mapping[Method, int] = {"nearest": 1, "linear": 1, "cubic": SPLINE_SUPPORT + 1}
"""Voxels on either side of a place on which its interpolated value depends."""


def interpolate(
    volume: Volume,
    region: Mask,
    spacing: Sequence[float | None],
    *,
    image: Method = "linear",
    boundary: SplineBoundary = "mirror",
    mask: Literal["nearest", "linear"] = "linear",
    partial_volume: float = 0.5,
    round_intensities: bool = False,
    margin: float | None = 0.0,
) -> tuple[Volume, Mask]:
    """Image and region on the IBSI's grid of another `spacing`, cropped to the region.

    The new grid has ceil(size * spacing / new spacing) voxels along each axis and the centre
    of the old one (IBSI 2.4, codes VTM2, UMPJ). Its outermost voxels may lie up to half an old
    voxel beyond the centres of those: the region and, unless it is cubic, the image go on there
    with their outermost voxel, as the manual recommends.
    A new voxel that lies half-way between two old ones is, of the nearest, the one further to the
    patient's left, back or head, in whichever order the axes are stored.

    Parameters
    ----------
    spacing : mm along x, y, z; None keeps the voxels of that axis as they are
    image : how intensities are interpolated; cubic is the tensor product cubic B-spline
    boundary : what a cubic spline finds beyond the edges of the image; see `CONTINUATIONS`
    mask : how the region is interpolated
    partial_volume : share of the region from which a new voxel belongs to it, inclusive
    round_intensities : round to the nearest integer, halves away from zero, as
        Hounsfield units
    margin : mm of image to keep around the region; None keeps the whole grid

    Raises
    ------
    DataError
        A spacing is not positive, or no voxel of the new grid belongs to the region.
    GeometryError
        Image and region are not on the same grid.

    >>> grid = Geometry((6, 4, 1), (1, 1, 4))
    >>> ramp = Volume(np.tile(np.arange(6.0), (1, 4, 1)), grid)
    >>> coarse, inside = interpolate(ramp, Mask(ramp.array >= 2, grid), (2, 2, None))
    >>> coarse.array.tolist(), coarse.geometry.origin
    ([[[2.5, 4.5], [2.5, 4.5]]], (2.5, 0.5, 0.0))
    """
    _check(volume, region)
    axes = _new_axes(volume.geometry, spacing)
    inside, near = _interpolate_region(region, axes, mask, partial_volume)
    kept = axes if margin is None else _grow(near, axes, margin)
    array = _sample(volume.array, kept, image, boundary)
    if round_intensities:
        array = _to_integers(array)
    chosen = {"spacing": [a.spacing for a in reversed(axes)]}
    beyond = {"boundary": boundary} if image == "cubic" else {}
    made = Step("interpolate", chosen | {"method": image} | beyond | {"rounded": round_intensities})
    cut = Step("interpolate", chosen | {"method": mask, "partial_volume": partial_volume})
    grid = _geometry(volume.geometry, kept)
    return (
        Volume(array, grid, (*volume.history, made)),
        Mask(_place(inside, near, kept), grid, region.name, (*region.history, cut)),
    )


def interpolated_size(
    region: Mask, spacing: Sequence[float | None], margin: float | None = 0.0
) -> int:
    """Voxels that `interpolate` would compute of an image around a region.

    >>> grid = Geometry((6, 4, 1), (1, 1, 4))
    >>> interpolated_size(Mask(np.ones(grid.shape, bool), grid), (0.5, 0.5, None))
    96
    """
    _check_not_empty(region)
    axes = _new_axes(region.geometry, spacing)
    box = bounding_box(region.array)
    z, y, x = (a.around(b.start, b.stop - 1) for a, b in zip(axes, box, strict=True))
    kept = axes if margin is None else _grow((z, y, x), axes, margin)
    return prod(a.stop - a.start for a in kept)


def resampled_size(region: Mask, spacing: Sequence[float], pad: int = 5) -> int:
    """Voxels that `resample_pyradiomics` would compute of an image around a region."""
    _check_not_empty(region)
    box = list(reversed(bounding_box(region.array)))
    extent = [b.stop - b.start for b in box]
    wanted = _pyradiomics_spacing(np.array(region.geometry.spacing), spacing, extent)
    return prod(_pyradiomics_grid(region.geometry, box, wanted, pad).size)


def _check(volume: Volume, region: Mask) -> None:
    if not volume.geometry.same_grid(region.geometry):
        raise GeometryError(
            "Image and mask are not on the same grid.\n"
            f"image:\n{volume.geometry.describe()}\nmask:\n{region.geometry.describe()}"
        )
    _check_not_empty(region)


def _check_not_empty(region: Mask) -> None:
    if not region.array.any():
        raise DataError(f"The mask {region.name!r} is empty: there is nothing to interpolate.")


@dataclass(frozen=True)
class _Axis:
    """Voxels `start` to `stop` of the new grid along one axis.

    `length` voxels of `ratio` times the old spacing would make the whole axis; `old_length` is
    that of the old grid. It runs `towards` one of the letters of an orientation.
    """

    old_length: int
    length: int
    ratio: float
    spacing: float
    towards: str
    start: int
    stop: int

    @property
    def centres(self) -> Floats:
        """Centres of the new voxels in voxels of the old grid."""
        first = (self.old_length - 1) / 2 - self.ratio * (self.length - 1) / 2
        return np.asarray(first + self.ratio * np.arange(self.start, self.stop))

    @property
    def nearest(self) -> Ints:
        """The old voxel nearest to each new one; of two the one further left, back or up."""
        voxels = nearest_voxel(self.centres, self.towards)
        return np.clip(voxels, 0, self.old_length - 1)

    def around(self, first: int, last: int) -> "_Axis":
        """At least the new voxels within one old voxel of the old voxels `first` to `last`."""
        ends = np.array([first - 1, last + 1]) - self.centres[0]
        start, stop = ends / self.ratio
        return self.part(int(np.floor(start)), int(np.ceil(stop)) + 1)

    def part(self, start: int, stop: int) -> "_Axis":
        """Voxels `start` to `stop` of these, as far as the grid has them."""
        first = max(self.start + start, 0)
        return replace(self, start=first, stop=min(self.start + stop, self.length))


Axes = tuple[_Axis, _Axis, _Axis]


def _new_axes(old: Geometry, spacing: Sequence[float | None]) -> Axes:
    wanted = [s if s is not None else kept for s, kept in zip(spacing, old.spacing, strict=True)]
    if not all(np.isfinite(s) and s > 0 for s in wanted):
        raise DataError(
            f"Interpolation needs a positive spacing in mm along each axis, found {list(spacing)}; "
            "null keeps the spacing of an axis."
        )
    sides = zip(old.size, old.spacing, wanted, orientation_of(old), strict=True)
    x, y, z = (_new_axis(*side) for side in sides)
    return z, y, x


def _new_axis(size: int, spacing: float, wanted: float, towards: str) -> _Axis:
    length = max(int(np.ceil(size * spacing / wanted - SIZE_TOLERANCE)), 1)
    return _Axis(size, length, wanted / spacing, wanted, towards, 0, length)


def _interpolate_region(
    region: Mask, axes: Axes, method: Method, partial_volume: float
) -> tuple[Flags, Axes]:
    """The region on the part of the new grid that holds it, and that part."""
    box = bounding_box(region.array)
    near = [a.around(b.start, b.stop - 1) for a, b in zip(axes, box, strict=True)]
    share = _without_noise(_sample(region.array, near, method))
    inside = share >= partial_volume
    if not inside.any():
        raise DataError(
            f"After interpolation to {[a.spacing for a in reversed(axes)]} mm (x, y, z) no voxel "
            f"holds {partial_volume:g} of {region.name!r} ({region.n_voxels} voxels before; the "
            f"largest share is {share.max():.3g}); choose a smaller spacing."
        )
    tight = bounding_box(inside)
    z, y, x = (a.part(b.start, b.stop) for a, b in zip(near, tight, strict=True))
    return inside[tight], (z, y, x)


def _grow(near: Axes, axes: Axes, margin: float) -> Axes:
    """`near` with `margin` mm on either side, as far as the grid reaches."""
    steps = [int(np.ceil(margin / a.spacing - SIZE_TOLERANCE)) for a in axes]
    z, y, x = (
        a.part(part.start - n, part.stop + n) for a, part, n in zip(axes, near, steps, strict=True)
    )
    return z, y, x


def _place(inside: Flags, near: Axes, kept: Axes) -> Flags:
    array = np.zeros([a.stop - a.start for a in kept], dtype=bool)
    offsets = [(n.start - k.start, n.stop - k.start) for n, k in zip(near, kept, strict=True)]
    array[tuple(slice(*o) for o in offsets)] = inside
    return array


def _geometry(old: Geometry, axes: Axes) -> Geometry:
    z, y, x = axes
    first = old.position([a.centres[0] for a in (x, y, z)])
    nx, ny, nz = (a.stop - a.start for a in (x, y, z))
    ox, oy, oz = first.tolist()
    return Geometry((nx, ny, nz), (x.spacing, y.spacing, z.spacing), (ox, oy, oz), old.direction)


def _without_noise(values: Floats) -> Floats:
    return np.round(values, TIE_DECIMALS)


def _to_integers(values: Floats) -> Floats:
    """Nearest integers. Halves go away from zero: the mean of the whole image of configuration C
    on which most IBSI teams agree comes out so, and not with halves to even."""
    return np.trunc(_without_noise(values) + np.copysign(0.5, values))


def _sample(
    array: Array, axes: Sequence[_Axis], method: Method, boundary: SplineBoundary = "mirror"
) -> Floats:
    """Values of `array` [z, y, x] at the voxels of `axes`.

    The axis that loses most voxels comes first, whichever part of the grid is wanted.
    """
    windows = [_window(a, method) for a in axes]
    out = array[tuple(slice(w.start, w.stop) for w in windows)].astype(float, order="C")
    sampler = partial(_cubic, boundary=boundary) if method == "cubic" else _linear
    for k in sorted(range(3), key=lambda k: -axes[k].ratio):
        if axes[k].ratio == 1:
            continue
        if method == "nearest":
            out = out.take(axes[k].nearest - windows[k].start, axis=k)
            continue
        at = axes[k].centres - windows[k].start
        out = sampler(np.moveaxis(out, k, 0), at)
        out = np.moveaxis(out, 0, k)
    return np.ascontiguousarray(out)


def _window(axis: _Axis, method: Method) -> range:
    """The old voxels that the new voxels of `axis` depend on."""
    if axis.ratio == 1:
        return range(axis.start, axis.stop)
    centres, beyond = np.floor(axis.centres), SPLINE_SUPPORT if method == "cubic" else 0
    last = axis.old_length - 1
    first_needed, last_needed = int(centres[0]) - beyond, int(centres[-1]) + 1 + beyond
    return range(min(max(first_needed, 0), last), min(last_needed, last) + 1)


def _linear(a: Floats, at: Floats) -> Floats:
    below, part = _floor_and_part(at)
    return _weighted(a, below, (1 - part, part))


def _cubic(a: Floats, at: Floats, boundary: SplineBoundary) -> Floats:
    """Cubic B-spline through the values of `a`.

    Unser, Aldroubi, Eden: B-spline signal processing, IEEE Trans Signal Process 41 (1993).
    """
    from scipy.ndimage import spline_filter1d

    pads = [(SPLINE_SUPPORT, SPLINE_SUPPORT), (0, 0), (0, 0)]
    padded = np.pad(a, pads, mode=CONTINUATIONS[boundary])
    coefficients = spline_filter1d(padded, order=3, axis=0, mode="mirror")
    below, t = _floor_and_part(at)
    u = 1 - t
    weights = (u**3 / 6, 2 / 3 - t**2 * (2 - t) / 2, 2 / 3 - u**2 * (2 - u) / 2, t**3 / 6)
    return _weighted(coefficients, below + SPLINE_SUPPORT - 1, weights)


def _floor_and_part(at: Floats) -> tuple[Ints, Floats]:
    below = np.floor(at)
    return below.astype(np.int64), at - below


def _weighted(a: Floats, first: Ints, weights: Sequence[Floats]) -> Floats:
    """Sum over k of weights[k] times the rows `first` + k of `a`; the last row goes on."""
    out = np.zeros((len(first), *a.shape[1:]))
    for k, weight in enumerate(weights):
        rows = a[np.clip(first + k, 0, len(a) - 1)]
        rows *= weight[:, None, None]
        out += rows
    return out


INTERPOLATORS = (
    "sitkNearestNeighbor",
    "sitkLinear",
    "sitkBSpline",
    *(f"sitkBSpline{order}" for order in range(1, 6)),
    "sitkGaussian",
    "sitkLabelGaussian",
    "sitkLabelLinear",
    *(f"sitk{name}WindowedSinc" for name in ("Hamming", "Cosine", "Welch", "Lanczos", "Blackman")),
)
"""SimpleITK's names of the ways to interpolate an image."""


def resample_pyradiomics(
    volume: Volume,
    region: Mask,
    spacing: Sequence[float],
    interpolator: str = "sitkBSpline",
    pad: int = 5,
    dimension: int = 3,
) -> tuple[Volume, Mask]:
    """Image and region as PyRadiomics resamples them, cropped to the region and `pad` voxels.

    The corner of the first voxel stays, not the centre of the image; the image keeps its type of
    numbers (integers are cut off, not rounded); the region goes by nearest neighbour. An axis
    with `spacing` 0, and one along which the region has one slice, keep their voxels. The new
    grid is laid on that of the region, from which that of the image may differ.

    Parameters
    ----------
    spacing : mm along x, y, z (`resampledPixelSpacing`)
    interpolator : name in SimpleITK, such as "sitkBSpline" or "sitkLinear" (`interpolator`)
    pad : voxels of the new grid to keep around the region (`padDistance`)
    dimension : 2 for the one slice of a 2-D image, which ITK rounds otherwise than one of 3-D

    Raises
    ------
    DataError
        A spacing is negative, the interpolator is unknown, the new grid has more than
        `MOST_VOXELS` voxels, or none that belongs to the region.

    >>> grid = Geometry((6, 4, 2), (1, 1, 4))
    >>> ramp = Volume(np.tile(np.arange(6.0), (2, 4, 1)), grid)
    >>> coarse, inside = resample_pyradiomics(
    ...     ramp, Mask(ramp.array >= 2, grid), (2, 2, 0), "sitkLinear", pad=0
    ... )
    >>> coarse.array[0, 0].tolist(), inside.array[0, 0].tolist(), coarse.geometry.origin
    ([0.5, 2.5, 4.5], [False, True, True], (0.5, 0.5, 0.0))
    """
    _check_not_empty(region)
    old = np.array(region.geometry.spacing)
    box = list(reversed(bounding_box(region.array)))
    wanted = _pyradiomics_spacing(old, spacing, [b.stop - b.start for b in box])
    step = Step(
        "resample_pyradiomics",
        {"spacing": wanted.tolist(), "interpolator": interpolator, "pad": pad},
    )
    if np.allclose(volume.geometry.spacing, wanted):
        return _crop(volume, _on_grid(region, volume.geometry, dimension), pad, step)
    new = _pyradiomics_grid(region.geometry, box, wanted, pad, dimension)
    voxels = prod(map(float, new.size))
    if voxels > MOST_VOXELS:
        raise DataError(
            f"Resampled to {' x '.join(f'{mm:.3g}' for mm in wanted)} mm, the region and what is "
            f"kept around it have {voxels:.3g} voxels, more than {MOST_VOXELS}.",
            remedy="Choose a larger spacing.",
            code="too-large",
        )
    array = _itk_resampled(volume.array, volume.geometry, new, interpolator, dimension=dimension)
    inside = _on_grid(region, new, dimension)
    return (
        Volume(array, new, (*volume.history, step)),
        replace(inside, history=(*region.history, step)),
    )


def onto_grid(volume: Volume, grid: Geometry) -> Volume:
    """The image at the voxels of any other grid, linear between its own; nan beyond its edge.

    The edge is half a voxel beyond the last centres.

    >>> ramp = Volume(np.arange(4.0).reshape(1, 1, 4), Geometry((4, 1, 1), (2, 1, 1)))
    >>> onto_grid(ramp, Geometry((3, 1, 1), (3, 1, 1))).array[0, 0].tolist()
    [0.0, 1.5, 3.0]
    """
    from scipy.ndimage import map_coordinates

    old, array = volume.array.astype(float), np.full(grid.shape, np.nan)
    y, x = np.indices(grid.shape[1:]).reshape(2, -1)
    for z, plane in enumerate(array.reshape(len(array), -1)):
        at = _without_noise(volume.geometry.index(grid.position(np.stack([x, y, 0 * x + z], 1))))
        there = volume.geometry.holds(at)
        plane[there] = map_coordinates(old, at[there, ::-1].T, order=1, mode="nearest")
    step = Step("resample", {"interpolation": "linear", "from": volume.geometry.describe()})
    return Volume(array, grid, (*volume.history, step))


def _on_grid(region: Mask, new: Geometry, dimension: int) -> Mask:
    """The region at the nearest voxels of another grid."""
    if region.geometry == new:
        return region
    labels = region.array.astype(np.uint8)
    inside = _itk_resampled(labels, region.geometry, new, _MASK, dimension=dimension) == 1
    if not inside.any():
        raise DataError(
            f"Resampled to {new.spacing} mm (x, y, z) {region.name!r} has no voxel "
            f"({region.n_voxels} before); choose a smaller spacing."
        )
    return Mask(inside, new, region.name, region.history)


_MASK = "sitkNearestNeighbor"


def _pyradiomics_spacing(old: Floats, spacing: Sequence[float], extent: Sequence[int]) -> Floats:
    given = np.array(spacing, dtype=float)
    if given.shape != (3,) or not np.all(np.isfinite(given)) or given.min() < 0:
        raise DataError(
            f"Resampling needs three spacings in mm along x, y, z, found {list(spacing)}; "
            "0 keeps the spacing of an axis."
        )
    return np.where((given == 0) | (np.array(extent) == 1), old, given)


def _crop(volume: Volume, region: Mask, pad: int, step: Step) -> tuple[Volume, Mask]:
    z, y, x = box = bounding_box(region.array, pad)
    size = (x.stop - x.start, y.stop - y.start, z.stop - z.start)
    grid = volume.geometry.crop((x.start, y.start, z.start), size)
    return (
        Volume(volume.array[box], grid, (*volume.history, step)),
        Mask(region.array[box], grid, region.name, (*region.history, step)),
    )


def _pyradiomics_grid(
    old: Geometry, box: Sequence[slice], wanted: Floats, pad: int, dimension: int = 3
) -> Geometry:
    """The part of PyRadiomics' new grid that holds the `box` (x, y, z) of old voxels and `pad`."""
    spacing = np.array(old.spacing)
    shrink = spacing / wanted
    start, stop = np.array([(b.start, b.stop) for b in box]).T
    first = np.maximum(np.floor((start - 0.5) * shrink - pad), 0)
    last = np.minimum(
        np.ceil((stop - 0.5) * shrink + pad), np.ceil(np.array(old.size) * shrink) - 1
    )
    nx, ny, nz = (int(n) for n in last - first + 1)
    corner = 0.5 * (wanted - spacing) / spacing + first / shrink
    x, y, z = _itk_position(old, corner, dimension)
    return Geometry((nx, ny, nz), tuple(wanted), (x, y, z), old.direction)


def _itk_image(array: Array, grid: Geometry, n: int) -> "sitk.Image":
    """Of n dimensions: the slice alone where it is two."""
    import SimpleITK as sitk

    native = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))
    image = sitk.GetImageFromArray(native if n == 3 else native[0])
    image.SetSpacing(grid.spacing[:n])
    image.SetOrigin(grid.origin[:n])
    image.SetDirection(_direction(grid, n))
    return image


def _direction(grid: Geometry, n: int) -> tuple[float, ...]:
    return tuple(np.reshape(grid.direction, (3, 3))[:n, :n].ravel().tolist())


def _itk_position(grid: Geometry, index: Floats, n: int) -> tuple[float, float, float]:
    """`grid.position(index)` in ITK's arithmetic, which decides where an integer is cut off."""
    empty = _itk_image(np.zeros((1, 1, 1), np.uint8), grid, n)
    found: tuple[float, ...] = empty.TransformContinuousIndexToPhysicalPoint(index[:n].tolist())
    x, y, z = (*found, *grid.origin[n:])
    return x, y, z


def _itk_resampled(
    array: Array, old: Geometry, new: Geometry, interpolator: str, *, dimension: int = 3
) -> Array:
    import SimpleITK as sitk

    if interpolator not in INTERPOLATORS:
        raise DataError(
            f"There is no interpolator {interpolator!r}; choose one of {', '.join(INTERPOLATORS)}."
        )
    resampler = sitk.ResampleImageFilter()
    resampler.SetSize(new.size[:dimension])
    resampler.SetOutputSpacing(new.spacing[:dimension])
    resampler.SetOutputOrigin(new.origin[:dimension])
    resampler.SetOutputDirection(_direction(new, dimension))
    resampler.SetInterpolator(getattr(sitk, interpolator))
    found = sitk.GetArrayFromImage(resampler.Execute(_itk_image(array, old, dimension)))
    return found if dimension == 3 else found[None]
