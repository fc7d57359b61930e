"""Bad scores are refused with what was wanted and what was found."""

import numpy as np
import pytest

from centrum.errors import DataError
from centrum.evaluate import Scored


@pytest.mark.parametrize(
    ("scores", "outcome", "groups", "message"),
    [
        ([1, 2, 3], [0, 1], None, r"one value per case, found the shapes \(3,\), \(2,\)"),
        ([1, 2], [0, 1], ["a"], "one value per case"),
        ([[1, 2]], [[0, 1]], None, "one value per case"),
        ([1, np.nan, np.inf], [0, 1, 1], None, "2 of 3 are not .first at position 1"),
        ([1, 2], [1, 1], None, r"both outcomes, found 2 cases, all positive"),
        ([], [], None, "both outcomes, found 0 cases"),
        ([1, 2], [1, 2], None, r"0 .negative. or 1 .positive., found \[1, 2\]"),
        ([1, 2], ["OPF", "MPF"], None, "found .'MPF', 'OPF'."),
        ([1, 2], [0, 1], ["a", None], "1 have none"),
    ],
)
def test_bad_input_is_refused(scores, outcome, groups, message):
    with pytest.raises(DataError, match=message):
        Scored.of(scores, outcome, groups)


def test_patients_may_have_any_names():
    scored = Scored.of([1, 2, 3], [0, 1, 1], ["P7", "P2", "P7"])
    assert scored.patients.tolist() == [0, 1, 0]
    assert scored.n_patients == 2
    assert scored.patient_strata().tolist() == [3, 2]


def test_digest_names_the_scores_whatever_their_order():
    a = Scored.of([1, 2, 3], [0, 1, 1])
    assert a.digest == Scored.of([3, 1, 2], [1, 0, 1]).digest
    assert a.digest != Scored.of([1, 2, 3], [0, 1, 0]).digest
    assert a.digest != Scored.of([1, 2, 4], [0, 1, 1]).digest
