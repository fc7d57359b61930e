"""The beginning of a study: `init` on a folder of images, `simulate`, and what can be measured."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from centrum.cohort import Cohort
from centrum.cohort.archive.exams import ArchiveChoices
from centrum.cohort.archive.series import SeriesWanted
from centrum.cohort.clinical import ClinicalTable as ClinicalTable, Merged, merge_table
from centrum.cohort.discover import Discovery, discover
from centrum.cohort.phantom import is_phantom
from centrum.cohort.pseudonyms import KEY, about_key, pseudonymised, write_key
from centrum.errors import ManifestError, ProtocolError
from centrum.execution import Progress, silent
from centrum.features.families import FAMILIES
from centrum.io.weighting import named_weighting
from centrum.measure.label_checks import SAY_THE_REGION
from centrum.protocol import Images, parse_protocol, preset_text
from centrum.protocol.text import protocol_with
from centrum.provenance import __version__
from centrum.settings import DIALECTS
from centrum.simulate import PhantomSettings as PhantomSettings, simulate_cohort
from centrum.store import write_atomically
from centrum.study.beginning import choices_of_files, notes_on_choices
from centrum.study.study import MANIFESTS, PROTOCOL
from centrum.study.untouched import make_way, remember_begun

BEGUN = ("cases.csv", PROTOCOL)
"""What `init` writes."""


def init(
    images: Path,
    folder: Path,
    *,
    image: str | None = None,
    mask: str | None = None,
    labels: str | None = None,
    region: str | None = None,
    sequence: str | None = None,
    series: str | None = None,
    segmentations: str | None = None,
    readers: str | None = None,
    table: ClinicalTable | None = None,
    preset: str = "vcf-t2w",
    keep_names: bool = False,
    dry_run: bool = False,
    progress: Progress = silent,
) -> tuple[str, ...]:
    """Write cases.csv and study.yaml for a folder of images; lines that say what was found.

    Outcome, age, sex, centre and further columns come from a clinical table, if there is one.
    Cases whose names are no codes get pseudonyms, unless `keep_names`; the key lies beside the
    manifest.

    Parameters
    ----------
    labels, region : `images.labels` and `images.region` of the protocol
    sequence : to be measured, as the files call it or by its weighting; that of the preset when
        missing
    series, segmentations : of DICOM files, patterns of the series that are measured (description,
        number, code or folder) and of their masks (description or path)
    readers : what names the readers of DICOM masks: "creator", "description" or "folder"

    Raises
    ------
    ManifestError
        No image has a mask, there is a manifest already, or the table cannot be read.
    ProtocolError
        There is no such preset, scheme of labels, region or sequence; nothing names readers so.
    DataError
        In no label map the levels of the scheme fit the anatomy, or too few rows of the table
        and too few cases match.
    """
    said = {"images.labels": labels, "images.region": region, "keep_names": keep_names or None}
    chosen: dict[str, Any] = {key: value for key, value in said.items() if value is not None}
    protocol = protocol_with(_starting_protocol(preset), chosen)
    settings = parse_protocol(protocol, PROTOCOL)
    scheme = settings.images.scheme
    weighting = named_weighting(sequence or "") or settings.images.weighting
    archive = ArchiveChoices(
        SeriesWanted(weighting, settings.extraction.plane, series),
        segmentations,
        readers,
        None if keep_names else folder / KEY,
    )
    found = discover(
        images,
        image_pattern=image,
        mask_pattern=mask,
        labels=scheme,
        archive=archive,
        progress=progress,
    )
    merged = Merged(found.cases)
    if table is not None:
        outcomes = (settings.outcome.positive, settings.outcome.negative)
        merged = merge_table(found.cases, table, outcomes, scheme)
    found = replace(found, cases=merged.cases)
    of_files = choices_of_files(settings.images, Cohort(found.cases), sequence)
    notes = [
        *_whole_vertebrae(settings.images),
        *notes_on_choices(of_files, Cohort(found.cases)),
    ]
    named = Cohort(found.cases)
    by_headers = found.layout is None
    coded = named if keep_names else pseudonymised(named, folder / KEY, of_headers=by_headers)
    coded = replace(coded, identities=(*coded.identities, *found.identities))
    notes += [about_key(coded)] if coded.identities else []
    chosen, protocol = chosen | of_files, protocol_with(protocol, of_files)
    if not dry_run:
        stays = _begin(folder, replace(found, cases=coded.cases), protocol)
        write_key(coded.identities, folder / KEY)
        if stays and chosen:
            notes.append(f"{PROTOCOL} was there and stays: see that it says {_told(chosen)}")
    return (*found.summary(), *merged.told([case.id for case in coded.cases]), *notes)


def _begin(folder: Path, found: Discovery, protocol: str) -> bool:
    """Write manifest and protocol; whether a protocol on which somebody has worked stays."""
    folder.mkdir(parents=True, exist_ok=True)
    make_way(folder, BEGUN, MANIFESTS)
    found.write(folder / "cases.csv")
    new = _write_new(folder / PROTOCOL, protocol)
    remember_begun(folder, BEGUN if new else ["cases.csv"])
    return not new


def _told(chosen: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}: {value}" for key, value in chosen.items())


def _whole_vertebrae(images: Images) -> Iterator[str]:
    """What is to be said before masks of the label scheme can be measured."""
    if images.scheme and images.scheme.whole and images.region is None:
        yield (
            f"{images.scheme.name} numbers whole vertebrae, posterior elements included, and the "
            f"vertebral body is to be measured. {SAY_THE_REGION}"
        )


def simulate(
    folder: Path,
    settings: PhantomSettings,
    *,
    preset: str = "vcf-t2w",
    choices: Mapping[str, Any] | None = None,
    workers: int = 1,
    progress: Progress = silent,
) -> None:
    """Write a phantom cohort and a protocol; what is there from the same settings is kept.

    Parameters
    ----------
    choices : of the protocol beside those of the preset, dotted keys and their values

    Raises
    ------
    ManifestError
        The folder holds a study of real patients.
    ProtocolError
        There is no such preset.
    """
    if (folder / "cases.csv").exists() and not is_phantom(folder):
        raise ManifestError(
            f"{folder.name} holds a cases.csv that is not of simulated patients; it is not "
            "overwritten. Choose another folder."
        )
    protocol = protocol_with(_starting_protocol(preset), choices or {})
    simulate_cohort(settings, folder, workers=workers, progress=progress)
    _write_new(folder / PROTOCOL, protocol)


def _starting_protocol(preset: str) -> str:
    """The preset's whole text, so that every choice stands in the study's own file."""
    return f"# From the preset {preset} of centrum {__version__}; change what you need.\n" + (
        preset_text(preset)
    )


def _write_new(path: Path, text: str) -> bool:
    """Write a file unless there is one, which may hold a user's work; whether it was written."""
    if path.exists():
        return False
    write_atomically(path, text.encode())
    return True


def features(dialect: str) -> list[dict[str, str]]:
    """The catalogue's rows of the features that this version measures in a dialect.

    Raises
    ------
    ProtocolError
        There is no such dialect.
    """
    known = next((name for name in DIALECTS if name == dialect), None)
    if known is None:
        raise ProtocolError(f"There is no dialect {dialect!r}; there are {', '.join(DIALECTS)}.")
    return [
        asdict(feature.entry)
        for family in FAMILIES.values()
        for feature in family
        if feature.in_dialect(known)
    ]
