"""Selectors x classifiers x numbers of features, tried against each other inside the training.

The choice is one more fitted step: an outer design that holds patients out of it gives the
honest estimate of the winner. What the inner folds say of the winner is too good, because it
is the best of many (Cawley and Talbot, J Mach Learn Res 2010;11:2079).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from centrum.arrays import Columns, Flags, Floats, Table
from centrum.errors import DataError
from centrum.modelling.auc import ROUNDING, auc
from centrum.modelling.by_score import finite_scores
from centrum.modelling.classifiers import build_classifier
from centrum.modelling.leading import Leading
from centrum.modelling.levels import Covariates
from centrum.modelling.settings import ModelSettings, RobustnessRule, SearchSettings
from centrum.modelling.split import folds_by_patient, owners_of, train_and_held_out
from centrum.modelling.steps import build_selector, build_steps
from centrum.modelling.study_estimator import StudyEstimator
from centrum.modelling.study_pipeline import StudyPipeline, fit_arguments, kept_features


@dataclass(frozen=True)
class CandidateModel:
    """One model of a search; `n_features` None is all that the selector hands on."""

    selector: str
    classifier: str
    n_features: int | None

    @property
    def label(self) -> str:
        """Such as "mrmr, 8 features, logistic"."""
        number = "all" if self.n_features is None else str(self.n_features)
        return f"{self.selector}, {number} features, {self.classifier}"


@dataclass(eq=False)
class Run:
    """How a candidate does: its measure in each fold so far, and its out-of-fold scores."""

    candidate: CandidateModel
    out_of_fold: Floats
    measures: list[float] = field(default_factory=list)

    @property
    def mean(self) -> float:
        """Mean of the measure over the folds that it saw; higher is better."""
        return float(np.mean(self.measures))


@dataclass(frozen=True)
class SearchRow:
    """A line of the table that a search keeps.

    Attributes
    ----------
    selector, classifier, n_features : the candidate; 0 features stands for all
    folds : that it saw before it was dropped
    mean, se : of the measure over them; higher is better, the deviance is negative
    chosen : whether it is (part of) the model
    """

    selector: str
    classifier: str
    n_features: int
    folds: int
    mean: float
    se: float
    chosen: bool


class SearchClassifier(StudyEstimator):
    """The best of many models, by cross-validation within the training cases.

    All steps before the selection are those of the settings and are fitted once per fold; each
    selector ranks once per fold, and serves all classifiers and numbers.

    Parameters
    ----------
    search : the candidates, and how they are compared
    settings : of all steps but selection, ranking and classifier, and C
    seed, feature_names, robustness, n_readers, covariates, calibrate, compared : as of
        `StudyClassifier`

    Attributes
    ----------
    classes_, n_features_in_, feature_names_in_, calibrator_ : as of `StudyClassifier`
    table_ : every candidate as a SearchRow, the best first
    chosen_ : the candidates that are the model, the best first
    selected_, mean_, sd_ : of the features that any chosen candidate uses
    coef_, intercept_ : per standard deviation; None and 0 unless all chosen are linear
    seen_ : step -> the patients that it was fitted on
    """

    def __init__(
        self,
        search: SearchSettings | None = None,
        settings: ModelSettings | None = None,
        seed: int = 0,
        feature_names: Sequence[str] | None = None,
        robustness: RobustnessRule | None = None,
        n_readers: int | None = None,
        covariates: Covariates = (),
        calibrate: bool = True,
        compared: Sequence[int] | None = None,
    ) -> None:
        self.search = search
        super().__init__(
            settings, seed, feature_names, robustness, n_readers, covariates, calibrate, compared
        )

    def fit(
        self,
        X: ArrayLike | Columns,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        batch: ArrayLike | None = None,
    ) -> Self:
        """Search and refit on X and two classes; as `StudyClassifier.fit`."""
        values, labels = self._begin(X, y)
        patients = owners_of(labels, groups)
        batches = None if batch is None else np.asarray(batch)
        settings = self._candidates
        runs, finished = self._race(settings, values, labels, patients, batches)
        self._choose(settings, runs, finished, values, labels, patients, batches)
        if self.calibrate:
            self._learn_probabilities(self._inner, labels)
        self._describe()
        return self

    def decision_function(self, X: ArrayLike | Columns, batch: ArrayLike | None = None) -> Floats:
        """The score of each case, (cases,): above 0 the second class is predicted."""
        prepared = np.asarray(self.prefix_.select(self._readings(X), batch))
        scores = [
            model.decision_function(prepared[:, columns]) / spread
            for columns, model, spread in self.members_
        ]
        return finite_scores(np.mean(scores, axis=0))

    def inner_scores(
        self,
        X: ArrayLike | Columns,
        y: ArrayLike,
        groups: ArrayLike | None = None,
        batch: ArrayLike | None = None,
    ) -> Floats:
        """As of `StudyClassifier`: by the inner models of the chosen candidates."""
        check_is_fitted(self)
        return self._inner

    @property
    def _candidates(self) -> SearchSettings:
        return self.search or SearchSettings()

    def _race(
        self,
        settings: SearchSettings,
        X: Table,
        y: NDArray,
        patients: NDArray,
        batch: NDArray | None,
    ) -> tuple[list[Run], list[Run]]:
        """Runs of all candidates, and of those that saw every fold.

        A candidate that cannot be fitted to a fold, or gives no finite score, is out of the race.

        Raises
        ------
        DataError
            No candidate is left.
        """
        runs = [Run(c, np.full(y.size, np.nan)) for c in candidates(settings)]
        racing = list(runs)
        folds = [
            sides
            for repeat in range(settings.repeats)
            for sides in train_and_held_out(
                folds_by_patient(y, patients, settings.folds, self.seed + repeat)
            )
        ]
        for k, (train, held_out) in enumerate(folds):
            here, there = (None if batch is None else batch[rows] for rows in (train, held_out))
            try:
                stage = self._prepare(X[train], y[train], patients[train], here)
            except DataError as error:
                error.add_note(f"while searching, fold {k + 1}")
                raise
            test = np.asarray(stage.prefix.select(X[held_out], there))
            positive = y[held_out] == self.classes_[1]
            racing = [run for run in racing if self._enter(run, stage, test, held_out, positive)]
            if not racing:
                raise DataError(
                    f"No model of the search could be fitted and scored in {k + 1} of "
                    f"{len(folds)} folds: every selector hands on fewer features than the fewest "
                    "of `search.n_features`, or the classifiers refuse them.",
                    remedy="Try fewer features, add the selector none, or add patients.",
                )
            if settings.halving and k + 1 < len(folds):
                racing = _better_half(racing, settings.survivors)
        return runs, racing

    def _prepare(self, X: Table, y: NDArray, patients: NDArray, batch: NDArray | None) -> "_Stage":
        settings = self._settings
        alone = settings.model_copy(
            update={
                "select": settings.select.model_copy(update={"method": "none"}),
                "rfe": settings.rfe.model_copy(update={"estimator": "none"}),
                "n_features": None,
            }
        )
        steps = build_steps(
            alone,
            self.seed,
            self._names,
            None,
            self.robustness,
            self.n_readers,
            self.covariates,
            self.compared,
        )
        prefix = StudyPipeline(steps)
        rows, labels, owners = prefix.fit_selection(X, y, patients, batch)
        most = max(self._candidates.n_features)
        handed = settings.select.model_copy(update={"n_features": most})
        settings = settings.model_copy(update={"select": handed})
        return _Stage(prefix, np.asarray(rows), labels, owners, settings, self.seed)

    def _enter(
        self,
        run: Run,
        stage: "_Stage",
        test: Floats,
        held_out: NDArray[np.intp],
        positive: Flags,
    ) -> bool:
        """Fit a candidate on the fold; whether it has as many features as it wants, and scores."""
        try:
            columns = stage.columns(run.candidate)
            if columns is None:
                return False
            model = stage.fit(run.candidate, columns)
            scores = finite_scores(model.decision_function(test[:, columns]))
        except DataError:
            return False
        run.out_of_fold[held_out] = scores
        run.measures.append(_measure(self._candidates.measure, positive, scores))
        return True

    def _choose(
        self,
        settings: SearchSettings,
        runs: list[Run],
        finished: list[Run],
        X: Table,
        y: NDArray,
        patients: NDArray,
        batch: NDArray | None,
    ) -> None:
        """Refit the best candidates of those that saw every fold, as many as the ensemble takes."""
        stage = self._prepare(X, y, patients, batch)
        judged = [run for run in runs if run.measures]
        order = sorted(judged, key=lambda run: (-len(run.measures), -run.mean))
        chosen: list[Run] = []
        self.members_ = []
        for run in (run for run in order if run in finished):
            if len(chosen) < settings.ensemble and (found := _refitted(stage, run)) is not None:
                chosen.append(run)
                self.members_.append(found)
        if not chosen:
            raise DataError(
                "No model of the search could be fitted to all training cases.",
                remedy="Try fewer features, or other selectors and classifiers.",
            )
        self.prefix_ = stage.prefix
        self.chosen_ = tuple(run.candidate for run in chosen)
        scaled = [r.out_of_fold / m[2] for r, m in zip(chosen, self.members_, strict=True)]
        self._inner: Floats = np.mean(scaled, axis=0)
        self.table_ = tuple(_row(run, run in chosen) for run in order)
        self.seen_ = stage.prefix.seen_ | {"select, classifier": np.unique(stage.owners)}

    def _describe(self) -> None:
        kept = kept_features(self.prefix_)
        weights, self.intercept_ = np.zeros(kept.names.size), 0.0
        linear = all(hasattr(model, "coef_") for _, model, _ in self.members_)
        used = np.zeros(kept.names.size, dtype=bool)
        for columns, model, spread in self.members_:
            used[columns] = True
            if linear:
                weights[columns] += model.coef_[0] / spread / len(self.members_)
                self.intercept_ += float(model.intercept_[0]) / spread / len(self.members_)
        self.selected_, self.mean_, self.sd_ = kept.names[used], kept.mean[used], kept.sd[used]
        self.funnel_ = kept.funnel | {"search": self.selected_}
        self.coef_ = weights[used] if linear else None
        self.ranked_ = self.selected_
        self.lasso_ = self.feature_count_ = None


@dataclass(eq=False)
class _Stage:
    """Prepared training rows, and the ranking of each selector, made when first asked for."""

    prefix: StudyPipeline
    rows: Floats
    labels: NDArray
    owners: NDArray
    settings: ModelSettings
    seed: int
    orders: dict[str, NDArray[np.intp]] = field(default_factory=dict)

    def columns(self, candidate: CandidateModel) -> NDArray[np.intp] | None:
        """The columns that a candidate uses; None when its selector has too few."""
        order, number = self.order_of(candidate.selector), candidate.n_features
        return None if number is not None and number > order.size else order[:number]

    def order_of(self, selector: str) -> NDArray[np.intp]:
        """Columns that the selector supports, the best first."""
        if selector not in self.orders:
            self.orders[selector] = self._order(selector)
        return self.orders[selector]

    def fit(self, candidate: CandidateModel, columns: NDArray[np.intp]) -> BaseEstimator:
        """The candidate's classifier on its columns."""
        model = build_classifier(candidate.classifier, self.settings, self.seed)
        also = fit_arguments(model, groups=self.owners)
        return model.fit(self.rows[:, columns], self.labels, **also)

    def _order(self, selector: str) -> NDArray[np.intp]:
        step = build_selector(selector, self.settings, self.seed)
        if step is None:
            return np.arange(self.rows.shape[1])
        ranked = Leading(step).fit(self.rows, self.labels, groups=self.owners)
        order = np.argsort(ranked.ranking_)
        return order[ranked.get_support()[order]]


def _refitted(stage: _Stage, run: Run) -> tuple[NDArray[np.intp], BaseEstimator, float] | None:
    """Columns, fitted classifier and spread of a run; None where it cannot be fitted."""
    try:
        columns = stage.order_of(run.candidate.selector)[: run.candidate.n_features]
        return columns, stage.fit(run.candidate, columns), _spread(run.out_of_fold)
    except DataError:
        return None


def candidates(settings: SearchSettings) -> tuple[CandidateModel, ...]:
    """Every combination; a selector that ranks nothing hands on all features.

    >>> pairs = {"selectors": ("mrmr", "none"), "classifiers": ("ridge",)}
    >>> settings = SearchSettings(**pairs, n_features=(1, 2))
    >>> [c.label for c in candidates(settings)]
    ['mrmr, 1 features, ridge', 'mrmr, 2 features, ridge', 'none, all features, ridge']
    """
    numbers = {
        selector: (None,) if selector == "none" else settings.n_features
        for selector in settings.selectors
    }
    return tuple(
        CandidateModel(selector, classifier, number)
        for selector in settings.selectors
        for number in numbers[selector]
        for classifier in settings.classifiers
    )


def _better_half(racing: list[Run], survivors: int) -> list[Run]:
    number = max(survivors, (len(racing) + 1) // 2)
    best = sorted(racing, key=lambda run: -run.mean)[:number]
    return [run for run in racing if run in best]


def _measure(name: str, positive: Flags, scores: Floats) -> float:
    if name == "auc":
        return float(auc(positive, scores, ROUNDING))
    p = np.clip(expit(scores), 1e-5, 1 - 1e-5)
    return float(np.mean(np.where(positive, np.log(p), np.log(1 - p))) * 2)


def _spread(scores: Floats) -> float:
    return float(np.std(scores)) or 1.0


def _row(run: Run, chosen: bool) -> SearchRow:
    number, n = run.candidate.n_features or 0, len(run.measures)
    se = float(np.std(run.measures, ddof=1) / np.sqrt(n)) if n > 1 else float("nan")
    return SearchRow(
        run.candidate.selector, run.candidate.classifier, number, n, run.mean, se, chosen
    )
