"""Images at the desk: which is shown, whether it is the same, proposals, sequences, DICOM."""

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from centrum.cohort.readings import read_signed
from centrum.errors import DataError
from centrum.io import read_image, read_mask
from centrum.reading.desk import Desk
from tests.archives import Exam, pixels, write_series
from tests.reading.hands import Hand, new_id, small_study, square
from tests.studies import image_of, intensities, read_rows, write_rows


def refused(code: str):
    return pytest.raises(DataError, check=lambda error: error.code == code)


def case_of(desk: Desk, hand: Hand) -> str:
    return desk._book.get(hand.token).case  # type: ignore[union-attr]


def test_pixels_are_those_of_the_image(tmp_path: Path) -> None:
    study = small_study(tmp_path / "study")
    with Desk(study) as desk:
        hand = Hand.at(desk)
        scale = hand.view["scale"]
        sent = np.frombuffer(desk.pixels("reader1", hand.token), "<i2").reshape(hand.view["shape"])
        image = read_image(study / f"images/{case_of(desk, hand)}.nrrd")
        shown = sent * scale["slope"] + scale["intercept"]
        assert np.abs(shown - image.array).max() <= 0.51 * scale["slope"]


def test_another_image_than_was_drawn_on_is_refused(tmp_path: Path) -> None:
    study = small_study(tmp_path / "study")
    with Desk(study) as desk:
        hand = Hand.at(desk)
        file = study / f"images/{case_of(desk, hand)}.nrrd"
    shutil.copy(file, tmp_path / "kept")
    sitk.WriteImage(image_of(intensities(np.random.default_rng(99), True)), file)
    with Desk(study) as desk, refused("image-changed"):
        desk.open("reader1", hand.token)
    shutil.copy(tmp_path / "kept", file)
    with Desk(study) as desk:
        desk.open("reader1", hand.token)


def test_the_second_reader_gets_the_image_of_the_first(tmp_path: Path) -> None:
    study = small_study(tmp_path / "study", n=1)
    with Desk(study) as desk:
        hand = Hand.at(desk)
        file = study / f"images/{case_of(desk, hand)}.nrrd"
    sitk.WriteImage(image_of(intensities(np.random.default_rng(99), True)), file)
    with Desk(study) as desk, refused("image-changed"):
        Hand.at(desk, "reader2")


@pytest.mark.parametrize("wrong", ["missing", "damaged", "folder"])
def test_an_image_that_cannot_be_read_is_told_without_its_name(tmp_path: Path, wrong: str) -> None:
    study = small_study(tmp_path / "study", n=1)
    file = study / "images/P000.nrrd"
    file.unlink()
    if wrong == "damaged":
        file.write_bytes(b"NRRD0004\n")
    elif wrong == "folder":
        file.mkdir()
    with Desk(study) as desk:
        token = desk.worklist("reader1")[0]["token"]
        for verb in (lambda: desk.open("reader1", token), lambda: desk.pixels("reader1", token)):
            with refused("unreadable-image") as error:
                verb()
            told = f"{error.value} {error.value.remedy} {getattr(error.value, '__notes__', '')}"
            assert "P000" not in told
            assert error.value.file == ""
        assert desk.worklist("reader1")[0]["state"] == "new"


SEQUENCES = "shown: {sequences: true}\ntraining: {cases: 0}"


def two_sequences(folder: Path, room: str) -> Path:
    """A study with a second sequence of other voxels: a ramp from left to right."""
    study = small_study(folder, n=2, room=room)
    ramp = np.broadcast_to(np.arange(14, dtype=np.float32) * 10, (7, 12, 14))
    image = sitk.GetImageFromArray(ramp)
    image.SetSpacing((1.2, 1.2, 4.4))
    rows = read_rows(study)
    for row in rows:
        sitk.WriteImage(image, study / f"images/{row['case']}_ramp.nrrd")
        row["image:RAMP"] = f"images/{row['case']}_ramp.nrrd"
    write_rows(study, rows)
    protocol = study / "study.yaml"
    protocol.write_text(protocol.read_text() + "images: {sequence: default}\n")
    return study


def test_other_sequences_lie_on_the_same_slices(tmp_path: Path) -> None:
    with Desk(two_sequences(tmp_path / "study", SEQUENCES)) as desk:
        hand = Hand.at(desk)
        assert hand.view["sequences"] == ["RAMP"]
        sent = np.frombuffer(desk.pixels("reader1", hand.token, "RAMP"), "<i2").reshape(7, 24, 26)
        view = desk.sequence_view("reader1", hand.token, "RAMP")
        shown = sent * view["scale"]["slope"] + view["scale"]["intercept"]
        assert np.allclose(shown[:, :23, :25], np.arange(25) * 5, atol=0.01)
        with refused("no-sequence"):
            desk.pixels("reader1", hand.token, "default")


def test_other_sequences_are_not_shown_unless_the_study_says_so(tmp_path: Path) -> None:
    with Desk(two_sequences(tmp_path / "study", "training: {cases: 0}")) as desk:
        hand = Hand.at(desk)
        assert hand.view["sequences"] == []
        with refused("no-sequence"):
            desk.pixels("reader1", hand.token, "RAMP")


PROPOSALS = "training: {{cases: 0}}\nassistance: {{proposals: {{column: '{}', scratch_share: {}}}}}"


def with_proposals(folder: Path, head: str = "proposal", share: float = 0.4, n: int = 5) -> Path:
    """A study that proposes the masks of the senior."""
    study = small_study(folder, n=n, room=PROPOSALS.format(head, share))
    rows = read_rows(study)
    for row in rows:
        row[head] = row["mask:senior"]
        row.pop("mask:resident")
        if head != "mask:senior":
            row.pop("mask:senior")
    write_rows(study, rows)
    return study


@pytest.mark.parametrize("head", ["proposal", "mask:senior"])
def test_a_proposal_is_taken_over_after_the_level(tmp_path: Path, head: str) -> None:
    study = with_proposals(tmp_path / "study", head, share=0)
    with Desk(study) as desk:
        hand = Hand.at(desk)
        assert hand.view["proposal"]
        sent = {"id": new_id()}
        with refused("level-first"):
            desk.use_proposal("reader1", hand.token, sent, hand.revision)
        hand.level()
        hand.polygon(3, square(3, 3, 4))
        hand.nobody(6)
        state = desk.use_proposal("reader1", hand.token, sent, hand.revision)
        assert desk.use_proposal("reader1", hand.token, sent, 0) == state
        hand.revision = state["revision"]
        image = read_image(study / f"images/{case_of(desk, hand)}.nrrd")
        wanted = read_mask(study / f"masks/{case_of(desk, hand)}_senior.nrrd", image).array
        drawn = desk._shelves["reader1", "first"].case(hand.token).state.mask()  # type: ignore[union-attr]
        assert (drawn[[1, 2, 4, 5]] == wanted[[1, 2, 4, 5]]).all()
        assert drawn[3].sum() == 16
        provenance = [outline["provenance"] for outline in state["slices"]]
        assert provenance[1:] == ["proposed", "proposed", "drawn", "proposed", "proposed", "nobody"]
        hand.polygon(4, square(3, 3, 4))
        assert hand.state["slices"][4]["provenance"] == "proposed_corrected"
        assert desk._shelves["reader1", "first"].journal._number == 6


def test_a_share_is_drawn_from_scratch_by_all_readers(tmp_path: Path) -> None:
    study = with_proposals(tmp_path / "study")
    with Desk(study) as desk:
        proposed = {}
        for reader in desk.readers():
            hands = [Hand.at(desk, reader, place) for place in range(5)]
            proposed[reader] = {case_of(desk, h): h.view["proposal"] for h in hands}
            for hand in hands:
                if not hand.view["proposal"]:
                    hand.level()
                    with refused("no-proposal"):
                        desk.use_proposal(reader, hand.token, {"id": new_id()}, hand.revision)
        assert proposed["reader1"] == proposed["reader2"]
        assert sorted(proposed["reader1"].values()) == [False, False, True, True, True]


def test_which_cases_are_from_scratch_stays_when_cases_are_added(tmp_path: Path) -> None:
    study = with_proposals(tmp_path / "study", n=8)
    rows = read_rows(study)
    write_rows(study, rows[:5])
    with Desk(study) as desk:
        before = {t.token: t.from_scratch for t in desk._tickets("reader1", "first")}
    write_rows(study, rows)
    with Desk(study) as desk:
        after = {t.token: t.from_scratch for t in desk._tickets("reader1", "first")}
    assert before.items() <= after.items()
    assert len(after) == 8


def test_a_series_gets_a_dicom_segmentation_beside(tmp_path: Path) -> None:
    highdicom = pytest.importorskip("highdicom")
    study = small_study(tmp_path / "study", n=1)
    write_series(study / "images/series", Exam(), 1, pixels(1))
    write_rows(study, [{"case": "P1", "level": "L1", "image": "images/series"}])
    with Desk(study) as desk:
        hand = Hand.at(desk)
        hand.level(k=0, x=2, y=2)
        for k in range(hand.view["shape"][0]):
            hand.polygon(k, square(1, 1 + k % 3, 4))
        hand.submit()
        folder = study / "readings/reader1/first"
        image = read_image(study / "images/series")
        plain = read_mask(folder / f"{hand.token}.seg.nrrd", image)
        dicom = read_mask(folder / f"{hand.token}.seg.dcm", image)
        assert (plain.array == dicom.array).all()
        assert plain.n_voxels == 16 * hand.view["shape"][0]
        assert (plain.name, dicom.name) == ("L1", "L1")
        assert "without_dicom" not in (folder / "journal.jsonl").read_text()
        assert highdicom


def test_a_crash_between_journal_and_record_is_mended(tmp_path: Path) -> None:
    study = small_study(tmp_path / "study")
    with Desk(study) as desk:
        hands = [Hand.at(desk, place=place).read() for place in range(2)]
    whole = read_signed(study, "reader1", "first")
    path = study / "readings/reader1/first/signed.json"
    for text in (None, "{}"):
        path.unlink() if text is None else path.write_text(text)
        Desk(study).close()
        assert read_signed(study, "reader1", "first") == whole
    with Desk(study) as desk:
        kept = path.read_text()
        hands[0].desk = desk
        hands[0].reopen()
    path.write_text(kept)
    Desk(study).close()
    assert [*read_signed(study, "reader1", "first")] == [hands[1].token]


def test_strokes_from_many_threads_are_all_kept(tmp_path: Path) -> None:
    with Desk(small_study(tmp_path / "study")) as desk:
        hands = [Hand.at(desk, reader, p) for reader in desk.readers() for p in range(3)]
        failed: list[Exception] = []

        def draw(hand: Hand) -> None:
            try:
                hand.level()
                for k in range(20):
                    hand.polygon(k % 7, square(3, 3, 2 + k % 9))
                    hand.desk.pixels(hand.reader, hand.token)
            except Exception as error:
                failed.append(error)

        threads = [threading.Thread(target=draw, args=(hand,)) for hand in hands]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not failed
        assert all(hand.state["revision"] == 21 for hand in hands)


def test_a_proposal_waits_for_the_level_even_where_no_stroke_does(tmp_path: Path) -> None:
    study = with_proposals(tmp_path / "study", share=0)
    room = study / "readings/room.yaml"
    room.write_text(room.read_text() + "\nconfirm_level: false\n")
    with Desk(study) as desk:
        hand = Hand.at(desk)
        hand.nobody(6)
        with refused("level-first"):
            desk.use_proposal("reader1", hand.token, {"id": new_id()}, hand.revision)
        hand.level()
        desk.use_proposal("reader1", hand.token, {"id": new_id()}, hand.revision)
