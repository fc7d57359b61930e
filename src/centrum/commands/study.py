"""The verbs of a study; the command line calls these and nothing else.

`extract`, `agree`, `perturb`, `fit`, `assess`, `evaluate`, `freeze` and `report` each read what the
ones before left in `results/` and leave their own; `run` does them all, `perturb` if the protocol
has a block `robustness`. A stage is made again only when something that decides it has changed.
"""

import json
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from centrum import __version__
from centrum.agreement import icc
from centrum.cohort import Cohort, Level
from centrum.cohort.clinical import ClinicalTable, Merged, merge_table
from centrum.cohort.discover import Discovery, discover
from centrum.cohort.pseudonyms import KEY, about_key, pseudonymised, write_key
from centrum.commands.tables import export_tables
from centrum.errors import ManifestError, ProtocolError
from centrum.evaluate import CutOff, Evaluation, PopulationRow, table1
from centrum.execution import KeptResults, Progress, map_jobs, run_jobs, silent
from centrum.features.families import FAMILIES
from centrum.frozen.export import scorer_of
from centrum.frozen.freeze import check_scores
from centrum.frozen.freeze import freeze as freeze_study
from centrum.frozen.model import FrozenModel, read_model
from centrum.frozen.scorer import Scorer
from centrum.io.csv_text import frame_csv, read_frame
from centrum.keys import PACKAGES
from centrum.measure.case import Record
from centrum.measure.label_checks import SAY_THE_REGION
from centrum.measure.perturbed import (
    PerturbedJob,
    measure_perturbed,
    not_perturbed,
    warm_up_perturbed,
)
from centrum.modelling.designs import PLACE_IN_TIME
from centrum.modelling.settings import RobustnessRule
from centrum.perturb import RobustnessSettings, plan_perturbations
from centrum.perturb.robustness import perturbations, perturbed_values, robustness
from centrum.protocol import Images, parse_protocol, preset_text
from centrum.protocol.text import protocol_with
from centrum.provenance import Step
from centrum.report.build import PAGE, write_report
from centrum.report.old import marking_old
from centrum.report.results import StudyResults
from centrum.settings import DIALECTS
from centrum.simulate import NOTICE, PhantomSettings, is_phantom, simulate_cohort
from centrum.store import Store, tidy, write_atomically
from centrum.study.beginning import choices_of_files, notes_on_choices
from centrum.study.begun import make_way, remember_begun
from centrum.study.extraction import (
    Extraction,
    failures_of,
    findings_of,
    for_console,
    load_extraction,
    load_table,
    measure_all,
    measure_study,
    save_extraction,
)
from centrum.study.findings import EVERY_CASE, Failure, Finding
from centrum.study.landmarks import known_preparation
from centrum.study.stage_keys import KEYS, extract_key, is_current, made_before, refuse_stale
from centrum.study.study import (
    MANIFESTS,
    PROTOCOL,
    Study,
    training_rows,
)
from centrum.study.tables import read_study_tables, table_files, tables_digest
from centrum.table import FeatureTable
from centrum.validation.decision import Decision, learn_decision
from centrum.validation.fits import fit_rows, fit_sets, score_rows, search_table, used_features
from centrum.validation.foresight import foresee_unused, refuse_unless_possible
from centrum.validation.judgement import Judgement, judge_scores
from centrum.validation.matrix import study_matrix
from centrum.validation.model import Model, model_of
from centrum.validation.procedure import Assessment, run_assessment

AGREEMENT, ROBUSTNESS, PERTURBATIONS = "agreement.csv", "robustness.csv", "perturbations.csv"
"""Files of the features under other readers and under perturbations, and of what was done."""

FIT, SCORES, ASSESSMENT = "fit.json", "scores.csv", "assessment.json"
"""Files of the model, of its scores and of the judgement of the procedure."""

MODEL = "model.json"
"""File of the frozen model."""

BEGUN = ("cases.csv", PROTOCOL)
"""What `init` writes."""

NOT_PERTURBED = pd.DataFrame(columns=["icc", "lower", "upper", "n", "kept"])


# `workers` is 1 unless asked for: a script that uses more must guard its own start with
# `if __name__ == "__main__":`, because every worker process imports it.


# Beginning a study


def init(
    images: Path,
    folder: Path,
    *,
    image: str | None = None,
    mask: str | None = None,
    labels: str | None = None,
    region: str | None = None,
    sequence: str | None = None,
    table: ClinicalTable | None = None,
    preset: str = "vcf-t2w",
    keep_names: bool = False,
    dry_run: bool = False,
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

    Raises
    ------
    ManifestError
        No image has a mask, there is a manifest already, or the table cannot be read.
    ProtocolError
        There is no such preset, scheme of labels, region or sequence.
    DataError
        In no label map the levels of the scheme fit the anatomy, or too few rows of the table
        and too few cases match.
    """
    said = {"images.labels": labels, "images.region": region, "keep_names": keep_names or None}
    chosen: dict[str, Any] = {key: value for key, value in said.items() if value is not None}
    protocol = protocol_with(_starting_protocol(preset), chosen)
    settings = parse_protocol(protocol, PROTOCOL)
    scheme = settings.images.scheme
    found = discover(images, image_pattern=image, mask_pattern=mask, labels=scheme)
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
    coded = named if keep_names else pseudonymised(named, folder / KEY)
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
            f"vertebral body is wanted. {SAY_THE_REGION}"
        )


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


# Reading and measuring the cases


def check(
    study: Study, *, workers: int = 1, progress: Progress = silent
) -> tuple[tuple[Failure, ...], tuple[Finding, ...]]:
    """Read every image and mask of the study, without features, and say what is wrong.

    Of a study of tables these are read.

    Raises
    ------
    DataError
        A link in `results` leads out of it.
    """
    if study.protocol.tables:
        read = read_study_tables(study)
        return for_console(study, read.failures), for_console(study, read.findings)
    tidy(study.results)
    records = measure_all(study, workers, progress, features=False)
    failures, findings = failures_of(study, records), findings_of(records)
    return for_console(study, failures), for_console(study, findings)


def extract(study: Study, *, workers: int = 1, progress: Progress = silent) -> Extraction:
    """Measure every case and reader; leaves features.parquet and .csv, extraction.json.

    A study of tables reads them instead.

    Cases that were measured before with the same files and settings come from the store. Failures
    and findings are given with the names of cases and files, which a screen may show; what is left
    on disk is without them.

    Raises
    ------
    DataError
        Not one case could be measured.
    """
    key = extract_key(study)  # of what is there before it is read
    of_tables = bool(study.protocol.tables)
    extraction = read_study_tables(study) if of_tables else measure_study(study, workers, progress)
    study.keep_key()
    files = save_extraction(study, extraction)
    study.stages.done("extract", key, files)
    failures, findings = extraction.failures, extraction.findings
    return replace(
        extraction,
        failures=for_console(study, failures),
        findings=for_console(study, findings),
    )


def export(study: Study, folder: Path, format: str) -> tuple[Path, ...]:
    """Write the study's features as PyRadiomics or 3D Slicer would; see `export_tables`."""
    refuse_stale(study, "export")
    return export_tables(load_table(study), folder, format)


# Numbers to a model


def agree(study: Study) -> pd.DataFrame:
    """ICC of every feature over all measured cases; leaves agreement.csv.

    This describes the readers. What the model may use is decided anew on training cases.
    """
    refuse_stale(study, "agree")
    path, rule = study.results / AGREEMENT, study.protocol.model.agreement
    if not is_current(study, "agree"):
        _write_csv(path, _agreement(load_table(study), rule.form, rule.threshold, rule.use))
        _done(study, "agree", [path])
    return _load_agreement(study)


def _agreement(table: FeatureTable, form: str, threshold: float, use: str) -> pd.DataFrame:
    columns = ["feature", "icc", "lower", "upper", "f", "df1", "df2", "p", "n", "kept"]
    if len(table.readers) < 2:
        return pd.DataFrame(columns=columns)
    found = icc(table.values, form)
    judged = found.lower if use == "lower_bound" else found.value
    numbers = (found.value, found.lower, found.upper, found.f, found.df1, found.df2, found.p)
    data = (table.names, *numbers, found.n_subjects, judged > threshold)
    return pd.DataFrame(dict(zip(columns, data, strict=True)))


def _load_agreement(study: Study) -> pd.DataFrame:
    """What `agree` left."""
    return study.stages.result(AGREEMENT, _by_feature)


def _by_feature(path: Path) -> pd.DataFrame:
    return read_frame(path, index_col="feature")


def _done(study: Study, stage: str, files: Iterable[Path]) -> None:
    study.stages.done(stage, KEYS[stage](study), files)


def _read_perturbations(path: Path) -> pd.DataFrame:
    return read_frame(path, dtype={"case": str}, na_filter=False)


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
    settings = _robustness_settings(study)
    refuse_stale(study, "perturb")
    table = load_table(study)
    columns = _columns(study, table)
    records = _measure_perturbed(study, table.cases, workers, progress)
    names = tuple(p.name for p in plan_perturbations(settings, ""))
    values = perturbed_values(records, names, columns)
    table = replace(table, perturbed=values, perturbations=names)
    files = [study.results / ROBUSTNESS, study.results / PERTURBATIONS]
    _write_csv(files[0], robustness(table, settings))
    _write_csv(files[1], perturbations(records))
    files.append(table.save_perturbed(study.results))
    _done(study, "perturb", files)
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
    settings, store = _robustness_settings(study), Store(study.results / "store")
    jobs = _perturbed_jobs(study, [case.id for case in study.cohort.cases])
    each = len(plan_perturbations(settings, ""))
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


def _perturbed_jobs(study: Study, cases: Sequence[str]) -> list[PerturbedJob]:
    settings, primary, wanted = _robustness_settings(study), study.readers[0], set(cases)
    return [
        PerturbedJob(
            replace(job, masks={r: m for r, m in job.masks.items() if r == primary}), settings
        )
        for job in study.jobs(preparation=known_preparation(study))
        if job.case in wanted
    ]


def _measure_perturbed(
    study: Study, cases: Sequence[str], workers: int, progress: Progress
) -> dict[str, Record]:
    """Records by case, in the order of the table."""
    jobs = _perturbed_jobs(study, cases)
    records = run_jobs(
        measure_perturbed,
        jobs,
        workers,
        progress,
        "Perturbing cases",
        failed=not_perturbed,
        kept=KeptResults(study.store, PerturbedJob.key),
        warm_up=partial(warm_up_perturbed, study.protocol.extraction),
    )
    by_case = {job.case: record for job, record in zip(jobs, records, strict=True)}
    return {case: by_case[case] for case in cases}


def _load_robustness(study: Study) -> Robustness:
    """What `perturb` left."""
    done = study.stages.result(PERTURBATIONS, _read_perturbations)
    failed = done[done["error"] != ""]
    named = failed["perturbation"].map(lambda name: f"{name}: " if name else "")
    failures = zip(failed["case"], named + failed["error"], strict=True)
    measured = done[done["perturbation"] != ""]
    return Robustness(
        features=study.stages.result(ROBUSTNESS, _by_feature),
        failures=tuple(Failure(case, message) for case, message in failures),
        cases=measured["case"].nunique(),
        perturbations=measured["perturbation"].nunique(),
        rule=_robustness_settings(study).icc,
    )


def fit(study: Study, *, progress: Progress = silent) -> Model:
    """Fit the final model; leaves fit.json (the model, what each step saw) and scores.csv.

    It is fitted on the training side of a design that has one, and on all cases of a design
    with several parts.

    Raises
    ------
    DataError
        Too few patients of a class, one class only, or no feature left after a step.
    """
    refuse_stale(study, "fit")
    files = [study.results / name for name in (FIT, SCORES)]
    if not is_current(study, "fit"):
        progress("Fitting the model", 0, 1)
        perturbed = study.protocol.robustness is not None
        record, scores = _fit(study, load_table(study, perturbed=perturbed))
        _write_json(files[0], record)
        _write_csv(files[1], scores)
        _done(study, "fit", files)
        progress("Fitting the model", 1, 1)
    return load_model(study)


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
    return study.stages.result(FIT, lambda path: Model.from_dict(_read_json(path)["model"]))


def _load_scorer(study: Study) -> Scorer:
    return study.stages.result(FIT, lambda path: Scorer.from_dict(_read_json(path)["scorer"]))


def _load_search(study: Study) -> list[dict[str, Any]]:
    """The table of the final model's search; empty without one."""
    return study.stages.result(FIT, lambda path: list(_read_json(path)["search"]))


def _load_scores(study: Study) -> pd.DataFrame:
    """The scores that `fit` left."""
    return study.stages.result(SCORES, _read_scores)


def _read_scores(path: Path) -> pd.DataFrame:
    texts = {"case": str, "patient": str, "outcome": str}
    return read_frame(path, dtype=texts, index_col="case")


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def assess(study: Study, *, workers: int = 1, progress: Progress = silent) -> Assessment:
    """Judge the whole procedure; leaves assessment.json and predictions.csv.

    Every part of the design, what volume, covariates and images add to each other, the
    optimism, and the leak audit: the model is fitted many times, over `workers` processes.
    What was fitted before comes from the store.
    """
    refuse_stale(study, "assess")
    files = [study.results / ASSESSMENT, study.results / "predictions.csv"]
    if not is_current(study, "assess"):
        found = run_assessment(study.protocol, study.results, workers, progress)
        _write_json(files[0], found.to_dict())
        _write_csv(files[1], found.predictions(load_table(study).obs))
        _done(study, "assess", files)
    return load_assessment(study)


def load_assessment(study: Study) -> Assessment:
    """What `assess` left."""
    read = study.stages.result
    return read(ASSESSMENT, lambda path: Assessment.from_dict(_read_json(path)))


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
    refuse_stale(study, "evaluate")
    judged = judge(study)
    path = study.results / "evaluation.json"
    _write_json(path, judged.to_dict())
    _done(study, "evaluate", [path])
    return judged.decision.cutoff, dict(judged.evaluations)


def judge(study: Study) -> Judgement:
    """Everything that is computed of the scores."""
    scores, protocol, table = _load_scores(study), study.protocol, load_table(study)
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
    refuse_stale(study, "freeze")
    if not is_current(study, "freeze"):
        path = study.results / MODEL
        _freeze(study).save(path)
        _done(study, "freeze", [path])
    return study.stages.result(MODEL, read_model)


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
        scorer=_load_scorer(study),
        judgement=judge(study),
        acquisition=extraction.acquisition,
        provenance={
            "versions": versions(),
            "digests": _digests(study, "freeze") | {"protocol (choices)": protocol.digest()},
            "simulated": NOTICE if extraction.simulated else "",
            "of_tables": bool(study.protocol.tables),
        },
    )


# The report


def report(study: Study, *, progress: Progress = silent) -> Path:
    """Write report.html with its tables and figures; gives the path of the page.

    Raises
    ------
    CentrumError
        A stage has not been run, or is older than what decides it.
    """
    refuse_stale(study, "report")
    if not is_current(study, "report"):
        progress("Writing the report", 0, 1)
        _done(study, "report", write_report(collect(study), study.results))
        progress("Writing the report", 1, 1)
    return study.results / PAGE


def collect(study: Study) -> StudyResults:
    """All results of a study that has been run."""
    extraction, model, judgement = load_extraction(study), load_model(study), judge(study)
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
        agreement=_load_agreement(study),
        model=model,
        scorer=_load_scorer(study),
        cutoff=cutoff,
        scores=_load_scores(study),
        evaluations=judgement.evaluations,
        judgement=judgement,
        assessment=load_assessment(study),
        search=_load_search(study),
        population=_population(table, (outcome.positive, outcome.negative)),
        history=_history(study, table, cutoff),
        versions=versions(),
        digests=_digests(study, "report"),
        sequences=extraction.sequences,
        robustness=_load_robustness(study).features if study.protocol.robustness else NOT_PERTURBED,
    )


def _population(table: FeatureTable, outcomes: tuple[str, str]) -> tuple[PopulationRow, ...]:
    groups = pd.Categorical(table.obs["outcome"], outcomes, ordered=True)
    described = table.obs.drop(columns=PLACE_IN_TIME, errors="ignore")
    known = described.dropna(axis="columns", how="all").assign(outcome=groups)
    if "level" in known:
        names = sorted(known["level"].dropna().unique(), key=Level.parse)
        known["level"] = pd.Categorical(known["level"], names, ordered=True)
    return tuple(table1(known))


def _history(study: Study, table: FeatureTable, cutoff: CutOff) -> tuple[Step, ...]:
    protocol = study.protocol
    settings = protocol.robustness
    return (
        *table.history,
        Step("agreement", protocol.model.agreement.model_dump(mode="json")),
        *([Step("perturb", settings.model_dump(mode="json"))] if settings else []),
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


def _digests(study: Study, stage: str) -> dict[str, str]:
    """Of the inputs, as they were read, and of what the stages before left."""
    tables = {"tables": tables_digest(study)} if study.protocol.tables else {}
    made = study.stages.digests_of(*made_before(study, stage))
    return {**study.digests, **tables, **{f"results/{name}": d for name, d in made.items()}}


# All of it


def outlook(study: Study) -> tuple[str, ...]:
    """What `run` would do, in lines to print."""
    made = study.stages.read()
    return (
        f"{len(study.cohort)} eligible cases of {study.flow.start.cases} in the manifest, "
        f"readers {', '.join(study.readers)}",
        _extract_outlook(study),
        *(
            f"{stage}: {'made before, again if its input changed' if stage in made else 'to do'}"
            for stage in ("agree", "fit", "assess", "evaluate", "freeze", "report")
        ),
        *([perturb_outlook(study)] if study.protocol.robustness else []),
        assess_outlook(study),
    )


def _extract_outlook(study: Study) -> str:
    """What `extract` would do, in a line to print."""
    if study.protocol.tables:
        files = [f for t in study.protocol.tables for f in table_files(study.folder, t)]
        return f"read {len(files)} tables of features that were measured elsewhere"
    jobs, store = study.jobs(preparation=known_preparation(study)), Store(study.results / "store")
    measured = sum(store.get(job.key()) is not None for job in jobs)
    return (
        f"measure {len(study.features)} features in sequence {' and '.join(study.sequences)}: "
        f"{len(jobs) - measured} cases to do, {measured} in the store"
    )


def assess_outlook(study: Study) -> str:
    """How often `assess` would fit the model, in a line to print."""
    evaluation, split = study.protocol.evaluation, study.protocol.split
    return (
        f"assess: design {split.design}; each of its parts also for "
        f"{evaluation.leak_audit.permutations} permutations (first repeat); leaks on "
        f"{2 * evaluation.leak_audit.splits} splits; {evaluation.optimism_resamples} bootstrap "
        "samples. What was fitted before is kept in fits/"
    )


def run(study: Study, *, workers: int = 1, progress: Progress = silent) -> tuple[Extraction, Path]:
    """All stages; what the measurement found, and the path of the report.

    When one of them fails, a report that an earlier run left says at its top that it is old.
    Findings say which results were edited and are made again, and whether a manuscript is old.
    """
    with marking_old(study.results):
        refuse_unless_possible(study)
        edited = tuple(_edited(study))
        extraction = extract(study, workers=workers, progress=progress)
        if extraction.failures:
            refuse_unless_possible(study, extraction.table.cases)
        agree(study)
        if study.protocol.robustness:
            perturb(study, workers=workers, progress=progress)
        else:
            study.stages.forget("perturb")
        fit(study, progress=progress)
        assess(study, workers=workers, progress=progress)
        evaluate(study)
        freeze(study)
        page = report(study, progress=progress)
        told = (*extraction.findings, *foresee_unused(study), *edited, *_old_manuscript(study))
        return replace(extraction, findings=told), page


def _edited(study: Study) -> Iterator[Finding]:
    """Results that are not as their stages left them; the page is marked when a run fails."""
    for stage in study.stages.read():
        for name in study.stages.changed(stage):
            if name != PAGE and (study.results / name).exists():
                text = f"{name} was not as `{stage}` left it: it is made again."
                yield Finding(EVERY_CASE, "", "note", "changed-result", text, name)


def _old_manuscript(study: Study) -> Iterator[Finding]:
    """A manuscript of an earlier run, or version: until 0.2.1 it was not recorded."""
    if (study.results / "manuscript").is_dir() and not is_current(study, "manuscript"):
        remedy = "`centrum manuscript STUDY` writes it anew."
        text = f"The manuscript is that of an earlier run. {remedy}"
        yield Finding(EVERY_CASE, "", "note", "old-manuscript", text, remedy=remedy)


def _write_json(path: Path, value: object) -> None:
    write_atomically(path, json.dumps(value, indent=1).encode())


def _write_csv(path: Path, frame: pd.DataFrame) -> None:
    write_atomically(path, frame_csv(frame).encode())
