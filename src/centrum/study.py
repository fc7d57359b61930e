"""A study is a folder: `study.yaml`, `cases.csv` (or `.xlsx`) and what is made, `results/`."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import pandas as pd

from centrum.cohort import Cohort, Flow, apply_rules, read_manifest
from centrum.cohort.schemes import Scheme
from centrum.errors import ManifestError, ProtocolError
from centrum.features.feature_id import FeatureId
from centrum.measure import Job
from centrum.modelling.designs import Part, final_rows, plan_parts
from centrum.modelling.split import Indices
from centrum.prepare.settings import Preparation
from centrum.protocol import Protocol, read_protocol
from centrum.sequences import choose_sequences, plan_sequences
from centrum.simulate import is_phantom
from centrum.stages import Stages

PROTOCOL, MANIFESTS, RESULTS = "study.yaml", ("cases.csv", "cases.xlsx"), "results"


class ManifestOptions(TypedDict):
    """Options of `read_manifest`."""

    outcomes: tuple[str, str]
    mixed_patients: bool
    optional: tuple[str, ...]
    labels: Scheme | None


@dataclass(frozen=True)
class Study:
    """A folder with its protocol and its eligible cases."""

    folder: Path
    protocol: Protocol
    cohort: Cohort
    flow: Flow

    @property
    def results(self) -> Path:
        """Everything in it can be deleted and made again."""
        return self.folder / RESULTS

    @property
    def stages(self) -> Stages:
        """Which stages are up to date."""
        return Stages(self.results)

    @property
    def simulated(self) -> bool:
        """Whether the patients are simulated."""
        return is_phantom(self.folder)

    @property
    def sequences(self) -> tuple[str, ...]:
        """The image columns that are measured, first the one on which the masks were drawn.

        Raises
        ------
        ProtocolError
            It is not known which, or the protocol names one that is not there.
        """
        return choose_sequences(self.protocol.images, self.cohort.sequences)

    @property
    def features(self) -> tuple[FeatureId, ...]:
        """What is measured of every case and reader, in order."""
        return plan_sequences(self.protocol.extraction, self.sequences)

    @property
    def readers(self) -> tuple[str, ...]:
        """The readers, the primary one first."""
        if self.protocol.tables:
            return tuple(table.reader for table in self.protocol.tables)
        primary = _primary(self.protocol.images.reader, self.cohort.readers)
        return (primary, *(r for r in self.cohort.readers if r != primary))

    def jobs(self, *, features: bool = True, preparation: Preparation | None = None) -> list[Job]:
        """What is to be measured of every eligible case; without features only its files.

        `preparation` is the protocol's when missing; pass one whose landmarks are fitted. A study
        of tables has nothing to measure.
        """
        if self.protocol.tables:
            return []
        extraction, prepared = self.protocol.extraction, preparation or self.protocol.preparation
        if not features:
            extraction = extraction.model_copy(update={"families": ()})
            prepared = prepared.by_reader
        first, *further = self.sequences
        return [
            Job(
                case=case.id,
                image=case.images.get(first, ""),
                further={name: case.images.get(name, "") for name in further},
                masks={r: case.masks[r] for r in self.readers if r in case.masks},
                images=self.protocol.images,
                extraction=extraction,
                preparation=prepared,
                store=self.results / "store",
                level=case.level,
            )
            for case in self.cohort.cases
        ]


def _primary(wanted: str | None, readers: tuple[str, ...]) -> str:
    if wanted is None:
        return readers[0]
    if wanted not in readers:
        raise ProtocolError(
            f"The protocol wants the reader {wanted!r}; the manifest has {', '.join(readers)}.",
            remedy="Change images.reader.",
            code="no-reader",
        )
    return wanted


def open_study(folder: Path) -> Study:
    """Read protocol and manifest, and apply the eligibility rules.

    Raises
    ------
    ProtocolError, ManifestError
        A file is missing or wrong, or no case is eligible.
    """
    protocol = read_protocol(folder / PROTOCOL)
    how = manifest_options(protocol)
    everyone = read_manifest(manifest_path(folder), **how)
    cohort, flow = apply_rules(everyone, protocol.eligibility, outcomes=how["outcomes"])
    study = Study(folder, protocol, cohort, flow)
    refuse_nobody(study)
    return study


def manifest_options(protocol: Protocol) -> ManifestOptions:
    """What a protocol wants of the manifest, as `read_manifest` takes it."""
    return {
        "outcomes": (protocol.outcome.negative, protocol.outcome.positive),
        "mixed_patients": protocol.outcome.mixed_patients,
        "optional": ("image", "mask") if protocol.tables else (),
        "labels": protocol.images.scheme,
    }


def refuse_nobody(study: Study) -> None:
    """Raise a ManifestError when no case is eligible."""
    if not study.cohort.cases:
        raise ManifestError(
            f"None of the {study.flow.start.cases} cases is eligible.",
            remedy=f"Look at `eligibility` in {PROTOCOL}.",
            code="none-eligible",
            file=PROTOCOL,
        )


def training_rows(protocol: Protocol, obs: pd.DataFrame) -> tuple[Indices, Indices]:
    """Rows of `obs` that the final model is fitted on, and those left to test it.

    Everything that is fitted, landmarks or model, is fitted on the former alone.
    """
    return final_rows(protocol.split, study_parts(protocol, obs))


def study_parts(protocol: Protocol, obs: pd.DataFrame) -> tuple[Part, ...]:
    """The parts of the protocol's design among the cases of `obs`."""
    outcome = obs["outcome"].to_numpy(dtype=object)
    return plan_parts(protocol.split, outcome, obs["patient"].to_numpy(), obs)


def manifest_path(folder: Path) -> Path:
    """The manifest of a study folder."""
    found = [folder / name for name in MANIFESTS if (folder / name).is_file()]
    if len(found) != 1:
        raise ManifestError(
            f"A study folder holds one of {' and '.join(MANIFESTS)}, found {len(found)} in "
            f"{folder.name or folder}.",
            remedy="Take one away." if found else "`centrum init IMAGES_DIR` writes one.",
            code="no-manifest",
        )
    return found[0]


def not_made(path: Path, made_by: str) -> ProtocolError:
    """The error of a result that is missing; it names the command that makes it."""
    return ProtocolError(
        f"{path.name} is not there yet.",
        remedy=f"`centrum {made_by} STUDY` makes it.",
        code="not-made",
        file=path,
    )


def read_json(path: Path, made_by: str) -> object:
    """A JSON result; says which command makes it when it is missing."""
    if not path.is_file():
        raise not_made(path, made_by)
    return json.loads(path.read_text(encoding="utf-8"))
