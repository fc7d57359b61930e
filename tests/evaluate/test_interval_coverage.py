"""The page on the coverage of the AUC's interval is about the interval of the product."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from centrum.evaluate import Scored
from centrum.evaluate.discrimination import auc, auc_interval, auc_limits, delong_variance

SOURCE = Path(__file__).parents[2] / "benchmarks" / "interval_coverage.py"


@pytest.fixture(scope="module")
def study() -> ModuleType:
    spec = importlib.util.spec_from_file_location("interval_coverage", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("clustered", [False, True])
def test_studies_that_are_computed_together_have_the_product_s_interval(
    study: ModuleType, clustered: bool
) -> None:
    rng, patients = np.random.default_rng(3), 12
    cases = [study.drawn(rng, patients, mean, clustered) for mean in (1.5, 0.0)]
    areas, variances = study.area_and_variance(*cases)
    limits = auc_limits(areas, variances, patients, 0.95, clustered)
    for k in range(20):
        there = [c.there[k] for c in cases]
        scores = np.concatenate([c.scores[k][t] for c, t in zip(cases, there, strict=True)])
        owners = np.concatenate([np.nonzero(t)[0] + i * 99 for i, t in enumerate(there)])
        scored = Scored.of(scores, owners < 99, owners)
        assert areas[k] == pytest.approx(auc(scored))
        assert variances[k] == pytest.approx(delong_variance(scored))
        found = auc_interval(scored)
        assert (found.lower, found.upper) == pytest.approx([limit[k] for limit in limits])


def test_the_true_auc_is_the_one_that_is_said(study: ModuleType) -> None:
    row = study.row_of(clustered=True, patients=50, true=0.9)
    assert row.above + row.below + row.reported == pytest.approx(1)
    assert abs(row.above - row.below) < 0.02


def test_the_page_has_what_the_study_gives_and_no_row_is_too_low(study: ModuleType) -> None:
    text = study.PAGE.read_text(encoding="utf-8")
    row = study.row_of(clustered=False, patients=15, true=0.97)
    assert study.page([row]).splitlines()[-1] in text.splitlines()
    assert row.reported >= study.acceptable() > row.plain
    assert "(too low)" not in text
    assert "(too low)" in study.page([study.Row(False, 15, 0.9, 0.9, 0.1, 0, 0.2, 0, 0.8)])
