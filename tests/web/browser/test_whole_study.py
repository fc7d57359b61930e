"""A whole study is read by two simulated hands, each in a browser of its own, and evaluated."""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage

from centrum.agreement.overlap import dice
from centrum.commands import study as verbs
from centrum.commands.read import progress
from centrum.commands.read_finished import close_room
from centrum.study.readings import readings_of
from centrum.study.study import open_study
from tests.web.browser.hands import read_case, seated
from tests.web.browser.places import open_room
from tests.web.hands import STYLES, Choice, Outline, Plan, every_second, every_third, pixels
from tests.web.known import Body, Known, phantoms

SMALL_PROTOCOL = """\
preset: vcf-t2w
name: Read in the room
extraction:
  families: [statistics, glcm]
  discretisation: {method: fixed_bin_number, bins: 8}
  filters: []
  interpolation: null
preparation: {normalisation: {method: none}}
model:
  select: {method: none}
  rfe: {estimator: none}
  n_features: null
  classifier: logistic
evaluation:
  n_resamples: 100
  cutoff_folds: 2
  ablation: false
  leak_audit: {permutations: 2, splits: 1}
"""

TIE_MM = 1e-9
"""As of `reading.between`: half-way is inside."""


@dataclass(frozen=True)
class Read:
    """What hands did with a study: plans and the outlines they drew, by reader and case."""

    known: Known
    plans: Mapping[str, dict[str, Plan]]
    drawn: Mapping[tuple[str, str], dict[int, Outline]]
    console: list[str]


def read_by_two(browser: Any, known: Known, *chosen: Choice) -> Read:
    """Both work at the same time, each in their own order and their own way."""
    ways = zip(STYLES, chosen, strict=True)
    plans = {reader: known.plans(reader, choose) for reader, choose in ways}
    drawn: dict[tuple[str, str], dict[int, Outline]] = {}
    with open_room(known.study) as room, ExitStack() as stack:
        eyes = {r: stack.enter_context(seated(browser, room, r)) for r in STYLES}
        orders = {r: [*known.cases(r).values()] for r in STYLES}
        for k in range(len(known.bodies)):
            for reader, order in orders.items():
                eyes[reader].front()
                drawn[reader, order[k]] = read_case(eyes[reader], order[k], plans[reader][order[k]])
        return Read(known, plans, drawn, [line for e in eyes.values() for line in e.console])


def expected(body: Body, plan: Plan, drawn: Mapping[int, Outline]) -> np.ndarray:
    """Outlines as pixels, and what lies between them, computed once more."""
    mask = np.zeros(body.planes.shape, dtype=bool)
    for k, outline in drawn.items():
        mask[k] = pixels(outline, mask.shape[1:])
    for k in plan.filled:
        below = max(n for n in plan.drawn if n < k)
        above = min(n for n in plan.drawn if n > k)
        heights = [height(mask[n], body.spacing) for n in (below, above)]
        share = (k - below) / (above - below)
        mask[k] = (1 - share) * heights[0] + share * heights[1] <= TIE_MM
    return mask


def height(plane: np.ndarray, spacing: tuple[float, float]) -> np.ndarray:
    """mm to the nearest pixel on the other side, negative inside, over the whole slice."""
    outside = ndimage.distance_transform_edt(~plane, sampling=spacing)
    return outside - ndimage.distance_transform_edt(plane, sampling=spacing)


def check_masks(read: Read) -> None:
    """Bit by bit what the hands drew, and near the truth."""
    for reader in STYLES:
        for case, found in read.known.masks(reader).items():
            body, plan = read.known.bodies[case], read.plans[reader][case]
            assert np.array_equal(found, expected(body, plan, read.drawn[reader, case]))
            assert dice(found, body.planes) > 0.93


def check_records(read: Read) -> None:
    """Strokes, provenance and flags of every case are those that the hand made."""
    for reader in STYLES:
        signed = json.loads((read.known.study / f"readings/{reader}/first/signed.json").read_text())
        for token, case in read.known.cases(reader).items():
            plan, record = read.plans[reader][case], signed[token]
            made = {"polygon": len(plan.drawn), "nobody": len(plan.empty)}
            assert {tool: n for tool, n in record["strokes"].items() if tool in made} == made
            assert record["provenance"] == [provenance(plan, k) for k in range(plan.slices)]
            assert tuple(record["quality"]) == plan.flags


def provenance(plan: Plan, k: int) -> str:
    """How the outline of a slice came about."""
    return "nobody" if k in plan.empty else "drawn" if k in plan.drawn else "filled"


def check_read(read: Read, n: int) -> None:
    """All is signed, and lies on the disk as it was drawn."""
    assert [(each.signed, each.begun) for each in progress(read.known.study)] == [(n, 0)] * 2
    columns = close_room(read.known.study).columns
    assert (columns["mask:reader1"], columns["mask:reader2"]) == (n, n)
    check_masks(read)
    check_records(read)
    assert read.console == []


def test_two_hands_read_a_small_study(browser: Any, tmp_path: Path):
    read = read_by_two(browser, phantoms(tmp_path / "study", 1, 1), every_second, every_third)
    check_read(read, 2)


@pytest.mark.slow
def test_two_hands_read_twenty_phantoms_and_the_study_is_run(browser: Any, tmp_path: Path):
    """From the first click to the report: it tells the readers' agreement and how they drew."""
    read = read_by_two(browser, phantoms(tmp_path / "study", 10, 10), every_second, every_second)
    check_read(read, 20)
    study = read.known.study
    (study / "study.yaml").write_text(SMALL_PROTOCOL)
    extraction, report = verbs.run(open_study(study))
    assert not extraction.failures
    assert len(extraction.table.obs) == 20
    check_told(read, report.read_text())


def check_told(read: Read, report: str) -> None:
    """The report has the agreement of both, and how many slices each drew and filled."""
    found = readings_of(open_study(read.known.study))
    assert found is not None
    results = read.known.study / "results"
    table = pd.read_csv(results / "tables/readings.csv", index_col="Reader")
    for told in found.by_reader():
        plans = read.plans[told.reader].values()
        assert told.slices["drawn"] == sum(len(plan.drawn) for plan in plans)
        assert told.slices["filled"] == sum(len(plan.filled) for plan in plans)
        assert told.flags["motion"] == sum("motion" in plan.flags for plan in plans) == 1
        row = table.loc[told.reader]
        counts = (told.slices["drawn"], told.slices["filled"])
        assert (row["Cases"], row["Drawn"], row["Filled"]) == (20, *counts)
    assert "How the regions were drawn" in report
    assert "Filled by at least one" in report
    agreement = pd.read_csv(results / "agreement.csv")
    assert agreement["icc"].median() > 0.75
