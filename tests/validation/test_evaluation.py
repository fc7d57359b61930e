"""The held-out cases of a study: what each is judged by."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from centrum.validation.evaluation import _test_side

SCORES = pd.DataFrame(
    {"outcome": ["a", "b", "a", "b"], "patient": [*"1234"], "part": ["train", *["test"] * 3]},
    index=[*"wxyz"],
)


def test_cases_of_several_parts_are_called_by_half_of_them_or_more() -> None:
    """One that no part has tested is left out."""
    tested = pd.DataFrame(
        {
            "times": [2, 0, 4, 3],
            "probability": [0.5, np.nan, 0.7, 0.2],
            "called": [0.5, np.nan, 0.75, 1 / 3],
            "set": ["both", None, "b", "a"],
        },
        index=SCORES.index,
    )
    side = _test_side(SCORES, SimpleNamespace(), tested)
    assert side.cases.index.tolist() == ["w", "y", "z"]
    assert side.called.tolist() == [True, True, False]
    assert side.probability.tolist() == [0.5, 0.7, 0.2]
    assert side.sets == ("both", "b", "a")
