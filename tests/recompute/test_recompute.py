"""What a study reports is what other programs make of its tables.

`recompute.py` computes every number anew with numpy, scipy and scikit-learn and is run each time.
What R and statsmodels give was typed into r.json and statsmodels.json, with their versions; where
they are installed they are run, too.
"""

import ast
import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from centrum.commands import begin, study as verbs
from centrum.commands.demo import SMALL
from centrum.simulate import PhantomSettings
from centrum.study.study import open_study
from tests.recompute.cohort import write_study
from tests.recompute.recompute import over_parts, recompute, worse
from tests.recompute.reported import reported

HERE = Path(__file__).parent

STUDIES = {"clustered": {}, "alone": {"alone": True}}
"""Patients with several cases, and each patient with one."""

TYPED = {name: json.loads((HERE / f"{name}.json").read_text()) for name in ("r", "statsmodels")}

ELSEWHERE = {
    "r": ("Rscript", "by_r.R"),
    "statsmodels": (sys.executable, "by_statsmodels.py"),
}

ASKED = 1e-6
"""Relative difference from which on numbers differ. Programs end their iterations elsewhere."""


@pytest.fixture(scope="module", params=list(STUDIES))
def study(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that was run, of several cases per patient or one."""
    folder = tmp_path_factory.mktemp("computed") / request.param
    write_study(folder, **STUDIES[request.param])
    verbs.run(open_study(folder))
    return folder


def test_nothing_of_the_package_is_used() -> None:
    for script in ("recompute.py", "by_statsmodels.py"):
        tree = ast.parse((HERE / script).read_text())
        froms = [n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
        names = [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
        assert not [m for m in (*froms, *names) if str(m).startswith("centrum")]
    assert "centrum" not in (HERE / "by_r.R").read_text()


def test_every_number_is_computed_again(study: Path) -> None:
    found, told = recompute(study), reported(study)
    assert found.pop("uphill, largest") < 1e-3, "the weights are not those of the elastic net"
    assert set(found) == set(told)
    assert len(found) > 400
    assert worse(found, told, ASKED) == []


@pytest.mark.parametrize("program", list(TYPED))
def test_typed_results_of_other_programs(study: Path, program: str) -> None:
    numbers, told = dict(TYPED[program][study.name]), reported(study)
    normal = {name: numbers.pop(name) for name in list(numbers) if name.startswith("normal ")}
    assert set(numbers) <= set(told)
    assert len(numbers) > 40
    assert worse(numbers, told, ASKED) == []
    # Lilliefors' test decides how age is described, and by which test it is compared.
    rows = pd.read_csv(study / "results/tables/population.csv").set_index("Characteristic")
    if normal:
        expected = "Welch t" if min(normal.values()) >= 0.05 else "Mann-Whitney"
        assert rows.loc["Age (years)", "Test"] == expected


@pytest.mark.parametrize("program", list(ELSEWHERE))
def test_other_programs_where_they_are(study: Path, program: str) -> None:
    runner, script = ELSEWHERE[program]
    if not _installed(program):
        pytest.skip(f"{program} or one of its packages is not installed: its results are typed")
    done = subprocess.run(
        [runner, str(HERE / script), str(study)], capture_output=True, text=True, check=True
    )
    numbers = json.loads(done.stdout[done.stdout.index("{") :])["numbers"]
    assert worse(TYPED[program][study.name], numbers, ASKED) == []
    assert set(TYPED[program][study.name]) == set(numbers)


def _installed(program: str) -> bool:
    versions = TYPED[program]["versions"]
    if program != "r":
        return all(importlib.util.find_spec(name) for name in versions)
    if not shutil.which("Rscript"):
        return False
    wanted = ", ".join(f"'{name}'" for name in (*versions, "jsonlite"))
    asked = f"stopifnot(all(sapply(c({wanted}), requireNamespace, quietly = TRUE)))"
    return subprocess.run(["Rscript", "-e", asked], capture_output=True).returncode == 0


def test_reclassification_is_not_told(study: Path) -> None:
    """Net reclassification rewards models that are badly calibrated (Pepe et al. 2015)."""
    written = [p for p in (study / "results").rglob("*") if p.suffix in (".csv", ".json", ".html")]
    text = " ".join(p.read_text(encoding="utf-8") for p in written)
    assert "eclassification" not in text.replace("classification instability", "")
    assert "NRI" not in text


@pytest.mark.parametrize("part", ["score", "probability", "called"])
def test_predictions_are_those_that_are_evaluated(study: Path, part: str) -> None:
    """Every measure of the test cases follows from predictions.csv and the outcomes."""
    predictions = pd.read_csv(study / "results/predictions.csv", index_col="case")
    evaluation = json.loads((study / "results/evaluation.json").read_text())
    scores = pd.read_csv(study / "results/scores.csv", index_col="case")
    own, learnt = scores.loc[predictions.index, "score"], evaluation["calibrator"]
    expected = {
        "score": own,
        "probability": 1 / (1 + np.exp(-learnt["intercept"] - learnt["slope"] * own)),
        "called": own >= evaluation["cutoff"]["value"],
    }
    np.testing.assert_allclose(predictions[part], expected[part].astype(float), rtol=1e-12)
    assert set(predictions["part"]) == {"split"}


def test_means_over_parts(tmp_path: Path) -> None:
    """Nadeau and Bengio's interval of a design with several parts."""
    folder = write_study(tmp_path / "s", design="repeated_k_fold", folds=3, repeats=2)
    verbs.run(open_study(folder))
    row = pd.read_csv(folder / "results/tables/parts.csv").set_index("Measure").loc["AUC"]
    told = {"parts": row["Parts"], "mean": row["Mean (CI) value"],
            "lower": row["Mean (CI) lower"], "upper": row["Mean (CI) upper"]}  # fmt: skip
    assert worse(over_parts(folder), told, ASKED) == []


def test_the_bootstrap_of_the_limits_of_agreement(study: Path) -> None:
    """Where patients have several cases: percentiles over patients drawn with replacement.

    Drawn anew by another generator; 200 against 4000 resamples agree within the former's chance.
    """
    rows = pd.read_csv(study / "results/tables/reader-scores.csv").set_index("Measure")
    scores = pd.read_csv(study / "results/scores.csv").query("part == 'test'")
    gap = scores.assign(gap=scores["score:resident"] - scores["score"])
    each = [own.to_numpy() for _, own in gap.groupby("patient")["gap"]]
    draw = np.random.RandomState(5)
    found = []
    for _ in range(4000):
        x = np.concatenate([each[k] for k in draw.randint(len(each), size=len(each))])
        found.append((x.mean(), x.mean() - 1.96 * x.std(ddof=1), x.mean() + 1.96 * x.std(ddof=1)))
    labels = (
        "Mean difference of the score",
        "Lower limit of agreement",
        "Upper limit of agreement",
    )
    for label, own in zip(labels, np.array(found).T, strict=True):
        (lower, upper), width = np.quantile(own, [0.025, 0.975]), own.std()
        assert rows.loc[label, "resident – senior lower"] == pytest.approx(lower, abs=0.8 * width)
        assert rows.loc[label, "resident – senior upper"] == pytest.approx(upper, abs=0.8 * width)


@pytest.mark.slow
def test_the_demo_is_computed_again(tmp_path: Path) -> None:
    """Simulated images, features of every family, the preset as it is: `centrum demo --small`."""
    settings = PhantomSettings(n_malignant=SMALL, n_osteoporotic=SMALL)
    begin.simulate(tmp_path / "demo", settings)
    verbs.run(open_study(tmp_path / "demo"))
    found, told = recompute(tmp_path / "demo"), reported(tmp_path / "demo")
    assert found.pop("uphill, largest") < 1e-3
    assert set(found) == set(told)
    assert len(found) > 4000
    assert worse(found, told, ASKED) == []
