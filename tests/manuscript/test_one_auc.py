"""One AUC is the study's, wherever it is told: of the test cases, or the mean over the parts."""

import json
import re
from pathlib import Path

import docx
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from centrum.cli import app
from centrum.commands.study import collect
from centrum.study.study import open_study
from centrum.text import fixed, interval_text
from tests.table_studies import features, table_study

from .test_results import problems

CENTRES = np.array(["A", "B", "C"])[np.arange(60) // 2 % 3]

DESIGNS = {
    "single": {},
    "repeated_split": {"repeats": 3},
    "nested_cv": {"folds": 3, "repeats": 2},
    "leave_one_centre_out": {},
    "external": {"by": "centre", "test_values": ["C"]},
}

SEVERAL = ("repeated_split", "nested_cv", "leave_one_centre_out")

AREA = re.compile(r"\b(?:AUC|test)\b(?: on cases[^:]*:)? (\d\.\d\d) \(95 % CI ([^),]*)")
"""An AUC with its interval in running text; other AUCs have another form of interval, or none."""


@pytest.fixture(scope="module", params=list(DESIGNS))
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """A study of a design, what the console said of it, and its AUC."""
    folder = tmp_path_factory.mktemp("one") / request.param
    split = {"design": request.param, **DESIGNS[request.param]}
    known = {"centre": CENTRES, "age": 60 + np.arange(60) % 17}
    table_study(folder, features(60, seed=4), {"split": split}, **known)
    said = CliRunner().invoke(app, ["run", str(folder), "--workers", "1"])
    assert said.exit_code == 0, said.output
    assert CliRunner().invoke(app, ["manuscript", str(folder)]).exit_code == 0
    record = json.loads((folder / "results/evaluation.json").read_text())
    several = request.param in SEVERAL
    found = record["over_parts"]["AUC"] if several else record["test"]["auc"]
    value = found["mean" if several else "value"]
    return {"results": folder / "results", "several": several, "console": said.output,
            "area": (value, found["interval"]["lower"], found["interval"]["upper"])}  # fmt: skip


def test_the_studies_tell_the_two_apart(run: dict) -> None:
    """Else a pooled AUC in the place of the mean would not be noticed."""
    record = json.loads((run["results"] / "evaluation.json").read_text())
    assert bool(record["over_parts"]) == run["several"]
    pooled = record["test"]["auc"]["interval"]
    if run["several"]:
        assert fixed(pooled["lower"], 2) != fixed(run["area"][1], 2)


def test_tables(run: dict) -> None:
    name, head = ("parts", "Mean (CI)") if run["several"] else ("performance", "Test")
    frame = pd.read_csv(run["results"] / "tables" / f"{name}.csv").set_index("Measure")
    row = frame.loc["AUC"]
    told = [row[f"{head} {end}"] for end in ("value", "lower", "upper")]
    np.testing.assert_allclose(told, run["area"], rtol=1e-12)


def test_summary(run: dict) -> None:
    page = (run["results"] / "report.html").read_text()
    value, lower, upper = run["area"]
    (told,) = re.findall(r"AUC, test \(95 % CI\)</dt>\s*<dd>([^<]*)</dd>", page)
    assert told == f"{fixed(value, 2)} ({interval_text(lower, upper, 2)})"


def test_console(run: dict) -> None:
    value, lower, upper = run["area"]
    start = "test, mean over parts" if run["several"] else "test  "
    (line,) = [line for line in run["console"].splitlines() if line.startswith(start)]
    assert f"AUC {value:.3f} ({interval_text(lower, upper, join='-')})" in line
    tests = [line for line in run["console"].splitlines() if line.startswith("test")]
    assert tests[-1] == line, "the AUC that is reported comes last"
    assert all("pooled" in other for other in tests[:-1])


def _written(folder: Path) -> dict[str, str]:
    """Name of each document of the manuscript -> its text."""
    found = {p.name: p.read_text() for p in folder.iterdir() if p.suffix in (".md", ".csv")}
    for path in folder.glob("*.docx"):
        document = docx.Document(str(path))
        cells = (c.text for t in document.tables for row in t.rows for c in row.cells)
        found[path.name] = "\n".join((*(p.text for p in document.paragraphs), *cells))
    return found


def test_checklists_model_card_and_manuscript(run: dict) -> None:
    value, lower, upper = run["area"]
    own = (fixed(value, 2), interval_text(lower, upper, 2))
    texts = _written(run["results"] / "manuscript")
    told = {name: AREA.findall(text) for name, text in texts.items()}
    assert {pair for pairs in told.values() for pair in pairs} == {own}
    for name in ("model-card.md", "TRIPOD+AI.csv", "CLEAR.csv", "METRICS.csv", "checklists.docx"):
        assert told[name], name


def test_every_number_of_the_paper_is_recorded(run: dict) -> None:
    """In real runs of every design, which leave what made-up studies may lack."""
    assert problems(collect(open_study(run["results"].parent))) == []


def test_frozen_model(run: dict) -> None:
    """It says of an AUC that is not the study's that it is pooled."""
    test = json.loads((run["results"] / "model.json").read_text())["performance"]["test"]
    assert test["pooled"] == run["several"]
    if not run["several"]:
        assert test["auc"]["value"] == run["area"][0]
        assert [*test["auc"]["interval"].values()] == [*run["area"][1:]]
