"""Words for the design of the validation and for the rule of the cut-off."""

from collections.abc import Callable, Mapping

from centrum.modelling.designs import FOLD_REPEATS, SPLITS
from centrum.modelling.settings import Split
from centrum.protocol import EvaluationSettings
from centrum.report.words.word import Wording, complete
from centrum.text import counted, number, percent, quoted


def _seeds(settings: Split) -> str:
    return f"repeat i with the seed {settings.seed} + i, i from 0"


def _single(settings: Split) -> str:
    return (
        "Patients were split once at random, stratified by class, with "
        f"{percent(settings.train_fraction)} of the cases on the training side (seed "
        f"{settings.seed})."
    )


def _repeated_split(settings: Split) -> str:
    return (
        f"Patients were split at random {counted(settings.repeats or SPLITS, 'time')}, stratified "
        f"by class, with {percent(settings.train_fraction)} of the cases on the training side "
        f"({_seeds(settings)})."
    )


def _folds(settings: Split, design: str) -> str:
    return (
        f"Validation was by {design}, repeated "
        f"{counted(settings.repeats or FOLD_REPEATS, 'time')} ({_seeds(settings)}) and stratified "
        "by class; every choice was made in inner folds of the training side."
    )


def _leave_one_out(settings: Split) -> str:
    return (
        f'Each value of the column "{settings.column}" was left out in turn: its cases were tested '
        "by a model trained on all others."
    )


def _temporal(settings: Split) -> str:
    if settings.test_from is not None:
        return (
            f'Patients were split by the first date in the column "{settings.column}": those first '
            f"seen on {settings.test_from} or later were tested."
        )
    return (
        f'Patients were ordered by the first date in the column "{settings.column}": the first '
        f"{percent(settings.train_fraction)} of the patients were trained on; the others, with all "
        "who were first seen on the first date among them, were tested."
    )


def _external(settings: Split) -> str:
    return (
        f'Cases with {quoted(settings.test_values)} in the column "{settings.column}" were tested; '
        "all others were trained on."
    )


DESIGNS: Mapping[str, Wording[Split]] = complete(
    __name__,
    ("split.design",),
    {
        "single": Wording("one stratified split", _single),
        "repeated_split": Wording("repeated stratified splits", _repeated_split),
        "repeated_k_fold": Wording(
            "repeated k-fold cross-validation, nested",
            lambda split: _folds(split, f"{split.folds}-fold cross-validation"),
        ),
        "nested_cv": Wording(
            "repeated nested cross-validation",
            lambda split: _folds(split, f"nested cross-validation with {split.folds} outer folds"),
        ),
        "leave_one_centre_out": Wording("each {column} left out in turn", _leave_one_out),
        "temporal": Wording("the latest patients", _temporal),
        "external": Wording("cases of another {column}", _external),
    },
)
"""Who was tested; a label may name the column that the design goes by."""


def design_label(settings: Split) -> str:
    """What tables and checklists call a design.

    >>> design_label(Split(design="leave_one_centre_out", by="scanner_model"))
    'each scanner model left out in turn'
    """
    return DESIGNS[settings.design].label.format(column=settings.column.replace("_", " "))


def _cost(settings: EvaluationSettings) -> str:
    share = (
        "the prevalence of the training cases"
        if settings.prevalence is None
        else f"a prevalence of {number(settings.prevalence)}"
    )
    return (
        "with the smallest expected cost, that of a missed positive case being "
        f"{number(settings.cutoff.cost_ratio)} times that of a false alarm, at {share}"
    )


CUT_OFF_RULES: Mapping[str, Callable[[EvaluationSettings], str]] = complete(
    __name__,
    ("evaluation.cutoff.rule",),
    {
        "youden": lambda settings: "with the largest sum of sensitivity and specificity (Youden)",
        "closest_topleft": lambda settings: (
            "nearest to a sensitivity and specificity of 1 on the ROC curve"
        ),
        "sensitivity": lambda settings: (
            "with the highest specificity at a sensitivity of at least "
            f"{number(settings.cutoff.target)}"
        ),
        "specificity": lambda settings: (
            "with the highest sensitivity at a specificity of at least "
            f"{number(settings.cutoff.target)}"
        ),
        "cost": _cost,
    },
)
"""Which threshold was taken."""

TIES = complete(
    __name__,
    ("evaluation.cutoff.ties",),
    {
        "most_sensitive": "the most sensitive of equally good ones",
        "most_specific": "the most specific of equally good ones",
    },
)
