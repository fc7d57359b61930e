"""Words for what results are called, by the names that they have in files."""

from dataclasses import replace
from typing import get_args

from centrum.evaluate import MEASURES
from centrum.evaluate.comparison import AucDifference
from centrum.evaluate.recalibration import Update
from centrum.evaluate.thresholds import IntervalMethod
from centrum.report.words.word import complete
from centrum.text import agreeing
from centrum.validation.evaluation import POOLED

EVALUATIONS = {
    "train": "Training (apparent)",
    "out_of_fold": "Training (out of fold)",
    "test": "Test",
    POOLED: "Test (pooled over the parts)",
}
"""Whose scores are judged."""

AT_CUTOFF = complete(
    __name__,
    ("the measures of decisions",),
    {
        "accuracy": "Accuracy",
        "sensitivity": "Sensitivity",
        "specificity": "Specificity",
        "ppv": "Positive predictive value",
        "npv": "Negative predictive value",
        "f1": "F1 score",
        "youden": "Youden index",
        "balanced_accuracy": "Balanced accuracy",
        "mcc": "Matthews correlation coefficient",
        "lr_positive": "Positive likelihood ratio",
        "lr_negative": "Negative likelihood ratio",
    },
    choices=MEASURES,
)

AUC_INTERVAL = "DeLong, logit"
"""The interval of an AUC, wherever one is shown; `centrum.evaluate.discrimination.auc_interval`."""

BY_PATIENT = "by patient"
"""The intervals where patients have several cases."""

INTERVALS = complete(
    __name__,
    ("the intervals of shares",),
    {
        BY_PATIENT: "Wilson, by patient",
        "wilson": "Wilson",
        "exact": "Clopper-Pearson",
    },
    choices=(BY_PATIENT, *get_args(IntervalMethod)),
)

OF_COUNTS = {"mcc": "Fisher's z", "lr_positive": "log normal", "lr_negative": "log normal"}
"""Intervals of measures that are no shares nor made of them."""

PROBABILITIES = complete(
    __name__,
    ("the updates of a frozen model",),
    {
        "as is": "As it is",
        "in_the_large": "Recalibrated in the large",
        "slope": "Recalibrated, intercept and slope",
        "harmonised": "Harmonised",
    },
    choices=("as is", *get_args(Update), "harmonised"),
)
"""Scores and probabilities of new cases by a frozen model."""


def told_together(*gaps: AucDifference) -> tuple[int, list[AucDifference]]:
    """With how many decimals AUCs and their differences stand in a sentence, and as which."""
    digits, told = agreeing(*((gap.first, gap.second) for gap in gaps))
    pairs = zip(gaps, told, strict=True)
    return digits, [replace(gap, difference=difference) for gap, difference in pairs]
