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

from centrum.report.build import sections_of
from centrum.report.patient import page_of, render_index
from centrum.report.results import StudyResults
from centrum.report.sections.caveats import caveats

from .test_report import Page

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
MOST_BYTES = 8_000_000


@pytest.fixture(scope="module")
def text(written: Path) -> str:
    return (written / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


@pytest.fixture(scope="module")
def style(text: str) -> str:
    return re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]


def test_it_stays_small(text: str) -> None:
    assert len(text) < MOST_BYTES


def test_caveats_lead_somewhere(text: str, results: StudyResults) -> None:
    for point in caveats(results).points:
        assert not point.anchor or text.count(f'id="{point.anchor}"') == 1, point


def test_what_the_script_shows_is_json(text: str) -> None:
    found = re.findall(r'<script type="application/json" id="data-(\w+)">(.*?)</script>', text)
    data = {name: json.loads(content, parse_constant=pytest.fail) for name, content in found}
    assert data.keys() == {"roc", "cases"}


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


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
    channels = [int(digits[k : k + 2], 16) / 255 for k in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _contrast(a: str, b: str) -> float:
    dark, light = sorted((_luminance(a), _luminance(b)))
    return (light + 0.05) / (dark + 0.05)


def test_text_stands_out_from_what_it_is_on(style: str) -> None:
    names = dict(re.findall(r"--(\w+): (#\w+);", style))
    plain = re.sub(r"var\(--(\w+)[^)]*\)", lambda m: names.get(m[1], m[0]), style)
    assert _contrast("#000000", "#ffffff") == pytest.approx(21)
    for colour in set(re.findall(r"[^-]color: (#\w+)", plain)):
        # Text of these colours is on white, on the pale grey, or on the backgrounds of the marks.
        for ground in ("#ffffff", names["pale"]):
            assert _contrast(colour, ground) >= 4.5, (colour, ground)
    assert _contrast("#5c2a00", "#fff1dc") >= 4.5
    assert _contrast("#b35900", "#ffffff") >= 3, "what has the focus"


def test_motion_and_paper_are_thought_of(style: str) -> None:
    motion = style.split("@media (prefers-reduced-motion: no-preference)")
    assert len(motion) == 2
    assert "scroll-behavior" not in motion[0]
    assert not re.search(r"transition|animation", style)
    paper = style.split("@media print")[1]
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


def test_an_id_of_a_hundred_letters_breaks_and_others_do_not() -> None:
    names = ("x" * 100, "P001")
    model: Any = SimpleNamespace(name="m", positive="malignant", simulated="")
    scores: Any = [SimpleNamespace(case=name, refused=True, flags=()) for name in names]
    page = render_index(model, scores)
    assert [f'class="long"><a href="{page_of(name)}"' in page for name in names] == [True, False]
