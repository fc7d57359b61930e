"""The page on the phantom cohort says what the code does."""

from pathlib import Path

from centrum.simulate.signal import MARROW, TISSUES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "concepts" / "phantom-cohort.md"


def test_relaxation_times_of_the_page() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    times = {row[0].split(",")[-1].split()[-1]: row[2:4] for row in cells if len(row) == 6}
    for name in ("lytic", "myeloma", "lymphoma", "oedema"):
        t1, t2 = times[name][0], times[name][1].split()[0]
        assert (float(t1), float(t2)) == (MARROW[name].t1, MARROW[name].t2)
    assert times["annulus"] == [f"{TISSUES['annulus'].t1}", f"{TISSUES['annulus'].t2}"]
