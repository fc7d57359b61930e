"""Write `polygons.json`: polygons with their pixels, by exact arithmetic.

    python -m tests.reading.make_polygons

The oracle of `centrum.reading.raster` and of the page's `raster.js`, made without either. Pixels
are decided by fractions; a slice with a crossing so near to a centre that doubles decide otherwise
is left out.
"""

import hashlib
import json
import random
from collections.abc import Callable, Iterator
from fractions import Fraction
from math import cos, pi, sin
from pathlib import Path

FILE = Path(__file__).parent / "polygons.json"
COUNT = 1000
SEED = 20261130

RULE = (
    "A pixel centre (x = column j, y = row i) is inside iff the number of edges that the ray to "
    "the right crosses is odd, over all polygons of the slice. The edge (x0, y0)-(x1, y1) counts "
    "for row i iff (y0 <= i) != (y1 <= i); it is crossed iff j < x0 + (i - y0) * (x1 - x0) / "
    "(y1 - y0)."
)

Points = list[list[float]]


def inside(polygons: list[Points], i: int, j: int, number: Callable = Fraction) -> bool:
    """The rule, word by word, in numbers of a kind."""
    crossed = 0
    for points in polygons:
        for (xa, ya), (xb, yb) in zip(points, points[1:] + points[:1], strict=True):
            x0, y0, x1, y1 = map(number, (xa, ya, xb, yb))
            if (y0 <= i) != (y1 <= i):
                crossed += j < x0 + (i - y0) * (x1 - x0) / (y1 - y0)
    return crossed % 2 == 1


def runs_of(polygons: list[Points], rows: int, columns: int, number: Callable = Fraction) -> list:
    """The runs of a slice, pixel by pixel."""
    runs: list[int] = []
    for index in range(rows * columns):
        if inside(polygons, *divmod(index, columns), number):
            if runs and runs[-2] + runs[-1] == index:
                runs[-1] += 1
            else:
                runs += [index, 1]
    return runs


def digest_of(runs: list[int], rows: int, columns: int) -> str:
    text = f"{rows}x{columns}:" + ",".join(str(n) for n in runs)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:16]


# Kinds of polygons; each draws one slice.


def scattered(chance: random.Random, rows: int, columns: int) -> list[Points]:
    """Points anywhere, which cross themselves."""
    n = chance.randint(3, 9)
    x, y = (
        (lambda: round(chance.uniform(-1, columns), 2)),
        (lambda: round(chance.uniform(-1, rows), 2)),
    )
    return [[[x(), y()] for _ in range(n)]]


def round_one(chance: random.Random, rows: int, columns: int) -> list[Points]:
    """An outline as a hand draws it, maybe with a hole and a piece apart."""
    n = chance.randint(6, 16)
    x, y = chance.uniform(4, columns - 4), chance.uniform(4, rows - 4)
    return [ring(chance, n, x, y, size) for size in (5.0, 2.5, 1.2)[: chance.randint(1, 3)]]


def ring(chance: random.Random, n: int, x: float, y: float, size: float) -> Points:
    radii = [size * chance.uniform(0.7, 1.2) for _ in range(n)]
    turns = [2 * pi * k / n for k in range(n)]
    return [
        [round(x + r * cos(t), 3), round(y + r * sin(t), 3)]
        for r, t in zip(radii, turns, strict=True)
    ]


def on_centres(chance: random.Random, rows: int, columns: int) -> list[Points]:
    """Points on centres: crossings on centres, too."""
    n = chance.randint(3, 8)
    return [[[chance.randrange(columns), chance.randrange(rows)] for _ in range(n)]]


def on_edges(chance: random.Random, rows: int, columns: int) -> list[Points]:
    """Points on edges and corners of pixels, halves and quarters."""
    n, step = chance.randint(3, 8), chance.choice((0.5, 0.25))
    x = lambda: chance.randint(int(-1 / step), int(columns / step)) * step  # noqa: E731
    y = lambda: chance.randint(int(-1 / step), int(rows / step)) * step  # noqa: E731
    return [[[x(), y()] for _ in range(n)]]


def boxes(chance: random.Random, rows: int, columns: int) -> list[Points]:
    """Horizontal and vertical edges, on centres or between them, one over the other."""
    found = []
    for _ in range(chance.randint(1, 3)):
        x, x2 = sorted(chance.randint(-2, 2 * columns) / 2 for _ in range(2))
        y, y2 = sorted(chance.randint(-2, 2 * rows) / 2 for _ in range(2))
        found.append([[x, y], [x2, y], [x2, y2], [x, y2]])
    return found


def tiny(chance: random.Random, rows: int, columns: int) -> list[Points]:
    """Smaller than a pixel, flat, a point, or nothing."""
    x, y = chance.randrange(columns), chance.randrange(rows)
    n, size = chance.choice((0, 1, 2, 3, 4)), chance.choice((0.0, 0.1, 0.6))
    points = [[x + round(chance.uniform(-size, size), 3), y + round(chance.uniform(-size, size), 3)]
              for _ in range(n)]  # fmt: skip
    return [points] if n else []


def beyond(chance: random.Random, rows: int, columns: int) -> list[Points]:
    """Around the border and far beyond it."""
    n = chance.randint(3, 7)
    x, y = (
        (lambda: chance.uniform(-columns, 2 * columns)),
        (lambda: chance.uniform(-rows, 2 * rows)),
    )
    return [[[round(x(), 1), round(y(), 1)] for _ in range(n)]]


def repeated(chance: random.Random, rows: int, columns: int) -> list[Points]:
    """The same polygon twice, or a point in it: the even-odd rule takes it away."""
    (points,) = on_centres(chance, rows, columns)
    points = [point for point in points for _ in range(chance.randint(1, 2))]
    return [points] * chance.randint(1, 2)


KINDS = (scattered, round_one, on_centres, on_edges, boxes, tiny, beyond, repeated)


def slices() -> Iterator[dict]:
    """Slices whose pixels doubles tell as fractions do."""
    chance = random.Random(SEED)
    while True:
        kind = KINDS[chance.randrange(len(KINDS))]
        rows, columns = chance.randint(8, 18), chance.randint(8, 18)
        polygons = kind(chance, rows, columns)
        runs = runs_of(polygons, rows, columns)
        if runs == runs_of(polygons, rows, columns, float):
            yield {
                "kind": kind.__name__,
                "rows": rows,
                "columns": columns,
                "polygons": polygons,
                "runs": runs,
                "digest": digest_of(runs, rows, columns),
            }


def main() -> None:
    found = slices()
    lines = [json.dumps(next(found), separators=(",", ":")) for _ in range(COUNT)]
    head = json.dumps({"rule": RULE, "seed": SEED})[:-1]
    FILE.write_text(head + ', "slices": [\n' + ",\n".join(lines) + "\n]}\n")


if __name__ == "__main__":
    main()
