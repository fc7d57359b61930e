"""What is printed of results: its numbers are those of the result."""

from types import SimpleNamespace

from centrum.commands.console import internal_lines


def part(name: str, auc: float | None, error: str = "") -> dict[str, object]:
    return {"name": name, "auc": auc, "error": error}


def test_an_internal_validation_shows_the_mean_over_the_parts_that_have_an_area() -> None:
    validation = SimpleNamespace(
        parts=[part("fold 1", 0.9), part("fold 2", 0.6), part("fold 3", None, "too few cases")],
        ablation={"volume": [part("fold 1", 0.5)]},
        permutation=SimpleNamespace(telling=True, values=[0.4, 0.5, 0.45], p=0.25),
    )
    assert list(internal_lines(validation)) == [
        "failed: fold 3: too few cases",
        "the model              AUC 0.750 over 2 parts",
        "volume                 AUC 0.500 over 1 part",
        "permuted outcomes      AUC 0.450 over 3 permutations, P = .25",
    ]
