"""How alike normal marrow is in different exams, before and after each preparation.

Eight lumbar T2w exams of healthy people (`reference/spine_mri`), seven vertebral bodies each.
Their voxels are 8 bits, scaled per exam to minimum and maximum, with air at 21 to 37: every
mean is taken above the air level of its own prepared image, so that the offset counts nowhere.

    python benchmarks/spine_preparation.py --out build/spine     # pictures go there

writes results/spine_preparation.json. The pictures show patients whose images must not be
passed on: keep them out of the repository.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from numpy.typing import NDArray
from speed import save

from centrum.geometry import slice_axis
from centrum.io import list_segments, read_image, read_mask
from centrum.prepare.bias_field import correct_bias_field
from centrum.prepare.body import BodyMask, air_level, find_body
from centrum.prepare.image import prepare_image
from centrum.prepare.normalise import relate_to_tissue, subtract_air
from centrum.prepare.nyul import landmarks_of, standard_scale
from centrum.prepare.settings import BiasField, Nyul, Preparation, ReferenceTissue
from centrum.volume import Mask, Volume

matplotlib.use("Agg")
from matplotlib import pyplot as plt

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = Path(os.environ.get("CENTRUM_REFERENCE", ROOT.parent / "shared" / "reference"))

SHRINK_FACTORS = (8, 4)
"""The first is used for everything, the others are timed."""

Rows = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Exam:
    """An image with its vertebral bodies, T11 to L5."""

    folder: Path

    @cached_property
    def volume(self) -> Volume:
        return subtract_air(self.stored)

    @cached_property
    def stored(self) -> Volume:
        return read_image(self.folder / "T2w.nii.gz")

    @cached_property
    def body(self) -> BodyMask:
        return find_body(self.volume)

    @cached_property
    def bodies(self) -> list[Mask]:
        path = self.folder / "seg-vb.nii.gz"
        names = [segment.name for segment in list_segments(path)]
        return [read_mask(f"{path}#{name}", self.stored.geometry) for name in names]

    @cached_property
    def corrected(self) -> Volume:
        return correct_bias_field(
            self.volume, BiasField(shrink_factor=SHRINK_FACTORS[0]), self.body
        )

    def source(self, n4: bool) -> Volume:
        return self.corrected if n4 else self.volume


Method = Callable[[list[Exam], int, bool], Volume]


def only(**normalisation: Any) -> Method:
    """A normalisation that looks at one exam."""
    settings = Preparation(normalisation=normalisation) if normalisation else Preparation()
    return lambda exams, k, n4: prepare_image(exams[k].source(n4), settings)


def nyul(exams: list[Exam], k: int, n4: bool) -> Volume:
    """On the standard scale of the seven other exams."""
    settings = Nyul()
    others = [e for i, e in enumerate(exams) if i != k]
    found = [landmarks_of(e.source(n4), settings.percentiles, e.body.inside) for e in others]
    learnt = settings.model_copy(update={"landmarks": tuple(standard_scale(found, settings.range))})
    return prepare_image(exams[k].source(n4), Preparation(normalisation=learnt))


METHODS: dict[str, Method] = {
    "none, air subtracted": only(),
    "z-score, whole image": only(method="z_score", over="image"),
    "z-score, body": only(method="z_score"),
    "percentiles 1 to 99 of the body": only(method="percentile"),
    "Nyul, learnt on the other seven": nyul,
}
REFERENCE_NAME = "reference tissue: the next body"


def means(volume: Volume, bodies: list[Mask]) -> list[float]:
    """Of each body, above the air of the image."""
    air = air_level(volume)
    return [float(volume.array[mask.array].mean() - air) for mask in bodies]


def neighbours(exam: Exam, n4: bool) -> list[float]:
    """Mean of each body over that of the body below (of L5 the one above)."""
    settings, source = ReferenceTissue(scale=1.0), exam.source(n4)
    found = []
    for k, mask in enumerate(exam.bodies):
        below = exam.bodies[k + 1 if k + 1 < len(exam.bodies) else k - 1]
        related = relate_to_tissue(source, below, settings)
        found.append(float(related.array[mask.array].mean()))
    return found


def variation(values: NDArray[np.float64], axis: int) -> float:
    """Mean coefficient of variation along an axis, in per cent."""
    return float(100 * (values.std(axis=axis, ddof=1) / values.mean(axis=axis)).mean())


def row(levels: list[list[float]], *, of_exams: bool = True) -> dict[str, float | None]:
    """Figures of a method from the means of the bodies, (exams, bodies).

    `exams`: CV of the exams' means; `body`: CV between exams of one body, mean over the seven;
    `within`: CV of the seven bodies of an exam, mean over exams.
    """
    x = np.array(levels)
    exams = variation(x.mean(axis=1), 0) if of_exams else None
    return {"exams": exams, "body": variation(x, 0), "within": variation(x, 1)}


def rows(exams: list[Exam]) -> Iterator[tuple[str, dict[str, float | None]]]:
    """Every method without and with N4."""
    stored = [[float(e.stored.array[m.array].mean()) for m in e.bodies] for e in exams]
    yield "as stored, with its offset", row(stored)
    for n4 in (False, True):
        for name, method in METHODS.items():
            found = [means(method(exams, k, n4), e.bodies) for k, e in enumerate(exams)]
            yield (f"N4, {name}" if n4 else name), row(found)
        found = [neighbours(e, n4) for e in exams]
        name = f"N4, {REFERENCE_NAME}" if n4 else REFERENCE_NAME
        # The mean of ratios of neighbours to each other is near 1 whatever the exam.
        yield name, row(found, of_exams=False)


def seconds(exams: list[Exam]) -> dict[str, list[float]]:
    """CPU seconds of N4 for each exam, by shrink factor."""
    found: dict[str, list[float]] = {}
    for factor in SHRINK_FACTORS:
        for exam in exams:
            body, volume = exam.body, exam.volume
            start = time.process_time()
            correct_bias_field(volume, BiasField(shrink_factor=factor), body)
            found.setdefault(str(factor), []).append(time.process_time() - start)
    return found


# Pictures


def sagittal(volume: Volume, array: NDArray[Any] | None = None) -> NDArray[Any]:
    """The middle sagittal slice, head up and face to the left."""
    axis = slice_axis(volume.geometry, "sagittal")
    source = volume.array if array is None else array
    plane = np.take(source, source.shape[axis] // 2, axis=axis)
    directions = np.delete(volume.geometry.axes[:, ::-1], axis, axis=1)
    if abs(directions[2, 0]) < abs(directions[2, 1]):
        plane, directions = plane.T, directions[:, ::-1]
    return plane[:: -1 if directions[2, 0] > 0 else 1, :: -1 if directions[1, 1] < 0 else 1]


def picture(path: Path, titles: list[str], panels: list[list[tuple[Any, ...]]]) -> None:
    """A grid of pictures; a panel is (array, lowest, highest, colours, outline)."""
    size = (1.55 * len(panels[0]), 2.75 * len(panels))
    figure, axes = plt.subplots(
        len(panels), len(panels[0]), figsize=size, squeeze=False, layout="constrained"
    )
    for title, line, row_axes in zip(titles, panels, axes, strict=True):
        for (array, low, high, colours, outline), axis in zip(line, row_axes, strict=True):
            shown = axis.imshow(array, cmap=colours, vmin=low, vmax=high, interpolation="bilinear")
            if outline is not None:
                axis.contour(outline, [0.5], colors="#ff9d2e", linewidths=0.7)
            axis.set_xticks([])
            axis.set_yticks([])
        row_axes[0].set_ylabel(title, fontsize=9)
        if colours != "gray":
            figure.colorbar(shown, ax=list(row_axes), fraction=0.02, pad=0.01)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def pictures(exams: list[Exam], folder: Path) -> None:
    """Before and after N4; every normalisation in one window of intensity for all exams."""
    folder.mkdir(parents=True, exist_ok=True)
    before, after, fields = [], [], []
    for exam in exams:
        top = float(np.percentile(exam.volume.array, 97))
        field = np.full(exam.volume.array.shape, np.nan)
        shown = exam.body.inside & (exam.corrected.array > 0)
        field[shown] = exam.volume.array[shown] / exam.corrected.array[shown]
        outline = sagittal(exam.volume, exam.body.inside)
        before.append((sagittal(exam.volume), 0, top, "gray", outline))
        after.append((sagittal(exam.corrected), 0, top, "gray", None))
        fields.append((sagittal(exam.volume, np.log2(field)), -1.5, 1.5, "RdBu_r", None))
    titles = ["before, body outlined", "after N4", "log2 of the field"]
    picture(folder / "n4.png", titles, [before, after, fields])
    for n4 in (False, True):
        lines = []
        for method in METHODS.values():
            shown = [method(exams, k, n4) for k in range(len(exams))]
            low = float(np.median([air_level(v) for v in shown]))
            marrow = np.median(
                [np.median(means(v, e.bodies)) for v, e in zip(shown, exams, strict=True)]
            )
            lines.append([(sagittal(v), low, low + 3.2 * marrow, "gray", None) for v in shown])
        lines.append(_related(exams, n4))
        titles = [*METHODS, REFERENCE_NAME]
        name = "normalised-n4.png" if n4 else "normalised.png"
        picture(folder / name, [t.replace(", ", ",\n").replace(": ", ":\n") for t in titles], lines)


def _related(exams: list[Exam], n4: bool) -> list[tuple[Any, ...]]:
    """Exams over their L3, as for a fracture of L2."""
    settings = ReferenceTissue(scale=1.0)
    related = (relate_to_tissue(e.source(n4), e.bodies[4], settings) for e in exams)
    return [(sagittal(v), 0, 3.2, "gray", None) for v in related]


# Report


def table(found: dict[str, dict[str, float | None]]) -> str:
    """The figures as Markdown."""
    lines = ["| preparation | exams | one body | within an exam |", "|---|---|---|---|"]
    for name, figures in found.items():
        cells = [f"{v:.1f} %" if v is not None else "" for v in figures.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Normal marrow before and after preparation.")
    parser.add_argument("--out", type=Path, default=Path("build/spine"), help="for pictures")
    parser.add_argument("--dry", action="store_true", help="print only, write no JSON")
    chosen = parser.parse_args()
    exams = [Exam(folder) for folder in sorted((REFERENCE / "spine_mri").glob("chu2015_*"))]
    if not exams:
        raise SystemExit(f"no exams in {REFERENCE} (set CENTRUM_REFERENCE)")
    found = dict(rows(exams))
    print(table(found))
    pictures(exams, chosen.out)
    times = seconds(exams)
    for factor, each in times.items():
        print(f"N4, shrink factor {factor}: {np.median(each):.1f} CPU s (largest {max(each):.1f})")
    if not chosen.dry:
        shapes = [list(e.stored.geometry.size) for e in exams]
        save("spine_preparation", {"sizes": shapes, "cv_percent": found, "n4_cpu_seconds": times})


if __name__ == "__main__":
    main()
