"""What the models of a study have in common: how they read cases, and their probabilities."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import ClassifierTags, Tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from centrum.arrays import Columns, Floats, Table
from centrum.modelling.by_score import ByScore, two_classes
from centrum.modelling.calibrators import CALIBRATORS
from centrum.modelling.levels import Covariates
from centrum.modelling.on_disk import validated, validated_pair
from centrum.modelling.settings import ModelSettings, RobustnessRule
from centrum.settings import Settings

OF_SETTINGS = "settings__"
"""Beginning of the parameters that are a choice of the settings, as `settings__lasso__folds`."""


class StudyEstimator(ByScore):
    """A model that reads cases by features, of one reader or of several readings.

    X is (cases, features) or (cases, features, readings); what belongs to the readings stands in
    the class. Choices of the settings are parameters of scikit-learn too, as in
    `set_params(settings__lasso__folds=5)`.
    """

    def __init__(
        self,
        settings: ModelSettings | None = None,
        seed: int = 0,
        feature_names: Sequence[str] | None = None,
        robustness: RobustnessRule | None = None,
        n_readers: int | None = None,
        covariates: Covariates = (),
        calibrate: bool = True,
        compared: Sequence[int] | None = None,
    ) -> None:
        self.settings = settings
        self.seed = seed
        self.feature_names = feature_names
        self.robustness = robustness
        self.n_readers = n_readers
        self.covariates = covariates
        self.calibrate = calibrate
        self.compared = compared

    @available_if(lambda self: self.calibrate)
    def predict_proba(self, X: ArrayLike, batch: ArrayLike | None = None) -> Floats:
        """Probability of each class, (cases, 2), as `settings.calibration` learnt it.

        Learnt on scores of the training cases by models that had not seen the patient, as the
        probabilities of a study are. Only with `calibrate`.
        """
        scores = self.decision_function(X, batch)
        second = self.calibrator_.predict_proba(scores)
        return np.column_stack([1 - second, second])

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters by name; with `deep` each choice of the settings too."""
        params: dict[str, Any] = super().get_params(deep=False)
        return params | _flat(_choices(self._settings)) if deep else params

    def set_params(self, **params: Any) -> Self:
        """Set parameters; choices of the settings are checked together.

        Raises
        ------
        ValueError
            There is no such parameter, or the settings refuse a choice.
        """
        own = {name: value for name, value in params.items() if not name.startswith(OF_SETTINGS)}
        super().set_params(**own)
        changes = {n.removeprefix(OF_SETTINGS): params[n] for n in params if n not in own}
        if changes:
            self.settings = _changed(self._settings, changes)
        return self

    def _get_params_html(self, deep: bool = True, **more: Any) -> Any:
        """What scikit-learn shows in a notebook: the settings are one parameter there."""
        return super()._get_params_html(deep=False, **more)

    @property
    def _settings(self) -> ModelSettings:
        return ModelSettings() if self.settings is None else self.settings

    @property
    def _names(self) -> Sequence[str] | None:
        """Names of the second axis of X: as given, else those of a DataFrame."""
        seen: Sequence[str] | None = getattr(self, "feature_names_in_", None)
        return seen if self.feature_names is None else self.feature_names

    def _begin(self, X: ArrayLike | Columns, y: ArrayLike) -> tuple[Table, NDArray]:
        """What is fitted, (cases, features, readings) and (cases,); learns classes and names."""
        # Missing values are the business of the steps: another reader's may be, and some fill them.
        values, labels = validated_pair(
            self, X, y, allow_nd=True, ensure_all_finite=False, ensure_min_samples=2
        )
        self.classes_ = two_classes(labels)
        return _with_readings(values), labels

    def _readings(self, X: ArrayLike | Columns) -> Table:
        """New cases, (cases, features, readings)."""
        check_is_fitted(self)
        values = validated(self, X, allow_nd=True, ensure_all_finite=False, reset=False)
        return _with_readings(values)

    def _learn_probabilities(self, inner: Floats, y: NDArray) -> None:
        """From scores (cases,) by models that had not seen the patient, and labels (cases,)."""
        step = CALIBRATORS[self._settings.calibration]()
        self.calibrator_ = step.fit(inner, y == self.classes_[1])

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.classifier_tags = ClassifierTags(multi_class=False)
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = self._settings.imputation.method != "none"
        return tags


def _with_readings(X: Table) -> Table:
    return np.asarray(X)[:, :, None] if X.ndim == 2 else X


def _flat(blocks: dict[str, Any]) -> dict[str, Any]:
    """Choices by the names of parameters, those within a block too."""
    within = {f"{b}__{k}": v for b in blocks for k, v in _choices(blocks[b]).items()}
    return {f"{OF_SETTINGS}{name}": value for name, value in (blocks | within).items()}


def _changed(settings: ModelSettings, changes: dict[str, Any]) -> ModelSettings:
    """Settings with changes such as `{"lasso__folds": 5}`.

    >>> _changed(ModelSettings(), {"lasso__folds": 3, "screen__test": "t"}).screen.test
    't'
    """
    whole = dict(settings)
    for name, value in changes.items():
        block, _, choice = name.partition("__")
        whole[block] = _choices(whole.get(block)) | {choice: value} if choice else value
    return ModelSettings.model_validate(whole)


def _choices(block: object) -> dict[str, Any]:
    return dict(block) if isinstance(block, Settings) else {}
