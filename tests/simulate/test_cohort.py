"""Who is in the phantom cohort."""

from collections import Counter
from dataclasses import astuple
from functools import cache

import numpy as np
import pytest

from centrum.errors import ProtocolError
from centrum.simulate import PhantomSettings, SimulatedPatient, plan_cohort
from centrum.simulate.cohort import MALIGNANT, OSTEOPOROTIC


def of(patients: tuple[SimulatedPatient, ...], outcome: str) -> list[SimulatedPatient]:
    return [p for p in patients if p.person.outcome == outcome]


def test_table_1_of_the_study() -> None:
    patients = plan_cohort(PhantomSettings())
    malignant, osteoporotic = of(patients, MALIGNANT), of(patients, OSTEOPOROTIC)
    regions = [Counter(p.level.region for p in group) for group in (malignant, osteoporotic)]
    sexes = [Counter(p.person.sex for p in group) for group in (malignant, osteoporotic)]
    assert regions[0] == {"cervical": 3, "thoracic": 20, "lumbar": 28}
    assert regions[1] == {"thoracic": 23, "lumbar": 26}
    assert sexes == [{"M": 31, "F": 20}, {"M": 19, "F": 30}]
    assert Counter(p.person.tumour for p in malignant) == {
        "lymphoma": 4,
        "myeloma": 4,
        "metastasis": 43,
    }
    assert {p.person.tumour for p in osteoporotic} == {""}


@pytest.mark.parametrize(
    ("outcome", "mean", "least", "greatest"),
    [(MALIGNANT, 69.4, 46, 90), (OSTEOPOROTIC, 70.9, 58, 89)],
)
def test_ages_of_the_study(outcome: str, mean: float, least: int, greatest: int) -> None:
    ages = [p.person.age for p in of(plan_cohort(PhantomSettings(seed=9)), outcome)]
    assert (round(np.mean(ages), 1), min(ages), max(ages)) == (mean, least, greatest)


def test_scaled_cohort_keeps_proportions() -> None:
    patients = plan_cohort(PhantomSettings(n_malignant=510, n_osteoporotic=98))
    regions = Counter(p.level.region for p in of(patients, MALIGNANT))
    assert regions == {"cervical": 30, "thoracic": 200, "lumbar": 280}
    assert len(of(patients, OSTEOPOROTIC)) == 98


def test_same_seed_same_plan() -> None:
    assert plan_cohort(PhantomSettings()) == plan_cohort(PhantomSettings())
    assert plan_cohort(PhantomSettings()) != plan_cohort(PhantomSettings(seed=2))


@cache
def planned(cue: float) -> tuple[SimulatedPatient, ...]:
    return plan_cohort(PhantomSettings(n_malignant=1200, n_osteoporotic=1200, cue=cue))


def gap(cue: float, sign: str) -> float:
    """Difference of the mean of a sign between the outcomes."""
    patients = planned(cue)
    measures = {
        "edge": lambda p: p.lesion.edge_mm,
        "variation": lambda p: p.lesion.variation,
        "full": lambda p: p.lesion.pattern == "full",
        "none": lambda p: -(p.lesion.pattern == "none"),
        "impaction": lambda p: -(p.lesion.impaction_mm > 0),
        "fluid": lambda p: -(p.lesion.fluid_mm > 0),
        "bulge": lambda p: p.fracture.bulge_mm > 0,
        "corner": lambda p: -(p.fracture.corner_mm > 0),
    }
    malignant, osteoporotic = (
        np.mean([float(measures[sign](p)) for p in of(patients, outcome)])
        for outcome in (MALIGNANT, OSTEOPOROTIC)
    )
    return float(malignant - osteoporotic)


@pytest.mark.parametrize(
    "sign", ["edge", "variation", "full", "none", "impaction", "fluid", "bulge", "corner"]
)
def test_cue_moves_every_sign(sign: str) -> None:
    assert gap(0.0, sign) < gap(0.5, sign) < gap(1.0, sign)


@pytest.mark.parametrize(
    "sign", ["edge", "variation", "full", "none", "impaction", "fluid", "corner"]
)
def test_without_cue_the_marrow_tells_nothing(sign: str) -> None:
    scale = max(gap(1.0, sign), 1e-9)
    assert abs(gap(0.0, sign)) < 0.2 * scale


@pytest.mark.parametrize(("cue", "share"), [(0.0, 0.5), (0.7, 0.0723), (1.0, 0.03)])
@pytest.mark.parametrize(("sign", "middle"), [("variation", 0.085), ("edge_mm", 1.4)])
def test_a_sign_misleads_in_single_patients(
    sign: str, middle: float, cue: float, share: float
) -> None:
    """By geometric middles of what the two outcomes show: .03 and .24, .4 and 5 mm."""
    high = {
        outcome: np.mean([getattr(p.lesion, sign) > middle for p in of(planned(cue), outcome)])
        for outcome in (MALIGNANT, OSTEOPOROTIC)
    }
    expected = pytest.approx(share, abs=3.5 * np.sqrt(share * (1 - share) / 1200))
    assert 1 - high[MALIGNANT] == expected
    assert high[OSTEOPOROTIC] == expected


def test_null_permutes_persons_not_images() -> None:
    settings = {"n_malignant": 200, "n_osteoporotic": 200, "cue": 1.0}
    real = plan_cohort(PhantomSettings(**settings))
    null = plan_cohort(PhantomSettings(**settings, null=True))
    assert [astuple(p.lesion) for p in null] == [astuple(p.lesion) for p in real]
    assert Counter(p.person for p in null) == Counter(p.person for p in real)
    malignant, osteoporotic = (
        np.mean([p.lesion.pattern == "full" for p in of(null, outcome)])
        for outcome in (MALIGNANT, OSTEOPOROTIC)
    )
    assert abs(malignant - osteoporotic) < 0.15


@pytest.mark.parametrize(
    "wrong", [{"cue": 1.5}, {"centre": "C"}, {"n_malignant": -1}, {"field_mm": (10.0, 10.0)}]
)
def test_refuses_settings_out_of_range(wrong: dict) -> None:
    with pytest.raises(ProtocolError, match=next(iter(wrong))):
        PhantomSettings(**wrong)
