"""The cases of the speed comparison: files that every tool reads its own way.

The made ones depend on nothing but this file. They are written once, uncompressed, to
build/bench-cases.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "bench-cases"
REFERENCE = Path(os.environ.get("CENTRUM_REFERENCE", ROOT.parent / "shared" / "reference"))

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Case:
    """An image and a label image, as files, and the label of the region."""

    name: str
    image: Path
    mask: Path
    label: int = 1

    def task(self) -> dict[str, object]:
        """What a tool's process is told to load."""
        return {"image": str(self.image), "mask": str(self.mask), "label": self.label}

    def region(self) -> tuple[int, tuple[int, ...]]:
        """Number of voxels, and shape (z, y, x) of the box around them."""
        inside = sitk.GetArrayFromImage(sitk.ReadImage(str(self.mask))) == self.label
        spans = [np.flatnonzero(inside.any(axis=a)) for a in ((1, 2), (0, 2), (0, 1))]
        return int(inside.sum()), tuple(int(s[-1] - s[0]) + 1 for s in spans)


@dataclass(frozen=True)
class Body:
    """A made case: superellipsoid `|x/a|^p + |y/b|^p + |z/c|^p <= 1` in the middle of a grid.

    `size`, `spacing` (mm) and the half axes `a, b, c` (voxels) are in the order x, y, z.
    """

    size: tuple[int, int, int]
    spacing: Triple
    half_axes: Triple
    power: float = 2

    def inside(self) -> NDArray[np.bool_]:
        """The region, [z, y, x]."""
        terms = [
            (np.abs(np.arange(n) - (n - 1) / 2) / h) ** self.power
            for n, h in zip(self.size, self.half_axes, strict=True)
        ]
        x, y, z = terms
        return np.asarray(z[:, None, None] + y[:, None] + x <= 1)

    def image(self) -> NDArray[np.int16]:
        """Noise of two grain sizes, mean 500, SD about 70: neither flat nor white."""
        rng = np.random.default_rng(2024)
        fine = rng.standard_normal(self.size[::-1], dtype=np.float32)
        coarse = gaussian_filter(fine, 2.0, mode="wrap")
        texture = 45 * fine + 55 * coarse / coarse.std()
        return np.asarray(np.rint(500 + texture), dtype=np.int16)


def ball(voxels: int) -> Body:
    """A ball of about that many voxels of 1 mm, 8 voxels of background around it."""
    radius = (voxels * 3 / 4 / np.pi) ** (1 / 3)
    n = 2 * int(radius + 9)
    return Body((n, n, n), (1, 1, 1), (radius, radius, radius))


MADE = {
    "vertebral body": Body((512, 512, 15), (0.55, 0.55, 4.4), (27.6, 21.7, 4.1), power=4),
    "ball 1e4": ball(10_000),
    "ball 1e5": ball(100_000),
    "ball 1e6": ball(1_000_000),
    "2e6 in 512x512x200": Body((512, 512, 200), (0.7, 0.7, 1.0), (92, 80, 65)),
}

WARM = Body((24, 24, 12), (1, 1, 2), (8, 8, 4))
"""Too small to weigh anything; for memory it warms a tool up."""


def made(name: str, body: Body) -> Case:
    """The case of `body`, written unless it is there."""
    folder = FOLDER / name.replace(" ", "-")
    case = Case(name, folder / "image.nrrd", folder / "mask.nrrd")
    for path, array in ((case.image, body.image), (case.mask, body.inside)):
        if not path.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            _write(path, np.asarray(array()), body.spacing)
    return case


def _write(path: Path, array: NDArray, spacing: Triple) -> None:
    image = sitk.GetImageFromArray(array.astype(np.uint8) if array.dtype == bool else array)
    image.SetSpacing(spacing)
    unfinished = path.with_name(f"unfinished-{path.name}")
    sitk.WriteImage(image, str(unfinished))
    unfinished.replace(path)


def lung2() -> Case | None:
    """The lesion of PyRadiomics' test cases; None without the reference material."""
    folder = REFERENCE / "pyradiomics"
    case = Case("lung2", folder / "lung2_image.nrrd", folder / "lung2_label.nrrd")
    return case if case.image.is_file() else None


def real_vertebra() -> Case | None:
    """L1 of a real lumbar MRI, 1 mm voxels; None without the reference material."""
    folder = REFERENCE / "spine_mri" / "chu2015_02"
    case = Case("real vertebra", folder / "T2w.nii.gz", folder / "seg-vb.nii.gz", label=20)
    return case if case.image.is_file() else None


def cases(wanted: str = "") -> list[Case]:
    """The cases whose name holds the word, in the order of the report."""
    makers: dict[str, Callable[[], Case | None]] = {
        name: (lambda name=name, body=body: made(name, body)) for name, body in MADE.items()
    }
    first, *others = makers.items()
    ordered = dict([first, ("real vertebra", real_vertebra), ("lung2", lung2), *others])
    found = [maker() for name, maker in ordered.items() if wanted in name]
    return [case for case in found if case is not None]
