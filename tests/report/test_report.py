"""The page and its files: the numbers of the results, nothing fetched, the same bytes."""

import csv
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from centrum.evaluate import CutOff, Scored, evaluate
from centrum.evaluate.discrimination import auc_interval
from centrum.evaluate.prevalence import at_prevalence
from centrum.modelling.designs import Part
from centrum.modelling.leaks import TITLES
from centrum.protocol.limits import outside_the_region
from centrum.report.blocks import Block, Column, Estimate, Table
from centrum.report.build import sections_of, write_report
from centrum.report.drawing import FOLDER as PICTURES
from centrum.report.results import StudyResults
from centrum.report.sections.calibration_and_use import calibration_and_use, sets_text
from centrum.report.sections.caveats import cautions
from centrum.report.sections.leak_audit import COMBINED_TITLES, leak_audit
from centrum.report.sections.performance import performance
from centrum.report.sections.regions import regions
from centrum.report.sections.selection import selection
from centrum.report.sections.validation import ablation_table, validation
from centrum.report.tables import model_order, performance_table
from centrum.report.words.results import AUC_INTERVAL
from centrum.text import fixed
from centrum.validation.evaluation import evaluate_study
from centrum.validation.matrix import study_matrix
from centrum.validation.procedure import row_audit

from .conftest import SIMULATED, Make

pytestmark = pytest.mark.usefixtures("rendered")

VOID = {"meta", "img", "br", "link", "hr", "input"}


class Page(HTMLParser):
    """Tags in order, and the texts between them; fails on tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self.open[-1] if self.open else "", data.strip()))

    def attributes(self, tag: str, name: str) -> list[str]:
        return [attrs[name] or "" for found, attrs in self.tags if found == tag and name in attrs]


@pytest.fixture(scope="module")
def text(written: Path) -> str:
    return (written / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def _csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


# Files


def test_same_results_same_bytes(make: Make, written: Path, tmp_path: Path) -> None:
    files = write_report(make(prefix="<b>&"), tmp_path)
    there = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert there - {*(tmp_path / PICTURES).rglob("*")} == {*files}
    for file in files:
        name = file.relative_to(tmp_path)
        assert file.read_bytes() == (written / name).read_bytes(), name


FIGURES = (
    "flow", "regions", "agreement", "agreement-grid", "lasso", "feature-count", "coefficients",
    "distributions", "roc", "contributions-held-out", "importance", "local-effects",
    "calibration", "decision-curve", "precision-recall", "bland-altman", "parts", "instability",
    "leak-audit", "models", "nomogram",
)  # fmt: skip


def test_every_figure_and_table_is_there(written: Path, page: Page) -> None:
    for link in page.attributes("a", "href"):
        if not link.startswith("#"):
            assert (written / link).is_file(), link
    stems = {path.stem for path in (written / "figures").iterdir()}
    assert stems == set(FIGURES)
    assert {"population", "score", "performance"} <= {
        path.stem for path in (written / "tables").iterdir()
    }


def test_patients_are_nowhere(written: Path) -> None:
    for path in written.rglob("*.*"):
        assert b"secret-patient" not in path.read_bytes(), path.name


# Numbers


def test_the_table_has_the_numbers_of_the_population(written: Path, results: StudyResults) -> None:
    rows = _csv(written / "tables/population.csv")
    assert len(rows) == len(results.population)
    for row, wanted in zip(rows, results.population, strict=True):
        for group, cell in wanted.groups.items():
            assert row[group] == cell.text
            assert int(row[f"{group} n"]) == cell.n
        if wanted.significance:
            assert float(row["P value"]) == wanted.significance.p


def test_the_table_has_the_numbers_of_the_evaluations(written: Path, results: StudyResults) -> None:
    rows = {(r["Measure"], r["Interval"]): r for r in _csv(written / "tables/performance.csv")}
    for name, head in (("out_of_fold", "Training (out of fold)"), ("test", "Test")):
        found = results.evaluation.by_set[name]
        row, interval = rows["AUC", AUC_INTERVAL], found.auc.interval
        assert float(row[f"{head} value"]) == found.auc.value
        assert float(row[f"{head} lower"]) == interval.lower
        assert float(row[f"{head} upper"]) == interval.upper
        accuracy, measure = rows["Accuracy", "Wilson, by patient"], found.measures["accuracy"]
        assert float(accuracy[f"{head} value"]) == measure.value
        assert float(accuracy[f"{head} lower"]) == measure.interval.lower
        assert int(rows["True positives", ""][head]) == found.confusion.tp
        assert float(rows["P (AUC = 0.5)", ""][f"{head} value"]) == found.auc.p
    head, found = "Training (apparent)", results.evaluation.by_set["train"]
    assert rows["AUC", AUC_INTERVAL][head] == fixed(found.auc.value)
    assert rows["P (AUC = 0.5)", ""][head] == "–"
    sensitivity = rows["Sensitivity", "Wilson, by patient"]
    assert sensitivity[head] == fixed(found.measures["sensitivity"].value)
    assert int(rows["True positives", ""][head]) == found.confusion.tp


def test_predictive_values_elsewhere_have_the_limits_of_the_likelihood_ratios() -> None:
    y = np.repeat([1, 1, 0, 0], [30, 10, 8, 32])
    scores = np.repeat([0.9, 0.1, 0.8, 0.2], [30, 10, 8, 32])
    found = evaluate(scores, y, None, CutOff(0.5, "given", ""), name="test", seed=1)
    table = performance_table({"test": found}, prevalence=0.1)
    rows = {row[0]: row[-1] for row in table.rows}
    ppv, npv = (
        rows[f"{name} predictive value, at a prevalence of 10 %"]
        for name in ("Positive", "Negative")
    )
    above, below = (found.measures[k].interval for k in ("lr_positive", "lr_negative"))
    odds = {end: getattr(ppv, end) / (1 - getattr(ppv, end)) for end in ("value", "lower", "upper")}
    assert odds == pytest.approx(
        {"value": 3.75 / 9, "lower": above.lower / 9, "upper": above.upper / 9}
    )
    odds = {end: getattr(npv, end) / (1 - getattr(npv, end)) for end in ("value", "lower", "upper")}
    assert odds == pytest.approx(
        {"value": 9 * 3.2, "lower": 9 / below.upper, "upper": 9 / below.lower}
    )
    assert "(50 % in the last column)" in table.notes[-1]
    assert "if sensitivity and specificity are the same there" in table.notes[-1]
    plain = performance_table({"test": found})
    assert not any("at a prevalence" in str(row[0]) for row in plain.rows)


def test_what_a_source_alone_gives_has_its_own_interval(results: StudyResults) -> None:
    (record,) = results.validation.ablation["volume"]
    patients = results.scores["patient"].to_numpy()[record["case"]]
    wanted = auc_interval(Scored.of(record["score"], record["positive"], patients))
    (row,) = [row for row in ablation_table(results).rows if row[0] == "volume"]
    assert (row[2].lower, row[2].upper) == (wanted.lower, wanted.upper)


def test_sets_are_told_by_their_aim_and_by_what_was_found(results: StudyResults) -> None:
    found = results.evaluation.conformal
    assert results.evaluation.decision.conformal.error == 0.1
    assert (
        "aimed at holding the true one of 90 % of the patients of each outcome; they held that of "
        f"{100 * found.coverage_positive:.0f} % of the malignant"
    ) in sets_text(results)


def test_performance_counts_cases_when_each_is_a_patient(results: StudyResults) -> None:
    alone = {n: replace(e, n_patients=e.n) for n, e in results.evaluation.by_set.items()}
    table = performance_table(alone)
    row = next(row for row in table.rows if row[0] == "Sensitivity")
    assert row[1] == "Wilson"
    wanted = results.evaluation.by_set["test"].measures["sensitivity"]
    assert row[-1] == Estimate(wanted.value, wanted.interval.lower, wanted.interval.upper)


def test_the_table_gives_the_score(written: Path, results: StudyResults) -> None:
    intercept, *rows = _csv(written / "tables/score.csv")
    table = results.table
    values = table.values[0, [table.names.index(r["Column name"]) for r in rows], 0]
    terms = [
        float(r["Coefficient per SD"]) * (value - float(r["Mean"])) / float(r["SD"])
        for r, value in zip(rows, values, strict=True)
    ]
    score = float(intercept["Coefficient per SD"]) + sum(terms)
    assert score == pytest.approx(results.model.score(table)[0], rel=1e-12)


def test_data_behind_the_figures(written: Path, results: StudyResults) -> None:
    path = _csv(written / "figures/lasso.csv")
    assert [float(row["lambda"]) for row in path] == results.model.lasso.lambdas.tolist()
    roc = [row for row in _csv(written / "figures/roc.csv") if row["scores"] == "test"]
    wanted = results.evaluation.by_set["test"].roc
    assert [float(row["sensitivity"]) for row in roc] == wanted.sensitivity.tolist()
    icc = _csv(written / "figures/agreement.csv")
    assert [float(row["icc"]) for row in icc] == results.agreement["icc"].tolist()
    spread = _csv(written / "figures/distributions.csv")
    assert [row["case"] for row in spread] == list(results.table.cases)
    model = results.model
    best = model_order(model)[0]
    values = results.table.values[:, results.table.names.index(model.features[best]), 0]
    scaled = (values - model.means[best]) / model.sds[best]
    assert [float(list(row.values())[2]) for row in spread] == pytest.approx(scaled)


def test_flow_adds_up(written: Path, results: StudyResults) -> None:
    rows = {row["station"]: int(row["cases"]) for row in _csv(written / "figures/flow.csv")}
    excluded = sum(n for name, n in rows.items() if name.startswith("excluded"))
    assert rows["manifest"] - excluded == rows["eligible"]
    assert rows["eligible"] - rows["not measured"] == rows["analysed"]
    assert rows["not measured"] == len(results.failures)
    assert rows["training"] + rows["test"] == rows["analysed"]


def test_largest_coefficient_is_first(results: StudyResults) -> None:
    sizes = np.abs(results.model.coefficients[model_order(results.model)])
    assert (np.diff(sizes) <= 0).all()


# The page


def test_nothing_is_fetched(text: str, page: Page) -> None:
    names = 'createElementNS("http://www.w3.org/2000/svg"'
    assert not re.search(
        r"https?:|//[a-z]+\.|url\(|@import|fetch\(|XMLHttp", text.replace(names, "")
    )
    assert all(src.startswith("data:image/") for src in page.attributes("img", "src"))
    assert not {"link", "iframe", "object"} & {tag for tag, _ in page.tags}
    assert not list(page.attributes("script", "src"))
    assert all(not re.match(r"[a-z]+:", href) for href in page.attributes("a", "href"))


def test_anchors_lead_somewhere(page: Page, results: StudyResults) -> None:
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    wanted = {link[1:] for link in page.attributes("a", "href") if link.startswith("#")}
    assert wanted <= set(ids)
    sections = {attrs["id"] for tag, attrs in page.tags if tag == "section"}
    assert len(sections) == len(sections_of(results))
    assert sections | {"content", "contents"} <= wanted


def test_texts_are_escaped(text: str, page: Page, results: StudyResults) -> None:
    assert "<b>" not in text
    assert any(results.failures[0].case in found for _, found in page.texts)


def test_tables_are_rectangular(page: Page) -> None:
    rows: list[int] = []
    for tag, _ in page.tags:
        if tag == "table":
            heads = -1
        elif tag == "tr":
            rows.append(0)
        elif tag in ("th", "td"):
            rows[-1] += 1
        elif tag == "tbody":
            heads = rows[-1]
        elif tag == "figure" and rows:
            assert rows[-1] == heads
    assert min(rows) >= 2


def test_pictures_have_alternative_texts(page: Page) -> None:
    alts = page.attributes("img", "alt")
    assert len(alts) == len(FIGURES)
    assert min(map(len, alts)) > 30
    assert page.attributes("html", "lang") == ["en"]


def test_captions_say_how_many(text: str) -> None:
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", text, re.DOTALL)
    assert len(captions) == len(FIGURES)
    for caption in captions:
        assert re.search(r"n\s=\s\d+", caption), caption


def test_simulated_is_said_once_on_every_screen_and_paper(text: str, written: Path) -> None:
    head, body = text.split("<body>")
    assert "(simulated patients)</title>" in head
    assert body.count(SIMULATED) == body.count(f'<p class="mark top">{SIMULATED}</p>') == 1
    style = re.sub(r"/\*.*?\*/", "", head, flags=re.DOTALL)
    assert re.search(r"\.mark\.top \{ position: sticky; top: 0;", style)
    assert f'@page {{ @top-center {{ content: "{SIMULATED}"' in style
    paper = style.split("@media print")[-1]
    assert ".mark.top { position: static; }" in paper
    assert ".mark" not in re.search(r"([^}]*)\{ display: none; \}", paper)[1]
    for figure in (written / "figures").glob("*.svg"):
        said = " ".join(re.findall(r"<!--(.*?)-->", figure.read_text(encoding="utf-8")))
        assert all(word in said for word in SIMULATED.split()), figure.name


def test_signs_outside_the_region_are_named(text: str) -> None:
    assert outside_the_region(None) in text


# Sections


def test_one_reader_cannot_agree(make: Make) -> None:
    block = regions(make(readers=("senior",)))
    assert [p.key for p in block.pictures] == ["regions"]
    assert block.tables == ()
    assert "agreement between readers cannot be assessed" in block.prose[0]


def test_without_images_there_is_no_overlay(make: Make) -> None:
    block = regions(replace(make(), sources={}))
    assert [p.key for p in block.pictures] == ["agreement", "agreement-grid"]


def _cautioned(results: StudyResults, **changes: object) -> str:
    test = replace(results.evaluation.by_set["test"], **changes)
    evaluation = replace(results.evaluation, by_set={"test": test})
    found = cautions(replace(results, evaluation=evaluation))
    return " ".join(point.text for point in found)


def test_cautions(results: StudyResults) -> None:
    test = results.evaluation.by_set["test"]
    assert "optimistic" not in _cautioned(results)
    assert "optimistic" in _cautioned(results, optimistic=True)
    assert "leak" not in _cautioned(results)
    assert "leak" in _cautioned(results, auc=replace(test.auc, value=0.98))
    assert "leak" not in _cautioned(results, auc=replace(test.auc, value=0.98), n=150)
    assert "too narrow" in _cautioned(results, n_patients=9)
    assert "too narrow" not in _cautioned(results, n_patients=10)


def test_fallback_of_the_lasso_is_said(make: Make) -> None:
    results = make(n_selected=1)
    assert selection(results).warnings == ()
    lasso = replace(results.model.lasso, fallback=True)
    fell = replace(results, model=replace(results.model, lasso=lasso))
    assert "selects no feature" in selection(fell).warnings[0]


def test_p_value_of_the_test_set_is_in_the_prose(results: StudyResults) -> None:
    test = results.evaluation.by_set["test"]
    small = replace(test, auc=replace(test.auc, p=1e-5))
    evaluation = replace(results.evaluation, by_set={"test": small})
    found = performance(replace(results, evaluation=evaluation))
    assert "P < .001 against 0.5" in found.prose[0]


# Tables


def test_csv_quotes_what_needs_it() -> None:
    table = Table("t", "T", (Column("a"), Column("b")), (('x,"y"\nz', 0.1), (None, np.float64(2))))
    rows = list(csv.reader(table.csv().splitlines(keepends=True)))
    assert rows == [["a", "b"], ['x,"y"\nz', "0.1"], ["", "2.0"]]


def test_long_supplements_are_folded(page: Page) -> None:
    folded = [found for tag, found in page.texts if tag == "summary"]
    assert any(found.startswith("Table S4. Agreement of the features") for found in folded)
    assert not any(re.match(r"Table \d", found) for found in folded)


class TestDesignsOfSeveralParts:
    @pytest.fixture
    def block(self, make: Make) -> Block:
        return validation(make(n_parts=4, searched=True))

    def table(self, block: Block, key: str) -> dict[str, tuple]:
        return {row[0]: row[1:] for t in block.tables if t.key == key for row in t.rows}

    def test_means_over_the_parts(self, block: Block, make: Make) -> None:
        areas = [record["auc"] for record in make(n_parts=4).validation.parts]
        n, estimate, sd, low, high = self.table(block, "parts")["AUC"]
        assert n == 4
        assert estimate.value == pytest.approx(np.mean(areas))
        assert (sd, low, high) == pytest.approx((np.std(areas, ddof=1), min(areas), max(areas)))

    def test_a_variant_is_compared_over_the_same_parts(self, block: Block, make: Make) -> None:
        areas = [record["auc"] for record in make(n_parts=4).validation.parts]
        _, area, difference, _ = self.table(block, "sources")["volume"]
        assert area.value == pytest.approx(0.4)
        assert difference.value == pytest.approx(0.4 - np.mean(areas))

    def test_stability_counts_the_parts_that_select(self, block: Block, make: Make) -> None:
        rows = self.table(block, "stability")
        names = make().table.names
        assert rows[names[2]][0].value == 3 / 4
        assert rows[names[0]][0].value == 1 / 4
        assert rows[names[2]][1] == 1.0

    def test_search_is_kept_whole(self, block: Block) -> None:
        (table,) = (t for t in block.tables if t.key == "search")
        assert len(table.rows) == 12
        assert [row[-1] for row in table.rows].count("yes") == 1
        assert "search" in {picture.key for picture in block.pictures}


class TestLeakAudit:
    def test_says_what_crosses(self, make: Make) -> None:
        results = make()
        facts = dict(leak_audit(results).facts)
        assert facts["Patients on both sides of a part"] == "0"
        assert facts["Test patients seen by a fitted step"] == "0"

    def test_a_step_that_saw_test_patients_is_shouted_about(self, make: Make) -> None:
        results = make()
        results.validation.parts[0]["seen"]["scale"] = [44, 4]
        block = leak_audit(results)
        assert any("No figure in this report can be trusted" in w for w in block.warnings)
        assert dict(block.facts)["Test patients seen by a fitted step"] == "4"

    def test_equal_rows_are_found(self, make: Make) -> None:
        results = make()
        matrix = study_matrix(results.table, results.protocol)
        rows = np.arange(len(matrix.positive))
        matrix.X[rows[-1]] = matrix.X[0]
        matrix.X[rows[-2]] = matrix.X[1] + 1e-6
        found = row_audit(matrix, [Part("split", 0, rows[:30], rows[30:])])
        (side,) = found["parts"]
        assert (side["equal_rows"], side["near_copies"]) == (1, 2)

    def test_rises_are_against_the_honest_figure(self, make: Make) -> None:
        (table,) = (t for t in leak_audit(make()).tables if t.key == "leaks")
        rows = {row[0]: row[1:] for row in table.rows}
        assert rows[TITLES["selection_before_split"]] == pytest.approx((0.7, 0.7, 0.2, 0.2))
        assert TITLES["number_tuned_on_test"] not in rows
        assert table.rows[-1][0] == TITLES["best_split"]

    def test_the_combined_model_is_audited(self, make: Make) -> None:
        """On whom it was fitted, and what it claims without and with a leak."""
        results = make()
        tables = {table.key: table for table in leak_audit(results).tables}
        rows = {row[0]: row[1:] for row in tables["combined-leaks"].rows}
        assert rows[COMBINED_TITLES["combined"]] == pytest.approx((0.71, 0.01, 0.51, 0.01))
        assert rows[COMBINED_TITLES["combined_on_test"]] == pytest.approx((0.8, 0, 0.6, 0))
        (record,) = results.validation.parts
        patients = results.table.obs["patient"].to_numpy()
        n = len(set(patients[record["train"]]))
        assert tables["fit-sets"].rows[-1] == ("Combined model: age, sex and the score", n, n, 0)
        record["train"] = [*record["train"], record["case"][0]]
        (last,) = (t.rows[-1] for t in leak_audit(results).tables if t.key == "fit-sets")
        assert last[1:] == (n + 1, n + 1, 1)
        without = replace(results, evaluation=replace(results.evaluation, added=None))
        tables = {table.key: table for table in leak_audit(without).tables}
        assert "combined-leaks" not in tables
        assert not any(row[0].startswith("Combined") for row in tables["fit-sets"].rows)


def test_a_stated_prevalence_has_a_decision_curve_of_its_own(make: Make) -> None:
    results = make()
    found = results.evaluation
    assert found.decision_curve_elsewhere is None
    train = results.scores[results.scores["part"] == "train"]["outcome"]
    assert found.trained_share == (train == "malignant").mean()
    settings = results.protocol.evaluation.model_copy(
        update={"prevalence": 0.1, "n_resamples": 100}
    )
    protocol = results.protocol.model_copy(update={"evaluation": settings})
    reader = results.table.readers[0]
    there = evaluate_study(
        protocol, results.scores, results.table.obs, found.decision, primary=reader
    )
    curve = there.decision_curve_elsewhere
    assert curve is not None
    assert curve.prevalence == 0.1
    moved = at_prevalence(there.probability, found.trained_share, 0.1)
    called, positive = moved >= curve.thresholds[19], results.scores.loc[list(there.tested)]
    truth = (positive["outcome"] == "malignant").to_numpy()
    wanted = 0.1 * called[truth].mean() - 0.9 * called[~truth].mean() * 0.2 / 0.8
    assert curve.model[19] == pytest.approx(wanted)
    shown = calibration_and_use(replace(results, evaluation=there, protocol=protocol))
    (figure,) = [p for p in shown.pictures if p.key == "decision-curve-elsewhere"]
    share = found.trained_share
    assert "at a prevalence of 10 %" in figure.title
    assert f"{100 * at_prevalence(0.5, share, 0.1):.0f} %" in figure.caption
    assert len(calibration_and_use(results).pictures) == len(shown.pictures) - 1
