"""Results of a made-up study, in all the shapes that a report must stand."""

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk

from centrum.agreement import icc
from centrum.cohort import Case, Cohort, EligibilityRule, Level, apply_rules
from centrum.evaluate import table1
from centrum.execution import silent
from centrum.features.feature_id import FeatureId
from centrum.features.settings import ExtractionSettings
from centrum.frozen.classifiers import Linear
from centrum.frozen.explanation import StudyExplanation, explain_study
from centrum.frozen.scorer import Branch, Member, Scorer
from centrum.geometry import Geometry
from centrum.measure.case import MeasurementJob
from centrum.measure.extract import plan
from centrum.modelling.designs import Part
from centrum.modelling.optimism import Resample
from centrum.perturb import RobustnessSettings, plan_perturbations
from centrum.perturb.robustness import robustness
from centrum.protocol import Protocol, load_preset
from centrum.provenance import Step
from centrum.report.build import write_report
from centrum.report.results import StudyResults
from centrum.study.findings import Failure, Finding
from centrum.table import FeatureTable
from centrum.validation.decision import learn_decision
from centrum.validation.evaluation import StudyEvaluation, evaluate_study
from centrum.validation.fits import Source, of_reader
from centrum.validation.instability import Refit
from centrum.validation.matrix import study_matrix
from centrum.validation.model import FeatureCountFacts, LassoFacts, Model
from centrum.validation.population import sides
from centrum.validation.procedure import InternalValidation, Permutation, row_audit
from tests.pictures import rendered
from tests.storage import to_image

SIMULATED = "Simulated patients (phantom): proves the software, not the medicine"
POSITIVE, NEGATIVE = "malignant", "osteoporotic"
RULES = (
    EligibilityRule(name="Age of 18 years or more", require="age >= 18"),
    EligibilityRule(
        name="Malignancy proven by biopsy or course", exclude="age > 88", group=POSITIVE
    ),
)

Make = Callable[..., StudyResults]


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, str]]:
    """A sagittal image, columns running to the back and rows to the feet, and two masks."""
    folder = tmp_path_factory.mktemp("images")
    direction = (0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, -1.0, 0.0)
    grid = Geometry((60, 80, 7), (0.8, 0.6, 4.4), (0.0, -20.0, 30.0), direction)
    z, y, x = np.indices(grid.shape)
    rng = np.random.default_rng(0)
    files = {}
    for k, reader in enumerate(("senior", "resident", "third")):
        mask = (abs(z - 3) < 3) & (abs(y - 40) < 16 - z % 3 + k) & (abs(x - 28) < 12)
        files[reader] = str(folder / f"{reader}.nrrd")
        sitk.WriteImage(to_image(mask, grid), files[reader])
    image = str(folder / "image.nrrd")
    body = 300.0 * ((abs(y - 40) % 30 < 14) & (abs(x - 28) < 12))
    sitk.WriteImage(to_image(body + rng.normal(200, 20, grid.shape), grid), image)
    return image, files


@pytest.fixture(scope="session")
def make(sources: tuple[str, dict[str, str]]) -> Make:
    """Build results: number of selected features, readers, rules, names, texts."""

    def build(
        n_selected: int = 6,
        readers: tuple[str, ...] = ("senior", "resident"),
        rules: tuple[EligibilityRule, ...] = RULES,
        simulated: str = SIMULATED,
        prefix: str = "P",
        image: str = "original",
        n_measured: int | None = None,
        perturbed: RobustnessSettings | None = None,
        n_parts: int = 1,
        searched: bool = False,
        sequences: tuple[str, ...] = (),
    ) -> StudyResults:
        cohort, flow = apply_rules(_cohort(prefix), rules, outcomes=(POSITIVE, NEGATIVE))
        dropped = cohort.cases[-1].id
        cohort = cohort.keep(cohort.cases[:-1], Step("measure", {}))
        table = _table(cohort, readers, image, n_measured, sequences)
        model = _model(table, n_selected)
        scores = _scores(table, model)
        drawn = dict(zip(readers, sources[1].values(), strict=False))
        protocol = load_preset("vcf-t2w-2024").model_copy(update={"robustness": perturbed})
        evaluation = above_chance(_evaluation(protocol, scores, table))
        return StudyResults(
            title=protocol.name,
            protocol=protocol,
            simulated=simulated,
            flow=flow,
            failures=(Failure(dropped, "The mask is empty."),),
            findings=(Finding(f"{prefix}000", "senior", "warning", "holes", "1 hole."),),
            table=table,
            sources=dict.fromkeys(table.cases, (sources[0], drawn)),
            overlap=_overlap(table),
            agreement=_agreement(table),
            model=model,
            scorer=_scorer(model),
            cutoff=evaluation.decision.cutoff,
            scores=scores,
            evaluation=evaluation,
            validation=_internal_validation(protocol, scores, table, evaluation, n_parts),
            search=SEARCHED if searched else (),
            population=tuple(table1(table.obs)),
            sides=sides(table.obs, scores["part"], _values(table, model), (POSITIVE, NEGATIVE)),
            history=(Step("extract", {"bins": 32}), Step("evaluate", {"seed": 1})),
            versions={"centrum": "0.1.0", "Python": "3.11"},
            digests={"cases.csv": "ab" * 32},
            robustness=_robustness(table, perturbed),
            explanation=_explanation(protocol, table, model, scores),
        )

    return build


@pytest.fixture(scope="session")
def results(make: Make) -> StudyResults:
    """The usual study, with case ids that would break a page that does not escape them."""
    return make(prefix="<b>&")


def with_maps(results: StudyResults) -> StudyResults:
    """The same with what was measured of the cases, and a model of other features.

    All but the first of these have maps, as far as such were measured.
    """
    jobs = {
        case: MeasurementJob(
            case, image, masks, results.protocol.images, ExtractionSettings(), store=None
        )
        for case, (image, masks) in results.sources.items()
    }
    pairs = zip(results.table.names, results.table.features, strict=True)
    names = [n for n, f in pairs if f.family not in ("morphology", "gldzm")][::9]
    features = (results.model.features[0], *names)[: len(results.model.features)]
    return replace(results, jobs=jobs, model=replace(results.model, features=features))


def _cohort(prefix: str, n: int = 60) -> Cohort:
    rng = np.random.default_rng(3)
    return Cohort(
        tuple(
            Case(
                f"{prefix}{k:03d}",
                f"secret-patient-{k - k % 7 % 2}",
                POSITIVE if k // 2 % 2 else NEGATIVE,
                level=Level.parse("T12" if k % 3 else "L1"),
                age=float(rng.integers(40, 92)),
                sex="MF"[k % 2],
            )
            for k in range(n)
        )
    )


def _features(image: str) -> tuple[FeatureId, ...]:
    return tuple(replace(f, image=image) for f in plan(ExtractionSettings()))


def _table(
    cohort: Cohort,
    readers: tuple[str, ...],
    image: str,
    n_measured: int | None,
    sequences: tuple[str, ...],
) -> FeatureTable:
    rng = np.random.default_rng(4)
    features = _features(image)[:n_measured]
    if sequences:
        features = tuple(
            replace(f, sequence=sequences[k % len(sequences)]) for k, f in enumerate(features)
        )
    obs = cohort.to_frame()
    positive = (obs["outcome"] == POSITIVE).to_numpy()
    truth = rng.normal(size=(len(obs), len(features)))
    truth[:, ::3] += 0.8 * positive[:, None]
    noise = (
        rng.normal(size=(*truth.shape, len(readers)))
        * np.linspace(0.05, 0.9, len(features))[:, None]
    )
    return FeatureTable(50 + 9 * (truth[:, :, None] + noise), obs, features, readers)


def _scorer(model: Model) -> Scorer:
    at = np.arange(len(model.features))
    one = Member(at, 1.0, Linear(model.coefficients, model.intercept))
    branch = Branch(at, None, at, None, model.means, model.sds, model.clip, (one,))
    return Scorer(model.features, 0.0, (branch,))


def above_chance(evaluation: StudyEvaluation, lower: float = 0.55) -> StudyEvaluation:
    """The evaluation with another lower limit of its AUC; so few cases have none above .5."""
    test = evaluation.by_set["test"]
    interval = replace(test.auc.interval, lower=lower)
    told = replace(test, auc=replace(test.auc, interval=interval))
    return replace(evaluation, by_set={**evaluation.by_set, "test": told})


def _explanation(
    protocol: Protocol, table: FeatureTable, model: Model, scores: pd.DataFrame
) -> StudyExplanation:
    few = protocol.evaluation.model_copy(update={"n_resamples": 100})
    sides = [np.flatnonzero((scores["part"] == name).to_numpy()) for name in ("train", "test")]
    return explain_study(
        protocol.model_copy(update={"evaluation": few}), Source(Path(), ""),
        study_matrix(table, protocol), _scorer(model), (Part("split", 0, *sides),), 1, silent,
    )  # fmt: skip


def _model(table: FeatureTable, k: int) -> Model:
    rng = np.random.default_rng(5)
    chosen = np.arange(0, len(table.features), 3)[:k]
    chosen = chosen if len(chosen) == k else np.arange(k)
    values = table.values[:, chosen, 0]
    path = np.linspace(0, 1, 40)[:, None] * rng.normal(size=min(24, len(table.features)))
    path *= np.arange(40)[:, None] > np.arange(path.shape[1])
    names = (*np.array(table.names)[chosen], *np.delete(np.array(table.names), chosen))
    lambdas = np.exp(np.linspace(-1, -7, 40))
    numbers = np.arange(1.0, 16.0)
    return Model(
        features=tuple(map(str, names[:k])),
        coefficients=rng.normal(0.4, 0.4, size=k),
        means=values.mean(axis=0),
        sds=values.std(axis=0),
        intercept=-0.307,
        clip=None,
        positive=POSITIVE,
        negative=NEGATIVE,
        classifier="linear_svm",
        n_train=40,
        funnel={"agreement": 60, "constant": 59, "correlation": 40, "select": 11, "rfe": k},
        ranked=tuple(map(str, names[:k])),
        lasso=LassoFacts(
            names=tuple(map(str, names[: path.shape[1]])),
            lambdas=lambdas,
            coefficients=path,
            n_features=np.count_nonzero(path, axis=1),
            cvm=1.4 - np.linspace(0, 2, 40) + np.linspace(0, 1.5, 40) ** 2,
            cvsd=np.full(40, 0.1),
            measure="deviance",
            lambda_min=float(lambdas[20]),
            lambda_1se=float(lambdas[12]),
            chosen=float(lambdas[20]),
            fallback=False,
        ),
        feature_count=FeatureCountFacts(
            numbers, 0.7 + 0.1 * np.sin(numbers / 4), np.full(15, 0.04), min(k, 15), "accuracy"
        ),
    )


def _values(table: FeatureTable, model: Model) -> pd.DataFrame:
    frame = pd.DataFrame(table.values[:, :, 0], table.obs.index, list(table.names))
    return frame[list(model.features)]


def _scores(table: FeatureTable, model: Model) -> pd.DataFrame:
    scores = table.obs[["patient", "outcome"]].copy()
    scores["part"] = np.where(scores["patient"].str[-2:].astype(int) % 7 < 5, "train", "test")
    scores["score"] = model.score(table)
    at = [table.names.index(name) for name in model.features]
    for k, reader in enumerate(table.readers[1:], 1):
        z = model.scaled(table.values[:, at, k])
        scores[of_reader("score", reader)] = model.intercept + z @ model.coefficients
    noisy = scores["score"] + np.random.default_rng(6).normal(size=len(scores))
    scores["out_of_fold"] = noisy.where(scores["part"] == "train")
    return scores


def _evaluation(protocol: Protocol, scores: pd.DataFrame, table: FeatureTable) -> StudyEvaluation:
    quick = protocol.evaluation.model_copy(update={"n_resamples": 100})
    train = scores[scores["part"] == "train"]
    decision = learn_decision(
        train["out_of_fold"].to_numpy(),
        (train["outcome"] == POSITIVE).to_numpy(dtype=int),
        train["patient"].to_numpy(),
        quick,
        "platt",
    )
    protocol = protocol.model_copy(update={"evaluation": quick})
    return evaluate_study(protocol, scores, table.obs, decision, primary=table.readers[0])


SEARCHED = tuple(
    {"selector": s, "classifier": c, "n_features": n, "folds": 5 if n else 1,
     "mean": 0.7 + 0.01 * n, "se": 0.02, "chosen": (s, c, n) == ("lasso", "ridge", 8)}
    for s in ("lasso", "mrmr") for c in ("ridge", "logistic") for n in (8, 4, 0)
)  # fmt: skip


def _internal_validation(
    protocol: Protocol,
    scores: pd.DataFrame,
    table: FeatureTable,
    evaluation: StudyEvaluation,
    n_parts: int,
) -> InternalValidation:
    """One record of the test side, given so many times under other names."""
    test = np.flatnonzero((scores["part"] == "test").to_numpy())
    train = np.flatnonzero((scores["part"] == "train").to_numpy())
    values = scores["score"].to_numpy()[test]
    positive = (scores["outcome"].to_numpy()[test] == POSITIVE).astype(int)
    record = {
        "name": "split", "repeat": 0, "n_train": len(train), "n_test": len(test), "error": "",
        "train": train.tolist(), "case": test.tolist(), "score": values.tolist(),
        "positive": positive.tolist(),
        "probability": evaluation.probability.tolist(),
        "called": evaluation.called.astype(int).tolist(), "set": list(evaluation.sets),
        "cutoff": 0.0, "auc": evaluation.by_set["test"].auc.value,
        "features": dict.fromkeys(table.names[:3], 0.5),
        "seen": {"agreement": [len(train), 0], "classifier": [len(train), 0]}, "search": [],
    }  # fmt: skip
    parts = [
        record | {"name": f"split {k}", "repeat": k, "auc": record["auc"] - 0.01 * k,
                  "features": dict.fromkeys(table.names[k : k + 3], 0.5)}
        for k in range(n_parts)
    ]  # fmt: skip
    worse = [part | {"score": [-v for v in part["score"]], "auc": 0.4} for part in parts]
    few = [
        part | {"score": [v - 2 * (k % 3) for k, v in enumerate(part["score"])],
                "auc": part["auc"] - 0.03, "features": dict.fromkeys(table.names[:2], 0.4)}
        for part in parts
    ]  # fmt: skip
    leaked = [
        {"seed": k, "shuffled": shuffled, "honest": 0.5, "apparent": 0.9,
         "selection_before_split": 0.7, "number_tuned_on_test": None, "copies_on_both_sides": 0.6,
         "combined": 0.7 - 0.2 * shuffled + 0.01 * k, "combined_on_test": 0.8 - 0.2 * shuffled}
        for shuffled in (False, True) for k in range(3)
    ]  # fmt: skip
    sides = [Part(part["name"], part["repeat"], train, test) for part in parts]
    return InternalValidation(
        parts=parts,
        ablation={"volume": worse},
        permutation=Permutation(record["auc"], tuple(np.linspace(0.3, 0.7, 20)), 0),
        leaks=leaked,
        resamples=_refits(scores, evaluation),
        rows=row_audit(study_matrix(table, protocol), sides),
        failed={},
        sparse=few,
        sparse_features=dict(zip(table.names[:2], (-0.2, 0.4), strict=False)),
    )


def _refits(scores: pd.DataFrame, evaluation: StudyEvaluation) -> list[Refit]:
    """Three, whose probabilities are those of noisier scores."""
    rng, own = np.random.default_rng(8), scores["score"].to_numpy()
    noisy = [own + rng.normal(0, 0.5, own.size) for _ in range(3)]
    decided = [(evaluation.decision.probability(s), evaluation.decision.called(s)) for s in noisy]
    return [Refit(Resample(0.95, 0.85, 0.7), p, c.astype(float), None) for p, c in decided]


def _agreement(table: FeatureTable) -> pd.DataFrame:
    columns = ["icc", "lower", "upper", "f", "df1", "df2", "p", "n", "kept"]
    if len(table.readers) < 2:
        return pd.DataFrame(columns=columns, index=pd.Index([], name="feature"))
    found = icc(table.values)
    numbers = (found.value, found.lower, found.upper, found.f, found.df1, found.df2, found.p)
    data = dict(zip(columns, (*numbers, found.n_subjects, found.value > 0.75), strict=True))
    return pd.DataFrame(data, index=pd.Index(table.names, name="feature"))


def _robustness(table: FeatureTable, settings: RobustnessSettings | None) -> pd.DataFrame:
    if settings is None:
        return pd.DataFrame()
    names = tuple(p.name for p in plan_perturbations(settings, ""))
    rng = np.random.default_rng(9)
    size = rng.uniform(0.1, 1.5, (1, len(table.features), 1))
    noise = size * rng.normal(size=(*table.values.shape[:2], len(names)))
    layer = table.values[:, :, :1] + noise * table.values[:, :, :1].std(axis=0, keepdims=True)
    whole = replace(table, perturbed=layer, perturbations=names)
    return robustness(whole, settings).set_index("feature")


def _overlap(table: FeatureTable) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    return pd.DataFrame(
        [
            {
                "case": case, "reader_a": a, "reader_b": b, "dice": rng.uniform(0.85, 0.97),
                "jaccard": 0.85, "volume_difference_mm3": rng.normal(0, 300),
                "hausdorff_mm": 4.4, "hausdorff95_mm": rng.uniform(1, 3),
                "mean_surface_distance_mm": rng.uniform(0.3, 0.9),
            }
            for case in table.cases
            for a, b in combinations(table.readers, 2)
        ]
    )  # fmt: skip


@pytest.fixture(scope="session")
def written(results: StudyResults, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the report of `results`."""
    folder = tmp_path_factory.mktemp("report")
    with rendered():
        write_report(results, folder)
    return folder
