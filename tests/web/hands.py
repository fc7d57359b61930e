"""Simulated hands: where a person who outlines a known body would click, and what that costs.

A hand follows the true outline with a bias and a jitter of its own, and sets its points where the
outline bends. All chance is drawn when a case is planned; the plan is then carried out over HTTP
(here) or with pointer and keys before the page (`browser.hands`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from contourpy import contour_generator
from scipy import ndimage

from tests.web.rooms import Hand, digest_of, edit

CASE_SD_MM = 0.2
"""Of the bias, between cases."""

CORRELATION_MM = 5.0
"""Length along the outline over which a hand stays off it."""

STEP_MM = 0.5
"""Between the places of an outline at which a point may be set."""

POINTS = (8, 14)
"""Of each polygon, at least and at most."""

BEND_MM2 = 3.0
"""Area that a point has to save for a person to set it."""

LEAST_MM2 = 25.0
"""A section that is smaller than that is taken for none of the body."""

FLAGGED = 0.15
"""Share of the cases that are said to have moved."""

CLICK_S, KEY_S, LOOK_S = 1.2, 0.4, 3.0
"""Seconds of a click at a chosen place, of a key, and of looking at a slice that is new."""

Outline = list[list[float]]
Choice = Callable[[Sequence[int]], Sequence[int]]


@dataclass(frozen=True)
class Style:
    """How somebody draws: mean offset (negative inside) and SD of the jitter, mm."""

    bias_mm: float
    jitter_mm: float


STYLES = {"reader1": Style(0.1, 0.35), "reader2": Style(0.35, 0.5)}


@dataclass(frozen=True)
class Plan:
    """What a hand is going to do with a case.

    Attributes
    ----------
    slices : of the image
    level : slice, x and y of the mark
    outlines : of slices that show a body; those that are to be drawn and those that are not
    drawn : slices that are drawn; others of `outlines` are filled
    flags : said of the quality
    """

    slices: int
    level: tuple[int, float, float]
    outlines: Mapping[int, Outline]
    drawn: tuple[int, ...]
    flags: tuple[str, ...] = ()

    @property
    def empty(self) -> tuple[int, ...]:
        """Slices without a body."""
        return tuple(k for k in range(self.slices) if k not in self.outlines)

    @property
    def filled(self) -> tuple[int, ...]:
        """Slices that are filled."""
        return tuple(k for k in self.outlines if k not in self.drawn)

    @property
    def clicks(self) -> int:
        """The mark, every point, and the first one again, which closes an outline."""
        return 1 + len(self.flags) + sum(len(self.outlines[k]) + 1 for k in self.drawn)

    @property
    def keys(self) -> int:
        """Slice to slice, "no body", fill and accept, confirm the level, sign and confirm."""
        return self.slices + len(self.empty) + 2 * bool(self.filled) + 1 + 2

    @property
    def seconds(self) -> float:
        """At the stated times; a filled slice is looked at twice."""
        looks = self.slices + len(self.filled)
        return CLICK_S * self.clicks + KEY_S * self.keys + LOOK_S * looks


def every(slices: Sequence[int]) -> Sequence[int]:
    """Each is drawn."""
    return tuple(slices)


def every_second(slices: Sequence[int]) -> tuple[int, ...]:
    """The first two, the last two, and every second one between.

    >>> every_second(range(3, 13))
    (3, 4, 6, 8, 10, 11, 12)
    """
    return _some(slices, 2)


def every_third(slices: Sequence[int]) -> tuple[int, ...]:
    """The first two, the last two, and every third one between."""
    return _some(slices, 3)


def _some(slices: Sequence[int], step: int) -> tuple[int, ...]:
    return tuple(sorted({*slices[:2], *slices[1::step], *slices[-2:]}))


def plan(
    truth: np.ndarray,
    spacing: Sequence[float],
    style: Style,
    seed: Sequence[int],
    choose: Choice = every_second,
) -> Plan:
    """What a hand does with a body, [slice, row, column]; `spacing` is mm of rows and columns."""
    chance = np.random.default_rng(seed)
    offset = style.bias_mm + chance.normal(0, CASE_SD_MM)
    flags = ("motion",) if chance.random() < FLAGGED else ()
    outlines = {}
    for k in np.flatnonzero(truth.any(axis=(1, 2))).tolist():
        outline = follow(truth[k], spacing, offset, style.jitter_mm, chance)
        if outline:
            outlines[k] = outline
    middle = [*outlines][len(outlines) // 2]
    y, x = (float(np.round(place.mean(), 2)) for place in np.nonzero(truth[middle]))
    return Plan(len(truth), (middle, x, y), outlines, tuple(choose([*outlines])), flags)


def follow(
    body: np.ndarray,
    spacing: Sequence[float],
    offset: float,
    jitter: float,
    chance: np.random.Generator,
) -> Outline:
    """Points [x, y] in pixels along the outline of a body; none if it is too small to be seen."""
    scale = np.array([spacing[1], spacing[0]])
    traced = _trace(body, spacing, offset)
    if traced is None:
        return []
    walked = _walk(traced * scale)
    normals = _normals(walked)
    walked = walked + normals * (jitter * _wobble(len(walked), chance))[:, None]
    return np.round(_corners(walked) / scale, 2).tolist()


def _trace(body: np.ndarray, spacing: Sequence[float], offset: float) -> np.ndarray | None:
    """The closed line at `offset` mm from the outline, [x, y] in pixels: that of the largest."""
    height = sum(
        sign * ndimage.distance_transform_edt(side, sampling=spacing)
        for sign, side in ((1, ~body), (-1, body))
    )
    lines = [line for line in contour_generator(z=height).lines(offset) if _closed(line)]
    largest = max(lines, key=lambda line: abs(_area(line)), default=None)
    if largest is None or abs(_area(largest)) * spacing[0] * spacing[1] < LEAST_MM2:
        return None
    return np.asarray(largest[:-1])


def _closed(line: np.ndarray) -> bool:
    return len(line) > 3 and bool((line[0] == line[-1]).all())


def _area(line: np.ndarray) -> float:
    """Positive where it runs from x to y."""
    x, y = line.T
    return float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2


def _walk(line: np.ndarray) -> np.ndarray:
    """The closed line in even steps, in mm."""
    around = np.vstack([line, line[:1]])
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(around, axis=0).T))])
    places = np.linspace(0, along[-1], max(24, round(along[-1] / STEP_MM)), endpoint=False)
    return np.stack([np.interp(places, along, axis) for axis in around.T], axis=1)


def _normals(line: np.ndarray) -> np.ndarray:
    """Unit vectors away from the body."""
    way = np.roll(line, -3, axis=0) - np.roll(line, 3, axis=0)
    out = np.stack([way[:, 1], -way[:, 0]], axis=1) * np.sign(_area(line))
    return out / np.maximum(np.hypot(*out.T), 1e-9)[:, None]


def _wobble(n: int, chance: np.random.Generator) -> np.ndarray:
    """A closed line of mean 0 and SD 1 that is smooth over `CORRELATION_MM`."""
    smooth = ndimage.gaussian_filter1d(
        chance.normal(size=n), CORRELATION_MM / STEP_MM / 2, mode="wrap"
    )
    return (smooth - smooth.mean()) / smooth.std()


def _corners(line: np.ndarray) -> np.ndarray:
    """What is left when the points that save least area go first (Visvalingam)."""
    left = line
    while len(left) > POINTS[0]:
        before, after = left - np.roll(left, 1, axis=0), np.roll(left, -1, axis=0) - left
        saved = np.abs(before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]) / 2
        least = int(np.argmin(saved))
        if len(left) <= POINTS[1] and saved[least] > BEND_MM2:
            break
        left = np.delete(left, least, axis=0)
    return left


def pixels(outline: Sequence[Sequence[float]], shape: tuple[int, int]) -> np.ndarray:
    """Pixels whose centre lies within, counted along columns, not along rows as the room does."""
    inside = np.zeros(shape, dtype=bool)
    rows = np.arange(shape[0])
    for (x0, y0), (x1, y1) in zip(outline, [*outline[1:], outline[0]], strict=True):
        for j in range(max(0, int(np.ceil(min(x0, x1)))), int(np.ceil(max(x0, x1)))):
            inside[:, j] ^= rows > y0 + (j - x0) * (y1 - y0) / (x1 - x0)
    return inside


# Over HTTP


@dataclass
class Clock:
    """Active time of somebody who needs the stated seconds."""

    seconds: float = 0.0

    def spend(self, *, clicks: int = 0, keys: int = 0, looks: int = 0) -> float:
        """Goes on; the time since the case was opened."""
        self.seconds += CLICK_S * clicks + KEY_S * keys + LOOK_S * looks
        return round(self.seconds, 2)


@dataclass
class Reading:
    """A case that is read over HTTP as the page would send it."""

    hand: Hand
    token: str
    plan: Plan
    clock: Clock = field(default_factory=Clock)

    def read(self) -> None:
        """From the level to the signature."""
        view = self.hand.open(self.token, level=False)
        self.shape: tuple[int, int] = tuple(view["shape"][1:])
        assert view["shape"][0] == self.plan.slices
        self._level()
        for k in range(self.plan.slices):
            self._slice(k)
        if self.plan.filled:
            self._fill()
        if self.plan.flags:
            flags, seconds = list(self.plan.flags), self.clock.spend(clicks=1)
            self._write("PUT", "quality", {"flags": flags, "comment": "", "seconds": seconds})
        self._write("POST", "submit", {"seconds": self.clock.spend(keys=2)})

    def _write(self, method: str, what: str, body: dict) -> dict:
        return self.hand.write(self.token, method, what, body)

    def _level(self) -> None:
        k, x, y = self.plan.level
        seconds = self.clock.spend(clicks=1, keys=1)
        self._write("PUT", "level", {"slice": k, "x": x, "y": y, "seconds": seconds})

    def _slice(self, k: int) -> None:
        outline = self.plan.outlines.get(k)
        self.clock.spend(keys=1, looks=1)
        if k in self.plan.drawn and outline:
            self._edit(k, {"kind": "polygons", "polygons": [outline]}, clicks=len(outline) + 1)
        elif outline is None:
            self._edit(k, {"kind": "nobody"}, keys=1)

    def _edit(self, k: int, content: dict, **spent: int) -> None:
        sent = edit(
            content, after=digest_of(content, self.shape), seconds=self.clock.spend(**spent)
        )
        self._write("PUT", f"slice/{k}", sent)

    def _fill(self) -> None:
        asked = self.hand.send("POST", f"/api/t/{self.token}/between", {})
        found = asked.json()["slices"]
        assert [int(k) for k in found] == [*self.plan.filled]
        digests = {
            k: digest_of({"kind": "runs", "runs": runs}, self.shape) for k, runs in found.items()
        }
        seconds = self.clock.spend(keys=2, looks=len(found))
        self._write("PUT", "between", {"digests": digests, "seconds": seconds})


def read_all(hand: Hand, plans: Mapping[str, Plan]) -> None:
    """Read a worklist in its order, by the plan of each token."""
    for token in hand.tokens():
        Reading(hand, token, plans[token]).read()
