"""Time reading: an image and a mask of vertebral size, as hospitals and 3D Slicer store them.

Beside centrum, which also verifies the checksum, takes the digest and refuses damaged files,
stand SimpleITK and zlib alone.

    python benchmarks/reading.py                # writes results/reading.json
"""

import argparse
import statistics
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import SimpleITK as sitk
from cases import MADE, made
from speed import save, stay_on_one_core

from centrum.io import read_image, read_mask
from centrum.io.gzipped import decompress

NAMES = ("image.nii.gz", "image.nrrd", "mask.nii.gz", "mask.seg.nrrd")
REPEATS = 15


def cpu(work: Callable[[], object]) -> float:
    """Median CPU seconds after a run that does not count."""
    work()
    seconds = []
    for _ in range(REPEATS):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return statistics.median(seconds)


def compressed(folder: Path) -> dict[str, Path]:
    """The vertebral body's files in the formats they come in, all compressed."""
    case = made("vertebral body", MADE["vertebral body"])
    paths = {name: folder / name for name in NAMES}
    for name, path in paths.items():
        source = case.image if name.startswith("image") else case.mask
        sitk.WriteImage(sitk.ReadImage(str(source)), str(path), True)
    return paths


def measure(path: Path) -> dict[str, Any]:
    """CPU seconds of reading one file in each way."""
    stored = path.read_bytes()
    packed = stored[stored.index(b"\x1f\x8b") :]
    most = len(zlib.decompress(packed, 31))
    geometry = read_image(path).geometry
    ours = (
        (lambda: read_image(path))
        if path.name.startswith("image")
        else (lambda: read_mask(path, geometry))
    )
    return {
        "bytes": len(stored),
        "centrum": cpu(ours),
        "of which ISA-L": cpu(lambda: decompress(packed, most)),
        "SimpleITK": cpu(lambda: sitk.GetArrayFromImage(sitk.ReadImage(str(path)))),
        "zlib": cpu(lambda: zlib.decompress(packed, 31)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Time reading images and masks.")
    parser.add_argument("--dry", action="store_true", help="print only, write nothing")
    chosen = parser.parse_args()
    stay_on_one_core()
    with tempfile.TemporaryDirectory() as folder:
        rows = {name: measure(path) for name, path in compressed(Path(folder)).items()}
    print(f"{'CPU milliseconds':16}" + "".join(f"{k:>16}" for k in next(iter(rows.values()))))
    for name, row in rows.items():
        shown = "".join(
            f"{v * 1e3:16.1f}" if isinstance(v, float) else f"{v:16d}" for v in row.values()
        )
        print(f"{name:16}{shown}")
    if not chosen.dry:
        save("reading", {"files": rows})


if __name__ == "__main__":
    main()
