"""The verb `perturb`: how far features stay the same under perturbation of image and region."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from centrum.commands.results import ROBUSTNESS, by_feature, done, write_csv
from centrum.errors import ProtocolError
from centrum.execution import KeptResults, Progress, run_jobs, silent
from centrum.io.csv_text import read_frame
from centrum.measure.case import Record
from centrum.measure.perturbed import (
    PerturbedJob,
    measure_perturbed,
    not_perturbed,
    warm_up_perturbed,
)
from centrum.modelling.on_disk import refuse_too_large
from centrum.modelling.settings import RobustnessRule
from centrum.perturb import RobustnessSettings, plan_perturbations
from centrum.perturb.robustness import perturbations, perturbed_values, robustness
from centrum.stages import PERTURBATIONS
from centrum.store import Store
from centrum.study.extraction import load_table
from centrum.study.findings import Failure
from centrum.study.landmarks import known_preparation
from centrum.study.stage_keys import refuse_stale
from centrum.study.study import PROTOCOL, Study
from centrum.table import FeatureTable
from centrum.text import OneLine

FEWER = "Perturb fewer times (`robustness: {repeats: 3}`), or a study of some of the cases."
"""What to do about more perturbed values than are held."""


@dataclass(frozen=True, eq=False, repr=False)
class Robustness(OneLine):
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
        `extract` has not been run, the layer is too large to be held, or fewer than two cases
        could be measured.
    """
    settings = _settings_of(study)
    refuse_stale(study, "perturb")
    table = load_table(study)
    measured, names = table.measured, _names(settings)
    refuse_too_large("The perturbed layer", (*table.values.shape[:2], len(names)), FEWER)
    records = _measure_perturbed(study, table.cases, workers, progress)
    values = perturbed_values(records, names, _columns(study, measured))
    measured = replace(measured, perturbed=values, perturbations=names)
    files = [study.results / ROBUSTNESS, study.results / PERTURBATIONS]
    write_csv(files[0], robustness(measured, settings))
    write_csv(files[1], perturbations(records))
    files.append(_with_layer(table, measured).save_perturbed(study.results))
    done(study, "perturb", files)
    return load_robustness(study)


def _with_layer(table: FeatureTable, measured: FeatureTable) -> FeatureTable:
    """The table with the perturbed layer of what was measured; the rest of it is as it was."""
    assert measured.perturbed is not None
    if len(measured.features) == len(table.features):
        return measured
    names, own = measured.perturbations, [f.sequence not in table.elsewhere for f in table.features]
    values = np.repeat(np.asarray(table.values)[:, :, :1], len(names), axis=2)
    values[:, own] = measured.perturbed
    return replace(table, perturbed=values, perturbations=names)


def _names(settings: RobustnessSettings) -> tuple[str, ...]:
    return tuple(p.name for p in plan_perturbations(settings, ""))


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
    settings, store = _settings_of(study), Store(study.results / "store")
    jobs = _perturbed_jobs(study, [case.id for case in study.cohort.cases])
    each = len(_names(settings))
    kept = sum(store.get(job.key()) is not None for job in jobs)
    return (
        f"perturb: {each * len(jobs)} measurements ({len(jobs)} cases x {each} perturbations), "
        f"{each * kept} of them in the store"
    )


def _settings_of(study: Study) -> RobustnessSettings:
    if study.protocol.robustness is None:
        raise ProtocolError(
            f"{PROTOCOL} has no block `robustness`, which says how to perturb: add a line "
            "`robustness: {}` for the defaults."
        )
    return study.protocol.robustness


def _perturbed_jobs(study: Study, cases: Sequence[str]) -> list[PerturbedJob]:
    settings, primary, wanted = _settings_of(study), study.readers[0], set(cases)
    return [
        PerturbedJob(job.of_reader(primary), settings)
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


def load_robustness(study: Study) -> Robustness:
    """What `perturb` left."""
    done = study.stages.result(PERTURBATIONS, _read_perturbations)
    failed = done[done["error"] != ""]
    named = failed["perturbation"].map(lambda name: f"{name}: " if name else "")
    failures = zip(failed["case"], named + failed["error"], strict=True)
    measured = done[done["perturbation"] != ""]
    return Robustness(
        features=study.stages.result(ROBUSTNESS, by_feature),
        failures=tuple(Failure(case, message) for case, message in failures),
        cases=measured["case"].nunique(),
        perturbations=measured["perturbation"].nunique(),
        rule=_settings_of(study).icc,
    )


NOT_PERTURBED = pd.DataFrame(columns=["icc", "lower", "upper", "n", "kept"])


def _read_perturbations(path: Path) -> pd.DataFrame:
    return read_frame(path, dtype={"case": str}, na_filter=False)
