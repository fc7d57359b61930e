"""The cards: summaries with the study's numbers, and nobody's row."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from centrum.cohort import EligibilityRule
from centrum.evaluate import table1
from centrum.manuscript.answers import StudyFacts
from centrum.manuscript.cards import data_sheet, model_card
from centrum.protocol.limits import RESEARCH_ONLY, outside_the_region
from centrum.report.formula import Exact, exact
from centrum.report.results import StudyResults
from centrum.report.tables import model_labels
from centrum.text import fixed

from .conftest import Make
from .elsewhere import external_of

CARDS = pytest.mark.parametrize("card", [model_card, data_sheet])


@CARDS
def test_no_patient_and_no_case_is_named(make: Make, card) -> None:
    results = make(prefix="case-id-")
    text = card(results, StudyFacts())
    assert "secret-patient" not in text
    assert "case-id-" not in text


@CARDS
def test_simulated_patients_are_said_at_the_top(make: Make, card) -> None:
    assert card(make(), StudyFacts()).split("\n")[2].startswith("**Simulated patients")
    real = card(make(simulated=""), StudyFacts())
    assert "Simulated" not in real
    assert real.split("\n")[2].startswith("## ")


@CARDS
def test_the_same_records_give_the_same_text(results: StudyResults, card) -> None:
    assert card(results, StudyFacts()) == card(results, StudyFacts())


@CARDS
def test_tables_are_whole(make: Make, card) -> None:
    for results in (make(), make(readers=("senior",), n_parts=3, rules=())):
        lines = card(results, StudyFacts()).split("\n")
        heads = [k + 1 for k, line in enumerate(lines) if re.fullmatch(r"\|(---\|)+", line)]
        assert len(heads) >= 4
        for at in heads:
            width = lines[at - 1].count("---") + 1
            k = at - 2
            while lines[k].startswith("|"):
                assert len(re.findall(r"(?<!\\)\|", lines[k])) == width, lines[k]
                k += 1


# The model


def test_the_card_has_the_numbers_of_the_model(results: StudyResults) -> None:
    text, test = model_card(results, StudyFacts()), results.evaluation.by_set["test"]
    assert RESEARCH_ONLY in text
    assert outside_the_region(None) in text
    assert f"{fixed(test.auc.value, 2)} (95 % CI {fixed(test.auc.interval.lower, 2)}" in text
    assert f"A score of at least {fixed(results.cutoff.value)}" in text
    for label, value in zip(model_labels(results), np.sort(-abs(results.model.coefficients)),
                            strict=True):  # fmt: skip
        line = next(line for line in text.split("\n") if f"| {label} |" in line)
        assert exact(Exact(abs(value), abs(value))) in line
    for name, digest in results.digests.items():
        assert f"| {name} | {digest} |" in text


def test_the_cards_say_that_whole_vertebrae_were_measured(results: StudyResults) -> None:
    images = results.protocol.images.model_copy(update={"region": "whole_vertebra"})
    whole = replace(results, protocol=results.protocol.model_copy(update={"images": images}))
    text = model_card(whole, StudyFacts())
    assert outside_the_region("whole_vertebra") in text
    assert outside_the_region(None) not in text
    assert "Draw the whole vertebra, posterior elements included" in text
    assert "its region is the whole vertebra" in data_sheet(whole, StudyFacts())


def test_the_formula_of_the_card_is_the_calibration(results: StudyResults) -> None:
    text = model_card(results, StudyFacts())
    a, b = (
        float(value.replace("−", "-"))
        for value in re.search(r"a = (\S+), b = (\d\.\d+)\.", text).groups()
    )
    scores = results.scores.loc[list(results.evaluation.tested), "score"].to_numpy()
    found = 1 / (1 + np.exp(-(a + b * scores)))
    assert found == pytest.approx(results.evaluation.probability, abs=1e-3)


def test_groups_too_small_are_counted_not_shown(results: StudyResults) -> None:
    text = model_card(results, StudyFacts())
    small = [row for row in results.evaluation.subgroups if row.reason]
    assert small
    assert f"{len(small)} group" in text
    assert small[0].reason not in text


def test_facts_are_told(results: StudyResults) -> None:
    plain = model_card(results, StudyFacts())
    full = model_card(
        results, StudyFacts(external=external_of(results), exported_model=True, methods=True)
    )
    assert "results/model.json" not in plain
    for part in ("results/model.json", "applied to 40 cases", "text of the methods"):
        assert part in full


# The data


def test_free_columns_are_named_and_not_described(results: StudyResults) -> None:
    n = len(results.table.obs)
    obs = results.table.obs.assign(note=[f"told-{k}" for k in range(n)])
    table = replace(results.table, obs=obs)
    population = tuple(table1(obs[:16]))  # an exact test of 60 notes takes seconds
    sheet = data_sheet(replace(results, table=table, population=population), StudyFacts())
    assert "told-" not in sheet
    assert "Further columns, not described here: note." in sheet


def test_headers_that_name_a_patient_are_counted(results: StudyResults) -> None:
    n = len(results.table.obs)
    acquired = pd.DataFrame({"TR ms": np.arange(n), "series": [f"1.2.{k}" for k in range(n)]})
    sheet = data_sheet(results, StudyFacts(acquisition=acquired))
    assert f"TR ms: 0–{n - 1}" in sheet
    assert f"series: {n} different values" in sheet
    assert "1.2." not in sheet.split("## Missing values")[0].split("## Acquisition")[1]


def test_features_are_counted_by_image_and_family(results: StudyResults) -> None:
    text = data_sheet(results, StudyFacts()).split("## Features")[1].split("## Left out")[0]
    cells = re.findall(r"\| (\d+)(?= \|)", text)
    assert sum(map(int, cells)) == len(results.table.features)


def test_the_flow_is_that_of_the_report(make: Make) -> None:
    results = make(rules=(EligibilityRule(name="At least 45", require="age >= 45"),))
    sheet, lost = data_sheet(results, StudyFacts()), results.flow.exclusions[0].excluded
    assert f"| excluded: At least 45 | {lost.cases} | {lost.patients} |" in sheet
    assert "no eligibility criteria" in data_sheet(make(rules=()), StudyFacts())
