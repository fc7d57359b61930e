"""The model: every step in the order in which it ran."""

from collections.abc import Callable, Iterator, Mapping

from centrum.manuscript.methods_agreement import covariate_names
from centrum.manuscript.methods_selection import correlation_text, screen_text, selection_text
from centrum.manuscript.passage import Passage
from centrum.modelling.fusion import clinical_settings
from centrum.modelling.settings import (
    CLINICAL,
    FEW,
    MORPHOMETRY,
    MORPHOMETRY_PREFIX,
    ModelSettings,
    SearchSettings,
)
from centrum.modelling.steps import build_steps
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
    UNWEIGHTED,
    path_text,
    selector_label,
)
from centrum.report.words.word import always
from centrum.text import counted, listed, number, numbers, quoted, sentences
from centrum.validation.matrix import image_sources


def inputs(results: StudyResults) -> Passage:
    """What the model read, and that nothing was learnt of test cases."""
    model, names = results.protocol.model, covariate_names(results)
    reference = (
        " (of a text the most frequent value of the training cases was the reference)"
        if "levels" in results.model.funnel
        else ""
    )
    through = "" if fused(results) else ", which passed through the same steps"
    covariates = f"covariate{'s' * (len(model.covariates) > 1)} {quoted(model.covariates)}"
    paper = sentences(
        f"The {covariates} joined the features." if names else "",
        "Every step was fitted on training cases alone, and all steps were refitted whenever the "
        "training cases changed: in every fold, split, resample and permutation.",
        f"The steps were, in this order: {listed([*_steps(results)])}.",
    )
    supplement = sentences(
        f'The model read the features of "{results.table.readers[0]}".',
        "Its steps were fitted in the order given here.",
        f"The model read the {covariates} as {quoted(names)}{reference}{through}."
        if names
        else "No covariate joined the features.",
        _penalty_folds(results),
        path_text(model.lasso) if has_path(results) else "",
        f"The seed of all random steps of the model was {results.protocol.split.seed}.",
    )
    return Passage(paper, supplement)


BALANCED = {"repeat": "repeated cases", "smote": "SMOTE"}

BRIEF: Mapping[str, Callable[[ModelSettings], str]] = {
    "agreement": always("a filter by agreement of the readers"),
    "robustness": always("a filter by robustness to perturbations"),
    "imputation": always("imputation"),
    "harmonisation": always("harmonisation (ComBat)"),
    "constant": always("removal of constant features"),
    "balance": lambda model: f"balancing of the classes ({BALANCED[model.balance]})",
    "scale": always("z-scoring"),
    "screen": always("a univariate screen"),
    "correlation": lambda model: (
        f"a filter by correlation (|r| > {number(model.correlation.threshold)})"
        if model.correlation is not None
        else ""
    ),
    "select": lambda model: f"selection ({selector_label(model.select.method, model)})",
    "rfe": always("recursive elimination"),
    "classifier": lambda model: f"the classifier ({CLASSIFIERS[model.classifier].label})",
}
"""Steps of `build_steps` in a list of them."""

OF_A_SEARCH = ("select", "rfe", "classifier")
"""Steps that a search decides on."""


def _steps(results: StudyResults) -> Iterator[str]:
    """The steps of a model in their order, a few words each."""
    protocol, several = results.protocol, len(results.table.compared) > 1
    rule = protocol.robustness.icc if protocol.robustness is not None else None
    names = [name for name, _ in build_steps(protocol.model, robustness=rule)]
    chosen = protocol.search is None
    yield from (
        BRIEF[name](protocol.model)
        for name in names
        if (several or name != "agreement") and (chosen or name not in OF_A_SEARCH)
    )
    if not chosen:
        yield "what the search chose"


def _fitted(results: StudyResults) -> set[str]:
    """Names of the selections and classifiers that were fitted."""
    search, model = results.protocol.search, results.protocol.model
    selectors = search.selectors if search is not None else (model.select.method,)
    return {*selectors, *classifiers_used(results)}


def has_path(results: StudyResults) -> bool:
    """Whether a path of penalties was fitted for the model."""
    return bool({"lasso", "elastic_net"} & _fitted(results))


def _penalty_folds(results: StudyResults) -> str:
    """Folds in which less than the whole model is refitted."""
    if not {"lasso", "elastic_net", "ridge"} & _fitted(results):
        return ""
    return (
        "Folds that chose a penalty alone lay within one such fit, after the steps that come "
        "before it."
    )


def sources(results: StudyResults) -> tuple[str, ...]:
    """Image sequences and regions, and the covariates if there are any.

    They are those of `centrum.validation.matrix.Matrix.sources`.
    """
    images = dict.fromkeys(image_sources(results.table))
    made = [
        MORPHOMETRY if n.startswith(MORPHOMETRY_PREFIX) else CLINICAL
        for n in covariate_names(results)
    ]
    return (*images, *dict.fromkeys(made))


def plain_sources(results: StudyResults) -> tuple[str, ...]:
    """Those of a few numbers, with a plain regression where each source has a model."""
    return tuple(name for name in sources(results) if name in FEW)


def fused(results: StudyResults) -> bool:
    """Whether each source had a model of its own."""
    return results.protocol.model.fusion != "early" and len(sources(results)) > 1


def fusion(results: StudyResults) -> Passage:
    """How several sources came together; nothing with one."""
    model, names = results.protocol.model, sources(results)
    if len(names) < 2:
        return Passage()
    if not fused(results):
        return Passage(
            supplement=f"The {len(names)} sources ({listed(names)}) were read by one model (early "
            "fusion)."
        )
    paper = (
        f"Each of {len(names)} sources ({listed(names)}) had a model of its own ({model.fusion} "
        "fusion), with these steps."
    )
    supplement = sentences(
        FUSIONS[model.fusion],
        *(_clinical(model, name) for name in plain_sources(results)),
        "Scores that were fused were divided by their SD over the training cases; a source that "
        "ranked the wrong way round had no weight.",
    )
    return Passage(paper, supplement)


def _clinical(settings: ModelSettings, source: str) -> str:
    classifier = CLASSIFIERS["logistic"].told(clinical_settings(settings))
    return (
        f"The model of the covariates ({source}) was {classifier} of all of them, without screen, "
        "correlation filter and selection."
    )


def preprocessing(results: StudyResults) -> Passage:
    """The steps before the selection: values, centres, classes, scale, redundancy."""
    model = results.protocol.model
    clipped = (
        f"; z-scores beyond ±{number(model.clip)} were set to this limit"
        if model.clip is not None
        else " and not clipped"
    )
    supplement = sentences(
        _filtered(results),
        IMPUTATIONS[model.imputation.method].told(model.imputation),
        HARMONISATIONS[model.harmonisation.method].told(model.harmonisation),
        "Features that were constant over the training cases were dropped.",
        _balance(results),
        f"Features were z-scored by mean and SD (with n) of the training cases{clipped}.",
        screen_text(model.screen),
        correlation_text(model.correlation),
    )
    return Passage(supplement=supplement)


def _filtered(results: StudyResults) -> str:
    """Whether features were filtered by their reproducibility before all else."""
    if len(results.table.compared) > 1 or results.protocol.robustness is not None:
        return "The reproducibility filters described above were applied first."
    return "Features were not filtered by their reproducibility."


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


def classification(results: StudyResults) -> Passage:
    """Selection and classifier, or the search for both."""
    model = results.protocol.model
    if results.protocol.search is not None:
        return searched(results.protocol.search, model)
    named = CLASSIFIERS[model.classifier].told(model)
    own = " Features without a coefficient were not in the model." * (
        model.classifier == "elastic_net"
    )
    return Passage(supplement=f"{selection_text(model)} The classifier was {named}.{own}")


def searched(settings: SearchSettings, model: ModelSettings) -> Passage:
    """How many models were tried against each other, and what became the model."""
    most = max(settings.n_features)
    selectors = {selector_label(name, model): SELECTORS[name].told(model, most)
                 for name in settings.selectors}  # fmt: skip
    tried = {CLASSIFIERS[name].label: CLASSIFIERS[name].told(model)
             for name in settings.classifiers}  # fmt: skip
    paper = (
        "Models were searched by cross-validation within the training cases: every selection of "
        f"features ({listed([*selectors])}) with every classifier ({listed([*tried])})."
    )
    supplement = sentences(
        f"Selections of features in the search were: {_each(selectors)}.",
        f"Classifiers in the search were: {_each(tried)}.",
        f"Each selection was combined with {numbers(settings.n_features)} leading features (with "
        "all of them where nothing was selected) and with each classifier, and models were "
        f"compared on the mean {MEASURES[settings.measure]} over {counted(settings.folds, 'fold')} "
        f"by patient in {counted(settings.repeats, 'random partition')}, with all steps refitted "
        "in each.",
        _halving(settings),
        _ensemble(settings),
    )
    return Passage(paper, supplement)


def _each(told: Mapping[str, str]) -> str:
    """What was tried, each by its name in the table of the search."""
    return "; ".join(f"({label}) {text}" for label, text in told.items())


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


def probabilities(results: StudyResults) -> Passage:
    """How scores became probabilities."""
    model = results.protocol.model
    kind = CALIBRATIONS[model.calibration].told(model)
    return Passage(
        f"Scores became probabilities of {results.protocol.outcome.positive} by {kind}, learnt on "
        "out-of-fold scores of the training cases."
    )
