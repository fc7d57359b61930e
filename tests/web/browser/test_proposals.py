"""What another program proposes: shown as such, corrected, and told slice by slice on the disk."""

import csv
import json
from collections.abc import Iterator

import numpy as np
import pytest
import SimpleITK as sitk

from tests.studies import write_rows
from tests.web.browser.places import READER, Room, make_study, open_room
from tests.web.browser.sight import Eyes

PROPOSED = "button:has-text('Take over the proposal')"

CHOICE = {"fill": True, "proposals": {"column": "proposal", "scratch_share": 0}}


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """Boxes are proposed on all slices but the outer two, on each another one."""
    study = make_study(tmp_path_factory.mktemp("proposals") / "study", spare=4, assistance=CHOICE)
    with (study / "cases.csv").open() as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        image = sitk.ReadImage(study / row["image"])
        boxes = np.zeros(image.GetSize()[::-1], dtype=np.uint8)
        for k in range(1, len(boxes) - 1):
            boxes[k, 8:26, 8 : 26 + k] = 1
        made = sitk.GetImageFromArray(boxes)
        made.CopyInformation(image)
        row["proposal"] = f"{row['case']} proposal.nrrd"
        sitk.WriteImage(made, study / row["proposal"])
    write_rows(study, rows)
    with open_room(study) as found:
        yield found


def take_over(eyes: Eyes) -> None:
    eyes.open()
    eyes.page.click(PROPOSED)
    eyes.page.wait_for_selector(".strip [data-state=proposed]")


def proposed(eyes: Eyes) -> np.ndarray:
    """On the grid of the image, as is what was signed."""
    return sitk.GetArrayFromImage(eyes.room.stored(f"{eyes.case} proposal")) != 0


def test_a_proposal_is_told_as_one_on_every_slice_and_not_on_others(eyes: Eyes):
    take_over(eyes)
    assert "proposes slices 2, 3 and 4" in eyes.said()
    assert eyes.states() == ["open", *["proposed"] * 3, "open"]
    badge = eyes.page.locator(".badge")
    assert "Proposed by another program" in badge.inner_text()
    assert "proposed" in (eyes.page.locator(".overlay").get_attribute("aria-label") or "")
    eyes.press("Home")
    assert not badge.is_visible()
    assert eyes.kinds == ["proposal"]


def test_undo_takes_all_of_it_back_and_what_was_drawn_before_stays(eyes: Eyes):
    eyes.open()
    eyes.press("Home", "x", "PageDown").saved()
    eyes.outline([(8, 8), (28, 8), (28, 26)])
    eyes.saved().page.click(PROPOSED)
    eyes.page.wait_for_selector(".strip [data-state=proposed]")
    whole = ["nobody", "drawn", "proposed", "proposed", "open"]
    assert eyes.states() == whole
    eyes.page.click(PROPOSED)
    eyes.page.wait_for_selector(".bar.note")
    assert "somebody has touched" in eyes.page.locator(".bar.note").inner_text()
    held = eyes.hold("/undo")
    eyes.press("Control+z")
    held.asked()
    assert eyes.states() == whole
    held.go()
    eyes.saved()
    assert eyes.states() == ["nobody", "drawn", "open", "open", "open"]
    eyes.press("Control+z").saved()
    assert eyes.states()[1] == "open"
    eyes.press("Control+Shift+z", "Control+Shift+z").saved()
    assert eyes.states() == whole
    assert eyes.kinds == ["edit", "edit", "proposal", "undo", "undo", "redo", "redo"]


def test_what_was_accepted_and_what_was_corrected_is_told_on_the_disk(eyes: Eyes):
    take_over(eyes)
    k = eyes.slice
    eyes.press("e")
    eyes.drag([(8, 16), (26, 16)])
    eyes.saved()
    assert eyes.states()[k] == "proposed_corrected"
    assert not eyes.page.locator(".badge").is_visible()
    eyes.page.reload()
    eyes.page.wait_for_selector(".editor")
    eyes.press("Home", "x", "End", "x").saved().press("s")
    assert "2 slices proposed" in eyes.page.locator("dialog").inner_text()
    eyes.press("Enter")
    eyes.page.wait_for_selector(".bar.signed")
    assert eyes.page.locator(PROPOSED).is_disabled()
    signed = json.loads((eyes.room.study / f"readings/{READER}/first/signed.json").read_text())
    assert signed[eyes.token]["provenance"] == [
        "nobody", "proposed", "proposed_corrected", "proposed", "nobody",
    ]  # fmt: skip
    found = sitk.GetArrayFromImage(eyes.room.signed_mask(eyes.case)) != 0
    same = (found == proposed(eyes)).all(axis=(1, 2))
    assert same.tolist() == [True, True, False, True, True]
    assert not found[2][~proposed(eyes)[2]].any()
