"""Sizes of a study that is to begin: what is asked is answered, and nothing else."""

import json

import pytest

from centrum.commands.console import json_text
from centrum.commands.size import SizeChoices, sizes
from centrum.errors import DataError

MODEL = {"prevalence": 0.5, "auc": 0.85}


def test_only_what_is_asked_is_answered():
    readers = sizes(SizeChoices(icc=0.8))
    assert (readers.development, readers.validation, readers.agreement) == (None, None, 55)
    elsewhere = sizes(SizeChoices(**MODEL))
    assert elsewhere.development is None
    assert elsewhere.agreement is None
    assert elsewhere.validation is not None
    whole = sizes(SizeChoices(**MODEL, parameters=10, icc=0.8))
    assert whole.development is not None
    assert whole.development.n == 385


def test_widths_are_those_of_their_measures():
    asked = SizeChoices(**MODEL, threshold=0.3, oe_width=0.3, slope_width=0.4, auc_width=0.15,
                        benefit_width=0.25)  # fmt: skip
    found = sizes(asked).validation
    assert found is not None
    assert {k.measure: k.width for k in found.criteria} == {
        "O/E": 0.3, "calibration slope": 0.4, "C statistic": 0.15, "standardised net benefit": 0.25,
    }  # fmt: skip


def test_the_text_holds_every_number_of_the_json():
    found = sizes(SizeChoices(**MODEL, parameters=12, threshold=0.2, icc=0.9, readers=3))
    record = json.loads(json_text(found))
    text = " ".join(record["text"])
    numbers = [k["n"] for part in ("development", "validation") for k in record[part]["criteria"]]
    for n in (record["development"]["n"], record["validation"]["n"], record["agreement"], *numbers):
        assert str(n) in text
    assert "\n".join(found.lines(70)).count("threshold of 0.2") == 1
    assert max(map(len, found.lines(70))) <= 70


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "Nothing is asked for"),
        ({"prevalence": 0.5}, "--prevalence and --auc together"),
        ({"parameters": 5, "icc": 0.8}, "--parameters needs"),
        ({**MODEL, "parameters": 0}, "at least one candidate"),
        ({**MODEL, "parameters": 5, "shrinkage": 1.0}, "shrinkage must lie"),
    ],
)
def test_what_cannot_be_answered_is_refused(asked, message):
    with pytest.raises(DataError, match=message):
        sizes(SizeChoices(**asked))
