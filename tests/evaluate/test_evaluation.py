"""One evaluation holds together, repeats itself and travels as JSON."""

import json

import numpy as np
import pytest
from scipy.stats import norm

from centrum.errors import DataError
from centrum.evaluate import MEASURES, CutOff, Scored, evaluate, youden_cutoff
from centrum.evaluate.clustered import decision_intervals
from centrum.evaluate.discrimination import auc_interval
from centrum.records import as_json

RNG = np.random.default_rng(11)
OUTCOME = np.arange(60) % 2
SCORES = RNG.normal(size=60) + 1.5 * OUTCOME
PATIENTS = np.arange(60) // 4
GIVEN = CutOff(0.75, "given", "published score")


def run(scores=SCORES, outcome=OUTCOME, groups=None, cutoff=GIVEN, **options):
    return evaluate(scores, outcome, groups, cutoff, **{"name": "test", "seed": 1, **options})


def test_all_parts_speak_of_the_same_cases():
    found = run(groups=PATIENTS)
    assert (found.n, found.n_positive, found.n_negative, found.n_patients) == (60, 30, 30, 15)
    counts = found.confusion
    assert counts.tp + counts.fp + counts.tn + counts.fn == 60
    assert list(found.measures) == list(MEASURES)
    assert found.measures["sensitivity"].value == counts.tp / 30
    area = found.auc
    assert area.interval == auc_interval(Scored.of(SCORES, OUTCOME, PATIENTS))
    decided = decision_intervals(Scored.of(SCORES, OUTCOME, PATIENTS), GIVEN.value, 0.95, "wilson")
    assert {name: m.interval for name, m in found.measures.items()} == decided
    for interval in (area.interval, area.delong, area.percentile, area.normal):
        assert interval.lower < found.auc.value < interval.upper
    for measure in found.measures.values():
        assert measure.interval.lower < measure.value < measure.interval.upper
        assert measure.bootstrap.lower < measure.value < measure.bootstrap.upper
    assert found.auc.p < 0.005


def test_the_cutoff_stays_what_it_was_and_its_origin_shows():
    scored = Scored.of(SCORES, OUTCOME)
    own = run(cutoff=youden_cutoff(scored, "test"))
    assert own.optimistic
    assert own.cutoff.learnt_on == "test"
    other = youden_cutoff(Scored.of(SCORES[:40], OUTCOME[:40]), "training, out of fold")
    assert not run(SCORES[40:], OUTCOME[40:], cutoff=other).optimistic
    assert not run().optimistic


def test_apparent_results_have_no_interval_and_no_p():
    found, same = run(groups=PATIENTS, apparent=True), run(groups=PATIENTS)
    assert found.auc.value == same.auc.value
    assert found.confusion == same.confusion
    record = as_json(found)
    assert (record["apparent"], record["auc"].pop("p")) == (True, None)
    del record["auc"]["value"]
    assert all(v == {"lower": None, "upper": None} for v in record["auc"].values())
    for name, measure in found.measures.items():
        assert measure.value == same.measures[name].value
        assert np.isnan([measure.interval.lower, measure.interval.upper]).all()
        assert np.isnan([measure.bootstrap.lower, measure.bootstrap.upper]).all()


def test_the_same_seed_gives_the_same_bytes():
    first, again, other = (run(seed=s) for s in (1, 1, 2))
    assert json.dumps(as_json(first)) == json.dumps(as_json(again))
    assert first.auc.normal != other.auc.normal
    assert first.auc.delong == other.auc.delong


def test_normal_and_delong_intervals_agree_in_a_large_sample():
    outcome = np.arange(2000) % 2
    found = run(np.random.default_rng(3).normal(size=2000) + outcome, outcome)
    assert found.auc.value == pytest.approx(norm.cdf(1 / np.sqrt(2)), abs=0.03)
    assert found.auc.normal.lower == pytest.approx(found.auc.delong.lower, abs=0.002)
    assert found.auc.percentile.upper == pytest.approx(found.auc.delong.upper, abs=0.003)


def test_more_confidence_makes_every_interval_wider():
    wide, narrow = run(confidence=0.99), run(confidence=0.8)
    pairs = [(wide.auc.delong, narrow.auc.delong), (wide.auc.percentile, narrow.auc.percentile)]
    pairs += [
        (getattr(wide.measures[name], kind), getattr(narrow.measures[name], kind))
        for name in MEASURES
        for kind in ("interval", "bootstrap")
    ]
    assert all(w.lower < n.lower and w.upper > n.upper for w, n in pairs)


def test_json_has_no_nan_and_no_infinity():
    found = as_json(run(cutoff=CutOff(-np.inf, "given", "everything positive")))
    text = json.dumps(found, allow_nan=False)
    back = json.loads(text)
    assert back["measures"]["npv"]["value"] is None
    assert float(back["cutoff"]["value"]) == -np.inf
    assert float(back["roc"]["thresholds"][0]) == -np.inf
    assert back["confusion"] == {"tp": 30, "fp": 30, "tn": 0, "fn": 0}
    assert back["auc"]["delong"].keys() == {"lower", "upper"}


def test_the_smallest_possible_test_set_still_gives_an_answer():
    found = run([0.1, 0.9], [0, 1], cutoff=CutOff(0.5, "given", ""))
    assert found.auc.value == 1
    assert np.isnan(found.auc.delong.lower)
    json.dumps(as_json(found), allow_nan=False)


@pytest.mark.parametrize(
    ("scores", "outcome", "message"),
    [
        (SCORES, np.ones(60), "both outcomes"),
        (np.where(np.arange(60) == 3, np.nan, SCORES), OUTCOME, "1 of 60 are not"),
        (SCORES[:-1], OUTCOME, "one value per case"),
    ],
)
def test_bad_input_is_refused(scores, outcome, message):
    with pytest.raises(DataError, match=message):
        run(scores, outcome)
