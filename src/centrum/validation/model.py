"""A fitted model as data: what it reads, how it weighs it, and how it was chosen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator

from centrum.arrays import Floats, Ints
from centrum.errors import DataError
from centrum.modelling.search import CandidateModel
from centrum.modelling.settings import ModelSettings
from centrum.table import FeatureTable
from centrum.text import OneLine, counted, fixed, html_table, significant


@dataclass(frozen=True, eq=False, repr=False)
class LassoFacts(OneLine):
    """The LASSO of the final fit.

    Attributes
    ----------
    names : features that have a coefficient anywhere on the path
    lambdas : (steps,) penalties, falling
    coefficients : (steps, names), per standard deviation of the feature
    n_features : (steps,) features with a coefficient
    cvm, cvsd : (steps,) cross-validated mean of `measure` and its standard error
    lambda_min, lambda_1se, chosen : penalties
    fallback : whether the chosen penalty selected nothing, so that a smaller one was taken
    """

    names: tuple[str, ...]
    lambdas: Floats
    coefficients: Floats
    n_features: Floats
    cvm: Floats
    cvsd: Floats
    measure: str
    lambda_min: float
    lambda_1se: float
    chosen: float
    fallback: bool


@dataclass(frozen=True, eq=False, repr=False)
class FeatureCountFacts(OneLine):
    """Cross-validated `measure` (mean, standard error) against the number of features."""

    numbers: Floats
    mean: Floats
    se: Floats
    chosen: int
    measure: str


@dataclass(frozen=True, eq=False, repr=False)
class Model(OneLine):
    """What a model reads and how it weighs it.

    A linear one is a score: intercept + sum of coefficient x (value - mean) / sd.

    Attributes
    ----------
    features : column names of the features, (k,)
    coefficients, means, sds : (k,); a positive score speaks for `positive`. Coefficients are
        nan where the classifier has none (kernels, trees)
    clip : z-scores beyond it are set to it; None: none are
    positive, negative : the outcomes
    classifier : such as "linear_svm"
    n_train : training cases
    funnel : features left after each step, in the order of the steps
    ranked : features that entered the elimination, best first
    lasso : of the final fit; None without one
    feature_count : how their number was chosen; None where all that were selected are used

    >>> model = Model(
    ...     ("volume", "contrast"), np.array([0.5, -1.0]), np.array([20.0, 8.0]),
    ...     np.array([4.0, 2.0]), intercept=0.1, clip=2.0, positive="malignant",
    ...     negative="osteoporotic", classifier="logistic", n_train=70, funnel={"agreement": 90},
    ...     ranked=("contrast", "volume"), lasso=None, feature_count=None,
    ... )
    >>> model.scaled(np.array([24.0, 18.0]))
    array([1., 2.])
    """

    features: tuple[str, ...]
    coefficients: Floats
    means: Floats
    sds: Floats
    intercept: float
    clip: float | None
    positive: str
    negative: str
    classifier: str
    n_train: int
    funnel: Mapping[str, int]
    ranked: tuple[str, ...]
    lasso: LassoFacts | None
    feature_count: FeatureCountFacts | None

    def _repr_html_(self) -> str:
        caption = (
            f"{self.classifier}: {counted(len(self.features), 'feature')}, "
            f"{counted(self.n_train, 'training case')}, a high score is {self.positive}, "
            f"a low one {self.negative}"
        )
        weights = zip(self.features, self.coefficients, self.means, self.sds, strict=True)
        rows = [(name, fixed(c), significant(m), significant(sd)) for name, c, m, sd in weights]
        return html_table(caption, ("feature", "coefficient", "mean", "SD"), rows)

    @property
    def linear(self) -> bool:
        """Whether the score is the sum above."""
        return bool(np.isfinite(self.coefficients).all())

    def score(self, table: FeatureTable) -> Floats:
        """The score of each case, (cases,), from the primary reader's values.

        Raises
        ------
        DataError
            The model is not linear, the table lacks a feature of it, or a value is missing.
        """
        score: Floats = self.intercept + self.z_scores(table) @ self.coefficients
        return score

    def z_scores(self, table: FeatureTable) -> Floats:
        """Clipped z-scores of the primary reader's values, (cases, k); errors as of `score`."""
        if not self.linear:
            raise DataError(f"A {self.classifier} has no coefficients to score with.")
        position = {name: k for k, name in enumerate(table.names)}
        if missing := [name for name in self.features if name not in position]:
            raise DataError(
                f"The model reads {len(self.features)} features, of which the table lacks "
                f"{', '.join(missing)}. Extract with the protocol that the model was fitted with."
            )
        at = [position[name] for name in self.features]
        values = np.asarray(table.values[:, at, 0])
        if not np.isfinite(values).all():
            raise DataError("The model needs a value of every feature; some are missing.")
        return self.scaled(values)

    def scaled(self, values: Floats, chosen: Ints | slice = slice(None)) -> Floats:
        """Clipped z-scores, (..., k), of values of the model's features, or of those `chosen`."""
        z: Floats = (values - self.means[chosen]) / self.sds[chosen]
        return z if self.clip is None else np.clip(z, -self.clip, self.clip)


def model_of(
    fitted: BaseEstimator, settings: ModelSettings, positive: str, negative: str, n_train: int
) -> Model:
    """The facts of a fitted model whose second class is `positive`."""
    chosen = getattr(fitted, "chosen_", None)
    no_weights = np.full(len(fitted.selected_), np.nan)
    return Model(
        features=tuple(map(str, fitted.selected_)),
        coefficients=no_weights if fitted.coef_ is None else fitted.coef_,
        means=fitted.mean_,
        sds=fitted.sd_,
        intercept=float(fitted.intercept_),
        clip=settings.clip,
        positive=positive,
        negative=negative,
        classifier=settings.classifier if chosen is None else _named(chosen),
        n_train=n_train,
        funnel={step: len(names) for step, names in fitted.funnel_.items()},
        ranked=tuple(map(str, fitted.ranked_)),
        lasso=_lasso_facts(fitted),
        feature_count=_count_facts(fitted, settings),
    )


def _named(chosen: Sequence[CandidateModel]) -> str:
    """What a search chose: the winner, or the classifiers of its ensemble."""
    kinds = sorted({candidate.classifier for candidate in chosen})
    return kinds[0] if len(chosen) == 1 else f"mean of {len(chosen)} models: {', '.join(kinds)}"


def _lasso_facts(fitted: BaseEstimator) -> LassoFacts | None:
    lasso = fitted.lasso_
    if lasso is None:
        return None
    path, steps = lasso.path_, list(fitted.funnel_)
    ever = np.flatnonzero((path.coefficients != 0).any(axis=0))
    by = "select" if "select" in steps else "classifier"
    entered = fitted.funnel_[steps[steps.index(by) - 1]]
    return LassoFacts(
        names=tuple(map(str, entered[ever])),
        lambdas=path.lambdas,
        coefficients=path.coefficients[:, ever],
        n_features=path.df,
        cvm=lasso.cvm_,
        cvsd=lasso.cvsd_,
        measure=lasso.measure_,
        lambda_min=lasso.lambda_min_,
        lambda_1se=lasso.lambda_1se_,
        chosen=lasso.lambda_,
        fallback=lasso.fallback_,
    )


def _count_facts(fitted: BaseEstimator, settings: ModelSettings) -> FeatureCountFacts | None:
    count = fitted.feature_count_
    if count is None or settings.n_features is None:
        return None
    return FeatureCountFacts(
        count.numbers.astype(float), count.mean, count.se, count.chosen, settings.n_features.measure
    )
