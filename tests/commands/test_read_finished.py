"""`centrum read --compare`, `--adjudicate` and `--close`, and what is measured afterwards."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from centrum.agreement import icc
from centrum.cli import app
from centrum.cohort.readings import CONSENSUS
from centrum.commands import study as verbs
from centrum.commands.read import cases_by_token
from centrum.commands.read_finished import adjudicate_cases
from centrum.errors import DataError
from centrum.reading.desk import Desk
from centrum.study.extraction import load_table
from centrum.study.study import open_study
from centrum.validation.matrix import study_matrix
from tests.reading.hands import Hand, write_room
from tests.reading.rooms import outline, read_study, tokens_of
from tests.studies import read_rows


def read(*words: object) -> Result:
    return CliRunner().invoke(app, ["read", *map(str, words)])


def told(*words: object) -> str:
    done = read(*words)
    assert done.exit_code == 0, done.output
    return done.output


def test_from_signed_cases_to_the_manifest(tmp_path: Path) -> None:
    study, out = read_study(tmp_path / "study"), tmp_path / "out"
    assert "2 pairs of readings" in told(study, "--compare", "--out", out)
    assert sorted(path.name for path in out.iterdir()) == [
        "agreement.html", "agreement_by_case.csv", "agreement_by_slice.csv",
    ]  # fmt: skip
    assert not (study / "results").exists()
    words = ("--adjudicate", "P000=reader2", "--adjudicate", "P001=union", "--reason", "both")
    assert "2 cases decided anew" in told(study, *words)
    assert "mask:consensus: 2 cases" in told(study, "--close")
    assert set(read_rows(study)[0]) >= {"mask:reader1", "mask:reader2", "mask:consensus"}
    adjudicated = [own for own in cases_by_token(study).values() if own["reader"] == CONSENSUS]
    assert sorted(own["case"] for own in adjudicated) == ["P000", "P001"]
    assert "says all of this already" in told(study, "--close")


def test_two_tasks_at_once_are_refused(tmp_path: Path) -> None:
    study = read_study(tmp_path / "study", n=1)
    done = read(study, "--compare", "--close")
    assert done.exit_code != 0
    assert "one after the other" in done.output


@pytest.mark.parametrize("text", ["P001", "=reader1", "P001="])
def test_a_decision_names_case_and_reader(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match="CASE=READER"):
        adjudicate_cases(tmp_path, [text], "why")


def test_a_study_is_run_with_the_masks_of_its_room(tmp_path: Path) -> None:
    """A consensus of one case takes no part: agreement is over all that the readers have signed."""
    study = read_study(tmp_path / "study", n=4)
    adjudicate_cases(study, ["P000=reader2"], "the dorsal edge")
    told(study, "--close")
    extraction = verbs.extract(open_study(study))
    assert not extraction.failures
    assert extraction.table.readers == ("reader1", "reader2")
    pairs = zip(extraction.overlap["reader_a"], extraction.overlap["reader_b"], strict=True)
    assert set(pairs) == {("reader1", "reader2")}
    agreement = verbs.agree(open_study(study))
    assert set(agreement["n"]) == {4}
    with (study / "results/overlap.csv").open() as overlap:
        assert len(list(csv.DictReader(overlap))) == 4


TWO_SESSIONS = "training: {cases: 0}\nsessions: [first, second]\n"


def read_again(study: Path) -> None:
    """Both readers read all cases a second time, each a little differently."""
    write_room(study, TWO_SESSIONS)
    with Desk(study) as desk:
        for reader, size in (("reader1", 8), ("reader2", 12)):
            for k, token in enumerate(tokens_of(desk, reader).values()):
                outline(Hand(desk, reader, token).open(), size=size - k % 2).submit()


def choose_reader(study: Path, reader: str) -> None:
    with (study / "study.yaml").open("a") as protocol:
        protocol.write(f"\nimages: {{reader: {reader}}}\n")


def test_neither_a_consensus_nor_a_second_session_counts_between_readers(tmp_path: Path) -> None:
    """The ICC is that of both readers' first sessions, to the bit; the consensus is modelled."""
    study = read_study(tmp_path / "study", n=5)
    told(study, "--close")
    alone = verbs.extract(open_study(study)).table
    assert alone.comparisons is None
    between = verbs.agree(open_study(study))

    read_again(study)
    words = [w for k in range(5) for w in ("--adjudicate", f"P00{k}=union")]
    told(study, *words, "--reason", "both")
    told(study, "--close")
    choose_reader(study, "consensus")
    done = CliRunner().invoke(app, ["agree", str(study)])
    assert done.exit_code != 0  # the table is older
    extraction = verbs.extract(open_study(study))
    table = extraction.table
    assert table.readers == (
        "consensus", "reader1", "reader2", "reader1-second", "reader2-second",
    )  # fmt: skip
    assert table.compared == ("reader1", "reader2")
    assert table.read_twice == (("reader1", "reader1-second"), ("reader2", "reader2-second"))
    pairs = zip(extraction.overlap["reader_a"], extraction.overlap["reader_b"], strict=True)
    assert set(pairs) == {table.compared, *table.read_twice}
    assert not {"copied-mask", "low-overlap"} & {finding.code for finding in extraction.findings}
    assert load_table(open_study(study)).comparisons == table.comparisons

    pd.testing.assert_frame_equal(verbs.agree(open_study(study)), between)
    within = pd.read_csv(study / "results/agreement_within.csv")
    assert set(within["reader"]) == {"reader1", "reader2"}
    for reader in table.compared:
        twice = icc(table.values_of((reader, f"{reader}-second")))
        own = within[within["reader"] == reader]
        np.testing.assert_allclose(own["icc"], twice.value, rtol=1e-12)
        assert list(own["feature"]) == list(table.names)
    output = CliRunner().invoke(app, ["agree", str(study)]).output
    assert "over all 5 cases, which both readers, reader1 and reader2, drew." in output
    assert "Within reader2: " in output
    assert "over all 5 cases, which reader2 read twice." in output

    matrix = study_matrix(table, open_study(study).protocol)
    assert matrix.compared == (1, 2)
    np.testing.assert_array_equal(matrix.X[:, : len(table.names)], table.values[:, :, :3])
