"""A room is closed: into the manifest goes what was signed, and nothing else of it changes."""

import csv
import io
from pathlib import Path

import pytest

from centrum.cohort.manifest import read_manifest
from centrum.cohort.readings import read_closed, read_signed
from centrum.commands import study as verbs
from centrum.errors import CentrumError, DataError, ManifestError
from centrum.io import read_image, read_mask
from centrum.provenance import PACKAGES, job_key
from centrum.reading.close import close_room
from centrum.reading.desk import Desk
from centrum.study.readings import readings_of
from centrum.study.stage_keys import KEYS, made_before
from centrum.study.study import open_study
from tests.reading.hands import Hand, small_study, square
from tests.reading.rooms import (
    hand_of,
    outline,
    read_study,
    tokens_of,
    without_masks,
)  # fmt: skip

TWO_SESSIONS = "training: {cases: 0}\nsessions: [first, second]\n"


def rows(study: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((study / "cases.csv").read_text())))


def refused(code: str, kind: type[CentrumError] = DataError):
    return pytest.raises(kind, check=lambda error: error.code == code)


def test_the_manifest_names_the_signed_masks(tmp_path: Path) -> None:
    study = read_study(tmp_path / "study")
    before = (study / "cases.csv").read_bytes()
    closing = close_room(study)
    assert closing.columns == {"mask:reader1": 2, "mask:reader2": 2}
    for row in rows(study):
        for reader, size in (("reader1", 81), ("reader2", 100)):
            source = row[f"mask:{reader}"]
            assert source.startswith(f"readings/{reader}/first/")
            image = read_image(study / row["image"])
            assert read_mask(study / source, image).array[3].sum() == size
    assert closing.kept is not None
    assert closing.kept.read_bytes() == before
    after = (study / "cases.csv").read_text().splitlines()
    for old, new in zip(before.decode().splitlines(), after, strict=True):
        assert new.startswith(f"{old},")


def test_closing_twice_is_the_same_bytes(tmp_path: Path) -> None:
    study = read_study(tmp_path / "study")
    close_room(study)
    files = {path: path.read_bytes() for path in study.rglob("*") if path.is_file()}
    again = close_room(study)
    assert again.kept is None
    assert {path: path.read_bytes() for path in study.rglob("*") if path.is_file()} == files
    assert "says all of this already" in list(again.lines())[-1]


def test_what_is_not_signed_is_named_and_left_out_if_asked(tmp_path: Path) -> None:
    study = read_study(tmp_path / "study")
    with Desk(study) as desk:
        hand_of(desk, "reader2", "P001").reopen()
    with refused("unsigned") as caught:
        close_room(study)
    assert "reader2 P001." in caught.value.message
    assert "reader1" not in caught.value.message
    assert "mask:reader1" not in rows(study)[0]
    closing = close_room(study, partial=True)
    assert closing.unsigned == {"reader1": (), "reader2": ("P001",)}
    assert [bool(row["mask:reader2"]) for row in rows(study)] == [True, False]
    assert [bool(row["mask:reader1"]) for row in rows(study)] == [True, True]
    with Desk(study) as desk:
        hand_of(desk, "reader2", "P001").submit()
    assert close_room(study).columns["mask:reader2"] == 2


def test_flags_of_any_reader_become_columns_that_rules_can_use(tmp_path: Path) -> None:
    study = read_study(tmp_path / "study")
    with Desk(study) as desk:
        hand = hand_of(desk, "reader2", "P000")
        hand.reopen()
        hand.quality("motion", comment="Anna moved")
        hand.submit()
    closing = close_room(study)
    assert [row["motion"] for row in rows(study)] == ["yes", "no"]
    assert closing.columns["motion"] == 1
    assert "artefact" not in rows(study)[0]
    assert b"Anna" not in (study / "cases.csv").read_bytes()
    assert not any("Anna" in line for line in closing.lines())
    with Desk(study) as desk:
        hand = hand_of(desk, "reader2", "P000")
        hand.reopen()
        hand.quality("artefact")
        hand.submit()
    close_room(study)
    assert [(row["motion"], row["artefact"]) for row in rows(study)] == [
        ("no", "yes"),
        ("no", "no"),
    ]


def test_a_case_that_nobody_can_measure_is_left_out_by_a_rule(tmp_path: Path) -> None:
    study = read_study(tmp_path / "study", n=6)
    with Desk(study) as desk:
        for reader in ("reader1", "reader2"):
            hand = hand_of(desk, reader, "P000")
            hand.reopen()
            for k in (1, 2, 3, 4):
                hand.clear(k)
            hand.quality("not_measurable")
            hand.submit()
        hand = hand_of(desk, "reader2", "P001")
        hand.reopen()
        for k in (1, 2, 3, 4):
            hand.clear(k)
        hand.quality("not_measurable")
        hand.submit()
    closing = close_room(study)
    assert closing.not_drawn == ("P000",)
    assert any("not_measurable == 'yes'" in line for line in closing.lines())
    second = rows(study)[1]
    assert second["mask:reader1"]
    assert not second["mask:reader2"]  # the other one is measured alone
    rule = "eligibility:\n  - {name: not measurable, exclude: not_measurable == 'yes'}\n"
    (study / "study.yaml").write_text((study / "study.yaml").read_text() + rule)
    opened = open_study(study)
    assert [case.id for case in opened.cohort.cases] == ["P002", "P003", "P004", "P005"]
    assert not verbs.extract(opened).failures


def test_marks_half_a_body_apart_are_told(tmp_path: Path) -> None:
    study = small_study(tmp_path / "study", 2)
    without_masks(study)
    with Desk(study) as desk:
        for reader in ("reader1", "reader2"):
            for case, token in tokens_of(desk, reader).items():
                apart = 5 if (case, reader) == ("P001", "reader2") else 1
                outline(Hand(desk, reader, token).open(), level=10 + apart).submit()
    closing = close_room(study)
    # Marks four rows apart, of bodies that are nine rows high: less than half of them.
    assert closing.other_level == ()
    with Desk(study) as desk:
        hand = hand_of(desk, "reader2", "P001")
        hand.reopen()
        hand.level(y=16)
        hand.submit()
    closing = close_room(study)
    assert closing.other_level == ("P001",)
    assert [row["other_level"] for row in rows(study)] == ["no", "yes"]
    assert any("P001" in line and "same vertebra" in line for line in closing.lines())


def test_a_second_session_is_a_reader_of_its_own(tmp_path: Path) -> None:
    study = read_study(tmp_path / "study", room=TWO_SESSIONS)
    assert set(close_room(study).columns) == {"mask:reader1", "mask:reader2"}
    with Desk(study) as desk:
        for token in tokens_of(desk, "reader1").values():
            outline(Hand(desk, "reader1", token).open(), size=8).submit()
    with refused("unsigned") as caught:
        close_room(study)
    assert "reader2-second" in caught.value.message
    close_room(study, partial=True)
    heads = [head for head in rows(study)[0] if head.startswith("mask")]
    assert heads == ["mask:reader1", "mask:reader2", "mask:reader1-second", "mask:reader2-second"]
    assert {row["mask:reader2-second"] for row in rows(study)} == {""}
    closed = read_closed(study)
    assert closed is not None
    assert {(p.reader_a, p.reader_b, p.intra) for p in closed.pairs} == {
        ("reader1", "reader2", False), ("reader1", "reader1-second", True),
    }  # fmt: skip


def test_slices_of_a_pair_are_counted(tmp_path: Path) -> None:
    """Squares of 7 and 8 pixels share 49, of 9 and 10 share 81: numbers known by hand."""
    study = read_study(tmp_path / "study", n=1)
    close_room(study)
    (pair,) = read_closed(study).pairs  # type: ignore[union-attr]
    found = {s.slice: (s.a, s.b, s.pixels_a, s.pixels_b, s.common) for s in pair.slices}
    assert found[1] == ("drawn", "drawn", 49, 64, 49)
    assert found[3] == ("drawn", "drawn", 81, 100, 81)
    assert found[2][:2] == ("filled", "filled")
    assert set(found) == {1, 2, 3, 4}
    assert {s.slice: s.dice for s in pair.slices}[3] == pytest.approx(2 * 81 / 181)
    assert pair.height_mm == pytest.approx(9 * 0.6)
    assert pair.level_mm == 0


def test_a_mask_that_was_changed_after_signing_is_refused(tmp_path: Path) -> None:
    study = read_study(tmp_path / "study")
    one, two = sorted((study / "readings/reader1/first").glob("*.seg.nrrd"))
    hand = None
    with Desk(study) as desk:
        hand = hand_of(desk, "reader1", "P000")
        hand.reopen()
        hand.polygon(3, square(2, 2, 5))
        hand.submit()
        token = hand.token
    changed = one if one.name.startswith(token) else two
    other = two if changed is one else one
    changed.write_bytes(other.read_bytes())
    before = (study / "cases.csv").read_bytes()
    with refused("mask-changed"):
        close_room(study)
    assert (study / "cases.csv").read_bytes() == before


def test_columns_of_somebody_else_are_not_overwritten(tmp_path: Path) -> None:
    study = small_study(tmp_path / "study", 2, "training: {cases: 0}\nreaders: [senior]\n")
    with Desk(study) as desk:
        for token in tokens_of(desk, "senior").values():
            outline(Hand(desk, "senior", token).open()).submit()
    before = (study / "cases.csv").read_bytes()
    with refused("column-in-use", ManifestError) as caught:
        close_room(study)
    assert "mask:senior" in caught.value.message
    assert (study / "cases.csv").read_bytes() == before


def test_a_workbook_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    study = read_study(tmp_path / "study")
    (study / "cases.csv").rename(study / "cases.xlsx")
    with refused("not-plain-text", ManifestError):
        close_room(study)
    assert not (study / "readings/closed.json").exists()


def test_a_study_without_a_room_is_told_so(tmp_path: Path) -> None:
    study = small_study(tmp_path / "study", 2)
    (study / "readings/room.yaml").unlink()
    with refused("no-room"):
        close_room(study)
    assert not (study / "readings/room.yaml").exists()


def test_odd_tables_keep_all_other_cells(tmp_path: Path) -> None:
    """Semicolons, a byte order mark, CRLF, quotation marks; ids that are numbers."""
    study = read_study(tmp_path / "study")
    plain = (study / "cases.csv").read_text().splitlines()
    odd = "\ufeff" + "\r\n".join(
        '"' + '";"'.join(line.split(",")) + '";' + ('"a ""b"";\nc"' if k else "note")
        for k, line in enumerate(plain)
    )
    (study / "cases.csv").write_text(odd, newline="")
    close_room(study)
    after = (study / "cases.csv").read_bytes().decode()
    assert after.startswith("\ufeff")
    for k, (old, new) in enumerate(zip(odd.split("\r\n"), after.split("\r\n"), strict=True)):
        assert new.startswith(old + ";" + ("readings/" if k else "mask:reader1"))
    cohort = read_manifest(study / "cases.csv")
    assert cohort.readers == ("reader1", "reader2")


def test_the_report_counts_what_was_signed(tmp_path: Path) -> None:
    study = read_study(tmp_path / "study", n=3)
    close_room(study)
    found = readings_of(open_study(study))
    assert found is not None
    for summary in found.by_reader():
        records = read_signed(study, summary.reader, "first").values()
        told = [name for record in records for name in record.provenance]
        assert {name: told.count(name) for name in summary.slices} == dict(summary.slices)
        minutes = sorted(record.seconds / 60 for record in records)
        assert summary.minutes == pytest.approx((minutes[1], minutes[0], minutes[2]))
    assert sum(s.slices for s in found.by_made()) == 3 * 4


def test_a_case_signed_anew_after_closing_is_not_reported(tmp_path: Path) -> None:
    study = read_study(tmp_path / "study")
    close_room(study)
    with Desk(study) as desk:
        hand = hand_of(desk, "reader1", "P000")
        hand.reopen()
        hand.polygon(3, square(6, 6, 9))
        hand.submit()
    with refused("closed-before"):
        readings_of(open_study(study))
    close_room(study)
    assert readings_of(open_study(study)) is not None


def test_masks_from_elsewhere_have_no_readings(tmp_path: Path) -> None:
    study = small_study(tmp_path / "study", 2)
    assert readings_of(open_study(study)) is None


def test_only_the_report_and_the_manuscript_hang_on_the_readings(tmp_path: Path) -> None:
    """Their keys are those of any study where masks come from elsewhere."""
    plain = open_study(small_study(tmp_path / "plain", 2))
    for stage in ("report", "manuscript"):
        left = plain.stages.digests_of(*made_before(plain, stage))
        choices = plain.protocol.model_dump(mode="json")
        assert KEYS[stage](plain) == job_key(stage, PACKAGES, protocol=choices, results=left)
    study = read_study(tmp_path / "study")
    close_room(study)
    stages = ("extract", "evaluate", "freeze", "report", "manuscript")
    before = {stage: KEYS[stage](open_study(study)) for stage in stages}
    with Desk(study) as desk:
        hand = hand_of(desk, "reader1", "P000")
        hand.reopen()
        hand.quality(comment="on second thoughts")
        hand.submit()
    close_room(study)
    after = {stage: KEYS[stage](open_study(study)) for stage in stages}
    assert {stage for stage in stages if before[stage] != after[stage]} == {"report", "manuscript"}
