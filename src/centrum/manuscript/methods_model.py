"""The model: every step in the order in which it ran."""

from collections.abc import Iterable

from centrum.manuscript.methods_agreement import covariate_names
from centrum.manuscript.methods_selection import correlation_text, screen_text, selection_text
from centrum.modelling.fusion import CLINICAL, FEW, MORPHOMETRY, clinical_settings
from centrum.modelling.settings import MORPHOMETRY_PREFIX, ModelSettings, SearchSettings
from centrum.report.results import StudyResults
from centrum.report.words.model import (
    BALANCES,
    CALIBRATIONS,
    CLASSIFIERS,
    FUSIONS,
    HARMONISATIONS,
    IMPUTATIONS,
    MEASURES,
    SELECTORS,
)
from centrum.text import counted, listed, number, numbers, quoted, sentences
from centrum.validation.matrix import RADIOMICS

UNWEIGHTED = ("elastic_net",)
"""Classifiers that do not take class weights."""


def inputs(results: StudyResults) -> str:
    """What the model read, and that nothing was learnt of test cases."""
    model, names = results.protocol.model, covariate_names(results)
    reference = (
        "; of a text the most frequent value of the training cases was the reference"
        if "levels" in results.model.funnel
        else ""
    )
    through = "" if fused(results) else " and passed through the same steps"
    covariates = (
        f"The covariates {quoted(model.covariates)} joined the features (as {quoted(names)}"
        f"{reference}){through}."
        if names
        else "No covariate joined the features."
    )
    return sentences(
        f'The model read the features of "{results.table.readers[0]}".',
        covariates,
        "Every step was fitted on training cases alone, in the order given here, and "
        "all steps were refitted whenever the training cases changed: in every fold, split, "
        "resample and permutation.",
        _penalty_folds(results),
        f"The seed of all random steps of the model was {results.protocol.split.seed}.",
    )


def _penalty_folds(results: StudyResults) -> str:
    """Folds in which less than the whole model is refitted."""
    search, model = results.protocol.search, results.protocol.model
    selectors = search.selectors if search is not None else (model.select.method,)
    if not {"lasso", "elastic_net", "ridge"} & {*selectors, *classifiers_used(results)}:
        return ""
    return (
        "Folds that chose a penalty alone lay within one such fit, after the steps that come "
        "before it."
    )


def sources(results: StudyResults) -> tuple[str, ...]:
    """Image sequences, and the covariates if there are any.

    They are those of `centrum.validation.matrix.Matrix.sources`.
    """
    sequences = dict.fromkeys(f.sequence or RADIOMICS for f in results.table.features)
    made = [
        MORPHOMETRY if n.startswith(MORPHOMETRY_PREFIX) else CLINICAL
        for n in covariate_names(results)
    ]
    return (*sequences, *dict.fromkeys(made))


def plain_sources(results: StudyResults) -> tuple[str, ...]:
    """Those of a few numbers, with a plain regression where each source has a model."""
    return tuple(name for name in sources(results) if name in FEW)


def fused(results: StudyResults) -> bool:
    """Whether each source had a model of its own."""
    return results.protocol.model.fusion != "early" and len(sources(results)) > 1


def fusion(results: StudyResults) -> str:
    """How several sources came together; nothing with one."""
    model, names = results.protocol.model, sources(results)
    if len(names) < 2:
        return ""
    if not fused(results):
        return f"The {len(names)} sources ({listed(names)}) were read by one model (early fusion)."
    return sentences(
        f"Each of {len(names)} sources ({listed(names)}) had a model of its own ({model.fusion} "
        "fusion), with the steps below.",
        *(_clinical(model, name) for name in plain_sources(results)),
        FUSIONS[model.fusion],
        "Scores were divided by their SD over these cases; a source that ranked the wrong way "
        "round had no weight.",
    )


def _clinical(settings: ModelSettings, source: str) -> str:
    classifier = CLASSIFIERS["logistic"].told(clinical_settings(settings))
    return (
        f"The model of the covariates ({source}) was {classifier} of all of them, without "
        "screen, correlation filter and selection."
    )


def preprocessing(results: StudyResults) -> str:
    """The steps before the selection: values, centres, classes, scale, redundancy."""
    model = results.protocol.model
    clipped = (
        f"; z-scores beyond ±{number(model.clip)} were set to this limit"
        if model.clip is not None
        else " and not clipped"
    )
    return sentences(
        "The reproducibility filters described above were applied first.",
        IMPUTATIONS[model.imputation.method].told(model.imputation),
        HARMONISATIONS[model.harmonisation.method].told(model.harmonisation),
        "Features that were constant over the training cases were dropped.",
        _balance(results),
        f"Features were z-scored by mean and SD (with n) of the training cases{clipped}.",
        screen_text(model.screen),
        correlation_text(model.correlation),
    )


def classifiers_used(results: StudyResults) -> tuple[str, ...]:
    """Names of the classifiers that were fitted."""
    protocol = results.protocol
    if protocol.search is not None:
        return protocol.search.classifiers
    clinical = ("logistic",) if fused(results) and plain_sources(results) else ()
    return tuple(dict.fromkeys((protocol.model.classifier, *clinical)))


def _balance(results: StudyResults) -> str:
    model, used = results.protocol.model, classifiers_used(results)
    told = BALANCES[model.balance].told(model)
    if model.balance != "class_weight" or not set(used) & set(UNWEIGHTED):
        return f"{told}."
    if set(used) <= set(UNWEIGHTED):
        return f"{BALANCES['none'].told(model)}. The elastic net takes no class weights."
    return f"{told}; the elastic net takes no class weights."


def classification(results: StudyResults) -> str:
    """Selection and classifier, or the search for both."""
    model = results.protocol.model
    if results.protocol.search is not None:
        return search_text(results.protocol.search, model)
    named = CLASSIFIERS[model.classifier].told(model)
    own = " Features without a coefficient were not in the model." * (
        model.classifier == "elastic_net"
    )
    return f"{selection_text(model)} The classifier was {named}.{own}"


def search_text(settings: SearchSettings, model: ModelSettings) -> str:
    """How many models were tried against each other, and what became the model."""
    most = max(settings.n_features)
    selectors = ((SELECTORS[name].label, SELECTORS[name].told(model, most))
                 for name in settings.selectors)  # fmt: skip
    tried = ((CLASSIFIERS[name].label, CLASSIFIERS[name].told(model))
             for name in settings.classifiers)  # fmt: skip
    return sentences(
        "Models were searched by cross-validation within the training cases. Every selection of "
        f"features was combined with {numbers(settings.n_features)} leading features (with all "
        "of them "
        "where nothing was selected) and with every classifier.",
        f"Selections were: {_each(selectors)}.",
        f"Classifiers were: {_each(tried)}.",
        f"They were compared on the mean {MEASURES[settings.measure]} over "
        f"{counted(settings.folds, 'fold')} by patient in "
        f"{counted(settings.repeats, 'random partition')}, with all steps refitted "
        "in each.",
        _halving(settings),
        _ensemble(settings),
    )


def _each(told: Iterable[tuple[str, str]]) -> str:
    """What was tried, each by its name in the table of the search."""
    return "; ".join(f"({label}) {text}" for label, text in told)


def _halving(settings: SearchSettings) -> str:
    if not settings.halving:
        return "All models saw every fold."
    return (
        "After each fold the worse half of the models left was dropped, until "
        f"{settings.survivors} were left."
    )


def _ensemble(settings: SearchSettings) -> str:
    if settings.ensemble == 1:
        return "The best of those that saw every fold was refitted and was the model."
    return (
        f"The {settings.ensemble} best of those that saw every fold (all, if there were fewer) "
        "were refitted; the score was the mean of their scores, each divided by the SD of its "
        "out-of-fold scores."
    )


def probabilities(results: StudyResults) -> str:
    """How scores became probabilities."""
    model = results.protocol.model
    kind = CALIBRATIONS[model.calibration].told(model)
    return (
        f"Scores became probabilities of {results.protocol.outcome.positive} by {kind}, learnt on "
        "out-of-fold scores of the training cases."
    )
