"""Every statement of the Methods section is true of the run."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from centrum.agreement import IccForm
from centrum.cohort import EligibilityRule
from centrum.features.families import FAMILIES
from centrum.features.settings import Discretisation, ExtractionSettings
from centrum.filters import FILTERS
from centrum.frozen.classifiers import Classifier, Forest, NaiveBayes, RadialKernel, Tree
from centrum.manuscript.methods import MOST_WORDS, SECTIONS, methods_markdown, methods_text
from centrum.manuscript.methods_explanation import explanation
from centrum.manuscript.methods_features import IBSI_FILTERS
from centrum.manuscript.methods_model import BALANCED, BRIEF
from centrum.manuscript.passage import Passage
from centrum.measure.sequences import plan_sequences
from centrum.modelling.steps import build_steps
from centrum.perturb import RobustnessSettings
from centrum.protocol import Protocol, load_preset, presets
from centrum.provenance import Step
from centrum.report.results import StudyResults
from centrum.report.words.features import DIALECTS
from centrum.study.findings import Finding
from centrum.study.sources import called
from centrum.text import number, percent
from tests.manuscript.walk import (
    BINS,
    SAID_ELSEWHERE,
    Leaf,
    With,
    changed,
    leaves,
    literals,
    patched,
    values,
)
from tests.report.conftest import Make, above_chance
from tests.room_records import room_of

ROOT = Path(__file__).resolve().parents[2]

LEAVES = [leaf for leaf in leaves() if leaf.path not in SAID_ELSEWHERE]

SEVERAL = [leaf for leaf in LEAVES if len(values(leaf)) > 1]


@pytest.fixture(scope="session")
def results(make: Make) -> StudyResults:
    """Two readers; every choice as the settings have it by default."""
    return replace(make(), protocol=Protocol(name="A study"))


def text_of(results: StudyResults, protocol: Protocol | None = None) -> str:
    """The whole text; that of the paper itself is short in every study of these tests."""
    text = methods_markdown(methods_text(replace(results, protocol=protocol or results.protocol)))
    paper, _, supplement = text.partition("# Supplementary methods")
    assert len(paper.replace("#", "").split()) <= MOST_WORDS
    assert supplement
    return text


def test_proposed_regions_are_told(results: StudyResults) -> None:
    found = Finding(results.table.cases[0], "senior", "warning", "proposal:totalspineseg", "")
    told = text_of(replace(results, findings=(found,)))
    assert '1 of "senior" (proposal:totalspineseg) were proposed by the software' in told
    assert "proposed by the software" not in text_of(results)


# What the score rests on


def with_classifier(results: StudyResults, classifier: Classifier, weight: float = 1) -> str:
    """The paragraph on explanations with another classifier in the place of the model's."""
    (branch,) = results.scorer.branches
    member = replace(branch.members[0], classifier=classifier, weight=weight)
    scorer = replace(results.scorer, branches=(replace(branch, members=(member,)),))
    return explanation(replace(results, scorer=scorer)).whole


def test_the_explanation_is_that_of_the_classifier(results: StudyResults) -> None:
    k = len(results.scorer.features)
    leaf = np.array([-1])
    tree = Tree(leaf, leaf, leaf, np.zeros(1), np.array([0.4]))
    kernel = RadialKernel(np.zeros((2, k)), np.ones(2), 0.1, 0.0)
    bayes = NaiveBayes(np.zeros((2, k)), np.ones((2, k)), np.array([0.5, 0.5]), 1e-3)
    assert "was coefficient times standardised value; " in explanation(results).whole
    assert "radial kernel from its product form" in with_classifier(results, kernel)
    assert "sum exactly to the score" in with_classifier(results, kernel)
    assert "naive Bayes from its sum of log-odds" in with_classifier(results, bayes)
    votes = with_classifier(results, Forest((tree,), 1e-3))
    assert "of trees from their leaves" in votes
    assert "sum to the mean vote of the trees" in votes
    boosted = with_classifier(results, Forest((tree,), 1e-3, True))
    assert "sum exactly to the score" in boosted
    assert "mean vote" not in boosted


def test_no_explanation_is_told_where_none_is_shown(results: StudyResults) -> None:
    chance = replace(results, evaluation=above_chance(results.evaluation, lower=0.5))
    assert explanation(chance).whole.endswith("no explanation is given.")
    unexplained = explanation(replace(results, explanation=None))
    assert unexplained.whole == "The score could not be explained."
    off = results.protocol.evaluation.model_copy(update={"explanation": None})
    protocol = results.protocol.model_copy(update={"evaluation": off})
    assert explanation(replace(results, protocol=protocol)) == Passage()


def test_the_explanation_of_several_parts_is_told_as_such(results: StudyResults) -> None:
    nested = results.protocol.split.model_copy(update={"design": "nested_cv"})
    protocol = results.protocol.model_copy(update={"split": nested})
    text = explanation(replace(results, protocol=protocol)).whole
    assert "every part of the design, by a model that had not seen them" in text
    assert "Nadeau and Bengio" in text
    assert "of 500 samples of the patients of the test side" in explanation(results).whole


# Every choice


@pytest.mark.parametrize("leaf", SEVERAL, ids=lambda leaf: leaf.path)
def test_a_choice_changes_the_text(results: StudyResults, leaf: Leaf) -> None:
    tried = values(leaf)
    said = [text_of(results, changed(results.protocol, leaf, value)) for value in tried]
    for k, text in enumerate(said):
        assert text not in said[:k], f"{leaf.path}: {tried[k]} is told as {tried[said.index(text)]}"


def test_every_choice_is_walked() -> None:
    paths = [leaf.path for leaf in LEAVES]
    assert len(paths) == len(set(paths)) > 150
    alone = {leaf.path for leaf in LEAVES if len(values(leaf)) == 1}
    assert all(path.endswith(("].method", "].operation", "].filter")) for path in alone - {
        "model.rfe.step", "extraction.filters[LBP2D].dimension"})  # fmt: skip
    assert set(SAID_ELSEWHERE) <= {leaf.path for leaf in leaves()}
    every = literals(Discretisation.model_fields["method"].annotation)
    assert {block["method"] for block in BINS} == set(every)


IN_WORDS = {
    "deviations",
    "extraction.families",
    "extraction.filters[wavelet].bands",
    "robustness.kinds",
    "search.classifiers",
    "search.selectors",
}
"""Choices among names that the text has other words for, or that stand one by one."""

SPELLED = [
    leaf for leaf in SEVERAL if not literals(leaf.field.annotation) and leaf.path not in IN_WORDS
]


@pytest.mark.parametrize("leaf", SPELLED, ids=lambda leaf: leaf.path)
def test_numbers_and_names_are_told_as_they_are(results: StudyResults, leaf: Leaf) -> None:
    protocols = [changed(results.protocol, leaf, value) for value in values(leaf)]
    said = [sentences_of(results, protocol) for protocol in protocols]
    for k, value in enumerate(values(leaf)):
        own = " ".join(sorted(said[k] - said[k - 1]))
        for spellings in told(value):
            assert any(text in own for text in spellings), (leaf.path, spellings, own)


def sentences_of(results: StudyResults, protocol: Protocol) -> set[str]:
    return {s for p in methods_text(replace(results, protocol=protocol))
            for s in re.split(r"(?<=[.;]) ", p.text)}  # fmt: skip


def told(value: Any) -> list[tuple[str, ...]]:
    """For each number or name in a value, how a sentence may spell it; 0 may be "no"."""
    if isinstance(value, tuple):
        return [spellings for part in value for spellings in told(part)]
    if not value or isinstance(value, bool | dict | With | IccForm):
        return []
    return [(value,)] if isinstance(value, str) else [(number(value), percent(value))]


def test_every_filter_has_words(results: StudyResults) -> None:
    found = set()
    for name, kind in FILTERS.items():
        leaf = Leaf(f"extraction.filters[{name}].filter", kind.model_fields["filter"])
        text = text_of(results, changed(results.protocol, leaf, name))
        found |= set(re.findall(r"Filters were applied to the images: (\(1\).*?)\.", text))
    assert len(found) == len(FILTERS)


ALONE = {"evaluation": {"ablation": False, "leak_audit": {"splits": 0}}}
"""Without the further fits that read C and the share of the training side too."""

UNRANKED = {"select": {"method": "none"}, "rfe": {"estimator": "none"}, "n_features": None}

PLACES: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    **{
        f"C of {name}": ({**ALONE, "model": {"classifier": name, **UNRANKED}}, {"model": {"C": 7}})
        for name in ("linear_svm", "rbf_svm", "logistic")
    },
    **{
        f"C of elimination by {name}": (
            {**ALONE, "model": {"classifier": "ridge", "rfe": {"estimator": name}}},
            {"model": {"C": 7}},
        )
        for name in ("linear_svm", "logistic")
    },
    "C of the ablation": ({"model": {"classifier": "ridge", **UNRANKED}}, {"model": {"C": 7}}),
    "C of the covariates": (
        {**ALONE, "model": {"classifier": "ridge", **UNRANKED, "fusion": "late",
                            "covariates": ("age",)}},
        {"model": {"C": 7}},
    ),
    "C of a search": ({**ALONE, "search": {"classifiers": ("rbf_svm",)}}, {"model": {"C": 7}}),
    "LASSO as a classifier": (
        {"model": {"classifier": "elastic_net", **UNRANKED}}, {"model": {"lasso": {"folds": 7}}}
    ),
    "LASSO as a selection of a search": (
        {"search": {"selectors": ("lasso",), "classifiers": ("ridge",)}},
        {"model": {"lasso": {"folds": 7}}},
    ),
    "LASSO as a classifier of a search": (
        {"search": {"selectors": ("none",)}}, {"model": {"lasso": {"folds": 7}}}
    ),
    **{
        f"features of {name}": (
            {"model": {"select": {"method": name}}}, {"model": {"select": {"n_features": 7}}}
        )
        for name in ("mrmr", "relieff", "univariate")
    },
    "test of a univariate selection": (
        {"search": {"selectors": ("univariate",)}, "model": {"screen": {}}},
        {"model": {"screen": {"test": "t"}}},
    ),
    **{
        f"share of {name}": (
            {**ALONE, "split": {"design": name}}, {"split": {"train_fraction": 0.6}}
        )
        for name in ("single", "repeated_split", "temporal")
    },
    "share of the leak audit": (
        {"split": {"design": "external", "test_values": ("B",)}},
        {"split": {"train_fraction": 0.6}},
    ),
    **{
        f"repeats and folds of {name}": (
            {"split": {"design": name}}, {"split": {"repeats": 7, "folds": 7}}
        )
        for name in ("repeated_k_fold", "nested_cv")
    },
    "repeats of repeated_split": (
        {"split": {"design": "repeated_split"}}, {"split": {"repeats": 7}}
    ),
    **{
        f"column of {name}": (
            {"split": {"design": name, "test_values": ("B",)}}, {"split": {"by": "scanner"}}
        )
        for name in ("leave_one_centre_out", "temporal", "external")
    },
    **{
        f"{side} of {rule}": (
            {"evaluation": {"cutoff": {"rule": rule}}}, {"evaluation": {"cutoff": {"target": 0.7}}}
        )
        for rule, side in (("sensitivity", "target"), ("specificity", "target"))
    },
    "folds within the parts": (
        {"split": {"design": "nested_cv"}}, {"model": {"n_features": {"folds": 7}}}
    ),
    "bins of fixed size begin at a bound": (
        {"extraction": {"discretisation": {"method": "fixed_bin_size", "bins": None, "width": 5.0},
                        "resegmentation": {"lower": 3.0}}},
        {"extraction": {"resegmentation": {"lower": 4.0}}},
    ),
    **{
        f"plane of {name}": (
            {"extraction": {"aggregations": ("3D_merged",), **block}},
            {"extraction": {"plane": "axial"}},
        )
        for name, block in {
            "interpolation": {"interpolation": {"in_plane": 1.0}},
            "filters": {"filters": ({"filter": "mean", "dimension": "2D"},)},
        }.items()
    },
    "plane of operations": (
        {"extraction": {"aggregations": ("3D_merged",)},
         "preparation": {"region": ({"operation": "erode", "mm": 1.0},)}},
        {"extraction": {"plane": "axial"}},
    ),
    "plane of perturbations": (
        {"extraction": {"aggregations": ("3D_merged",)}, "robustness": {}},
        {"extraction": {"plane": "axial"}},
    ),
}  # fmt: skip
"""Choices that are read in several places: the company in which one of these alone reads them."""


@pytest.mark.parametrize("where", PLACES)
def test_a_choice_is_told_in_every_place_that_reads_it(results: StudyResults, where: str) -> None:
    company, change = PLACES[where]
    base = patched(results.protocol, company)
    changes = sentences_of(results, patched(base, change)) - sentences_of(results, base)
    assert changes


@pytest.mark.parametrize(
    ("bins", "limits", "words"),
    [
        ("none", {}, "without discretisation."),
        ("none", {"lower": 0}, "in the image from the lower bound of the re-segmentation."),
        ("none", {"upper": 9}, "in the image to the upper bound of the re-segmentation."),
        ("none", {"lower": 0, "upper": 9}, "from the lower to the upper bound of the re"),
        ("none", {"sigma": 3}, "without discretisation."),
        ("fixed_bin_number", {"lower": 0, "upper": 9}, "was computed in 1000 bins."),
    ],
)
def test_the_range_of_the_volume_histogram_is_told(
    results: StudyResults, bins: str, limits: Mapping[str, float], words: str
) -> None:
    number = 1000 if bins == "fixed_bin_number" else None
    block = {"families": ("ivh",), "ivh": {"method": bins, "bins": number}}
    protocol = patched(results.protocol, {"extraction": {**block, "resegmentation": limits}})
    (said,) = (s for s in sentences_of(results, protocol) if s.startswith("The intensity-volume"))
    assert words in said


WORDS = {
    ("images.on_grid_mismatch", "refuse"): "A mask on any other grid was rejected",
    ("preparation.normalisation[z_score].over", "image"): "SD (with n) of all voxels of the image",
    ("preparation.normalisation[percentile].clip", False): "beyond this range were kept",
    ("preparation.region[largest_piece].connectivity", 6): "share faces)",
    ("extraction.interpolation.image", "cubic"): "Intensities were interpolated by cubic B-splines",
    ("extraction.interpolation.boundary", "mirror"): "beyond its edges by its mirror image)",
    ("extraction.interpolation.mask", "nearest"): "region was interpolated by nearest neighbour",
    ("extraction.interpolation.round_intensities", True): "linear interpolation and rounded",
    ("extraction.plane", "axial"): "Slices were axial.",
    ("extraction.symmetric", False): "each pair was counted one way",
    ("extraction.filters[log].boundary", "zero"): "continued by zeros",
    ("extraction.filters[log].zero_sum", False): "sampled as it was",
    ("model.agreement.use", "lower_bound"): "lower limit of its 95 % confidence interval exceeded",
    ("model.imputation.method", "median"): "replaced by the median",
    ("model.harmonisation.unseen", "refuse"): "without training cases was rejected",
    ("model.balance", "smote"): "by SMOTE",
    ("model.balance", "class_weight"): "weighted them inversely to the size of their class",
    ("model.screen.test", "student"): "by Student's t test",
    ("model.screen.adjustment", "holm"): "by Holm",
    ("model.correlation.rule", "upper_triangle"): "any feature before it in the table",
    ("model.correlation.rule", "caret_fast"): "caret, not exact",
    ("model.select.method", "none"): "were handed on, without selection",
    ("model.lasso.choice", "lambda.1se"): "largest within one standard error",
    ("model.lasso.measure", "class"): "misclassified share",
    ("model.n_features.rule", "one_se"): "smallest number whose mean",
    ("model.rfe.estimator", "none"): "without recursive elimination",
    ("model.classifier", "naive_bayes"): "The classifier was Gaussian naive Bayes",
    ("model.classifier", "gradient_boosting"): "100 gradient-boosted trees of depth 2",
    ("model.classifier", "elastic_net"): "Features without a coefficient were not in the model",
    ("model.fusion", "late"): "mean of these log-odds",
    ("model.calibration", "isotonic"): "by isotonic regression",
    ("search.selectors", ("lasso",)): "(LASSO) those with a coefficient",
    ("search.selectors", ("mrmr",)): "(mRMR) the first",
    ("search.selectors", ("relieff",)): "(ReliefF) the",
    ("search.selectors", ("stability",)): "(stability selection) by stability selection",
    ("search.selectors", ("univariate",)): "(univariate tests) the",
    ("search.selectors", ("none",)): "(no selection) all",
    ("search.classifiers", ("linear_svm",)): "(linear support vector machine) a linear",
    ("search.classifiers", ("rbf_svm",)): "(support vector machine with a radial kernel) a support",
    ("search.classifiers", ("logistic",)): "(logistic regression) a logistic",
    ("search.classifiers", ("ridge",)): "(ridge logistic regression) a logistic",
    ("search.classifiers", ("elastic_net",)): "(elastic net) the least absolute",
    ("search.classifiers", ("random_forest",)): "(random forest) a random forest",
    ("search.classifiers", ("extra_trees",)): "(extremely randomised trees) 200",
    ("search.classifiers", ("gradient_boosting",)): "(gradient-boosted trees) 100",
    ("search.classifiers", ("naive_bayes",)): "(naive Bayes) Gaussian",
    ("search.halving", False): "All models saw every fold",
    ("split.design", "leave_one_centre_out"): "left out in turn",
    ("split.design", "temporal"): "ordered by the first date",
    ("evaluation.cutoff.rule", "closest_topleft"): "nearest to a sensitivity and specificity of 1",
    ("evaluation.cutoff.ties", "most_specific"): "the most specific of equally good ones",
    ("evaluation.ablation", False): "source of information adds was not assessed",
    ("robustness.together", False): "applied alone",
    ("robustness.through_plane", True): "along rows, columns and slices",
    ("robustness.contour", "jitter"): "moved by a random field",
}
"""Words of some choices, written down here anew, so that no two can have changed places."""


@pytest.mark.parametrize(("path", "value"), WORDS)
def test_choices_between_names_have_their_own_words(
    results: StudyResults, path: str, value: Any
) -> None:
    leaf = next(leaf for leaf in LEAVES if leaf.path == path)
    words = WORDS[path, value]
    # The sparse model beside it has a LASSO of its own.
    alone = {"evaluation": {"ablation": False}} if path.startswith("model.lasso") else {}
    for other in values(leaf):
        text = text_of(results, changed(patched(results.protocol, alone), leaf, other))
        assert (words in text) == (other == value), other


IRRELEVANT: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "C, where nothing has it": (
        {"model": {"classifier": "ridge", "rfe": {"estimator": "none"}},
         "evaluation": {"ablation": False}},
        {"model": {"C": 7.0}},
    ),
    "features that only some selectors count": ({}, {"model": {"select": {"n_features": 7}}}),
    "LASSO, where there is none": (
        {"model": {"select": {"method": "mrmr"}}, "evaluation": {"ablation": False}},
        {"model": {"lasso": {"folds": 7}}},
    ),
    "classifier of the settings in a search": ({"search": {}}, {"model": {"classifier": "ridge"}}),
    "number of features in a search": ({"search": {}}, {"model": {"n_features": None}}),
    "survivors without halving": (
        {"search": {"halving": False}}, {"search": {"survivors": 7}}
    ),
    "neighbours of another imputation": ({}, {"model": {"imputation": {"neighbours": 7}}}),
    "batch without harmonisation": ({}, {"model": {"harmonisation": {"batch": "scanner"}}}),
    "fusion of one source": ({}, {"model": {"fusion": "stacked"}}),
    "target of Youden": ({}, {"evaluation": {"cutoff": {"target": 0.7}}}),
    "cost of Youden": ({}, {"evaluation": {"cutoff": {"cost_ratio": 7.0}}}),
    "folds of a split": ({}, {"split": {"folds": 7, "repeats": 7}}),
    "share of an external test": (
        {"split": {"design": "external", "test_values": ("B",)},
         "evaluation": {"leak_audit": {"splits": 0}}},
        {"split": {"train_fraction": 0.6}},
    ),
    "folds of the cut-off in a design of parts": (
        {"split": {"design": "nested_cv"}}, {"evaluation": {"cutoff_folds": 7}}
    ),
    "dependence without its family": (
        {"extraction": {"families": ("glcm",)}}, {"extraction": {"coarseness": 1}}
    ),
    "symmetry without co-occurrence": (
        {"extraction": {"families": ("glrlm",)}}, {"extraction": {"symmetric": False}}
    ),
    "distance of run lengths": (
        {"extraction": {"families": ("glrlm",)}}, {"extraction": {"distances": (2,)}}
    ),
    "no weighting, by name": ({}, {"extraction": {"weighting": "no_weighting"}}),
    "shift without energy": (
        {"extraction": {"families": ("glcm",)}}, {"extraction": {"energy_shift": 7.0}}
    ),
    "aggregation without textures": (
        {"extraction": {"families": ("statistics",)}},
        {"extraction": {"aggregations": ("3D_merged",)}},
    ),
    "plane of three dimensions": (
        {"extraction": {"aggregations": ("3D_merged",)}}, {"extraction": {"plane": "axial"}}
    ),
    "bins of shape": (
        {"extraction": {"families": ("morphology",)}},
        {"extraction": {"discretisation": {"bins": 16}}},
    ),
    "share of a nearest neighbour": (
        {"extraction": {"interpolation": {"in_plane": 1.0, "mask": "nearest"}}},
        {"extraction": {"interpolation": {"partial_volume": 0.7}}},
    ),
    "boundary without a spline": (
        {"extraction": {"interpolation": {"in_plane": 1.0}}},
        {"extraction": {"interpolation": {"boundary": "nearest"}}},
    ),
    "range of given landmarks": (
        {"preparation": {"normalisation": {"method": "nyul", "landmarks": tuple(range(11))}}},
        {"preparation": {"normalisation": {"range": (0.0, 7.0)}}},
    ),
    "jitter of supervoxels": ({"robustness": {}}, {"robustness": {"jitter_mm": 0.7}}),
    "turn without a kind for it": ({"robustness": {}}, {"robustness": {"rotation": 7.0}}),
    "mismatch of one sequence": ({}, {"images": {"on_sequence_mismatch": "resample"}}),
    "name and description": ({}, {"name": "Another", "description": "Of it."}),
}  # fmt: skip


@pytest.mark.parametrize("what", IRRELEVANT)
def test_a_choice_without_effect_is_not_told(results: StudyResults, what: str) -> None:
    company, change = IRRELEVANT[what]
    base = patched(results.protocol, company)
    assert patched(base, change) != base
    assert text_of(results, base) == text_of(results, patched(base, change))


def test_steps_are_told_in_the_order_in_which_they_run(results: StudyResults) -> None:
    protocol = patched(
        results.protocol,
        {
            "robustness": {},
            "model": {
                "imputation": {"method": "median"},
                "harmonisation": {"method": "combat"},
                "screen": {},
            },
        },
    )
    words = {
        "agreement": "The final model judged the agreement on",
        "robustness": "Agreement of the measurement with its perturbations",
        "imputation": "Missing values",
        "harmonisation": "ComBat",
        "constant": "constant over the training cases",
        "balance": "were balanced by",
        "scale": "z-scored by",
        "screen": "were screened",
        "correlation": "Redundant features",
        "select": "Features were selected",
        "rfe": "recursive elimination",
        "classifier": "The classifier was",
    }
    steps = [name for name, _ in build_steps(protocol.model, robustness=protocol.robustness.icc)]
    assert steps == list(words)
    paper, supplement = text_of(results, protocol).split("# Supplementary methods")
    at = [supplement.index(words[step]) for step in steps]
    assert at == sorted(at)
    listed = re.findall(r"The steps were, in this order: (.*)\.\n", paper)
    assert listed == [
        "a filter by agreement of the readers, a filter by robustness to perturbations, "
        "imputation, harmonisation (ComBat), removal of constant features, balancing of the "
        "classes (repeated cases), z-scoring, a univariate screen, a filter by correlation (|r| > "
        "0.99), selection (LASSO), recursive elimination and the classifier (linear support vector "
        "machine)"
    ]


def test_the_steps_of_the_paper_are_those_of_the_study(results: StudyResults, make: Make) -> None:
    """One reader agrees with nobody, and what a search decides on is not told before it."""
    patches = {"model": {"correlation": None, "balance": "class_weight"}, "search": {}}
    text = text_of(make(readers=("senior",)), patched(results.protocol, patches))
    assert (
        "The steps were, in this order: removal of constant features, z-scoring and what the "
        "search chose."
    ) in text


def test_every_step_has_a_few_words() -> None:
    every = Protocol.model_validate({"name": "x", "model": EVERYTHING["model"], "robustness": {}})
    steps = build_steps(every.model, robustness=every.robustness.icc)
    assert {name for name, _ in steps} == set(BRIEF)
    ways = set(literals(type(every.model).model_fields["balance"].annotation))
    assert set(BALANCED) == ways - {"none", "class_weight"}


# What is said of a run


def test_facts_of_a_small_study(results: StudyResults) -> None:
    text = text_of(results)
    scores, n = results.scores, len(results.table.obs)
    train = scores[scores["part"] == "train"]
    for fact in (
        f"{results.flow.start.cases} cases of {results.flow.start.patients} patients",
        "1 case could not be measured and was left out",
        f"{n} cases of {results.table.obs['patient'].nunique()} patients",
        f'those of 2 readers, "senior" ({n} cases) and "resident" ({n} cases)',
        "No bias field correction, normalisation of intensities or subtraction",
        "Images and regions were not resampled",
        "No re-segmentation of intensities was applied.",
        "32 bins of equal width",
        f"{len(results.table.features)} features per case and reader were analysed",
        "merged over directions and slices (2.5D_merged, IBSI ZW7Z)",
        "ICC(A,1) is of the form: two-way random effects, absolute agreement, single measurement; "
        "ICC(2,1)",
        "its value exceeded 0.75",
        f"60 features of {len(results.table.features)} candidates remained",
        "a linear support vector machine (C = 1)",
        "a logistic curve (Platt)",
        "70 % of the cases on the training side (seed 2024)",
        f"{len(train)} training cases of {train['patient'].nunique()} patients",
        "Bootstrap intervals are of 1000 samples of patients",
        "confidence intervals by DeLong's variance on the logit scale",
        "DeLong's variance was extended to several cases per patient by Obuchowski",
        "has the t distribution of one degree of freedom less than patients of the rarer class",
        "Wilson's intervals were on counts that were divided by the design effect of several cases "
        "per patient (Rao and Scott, Biometrics 1992;48:577-585)",
        "at most 10 % of the patients",
        "on permuted outcomes, 40 times.",
        "share of the assignments (seeds from 2025, each another one)",
        "10 splits by patient",
        "centrum 0.1.0 and Python 3.11",
        "The protocol states no deviations.",
    ):
        assert fact in text, fact


def test_simulated_patients_come_first(results: StudyResults) -> None:
    assert text_of(results).split("\n\n")[2].startswith("The patients of this study were simulated")
    assert "simulated" not in text_of(replace(results, simulated=""))


def test_headings_come_once_and_in_order(results: StudyResults) -> None:
    text = text_of(results)
    assert re.findall(r"^# (.+)$", text, re.MULTILINE) == ["Methods", "Supplementary methods"]
    parts = [re.findall(r"^## (.+)$", t, re.MULTILINE) for t in text.split("# Supplementary")]
    assert {*parts[0], *parts[1]} == set(SECTIONS)
    for found in parts:
        assert found == [heading for heading in SECTIONS if heading in found]


def test_no_sentence_stands_in_both_places(results: StudyResults) -> None:
    paragraphs = methods_text(results)
    for_paper, for_supplement = (
        {s for p in paragraphs if p.main == main for s in re.split(r"(?<=\.) (?=[A-Z])", p.text)}
        for main in (True, False)
    )
    assert for_paper
    assert not for_paper & for_supplement


EVERYTHING = {
    "preparation": {
        "subtract_air": True, "bias_field": {}, "normalisation": {"method": "percentile"},
        "region": ({"operation": "erode", "mm": 1.0}, {"operation": "fill_holes"}),
    },
    "extraction": {
        "families": tuple(FAMILIES), "filters": ({"filter": "wavelet"}, {"filter": "mean"}),
        "interpolation": {"in_plane": 0.6}, "resegmentation": {"sigma": 3.0},
    },
    "robustness": {},
    "morphometry": {},
    "model": {
        "imputation": {"method": "knn"}, "harmonisation": {"method": "combat"}, "clip": 2.0,
        "balance": "smote", "screen": {}, "covariates": ("age", "sex"),
    },
    "evaluation": {
        "reader_calls": ("first", "second"), "clinical": ("age", "sex"), "prevalence": 0.3,
    },
}  # fmt: skip

WAYS = (
    (1, {"model": {"fusion": "stacked"}}),
    (4, {"model": {"fusion": "stacked"}, "split": {"design": "nested_cv"}}),
    (4, {"search": {"selectors": ("lasso", "mrmr", "relieff", "stability", "univariate"),
                    "classifiers": ("linear_svm", "rbf_svm", "logistic", "random_forest")},
         "split": {"design": "nested_cv"}}),
)  # fmt: skip
"""How many parts, and what does not go with the rest in every case."""


@pytest.mark.parametrize(("n_parts", "way"), WAYS)
def test_the_methods_are_short_whatever_is_asked_for(
    make: Make, n_parts: int, way: Mapping[str, Any]
) -> None:
    """Nearly all that a protocol may ask for at once, drawn in a reading room."""
    protocol = patched(patched(Protocol(name="A study"), EVERYTHING), way)
    found = make(n_parts=n_parts)
    found = replace(found, readings=room_of(found.table.cases[:3]))
    assert "## Software" in text_of(found, protocol)


@pytest.mark.parametrize("name", presets())
def test_presets_have_a_text(results: StudyResults, name: str) -> None:
    protocol = load_preset(name)
    text = text_of(results, protocol)
    assert all(deviation in text for deviation in protocol.deviations)


def test_rules_of_eligibility_and_what_they_did(results: StudyResults) -> None:
    text = text_of(results)
    for exclusion in results.flow.exclusions:
        n = exclusion.excluded.cases
        assert exclusion.rule.name in text
        assert re.search(rf"{re.escape(exclusion.rule.expression)}\)[^;]*: {n} cases?", text)


def test_no_rule_is_told_as_none(make: Make) -> None:
    assert "No eligibility criterion was applied." in text_of(make(rules=()))


def test_primary_reader_is_the_first_of_the_table(make: Make) -> None:
    assert 'features of "resident", the primary reader' in text_of(
        make(readers=("resident", "senior"))
    )
    alone = text_of(make(readers=("resident",)))
    assert "agreement between readers was not assessed" in alone
    assert "intraclass" not in alone
    assert "were compared by Dice" not in alone


def test_perturbations(make: Make) -> None:
    settings = RobustnessSettings(kinds=("noise", "rotation"), together=False, repeats=2)
    text = text_of(make(perturbed=settings))
    assert "Each kind of perturbation was applied alone, 2 times." in text
    assert "turned about the normal of the slices by up to 6°" in text
    assert "grew or shrank" not in text


def test_tests_of_table_1_are_those_that_were_used(results: StudyResults) -> None:
    text = text_of(results)
    words = {
        "Welch t": "Welch's t test",
        "Mann-Whitney": "the Mann-Whitney test (exact",
        "Fisher exact": "Fisher's exact test",
        "Chi-square": "Pearson's chi-square",
    }
    used = {row.significance.test for row in results.population if row.significance}
    assert used < set(words)
    assert {test for test, word in words.items() if word in text} == used


def test_designs_of_several_parts_pool_and_have_cut_offs_of_their_own(make: Make) -> None:
    protocol = patched(Protocol(name="A study"), {"split": {"design": "nested_cv"}})
    text = text_of(make(n_parts=4), protocol)
    assert "The design had 4 parts" in text
    assert "Every part had a cut-off of its own" in text
    assert "training cases of" not in text.split("## Validation")[1].split("Out-of-fold")[0]


SETTINGS = (
    ExtractionSettings(),
    ExtractionSettings(aggregations=("2D_averaged", "2D_slice_merged", "3D_merged")),
    ExtractionSettings(families=tuple(FAMILIES), filters=[{"filter": "wavelet"}]),
    ExtractionSettings(
        dialect="pyradiomics", families=tuple(FAMILIES), filters=[{"filter": "LBP3D"}],
        aggregations=("3D_averaged",),
    ),
)  # fmt: skip


@pytest.mark.parametrize("further", [(), ("T2w", "T1w", "STIR")])
@pytest.mark.parametrize("settings", SETTINGS)
def test_numbers_of_features_add_up(
    results: StudyResults, settings: ExtractionSettings, further: tuple[str, ...]
) -> None:
    protocol = patched(
        results.protocol, {"extraction": settings.model_dump(), "images": {"sequences": further}}
    )
    text = text_of(results, protocol)
    sections = {
        name: sum(map(int, re.findall(r"\((\d+) features?\)", found[0])))
        for name, pattern in {
            "first": r"Of the image (.*?) were computed\.",
            "further": r"Of each further sequence (.*?) were computed\.",
            "maps": r"In the same voxels (.*?) were computed on each",
        }.items()
        if (found := re.findall(pattern, text))
    }
    maps = sum(len(chosen.names) for chosen in settings.filters)
    others = max(len(further) - 1, 0)
    total = sections["first"] + others * sections.get("further", 0)
    total += (1 + others) * maps * sections.get("maps", 0)
    assert total == len(plan_sequences(settings, further))


# What is not said


PLACEHOLDERS = {
    "setting, period and design of recruitment",
    "approval of the ethics committee and informed consent",
    "how the diagnosis was established",
    "scanner, field strength and parameters of the acquisition",
    "who drew the regions of interest, with which experience and software, blinded to what",
    "level of significance, and how the number of patients was decided",
    "whether the analysis was planned before the outcomes were known",
}


def test_placeholders_stand_alone_and_for_nothing_else(results: StudyResults) -> None:
    text = text_of(results)
    assert set(re.findall(r"\[Author: ([^\]]+)\]", text)) == PLACEHOLDERS
    alone = re.findall(r"(?:^|(?<=\. ))\[Author: [^\]]+\]\.(?= |$)", text, re.MULTILINE)
    assert len(alone) == len(PLACEHOLDERS)


def test_no_patient_is_named(make: Make) -> None:
    rule = EligibilityRule(name="withdrew consent", exclude="patient == 'secret-patient-2'")
    found = make(rules=(rule,))
    text = text_of(found)
    assert found.flow.exclusions[0].excluded.cases == 2
    assert "withdrew consent: 2 cases" in text
    assert "secret" not in text


def test_what_is_said_of_the_standard_is_what_the_readme_says() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for said in ("all 1804 consensus values of IBSI 1", "all 33", "323"):
        assert said in readme
        assert said in DIALECTS["ibsi"].told(None) + IBSI_FILTERS


def test_same_records_give_the_same_text(results: StudyResults) -> None:
    assert methods_text(results) == methods_text(replace(results))


def test_sources_are_told_with_their_tables(results: StudyResults) -> None:
    """How many features joined, of whose making; the total counts them, that of images does not."""
    read = {"files": 1, "format": "generic", "rows": 24, "matched": 24, "no_features": {}}
    steps = [Step("read table", {"source": "deep", "reader": None, "kept": [], **read})]
    steps += [Step("read table", {"source": "rating", "reader": r, "kept": [], **read})
              for r in ("senior", "resident")]  # fmt: skip
    n = len(results.table.features)
    further = (called("deep", "e0"), called("deep", "e1"), called("rating", "edge"))
    table = replace(
        results.table,
        values=np.concatenate([results.table.values, results.table.values[:, :3]], axis=1),
        features=(*results.table.features, *further),
        history=tuple(steps),
        elsewhere=("deep", "rating"),
        unread=("deep",),
    )
    text = text_of(replace(results, table=table))
    assert '2 features of the source "deep" from 1 table of no program' in text
    assert "the same for every reader and not part of their agreement" in text
    assert '1 feature of the source "rating" from 1 table of no program' in text
    assert 'as made by "senior" and from 1 table' in text
    assert f"{n} features per case and reader were analysed" in text
    assert f"In all, {n + 3} features per case and reader were analysed." in text
    assert "Features made elsewhere" not in text_of(results)


def test_a_study_of_tables_says_nothing_of_images(results: StudyResults) -> None:
    settings = Protocol.model_validate(
        {"name": "x", "tables": [{"file": "a.csv", "reader": "senior"}, {"file": "b.csv"}]}
    )
    steps = [
        Step("read table", {"reader": "senior", "files": 1, "format": "slicer", "rows": 24,
                            "matched": 24, "no_features": {}, "kept": []}),
        Step("read table", {"reader": "resident", "files": 3, "format": "pyradiomics", "rows": 9,
                            "matched": 8, "no_features": {"No.": "a running number"},
                            "kept": ["slices"]}),
    ]  # fmt: skip
    table = replace(results.table, history=tuple(steps))
    text = text_of(replace(results, table=table), settings)
    assert 'of "senior" from 1 table of the radiomics extension of 3D Slicer' in text
    assert 'of "resident" from 3 tables of PyRadiomics' in text
    assert "PyRadiomics (8 of 9 rows matched by id with a case of the manifest)" in text
    assert 'Columns that hold no features were left out: "No." (a running number).' in text
    assert 'Kept as features at the investigators\' word: "slices".' in text
    assert "## Image preparation" not in text
    for said in ("bias field", "interpolated", "discretised into", "IBSI K15C", "A mask"):
        assert said not in text, said
    assert "[Author: software, version and all settings" in text
    assert "## Image preparation" in text_of(results)
