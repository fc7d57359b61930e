"""The verbs of a study: from its cases to a report and a frozen model.

`extract`, `agree`, `morphometry`, `perturb`, `fit`, `internal`, `evaluate`, `explain`, `freeze` and
`report` each read what the ones before left in `results/` and leave their own; `run` does them all,
`morphometry` if the protocol has a block of that name, `perturb` if it has one `robustness`, and
`explain` unless it says `explanation: null`. A stage is made again only when something that decides
it has changed.

`workers` is 1 unless asked for: a script that uses more must guard its own start with
`if __name__ == "__main__":`, because every worker process imports it.
"""

import platform
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from centrum.agreement import icc
from centrum.cohort.phantom import NOTICE
from centrum.commands.bodies import (
    NO_MORPHOMETRY,
    Bodies,
    load_bodies,
    morphometry,
    morphometry_outlook,
)
from centrum.commands.perturb import NOT_PERTURBED, load_robustness, perturb, perturb_outlook
from centrum.commands.results import (
    AGREEMENT,
    ASSESSMENT,
    EXPLANATION,
    FIT,
    MODEL,
    PREDICTIONS,
    SCORES,
    WITHIN,
    done,
    load_agreement,
    load_agreement_within,
    load_explanation,
    load_internal_validation,
    load_model,
    load_scorer,
    load_scores,
    load_search,
    write_csv,
    write_json,
)
from centrum.commands.tables import export_tables
from centrum.errors import ProtocolError, attempt
from centrum.evaluate import CutOff, Evaluation, PopulationRow
from centrum.execution import Progress, silent
from centrum.frozen.explanation import StudyExplanation, explain_study, not_explained
from centrum.frozen.export import scorer_of
from centrum.frozen.freeze import check_scores, freeze as freeze_study
from centrum.frozen.model import FrozenModel, read_model
from centrum.modelling.settings import AgreementSettings
from centrum.morphometry.measures import MEASURES
from centrum.provenance import PACKAGES, Step, __version__
from centrum.records import as_json
from centrum.report.build import write_report
from centrum.report.old import marking_old
from centrum.report.results import StudyResults
from centrum.stages import EVALUATION, PAGE
from centrum.study.extraction import (
    Extraction,
    for_console,
    load_extraction as load_extraction,
    load_table,
    measure_study,
    save_extraction,
)
from centrum.study.landmarks import known_preparation
from centrum.study.left import edited, old_manuscript
from centrum.study.measuring import Measure, measured_before
from centrum.study.plan import read_plans
from centrum.study.readings import readings_of
from centrum.study.sources import with_sources
from centrum.study.stage_keys import (
    KEYS,
    extract_key,
    has_stage,
    is_current,
    made_before,
    reads_refits,
    refuse_stale,
)
from centrum.study.study import (
    Study as Study,
    foresee_unused,
    open_study as open_study,
    study_parts,
    training_rows,
)
from centrum.study.tables import read_study_tables, table_files, tables_digest
from centrum.table import FeatureTable
from centrum.text import counted
from centrum.validation.decision import Decision, learn_decision
from centrum.validation.evaluation import StudyEvaluation, evaluate_study
from centrum.validation.fits import (
    Source,
    fit_rows,
    fit_sets,
    of_reader,
    reader_scores,
    score_rows,
    search_table,
    used_features,
)
from centrum.validation.foresight import refuse_unless_possible
from centrum.validation.matrix import study_matrix
from centrum.validation.model import Model, model_of
from centrum.validation.population import Sides, population, sides
from centrum.validation.procedure import InternalValidation, parts_of, run_internal_validation

# Measuring the cases


def extract(
    study: Study,
    *,
    workers: int = 1,
    progress: Progress = silent,
    measure: Measure | None = None,
) -> Extraction:
    """Measure every case and reader; leaves features.parquet and .csv, extraction.json.

    A study of tables reads them instead. `measure` is what measures in the place of `workers`.

    Cases that were measured before with the same files and settings come from their shards.
    Failures and findings are given with the names of cases and files, which a screen may show; what
    is left on disk is without them.

    Raises
    ------
    DataError
        Not one case could be measured.
    """
    key = extract_key(study)  # of what is there before it is read
    of_tables = bool(study.protocol.tables)
    extraction = (
        read_study_tables(study) if of_tables else measure_study(study, workers, progress, measure)
    )
    extraction = with_sources(study, extraction)
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
    """ICC of every feature between readers, over all measured cases; leaves agreement.csv.

    Where a reader read more than once, also the ICC of these readings: agreement_within.csv. This
    describes the readers. What the model may use is decided anew on training cases.
    """
    refuse_stale(study, "agree")
    path, rule = study.results / AGREEMENT, study.protocol.model.agreement
    if not is_current(study, "agree"):
        table = load_table(study)
        write_csv(path, _agreement(table.rated, table.compared, rule))
        files = [path]
        if table.read_twice:
            files.append(study.results / WITHIN)
            write_csv(files[-1], _agreement_within(table, rule))
        done(study, "agree", files)
    return load_agreement(study)


def _agreement(
    table: FeatureTable, readers: Sequence[str], rule: AgreementSettings
) -> pd.DataFrame:
    columns = ["feature", "icc", "lower", "upper", "f", "df1", "df2", "p", "n", "kept"]
    if len(readers) < 2 or not table.features:
        return pd.DataFrame(columns=columns)
    found = icc(table.values_of(readers), rule.form, patients=table.obs["patient"])
    judged = found.lower if rule.use == "lower_bound" else found.value
    numbers = (found.value, found.lower, found.upper, found.f, found.df1, found.df2, found.p)
    data = (table.names, *numbers, found.n_subjects, judged > rule.threshold)
    return pd.DataFrame(dict(zip(columns, data, strict=True)))


def _agreement_within(table: FeatureTable, rule: AgreementSettings) -> pd.DataFrame:
    """The same for every reader who read more than once, by name."""
    found = {names[0]: _agreement(table.rated, names, rule) for names in table.read_twice}
    return pd.concat(found, names=["reader"]).reset_index("reader")


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
        record, scores = _fit(study, load_table(study, **study.protocol.layers))
        write_json(files[0], record)
        write_csv(files[1], scores)
        done(study, "fit", files)
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
    for reader, found in reader_scores(protocol, fitted.model, matrix, rows).items():
        scores[of_reader("score", reader)] = found
    scorer = scorer_of(fitted.model, matrix.names, protocol.model.harmonisation.batch)
    check_scores(scorer, matrix, scores["score"].to_numpy())
    scores["out_of_fold"] = np.nan
    scores.loc[train, "out_of_fold"] = fitted.out_of_fold
    record = {
        "model": as_json(model),
        "scorer": as_json(scorer),
        "seen": fit_sets(fitted.model, matrix, test),
        "features": used_features(fitted.model),
        "search": search_table(fitted.model),
    }
    return record, scores


def internal(study: Study, *, workers: int = 1, progress: Progress = silent) -> InternalValidation:
    """Internal validation of the whole procedure; leaves assessment.json.

    Every part of the design, what volume, covariates and images add to each other, the
    optimism, and the leak audit: the model is fitted many times, over `workers` processes.
    What was fitted before comes from the store.
    """
    refuse_stale(study, "internal")
    if not is_current(study, "internal"):
        path = study.results / ASSESSMENT
        found = run_internal_validation(study.protocol, study.results, workers, progress)
        write_json(path, as_json(found))
        done(study, "internal", [path])
    return load_internal_validation(study)


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
    """Learn the cut-off on out-of-fold training scores and evaluate.

    Leaves evaluation.json, and the predictions that it is of in predictions.csv.
    """
    refuse_stale(study, "evaluate")
    judged = evaluate_scores(study)
    files = [study.results / EVALUATION, study.results / PREDICTIONS]
    write_json(files[0], as_json(judged))
    write_csv(files[1], _predictions(study, judged))
    done(study, "evaluate", files)
    return judged.decision.cutoff, dict(judged.by_set)


def _predictions(study: Study, judged: StudyEvaluation) -> pd.DataFrame:
    """A row for every prediction of a tested case: of the final model, or of those of the parts."""
    obs = load_table(study).obs
    if not study.protocol.split.single_part:
        return load_internal_validation(study).predictions(obs)
    (part,) = study_parts(study.protocol, obs)
    tested = load_scores(study).loc[list(judged.tested)]
    return pd.DataFrame(
        {
            "case": judged.tested,
            "outcome": tested["outcome"].to_numpy(),
            "part": part.name,
            "repeat": part.repeat,
            "score": tested["score"].to_numpy(),
            "probability": judged.probability,
            "called": judged.called.astype(int),
            "set": judged.sets,
        }
    )


_EVALUATED: dict[str, StudyEvaluation] = {}
"""The evaluation that was last asked for, by its key."""


def evaluate_scores(study: Study) -> StudyEvaluation:
    """Everything that is computed of the scores; once, however many stages ask for it."""
    key = KEYS["evaluate"](study)
    if key not in _EVALUATED:
        evaluated = _evaluate_scores(study)
        _EVALUATED.clear()
        _EVALUATED[key] = evaluated
    return _EVALUATED[key]


def _evaluate_scores(study: Study) -> StudyEvaluation:
    scores, protocol = load_scores(study), study.protocol
    table = load_table(study, morphometry=protocol.morphometry is not None)
    known = (protocol, scores, table.obs, decision_of(study, scores))
    primary = table.readers[0]
    if protocol.split.single_part:
        return evaluate_study(*known, primary=primary)
    found = load_internal_validation(study)
    return evaluate_study(*known, found.pooled(len(scores)), primary=primary, parts=found.parts)


def explain(
    study: Study, *, workers: int = 1, progress: Progress = silent
) -> StudyExplanation | None:
    """What the score rests on; leaves explanation.json. None where its AUC may be chance.

    Every part of a design with several is fitted once more, over `workers` processes; what was
    fitted for it before comes from the store.

    Raises
    ------
    ProtocolError
        The protocol says `explanation: null`.
    """
    if not has_stage(study.protocol, "explain"):
        raise ProtocolError("study.yaml says `evaluation: {explanation: null}`: nothing to do.")
    refuse_stale(study, "explain")
    if not is_current(study, "explain"):
        path = study.results / EXPLANATION
        write_json(path, {"explanation": as_json(_explain(study, workers, progress))})
        done(study, "explain", [path])
    return load_explanation(study)


def _explain(study: Study, workers: int, progress: Progress) -> StudyExplanation | None:
    if not evaluate_scores(study).above_chance:
        return None
    protocol = study.protocol
    matrix = study_matrix(load_table(study, **protocol.layers), protocol)
    source, parts = Source.of(study.results, protocol), parts_of(protocol, matrix)
    scorer = load_scorer(study)
    explained = partial(explain_study, protocol, source, matrix, scorer, parts, workers, progress)
    return attempt(explained, partial(not_explained, scorer.scale))


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
        done(study, "freeze", [path])
    return study.stages.result(MODEL, read_model)


def _freeze(study: Study) -> FrozenModel:
    extraction, prepared = load_extraction(study), known_preparation(study)
    protocol = study.protocol
    table = load_table(study, morphometry=protocol.layers["morphometry"])
    train, _ = training_rows(protocol, table.obs)
    return freeze_study(
        protocol=protocol.model_copy(update={"preparation": prepared}),
        table=table,
        matrix=study_matrix(table, protocol),
        train=train,
        scores=load_scores(study),
        scorer=load_scorer(study),
        evaluation=evaluate_scores(study),
        acquisition=extraction.acquisition,
        provenance={
            "versions": versions(),
            "digests": _digests(study, "freeze") | {"protocol (choices)": protocol.digest()},
            "simulated": NOTICE if extraction.simulated else "",
            "of_tables": bool(study.protocol.tables),
        },
        refits=load_internal_validation(study).resamples if reads_refits(protocol) else (),
    )


# The report


def report(study: Study, *, workers: int = 1, progress: Progress = silent) -> Path:
    """Write report.html with its tables and figures; gives the path of the page.

    Raises
    ------
    CentrumError
        A stage has not been run, or is older than what decides it.
    """
    refuse_stale(study, "report")
    if not is_current(study, "report"):
        progress("Writing the report", 0, 1)
        done(study, "report", write_report(collect(study), study.results, workers))
        progress("Writing the report", 1, 1)
    return study.results / PAGE


def collect(study: Study) -> StudyResults:
    """All results of a study that has been run."""
    extraction, model, evaluation = (
        load_extraction(study),
        load_model(study),
        evaluate_scores(study),
    )
    cutoff = evaluation.decision.cutoff
    table = extraction.table
    if study.protocol.layers["morphometry"]:
        table = load_table(study, morphometry=True)
    bodies = load_bodies(study) if study.protocol.morphometry else None
    outcome = study.protocol.outcome
    return StudyResults(
        title=study.protocol.name,
        protocol=study.protocol,
        simulated=NOTICE if extraction.simulated else "",
        flow=study.flow,
        failures=extraction.failures,
        findings=extraction.findings,
        table=table,
        sources={job.case: (job.image, job.drawn) for job in study.jobs()},
        jobs={job.case: job for job in study.jobs(preparation=known_preparation(study))},
        contents=study.sources,
        overlap=extraction.overlap_of(""),
        overlap_of_regions={name: extraction.overlap_of(name) for name in study.cohort.regions},
        agreement=load_agreement(study),
        agreement_within=load_agreement_within(study),
        model=model,
        scorer=load_scorer(study),
        cutoff=cutoff,
        scores=load_scores(study),
        evaluation=evaluation,
        validation=load_internal_validation(study),
        search=load_search(study),
        population=population(extraction.table.obs, (outcome.positive, outcome.negative)),
        sides=_sides(study, extraction.table, model),
        morphometry=_described(study, extraction.table.obs, bodies),
        morphometry_agreement=bodies.agreement if bodies else NO_MORPHOMETRY,
        history=_history(study, table, cutoff),
        versions=versions(),
        digests=_digests(study, "report"),
        sequences=extraction.sequences,
        robustness=load_robustness(study).features if study.protocol.robustness else NOT_PERTURBED,
        readings=readings_of(study),
        plans=read_plans(study.folder),
        explanation=load_explanation(study) if has_stage(study.protocol, "explain") else None,
    )


def _described(study: Study, obs: pd.DataFrame, bodies: Bodies | None) -> tuple[PopulationRow, ...]:
    """The primary reader's measures of the bodies by outcome."""
    if bodies is None:
        return ()
    own = bodies.frame[bodies.frame["reader"] == study.readers[0]].set_index("case")
    outcome = study.protocol.outcome
    measures = own[[*MEASURES]].rename(columns={n: m.heading for n, m in MEASURES.items()})
    known = obs[["patient", "outcome"]].join(measures)
    return population(known, (outcome.positive, outcome.negative))


def _sides(study: Study, table: FeatureTable, model: Model) -> Sides | None:
    """Training beside test; None in a design whose cases are on both sides in turn."""
    if not study.protocol.split.single_part:
        return None
    outcome = study.protocol.outcome
    position = {name: k for k, name in enumerate(table.names)}
    names = [name for name in model.features if name in position]
    values = np.asarray(table.values[:, [position[name] for name in names], 0])
    own = pd.DataFrame(values, table.obs.index, names)
    part = load_scores(study)["part"].reindex(table.obs.index)
    return sides(table.obs, part, own, (outcome.positive, outcome.negative))


def _history(study: Study, table: FeatureTable, cutoff: CutOff) -> tuple[Step, ...]:
    protocol = study.protocol
    settings, bodies = protocol.robustness, protocol.morphometry
    return (
        *table.history,
        Step("agreement", protocol.model.agreement.model_dump(mode="json")),
        *([Step("morphometry", bodies.model_dump(mode="json"))] if bodies else []),
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
    read = study.protocol.tables or study.protocol.sources
    tables = {"tables": tables_digest(study)} if read else {}
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
            for stage in ("agree", "fit", "internal", "evaluate", "explain", "freeze", "report")
            if has_stage(study.protocol, stage)
        ),
        *([morphometry_outlook(study)] if study.protocol.morphometry else []),
        *([perturb_outlook(study)] if study.protocol.robustness else []),
        internal_outlook(study),
    )


def _extract_outlook(study: Study) -> str:
    """What `extract` would do, in a line to print."""
    if study.protocol.tables:
        files = [f for t in study.protocol.tables for f in table_files(study.folder, t)]
        return f"read {len(files)} tables of features that were measured elsewhere"
    jobs = study.jobs(preparation=known_preparation(study))
    measured = measured_before(study, jobs)
    further = [f for t in study.protocol.sources for f in table_files(study.folder, t)]
    return (
        f"measure {len(study.features)} features in sequence {' and '.join(study.sequences)}: "
        f"{len(jobs) - measured} cases to do, {measured} in the store"
        + (f"; read {counted(len(further), 'table')} of further sources" if further else "")
    )


def internal_outlook(study: Study) -> str:
    """How often `internal` would fit the model, in a line to print."""
    evaluation, split = study.protocol.evaluation, study.protocol.split
    return (
        f"internal: design {split.design}; each of its parts also for "
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
        changed = tuple(edited(study))
        extraction = extract(study, workers=workers, progress=progress)
        if extraction.failures:
            refuse_unless_possible(study, extraction.table.cases)
        agree(study)
        for stage, make in (("morphometry", morphometry), ("perturb", perturb)):
            if has_stage(study.protocol, stage):
                make(study, workers=workers, progress=progress)
            else:
                study.stages.forget(stage)
        fit(study, progress=progress)
        internal(study, workers=workers, progress=progress)
        evaluate(study)
        if has_stage(study.protocol, "explain"):
            explain(study, workers=workers, progress=progress)
        else:
            study.stages.forget("explain")
        freeze(study)
        page = report(study, workers=workers, progress=progress)
        told = (*extraction.findings, *foresee_unused(study), *changed, *old_manuscript(study))
        return replace(extraction, findings=told), page
