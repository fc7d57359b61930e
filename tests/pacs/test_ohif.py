"""What a reader of OHIF sees of objects that lie in a real archive."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image

from centrum.commands import pacs
from centrum.pacs.report_object import encapsulated_pdf, secondary_capture
from centrum.pacs.seg import segmentation
from centrum.pacs.source import encoded
from centrum.pacs.sr import measurement_report
from tests.docs.pages import DOCS
from tests.pacs import ohif
from tests.pacs.bodies import BRIGHT, Exam, exam
from tests.pacs.browser import Page, browser
from tests.pacs.conftest import write_profile
from tests.pacs.models import model
from tests.pacs.orthanc import Orthanc
from tests.pacs.test_sr import scored

pytestmark = pytest.mark.slow

COLOURED = 30
"""By how much a pixel's channels differ at least that is not grey."""


@pytest.fixture(scope="session")
def viewer() -> Path:
    return ohif.built()


@pytest.fixture
def bodies(tmp_path: Path) -> Exam:
    """Whose bodies are white."""
    return exam(tmp_path / "exam", WindowCenter=str(BRIGHT / 2), WindowWidth=str(BRIGHT))


@contextmanager
def opened(
    viewer: Path, orthanc: Orthanc, one: Exam, tmp_path: Path, *objects: pydicom.Dataset
) -> Iterator[Page]:
    """The study in the viewer, once its first series is shown."""
    folder = tmp_path / "objects"
    folder.mkdir()
    for number, made in enumerate(objects):
        (folder / f"{number}.dcm").write_bytes(encoded(made))
    profile = write_profile(tmp_path / "private", orthanc, "web")
    assert pacs.send(profile, [one.folder, folder]).complete
    with ohif.served(viewer, orthanc) as address:
        study = one.source.first.StudyInstanceUID
        with browser(tmp_path / "b", f"{address}/viewer?StudyInstanceUIDs={study}") as page:
            for words in ("Confirm and hide", "Skip all"):
                page.click(page.middle(button(words)))
            shown_slice(page)
            yield page


def button(words: str) -> str:
    return f"[...document.querySelectorAll('button')].find(e => e.innerText === '{words}')"


def part(name: str) -> str:
    return f"document.querySelector('[data-cy=\"{name}\"]')"


def open_series(page: Page, modality: str) -> None:
    labels = "[...document.querySelectorAll('[data-cy=\"series-modality-label\"]')]"
    page.click(page.middle(f"{labels}.find(e => e.innerText === '{modality}')"), times=2)


TOAST = "document.querySelector('[data-sonner-toast]')"
"""A message that comes and goes."""


def viewport(page: Page) -> np.ndarray:
    """What it shows, without the frame around it and messages before it."""
    page.wait(f"!{TOAST}")
    box = page.run(f"(b => [b.x, b.y, b.right, b.bottom])({part('viewport-pane')}"
                   ".getBoundingClientRect())")  # fmt: skip
    left, top, right, bottom = map(round, box)
    return page.settled()[top + 3 : bottom - 3, left + 3 : right - 3]


def shown_slice(page: Page) -> int:
    """Counted from 1, in the viewer's order."""
    said = page.wait(
        f"{part('viewport-overlay-bottom-right')}?.innerText.match(/\\((\\d+)\\/\\d+\\)/)"
    )
    return int(said[1])


def slices(page: Page, n: int) -> list[np.ndarray]:
    """Pictures of all slices in the viewer's order."""
    x, y = page.middle(part("viewport-pane"))
    pictures = []
    for number in range(1, n + 1):
        while (shown := shown_slice(page)) != number:
            page.roll((x - 400, y + 200), 100 if number > shown else -100)
            time.sleep(0.3)
        pictures.append(viewport(page))
    return pictures


def keep(page: Page, path: Path) -> None:
    """The whole page, to be looked at."""
    Image.fromarray(page.settled().astype("u1")).save(path)


def colour(picture: np.ndarray) -> np.ndarray:
    """Without what is grey in it."""
    return picture - picture.min(axis=-1, keepdims=True)


def named_colours(page: Page) -> dict[str, np.ndarray]:
    """Of the segments, as the viewer's list of them has them."""
    page.click(page.middle(part("panelSegmentation-btn")))
    rows = page.wait("""(rows => rows.length && rows.map(row => [row.innerText,
        row.querySelector('[style*=background-color]').style.backgroundColor]))(
        [...document.querySelectorAll('[data-cy="data-row"]')])""")
    return {text.split()[-1]: np.array([*map(int, re.findall(r"\d+", c))]) for text, c in rows}


@pytest.mark.parametrize("kind", ["BINARY", "LABELMAP"])
def test_each_vertebra_has_its_colour_on_each_of_its_slices(
    viewer: Path, orthanc: Orthanc, bodies: Exam, tmp_path: Path, kind: str
) -> None:
    n = bodies.image.geometry.size[2]
    made = segmentation(bodies.source, bodies.regions, kind)
    with opened(viewer, orthanc, bodies, tmp_path, made) as page:
        plain = slices(page, n)
        open_series(page, "SEG")
        page.click(page.middle(button("Yes")))
        page.wait(f"!{button('Yes')}")
        drawn = slices(page, n)
        named = named_colours(page)
        keep(page, tmp_path / "segmentation.png")
    named.pop("Background", None)  # of a LABELMAP
    assert list(named) == ["L1", "L2"]
    hues = np.array([colour(rgb) / np.linalg.norm(colour(rgb)) for rgb in named.values()])
    seen = []
    for before, after in zip(plain, drawn, strict=True):
        grey = (colour(before).max(axis=-1) < COLOURED) & (before.max(axis=-1) > 0)
        bright = grey & (before.min(axis=-1) > 127)
        over = grey & (colour(after).max(axis=-1) >= COLOURED)
        assert (bright & over).sum() >= 0.95 * (bright | over).sum()
        # L1 lies in the upper half of the image, L2 in the lower.
        likest = np.where(over, np.argmax(colour(after) @ hues.T, axis=-1), -1)
        upper, lower = (set(np.unique(half)) - {-1} for half in np.array_split(likest, 2))
        assert upper <= {0}
        assert lower <= {1}
        seen.append((bool(upper), bool(lower)))
    with_body = [tuple(r.mask.array[z].any() for r in bodies.regions) for z in range(n)]
    assert seen in (with_body, with_body[::-1])


def test_the_page_is_shown_as_a_picture_but_neither_report_nor_pdf(
    viewer: Path, orthanc: Orthanc, bodies: Exam, tmp_path: Path
) -> None:
    """As the how-to on giving results back says."""
    sheet = Image.open(DOCS / "how-to" / "secondary-capture.png").convert("RGB")
    document = BytesIO()
    sheet.save(document, "pdf")
    segmented = segmentation(bodies.source, bodies.regions)
    objects = (
        segmented,
        measurement_report(model(), bodies.source, segmented, scored(bodies)),
        secondary_capture(sheet, bodies.source),
        encapsulated_pdf(document.getvalue(), bodies.source),
    )
    with opened(viewer, orthanc, bodies, tmp_path, *objects) as page:
        open_series(page, "SR")
        keep(page, tmp_path / "report.png")
        assert page.wait(f"{TOAST}?.innerText").startswith("Something went wrong")
        assert viewport(page).max() < 20
        open_series(page, "DOC")
        page.wait(f"!!{part('viewport-pane')}.querySelector('object')")
        assert viewport(page).max() < 20
        open_series(page, "OT")
        page.wait(f"{part('viewport-overlay-bottom-right')}?.innerText.includes('1/1')")
        shown = viewport(page)
        keep(page, tmp_path / "capture.png")
    width = round(len(shown) * sheet.width / sheet.height)
    left = (shown.shape[1] - width) // 2
    found = Image.fromarray(shown[:, left : left + width].astype("u1"))
    coarse = [np.asarray(each.resize((35, 50)))[10:].ravel() for each in (found, sheet)]
    assert np.corrcoef(coarse)[0, 1] > 0.95
