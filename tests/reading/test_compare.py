"""Finished readings beside each other: numbers that are known by hand, and a page that is safe."""

import csv
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from centrum.cohort.readings import read_signed
from centrum.errors import DataError
from centrum.io.open import read_masks
from centrum.reading import compare_page
from centrum.reading.adjudicate import adjudicate
from centrum.reading.compare import compare_case, compare_room
from centrum.reading.compare_page import write_comparison
from centrum.reading.desk import Desk
from centrum.simulate import PhantomSettings
from tests.reading.hands import Hand, square
from tests.reading.rooms import hand_of, outline, read_phantoms, read_study, tokens_of

PIXEL = 0.6 * 0.6


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return read_study(tmp_path / "study", n=3)


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    settings = PhantomSettings(n_malignant=1, n_osteoporotic=1, field_mm=(110.0, 110.0), seed=4)
    folder = read_phantoms(tmp_path_factory.mktemp("room") / "phantoms", settings)
    write_comparison(folder)
    return folder


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text())))


def change(study: Path, reader: str, case: str, *outlines: tuple[int, list]) -> None:
    with Desk(study) as desk:
        hand = hand_of(desk, reader, case)
        hand.reopen()
        for k, polygon in outlines:
            hand.polygon(k, polygon)
        hand.submit()


def test_slices_have_the_numbers_that_are_known_by_hand(study: Path) -> None:
    """Of squares of 9 and 10 pixels 81 are common: Dice 162/181, Jaccard .81, 19 pixels apart."""
    folder = write_comparison(study).folder
    found = {(row["case"], row["slice"]): row for row in table(folder / "agreement_by_slice.csv")}
    assert len(found) == 3 * 4
    row = found["P000", "4"]
    assert float(row["dice"]) == pytest.approx(162 / 181)
    assert float(row["jaccard"]) == pytest.approx(0.81)
    assert float(row["area_a_mm2"]) == pytest.approx(81 * PIXEL)
    assert float(row["area_difference_mm2"]) == pytest.approx(19 * PIXEL)
    assert float(row["hausdorff95_mm"]) == pytest.approx(0.6)
    assert (row["provenance_a"], row["provenance_b"], row["outlines"]) == ("drawn",) * 3
    assert found["P000", "3"]["outlines"] == "filled"


def test_cases_have_the_agreement_of_the_whole_masks(study: Path) -> None:
    folder = write_comparison(study).folder
    for row in table(folder / "agreement_by_case.csv"):
        names = (row["reader_a"], row["reader_b"])
        a, b = (
            read_masks(study / f"readings/{name}/first/{token}.seg.nrrd")[0].array
            for name, token in zip(names, tokens(study, row["case"]), strict=True)
        )
        assert float(row["dice"]) == pytest.approx(2 * (a & b).sum() / (a.sum() + b.sum()))
        assert float(row["volume_difference_ml"]) == pytest.approx(
            (int(b.sum()) - int(a.sum())) * PIXEL * 4.4 / 1000
        )
        assert (row["slices_a"], row["slices_b"], row["slices_of_both"]) == ("4", "4", "4")


def tokens(study: Path, case: str) -> tuple[str, str]:
    with Desk(study) as desk:
        return tokens_of(desk, "reader1")[case], tokens_of(desk, "reader2")[case]


def test_those_that_agree_least_come_first(study: Path) -> None:
    change(study, "reader2", "P001", (3, square(1, 1, 9)), (4, square(1, 1, 9)))
    found = compare_room(study)
    assert found.cases[0].name == "P001"
    dice = [case.whole.dice for case in found.cases]
    assert dice == sorted(dice)
    page = write_comparison(study).folder / "agreement.html"
    shown = re.findall(r"Slice \d+: Dice (0\.\d+|1\.00)", page.read_text())
    by_case = [shown[k : k + 4] for k in range(0, len(shown), 4)]
    assert all(own == sorted(own) for own in by_case)


def test_a_slice_of_one_reader_alone_is_told_as_such(study: Path) -> None:
    change(study, "reader2", "P001", (5, square(7, 6, 9)))
    rows = table(write_comparison(study).folder / "agreement_by_slice.csv")
    (row,) = [row for row in rows if row["outlines"] == "one_only"]
    assert (row["case"], row["slice"], row["provenance_a"]) == ("P001", "6", "nobody")
    assert (float(row["dice"]), row["hausdorff95_mm"]) == (0, "")


def test_only_what_both_have_signed_is_compared(study: Path) -> None:
    with Desk(study) as desk:
        hand_of(desk, "reader2", "P001").reopen()
        both = tokens_of(desk, "reader1")["P001"], tokens_of(desk, "reader2")["P001"]
        signed = tokens_of(desk, "reader1")["P000"], tokens_of(desk, "reader2")["P000"]
    found = compare_room(study)
    assert {case.name for case in found.cases} == {"P000", "P002"}
    assert found.without == ("P001",)
    with pytest.raises(DataError, check=lambda error: error.code == "not-both-signed"):
        compare_case(study, *both)
    with pytest.raises(DataError, check=lambda error: error.code == "not-both-signed"):
        compare_case(study, signed[0], both[1])
    assert compare_case(study, *signed).name == "P000"


def test_nothing_to_compare_is_told(tmp_path: Path) -> None:
    study = read_study(tmp_path / "study", n=1)
    with Desk(study) as desk:
        hand_of(desk, "reader2", "P000").reopen()
    with pytest.raises(DataError, check=lambda error: error.code == "nothing-to-compare"):
        write_comparison(study)
    assert not (study / "results/reading-agreement").exists()


def test_one_reader_twice_is_told_apart(tmp_path: Path) -> None:
    room = "training: {cases: 0}\nsessions: [first, second]\n"
    study = read_study(tmp_path / "study", n=1, room=room)
    with Desk(study) as desk:
        for token in tokens_of(desk, "reader1").values():
            outline(Hand(desk, "reader1", token).open(), size=8).submit()
    rows = table(write_comparison(study).folder / "agreement_by_case.csv")
    assert {(r["reader_a"], r["reader_b"], r["same_reader"]) for r in rows} == {
        ("reader1", "reader2", "False"), ("reader1", "reader1-second", "True"),
    }  # fmt: skip


def test_a_consensus_is_not_compared(study: Path) -> None:
    before = len(compare_room(study).cases)
    adjudicate(study, {"P000": "reader1"}, "a")
    assert len(compare_room(study).cases) == before


def test_slices_are_those_of_the_records(phantoms: Path) -> None:
    rows = table(phantoms / "results/reading-agreement/agreement_by_slice.csv")
    for side, reader in (("a", "reader1"), ("b", "reader2")):
        records = read_signed(phantoms, reader, "first").values()
        for name in ("drawn", "filled"):
            signed = sum(len(record.slices(name)) for record in records)
            assert sum(row[f"provenance_{side}"] == name for row in rows) == signed > 0


class Parsed(HTMLParser):
    """Addresses, ids and balanced tags of a page."""

    VOID = frozenset({"meta", "br", "image", "path", "rect", "line"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        known = dict(attrs)
        self.addresses += [known[name] for name in ("href", "src") if name in known]
        self.ids += [known["id"]] if "id" in known else []
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_the_page_is_whole_and_asks_nobody(phantoms: Path) -> None:
    folder = phantoms / "results/reading-agreement"
    page = Parsed((folder / "agreement.html").read_text())
    assert page.open == []
    assert len(set(page.ids)) == len(page.ids)
    for address in page.addresses:
        if not address.startswith("data:image/webp;base64,"):
            file, _, anchor = address.partition("#")
            assert not file or (folder / file).is_file(), address
            assert not anchor or anchor in page.ids, address


def test_simulated_patients_are_marked(phantoms: Path, study: Path) -> None:
    marked = (phantoms / "results/reading-agreement/agreement.html").read_text()
    assert marked.count("Simulated patients") == 1
    assert "Simulated" not in (write_comparison(study).folder / "agreement.html").read_text()


def test_both_outlines_and_their_difference_are_drawn(study: Path) -> None:
    """A square of 9 pixels lies within one of 10: 19 pixels are in B alone, none in A alone."""
    write_comparison(study)
    (found, *_) = compare_room(study).cases
    room = compare_room(study).finished.room
    shown = compare_page._shown(room, found, 0)
    (slice4,) = [s for s in shown.slices if s.number == 4]
    assert slice4.only[0] == ""
    assert sum(int(n) for n in re.findall(r"h(\d+)v1", slice4.only[1])) == 19
    lengths = [int(n) for n in re.findall(r"[hv](\d+)", slice4.outlines[0])]
    assert sum(lengths) == 4 * 9
    assert slice4.area == f"+{round(19 * PIXEL)} mm²"


def test_no_name_is_on_any_page(tmp_path: Path) -> None:
    """Ids that are names, a path, an outcome, a comment: the page and the tables have codes."""
    study = read_study(tmp_path / "Clinic-of-Secrets", n=2)
    text = (study / "cases.csv").read_text()
    with Desk(study) as desk:
        hand = hand_of(desk, "reader1", "P000")
        hand.reopen()
        hand.quality("motion", comment="Mrs Canary coughed")
        hand.submit()
    renamed = re.sub(r"^P00(\d)", r"Canary Anna-\1", text, flags=re.M)
    (study / "cases.csv").write_text(renamed)
    tickets = study / "readings/tickets.json"
    tickets.write_text(re.sub(r'"P00(\d)"', r'"Canary Anna-\1"', tickets.read_text()))
    done = write_comparison(study)
    words = ("canary", "anna", "secret", "malignant", "osteoporotic", "coughed", str(tmp_path))
    for path in done.files:
        content = path.read_text().lower()
        assert "patient-1" in content
        for word in words:
            assert word not in content, (word, path.name)
    assert not any("Canary" in line for line in done.lines())
    key = (study / "identities.csv").read_text()
    assert "Canary Anna-0" in key


def test_many_cases_are_spread_over_pages(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare_page, "CASES_OF_A_PAGE", 2)
    done = write_comparison(study)
    pages = {path.name: Parsed(path.read_text()) for path in done.files if path.suffix == ".html"}
    assert list(pages) == ["agreement.html", "agreement-2.html"]
    assert [sum(name.endswith("-name") for name in p.ids) for p in pages.values()] == [2, 1]
    for address in pages["agreement.html"].addresses:
        file, _, anchor = address.partition("#")
        if anchor and file:
            assert anchor in pages[file].ids


def test_comparing_twice_is_the_same_bytes(study: Path) -> None:
    first = {path: path.read_bytes() for path in write_comparison(study).files}
    assert {path: path.read_bytes() for path in write_comparison(study).files} == first


def test_a_picture_holds_little_more_than_the_region(phantoms: Path) -> None:
    found = compare_room(phantoms)
    shown = compare_page._shown(found.finished.room, found.cases[0], 0)
    assert 30 < shown.width_mm < 75
    assert 0.3 < shown.aspect < 1.5
    assert shown.bar == pytest.approx(10 / shown.width_mm * shown.width)
    assert np.isfinite(shown.aspect)
