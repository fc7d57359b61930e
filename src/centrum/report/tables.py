"""From results to tables; numbers stay numbers until they are shown."""

import json
from collections.abc import Hashable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from centrum.arrays import Floats
from centrum.evaluate import MEASURES, Evaluation, PopulationRow
from centrum.evaluate.bootstrap import Interval
from centrum.evaluate.population import Quartiles
from centrum.evaluate.thresholds import predictive_values
from centrum.features.feature_id import FeatureId
from centrum.modelling.settings import AgreementSettings
from centrum.provenance import History
from centrum.report.blocks import Apparent, Column, Estimate, PValue, Table
from centrum.report.labels import UNITS, family_words, heading, unit_text
from centrum.report.numbering import ref
from centrum.report.readers import trained_agreement
from centrum.report.results import StudyResults
from centrum.report.words.agreement import rule_label
from centrum.report.words.model import step_labels
from centrum.report.words.results import (
    AT_CUTOFF,
    AUC_INTERVAL,
    BY_PATIENT,
    EVALUATIONS,
    INTERVALS,
    OF_COUNTS,
)
from centrum.study.findings import by_kind
from centrum.text import counted, fixed, number, percent
from centrum.validation.model import Model

BESIDE = {
    "ablation": "What each source adds",
    "sparse": "The sparse model",
    "permutation": "The permutation of the outcomes",
    "leaks": "What leaks would have claimed",
    "rows": "The comparison of rows",
    "resamples": "The optimism by bootstrap",
}
"""What is computed beside the parts of the design."""


def not_computed(results: StudyResults, *names: str) -> tuple[str, ...]:
    """Of these analyses, what could not be computed, in whole or in part, and why."""
    failed = results.validation.failed
    return tuple(
        f"{BESIDE[name]} could not be computed: {failed[name]}" for name in names if name in failed
    )


def model_labels(results: StudyResults) -> tuple[str, ...]:
    """Names for people of the model's features, those with the largest coefficients first."""
    return labels_of(results, _ordered_names(results))


def labels_of(results: StudyResults, names: Sequence[str]) -> tuple[str, ...]:
    """Names for people of some columns; a covariate is called as its column."""
    return tuple(results.labels.get(name, name.replace("_", " ")) for name in names)


def shown_of(shown: int, total: int, by: str, rest: str) -> str:
    """Which of all features, or images, a figure shows, and the table that has them all.

    Parameters
    ----------
    by : what those shown have, such as "largest coefficients"; "" where they are the first ones
    rest : such as "table score", for `ref`

    >>> shown_of(7, 7, "largest coefficients", "table score")
    'all 7'
    >>> shown_of(7, 30, "largest coefficients", "table score").replace(chr(0), "")
    'the 7 of 30 with the largest coefficients (table score has all)'
    """
    if shown == total:
        return f"all {total}" if total > 1 else "the only one"
    which = f"the {shown} of {total} with the {by}" if by else f"the first {shown} of {total}"
    return f"{which} ({ref(rest)} has all)"


def _known(results: StudyResults) -> dict[str, FeatureId]:
    return dict(zip(results.table.names, results.table.features, strict=True))


def _ordered_names(results: StudyResults) -> list[str]:
    return [results.model.features[k] for k in model_order(results.model)]


def model_features(results: StudyResults) -> list[FeatureId]:
    """The model's features, without covariates, in the order of `model_labels`."""
    known = _known(results)
    return [known[name] for name in _ordered_names(results) if name in known]


def feature_units(results: StudyResults) -> list[str]:
    """Units of the model's features, in the order of `model_labels`."""
    return units_of(results, _ordered_names(results))


def units_of(results: StudyResults, names: Sequence[str]) -> list[str]:
    """Units of some columns."""
    known = _known(results)
    return [
        unit_text(known[name].unit) if name in known else UNITS.get(name, "–") for name in names
    ]


def model_order(model: Model) -> np.ndarray:
    """Positions of the model's features by falling absolute coefficient."""
    return np.argsort(-np.abs(model.coefficients), kind="stable")


def label_table(labels: Mapping[str, str], features: Mapping[str, FeatureId]) -> Table:
    """What the labels of some features stand for, by column name."""
    facts: dict[str, list[str]] = {"Label": [labels[name] for name in features]}
    facts["Feature"] = [f.name for f in features.values()]
    facts["IBSI code"] = [f.code for f in features.values()]
    facts["Family"] = [family_words(f.family).told for f in features.values()]
    for head, field in OF_A_FEATURE.items():
        facts[head] = [getattr(f, field).replace("_", " ") for f in features.values()]
    facts["Column name"] = [*features]
    told = {head: cells for head, cells in facts.items() if any(cells)}
    rows = tuple(zip(*told.values(), strict=True))
    notes = (
        "What tables and figures call a feature: short names of the family and of the feature, and "
        "in brackets the image where that is a response map. Grey: grey level.",
    )
    columns = tuple(map(Column, told))
    return Table("feature-labels", "Feature labels", columns, rows, notes, sorts=True)


OF_A_FEATURE = {
    "Image": "image",
    "Region": "region",
    "Sequence": "sequence",
    "Discretisation": "discretisation",
    "Aggregation": "aggregation",
}
"""Head of a column of the table of labels -> what it tells of a feature."""


def population_table(results: StudyResults) -> Table:
    """Who was studied, by outcome."""
    notes: tuple[str, ...] = ()
    if results.mixed_patients:
        mixed = counted(results.mixed_patients, "patient has", "patients have")
        notes = (f"{mixed} cases of both outcomes: counted in both groups, and once overall.",)
    columns, cells = described(results.population)
    return Table("population", "Population", columns, cells, (DESCRIBED, *notes), main=True)


DESCRIBED = (
    "Tests are two-sided and take cases as independent. A numeric variable is described by mean "
    "and standard deviation (SD), or by median and interquartile range (IQR) when normality is "
    "rejected (Lilliefors). What has each of its values in one group alone is not tested: it may "
    "follow from the group."
)
"""Note of tables of what is described by outcome."""


def described(
    rows: Sequence[PopulationRow],
) -> tuple[tuple[Column, ...], tuple[tuple[Any, ...], ...]]:
    """Columns and cells of a table of what is described by outcome."""
    groups = list(rows[0].groups)
    heads = ["Characteristic", "Level", "Statistic", *groups, "Overall", "Test", "P"]
    cells = []
    for row in rows:
        found = row.significance
        cells.append(
            (
                heading(row.variable),
                row.level,
                row.statistic,
                *(row.groups[g] for g in groups),
                row.overall,
                found.test if found else "",
                PValue(found.p) if found else None,
            )
        )
    return tuple(map(Column, heads)), tuple(cells)


def performance_table(
    evaluations: Mapping[str, Evaluation], prevalence: float | None = None
) -> Table:
    """Areas, measures at the cut-off and counts of each set of scores.

    With a `prevalence` of the positive outcome also the predictive values that it gives.
    """
    found = list(evaluations.values())
    columns = [Column(EVALUATIONS.get(e.name, name)) for name, e in evaluations.items()]
    method = _interval_method(found)
    rows: list[tuple[Any, ...]] = [
        ("Cases", "", *(e.n for e in found)),
        ("Patients", "", *(e.n_patients for e in found)),
        ("AUC", AUC_INTERVAL, *(_estimate(e, e.auc.value, e.auc.interval) for e in found)),
        ("P (AUC = 0.5)", "", *(PValue(e.auc.p) for e in found)),
    ]
    for key in MEASURES:
        measures = [e.measures[key] for e in found]
        estimates = (
            _estimate(e, m.value, m.interval) for e, m in zip(found, measures, strict=True)
        )
        rows.append((AT_CUTOFF[key], _interval_label(method, key), *estimates))
    if prevalence is not None:
        rows += _elsewhere(found, method, prevalence)
    for name, key in (("True positives", "tp"), ("False positives", "fp"),
                      ("True negatives", "tn"), ("False negatives", "fn")):  # fmt: skip
        rows.append((name, "", *(getattr(e.confusion, key) for e in found)))
    return Table(
        "performance",
        "Performance of the model",
        (Column("Measure"), Column("Interval"), *columns),
        tuple(rows),
        (*_performance_notes(found[-1]), _mix(found[-1], prevalence)),
        main=True,
    )


def _elsewhere(found: list[Evaluation], method: str, prevalence: float) -> list[tuple[Any, ...]]:
    """Predictive values at another prevalence, with limits from those of likelihood ratios."""
    columns = [_predictive(e, prevalence) for e in found]
    label = _interval_label(method, "lr_positive")
    at = f", at a prevalence of {percent(prevalence)}"
    return [
        (f"{AT_CUTOFF[key]}{at}", label, *(column[k] for column in columns))
        for k, key in enumerate(("ppv", "npv"))
    ]


def _predictive(found: Evaluation, prevalence: float) -> tuple[Estimate, Estimate]:
    above, below = (found.measures[key] for key in ("lr_positive", "lr_negative"))
    a, b = above.interval, below.interval
    value, lower, upper = (
        predictive_values(*pair, prevalence)
        for pair in ((above.value, below.value), (a.lower, b.upper), (a.upper, b.lower))
    )
    ppv, npv = (_estimate(found, value[k], Interval(lower[k], upper[k])) for k in (0, 1))
    return ppv, npv


def _mix(found: Evaluation, prevalence: float | None) -> str:
    """Where predictive values hold."""
    share = percent(found.n_positive / found.n, 0)
    elsewhere = (
        "where it is another they are others"
        if prevalence is None
        else f"those at {percent(prevalence)} if sensitivity and specificity are the same there"
    )
    return (
        "Predictive values, accuracy, F1 and Matthews' coefficient hold where the positive outcome "
        f"is as frequent as among these cases ({share} in the last column); {elsewhere}."
    )


def _interval_method(found: list[Evaluation]) -> str:
    """By patient where any patient has several cases."""
    clustered = any(e.n_patients < e.n for e in found)
    return BY_PATIENT if clustered else found[0].interval_method


def _interval_label(method: str, key: str) -> str:
    if key not in OF_COUNTS:
        return INTERVALS[method]
    return f"{OF_COUNTS[key]}, {BY_PATIENT}" if method == BY_PATIENT else OF_COUNTS[key]


def _estimate(found: Evaluation, value: float, interval: Interval) -> Estimate:
    kind = Apparent if found.apparent else Estimate
    return kind.of(value, interval)


def _performance_notes(found: Evaluation) -> tuple[str, ...]:
    cutoff = found.cutoff
    return (
        f"Value ({percent(found.confidence)} confidence interval). Apparent: the model is "
        "evaluated on the cases that it was fitted "
        "to, which is optimistic: no interval, no P. Out of fold: each training case is scored by "
        "a model fitted without its patient.",
        *([ONE_SIDED] if found.auc.value in (0, 1) else []),
        *([WITHOUT_WIDTH] if _without_width(found) else []),
        f"Decisions at a score of at least {fixed(cutoff.value)} ({cutoff.rule}, learnt on "
        f"{cutoff.learnt_on}).",
    )


ONE_SIDED = (
    "Where the scores part all cases the interval of the AUC is one-sided: it ends where all "
    "patients of the rarer outcome would be placed rightly with a probability of 1 less the "
    "confidence."
)

WITHOUT_WIDTH = (
    "No interval: a value at the end of its scale can have no variance. That says nothing of the "
    "precision."
)


def _without_width(found: Evaluation) -> bool:
    intervals = (found.auc.interval, *(m.interval for m in found.measures.values()))
    return any(i.lower == i.upper for i in intervals)


def funnel_table(results: StudyResults) -> Table:
    """How many features each step left."""
    rows = [("Measured", len(results.table.features))]
    steps = step_labels(results.protocol.model)
    rows += [(steps.get(step, step), n) for step, n in results.model.funnel.items()]
    columns = (Column("Step"), Column("Features left"))
    return Table("selection", "Selection of features", columns, tuple(rows))


def overlap_table(
    overlap: pd.DataFrame, further: Mapping[str, pd.DataFrame] = MappingProxyType({})
) -> Table:
    """How well the readers' regions agree, by pair of readers, and in every further region."""
    heads = {
        "dice": "Dice",
        "hausdorff95_mm": "95 % Hausdorff distance (mm)",
        "mean_surface_distance_mm": "Mean surface distance (mm)",
        "volume_difference_mm3": "Volume difference (mm³)",
    }
    rows = []
    for region, own in {"": overlap, **further}.items():
        for (a, b), pair in own.groupby(["reader_a", "reader_b"], sort=False):
            spreads = (quartiles(pair[name]) for name in heads)
            who = f"{a} – {b}, {region}" if region else f"{a} – {b}"
            rows.append((who, len(pair), *spreads))
    columns = (
        Column("Readers"),
        Column("Cases"),
        *(Column(head, signed) for head in heads.values()),
    )
    notes = ("Median (interquartile range). Volume difference: second minus first reader.",)
    return Table("overlap", "Agreement of the regions", columns, tuple(rows), notes)


def signed(cell: Quartiles) -> str:
    """Limits that may be negative are joined by a word."""
    return cell.text.replace("-", "−").replace("–", " to ")


def quartiles(values: pd.Series | Floats) -> Quartiles:
    """Median and quartiles of values."""
    median, lower, upper = np.quantile(values, [0.5, 0.25, 0.75])
    return Quartiles(np.size(values), float(median), float(lower), float(upper))


def agreement_table(results: StudyResults) -> Table:
    """ICC of every feature over all cases, and over the training cases, which decided."""
    agreement, trained = results.agreement, trained_agreement(results)
    rows = tuple(
        (
            str(name),
            int(over_all["n"]),
            _icc(over_all),
            PValue(float(over_all["p"])),
            int(decided["n"]),
            _icc(decided),
            "yes" if decided["kept"] else "no",
        )
        for name, over_all, decided in zip(
            agreement.index, agreement.to_dict("records"), trained.to_dict("records"), strict=True
        )
    )
    heads = ("Feature", "Cases", "ICC (95 % CI)", "P (ICC = 0)", "Training cases",
             "ICC on these (95 % CI)", "Kept for the model")  # fmt: skip
    notes = [_decided(agreement["kept"], trained, results.protocol.model.agreement)]
    if results.table.obs["patient"].duplicated().any():
        notes.append(JACKKNIFED)
    if same := int((agreement["lower"] == agreement["upper"]).sum()):
        notes.append(f"No interval, {counted(same, 'feature')}: all readers have the same values.")
    title = "Agreement of the features"
    return Table("agreement", title, tuple(map(Column, heads)), rows, tuple(notes), sorts=True)


JACKKNIFED = (
    "Patients have several cases: intervals and P are by the jackknife over patients (Fisher's "
    "scale, Arvesen and Schmitz 1970), intervals of absolute agreement never narrower than those "
    "of independent cases."
)


def _icc(row: Mapping[Hashable, Any]) -> Estimate:
    return Estimate(float(row["icc"]), float(row["lower"]), float(row["upper"]))


def _decided(over_all: pd.Series, trained: pd.DataFrame, rule: AgreementSettings) -> str:
    """What the rule let pass on the training cases, and how sure that is."""
    kept = trained["kept"].to_numpy(dtype=bool)
    other = int(np.sum(kept != over_all.to_numpy(dtype=bool)))
    unsure = int(np.sum(trained["lower"].to_numpy()[kept] <= rule.threshold))
    return (
        f"The final model decided on its training cases ({rule_label(rule)}): {kept.sum()} of "
        f"{counted(kept.size, 'feature')} were kept; over all cases the rule would decide "
        f"otherwise on {other}. Of those kept, {unsure} have a lower 95 % limit of "
        f"{number(rule.threshold)} or less: their agreement may be worse than the rule asks for."
    )


def frame_table(frame: pd.DataFrame, key: str = "", title: str = "") -> Table:
    """A data frame as it is; the numbers behind a figure."""
    rows = tuple(frame.itertuples(index=False, name=None))
    return Table(key, title, tuple(Column(str(c)) for c in frame.columns), rows)


def failure_table(results: StudyResults) -> Table:
    """Cases that could not be measured."""
    rows = tuple((f.case, f.message) for f in results.failures)
    columns = (Column("Case"), Column("Reason"))
    return Table("failures", "Cases that could not be measured", columns, rows)


def finding_table(results: StudyResults) -> Table:
    """What was noticed about images and regions, one row for each kind."""
    kinds = by_kind(results.findings)
    rows = tuple((f.severity, f.code, n, f.case, f.reader, f.message) for f, n in kinds)
    heads = ("Severity", "Finding", "Regions", "First case", "Reader", "What was found there")
    columns = tuple(map(Column, heads))
    where = "the tables" if results.protocol.tables else "images and regions"
    return Table("findings", f"Findings in {where}", columns, rows)


def protocol_table(results: StudyResults) -> Table:
    """Every choice of the protocol that is not prose."""
    prose = {"name", "description", "deviations"}
    tables = bool(results.protocol.tables)
    without = prose | ({"preparation", "extraction"} if tables else set())
    rows = tuple(flat(results.protocol.model_dump(mode="json", exclude=without)))
    columns = (Column("Choice"), Column("Value"))
    notes = (OF_TABLES,) if tables else ()
    return Table("protocol", "The protocol", columns, rows, notes)


OF_TABLES = (
    "Preparation and extraction are left out: features were read from tables made elsewhere."
)
"""Note of the choices of a study of tables."""


def flat(value: Any, name: str = "") -> list[tuple[str, str]]:
    """Values of blocks within blocks, each with its path.

    >>> flat({"split": {"seed": 7, "by": None}})
    [('split.seed', '7'), ('split.by', 'null')]
    """
    if isinstance(value, dict):
        pairs = ((f"{name}.{key}" if name else key, item) for key, item in value.items())
        return [row for key, item in pairs for row in flat(item, key)]
    return [(name, _plain(value))]


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def history_table(history: History) -> Table:
    """Every step, oldest first."""
    rows = tuple(
        (
            k,
            step.name,
            "\n".join(f"{n}: {v}" for n, v in flat(dict(step.parameters))),
            step.version,
        )
        for k, step in enumerate(history, 1)
    )
    columns = tuple(map(Column, ("No.", "Step", "Parameters", "Version")))
    return Table("history", "History", columns, rows)


def version_table(results: StudyResults) -> Table:
    """Versions of the software."""
    columns = (Column("Software"), Column("Version"))
    return Table("software", "Software", columns, tuple(results.versions.items()))


def digest_table(results: StudyResults) -> Table:
    """A file only: digests of inputs and results."""
    rows = (("protocol (choices)", results.protocol.digest()), *results.digests.items())
    columns = (Column("File"), Column("SHA-256"))
    return Table("digests", "Digests", columns, rows)
