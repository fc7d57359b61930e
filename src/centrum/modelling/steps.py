"""From the choices of a protocol to the steps of a model, in their order."""

from collections.abc import Sequence

from sklearn.base import BaseEstimator

from centrum.modelling.agreement_filter import AgreementFilter
from centrum.modelling.balance import Repeat, Smote
from centrum.modelling.classifiers import build_classifier
from centrum.modelling.combat import ComBat
from centrum.modelling.constant_filter import ConstantFilter
from centrum.modelling.correlation_filter import CorrelationFilter
from centrum.modelling.imputation import ColumnImputer, NearestImputer
from centrum.modelling.lasso import LogisticLassoCV
from centrum.modelling.leading import Leading
from centrum.modelling.levels import Covariates, ReferenceLevels
from centrum.modelling.mrmr import MRMR
from centrum.modelling.relieff import ReliefF
from centrum.modelling.rfe import RecursiveElimination
from centrum.modelling.robustness_filter import RobustnessFilter
from centrum.modelling.settings import ImputationSettings, ModelSettings, RobustnessRule
from centrum.modelling.stability_selection import StabilitySelection
from centrum.modelling.univariate_screen import UnivariateScreen
from centrum.modelling.z_score import ClippedZScore

Step = tuple[str, BaseEstimator]


def build_steps(
    settings: ModelSettings,
    seed: int = 0,
    feature_names: Sequence[str] | None = None,
    n_features: int | None = None,
    robustness: RobustnessRule | None = None,
    n_readers: int | None = None,
    covariates: Covariates = (),
    compared: Sequence[int] | None = None,
) -> list[Step]:
    """Named steps, unfitted, the classifier last; those that the settings switch off are absent.

    Parameters
    ----------
    settings : the choices
    seed : of balancing, folds and whatever else is random
    feature_names : names of the features of X
    n_features : how many the ranking keeps; all that are selected when missing
    robustness : which features are stable under perturbation; not asked when missing
    n_readers : how many of the third axis of X are readers, before the perturbations; all when
        missing
    covariates : names of the features that are no measurement of an image, by covariate
    compared : positions of the readers whose agreement counts; all readers when missing

    The z-score divides by the standard deviation with n, as scikit-learn does; R's scale()
    divides by that with n - 1, which changes coefficients by a factor of sqrt(1 - 1/n).

    >>> [name for name, _ in build_steps(ModelSettings(balance="none"))]
    ['agreement', 'constant', 'scale', 'correlation', 'select', 'rfe', 'classifier']
    """
    whole = settings.imputation.method == "none"
    agreement = AgreementFilter(
        **dict(settings.agreement),
        feature_names=feature_names,
        n_readers=n_readers,
        missing="refuse" if whole else "pass",
        compared=compared,
    )
    steps: list[tuple[str, BaseEstimator | None]] = [
        ("agreement", agreement),
        ("robustness", _robustness(robustness, whole)),
        ("levels", _levels(covariates)),
        ("imputation", _imputer(settings.imputation)),
        ("harmonisation", _harmoniser(settings, covariates)),
        ("constant", ConstantFilter()),
        ("balance", _balance(settings, seed)),
        ("scale", ClippedZScore(settings.clip)),
        ("screen", UnivariateScreen(**dict(settings.screen)) if settings.screen else None),
        ("correlation", _correlation(settings)),
        *_selection(settings, seed, n_features),
        ("classifier", build_classifier(settings.classifier, settings, seed)),
    ]
    return [(name, step) for name, step in steps if step is not None]


def _robustness(rule: RobustnessRule | None, whole: bool) -> RobustnessFilter | None:
    if rule is None:
        return None
    return RobustnessFilter(**dict(rule), missing="refuse" if whole else "pass")


def _imputer(settings: ImputationSettings) -> BaseEstimator | None:
    if settings.method == "none":
        return None
    if settings.method == "knn":
        return NearestImputer(settings.neighbours)
    return ColumnImputer(strategy=settings.method, keep_empty_features=True)


def _levels(covariates: Covariates) -> ReferenceLevels | None:
    texts = tuple(names for names in covariates if len(names) > 1)
    return ReferenceLevels(texts) if texts else None


def _harmoniser(settings: ModelSettings, covariates: Covariates) -> ComBat | None:
    harmonisation = settings.harmonisation
    if harmonisation.method == "none":
        return None
    untouched = tuple(name for names in covariates for name in names)
    return ComBat(
        reference=harmonisation.reference, unseen=harmonisation.unseen, untouched=untouched
    )


def _balance(settings: ModelSettings, seed: int) -> BaseEstimator | None:
    if settings.balance == "repeat":
        return Repeat(random_state=seed)
    return Smote(random_state=seed) if settings.balance == "smote" else None


def _correlation(settings: ModelSettings) -> CorrelationFilter | None:
    return CorrelationFilter(**dict(settings.correlation)) if settings.correlation else None


def _selection(
    settings: ModelSettings, seed: int, n_features: int | None
) -> list[tuple[str, BaseEstimator | None]]:
    selector = build_selector(settings.select.method, settings, seed)
    ranked = settings.rfe.estimator
    if ranked == "none":
        return [("select", Leading(selector, n_features) if selector else None)]
    return [("select", selector), ("rfe", RecursiveElimination(n_features, settings.C, ranked))]


def build_selector(method: str, settings: ModelSettings, seed: int) -> BaseEstimator | None:
    """The unfitted selector of that name; None for "none"."""
    number = settings.select.n_features
    match method:
        case "lasso":
            return LogisticLassoCV(**dict(settings.lasso), seed=seed)
        case "mrmr":
            return MRMR(n_features=number)
        case "relieff":
            return ReliefF(n_features=number)
        case "stability":
            return StabilitySelection(seed=seed)
        case "univariate":
            test = settings.screen.test if settings.screen else "mann_whitney"
            return UnivariateScreen(test=test, n_features=number)
    return None
