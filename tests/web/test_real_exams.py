"""Bodies of real exams are read by two simulated hands over HTTP, and evaluated without outcome."""

import csv
import json
from pathlib import Path

import pytest

from centrum.agreement.overlap import dice
from centrum.commands import study as verbs
from centrum.commands.read import progress
from centrum.commands.read_finished import close_room, write_comparison
from centrum.study.study import open_study
from tests.studies import PROTOCOL
from tests.web.hands import STYLES
from tests.web.known import Known, read_by_all, real_exams

EXAMS = ("chu2015_02", "chu2015_08", "chu2015_16")

LIKE = 0.93
"""Dice coefficient of a hand's outline with the reference's."""


@pytest.fixture(scope="module")
def read(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Known:
    """Three exams, read, closed and compared."""
    folder = tmp_path_factory.mktemp("real") / "study"
    known = real_exams(folder, (reference / "spine_mri" / name for name in EXAMS), ["L3"])
    read_by_all(known)
    close_room(known.study)
    write_comparison(known.study)
    return known


def test_masks_are_near_those_of_the_reference(read: Known):
    for reader in STYLES:
        for case, mask in read.masks(reader).items():
            assert dice(mask, read.bodies[case].planes) > LIKE


def test_the_comparison_has_the_agreement_of_the_masks(read: Known):
    one, two = (read.masks(reader) for reader in STYLES)
    path = read.study / "results/reading-agreement/agreement_by_case.csv"
    rows = [*csv.DictReader(path.open())]
    assert sorted(row["case"] for row in rows) == sorted(one)
    for row in rows:
        between = dice(one[row["case"]], two[row["case"]])
        assert float(row["dice"]) == pytest.approx(between)
        assert LIKE < between < 0.995


def test_progress_has_the_time_that_the_hand_took(read: Known):
    for found in progress(read.study):
        plans = read.plans(found.reader).values()
        assert sorted(found.minutes) == pytest.approx(sorted(p.seconds / 60 for p in plans))
        records = json.loads(
            (read.study / f"readings/{found.reader}/first/signed.json").read_text()
        )
        strokes = sum(record["strokes"]["polygon"] for record in records.values())
        assert strokes == sum(len(p.drawn) for p in plans)


def test_without_an_outcome_it_is_measured_and_its_readers_agree(read: Known):
    (read.study / "study.yaml").write_text(PROTOCOL)
    study = open_study(read.study)
    extraction = verbs.extract(study)
    assert not extraction.failures
    assert extraction.table.readers == tuple(STYLES)
    found = verbs.agree(study)
    assert found["icc"].notna().mean() > 0.9
