"""A study's choices: one YAML file, checked when it is read.

>>> protocol = load_preset("vcf-t2w")
>>> protocol.outcome.positive
'malignant'
"""

from collections import defaultdict
from collections.abc import Sequence
from copy import deepcopy
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from centrum.cohort.eligibility import EligibilityRule
from centrum.cohort.join import MIN_SHARE
from centrum.cohort.schemes import Scheme, find_scheme
from centrum.errors import ProtocolError
from centrum.features.settings import ExtractionSettings
from centrum.geometry import GRID_TOLERANCE_MM, ORIENTATIONS
from centrum.io.structured import parse_yaml, read_text
from centrum.io.weighting import Weighting, named_weighting
from centrum.modelling.settings import (
    CLINICAL,
    MORPHOMETRY,
    MORPHOMETRY_PREFIX,
    RADIOMICS,
    ModelSettings,
    SearchSettings,
    Split,
)
from centrum.morphometry.measures import MEASURES
from centrum.morphometry.settings import MorphometrySettings
from centrum.perturb.settings import RobustnessSettings
from centrum.prepare.settings import NoNormalisation, Nyul, Preparation
from centrum.protocol.faults import Fault, faults_of, without
from centrum.provenance import digest
from centrum.settings import Factor, Folds, Seed, Settings
from centrum.text import legal, one_line_each

Fraction = Annotated[float, Field(gt=0, lt=1)]


class Outcome(Settings):
    """The two classes, as the manifest spells them."""

    positive: str = Field("malignant", description="the class whose probability the score is of")
    negative: str = Field("osteoporotic", description="the other class")
    mixed_patients: bool = Field(
        False, description="whether one patient may have cases of both classes"
    )

    @model_validator(mode="after")
    def _different(self) -> Self:
        if self.positive.casefold() == self.negative.casefold():
            raise ValueError(f"the two outcomes must differ, found {self.positive!r} twice")
        return self


class Images(Settings):
    """Which image and masks are read, and what is done when their grids differ."""

    weighting: Weighting | None = Field(
        None,
        description="what the study is of; the images are compared with it, and of several image "
        "columns the one that is named for it is measured. Nothing is compared when missing",
    )
    sequence: str | None = Field(
        None,
        description="image column to measure; when missing the only one, or the one that is named "
        "for `weighting`",
    )
    sequences: tuple[str, ...] = Field(
        (),
        description="image columns to measure together, instead of `sequence`; masks are drawn on "
        "the first, which alone gives the shape",
    )
    on_sequence_mismatch: Literal["refuse", "resample"] = Field(
        "refuse",
        description="when the masks do not fit the voxels of a further sequence; resample: that "
        "image, linearly, onto the grid of the first, recorded",
    )
    reader: str | None = Field(
        None, description="primary reader, who feeds the model; the first mask column when missing"
    )
    on_grid_mismatch: Literal["refuse", "resample"] = Field(
        "refuse", description="resample: nearest neighbour onto the image's grid, recorded"
    )
    grid_tolerance_mm: Annotated[float, Field(gt=0, le=100)] = Field(
        GRID_TOLERANCE_MM, description="largest distance between corresponding corner voxels"
    )
    orientation: str | None = Field(
        None,
        description="where the array axes x, y, z run in files that do not say it, such as PIR: "
        "towards posterior, inferior and right; without it such files are refused",
    )
    max_memory_gb: Annotated[float, Field(gt=0, le=10_000)] = Field(
        4.0, description="a case whose interpolated image would need more is refused"
    )

    @field_validator("orientation")
    @classmethod
    def _known_axes(cls, code: str | None) -> str | None:
        if code is None or code.upper() in ORIENTATIONS:
            return code and code.upper()
        raise ValueError(
            "three letters, one each of L or R, P or A and S or I, say where the array axes x, y "
            f"and z run to, such as PIR; found {code!r}"
        )

    labels: str | None = Field(
        None,
        description="label scheme of the masks, such as verse or spineps: what FILE#20, and 20 in "
        "the column level, mean; a number names no level when missing",
    )
    region: Literal["vertebral_body", "whole_vertebra"] | None = Field(
        None,
        description="what the masks hold; when missing the vertebral body alone, and masks of a "
        "scheme that numbers whole vertebrae are refused until it is said",
    )

    @field_validator("labels")
    @classmethod
    def _known_scheme(cls, name: str | None) -> str | None:
        try:
            return find_scheme(name).name if name is not None else None
        except ProtocolError as error:
            raise ValueError(str(error)) from error

    @property
    def scheme(self) -> Scheme | None:
        """The label scheme, None where none is named."""
        return find_scheme(self.labels) if self.labels else None

    @model_validator(mode="after")
    def _one_list(self) -> Self:
        if self.sequence is not None and self.sequences:
            raise ValueError("give either `sequence` or `sequences`")
        if len(set(self.sequences)) != len(self.sequences):
            raise ValueError(f"a sequence is named twice in {list(self.sequences)}")
        return self


class TableFile(Settings):
    """A feature table made elsewhere, as one file or many."""

    file: str = Field(
        description="in the study's folder; a pattern such as tables/*.csv for one file per case, "
        "which is then named after its file"
    )
    format: Literal["auto", "pyradiomics", "slicer", "mirp", "lifex", "generic"] = Field(
        "auto", description="which program wrote it; told from the header when missing"
    )
    id_column: str | None = Field(
        None, description="column that names the case; the usual ones are found when missing"
    )
    keep: tuple[str, ...] = Field(
        (),
        description="columns of a generic table that look like a running number, an id, a date or "
        "a constant, and are features all the same",
    )


class TableSource(TableFile):
    """A feature table made elsewhere, of one reader, instead of images."""

    reader: str = Field("reader", description="whose regions the features are of")
    compared: bool = Field(
        True,
        description="whether the reader counts in the agreement between readers; a consensus of "
        "others does not",
    )

    @property
    def told(self) -> str:
        """What messages call it."""
        return f"the table of reader {self.reader!r}"


class FurtherSource(TableFile):
    """Features made elsewhere that join those of the images (or of `tables`) by case."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]*$")] = Field(
        description="of the source, such as deep; its features are called after it"
    )
    reader: str | None = Field(
        None,
        description="who made these values; the same ones count for every reader when missing, and "
        "agreement is not asked of them",
    )

    @property
    def told(self) -> str:
        """What messages call it."""
        whose = f" of reader {self.reader!r}" if self.reader is not None else ""
        return f"the source {self.name!r}{whose}"


class Join(Settings):
    """How tables are put together by the ids of cases, which must be equal."""

    min_share: Annotated[float, Field(gt=0, le=1)] = Field(
        MIN_SHARE, description="share of each table's rows that must be of a case of the manifest"
    )


class CutOffRule(Settings):
    """How the cut-off is learnt, on out-of-fold scores of the training cases."""

    rule: Literal["youden", "closest_topleft", "sensitivity", "specificity", "cost"] = Field(
        "youden",
        description="youden: largest sensitivity + specificity; closest_topleft: nearest to the "
        "corner of the ROC; sensitivity, specificity: the best of the other at `target` of this "
        "one; cost: the smallest expected cost",
    )
    target: Fraction = Field(0.9, description="sensitivity or specificity to reach")
    cost_ratio: Factor = Field(
        1.0, description="cost of a missed positive in units of a false alarm"
    )
    ties: Literal["most_sensitive", "most_specific"] = Field(
        "most_sensitive", description="which of several equally good thresholds is taken"
    )


class LeakAudit(Settings):
    """What the section on leaks tries out."""

    permutations: Annotated[int, Field(ge=0, le=10_000)] = Field(
        40, description="refits on outcomes randomly permuted among the patients; 0: not done"
    )
    splits: Annotated[int, Field(ge=0, le=1000)] = Field(
        10, description="splits on which each classic leak is switched on; 0: not done"
    )


class ExplanationSettings(Settings):
    """What the score rests on, told where its AUC is above chance."""

    correlation: Fraction = Field(
        0.7,
        description="features are one group, permuted together, while the mean |r| between them "
        "is at least this",
    )
    permutations: Annotated[int, Field(ge=1, le=1000)] = Field(
        10, description="of the values of each group among the held-out cases"
    )
    leading: Annotated[int, Field(ge=0, le=12)] = Field(
        3, description="features whose accumulated local effects are drawn"
    )


class EvaluationSettings(Settings):
    """How the model is evaluated."""

    n_resamples: Annotated[int, Field(ge=100, le=100_000)] = Field(
        1000, description="bootstrap samples"
    )
    confidence: Fraction = Field(0.95, description="of every interval")
    prevalence: Fraction | None = Field(
        None,
        description="of the positive outcome where the model is to be used: for predictive values "
        "beside those of the study's own cases, and for the rule cost; when missing the rule takes "
        "the share of the training cases",
    )
    cutoff: CutOffRule = CutOffRule()
    cutoff_folds: Folds = Field(
        5, description="folds of the out-of-fold scores that the cut-off is learnt on"
    )
    conformal_error: Fraction = Field(
        0.1,
        description="share of each class whose set of possible outcomes may miss the true one; a "
        "set of both is called uncertain",
    )
    optimism_resamples: Annotated[int, Field(ge=0, le=10_000)] = Field(
        0,
        description="refits on bootstrap samples of the training patients, for Harrell's optimism, "
        ".632+, and the range of a patient's probability, which the frozen model then gives; 0: "
        "not done, 200 are usual",
    )
    leak_audit: LeakAudit = LeakAudit()
    ablation: bool = Field(
        True,
        description="also evaluate the volume alone, the covariates alone and so on, and the "
        "sparse model",
    )
    explanation: ExplanationSettings | None = Field(
        ExplanationSettings(),
        description="what the score rests on; null: not told. In a design with several parts each "
        "is fitted once more for it",
    )
    subgroups: tuple[str, ...] = Field(
        ("sex", "age", "region", "level", "centre", "scanner"),
        description="columns of the manifest by which the performance is shown; those that are "
        "not there or do not differ are left out",
    )
    clinical: tuple[str, ...] = Field(
        ("age", "sex"),
        description="columns of the manifest, beside `model.covariates`, of a clinical model that "
        "is compared with the score and combined with it; those that are not there or do not "
        "differ are left out",
    )
    nri_idi: bool = Field(
        False,
        description="also give the NRI and the IDI of the combined model over the clinical one, "
        "which can be positive where nothing was added, with a warning that says so",
    )
    odds_ratios: tuple[str, ...] = Field(
        ("morphometry:greatest_loss", "morphometry:wedge_angle", "morphometry:wall_convexity"),
        description="what stands in the table of odds ratios beside the clinical model and the "
        "score: columns of the manifest, and measures of the bodies where these are measured; "
        "those that are not there or do not differ are left out",
    )
    reader_calls: tuple[str, ...] = Field(
        (),
        description="columns of the manifest that hold a reader's diagnosis, spelled as the "
        "outcome, to compare the model with",
    )
    seed: Seed = Field(2024, description="of bootstrap and folds")


class Protocol(Settings):
    """Everything that decides a study's results, beside its data."""

    name: str = Field(description="what the report is called")
    description: str = Field("", description="one paragraph for the report")
    deviations: tuple[str, ...] = Field(
        (), description="where the protocol departs from the study that it follows, and why"
    )
    outcome: Outcome = Outcome()
    eligibility: tuple[EligibilityRule, ...] = Field(
        (), description="inclusion and exclusion, in order"
    )
    keep_names: bool = Field(
        False,
        description="write ids of cases and patients as the manifest spells them, even where they "
        "are no codes; else those get pseudonyms",
    )
    describe: tuple[str, ...] = Field(
        (),
        description="columns of the manifest that are tabulated although they look like names, "
        "dates or identifiers, which else are left out of everything that is written",
    )
    tables: tuple[TableSource, ...] = Field(
        (),
        description="features that were measured elsewhere, the primary reader's first; images, "
        "preparation and extraction are not used then",
    )
    sources: tuple[FurtherSource, ...] = Field(
        (),
        description="tables of features made elsewhere, such as deep embeddings, ratings or "
        "laboratory values, beside those of the images; one per source, or one per reader of it",
    )
    join: Join = Join()
    images: Images = Images()
    preparation: Preparation = Preparation()
    extraction: ExtractionSettings = ExtractionSettings()
    robustness: RobustnessSettings | None = Field(
        None, description="keep features that perturbations hardly change; {} for the defaults"
    )
    morphometry: MorphometrySettings | None = Field(
        None,
        description="measure heights and Genant's grade of every case; {} for the defaults. "
        "model.covariates can then name them, such as morphometry:greatest_loss",
    )
    model: ModelSettings = ModelSettings()
    search: SearchSettings | None = Field(
        None, description="try many models against each other; {} for the defaults"
    )
    split: Split = Split()
    evaluation: EvaluationSettings = EvaluationSettings()

    @model_validator(mode="after")
    def _normalised_once(self) -> Self:
        twice = not isinstance(self.preparation.normalisation, NoNormalisation)
        if twice and self.extraction.normalise_scale is not None:
            raise ValueError(
                "the image would be normalised twice: drop extraction.normalise_scale or "
                "preparation.normalisation"
            )
        return self

    @model_validator(mode="after")
    def _one_claim(self) -> Self:
        claimed = self.images.weighting
        for key, text in (("name", self.name), ("description", self.description)):
            said = named_weighting(text)
            if claimed is not None and said not in (None, claimed):
                raise ValueError(
                    f"`{key}` says {said} and images.weighting {claimed}: change the one that is "
                    "wrong"
                )
        return self

    @model_validator(mode="after")
    def _one_scale(self) -> Self:
        if isinstance(self.preparation.normalisation, Nyul) and len(self.images.sequences) > 1:
            raise ValueError(
                "a Nyul scale is that of one sequence: choose another preparation.normalisation "
                f"for images.sequences {list(self.images.sequences)}"
            )
        return self

    @model_validator(mode="after")
    def _learnt_within(self) -> Self:
        learnt = isinstance(self.preparation.normalisation, Nyul)
        if learnt and not self.split.single_part:
            raise ValueError(
                "landmarks of a Nyul scale are learnt once, on one training side; the design "
                f"{self.split.design} has many. Choose single, temporal or external, or another "
                "preparation.normalisation"
            )
        return self

    @property
    def morphometry_covariates(self) -> tuple[str, ...]:
        """The covariates of the model that are measures of the vertebral bodies."""
        return tuple(name for name in self.model.covariates if name.startswith(MORPHOMETRY_PREFIX))

    @property
    def layers(self) -> dict[str, bool]:
        """What the model reads beside features and manifest, as `FeatureTable.load` takes it."""
        return {
            "perturbed": self.robustness is not None,
            "morphometry": bool(self.morphometry_covariates),
        }

    @model_validator(mode="after")
    def _measured_bodies(self) -> Self:
        named = {"model.covariates": self.model.covariates,
                 "evaluation.odds_ratios": self.evaluation.odds_ratios}  # fmt: skip
        known = [MORPHOMETRY_PREFIX + measure for measure in MEASURES]
        for said_in, names in named.items():
            for name in names:
                if name.startswith(MORPHOMETRY_PREFIX) and name not in known:
                    raise ValueError(
                        f"{said_in} names {name!r}, which is not measured; there are "
                        + ", ".join(known)
                    )
        if self.morphometry_covariates and self.morphometry is None:
            raise ValueError(
                f"model.covariates names {self.morphometry_covariates[0]!r}, and bodies are not "
                "measured: add a line `morphometry: {}`"
            )
        if self.morphometry is not None and self.images.region == "whole_vertebra":
            raise ValueError(
                "`morphometry` measures vertebral bodies, and images.region says whole_vertebra: "
                "leave out one of them"
            )
        return self

    @model_validator(mode="after")
    def _tables_alone(self) -> Self:
        if self.tables and self.robustness is not None:
            raise ValueError("`robustness` perturbs images; a study of `tables` has none")
        if self.tables and self.morphometry is not None:
            raise ValueError("`morphometry` measures masks; a study of `tables` has none")
        readers = [table.reader for table in self.tables]
        if len(set(readers)) < len(readers):
            raise ValueError(f"each of `tables` is of another reader, found {readers}")
        return self

    @model_validator(mode="after")
    def _sources_apart(self) -> Self:
        taken = {CLINICAL, MORPHOMETRY, RADIOMICS, *self.images.sequences, self.images.sequence}
        readers = defaultdict[str, list[str | None]](list)
        for source in self.sources:
            if source.name in taken:
                raise ValueError(f"`sources` has the name {source.name!r}, which another has")
            readers[source.name].append(source.reader)
        for name, own in readers.items():
            if len(set(own)) < len(own) or (None in own and len(own) > 1):
                raise ValueError(
                    f"`sources` has {len(own)} tables {name!r}: give each another reader, or "
                    "another name"
                )
        return self

    @model_validator(mode="after")
    def _searched_alone(self) -> Self:
        if self.search is not None and self.model.fusion != "early":
            raise ValueError("`search` tries models of all sources together: fusion early")
        return self

    def digest(self) -> str:
        """SHA-256 of all choices."""
        return digest(self.model_dump(mode="json"))


def parse_protocol(text: str, source: str) -> Protocol:
    """A protocol from YAML; `source` is what messages call it.

    `preset: NAME` at the top takes everything that is not said from that preset.

    Raises
    ------
    ProtocolError
        Not YAML, an unknown key or preset, or a value that is not allowed; all at once.

    >>> parse_protocol("preset: vcf-t2w\\nsplit: {seed: 7}", "study.yaml").split.seed
    7
    >>> parse_protocol("name: x\\nsplit: {sead: 7}", "study.yaml")
    Traceback (most recent call last):
    ...
    centrum.errors.ProtocolError: study.yaml: split.sead: there is no such key; did you \
mean split.seed?
    """
    protocol, faults = examine_protocol(text, source)
    if faults:
        raise _refused(faults, source)
    return protocol


def _refused(faults: Sequence[Fault], source: str) -> ProtocolError:
    lines = "\n".join(f"{source}: {fault.message}" for fault in faults)
    error = ProtocolError(lines, code=faults[0].code, file=source)
    error.remedy = faults[0].remedy
    return error


def examine_protocol(text: str, source: str) -> tuple[Protocol, tuple[Fault, ...]]:
    """What can be understood of a protocol, and everything that is wrong with it.

    Values that are wrong count as not said.

    Raises
    ------
    ProtocolError
        Not YAML, no such preset, or nothing can be understood without what is wrong.

    >>> protocol, (fault,) = examine_protocol("name: x\\nsplit: {seed: 7, fold: 3}", "study.yaml")
    >>> protocol.split.seed, fault.path
    (7, ('split', 'fold'))
    """
    choices = _choices(text, source)
    try:
        return Protocol.model_validate(choices), ()
    except ValidationError as error:
        faults = faults_of(error, Protocol, choices)
    try:
        return Protocol.model_validate(without(choices, faults)), faults
    except ValidationError as error:
        raise _refused(faults, source) from error


def _choices(text: str, source: str) -> dict[str, Any]:
    """What the YAML says, with what its preset says beside."""
    choices = one_line_each(parse_yaml(legal(text), source, ProtocolError))
    if not isinstance(choices, dict):
        raise ProtocolError(
            f"{source}: a protocol is a list of `key: value`, found {text[:40]!r}.",
            remedy="`centrum init` writes one.",
            code="not-yaml",
            file=source,
        )
    preset = choices.pop("preset", None)
    return choices if preset is None else _merged(_preset_choices(str(preset)), choices)


def _merged(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """`base` with the values of `change`, block by block.

    A block that names another `method` replaces the block of the base: its parameters differ.
    """
    out = dict(base)
    for key, value in change.items():
        old = base.get(key)
        if isinstance(old, dict) and isinstance(value, dict) and "method" not in value:
            out[key] = _merged(old, value)
        else:
            out[key] = value
    return out


def read_protocol(path: Path) -> Protocol:
    """The protocol in a YAML file; see `parse_protocol`."""
    return parse_protocol(protocol_text(path), path.name)


def protocol_text(path: Path) -> str:
    """The text of a protocol's file.

    Raises
    ------
    ProtocolError
        There is no file, or it is not text in UTF-8, a folder, a pipe or far too large.
    """
    try:
        return read_text(path, ProtocolError)
    except ProtocolError as error:
        if error.code != "no-file":
            raise
        raise ProtocolError(
            f"There is no protocol {path.name} in {path.parent.name or path.parent}.",
            remedy="`centrum init` writes one, or give the folder that holds study.yaml.",
            code="no-protocol",
            file=path,
        ) from error


def presets() -> tuple[str, ...]:
    """Names of the protocols that ship with the package.

    >>> presets()
    ('vcf-t2w', 'vcf-t2w-2024')
    """
    folder = files("centrum.presets")
    return tuple(sorted(p.name.removesuffix(".yaml") for p in folder.iterdir() if "yaml" in p.name))


def load_preset(name: str) -> Protocol:
    """A protocol that ships with the package.

    Raises
    ------
    ProtocolError
        There is no preset of that name.
    """
    return Protocol.model_validate(_preset_choices(name))


def preset_text(name: str) -> str:
    """The YAML of a preset, with its comments."""
    if name not in presets():
        near = get_close_matches(name, presets(), 1)
        raise ProtocolError(
            f"There is no preset {name!r}. There are {', '.join(presets())}.",
            remedy=f"Did you mean {near[0]}?" if near else "Name one of these.",
            code="no-preset",
        )
    return files("centrum.presets").joinpath(f"{name}.yaml").read_text(encoding="utf-8")


def _preset_choices(name: str) -> dict[str, Any]:
    return deepcopy(_parsed_preset(name))


@cache
def _parsed_preset(name: str) -> dict[str, Any]:
    choices: dict[str, Any] = parse_yaml(preset_text(name), name, ProtocolError)
    return choices
