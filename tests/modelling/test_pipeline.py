"""The assembled model: nothing leaks, and its score can be recomputed by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin

from centrum.errors import DataError
from centrum.modelling.pipeline import StudyClassifier
from centrum.modelling.resampling import out_of_fold_scores, repeated_split_auc
from centrum.modelling.settings import (
    AgreementSettings,
    FeatureCountSettings,
    LassoSettings,
    ModelSettings,
    RobustnessRule,
)
from centrum.modelling.steps import build_steps
from centrum.modelling.study_pipeline import StudyPipeline

QUICK = ModelSettings(
    lasso=LassoSettings(folds=3), n_features=FeatureCountSettings(maximum=6, folds=3)
)


@pytest.fixture
def fitted(two_readers: tuple) -> StudyClassifier:
    X, y, patients = two_readers
    names = [f"feature {i}" for i in range(X.shape[1])]
    return StudyClassifier(QUICK, seed=1, feature_names=names).fit(X, y, groups=patients)


def test_score_can_be_recomputed_by_hand(fitted: StudyClassifier, two_readers: tuple) -> None:
    X, _, _ = two_readers
    position = [int(name.removeprefix("feature ")) for name in fitted.selected_]
    z = (X[:, position, 0] - fitted.mean_) / fitted.sd_
    by_hand = fitted.intercept_ + z @ fitted.coef_
    np.testing.assert_allclose(fitted.decision_function(X), by_hand, atol=1e-12)
    predicted = np.where(by_hand > 0, "osteoporotic", "malignant")
    np.testing.assert_array_equal(fitted.predict(X), predicted)


def test_scaling_is_that_of_the_balanced_training_rows(
    fitted: StudyClassifier, two_readers: tuple
) -> None:
    X, y, _ = two_readers
    rows = fitted.pipeline_.named_steps["balance"].sample_indices_
    assert np.unique(y, return_counts=True)[1].tolist() == [36, 24]
    assert np.unique(y[rows], return_counts=True)[1].tolist() == [36, 36]
    position = [int(name.removeprefix("feature ")) for name in fitted.selected_]
    np.testing.assert_allclose(fitted.mean_, X[rows][:, position, 0].mean(axis=0))
    np.testing.assert_allclose(fitted.sd_, X[rows][:, position, 0].std(axis=0))


def test_funnel_narrows_for_the_right_reasons(fitted: StudyClassifier) -> None:
    names = {step: list(kept) for step, kept in fitted.funnel_.items()}
    assert list(names) == ["agreement", "constant", "correlation", "select", "rfe"]
    everything = {f"feature {i}" for i in range(30)}
    assert everything - set(names["agreement"]) == {"feature 5", "feature 6", "feature 7"}
    assert names["constant"] == names["agreement"]
    assert set(names["constant"]) - set(names["correlation"]) == {"feature 4"}
    assert set(names["select"]) < set(names["correlation"])
    assert set(names["rfe"]) == set(fitted.ranked_[: fitted.feature_count_.chosen])
    assert set(fitted.ranked_) == set(names["select"])
    assert list(fitted.pipeline_[:-1].get_feature_names_out()) == names["rfe"]
    assert np.flatnonzero(fitted.lasso_.coef_).size == len(names["select"])


def test_only_the_primary_reader_is_needed_to_score(
    fitted: StudyClassifier, two_readers: tuple
) -> None:
    X, _, _ = two_readers
    scores = fitted.decision_function(X)
    np.testing.assert_array_equal(scores, fitted.decision_function(X[:, :, :1]))


def test_same_seed_same_model(two_readers: tuple, fitted: StudyClassifier) -> None:
    X, y, patients = two_readers
    again = StudyClassifier(QUICK, 1, fitted.feature_names).fit(X, y, groups=patients)
    assert again.decision_function(X).tobytes() == fitted.decision_function(X).tobytes()


def test_probabilities_are_those_of_the_calibration(two_readers: tuple) -> None:
    X, y, patients = two_readers
    model = StudyClassifier(QUICK, seed=1).fit(X, y, groups=patients)
    step = model.calibrator_
    log_odds = step.intercept_ + step.slope_ * model.decision_function(X)
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], expit(log_odds))
    assert not hasattr(StudyClassifier(QUICK, calibrate=False), "predict_proba")


def test_number_of_features_follows_the_rule(two_readers: tuple) -> None:
    X, y, patients = two_readers
    best = StudyClassifier(QUICK).fit(X, y, patients).feature_count_
    assert best.chosen == best.numbers[np.argmax(best.mean)]
    assert best.scores.shape == (3, 6)
    counts = QUICK.n_features.model_copy(update={"rule": "one_se"})
    fewer = QUICK.model_copy(update={"n_features": counts})
    sparse = StudyClassifier(fewer).fit(X, y, patients).feature_count_
    np.testing.assert_array_equal(sparse.scores, best.scores)
    within = best.mean >= best.mean.max() - best.se[np.argmax(best.mean)]
    assert sparse.chosen == best.numbers[within][0]


def test_copies_made_by_balancing_share_a_fold_of_the_lasso() -> None:
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [40, 20])
    X = rng.normal(size=(60, 10, 1)) + y[:, None, None]
    patients = np.arange(60) // 2
    pipeline = StudyPipeline(build_steps(QUICK, seed=0))
    pipeline.fit(X, y, groups=patients)
    rows = pipeline.named_steps["balance"].sample_indices_
    fold = pipeline.named_steps["select"].fold_
    assert rows.size == fold.size == 80
    for patient in range(30):
        assert np.unique(fold[patients[rows] == patient]).size == 1


class _Memory(ClassifierMixin, BaseEstimator):
    """Scores a case 1 when its patient was in training, else 0; X holds the patient."""

    def fit(self, X: NDArray, y: NDArray, groups: NDArray) -> "_Memory":
        self.classes_ = np.unique(y)
        self.seen_ = set(groups)
        assert self.seen_ == set(X.ravel())
        return self

    def decision_function(self, X: NDArray) -> NDArray:
        return np.array([float(patient in self.seen_) for patient in X.ravel()])


def test_evaluation_never_scores_a_patient_who_was_trained_on() -> None:
    patients = np.arange(60) % 24
    y = (patients % 2).astype(int)
    X = patients[:, None, None]
    assert not out_of_fold_scores(_Memory(), X, y, patients, folds=5, seed=2).any()
    np.testing.assert_array_equal(repeated_split_auc(_Memory(), X, y, patients, repeats=5), 0.5)


class TestLeak:
    """Selection inside the resampling learns nothing from noise; selection outside does."""

    @pytest.fixture
    def noise(self) -> tuple[NDArray, NDArray]:
        rng = np.random.default_rng(2024)
        return rng.normal(size=(100, 300, 1)), np.repeat([0, 1], 50)

    def test_shuffled_labels_give_half(self, noise: tuple[NDArray, NDArray]) -> None:
        X, y = noise
        areas = repeated_split_auc(
            StudyClassifier(QUICK, calibrate=False), X, y, repeats=20, shuffle=True
        )
        assert abs(areas.mean() - 0.5) < 0.06

    def test_selecting_on_all_data_first_would_be_seen(
        self, noise: tuple[NDArray, NDArray]
    ) -> None:
        X, y = noise
        difference = np.abs(X[y == 1, :, 0].mean(axis=0) - X[y == 0, :, 0].mean(axis=0))
        leaked = X[:, np.argsort(difference)[-15:]]
        areas = repeated_split_auc(StudyClassifier(QUICK, calibrate=False), leaked, y, repeats=5)
        assert areas.mean() > 0.65


class TestRobustness:
    """Perturbed measurements stand behind the readers' and decide on training rows only."""

    RULE = RobustnessRule()

    @pytest.fixture
    def readings(self, two_readers: tuple) -> tuple[NDArray, NDArray, NDArray]:
        """Two readers and five perturbations; x0, x1 and x20 change under perturbation."""
        X, y, patients = two_readers
        rng = np.random.default_rng(8)
        noise = rng.normal(size=(*X.shape[:2], 5))
        noise[:, 5] = 0
        scale = np.full(30, 0.1)
        scale[[0, 1, 20]] = 2
        return np.concatenate([X, X[:, :, :1] + noise * scale[:, None]], axis=2), y, patients

    def classifier(self, **more: object) -> StudyClassifier:
        return StudyClassifier(QUICK, 1, robustness=self.RULE, n_readers=2, calibrate=False, **more)

    def test_keeps_what_is_robust_and_agreed_on(self, readings: tuple) -> None:
        X, y, patients = readings
        names = [f"feature {i}" for i in range(30)]
        model = self.classifier(feature_names=names).fit(X, y, patients)
        assert list(model.funnel_)[:3] == ["agreement", "robustness", "constant"]
        lost = set(model.funnel_["agreement"]) - set(model.funnel_["robustness"])
        assert lost == {"feature 0", "feature 1", "feature 20"}
        assert set(model.selected_) <= set(model.funnel_["robustness"])
        assert list(model.pipeline_[:-1].get_feature_names_out()) == list(model.selected_)
        position = [names.index(name) for name in model.selected_]
        z = (X[:, position, 0] - model.mean_) / model.sd_
        np.testing.assert_allclose(
            model.decision_function(X), model.intercept_ + z @ model.coef_, atol=1e-12
        )

    def test_one_reading_is_enough_to_score(self, readings: tuple) -> None:
        X, y, patients = readings
        model = self.classifier().fit(X, y, patients)
        np.testing.assert_array_equal(
            model.decision_function(X), model.decision_function(X[:, :, :1])
        )

    def test_the_agreement_of_readers_does_not_see_perturbations(self, readings: tuple) -> None:
        X, y, patients = readings
        with_them = self.classifier().fit(X, y, patients)
        without = StudyClassifier(QUICK, 1).fit(X[:, :, :2], y, patients)
        np.testing.assert_array_equal(with_them.funnel_["agreement"], without.funnel_["agreement"])

    def test_a_consensus_stands_before_the_readers_who_are_compared(self, readings: tuple) -> None:
        X, y, patients = readings
        decided = np.concatenate([X[:, :, :1], X], axis=2)
        model = StudyClassifier(
            QUICK, 1, robustness=self.RULE, n_readers=3, calibrate=False, compared=(1, 2)
        ).fit(decided, y, patients)
        plain = self.classifier().fit(X, y, patients)
        assert list(model.funnel_["agreement"]) == list(plain.funnel_["agreement"])
        assert model.decision_function(decided).tobytes() == plain.decision_function(X).tobytes()

    def test_a_single_reader(self, readings: tuple) -> None:
        X, y, patients = readings
        single = np.delete(X, 1, axis=2)
        model = StudyClassifier(QUICK, 1, robustness=self.RULE, n_readers=1)
        model.fit(single, y, patients)
        assert len(model.funnel_["agreement"]) == 30
        assert {"x0", "x1", "x20", "x5"} & set(model.funnel_["robustness"]) == set()

    def test_a_rule_that_keeps_all_changes_nothing(self, two_readers: tuple) -> None:
        """Perturbations that do nothing: the same model, to the bit."""
        X, y, patients = two_readers
        X = np.delete(X, 5, axis=1)
        still = np.concatenate([X, np.repeat(X[:, :, :1], 3, axis=2)], axis=2)
        model = self.classifier().fit(still, y, patients)
        plain = StudyClassifier(QUICK, 1).fit(X, y, patients)
        assert model.decision_function(X).tobytes() == plain.decision_function(X).tobytes()

    def test_test_rows_do_not_decide(self, readings: tuple) -> None:
        """Whatever the held-out cases' perturbations say, the fitted model is the same."""
        X, y, patients = readings
        train = patients < 35
        spoilt = X.copy()
        held_out = np.ix_(~train, np.arange(8, 30), np.arange(2, 7))
        spoilt[held_out] = np.random.default_rng(1).normal(size=spoilt[held_out].shape)
        models = [self.classifier().fit(x[train], y[train], patients[train]) for x in (X, spoilt)]
        first, second = (list(m.funnel_["robustness"]) for m in models)
        assert first == second
        scores = [m.decision_function(X) for m in models]
        np.testing.assert_array_equal(*scores)
        whole = self.classifier().fit(spoilt, y, patients)
        assert len(whole.funnel_["robustness"]) < len(first)

    def test_shuffled_labels_give_half(self) -> None:
        rng = np.random.default_rng(2024)
        X = rng.normal(size=(100, 120, 1))
        X = np.concatenate([X, X + 0.2 * rng.normal(size=(100, 120, 4))], axis=2)
        y = np.repeat([0, 1], 50)
        model = StudyClassifier(QUICK, robustness=self.RULE, n_readers=1)
        areas = repeated_split_auc(model, X, y, repeats=20, shuffle=True)
        assert abs(areas.mean() - 0.5) < 0.06

    def test_a_failed_perturbation_leaves_the_case_out_of_the_icc_alone(
        self, readings: tuple
    ) -> None:
        X, y, patients = readings
        X[3, :, 4] = np.nan
        model = self.classifier().fit(X, y, patients)
        step = model.pipeline_.named_steps["robustness"]
        assert set(step.icc_.n_subjects) == {59}
        assert np.isfinite(model.decision_function(X)).all()

    def test_refusals(self, readings: tuple) -> None:
        X, y, patients = readings
        with pytest.raises(DataError, match="go together"):
            StudyClassifier(QUICK, robustness=self.RULE).fit(X, y, patients)
        with pytest.raises(DataError, match="needs perturbed measurements"):
            self.classifier().fit(X[:, :, :2], y, patients)
        rough = X.copy()
        rough[:, :, 2:] = np.random.default_rng(0).normal(size=rough[:, :, 2:].shape)
        with pytest.raises(DataError, match=r"ICC\(1,1\).*Perturb less"):
            self.classifier().fit(rough, y, patients)


class TestRefusals:
    def test_fewer_patients_than_folds(self, two_readers: tuple) -> None:
        X, y, _ = two_readers
        few = np.where(y == "malignant", np.cumsum(y == "malignant") % 2, np.arange(2, 62))
        with pytest.raises(DataError, match="found 2 with malignant, 24 with osteoporotic"):
            StudyClassifier(QUICK).fit(X, y, groups=few)

    def test_one_class(self, two_readers: tuple) -> None:
        X, y, _ = two_readers
        with pytest.raises(DataError, match=r"two classes apart, found 1: \['malignant'\]"):
            StudyClassifier(QUICK).fit(X, np.full_like(y, "malignant"))

    def test_no_agreement_says_where(self, two_readers: tuple) -> None:
        X, y, patients = two_readers
        strict = QUICK.model_copy(update={"agreement": AgreementSettings(threshold=0.9999)})
        with pytest.raises(DataError, match="No feature has an ICC") as caught:
            StudyClassifier(strict).fit(X, y, groups=patients)
        assert caught.value.__notes__ == ["while choosing the number of features, fold 1"]

    def test_unknown_settings(self) -> None:
        with pytest.raises(ValidationError):
            ModelSettings(smote=True)
        with pytest.raises(ValidationError):
            ModelSettings(C=0)


def test_every_setting_is_described() -> None:
    schema = ModelSettings.model_json_schema()
    models = [schema, *schema["$defs"].values()]
    fields = [field for model in models for field in model["properties"].values()]
    assert len(fields) > 15
    assert all(field.get("description") for field in fields)
