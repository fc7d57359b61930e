"""Another sequence beside the slice, where the study shows it: in its own scale and window."""

import csv
from collections.abc import Iterator

import numpy as np
import pytest
import SimpleITK as sitk

from tests.studies import write_rows
from tests.web.browser.places import Room, make_study, open_room
from tests.web.browser.sight import Eyes

GREYS = """(pane) => { const canvas = document.querySelectorAll(".pane .image")[pane];
  const context = canvas.getContext("2d");
  const [x, y] = [canvas.width / 2 - 60, canvas.height / 2 - 60];
  return [...context.getImageData(x, y, 120, 120).data].filter((_, n) => n % 4 === 0); }"""


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """The other sequences are the same image, in thousandths: their numbers are not whole."""
    folder = tmp_path_factory.mktemp("sequences") / "study"
    study = make_study(folder, spare=3, shown={"sequences": True})
    with (study / "cases.csv").open() as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        name = f"{row['case']} other.nrrd"
        other = sitk.Cast(sitk.ReadImage(study / row["image"]), sitk.sitkFloat32) / 1000
        sitk.WriteImage(other, study / name)
        row["image:T1"] = row["image:PD"] = name
        row["image:T2"] = row.pop("image")
    write_rows(study, rows)
    (study / "study.yaml").write_text("preset: vcf-t2w\nimages: {weighting: null, sequence: T2}\n")
    with open_room(study) as found:
        yield found


def test_it_is_shown_in_a_window_of_its_own(eyes: Eyes):
    eyes.open().press("1")
    eyes.page.select_option("#sequence", "T1")
    eyes.page.wait_for_selector(".beside")
    eyes.settle()
    eyes.settle()
    first, second = (np.array(eyes.page.evaluate(GREYS, pane)) for pane in (0, 1))
    assert np.ptp(first) > 200
    assert np.abs(first - second).mean() < 3
    assert eyes.console == []


def test_the_sequence_that_was_chosen_last_is_shown(eyes: Eyes):
    """One that is slow to come does not stand beside it."""
    eyes.open()
    held = eyes.hold("/pixels?sequence=T1")
    eyes.page.select_option("#sequence", "T1")
    eyes.page.select_option("#sequence", "PD")
    eyes.page.wait_for_selector(".beside")
    with eyes.page.expect_response("**/pixels?sequence=T1"):
        held.go()
    eyes.settle()
    assert eyes.page.locator(".beside").count() == 1
    assert eyes.page.locator(".beside .overlay").get_attribute("aria-label") == "PD"
