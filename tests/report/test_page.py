"""The page for everybody: keyboard, screen reader, low sight, paper; and in a browser."""

import json
import os
import re
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from centrum.report.build import drawn_document, page_of, sections_of
from centrum.report.html import render_html
from centrum.report.patient import page_of as file_of, render_index
from centrum.report.results import StudyResults
from centrum.report.sections.caveats import caveats

from .conftest import SIMULATED, Make
from .test_report import Page

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
PAGE_BYTES, CASE_BYTES = 2_600_000, 14_000
"""Of the page without its cases, and of each case: 100 cases take at most 4 MB."""


@pytest.fixture(scope="module")
def text(written: Path) -> str:
    return (written / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


@pytest.fixture(scope="module")
def style(text: str) -> str:
    return re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]


def test_it_stays_small(text: str, results: StudyResults) -> None:
    data = re.search(r'id="data-cases">(.*?)</script>', text, re.DOTALL)[1]
    n = len(results.scores)
    assert len(data) < CASE_BYTES * n
    assert len(text) - len(data) < PAGE_BYTES
    assert PAGE_BYTES + 100 * CASE_BYTES <= 4_000_000


def test_real_patients_are_not_called_simulated(make: Make) -> None:
    real = make(simulated="")
    page = render_html(page_of(real, {}), drawn_document(sections_of(real)).blocks)
    assert "imulated" not in page
    assert page.count("not a medical device") >= 2


def test_caveats_lead_somewhere(text: str, results: StudyResults) -> None:
    for point in caveats(results).points:
        assert not point.anchor or text.count(f'id="{point.anchor}"') == 1, point


def test_what_the_script_shows_is_json(text: str) -> None:
    found = re.findall(r'<script type="application/json" id="data-(\w+)">(.*?)</script>', text)
    data = {name: json.loads(content, parse_constant=pytest.fail) for name, content in found}
    assert data.keys() == {"roc", "cases", "nomogram"}


def test_readings_stand_above_their_captions(text: str) -> None:
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", text, re.DOTALL)
    for caption in captions:
        assert re.match(r'<span class="reading">[^<]{20,}\.</span>\s*<strong>Figure', caption)


def test_headings_have_an_order_and_every_head_its_scope(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(attrs.get("scope") in ("row", "col") for tag, attrs in page.tags if tag == "th")


def test_the_contents_can_be_skipped_folded_and_come_back_to(
    page: Page, text: str, results: StudyResults
) -> None:
    hrefs = page.attributes("a", "href")
    assert hrefs[0] == "#content"
    assert ("main", "-1") in [(tag, a.get("tabindex")) for tag, a in page.tags if "id" in a]
    assert hrefs.count("#contents") == len(sections_of(results))
    assert re.search(r"<nav[^>]*>\s*<details open>\s*<summary>", text)


def test_only_marked_tables_have_sort_keys(text: str) -> None:
    marked = re.findall(r"<table data-sorts>.*?</table>", text, re.DOTALL)
    assert any("Table S4." in table for table in marked)
    assert text.count("data-value=") == sum(table.count("data-value=") for table in marked) > 0


def test_motion_and_paper_are_thought_of(style: str) -> None:
    still = re.sub(
        r"@media \(prefers-reduced-motion: reduce\) \{.*?\n\}", "", style, flags=re.DOTALL
    )
    motion = still.split("@media (prefers-reduced-motion: no-preference)")
    assert len(motion) == 2
    assert "scroll-behavior" not in motion[0]
    assert not re.search(r"transition|animation", still)
    paper = style.split("@media print")[-1]
    for name in ("nav", ".explorer", ".filter", ".back", ".case"):
        assert re.search(rf"[\s,]{re.escape(name)}[\s,][^}}]*display: none", paper), name


ACTS = """
const said = {};
addEventListener("error", (event) => { said.error = event.message; });
const table = document.querySelector("#table-agreement table");
const heads = [...table.tHead.rows[0].cells];
const at = heads.findIndex((cell) => cell.textContent.includes("ICC"));
const icc = () => [...table.tBodies[0].rows].map((row) => Number(row.cells[at].dataset.value));
const button = heads[at].querySelector("button");
button.click();
said.rising = icc();
button.click();
said.falling = icc();
said.sort = heads[at].getAttribute("aria-sort");
const field = document.querySelector("#table-agreement input");
field.value = "CONTRAST";
field.dispatchEvent(new Event("input"));
said.rows = [...table.tBodies[0].rows].filter((row) => !row.hidden).map((row) => row.cells[0].textContent);
said.roc = document.querySelector(".explorer [aria-live]").textContent;
const dialog = document.querySelector("dialog");
document.querySelector("#cases tbody button").click();
said.open = dialog.open;
said.first = dialog.querySelector("h3").textContent;
said.parts = [...dialog.querySelectorAll(".parts tbody tr")].map((row) => row.lastChild.textContent);
said.outline = dialog.querySelectorAll(".roi path.outline").length;
dialog.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight" }));
said.second = dialog.querySelector("h3").textContent;
dialog.close();
said.wide = [document.documentElement.scrollWidth, innerWidth];
document.querySelector("#table-agreement").scrollIntoView();
said.marks = [...document.querySelectorAll(".mark")]
  .filter((mark) => mark.getClientRects().length && mark.getBoundingClientRect().top >= 0)
  .map((mark) => mark.textContent);
setTimeout(() => {
  said.focus = document.activeElement.textContent;
  location.hash = "#table-agreement";
  setTimeout(() => {
    said.unfolded = document.querySelector("#table-agreement").open;
    document.title = JSON.stringify(said);
  }, 200);
}, 200);
"""  # noqa: E501


@pytest.fixture(scope="module")
def said(text: str, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What a browser says after the acts above."""
    folder = tmp_path_factory.mktemp("browser")
    acted = folder / "page.html"
    acted.write_text(text.replace("</body>", f"<script>{ACTS}</script></body>"), encoding="utf-8")
    options = ("--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=3000",
               "--window-size=400,900",
               f"--user-data-dir={folder}", "--dump-dom")  # fmt: skip
    done = subprocess.run([str(CHROMIUM), *options, acted.as_uri()], capture_output=True,
                          check=True, timeout=120, text=True)  # fmt: skip
    titles = [found for tag, found in Page(done.stdout).texts if tag == "title"]
    return json.loads(titles[0])


@pytest.mark.skipif(
    CHROMIUM is None and "CI" not in os.environ, reason="there is no browser (chromium)"
)
def test_the_script_does_what_it_says(said: dict, results: StudyResults) -> None:
    assert "error" not in said
    assert said["rising"] == sorted(results.agreement["icc"])
    assert said["falling"] == said["rising"][::-1]
    assert said["sort"] == "descending"
    names = [name for name in results.agreement.index if "contrast" in name.lower()]
    assert sorted(said["rows"]) == sorted(names)
    confusion = results.evaluation.by_set["test"].confusion
    assert f"{confusion.tp} of {confusion.tp + confusion.fn} malignant" in said["roc"]
    assert said["open"]
    assert said["unfolded"]
    first, second, *_ = results.scores.index
    assert said["first"].startswith(f"Case {first}: ")
    assert said["second"].startswith(f"Case {second}: ")
    assert said["focus"] == second
    assert said["outline"] == 1
    *parts, score = (float(part.replace("−", "-")) for part in said["parts"])
    assert sum(parts) == pytest.approx(score, abs=0.005 * len(parts))
    assert score == pytest.approx(results.scores["score"].iloc[0], abs=0.006)


@pytest.mark.skipif(
    CHROMIUM is None and "CI" not in os.environ, reason="there is no browser (chromium)"
)
def test_a_narrow_page_scrolls_down_only_and_stays_marked(said: dict) -> None:
    whole, window = said["wide"]
    assert whole <= window <= 520
    assert said["marks"] == [SIMULATED]


def test_an_id_of_a_hundred_letters_breaks_and_others_do_not() -> None:
    names = ("x" * 100, "P001")
    model: Any = SimpleNamespace(name="m", positive="malignant", simulated="")
    scores: Any = [SimpleNamespace(case=name, refused=True, flags=()) for name in names]
    page = render_index(model, scores)
    assert [f'class="long"><a href="{file_of(name)}"' in page for name in names] == [True, False]
