"""What is printed of results: its numbers are those of the result."""

from types import SimpleNamespace

from centrum.commands.console import evaluation_lines, internal_lines
from centrum.evaluate import CutOff, evaluate
from centrum.records import as_json


def part(name: str, auc: float | None, error: str = "") -> dict[str, object]:
    return {"name": name, "auc": auc, "error": error}


def test_an_internal_validation_shows_the_mean_over_the_parts_that_have_an_area() -> None:
    validation = SimpleNamespace(
        parts=[part("fold 1", 0.9), part("fold 2", 0.6), part("fold 3", None, "too few cases")],
        ablation={"volume": [part("fold 1", 0.5)]},
        sparse=[part("fold 1", 0.8)],
        permutation=SimpleNamespace(telling=True, values=[0.4, 0.5, 0.45], p=0.25),
    )
    assert list(internal_lines(validation)) == [
        "failed: fold 3: too few cases",
        "the model              AUC 0.750 over 2 parts",
        "volume                 AUC 0.500 over 1 part",
        "the sparse model       AUC 0.800 over 1 part",
        "permuted outcomes      AUC 0.450 over 3 permutations, P = .25",
    ]


def test_an_evaluation_is_shown_with_the_interval_that_is_reported_and_apparent_without() -> None:
    scores, outcome = [0.1, 0.2, 0.3, 0.6, 0.4, 0.7, 0.8, 0.9], [0, 0, 0, 0, 1, 1, 1, 1]
    found = {
        key: evaluate(scores, outcome, None, CutOff(0.5, "given", ""), name=name, seed=1,
                      n_resamples=10, apparent=name == "train")
        for key, name in (("train", "train"), ("test", "pooled"))
    }  # fmt: skip
    limits = found["test"].auc.interval
    assert list(evaluation_lines(simulated=False, evaluations=as_json(found))) == [
        "training (apparent)    n    8  AUC 0.938  sensitivity 0.750  specificity 0.750",
        f"test, pooled           n    8  AUC 0.938 ({limits.lower:.3f}-{limits.upper:.3f})  "
        "sensitivity 0.750  specificity 0.750",
    ]


def test_of_several_parts_the_mean_comes_last() -> None:
    mean = {"mean": 0.8126, "n": 10, "interval": {"lower": 0.7, "upper": 0.9}}
    assert list(evaluation_lines(simulated=False, evaluations={}, over_parts=mean)) == [
        "test, mean over parts  10 parts  AUC 0.813 (0.700-0.900)"
    ]
