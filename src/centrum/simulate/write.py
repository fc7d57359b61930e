"""The phantom cohort on disk, as a user's own data would lie there."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from centrum.cohort.manifest import write_manifest
from centrum.cohort.phantom import MARKER, NOTICE
from centrum.errors import DataError
from centrum.execution import Progress, run_jobs, silent
from centrum.geometry import Geometry
from centrum.io.nrrd import SIMULATED_KEY
from centrum.provenance import __version__
from centrum.records import as_json
from centrum.simulate.cohort import SimulatedPatient, plan_cohort
from centrum.simulate.readers import READERS, draw_readers
from centrum.simulate.render import READING, render
from centrum.simulate.settings import PhantomSettings
from centrum.volume import Mask, Volume

MANIFEST = "cases.csv"

CROPPED_READERS = ("resident",)
"""Readers whose masks are cropped to the segment, as 3D Slicer does when told to."""

COMPRESSION_LEVEL = 1
"""gzip, fastest: noise does not shrink much more at higher levels."""

SEGMENT_COLOUR = "0.945098 0.839216 0.568627"
"""3D Slicer's colour of bone."""


def simulate_cohort(
    settings: PhantomSettings,
    folder: Path | str,
    *,
    workers: int = 1,
    progress: Progress = silent,
    force: bool = False,
) -> Path:
    """Write images, masks of both readers, the manifest and the marker; the manifest's path.

    Parameters
    ----------
    settings : what to simulate
    folder : made when absent; files of the same names are replaced
    workers : local processes
    force : write cases again that are already there from the same settings and version

    The manifest is written last and taken away first: there is never one without its marker,
    and a cohort without a manifest is not whole and is begun again.
    """
    folder = Path(folder)
    marker, manifest = folder / MARKER, folder / MANIFEST
    whole = marker.exists() and manifest.exists()
    if whole and _content(marker) == _marker(settings) and not force:
        return manifest
    manifest.unlink(missing_ok=True)
    marker.unlink(missing_ok=True)
    patients = plan_cohort(settings)
    one = partial(simulate_case, settings=settings, out_dir=folder)
    run_jobs(one, patients, workers, progress, "Simulating patients")
    marker.write_bytes((json.dumps(_marker(settings), indent=2) + "\n").encode())
    rows = [_row(patient, settings) for patient in patients]
    heads = list(rows[0]) if rows else ["case"]
    return write_manifest(heads, (list(row.values()) for row in rows), manifest)


def simulate_case(patient: SimulatedPatient, settings: PhantomSettings, out_dir: Path | str) -> str:
    """Write the image and both readers' masks of one patient; its id.

    The same patient and settings give the same bytes, in any order and in any process.
    """
    image, truth = render(patient, settings)
    masks = draw_readers(truth, patient.generator(settings, READING))
    paths = case_paths(patient)
    for path in paths.values():
        (Path(out_dir) / path).parent.mkdir(parents=True, exist_ok=True)
    _write_image(image, Path(out_dir) / paths["image"])
    for reader, mask in masks.items():
        cropped = reader in CROPPED_READERS
        _write_segmentation(mask, Path(out_dir) / paths[f"mask:{reader}"], cropped=cropped)
    return patient.id


def case_paths(patient: SimulatedPatient) -> dict[str, str]:
    """Files of a patient relative to the cohort's folder, by manifest column.

    >>> patient = plan_cohort(PhantomSettings(n_malignant=1, n_osteoporotic=0))[0]
    >>> case_paths(patient)["mask:senior"]
    'masks/P001_senior.seg.nrrd'
    """
    masks = {f"mask:{name}": f"masks/{patient.id}_{name}.seg.nrrd" for name in READERS}
    return {"image": f"images/{patient.id}.nrrd", **masks}


def _row(patient: SimulatedPatient, settings: PhantomSettings) -> dict[str, object]:
    person, sequence = patient.person, patient.protocol(settings).sequence
    files = {
        column: f"{path}#{patient.level.name}" if column.startswith("mask") else path
        for column, path in case_paths(patient).items()
    }
    return {
        "case": patient.id,
        "patient": patient.id,
        "level": patient.level.name,
        "outcome": person.outcome,
        "centre": settings.centre,
        "age": person.age,
        "sex": person.sex,
        "tumour": person.tumour or "none",
        "tr_ms": f"{sequence.tr_ms:g}",
        "te_ms": f"{sequence.te_ms:g}",
        **files,
    }


def _marker(settings: PhantomSettings) -> dict[str, Any]:
    given = as_json(settings)
    return {"notice": NOTICE, "simulated": True, "version": __version__, "settings": given}


def _content(marker: Path) -> Any:
    return json.loads(marker.read_text(encoding="utf-8"))


def _write_image(image: Volume, path: Path) -> None:
    _write(_sitk_image(image.array, image.geometry), path, {})


def _write_segmentation(mask: Mask, path: Path, *, cropped: bool) -> None:
    """One segment, label 1, with the header keys of 3D Slicer."""
    start, end = _extent(mask)
    array, geometry = mask.array, mask.geometry
    first = (0, 0, 0)
    if cropped:
        first = start
        size = tuple(e - s + 1 for s, e in zip(start, end, strict=True))
        geometry = geometry.crop(start, (size[0], size[1], size[2]))
        box = tuple(slice(s, e + 1) for s, e in zip(start[::-1], end[::-1], strict=True))
        array = array[box]
    extent = " ".join(f"{s - f} {e - f}" for s, e, f in zip(start, end, first, strict=True))
    _write(
        _sitk_image(array.astype(np.uint8), geometry), path, _segment_keys(mask.name, extent, first)
    )


def _extent(mask: Mask) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """First and last index of the segment along x, y, z."""
    z, y, x = (np.flatnonzero(mask.array.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1)))
    return (int(x[0]), int(y[0]), int(z[0])), (int(x[-1]), int(y[-1]), int(z[-1]))


def _segment_keys(name: str, extent: str, offset: tuple[int, int, int]) -> dict[str, str]:
    """Source: 3D Slicer developer guide, "Segmentation labelmap file format (.seg.nrrd)"."""
    return {
        "Segment0_Color": SEGMENT_COLOUR,
        "Segment0_ColorAutoGenerated": "0",
        "Segment0_Extent": extent,
        "Segment0_ID": "Segment_1",
        "Segment0_LabelValue": "1",
        "Segment0_Layer": "0",
        "Segment0_Name": name,
        "Segment0_NameAutoGenerated": "0",
        "Segmentation_ContainedRepresentationNames": "Binary labelmap|",
        "Segmentation_MasterRepresentation": "Binary labelmap",
        "Segmentation_ReferenceImageExtentOffset": " ".join(str(k) for k in offset),
    }


def _sitk_image(array: np.ndarray, geometry: Geometry) -> sitk.Image:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(geometry.spacing)
    image.SetOrigin(geometry.origin)
    image.SetDirection(geometry.direction)
    return image


def _write(image: sitk.Image, path: Path, keys: dict[str, str]) -> None:
    for key, value in {**keys, SIMULATED_KEY: NOTICE}.items():
        image.SetMetaData(key, value)
    writer = sitk.ImageFileWriter()
    writer.SetFileName(str(path))
    writer.SetImageIO("NrrdImageIO")
    writer.UseCompressionOn()
    writer.SetCompressionLevel(COMPRESSION_LEVEL)
    try:
        writer.Execute(image)
    except RuntimeError as error:  # of which the library tells no more
        raise DataError(
            f"{path.name} could not be written.",
            remedy="Look whether the disk is full, and whether you may write to the folder.",
            code="not-written",
            file=path,
        ) from error
