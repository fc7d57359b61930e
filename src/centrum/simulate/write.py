"""The phantom cohort on disk, as a user's own data would lie there."""

import json
from functools import partial
from pathlib import Path
from typing import Any

from centrum.cohort.manifest import write_manifest
from centrum.cohort.phantom import MARKER, NOTICE
from centrum.execution import Progress, run_jobs, silent
from centrum.io.nrrd import SIMULATED_KEY
from centrum.io.write import write_image, write_masks
from centrum.provenance import __version__
from centrum.records import as_json
from centrum.simulate.cohort import SimulatedPatient, plan_cohort
from centrum.simulate.readers import READERS, draw_readers
from centrum.simulate.render import READING, level_above, render_two
from centrum.simulate.settings import PhantomSettings

MANIFEST = "cases.csv"

CROPPED_READERS = ("resident",)
"""Readers whose masks are cropped to the segment, as 3D Slicer does when told to."""


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
    image, truth, above = render_two(patient, settings)
    hand = patient.generator(settings, READING)
    drawn = [draw_readers(truth, hand)]
    drawn += [draw_readers(above, hand)] if settings.above else []
    paths = case_paths(patient)
    for path in paths.values():
        (Path(out_dir) / path).parent.mkdir(parents=True, exist_ok=True)
    notice = {SIMULATED_KEY: NOTICE}
    write_image(image, Path(out_dir) / paths["image"], notice)
    for reader in READERS:
        file = Path(out_dir) / paths[f"mask:{reader}"]
        masks = [by_reader[reader] for by_reader in drawn]
        write_masks(masks, file, cropped=reader in CROPPED_READERS, keys=notice)
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
    if settings.above:
        files |= {
            f"mask:{name}:above": f"{case_paths(patient)[f'mask:{name}']}#{level_above(patient)}"
            for name in READERS
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
