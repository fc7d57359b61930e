"""Cases per second: 100 patients x 2 readers of vertebral size, all families, 1 and 2 processes.

Everything that a study does with a case is part of it: reading the compressed image and both
masks, checks, all families but shape2D, overlap of the readers, and the store.

    python benchmarks/throughput.py             # writes results/throughput.json
    python benchmarks/throughput.py --patients 10 --dry
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import SimpleITK as sitk
from cases import MADE
from isal import igzip
from peers.processes import ONE_THREAD

from centrum.execution import map_jobs
from centrum.features.settings import ExtractionSettings, FamilyName
from centrum.measure.case import MeasurementJob, measure, warm_up
from centrum.protocol import Images

FAMILIES = tuple(name for name in get_args(FamilyName) if name != "shape2D")
SETTINGS = ExtractionSettings(families=FAMILIES, aggregations=("3D_averaged",), plane="axial")
READERS = {"R1": 1.0, "R2": 1.03}
"""How large each reader draws the body."""


def write_cohort(folder: Path, patients: int) -> None:
    """Images and masks, every patient's different; compressed as fast as may be."""
    body = MADE["vertebral body"]
    noise = body.image()
    for k in range(patients):
        image = np.roll(noise, 37 * k, axis=(0, 1))
        _write(folder / f"{k:03d}.nii.gz", image)
        for reader, scale in READERS.items():
            x, y, z = body.half_axes
            size = (1 + 0.001 * (k % 40)) * scale
            drawn = replace(body, half_axes=(x * size, y * size, z))
            _write(folder / f"{k:03d}-{reader}.nii.gz", drawn.inside().astype(np.uint8))


def _write(path: Path, array: np.ndarray) -> None:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(MADE["vertebral body"].spacing)
    plain = path.with_suffix("")
    sitk.WriteImage(image, str(plain))
    path.write_bytes(igzip.compress(plain.read_bytes(), compresslevel=1))
    plain.unlink()


def jobs(folder: Path, patients: int, store: Path) -> list[MeasurementJob]:
    """One job per patient, as a study makes them."""
    return [
        MeasurementJob(
            case=f"{k:03d}",
            image=str(folder / f"{k:03d}.nii.gz"),
            masks={reader: str(folder / f"{k:03d}-{reader}.nii.gz") for reader in READERS},
            images=Images(),
            extraction=SETTINGS,
            store=store,
        )
        for k in range(patients)
    ]


def run(folder: Path, patients: int, workers: int) -> dict[str, Any]:
    """Wall seconds and cases per second, once the kernels are compiled.

    `steady` is the rate from the first cases to the last, without starting the processes.
    """
    warm_up(SETTINGS)
    with tempfile.TemporaryDirectory() as store:
        begin, done = time.perf_counter(), []
        for job, record in map_jobs(measure, jobs(folder, patients, Path(store)), workers):
            if record["errors"]:
                raise SystemExit(f"case {job.case}: {record['errors']}")
            done.append(time.perf_counter())
    wall, first = done[-1] - begin, workers - 1
    return {
        "workers": workers,
        "wall": wall,
        "per_second": patients * len(READERS) / wall,
        "steady": (len(done) - workers) * len(READERS) / (done[-1] - done[first]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Cases per second.")
    parser.add_argument("--patients", type=int, default=100)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--folder", type=Path, help="of a cohort that is written already")
    parser.add_argument("--dry", action="store_true", help="print only, write nothing")
    chosen = parser.parse_args()
    if chosen.folder is not None:
        print(json.dumps(run(chosen.folder, chosen.patients, chosen.workers[0])))
        return
    with tempfile.TemporaryDirectory() as folder:
        write_cohort(Path(folder), chosen.patients)
        rows = [_in_process_of_its_own(folder, chosen.patients, n) for n in chosen.workers]
    print(f"{chosen.patients * len(READERS)} cases: {chosen.patients} patients, 2 readers")
    for row in rows:
        scaling = rows[0]["wall"] / row["wall"]
        print(
            f"  {row['workers']} processes: {row['per_second']:.1f} cases/s, wall "
            f"{row['wall']:.2f} s, {scaling:.2f} x; once started {row['steady']:.1f} cases/s, "
            f"{row['steady'] / rows[0]['steady']:.2f} x"
        )
    if not chosen.dry:
        from speed import save

        save("throughput", {"patients": chosen.patients, "readers": 2, "runs": rows})


def _in_process_of_its_own(folder: str, patients: int, workers: int) -> dict[str, Any]:
    """So that the CPU seconds of one run's workers do not fall into the next."""
    arguments = ["--folder", folder, "--patients", str(patients), "--workers", str(workers)]
    done = subprocess.run(
        [sys.executable, __file__, *arguments],
        env=os.environ | ONE_THREAD,
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    main()
