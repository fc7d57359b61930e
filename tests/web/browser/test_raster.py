"""The page's raster rule against the oracle that the server's is tried by, in a real browser."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from centrum.web.app import STATIC

ORACLE = Path(__file__).parents[2] / "reading/polygons.json"

WRONG = """async () => {
  const { maskOfPolygons, runsOfMask, maskOfRuns, digestOf } = await import("/static/raster.js");
  const { slices } = await (await fetch("/polygons.json")).json();
  const wrong = [];
  for (const [k, { polygons, rows, columns, runs, digest }] of slices.entries()) {
    const found = runsOfMask(maskOfPolygons(polygons, rows, columns));
    const again = runsOfMask(maskOfRuns(runs, rows, columns));
    const same = [found, again].every((each) => each.join() === runs.join());
    if (!same || (await digestOf(found, rows, columns)) !== digest) wrong.push(k);
  }
  return { count: slices.length, wrong };
}"""

LOOPS = """async ({ runs, rows, columns }) => {
  const { maskOfRuns, loopsOf, maskOfPolygons, runsOfMask } = await import("/static/raster.js");
  const loops = loopsOf(maskOfRuns(runs, rows, columns), rows, columns);
  return { loops, runs: runsOfMask(maskOfPolygons(loops, rows, columns)) };
}"""


@pytest.fixture(scope="module")
def page(browser: Any) -> Any:
    """The page's modules without a server."""
    found = browser.new_page()

    def give(route: Any) -> None:
        name = route.request.url.removeprefix("http://localhost/")
        if not name:
            route.fulfill(body="<!doctype html>", content_type="text/html")
        elif name == ORACLE.name:
            route.fulfill(path=ORACLE)
        else:
            route.fulfill(path=STATIC.parent / name, content_type="text/javascript")

    found.route("**/*", give)
    found.goto("http://localhost/")
    yield found
    found.close()


def test_a_thousand_slices_are_those_of_exact_arithmetic(page: Any):
    assert page.evaluate(WRONG) == {"count": 1000, "wrong": []}


@pytest.mark.parametrize("seed", range(3))
def test_the_border_of_a_mask_encloses_the_mask(page: Any, seed: int):
    """Also where pixels meet at a corner alone, and at the border of the slice."""
    mask = np.random.default_rng(seed).random((11, 9)) < (0.3, 0.5, 0.8)[seed]
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.ravel(), [0]]).astype(int)))
    runs = [n for start, end in edges.reshape(-1, 2).tolist() for n in (start, end - start)]
    found = page.evaluate(LOOPS, {"runs": runs, "rows": 11, "columns": 9})
    assert found["runs"] == runs
    padded = np.pad(mask, 1).astype(int)
    around = abs(np.diff(padded, axis=0)).sum() + abs(np.diff(padded, axis=1)).sum()
    assert sum(map(len, found["loops"])) == around
