"""Nanoseconds per voxel of the region, kernel by kernel, beside what plain C needs.

The floors are measured with hand-written C on such a machine, whole numbers of 32 levels, 13
directions: co-occurrence with the background as level 0; zones by a 13-bit equality mask, a
look-up table and union-find; dependence and tone differences in one pass.

    python benchmarks/kernels.py                # writes results/kernels.json
    python benchmarks/kernels.py --case "ball 1e6" --dry
"""

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from cases import Case, cases
from peers.settings import SETS, settings
from speed import save, stay_on_one_core

from centrum.features.statistics import Intensities, statistics as first_order_features
from centrum.features.textures import Neighbourhood, Textures
from centrum.io import read_image
from centrum.kernels import hull
from centrum.kernels.convex_hull import convex_hull
from centrum.kernels.mesh import Surface, scan
from centrum.kernels.tally import Tally
from centrum.measure.extract import family_values
from centrum.measure.region import Region
from centrum.prepare.discretise import pyradiomics_bin_number
from centrum.volume import Mask, bounding_box

REPEATS = 9
BINS = 32

FLOORS = {"GLCM": 4.6, "GLSZM": 8.8, "GLRLM": 23.0, "GLDM + NGTDM": 15.5, "first order": 1.6}

Work = Callable[[], object]


def stages(case: Case) -> tuple[int, dict[str, tuple[Callable[[], Any], Callable[[Any], object]]]]:
    """Number of voxels; for each stage what is made ready, and what is timed on it."""
    image, labels = read_image(case.image).array, read_image(case.mask).array
    box = bounding_box(labels == case.label)
    inside = np.ascontiguousarray(labels[box] == case.label)
    stored = image[box][inside]
    levels = np.zeros(inside.shape, np.uint16)
    levels[inside] = pyradiomics_bin_number(stored, BINS)
    x = stored.astype(float)

    def textures(region: Any = None) -> Textures:
        return Textures(levels[None], Neighbourhood(dialect="pyradiomics"), BINS, region)

    def laid_out(region: Any = None) -> Textures:
        made = textures(region)
        _ = made.flat, made.steps
        return made

    def compared() -> Textures:
        made = laid_out()
        _ = made.equal
        return made

    def first_order(_: object) -> object:
        return first_order_features.compute(Intensities(Tally.of(x), 1.0, 0.0), "pyradiomics")

    def diameters(surface: Surface) -> object:
        rows = hull.largest_in_planes(surface.along_y, 1, 1, 1)
        slices, columns = (hull.largest_in_planes(surface.along_x, k, 1, 1) for k in (0, 1))
        corners = hull.plane_corners(surface.along_x).astype(float)
        return hull.largest_distance(corners, max(rows, slices, columns))

    return x.size, {
        "discretise": (lambda: None, lambda _: pyradiomics_bin_number(stored, BINS)),
        "layout": (textures, lambda t: (t.layout, t.flat)),
        "equality of 13 neighbours": (laid_out, lambda t: t.equal),
        "GLCM": (laid_out, lambda t: t.pair_counts),
        "GLSZM": (laid_out, lambda t: (t.equal, t.zones)),
        "GLRLM": (compared, lambda t: t.run_counts),
        "GLDM + NGTDM": (laid_out, lambda t: t.neighbourhoods),
        "first order": (lambda: None, first_order),
        "border distance of GLDZM": (lambda: laid_out(inside[None]), lambda t: t._border_distance),
        "mesh": (lambda: None, lambda _: scan(inside)),
        "diameters": (lambda: scan(inside), diameters),
        "convex hull": (lambda: hull.plane_corners(scan(inside).along_x), convex_hull),
    }


def families(case: Case, what: str) -> dict[str, float]:
    """Median CPU seconds of each family, in the order in which an extraction asks for them.

    The first to need what several share pays for it. `prepare` is all before the first.
    """
    image, labels = read_image(case.image), read_image(case.mask)
    mask = Mask(np.asarray(labels.array == case.label), labels.geometry)
    chosen = settings(what)
    seconds: dict[str, list[float]] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        start = time.process_time()
        found = work()
        seconds.setdefault(name, []).append(time.process_time() - start)
        return found

    for _ in range(REPEATS + 1):
        region = timed("prepare", lambda: Region(image, mask, chosen))
        for name in chosen.families:
            timed(name, lambda region=region, name=name: family_values([region], name))
    return {name: statistics.median(found[1:]) for name, found in seconds.items()}


def nanoseconds(ready: Callable[[], Any], work: Callable[[Any], object], voxels: int) -> float:
    """Least CPU time of several runs, per voxel; what is made ready does not count."""
    work(ready())
    seconds = []
    for _ in range(REPEATS):
        subject = ready()
        start = time.process_time()
        work(subject)
        seconds.append(time.process_time() - start)
    return min(seconds) / voxels * 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description="Nanoseconds per voxel of each kernel.")
    parser.add_argument("--case", default="", help="cases whose name holds this word")
    parser.add_argument("--dry", action="store_true", help="print only, write nothing")
    chosen = parser.parse_args()
    stay_on_one_core()
    rows: dict[str, Any] = {}
    for case in cases(chosen.case):
        voxels, found = stages(case)
        rows[case.name] = {name: nanoseconds(*stage, voxels) for name, stage in found.items()}
    print(f"{'ns per voxel':28}{'floor':>8}" + "".join(f"{name[:15]:>17}" for name in rows))
    for stage in next(iter(rows.values())):
        floor = f"{FLOORS[stage]:.1f}" if stage in FLOORS else ""
        print(f"{stage:28}{floor:>8}" + "".join(f"{row[stage]:17.1f}" for row in rows.values()))
    parts = {what: {c.name: families(c, what) for c in cases(chosen.case)} for what in SETS}
    for what, by_case in parts.items():
        show(what, by_case)
    if not chosen.dry:
        save("kernels", {"floors": FLOORS, "cases": rows, "families": parts})


def show(what: str, by_case: dict[str, dict[str, float]]) -> None:
    """Print the families of one set of features."""
    print(f"\n{'ms, ' + what:36}" + "".join(f"{name[:15]:>17}" for name in by_case))
    for family in next(iter(by_case.values())):
        print(f"{family:36}" + "".join(f"{row[family] * 1e3:17.2f}" for row in by_case.values()))


if __name__ == "__main__":
    main()
