"""A difference beside its two values agrees with them as they are printed."""

import re
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

from centrum.evaluate.bootstrap import Interval
from centrum.evaluate.comparison import AucDifference
from centrum.manuscript import results_added_value, results_external, results_validation
from centrum.report import readings
from centrum.report.blocks import Estimate
from centrum.report.other_readers import found_text
from centrum.report.sections import added_value, sparse_model
from centrum.text import MOST_DECIMALS, agreeing, fixed
from centrum.validation.added_value import CLINICAL, COMBINED, SCORE

NUMBER = re.compile(r"−?\d\.\d+")

areas = st.integers(0, 1872).map(lambda pairs: pairs / 1872)
"""Of 39 and 48 cases: thirds are among them."""


def told(text: str) -> list[Decimal]:
    return [Decimal(number.replace("−", "-")) for number in NUMBER.findall(text)]


def gap(first: float, second: float) -> AucDifference:
    return AucDifference(
        first, second, first - second, Interval(-0.5, 0.5), 1.0, 0.04, float("inf")
    )


@given(areas, areas)
def test_three_numbers_agree_as_they_are_printed(first: float, second: float) -> None:
    digits, (gap,) = agreeing((first, second))
    a, b, d = (told(fixed(x, digits))[0] for x in (first, second, gap))
    assert a - b == d
    assert 2 <= digits <= MOST_DECIMALS
    assert abs(gap - (first - second)) < 10.0**-MOST_DECIMALS


def test_no_more_decimals_than_are_needed() -> None:
    assert agreeing((0.89, 0.853)) == (2, [pytest.approx(0.037)])
    assert agreeing((0.8957, 0.8947))[0] == 3
    assert agreeing((0.89, 0.853), (0.8957, 0.8947))[0] == 3


def other_reader(first: float, second: float) -> Any:
    half = Interval(0.4, 0.6)
    return SimpleNamespace(
        name="R2", primary=SimpleNamespace(reader="R1"), difference=gap(first, second),
        changed=1, cases=range(9), icc=0.5, icc_interval=half,
        kappa=SimpleNamespace(value=0.5, interval=half),
    )  # fmt: skip


def added(both: float, clinical: float) -> Any:
    values = {CLINICAL: clinical, SCORE: (both + clinical) / 2, COMBINED: both}
    return SimpleNamespace(
        variables=("age",),
        areas={k: SimpleNamespace(value=v, interval=Interval(0.1, 0.9)) for k, v in values.items()},
        differences={f"{COMBINED} - {name}": gap(both, values[name]) for name in (CLINICAL, SCORE)},
        test=SimpleNamespace(p=0.2, by_patient=False, penalised=False),
    )


@given(areas, areas)
def test_sentences_of_the_report(first: float, second: float) -> None:
    a, b, d, *_ = told(found_text(other_reader(first, second)))
    assert a - b == d
    text = readings.parts({"model": np.array([first]), "volume": np.array([second])})
    a, b, *gap = told(text)
    assert [abs(a - b)] == gap or ("as much" in text and a == b)
    clinical, _, both, d, *_ = told(added_value.added_text(added(first, second)))
    assert both - clinical == d


PROTOCOL = SimpleNamespace(
    evaluation=SimpleNamespace(confidence=0.95),
    model=SimpleNamespace(agreement=SimpleNamespace(form="ICC(2,1)", use="value")),
)


@given(areas, areas)
def test_sentences_of_the_paper(first: float, second: float) -> None:
    found = SimpleNamespace(other_readers=[other_reader(first, second)], added=added(first, second))
    results: Any = SimpleNamespace(protocol=PROTOCOL, evaluation=found)
    a, b, d, *_ = told(results_validation.other_readers(results))
    assert a - b == d
    text = results_added_value.added_value(results)
    clinical, score, both = (told(f)[0] for f in re.findall(r"\d\.\d+ \(95", text)[:3])
    more, beyond = (told(f)[0] for f in re.findall(r"by (−?\d\.\d+) \(", text))
    assert (both - clinical, both - score) == (more, beyond)


@given(areas, areas)
def test_the_loss_of_the_sparse_model(few: float, whole: float) -> None:
    records = {True: [{"auc": few}], False: [{"auc": whole}]}
    results: Any = SimpleNamespace(
        protocol=PROTOCOL,
        validation=SimpleNamespace(sparse=records[True], parts=records[False]),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sparse_model, "mean_features", lambda found: "1")
        patch.setattr(
            sparse_model, "against_model",
            lambda results, found: (
                Estimate(found[0]["auc"], 0.1, 0.9),
                Estimate(found[0]["auc"] - whole, -0.2, 0.2), 0.3,
            ),
        )  # fmt: skip
        text = sparse_model.lost_text(results)
    assert text.startswith("The sparse model reads 1 feature, the model 1;")
    a, b, *_ = told(text)
    lost = re.search(r"(\d\.\d+) is lost", text)
    assert (b - a if b > a else None) == (Decimal(lost[1]) if lost and b > a else None)


@given(areas, areas)
def test_the_external_auc_beside_the_internal_one(outside: float, inside: float) -> None:
    def estimate(value: float) -> Estimate:
        return Estimate(value, 0.1, 0.9)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(results_external, "comparable", lambda *_: True)
        patch.setattr(results_external, "headline_auc", lambda _: estimate(inside))
        patch.setattr(
            results_external, "area_text", lambda _, digits: f"{fixed(inside, digits)} (CI)"
        )
        area = SimpleNamespace(value=outside, interval=Interval(0.1, 0.9))
        found: Any = SimpleNamespace(evaluation=SimpleNamespace(auc=area, confidence=0.95))
        text = results_external._discrimination(SimpleNamespace(), found)  # type: ignore[arg-type]
    a = told(text)[0]
    d, b = told(re.search(r"(\S+) (?:lower|higher) than the internal one of (\S+)", text)[0])
    assert abs(a - b) == d
