"""What a study reports, by the names that `recompute` gives the same numbers."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from centrum.commands.results import load_internal_validation
from centrum.study.study import open_study

Numbers = dict[str, float]

ENDS = ("value", "lower", "upper")

MEASURES = {
    "Accuracy": "accuracy", "Sensitivity": "sensitivity", "Specificity": "specificity",
    "Positive predictive value": "ppv", "Negative predictive value": "npv", "F1 score": "f1",
    "Youden index": "youden", "Balanced accuracy": "balanced_accuracy",
    "Matthews correlation coefficient": "mcc", "Positive likelihood ratio": "lr_positive",
    "Negative likelihood ratio": "lr_negative",
}  # fmt: skip

VARIABLES = {"Level": "level", "Region": "region", "Age (years)": "age", "Sex": "sex",
             "Scanner": "scanner", "Centre": "centre"}  # fmt: skip


def reported(folder: Path) -> Numbers:
    """From the tables of the report, and from evaluation.json what no table has."""
    results = folder / "results"
    evaluation = json.loads((results / "evaluation.json").read_text())
    return {
        **_agreement(results),
        **_population(results),
        **_performance(results),
        **_calibration(results, evaluation),
        **_decision_curves(results),
        **_readers(results),
        **_added(results, evaluation),
        **_odds(results),
        **_refits(folder, results),
        **_sizes(results),
        **_model(results, evaluation),
        **_patients(evaluation),
        **_subgroups(results),
    }


def _table(results: Path, name: str) -> pd.DataFrame:
    frame = pd.read_csv(results / "tables" / f"{name}.csv")
    return frame.set_index(frame.columns[0])


def _three(name: str, row: pd.Series, head: str) -> Numbers:
    return {f"{name} {end}": row[f"{head} {end}".strip()] for end in ENDS}


def _agreement(results: Path) -> Numbers:
    frame = pd.read_csv(results / "agreement.csv", index_col="feature")
    columns = {"value": "icc", "lower": "lower", "upper": "upper", "f": "f", "p": "p"}
    return {f"icc {feature} {name}": row[column]
            for feature, row in frame.iterrows() for name, column in columns.items()}  # fmt: skip


def _population(results: Path) -> Numbers:
    found = {}
    for table, column, by in (
        ("population", "P value", "outcome"), ("training-test", "P value", "side"),
        ("population-by-side", "P, training value", "outcome, training"),
        ("population-by-side", "P, test value", "outcome, test"),
    ):  # fmt: skip
        frame = _table(results, table)
        for label, variable in VARIABLES.items():
            if label in frame.index:
                p = frame.loc[[label], column].dropna()
                found[f"table1 {variable} by {by}"] = p.item() if len(p) else np.nan
    return found


def _performance(results: Path) -> Numbers:
    frame = _table(results, "performance")
    found = {"auc train value": frame.loc["AUC", "Training (apparent) value"]}
    for label, key in {"AUC": "auc", **MEASURES}.items():
        for head, side in (("Test", "test"), ("Training (out of fold)", "out_of_fold")):
            found |= _three(f"{key} {side}", frame.loc[label], head)
    return found


def _calibration(results: Path, evaluation: dict) -> Numbers:
    frame, full = _table(results, "calibration"), evaluation["calibration"]
    test = "Test (95 % CI)"
    likelihood, hosmer = full["likelihood"], full["hosmer_lemeshow"]
    single = {"brier": "Brier score", "brier scaled": "Scaled Brier score",
              "log loss": "Log loss", "expected over observed": "Expected / observed"}  # fmt: skip
    return {
        **_three("calibration slope", frame.loc["Calibration slope"], test),
        **_three("calibration intercept", frame.loc["Calibration intercept"], test),
        **_three("calibration in the large", frame.loc["Calibration in the large"], test),
        **{name: float(frame.loc[label, test]) for name, label in single.items()},
        "unreliability statistic": likelihood["statistic"],
        "unreliability p": likelihood["p"],
        "nagelkerke": likelihood["nagelkerke"],
        "spiegelhalter z": full["spiegelhalter"]["z"],
        "hosmer-lemeshow statistic": hosmer["statistic"],
        "hosmer-lemeshow df": hosmer["df"],
        "hosmer-lemeshow p": hosmer["p"],
        "platt slope": evaluation["calibrator"]["slope"],
        "platt intercept": evaluation["calibrator"]["intercept"],
        "cutoff": evaluation["cutoff"]["value"],
    }


def _decision_curves(results: Path) -> Numbers:
    found = {}
    for at in (0.1, 0.25, 0.5, 0.75):
        row = _at(results / "figures" / "decision-curve.csv", at)
        found |= {f"net benefit at {at}": row["model"], f"net benefit of all at {at}": row["all"]}
    elsewhere = results / "figures" / "decision-curve-elsewhere.csv"
    if elsewhere.is_file():
        for at in (0.1, 0.25, 0.5):
            found[f"net benefit elsewhere at {at}"] = _at(elsewhere, at)["model"]
    return found


def _at(path: Path, threshold: float) -> pd.Series:
    frame = pd.read_csv(path)
    return frame.iloc[int(np.abs(frame["threshold"] - threshold).argmin())]


def _readers(results: Path) -> Numbers:
    regions, scores = _table(results, "other-readers"), _table(results, "reader-scores")
    found = {}
    for reader, row in regions.iloc[1:].iterrows():
        (pair,) = [c for c in scores.columns if c == f"{reader} – {regions.index[0]}"]
        name = f", {reader}"
        for key, head in (("auc", "AUC"), ("sensitivity", "Sensitivity"),
                          ("specificity", "Specificity"),
                          ("calibration slope", "Calibration slope"),
                          ("calibration in the large", "In the large")):  # fmt: skip
            found |= _three(f"{key}{name}", row, f"{head} (CI)")
        for key, label in (("delong", "Difference of the AUC"),
                           ("score icc", "ICC(A,1) of the score"),
                           ("kappa", "Cohen's kappa of the calls")):  # fmt: skip
            found |= _three(f"{key}{name}", scores.loc[label], pair)
        single = {"delong{} p": "P (DeLong, paired)",
                  "bland-altman bias{}": "Mean difference of the score",
                  "bland-altman lower{}": "Lower limit of agreement",
                  "bland-altman upper{}": "Upper limit of agreement"}  # fmt: skip
        found |= {key.format(name): scores.loc[label, f"{pair} value"]
                  for key, label in single.items()}  # fmt: skip
        found |= {
            f"brier{name}": row["Brier score"],
            f"to positive{name}": float(scores.loc["Calls that change to malignant", pair]),
            f"to negative{name}": float(scores.loc["Calls that change to osteoporotic", pair]),
        }
    return found


def _added(results: Path, evaluation: dict) -> Numbers:
    frame, added = _table(results, "added-value"), evaluation["added"]
    labels = {"clinical": "Clinical: age and sex", "score": "Score", "combined": "Both together"}
    found = {}
    for name, label in labels.items():
        found |= _three(f"auc {name}", frame.loc[label], "AUC, test (CI)")
    for first, second, head, p in (
        ("combined", "clinical", "clinical model", "P value"),
        ("combined", "score", "score", "P of this value"),
        ("score", "clinical", "clinical model", "P value"),
    ):
        name, row = f"delong {first} - {second}", frame.loc[labels[first]]
        found |= _three(name, row, f"Less that of the {head} (CI)") | {f"{name} p": row[p]}
    return found | {
        "added statistic": added["test"]["statistic"],
        "added p": added["test"]["p"],
    }


def _odds(results: Path) -> Numbers:
    """Of a line per unit; the lines per standard deviation are the same numbers."""
    frame = pd.read_csv(results / "tables" / "odds-ratios.csv")
    lines = frame[frame["Per"].isin(["1", "M, against F", "F, against M"])]
    found = {}
    for variable, (_, row) in zip(("age", "sex", "score"), lines.iterrows(), strict=True):
        way = -1 if row["Per"] == "F, against M" else 1
        for kind, head in (("alone", "Univariable"), ("together", "Multivariable")):
            column = f"{head} odds ratio (95 % CI)"
            three = np.sort(way * np.log([row[f"{column} {end}"] for end in ENDS]))[[1, 0, 2]]
            name = f"odds {variable} {kind}"
            found |= dict(zip((f"{name} {end}" for end in ENDS), three, strict=True))
            found[f"{name} p"] = row[f"P, {head.lower()} value"]
    return found


def _refits(folder: Path, results: Path) -> Numbers:
    permutation = load_internal_validation(open_study(folder)).permutation
    assert permutation is not None
    found = {"permutation observed": permutation.observed, "permutation p": permutation.p}
    if not (results / "tables" / "instability.csv").is_file():
        return found
    frame, optimism = _table(results, "instability"), _table(results, "optimism")["Value"]
    columns = dict(zip(
        ("width", "widest", "mape", "mape, largest", "calls", "often"), frame.columns[1:],
        strict=True,
    ))  # fmt: skip
    return found | {
        **{f"instability {name} {side}": frame.loc[side, column]
           for side in frame.index for name, column in columns.items()},
        "optimism": optimism["Optimism, mean over the resamples"],
        "optimism corrected": optimism["Corrected for optimism (Harrell)"],
        "optimism .632+": optimism[".632+ estimate"],
    }  # fmt: skip


def _sizes(results: Path) -> Numbers:
    frame = _table(results, "test-size")
    width = next(c for c in frame.columns if c.startswith("Width that"))
    return {
        "size slope width": frame.loc["calibration slope", width],
        "size slope cases": frame.loc["calibration slope", "Cases needed"],
        "size c width": frame.loc["C statistic", width],
        "size c cases": frame.loc["C statistic", "Cases needed"],
        "size oe width": frame.loc["O/E", width],
    }


def _model(results: Path, evaluation: dict) -> Numbers:
    scores = pd.read_csv(results / "scores.csv", index_col="case")["score"]
    fit = json.loads((results / "fit.json").read_text())["model"]
    sets = evaluation["conformal"]
    return {
        **{f"score {case}": value for case, value in scores.items()},
        "features that readers agree on": fit["funnel"]["agreement"],
        "sets uncertain": sets["uncertain"],
        "sets covering": sets["coverage"],
    }


def _patients(evaluation: dict) -> Numbers:
    found = evaluation["patients"]
    if found is None:
        return {}
    both = {"auc": found["auc"], **found["measures"]}
    return {f"{key} patients {end}": own["value"] if end == "value" else own["interval"][end]
            for key, own in both.items() for end in ENDS}  # fmt: skip


def _subgroups(results: Path) -> Numbers:
    frame = _table(results, "subgroups").set_index("Group")
    found = {}
    if "AUC value" not in frame:  # too few cases of an outcome in every group
        return found
    for level in ("F", "M"):
        found |= _three(f"auc sex {level}", frame.loc[level], "AUC")
    return found
