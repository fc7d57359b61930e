"""Regions per second of a cohort: 100 patients x 2 readers of vertebral size, 1 and 2 processes.

Everything that a study does with a case is part of it: reading the compressed image and both
masks, checks, features, overlap of the readers, and the store. Two protocols: all families but
shape2D of the image alone, and the preset vcf-t2w with its normalisation, interpolation and
filters, 839 features. CPU seconds are those of a run in one process.

    python benchmarks/throughput.py             # writes results/throughput.json
    python benchmarks/throughput.py --patients 10 --dry
"""

import argparse
import json
import os
import resource
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
from centrum.prepare.settings import Preparation
from centrum.protocol import Images, load_preset

FAMILIES = tuple(name for name in get_args(FamilyName) if name != "shape2D")
PRESET = load_preset("vcf-t2w")
PROTOCOLS = {
    "all families": (
        ExtractionSettings(families=FAMILIES, aggregations=("3D_averaged",), plane="axial"),
        Preparation(),
    ),
    "vcf-t2w": (PRESET.extraction.model_copy(update={"plane": "axial"}), PRESET.preparation),
}
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


def jobs(folder: Path, patients: int, store: Path, protocol: str) -> list[MeasurementJob]:
    """One job per patient, as a study makes them."""
    extraction, preparation = PROTOCOLS[protocol]
    return [
        MeasurementJob(
            case=f"{k:03d}",
            image=str(folder / f"{k:03d}.nii.gz"),
            masks={reader: str(folder / f"{k:03d}-{reader}.nii.gz") for reader in READERS},
            images=Images(),
            extraction=extraction,
            preparation=preparation,
            store=store,
        )
        for k in range(patients)
    ]


def run(folder: Path, patients: int, workers: int, protocol: str) -> dict[str, Any]:
    """Wall seconds and regions per second, once the kernels are compiled.

    `steady` is the rate from the first cases to the last, without starting the processes.
    """
    warm_up(PROTOCOLS[protocol][0])
    with tempfile.TemporaryDirectory() as store:
        begin, used, done = time.perf_counter(), cpu_seconds(), []
        wanted = jobs(folder, patients, Path(store), protocol)
        for job, record in map_jobs(measure, wanted, workers):
            if record["errors"]:
                raise SystemExit(f"case {job.case}: {record['errors']}")
            done.append(time.perf_counter())
        features = len(record["values"]["R1"])
    wall, first = done[-1] - begin, workers - 1
    return {
        "protocol": protocol,
        "features": features,
        "workers": workers,
        "wall": wall,
        "cpu": cpu_seconds() - used if workers == 1 else None,
        "per_second": patients * len(READERS) / wall,
        "steady": (len(done) - workers) * len(READERS) / (done[-1] - done[first]),
    }


def cpu_seconds() -> float:
    """User and system time of this process; others are forked from one that is not its child."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description="Regions per second.")
    parser.add_argument("--patients", type=int, default=100)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--protocol", nargs="+", choices=PROTOCOLS, default=[*PROTOCOLS])
    parser.add_argument("--folder", type=Path, help="of a cohort that is written already")
    parser.add_argument("--dry", action="store_true", help="print only, write nothing")
    chosen = parser.parse_args()
    if chosen.folder is not None:
        (protocol,), (workers,) = chosen.protocol, chosen.workers
        print(json.dumps(run(chosen.folder, chosen.patients, workers, protocol)))
        return
    with tempfile.TemporaryDirectory() as folder:
        write_cohort(Path(folder), chosen.patients)
        rows = [
            _in_process_of_its_own(folder, chosen.patients, n, protocol)
            for protocol in chosen.protocol
            for n in chosen.workers
        ]
    print(f"{chosen.patients * len(READERS)} regions: {chosen.patients} patients, 2 readers")
    for row in rows:
        cpu = "" if row["cpu"] is None else f", CPU {row['cpu']:.2f} s"
        print(
            f"  {row['protocol']}, {row['features']} features, {row['workers']} processes: "
            f"{row['per_second']:.1f} regions/s, wall {row['wall']:.2f} s{cpu}; "
            f"once started {row['steady']:.1f} regions/s"
        )
    if not chosen.dry:
        from speed import save

        save("throughput", {"patients": chosen.patients, "readers": 2, "runs": rows})


def _in_process_of_its_own(
    folder: str, patients: int, workers: int, protocol: str
) -> dict[str, Any]:
    """So that one run does not find what another has loaded."""
    arguments = ["--folder", folder, "--patients", str(patients), "--workers", str(workers)]
    arguments += ["--protocol", protocol]
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
