"""A study is a folder: `study.yaml`, `cases.csv` (or `.xlsx`) and what is made, `results/`."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TypedDict

import pandas as pd

from centrum.cohort import Cohort, Flow, apply_rules, read_manifest
from centrum.cohort.case import DESCRIPTORS, column
from centrum.cohort.columns import identifier
from centrum.cohort.describing import identifying_columns
from centrum.cohort.eligibility import EligibilityRule
from centrum.cohort.expression import columns, parse
from centrum.cohort.phantom import is_phantom
from centrum.cohort.pseudonyms import KEY, pseudonymised, write_key
from centrum.cohort.readings import CONSENSUS, READINGS, ReadingPlace
from centrum.cohort.schemes import Scheme
from centrum.cohort.withheld import ManyRoles, Roles, withheld, words_in
from centrum.errors import DataError, ManifestError, ProtocolError
from centrum.features.feature_id import FeatureId
from centrum.io.objects import ObjectUrl
from centrum.measure.case import MeasurementJob, Sources, sources_of
from centrum.measure.regions import plan_regions
from centrum.measure.sequences import choose_sequences
from centrum.modelling.designs import (
    PLACE_IN_TIME,
    Part,
    final_rows,
    place_in_time,
    plan_parts,
)
from centrum.modelling.settings import MORPHOMETRY_PREFIX
from centrum.modelling.split import Indices
from centrum.morphometry.measures import MEASURES
from centrum.prepare.settings import Preparation
from centrum.protocol import Protocol, read_protocol
from centrum.protocol.unused import UNUSED, refuse_unused, unused_settings
from centrum.provenance import History, Step, unchanged
from centrum.stages import Stages
from centrum.store import Store, take_leftovers, tidy
from centrum.study.findings import EVERY_CASE, Finding
from centrum.table import Comparisons
from centrum.text import OneLine

IDENTIFYING = "identifying-column"
"""Code of what is said of columns that may tell who somebody is."""

_ADJUDICATED = (READINGS, CONSENSUS)
"""Who drew a consensus; a column of this name from elsewhere is a reader's as any other."""

PROTOCOL, MANIFESTS, RESULTS = "study.yaml", ("cases.csv", "cases.xlsx"), "results"


class ManifestOptions(TypedDict):
    """Options of `read_manifest`."""

    outcomes: tuple[str, str]
    mixed_patients: bool
    optional: tuple[str, ...]
    labels: Scheme | None


@dataclass(frozen=True, repr=False)
class Study(OneLine):
    """A folder with its protocol and its eligible cases, as they were when they were read.

    `digests` are those of the files that they were read from. `shards` is a place in object storage
    where measured cases are kept; it is in `results` when missing.
    """

    folder: Path
    protocol: Protocol
    cohort: Cohort
    flow: Flow
    digests: Mapping[str, str] = field(default_factory=dict)
    shards: ObjectUrl | None = None

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
    def left_out(self) -> dict[str, str]:
        """Columns of the manifest that are not written, and why; none that the protocol forces."""
        forced = {identifier(name) for name in self.protocol.describe}
        found = identifying_columns(self.cohort)
        return {head: why for head, why in found.items() if identifier(head) not in forced}

    def obs(self) -> pd.DataFrame:
        """What may be written of the eligible cases, as `FeatureTable.obs`.

        Dates that a temporal design goes by are there as `PLACE_IN_TIME`.

        Raises
        ------
        DataError
            The model, the split or a reader's call is in a column that may identify patients.
        ProtocolError
            `describe` names a column that the manifest does not have.
        """
        refuse_identifying(self)
        frame = self.cohort.to_frame()
        shown = frame.drop(columns=list(self.left_out))
        if self.protocol.split.design == "temporal":
            shown[PLACE_IN_TIME] = place_in_time(frame, self.protocol.split)
        return shown

    @property
    def history(self) -> History:
        """What was done to the list of cases, as it may be written."""
        names, words = ManyRoles(self.roles), self.words
        steps = [_written_step(step, names, words) for step in self.cohort.history]
        if self.left_out:
            steps.append(Step("leave out columns", {"columns": list(self.left_out)}))
        return tuple(steps)

    @property
    def roles(self) -> Roles:
        """What is written in the place of names of patients, cases and tables."""
        whose = [(table.file, table.reader) for table in self.protocol.tables]
        whose += [(source.file, source.name) for source in self.protocol.sources]
        tables = {
            path.name: f"[table of {name}]"
            for file, name in whose
            for path in matching(self.folder, file)
        }
        return tables | {each.name: each.pseudonym for each in self.cohort.identities}

    @property
    def words(self) -> frozenset[str]:
        """Its own words, which may be written: choices, readers, sequences, heads."""
        heads = [*DESCRIPTORS, *self.cohort.covariates]
        heads += [column("mask", name) for name in self.cohort.readers]
        heads += [column("image", name) for name in self.cohort.sequences]
        choices = words_in(self.protocol.model_dump(mode="json"))
        return choices.union(heads, self.cohort.readers, self.cohort.sequences)

    @cached_property
    def sources(self) -> dict[str, Sources]:
        """What is known of the bytes of every image and mask, by case; read once."""
        return sources_of(self.jobs())

    def only(self, cases: Collection[str]) -> "Study":
        """The study of those of its cases."""
        kept = tuple(case for case in self.cohort.cases if case.id in cases)
        return replace(self, cohort=replace(self.cohort, cases=kept))

    def with_shards(self, url: str) -> "Study":
        """The study whose measured cases are kept in a place of object storage.

        Raises
        ------
        StorageError
            The URL names none.
        """
        return replace(self, shards=ObjectUrl.parse(url))

    def keep_key(self) -> None:
        """Write whose the pseudonyms are, beside the manifest; nothing where ids are codes."""
        write_key(self.cohort.identities, self.folder / KEY)

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
        return plan_regions(self.protocol.extraction, self.sequences, self.cohort.regions)

    @cached_property
    def readers(self) -> tuple[str, ...]:
        """The readers, the primary one first.

        A consensus of the reading room is none of them, unless the protocol makes it the primary
        one: what was made of the readers' outlines agrees with them.
        """
        if self.protocol.tables:
            return tuple(table.reader for table in self.protocol.tables)
        primary = _primary(self.protocol.images.reader, self.cohort.readers)
        return people(self.cohort, primary)

    @cached_property
    def comparisons(self) -> Comparisons | None:
        """Which readers are compared; None where that is each with all others.

        Of a person who read in several sessions of the reading room the first in the manifest is
        compared with other people, and all of them with each other. A consensus is compared with
        nobody.
        """
        if self.protocol.tables:
            between = tuple(table.reader for table in self.protocol.tables if table.compared)
            return None if len(between) == len(self.protocol.tables) else Comparisons(between)
        columns: dict[tuple[str, str], list[str]] = {}
        for reader in self.cohort.readers:
            if reader in self.readers:
                columns.setdefault(_person(self.cohort, reader), []).append(reader)
        columns.pop(_ADJUDICATED, None)
        first = [own[0] for own in columns.values()]
        if len(first) == len(self.readers):
            return None
        between = tuple(reader for reader in self.readers if reader in first)
        return Comparisons(between, tuple(tuple(own) for own in columns.values() if len(own) > 1))

    @property
    def store(self) -> Store:
        """What was measured of its cases."""
        return Store(self.results / "store")

    def jobs(
        self, *, features: bool = True, preparation: Preparation | None = None
    ) -> list[MeasurementJob]:
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
            MeasurementJob(
                case=case.id,
                image=case.images.get(first, ""),
                further={name: case.images.get(name, "") for name in further},
                masks={r: case.masks[r] for r in self.readers if r in case.masks},
                regions={
                    key: case.regions[key]
                    for name in self.cohort.regions
                    for reader in self.readers
                    if (key := f"{reader}:{name}") in case.regions
                },
                region_names=self.cohort.regions,
                images=self.protocol.images,
                extraction=extraction,
                preparation=prepared,
                store=self.store.folder,
                level=case.level,
            )
            for case in self.cohort.cases
        ]


def _primary(wanted: str | None, readers: tuple[str, ...]) -> str:
    if wanted is None:
        return readers[0]
    if wanted not in readers:
        raise ProtocolError(
            f"The protocol names the reader {wanted!r}; the manifest has {', '.join(readers)}.",
            remedy="Change images.reader.",
            code="no-reader",
        )
    return wanted


def open_study(folder: Path | str) -> Study:
    """Read protocol and manifest, and apply the eligibility rules.

    What killed writes left in the folder is taken away. Where no case has an outcome yet, features
    can be measured and readers compared; what needs outcomes refuses.

    Raises
    ------
    ProtocolError, ManifestError
        A file is missing or wrong, the protocol says what would not be done, or no case is
        eligible.
    DataError
        A link in `results` leads out of it.
    """
    folder = Path(folder)
    with unchanged(*(folder / name for name in (PROTOCOL, *MANIFESTS))) as digests:
        protocol = read_protocol(folder / PROTOCOL)
        refuse_unused(protocol)
        tidy(folder / RESULTS)
        take_leftovers(folder, os.listdir(folder))
        settings = manifest_options(protocol)
        everyone = _read_everyone(manifest_path(folder), settings)
    if not protocol.keep_names:
        everyone = pseudonymised(everyone, folder / KEY)
        refuse_names_in_rules(protocol.eligibility, everyone)
    cohort, flow = apply_rules(everyone, protocol.eligibility, outcomes=settings["outcomes"])
    study = Study(folder, protocol, cohort, flow, digests)
    refuse_nobody(study)
    return study


def _read_everyone(manifest: Path, settings: ManifestOptions) -> Cohort:
    """All cases have an outcome, or none has."""
    try:
        return read_manifest(manifest, **settings)
    except ManifestError:
        lenient: ManifestOptions = {**settings, "optional": (*settings["optional"], "outcome")}
        with suppress(ManifestError):
            found = read_manifest(manifest, **lenient)
            if not any(found.outcomes):
                return found
        raise


def refuse_without_outcomes(outcomes: Iterable[str]) -> None:
    """What is fitted needs them.

    Raises
    ------
    DataError
        No case has one ("no-outcome").
    """
    if not any(outcomes):
        raise DataError(
            "No case has an outcome, and a model needs them.",
            remedy="Fill in the column outcome of the manifest. Without it, `centrum extract` and "
            "`centrum agree` can be done.",
            code="no-outcome",
        )


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


def _written_step(step: Step, names: ManyRoles, words: Collection[str]) -> Step:
    """The step with notes that hold no name."""
    if "notes" not in step.parameters:
        return step
    notes = step.parameters["notes"]
    notes = tuple(withheld(note, names.within(note), words) for note in notes)
    return replace(step, parameters={**step.parameters, "notes": notes})


def foresee_unused(study: Study) -> Iterator[Finding]:
    """Settings that were written and that nothing reads."""
    for each in unused_settings(study.protocol):
        where = (EVERY_CASE, "", each.severity, UNUSED, each.message, PROTOCOL, each.remedy)
        yield Finding(*where)


def refuse_names_in_rules(rules: Iterable[EligibilityRule], cohort: Cohort) -> None:
    """Refuses a rule that calls a case or patient by name: rules are written, too."""
    for rule in rules:
        by_name = columns(parse(rule.expression)) & {"case", "patient"}
        named = [i for i in cohort.identities if i.what in by_name and i.name in rule.expression]
        if named:
            raise ProtocolError(
                f"The rule {rule.name!r} contains the name of a {named[0].what}, and rules are "
                "written into the report.",
                remedy=f"Call it {named[0].pseudonym!r}, its pseudonym.",
                code="name-in-rule",
                file=PROTOCOL,
            )


def refuse_identifying(study: Study) -> None:
    """Refuses a model that goes by columns which may tell who somebody is; see `Study.obs`."""
    _check_described(study.protocol, (*DESCRIPTORS, *study.cohort.covariates))
    _check_needed(study.protocol, study.left_out)


def is_pattern(name: str) -> bool:
    """Whether a name stands for several files."""
    return any(mark in name for mark in "*?[")


def matching(folder: Path, pattern: str) -> list[Path]:
    """The ordinary files in a folder whose name is the pattern or fits it, in order."""
    try:
        found = folder.glob(pattern) if is_pattern(pattern) else [folder / pattern]
        return sorted(path for path in found if path.is_file())
    except (NotImplementedError, ValueError, OSError):  # of patterns and names that cannot be
        return []


def refuse_taken_names(study: Study) -> None:
    """Refuses columns of the manifest that are called as a feature or a measure of the bodies.

    Raises
    ------
    ManifestError
        With the columns.
    """
    if study.protocol.tables or not study.cohort.covariates:
        return  # what tables hold is known when they are read
    dialect = study.protocol.extraction.dialect
    of_bodies = MEASURES if study.protocol.morphometry else ()
    refuse_names_of_features(
        study,
        {feature.spell(dialect) for feature in study.features}
        | {MORPHOMETRY_PREFIX + measure for measure in of_bodies},
    )


def refuse_names_of_features(study: Study, features: Collection[str]) -> None:
    """The same where the features are known by name."""
    if taken := [name for name in study.cohort.covariates if name in features]:
        raise ManifestError(
            f"The manifest has a column {taken[0]!r}, which is also the name of a feature: in "
            "tables of results they could not be told apart.",
            remedy="Rename the column.",
            code="taken-name",
            file=Path(study.cohort.source),
        )


def _check_described(protocol: Protocol, heads: Sequence[str]) -> None:
    there = {identifier(head) for head in heads}
    if unknown := [name for name in protocol.describe if identifier(name) not in there]:
        raise ProtocolError(
            f"`describe` names the column {unknown[0]!r}, which the manifest does not have.",
            remedy=f"It has {', '.join(heads)}.",
            code="unknown-column",
            file=PROTOCOL,
        )


def _check_needed(protocol: Protocol, left_out: Mapping[str, str]) -> None:
    """Refuses a model that would carry a column that may identify patients."""
    model, split = protocol.model, protocol.split
    needed = {"model.covariates": model.covariates,
              "evaluation.reader_calls": protocol.evaluation.reader_calls}  # fmt: skip
    if model.harmonisation.method != "none":
        needed["model.harmonisation.batch"] = (model.harmonisation.batch,)
    if split.design in ("leave_one_centre_out", "external"):
        needed["split.by"] = (split.column,)
    for said_in, names in needed.items():
        if held := [name for name in names if name in left_out]:
            raise DataError(
                f"`{said_in}` names the column {held[0]!r}, which may identify the patients: "
                f"{left_out[held[0]]}.",
                remedy=f"Choose another, or add `describe: [{held[0]}]` if it may be written.",
                code=IDENTIFYING,
                file=PROTOCOL,
            )


def people(cohort: Cohort, primary: str) -> tuple[str, ...]:
    """The readers of a cohort without a consensus of others, the primary one first."""
    others = (r for r in cohort.readers if r != primary)
    return (primary, *(r for r in others if _person(cohort, r) != _ADJUDICATED))


def _person(cohort: Cohort, reader: str) -> tuple[str, str]:
    """Who stands behind a column: who read its masks in the reading room, else the column."""
    masks = (case.masks[reader] for case in cohort.cases if reader in case.masks)
    places = filter(None, map(ReadingPlace.of, masks))
    return next(((READINGS, place.reader) for place in places), ("", reader))


def training_rows(protocol: Protocol, obs: pd.DataFrame) -> tuple[Indices, Indices]:
    """Rows of `obs` that the final model is fitted on, and those left to test it.

    Everything that is fitted, landmarks or model, is fitted on the former alone.
    """
    return final_rows(protocol.split, study_parts(protocol, obs))


def study_parts(protocol: Protocol, obs: pd.DataFrame) -> tuple[Part, ...]:
    """The parts of the protocol's design among the cases of `obs`.

    Raises
    ------
    DataError
        As of `refuse_without_outcomes`, or the design cannot divide the cases.
    """
    outcome = obs["outcome"].to_numpy(dtype=object)
    refuse_without_outcomes(outcome)
    return plan_parts(protocol.split, outcome, obs["patient"].to_numpy(), obs)


def manifest_path(folder: Path) -> Path:
    """The manifest of a study folder."""
    found = [folder / name for name in MANIFESTS if (folder / name).is_file()]
    if len(found) != 1:
        raise ManifestError(
            f"A study folder holds one of {' and '.join(MANIFESTS)}, found {len(found)} in "
            f"{folder.name or folder}.",
            remedy="Remove one." if found else "`centrum init IMAGES_DIR` writes one.",
            code="no-manifest",
        )
    return found[0]
