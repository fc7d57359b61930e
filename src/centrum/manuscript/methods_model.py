"""The model: every step in the order in which it ran."""

from collections.abc import Callable, Mapping

from centrum.manuscript.methods_agreement import covariate_names
from centrum.manuscript.methods_selection import (
    SELECTORS,
    correlation_text,
    penalised,
    screen_text,
    selection_text,
)
from centrum.modelling.balance import Smote
from centrum.modelling.classifiers import (
    CERTAIN,
    N_TREES,
    RIDGE_C,
    RIDGE_FOLDS,
    build_classifier,
)
from centrum.modelling.fusion import CLINICAL, STACK_C, clinical_settings
from centrum.modelling.settings import (
    HarmonisationSettings,
    ImputationSettings,
    ModelSettings,
    SearchSettings,
)
from centrum.report.labels import MEASURES
from centrum.report.results import StudyResults
from centrum.text import counted, listed, number, numbers, percent, quoted, sentences
from centrum.validation.matrix import RADIOMICS

MISSING = "Missing values, where there were any, were replaced by"

IMPUTED: Mapping[str, Callable[[ImputationSettings], str]] = {
    "none": lambda settings: "Missing values were not imputed.",
    "median": lambda settings: f"{MISSING} the median of the training cases.",
    "mean": lambda settings: f"{MISSING} the mean of the training cases.",
    "knn": lambda settings: (
        f"{MISSING} the mean of the {counted(settings.neighbours, 'training case')} nearest in the "
        "values that were there, each in units of its interquartile range; all that were as near "
        "as the last of these counted."
    ),
}

UNSEEN = {
    "refuse": "a case from a batch without training cases was rejected",
    "as_is": "a case from a batch without training cases was left as it was",
}

BALANCED = {
    "repeat": "The classes of the training cases were balanced by repeating random cases of the "
    "smaller class.",
    "smote": "The classes of the training cases were balanced by SMOTE: cases of the smaller class "
    f"were synthesised between a case and one of its {Smote().k_neighbors} nearest neighbours "
    "(fewer where the class was smaller), each feature in units of its interquartile range.",
    "none": "The classes were not balanced.",
}
"""What was done about classes of unequal size; class weights are the classifier's."""

SCORED = (
    ", its score the log-odds of probabilities held between "
    f"{number(CERTAIN)} and {number(1 - CERTAIN)}"
)


def _leaf(name: str) -> str:
    trees = build_classifier(name, ModelSettings()).estimator
    return f"with at least {counted(trees.min_samples_leaf, 'case')} per leaf{SCORED}"


def _boosting(settings: ModelSettings) -> str:
    trees = build_classifier("gradient_boosting", settings).estimator
    return (
        f"{trees.n_estimators} gradient-boosted trees of depth {trees.max_depth} on random samples "
        f"of {percent(trees.subsample)}, with a learning rate of "
        f"{number(trees.learning_rate)}{SCORED}"
    )


CLASSIFIERS: Mapping[str, Callable[[ModelSettings], str]] = {
    "linear_svm": lambda settings: f"a linear support vector machine (C = {number(settings.C)})",
    "rbf_svm": lambda settings: (
        "a support vector machine with the radial kernel exp(−|x − z|²/p) of p features "
        f"(C = {number(settings.C)})"
    ),
    "logistic": lambda settings: (
        f"a logistic regression with an L2 penalty (C = {number(settings.C)})"
    ),
    "ridge": lambda settings: (
        "a logistic regression with an L2 penalty, whose C was chosen among "
        f"{len(RIDGE_C)} values from {number(RIDGE_C[0])} to {number(RIDGE_C[-1])} by the binomial "
        f"deviance in {RIDGE_FOLDS}-fold cross-validation by patient"
    ),
    "elastic_net": lambda settings: penalised(settings.lasso),
    "random_forest": lambda settings: (
        f"a random forest of {N_TREES} trees {_leaf('random_forest')}"
    ),
    "extra_trees": lambda settings: f"{N_TREES} extremely randomised trees {_leaf('extra_trees')}",
    "gradient_boosting": _boosting,
    "naive_bayes": lambda settings: f"Gaussian naive Bayes{SCORED}",
}

UNWEIGHTED = ("elastic_net",)
"""Classifiers that do not take class weights."""

CALIBRATED = {
    "platt": "a logistic curve (Platt)",
    "isotonic": "isotonic regression",
    "venn_abers": "inductive Venn-Abers prediction, p1 / (1 − p0 + p1)",
}

FUSED = {
    "late": "For each source the score became log-odds by a logistic regression "
    f"(C = {number(STACK_C)}) on the out-of-fold scores of the training cases, and the score of a "
    "case was the mean of these log-odds.",
    "stacked": "The score of a case was that of one logistic regression "
    f"(C = {number(STACK_C)}) on the out-of-fold scores of all sources of the training cases.",
}


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
    return (*sequences, *([CLINICAL] if covariate_names(results) else []))


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
        _clinical(model) if CLINICAL in names else "",
        FUSED[model.fusion],
        "Scores were divided by their SD over these cases; a source that ranked the wrong way "
        "round had no weight.",
    )


def _clinical(settings: ModelSettings) -> str:
    classifier = CLASSIFIERS["logistic"](clinical_settings(settings))
    return (
        f"The model of the covariates ({CLINICAL}) was {classifier} of all of them, without "
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
        IMPUTED[model.imputation.method](model.imputation),
        _harmonised(model.harmonisation),
        "Features that were constant over the training cases were dropped.",
        _balance(results),
        f"Features were z-scored by mean and SD (with n) of the training cases{clipped}.",
        screen_text(model.screen),
        correlation_text(model.correlation),
    )


def _harmonised(settings: HarmonisationSettings) -> str:
    if settings.method == "none":
        return "Features were not harmonised between centres or scanners."
    goal = (
        f'the batch "{settings.reference}"'
        if settings.reference is not None
        else "their common mean"
    )
    return (
        f'Features were harmonised by parametric ComBat, with the column "{settings.batch}" as '
        f"batch, towards {goal}, without regard to the outcome; {UNSEEN[settings.unseen]}."
    )


def classifiers_used(results: StudyResults) -> tuple[str, ...]:
    """Names of the classifiers that were fitted."""
    protocol = results.protocol
    if protocol.search is not None:
        return protocol.search.classifiers
    clinical = ("logistic",) if fused(results) and CLINICAL in sources(results) else ()
    return tuple(dict.fromkeys((protocol.model.classifier, *clinical)))


def _balance(results: StudyResults) -> str:
    kind = results.protocol.model.balance
    if kind != "class_weight":
        return BALANCED[kind]
    used = classifiers_used(results)
    if all(name in UNWEIGHTED for name in used):
        return f"{BALANCED['none']} The elastic net takes no class weights."
    but = "; the elastic net takes no class weights" if set(used) & set(UNWEIGHTED) else ""
    return (
        "Cases were neither repeated nor synthesised; the classifier weighted them inversely to "
        f"the size of their class{but}."
    )


def classification(results: StudyResults) -> str:
    """Selection and classifier, or the search for both."""
    model = results.protocol.model
    if results.protocol.search is not None:
        return search_text(results.protocol.search, model)
    named = CLASSIFIERS[model.classifier](model)
    own = " Features without a coefficient were not in the model." * (
        model.classifier == "elastic_net"
    )
    return f"{selection_text(model)} The classifier was {named}.{own}"


def search_text(settings: SearchSettings, model: ModelSettings) -> str:
    """How many models were tried against each other, and what became the model."""
    most = max(settings.n_features)
    selectors = [f"({name}) {SELECTORS[name](model, most)}" for name in settings.selectors]
    tried = [f"({name}) {CLASSIFIERS[name](model)}" for name in settings.classifiers]
    return sentences(
        "Models were searched by cross-validation within the training cases. Every selection of "
        f"features was combined with {numbers(settings.n_features)} leading features (with all "
        "of them "
        "where nothing was selected) and with every classifier.",
        f"Selections were: {'; '.join(selectors)}.",
        f"Classifiers were: {'; '.join(tried)}.",
        f"They were compared on the mean {MEASURES[settings.measure]} over "
        f"{counted(settings.folds, 'fold')} by patient in "
        f"{counted(settings.repeats, 'random partition')}, with all steps refitted "
        "in each.",
        _halving(settings),
        _ensemble(settings),
    )


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
    kind = CALIBRATED[results.protocol.model.calibration]
    return (
        f"Scores became probabilities of {results.protocol.outcome.positive} by {kind}, learnt on "
        "out-of-fold scores of the training cases."
    )
