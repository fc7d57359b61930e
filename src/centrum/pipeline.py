"""The verbs of a study; the command line calls these and nothing else.

`extract`, `agree`, `perturb`, `fit`, `assess`, `evaluate`, `freeze` and `report` each read what the
ones before left in `results/` and leave their own; `run` does them all, `perturb` if the protocol
has a block `robustness`. A stage is made again only when something that decides it has changed.
"""

import json
import platform
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from centrum import __version__
from centrum.acquisition import NUMBERS, REGION, TEXTS, with_manifest
from centrum.agreement import Overlap, icc
from centrum.assess import fit_rows, fit_sets, score_rows, search_table, used_features
from centrum.assessment import Assessment, run_assessment
from centrum.cohort import Level, check_files
from centrum.cohort.discover import discover, write_manifest
from centrum.decide import Decision, learn_decision
from centrum.errors import CentrumError, DataError, ManifestError, ProtocolError
from centrum.evaluate import CutOff, Evaluation, PopulationRow, table1
from centrum.execution import map_jobs
from centrum.features.families import FAMILIES
from centrum.freeze import check_scores
from centrum.freeze import freeze as freeze_study
from centrum.frozen.export import scorer_of
from centrum.frozen.model import FrozenModel, read_model
from centrum.frozen.scorer import Scorer
from centrum.judgement import Judgement, judge_scores
from centrum.landmarks import is_learnt, known_preparation, learn_landmarks
from centrum.matrix import batches, covariate_values, study_matrix
from centrum.measure import Record, measure, warm_up
from centrum.measure_perturbed import PerturbedJob, measure_perturbed, warm_up_perturbed
from centrum.model import Model, model_of
from centrum.modelling.settings import RobustnessRule
from centrum.perturb import RobustnessSettings, plan_perturbations
from centrum.prepare.settings import Preparation
from centrum.protocol import preset_text
from centrum.provenance import Step, digest, file_digest
from centrum.report.build import write_report
from centrum.results import Failure, Finding, StudyResults
from centrum.robustness import perturbations, perturbed_values, robustness
from centrum.settings import DIALECTS
from centrum.simulate import NOTICE, PhantomSettings, is_phantom, simulate_cohort
from centrum.store import Store, write_atomically
from centrum.study import PROTOCOL, Study, manifest_path, read_json, training_rows
from centrum.table import FEATURES, PERTURBED, FeatureTable

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""

PACKAGES = ("numpy", "scipy", "numba", "SimpleITK", "pandas", "scikit-learn", "imbalanced-learn")
"""Their versions stand in every report: they can change a result."""


MODEL = "model.json"
"""File of the frozen model."""

ACQUISITION = "acquisition.csv"
"""File with the facts of every case's acquisition."""

NOT_PERTURBED = pd.DataFrame(columns=["icc", "lower", "upper", "n", "kept"])

OVERLAP_COLUMNS = ["case", "reader_a", "reader_b", *(f.name for f in fields(Overlap))]


# `workers` is 1 unless asked for: a script that uses more must guard its own start with
# `if __name__ == "__main__":`, because every worker process imports it.


def silent(what: str, done: int, total: int) -> None:
    """No progress shown."""


@dataclass(frozen=True, eq=False)
class Extraction:
    """The feature table, and what went wrong or was noticed on the way to it.

    `undefined` are features that no region of the study has a value of, such as the density of
    an ellipsoid in regions of one slice; the table is without them. `acquisition` has a row per
    case: facts of the acquisition, and the size of the primary reader's region.
    """

    table: FeatureTable
    failures: tuple[Failure, ...]
    findings: tuple[Finding, ...]
    overlap: pd.DataFrame
    simulated: bool
    undefined: tuple[str, ...] = ()
    acquisition: pd.DataFrame = field(default_factory=pd.DataFrame)


# Beginning a study


def init(
    images: Path,
    folder: Path,
    *,
    image: str | None = None,
    mask: str | None = None,
    preset: str = "vcf-t2w",
    dry_run: bool = False,
) -> tuple[str, ...]:
    """Write cases.csv and study.yaml for a folder of images; lines that say what was found.

    Raises
    ------
    ManifestError
        No image has a mask, or there is a manifest already.
    ProtocolError
        There is no such preset.
    """
    protocol = _starting_protocol(preset)
    found = discover(images, image_pattern=image, mask_pattern=mask)
    if not dry_run:
        folder.mkdir(parents=True, exist_ok=True)
        write_manifest(found, folder / "cases.csv")
        _write_new(folder / PROTOCOL, protocol)
    return found.summary()


def simulate(
    folder: Path,
    settings: PhantomSettings,
    *,
    preset: str = "vcf-t2w",
    workers: int = 1,
    progress: Progress = silent,
) -> None:
    """Write a phantom cohort and a protocol; what is there from the same settings is kept.

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
    protocol = _starting_protocol(preset)

    def spread(function: Callable[..., str], *arguments: Sequence[object]) -> Iterator[str]:
        jobs = list(zip(*arguments, strict=True))
        call = partial(_call, function)
        done = map_jobs(call, jobs, workers)
        progress("Simulating patients", 0, len(jobs))
        for count, (_, result) in enumerate(done, 1):
            progress("Simulating patients", count, len(jobs))
            yield result

    simulate_cohort(settings, folder, map=spread)
    _write_new(folder / PROTOCOL, protocol)


def _call(function: Callable[..., str], arguments: tuple[object, ...]) -> str:
    return function(*arguments)


def _starting_protocol(preset: str) -> str:
    """The preset's whole text, so that every choice stands in the study's own file."""
    return f"# From the preset {preset} of centrum {__version__}; change what you need.\n" + (
        preset_text(preset)
    )


def _write_new(path: Path, text: str) -> None:
    """Write a file unless there is one: it may hold a user's work."""
    if not path.exists():
        write_atomically(path, text.encode())


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


# Reading and measuring the cases


def check(
    study: Study, *, workers: int = 1, progress: Progress = silent
) -> tuple[tuple[Failure, ...], tuple[Finding, ...]]:
    """Read every image and mask of the study, without features, and say what is wrong."""
    records = _measure_all(study, workers, progress, features=False)
    return _failures(study, records), _findings(records)


def foresee(study: Study) -> None:
    """Whether the manifest has what split, covariates and harmonisation ask for.

    Raises
    ------
    DataError
        It has not: better said now than after the cases were measured.
    """
    obs = study.cohort.to_frame()
    training_rows(study.protocol, obs)
    covariate_values(obs, study.protocol.model.covariates)
    batches(obs, study.protocol)


def extract(study: Study, *, workers: int = 1, progress: Progress = silent) -> Extraction:
    """Measure every case and reader; leaves features.parquet and .csv, extraction.json.

    Cases that were measured before with the same files and settings come from the store.

    Raises
    ------
    DataError
        Not one case could be measured.
    """
    records, defined = _prepare_and_measure(study, workers, progress)
    failures = _failures(study, records)
    failed = {failure.case for failure in failures}
    kept = [case for case in study.cohort.cases if case.id not in failed]
    if not kept:
        listed = "\n".join(f"  {f.case}: {f.message}" for f in failures[:5])
        raise DataError(f"None of the {len(failures)} cases could be measured:\n{listed}")
    extraction = Extraction(
        table=_table(study, records, [case.id for case in kept], defined),
        failures=failures,
        findings=_findings(records),
        overlap=_overlap(records, [case.id for case in kept]),
        simulated=study.simulated or any(map(_is_simulated, records.values())),
        undefined=_spelled(study, ~defined),
        acquisition=_acquisition(study, records, [case.id for case in kept]),
    )
    _save_extraction(study, extraction)
    return extraction


def _prepare_and_measure(
    study: Study, workers: int, progress: Progress
) -> tuple[dict[str, Record], NDArray[np.bool_]]:
    """Records by case, and which features are defined in any.

    Landmarks are learnt on the training side of the cases that have numbers, which is known
    afterwards: as long as a further case turns out to have none, they are learnt anew.
    """
    how, bad = study.protocol.preparation, dict[str, Record]()
    if is_learnt(how):
        checked = _measure_all(study, workers, progress, features=False)
        bad = {failure.case: checked[failure.case] for failure in _failures(study, checked)}
    while True:
        kept = [case.id for case in study.cohort.cases if case.id not in bad]
        preparation = learn_landmarks(study, kept, workers, progress) if kept else how
        records = _measure_all(study, workers, progress, preparation=preparation) | bad
        defined = _defined(study, records)
        records = {case: _without_gaps(study, r, defined) for case, r in records.items()}
        failed = {failure.case: records[failure.case] for failure in _failures(study, records)}
        if failed.keys() == bad.keys() or not is_learnt(how):
            return records, defined
        bad = failed


def _measure_all(
    study: Study,
    workers: int,
    progress: Progress,
    *,
    features: bool = True,
    preparation: Preparation | None = None,
) -> dict[str, Record]:
    """Records by case, in the order of the manifest."""
    jobs = study.jobs(features=features, preparation=preparation)
    what = "Measuring cases" if features else "Reading cases"
    progress(what, 0, len(jobs))
    records = {}
    done_jobs = map_jobs(measure, jobs, workers, lambda: warm_up(jobs[0].extraction))
    for done, (job, record) in enumerate(done_jobs, 1):
        records[job.case] = record
        progress(what, done, len(jobs))
    return {job.case: records[job.case] for job in jobs}


def _defined(study: Study, records: Mapping[str, Record]) -> NDArray[np.bool_]:
    """Which features of the plan have a value in any case of any reader."""
    found = np.zeros(len(study.features), dtype=bool)
    for record in records.values():
        for values in record["values"].values():
            if values:
                found |= np.array([v is not None for v in values])
    return found


def _spelled(study: Study, chosen: NDArray[np.bool_]) -> tuple[str, ...]:
    dialect = study.protocol.extraction.dialect
    features = zip(study.features, chosen, strict=True)
    return tuple(f.spell(dialect) for f, wanted in features if wanted)


def _without_gaps(study: Study, record: Record, defined: NDArray[np.bool_]) -> Record:
    """The record without readers for whom a feature that others have is not defined."""
    values, errors = {}, list(record["errors"])
    for reader, found in record["values"].items():
        gaps = np.array([v is None for v in found], dtype=bool)
        missing = _spelled(study, gaps & defined) if found else ()
        if missing:
            more = ", ..." if len(missing) > 3 else ""
            message = (
                f"{len(missing)} features that other regions have cannot be computed here "
                f"({', '.join(missing[:3])}{more}): the region is too small or too uniform; "
                "check the mask, or leave out the family."
            )
            errors.append({"reader": reader, "message": message})
        else:
            values[reader] = found
    return record | {"values": values, "errors": errors}


def _failures(study: Study, records: Mapping[str, Record]) -> tuple[Failure, ...]:
    """Cases without numbers of the primary reader."""
    primary, found = study.readers[0], []
    for case, record in records.items():
        messages = [e["message"] for e in record["errors"] if e["reader"] in (None, primary)]
        if primary not in record["values"]:
            reason = " ".join(messages) or f"There is no mask of the primary reader {primary!r}."
            found.append(Failure(case, reason))
    return tuple(found)


def _findings(records: Mapping[str, Record]) -> tuple[Finding, ...]:
    """Findings of all masks, and errors of readers other than the primary one."""
    return tuple(
        finding
        for case, record in records.items()
        for finding in (
            *(Finding(case, **f) for f in record["findings"]),
            *(
                Finding(case, e["reader"], "error", "reader_failed", e["message"])
                for e in record["errors"]
                if e["reader"]
            ),
        )
    )


def _table(
    study: Study, records: Mapping[str, Record], cases: list[str], defined: NDArray[np.bool_]
) -> FeatureTable:
    settings = study.protocol.extraction
    features, readers = study.features, study.readers
    missing = [None] * len(features)
    values = np.array(
        [[records[case]["values"].get(reader, missing) for reader in readers] for case in cases],
        dtype=float,
    )
    done = Counter(
        step["name"]
        for case in cases
        for history in records[case]["history"].values()
        for step in history
    )
    prepared = known_preparation(study)
    steps = [
        Step("read and place masks", dict(sorted(done.items()))),
        *([Step("prepare", prepared.model_dump(mode="json"))] if prepared.active else []),
        Step("extract", settings.model_dump(mode="json")),
        Step("leave out undefined", {"features": _spelled(study, ~defined)}),
        Step("assemble", {"cases": len(cases), "features": int(defined.sum()), "readers": readers}),
    ]
    return FeatureTable(
        values=values.transpose(0, 2, 1)[:, defined],
        obs=study.cohort.to_frame().loc[cases],
        features=tuple(f for f, wanted in zip(features, defined, strict=True) if wanted),
        readers=readers,
        dialect=settings.dialect,
        history=(*study.cohort.history, *steps),
    )


def _is_simulated(record: Record) -> bool:
    """Whether an image says so in its header, wherever it was copied to."""
    steps = (step for history in record["history"].values() for step in history)
    return any(step["parameters"].get("simulated") for step in steps)


def _overlap(records: Mapping[str, Record], cases: list[str]) -> pd.DataFrame:
    rows = [{"case": case} | row for case in cases for row in records[case]["overlap"]]
    return pd.DataFrame(rows, columns=OVERLAP_COLUMNS)


def _acquisition(study: Study, records: Mapping[str, Record], cases: list[str]) -> pd.DataFrame:
    """Facts of images and manifest, and the size of the primary reader's region, by case."""
    known = {case.id: case.covariates for case in study.cohort.cases}
    rows = [
        with_manifest(records[case]["acquisition"], known[case])
        | records[case]["regions"].get(study.readers[0], {})
        for case in cases
    ]
    there = {name for row in rows for name in row}
    columns = [name for name in (*NUMBERS, *TEXTS, *REGION) if name in there]
    return pd.DataFrame(rows, pd.Index(cases, name="case", dtype="str"), columns)


def _save_extraction(study: Study, extraction: Extraction) -> None:
    folder = study.results
    files = extraction.table.save(folder)
    facts = {
        "failures": [asdict(failure) for failure in extraction.failures],
        "findings": [asdict(finding) for finding in extraction.findings],
        "flow": study.flow.to_dict(),
        "simulated": extraction.simulated,
        "undefined": extraction.undefined,
    }
    _write_json(folder / "extraction.json", facts)
    _write_csv(folder / "overlap.csv", extraction.overlap)
    _write_csv(folder / ACQUISITION, extraction.acquisition.reset_index())
    inputs = {"protocol": study.protocol.digest(), "manifest": _manifest_digest(study)}
    made = (folder / name for name in ("extraction.json", "overlap.csv", ACQUISITION))
    study.stages.done("extract", digest(inputs), (*files, *made))


def load_extraction(study: Study) -> Extraction:
    """What `extract` left.

    Raises
    ------
    ProtocolError
        `extract` has not been run.
    """
    facts: Any = read_json(study.results / "extraction.json", "extract")
    return Extraction(
        table=FeatureTable.load(study.results),
        failures=tuple(Failure(**f) for f in facts["failures"]),
        findings=tuple(Finding(**f) for f in facts["findings"]),
        overlap=pd.read_csv(study.results / "overlap.csv", dtype={"case": str}),
        simulated=facts["simulated"],
        undefined=tuple(facts["undefined"]),
        acquisition=pd.read_csv(study.results / ACQUISITION, dtype={"case": str}, index_col="case"),
    )


# Numbers to a model


def agree(study: Study) -> pd.DataFrame:
    """ICC of every feature over all measured cases; leaves agreement.csv.

    This describes the readers. What the model may use is decided anew on training cases.
    """
    table, rule = FeatureTable.load(study.results), study.protocol.model.agreement
    path = study.results / "agreement.csv"
    key = digest([_file_key(study, FEATURES), rule.model_dump(mode="json")])
    if not study.stages.current("agree", key):
        _write_csv(path, _agreement(table, rule.form, rule.threshold, rule.use))
        study.stages.done("agree", key, [path])
    return _read_agreement(path)


def _agreement(table: FeatureTable, form: str, threshold: float, use: str) -> pd.DataFrame:
    columns = ["feature", "icc", "lower", "upper", "f", "df1", "df2", "p", "n", "kept"]
    if len(table.readers) < 2:
        return pd.DataFrame(columns=columns)
    found = icc(table.values, form)
    judged = found.lower if use == "lower_bound" else found.value
    numbers = (found.value, found.lower, found.upper, found.f, found.df1, found.df2, found.p)
    data = (table.names, *numbers, found.n_subjects, judged > threshold)
    return pd.DataFrame(dict(zip(columns, data, strict=True)))


def _read_agreement(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, index_col="feature")


@dataclass(frozen=True, eq=False)
class Robustness:
    """How far features are the same under perturbation of image and region.

    Attributes
    ----------
    features : a row per feature: icc, lower, upper, n, kept; with kinds apart also icc_KIND
    failures : cases or perturbations that could not be measured
    cases, perturbations : how many cases were measured, how often each
    rule : which features are kept
    """

    features: pd.DataFrame
    failures: tuple[Failure, ...]
    cases: int
    perturbations: int
    rule: RobustnessRule


def perturb(study: Study, *, workers: int = 1, progress: Progress = silent) -> Robustness:
    """Measure the primary reader's regions under perturbations; leaves robustness.csv.

    Beside it perturbations.csv (what was done to which case) and robustness_values.parquet
    (the perturbed layer of the table). The ICC is over all measured cases and describes them;
    what the model may use is decided anew on training cases. Cases that were measured before
    come from the store.

    Raises
    ------
    ProtocolError
        The protocol has no block `robustness`, or the table is that of another protocol.
    CentrumError
        `extract` has not been run, or fewer than two cases could be measured.
    """
    how, key = _robustness_settings(study), _perturb_key(study)
    table = FeatureTable.load(study.results)
    columns = _columns(study, table)
    records = _measure_perturbed(study, table.cases, workers, progress)
    names = tuple(p.name for p in plan_perturbations(how, ""))
    values = perturbed_values(records, names, columns)
    table = replace(table, perturbed=values, perturbations=names)
    files = [study.results / "robustness.csv", study.results / "perturbations.csv"]
    _write_csv(files[0], robustness(table, how))
    _write_csv(files[1], perturbations(records))
    files.append(table.save_perturbed(study.results))
    study.stages.done("perturb", key, files)
    return _load_robustness(study)


def _columns(study: Study, table: FeatureTable) -> list[int]:
    """Where the features of the table stand in what a perturbed region gives."""
    column = {feature: k for k, feature in enumerate(study.features)}
    if other := [f for f in table.features if f not in column]:
        raise ProtocolError(
            f"{len(other)} features of the table, such as {other[0].spell(table.dialect)}, are not "
            "those of the protocol. Run `centrum extract` again."
        )
    return [column[feature] for feature in table.features]


def perturb_outlook(study: Study) -> str:
    """What `perturb` would do, in a line to print.

    Raises
    ------
    ProtocolError
        The protocol has no block `robustness`.
    """
    how, store = _robustness_settings(study), Store(study.results / "store")
    jobs = _perturbed_jobs(study, [case.id for case in study.cohort.cases])
    each = len(plan_perturbations(how, ""))
    done = sum(store.get(job.key()) is not None for job in jobs)
    return (
        f"perturb: {each * len(jobs)} measurements ({len(jobs)} cases x {each} perturbations), "
        f"{each * done} of them in the store"
    )


def _robustness_settings(study: Study) -> RobustnessSettings:
    if study.protocol.robustness is None:
        raise ProtocolError(
            f"{PROTOCOL} has no block `robustness`, which says how to perturb: add a line "
            "`robustness: {}` for the defaults."
        )
    return study.protocol.robustness


def _perturb_key(study: Study) -> str:
    how = _robustness_settings(study).model_dump(mode="json")
    return digest([_file_key(study, FEATURES), how])


def _perturbed_jobs(study: Study, cases: Sequence[str]) -> list[PerturbedJob]:
    how, primary, wanted = _robustness_settings(study), study.readers[0], set(cases)
    return [
        PerturbedJob(replace(job, masks={r: m for r, m in job.masks.items() if r == primary}), how)
        for job in study.jobs(preparation=known_preparation(study))
        if job.case in wanted
    ]


def _measure_perturbed(
    study: Study, cases: Sequence[str], workers: int, progress: Progress
) -> dict[str, Record]:
    """Records by case, in the order of the table."""
    jobs, what = _perturbed_jobs(study, cases), "Perturbing cases"
    progress(what, 0, len(jobs))
    records = {}
    compiled = partial(warm_up_perturbed, study.protocol.extraction)
    for done, (job, record) in enumerate(map_jobs(measure_perturbed, jobs, workers, compiled), 1):
        records[job.case] = record
        progress(what, done, len(jobs))
    return {case: records[case] for case in cases}


def _load_robustness(study: Study) -> Robustness:
    """What `perturb` left."""
    done = pd.read_csv(study.results / "perturbations.csv", dtype={"case": str}, na_filter=False)
    failed = done[done["error"] != ""]
    named = failed["perturbation"].map(lambda name: f"{name}: " if name else "")
    failures = zip(failed["case"], named + failed["error"], strict=True)
    measured = done[done["perturbation"] != ""]
    return Robustness(
        features=pd.read_csv(study.results / "robustness.csv", index_col="feature"),
        failures=tuple(Failure(case, message) for case, message in failures),
        cases=measured["case"].nunique(),
        perturbations=measured["perturbation"].nunique(),
        rule=_robustness_settings(study).icc,
    )


def _load_readings(study: Study) -> FeatureTable:
    """The table, with its perturbed layer if the protocol wants it.

    Raises
    ------
    CentrumError
        `perturb` has not been run since the table or its settings changed.
    """
    if study.protocol.robustness is None:
        return FeatureTable.load(study.results)
    if not study.stages.current("perturb", _perturb_key(study)):
        raise CentrumError(
            "The perturbed measurements are missing, or older than the table or the block "
            "`robustness`; `centrum perturb STUDY` makes them."
        )
    return FeatureTable.load(study.results, perturbed=True)


def fit(study: Study, *, progress: Progress = silent) -> Model:
    """Fit the final model; leaves fit.json (the model, what each step saw) and scores.csv.

    It is fitted on the training side of a design that has one, and on all cases of a design
    with several parts.

    Raises
    ------
    DataError
        Too few patients of a class, one class only, or no feature left after a step.
    """
    protocol = study.protocol
    key = digest([*_model_key(study), protocol.evaluation.cutoff_folds, protocol.evaluation.seed])
    files = [study.results / name for name in ("fit.json", "scores.csv")]
    if not study.stages.current("fit", key):
        progress("Fitting the model", 0, 1)
        record, scores = _fit(study, _load_readings(study))
        _write_json(files[0], record)
        _write_csv(files[1], scores)
        study.stages.done("fit", key, files)
        progress("Fitting the model", 1, 1)
    return load_model(study)


def _model_key(study: Study) -> list[object]:
    """All that decides a model: the numbers, and how they are modelled."""
    blocks = study.protocol.model_dump(mode="json", include={"outcome", "model", "search", "split"})
    layer = [_perturb_key(study), _file_key(study, PERTURBED)] if study.protocol.robustness else []
    return [_file_key(study, FEATURES), blocks, *layer]


def _fit(study: Study, table: FeatureTable) -> tuple[dict[str, Any], pd.DataFrame]:
    protocol, outcome = study.protocol, study.protocol.outcome
    matrix = study_matrix(table, protocol)
    train, test = training_rows(protocol, table.obs)
    fitted = fit_rows(protocol, matrix, train, nested=protocol.split.single_part)
    model = model_of(fitted.model, protocol.model, outcome.positive, outcome.negative, len(train))
    rows = np.arange(len(matrix.positive))
    scores = table.obs[["patient", "outcome"]].reset_index()
    scores["part"] = np.where(np.isin(rows, train), "train", "test")
    scores["score"] = score_rows(fitted.model, matrix, rows)
    scorer = scorer_of(fitted.model, matrix.names, protocol.model.harmonisation.batch)
    check_scores(scorer, matrix, scores["score"].to_numpy())
    scores["out_of_fold"] = np.nan
    scores.loc[train, "out_of_fold"] = fitted.out_of_fold
    record = {
        "model": model.to_dict(),
        "scorer": scorer.to_dict(),
        "seen": fit_sets(fitted.model, matrix, test),
        "features": used_features(fitted.model),
        "search": search_table(fitted.model),
    }
    return record, scores


def load_model(study: Study) -> Model:
    """What `fit` left."""
    return Model.from_dict(_fit_record(study)["model"])


def _fit_record(study: Study) -> Any:
    return read_json(study.results / "fit.json", "fit")


def _load_search(study: Study) -> list[dict[str, Any]]:
    """The table of the final model's search; empty without one."""
    return list(_fit_record(study)["search"])


def _load_scores(study: Study) -> pd.DataFrame:
    path = study.results / "scores.csv"
    if not path.is_file():
        raise DataError("There are no scores yet; `centrum fit STUDY` makes them.")
    return pd.read_csv(path, dtype={"case": str, "patient": str, "outcome": str}, index_col="case")


def assess(study: Study, *, workers: int = 1, progress: Progress = silent) -> Assessment:
    """Judge the whole procedure; leaves assessment.json and predictions.csv.

    Every part of the design, what volume, covariates and images add to each other, the
    optimism, and the leak audit: the model is fitted many times, over `workers` processes.
    What was fitted before comes from the store.
    """
    how = study.protocol.evaluation.model_dump(mode="json")
    key = digest([*_model_key(study), how, _file_key(study, "fit.json")])
    files = [study.results / "assessment.json", study.results / "predictions.csv"]
    if not study.stages.current("assess", key):
        found = run_assessment(study.protocol, study.results, workers, progress)
        _write_json(files[0], found.to_dict())
        _write_csv(files[1], found.predictions(FeatureTable.load(study.results).obs))
        study.stages.done("assess", key, files)
    return load_assessment(study)


def load_assessment(study: Study) -> Assessment:
    """What `assess` left."""
    record: Any = read_json(study.results / "assessment.json", "assess")
    return Assessment.from_dict(record)


def decision_of(study: Study, scores: pd.DataFrame) -> Decision:
    """Cut-off, probabilities and sets, learnt on the out-of-fold scores of training cases."""
    train = scores[scores["part"] == "train"]
    positive = np.asarray(train["outcome"] == study.protocol.outcome.positive, dtype=np.int64)
    return learn_decision(
        train["out_of_fold"].to_numpy(),
        positive,
        train["patient"].to_numpy(),
        study.protocol.evaluation,
        study.protocol.model.calibration,
    )


def evaluate(study: Study) -> tuple[CutOff, dict[str, Evaluation]]:
    """Learn the cut-off on out-of-fold training scores and judge; leaves evaluation.json."""
    judged = judge(study)
    path = study.results / "evaluation.json"
    _write_json(path, judged.to_dict())
    key = digest(
        [_file_key(study, "scores.csv"), study.protocol.evaluation.model_dump(mode="json")]
    )
    study.stages.done("evaluate", key, [path])
    return judged.decision.cutoff, dict(judged.evaluations)


def judge(study: Study) -> Judgement:
    """Everything that is computed of the scores."""
    scores, protocol = _load_scores(study), study.protocol
    table = FeatureTable.load(study.results)
    tested = None
    if not protocol.split.single_part:
        tested = load_assessment(study).pooled(len(scores))
    return judge_scores(protocol, scores, table.obs, decision_of(study, scores), tested)


# The frozen model


def freeze(study: Study) -> FrozenModel:
    """Put all that scores a new patient into one file; leaves model.json.

    Raises
    ------
    CentrumError
        A stage before it has not been run.
    """
    path = study.results / MODEL
    key = digest([study.stages.digests_of("extract", "fit", "evaluate"), _texts(study)])
    if not study.stages.current("freeze", key):
        _freeze(study).save(path)
        study.stages.done("freeze", key, [path])
    return read_model(path)


def _freeze(study: Study) -> FrozenModel:
    extraction, prepared = load_extraction(study), known_preparation(study)
    table, protocol = extraction.table, study.protocol
    train, _ = training_rows(protocol, table.obs)
    return freeze_study(
        protocol=protocol.model_copy(update={"preparation": prepared}),
        table=table,
        matrix=study_matrix(table, protocol),
        train=train,
        scores=_load_scores(study),
        scorer=Scorer.from_dict(_fit_record(study)["scorer"]),
        judgement=judge(study),
        acquisition=extraction.acquisition,
        provenance={
            "versions": versions(),
            "digests": _digests(study) | {"protocol (choices)": protocol.digest()},
            "simulated": NOTICE if extraction.simulated else "",
            "of_tables": False,
        },
    )


# The report


def report(study: Study, *, progress: Progress = silent) -> Path:
    """Write report.html with its tables and figures; gives the path of the page."""
    page = study.results / "report.html"
    key = digest([study.stages.digests_of(*_made(study)), _texts(study)])
    if not study.stages.current("report", key):
        progress("Writing the report", 0, 1)
        files = write_report(collect(study), study.results)
        study.stages.done("report", key, files)
        progress("Writing the report", 1, 1)
    return page


def _made(study: Study) -> tuple[str, ...]:
    """The stages that the report shows."""
    perturb = ("perturb",) if study.protocol.robustness else ()
    return ("extract", "agree", *perturb, "fit", "assess", "evaluate", "freeze")


def _texts(study: Study) -> list[object]:
    return [__version__, study.protocol.model_dump(mode="json")]


def collect(study: Study) -> StudyResults:
    """All results of a study that has been run."""
    extraction, model = load_extraction(study), load_model(study)
    evaluate(study)
    judgement = judge(study)
    cutoff = judgement.decision.cutoff
    table = extraction.table
    outcome = study.protocol.outcome
    return StudyResults(
        title=study.protocol.name,
        protocol=study.protocol,
        simulated=NOTICE if extraction.simulated else "",
        flow=study.flow,
        failures=extraction.failures,
        findings=extraction.findings,
        table=table,
        sources={job.case: (job.image, job.masks) for job in study.jobs()},
        overlap=extraction.overlap,
        agreement=_read_agreement(study.results / "agreement.csv"),
        model=model,
        cutoff=cutoff,
        scores=_load_scores(study),
        evaluations=judgement.evaluations,
        judgement=judgement,
        assessment=load_assessment(study),
        search=_load_search(study),
        population=_population(table, (outcome.positive, outcome.negative)),
        history=_history(study, table, cutoff),
        versions=versions(),
        digests=_digests(study),
        robustness=_load_robustness(study).features if study.protocol.robustness else NOT_PERTURBED,
    )


def _population(table: FeatureTable, outcomes: tuple[str, str]) -> tuple[PopulationRow, ...]:
    groups = pd.Categorical(table.obs["outcome"], outcomes, ordered=True)
    known = table.obs.dropna(axis="columns", how="all").assign(outcome=groups)
    if "level" in known:
        names = sorted(known["level"].dropna().unique(), key=Level.parse)
        known["level"] = pd.Categorical(known["level"], names, ordered=True)
    return tuple(table1(known))


def _history(study: Study, table: FeatureTable, cutoff: CutOff) -> tuple[Step, ...]:
    protocol = study.protocol
    how = protocol.robustness
    return (
        *table.history,
        Step("agreement", protocol.model.agreement.model_dump(mode="json")),
        *([Step("perturb", how.model_dump(mode="json"))] if how else []),
        Step("split by patient", protocol.split.model_dump(mode="json")),
        Step("fit", protocol.model.model_dump(mode="json")),
        Step("cut-off", {k: v for k, v in asdict(cutoff).items() if k != "ties"}),
        *([Step("search", protocol.search.model_dump(mode="json"))] if protocol.search else []),
        Step("evaluate", protocol.evaluation.model_dump(mode="json")),
    )


def versions() -> dict[str, str]:
    """Versions of the software that decides results."""
    return {
        "centrum": __version__,
        "Python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
    }


def _digests(study: Study) -> dict[str, str]:
    """Of the inputs and of what `collect` reads."""
    inputs = {
        PROTOCOL: file_digest(study.folder / PROTOCOL),
        manifest_path(study.folder).name: _manifest_digest(study),
    }
    made = study.stages.digests_of(*_made(study))
    return inputs | {f"results/{name}": value for name, value in made.items()}


# All of it


def outlook(study: Study) -> tuple[str, ...]:
    """What `run` would do, in lines to print.

    Raises
    ------
    ManifestError
        Files are missing; all of them are named.
    """
    check_files(study.cohort)
    jobs = study.jobs(preparation=known_preparation(study))
    store = Store(study.results / "store")
    measured = sum(store.get(job.key()) is not None for job in jobs)
    made = study.stages.read()
    return (
        f"{len(study.cohort)} eligible cases of {study.flow.start.cases} in the manifest, "
        f"readers {', '.join(study.readers)}, sequence {' and '.join(study.sequences)}",
        f"measure {len(study.features)} features: {len(jobs) - measured} cases "
        f"to do, {measured} in the store",
        *(
            f"{stage}: {'made before, again if its input changed' if stage in made else 'to do'}"
            for stage in ("agree", "fit", "assess", "evaluate", "freeze", "report")
        ),
        *([perturb_outlook(study)] if study.protocol.robustness else []),
        assess_outlook(study),
    )


def assess_outlook(study: Study) -> str:
    """How often `assess` would fit the model, in a line to print."""
    how, split = study.protocol.evaluation, study.protocol.split
    return (
        f"assess: design {split.design}; each of its parts also for {how.leak_audit.permutations} "
        f"permutations (first repeat); leaks on {2 * how.leak_audit.splits} splits; "
        f"{how.optimism_resamples} bootstrap samples. What was fitted before is kept in fits/"
    )


def run(study: Study, *, workers: int = 1, progress: Progress = silent) -> tuple[Extraction, Path]:
    """All stages; what the measurement found, and the path of the report."""
    foresee(study)
    extraction = extract(study, workers=workers, progress=progress)
    agree(study)
    if study.protocol.robustness:
        perturb(study, workers=workers, progress=progress)
    fit(study, progress=progress)
    assess(study, workers=workers, progress=progress)
    evaluate(study)
    freeze(study)
    return extraction, report(study, progress=progress)


def _file_key(study: Study, name: str) -> str:
    path = study.results / name
    if not path.is_file():
        raise CentrumError(f"{name} is not there yet; run the stages before this one first.")
    return f"{__version__} {file_digest(path)}"


def _manifest_digest(study: Study) -> str:
    return file_digest(manifest_path(study.folder))


def _write_json(path: Path, value: object) -> None:
    write_atomically(path, json.dumps(value, indent=1).encode())


def _write_csv(path: Path, frame: pd.DataFrame) -> None:
    write_atomically(path, frame.to_csv(index=False).encode())
