"""What reading costs a hand, beside drawing every slice: minutes, strokes and points of a case.

    python benchmarks/reading_effort.py     # measures, writes docs/reference/reading-effort.md
    python benchmarks/reading_effort.py --page     # from results, reading_room.json beside them

Two simulated hands read phantoms and bodies of the reference's real exams over HTTP against a
server of the reading room. Strokes, points, minutes and masks are those of the journals and of the
signed cases. Takes some four minutes.
"""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import fill
from typing import Any

import numpy as np
from speed import RESULTS, save

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.web import hands
from tests.web.hands import STYLES, Choice, every, every_second, every_third
from tests.web.known import STEP, Known, phantoms, read_by_all, real_exams

from centrum.agreement.overlap import dice
from centrum.commands.read import progress
from centrum.commands.read_finished import close_room
from centrum.reading.journal import read_journal

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference" / "reading-effort.md"
REFERENCE = Path(os.environ.get("CENTRUM_REFERENCE", ROOT.parent / "shared" / "reference"))
EXAMS = ("chu2015_02", "chu2015_08", "chu2015_16")

HALF = 10
"""Simulated patients of each outcome."""

WAYS: dict[str, Choice] = {
    "every slice, by polygon": every,
    "the first and last two and every second, then fill": every_second,
    "the first and last two and every third, then fill": every_third,
}


@dataclass(frozen=True)
class Effort:
    """What two hands needed for a study, and what came of it.

    Attributes
    ----------
    minutes, strokes, points : of each signed case of both; strokes are polygons
    sections : share of the slices with a body that was drawn
    truth : Dice coefficients with the known body, of both
    volume : drawn share of the known volume, of both
    between : Dice coefficients between the hands
    """

    minutes: tuple[float, ...]
    strokes: tuple[int, ...]
    points: tuple[int, ...]
    sections: float
    truth: tuple[float, ...]
    volume: tuple[float, ...]
    between: tuple[float, ...]


Ways = Sequence[tuple[str, Effort]]
Study = tuple[str, Ways]


def read_study(known: Known, choose: Choice) -> Effort:
    """Read all cases with both hands, close the room, and look at what lies on the disk."""
    read_by_all(known, choose)
    close_room(known.study)
    records = [record for reader in STYLES for record in signed(known.study, reader)]
    drawn = [sum(p in ("drawn", "filled") for p in record["provenance"]) for record in records]
    strokes = tuple(record["strokes"]["polygon"] for record in records)
    one, two = (known.masks(reader) for reader in STYLES)
    pairs = [
        (masks[case], body.planes) for masks in (one, two) for case, body in known.bodies.items()
    ]
    return Effort(
        minutes=tuple(m for each in progress(known.study) for m in each.minutes),
        strokes=strokes,
        points=tuple(n for reader in STYLES for n in points(known.study, reader)),
        sections=sum(strokes) / sum(drawn),
        truth=tuple(dice(*pair) for pair in pairs),
        volume=tuple(mask.sum() / planes.sum() for mask, planes in pairs),
        between=tuple(dice(one[case], two[case]) for case in one),
    )


def signed(study: Path, reader: str) -> list[dict]:
    """Records of a reader's signed cases."""
    return [*json.loads((study / f"readings/{reader}/first/signed.json").read_text()).values()]


def points(study: Path, reader: str) -> list[int]:
    """Points of all polygons of each case, from the journal."""
    found: dict[str, int] = {}
    for line in read_journal(study / f"readings/{reader}/first/journal.jsonl"):
        if line.kind == "edit" and line.tool == "polygon":
            outlines = line.payload["content"]["polygons"]
            found[line.token] = found.get(line.token, 0) + sum(map(len, outlines))
    return [*found.values()]


def all_ways(known: Known) -> Iterator[tuple[str, Effort]]:
    """The same study, read in each way."""
    for number, (name, choose) in enumerate(WAYS.items()):
        copy = known.study.with_name(f"{known.study.name}-{number}")
        shutil.copytree(known.study, copy)
        print(f"{known.study.name}: {name}", flush=True)
        yield name, read_study(replace(known, study=copy), choose)


def table(found: Ways) -> Iterator[str]:
    """A row for each way."""
    yield (
        "| drawn | share of the slices | polygons a case | points a case | minutes a case | Dice "
        "with the known body, mean | worst | volume | Dice between the hands, mean | worst |"
    )
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    for name, effort in found:
        cells = (
            f"{effort.sections:.0%}",
            *(f"{np.mean(values):.0f}" for values in (effort.strokes, effort.points)),
            f"{np.mean(effort.minutes):.1f}",
            *(f"{value:.3f}" for value in (np.mean(effort.truth), min(effort.truth))),
            f"{np.mean(effort.volume) - 1:+.1%}",
            *(f"{value:.3f}" for value in (np.mean(effort.between), min(effort.between))),
        )
        yield f"| {name} | {' | '.join(cells)} |"


def page(studies: Sequence[Study], soak: dict[str, Any], frames: dict[str, Any]) -> str:
    """The page, from the results and the constants of the hands."""
    parts = ["# What reading costs", *ABOUT, _hands_text()]
    for title, found in studies:
        parts += [f"## {title}", "\n".join(table(found)), _saved(found)]
    parts += [AVERAGED, "## The server in a soak", _soak_text(soak)]
    parts += ["## The page while a hand draws", _frames_text(frames)]
    return "\n\n".join(map(_wrapped, parts)) + "\n"


def _wrapped(part: str) -> str:
    kept = part[0] in "|#"
    return part if kept else fill(part, 110, break_long_words=False, break_on_hyphens=False)


ABOUT = (
    "Written by `python benchmarks/reading_effort.py`. **The hands are simulated.** No person was "
    "timed: points, polygons and masks are those of cases that were read over HTTP in a [reading "
    "room](../concepts/reading-room.md), counted in its journals; the minutes are these counts at "
    "stated times.",
)

AVERAGED = (
    "Where slices are filled the hands agree better than where both drew: a filled outline "
    "averages the jitter of its neighbours. It is no nearer to the body for that. Report agreement "
    "by how the outlines came about, as `centrum run` and `centrum read --compare` do."
)


def _hands_text() -> str:
    styles = "; ".join(
        f"{style.bias_mm:+.2f} mm and {style.jitter_mm:.2f} mm" for style in STYLES.values()
    )
    least, most = hands.POINTS
    return (
        f"Two hands follow the known outline with an offset and a jitter of their own ({styles}; "
        f"SD of the offset between cases {hands.CASE_SD_MM} mm; jitter smooth over "
        f"{hands.CORRELATION_MM:g} mm, anew on each slice), and set {least} to {most} points where "
        "it bends. They mark the level, go through all slices, mark those without a body, and "
        f"sign. A click at a chosen place takes {hands.CLICK_S} s, a key {hands.KEY_S} s, and a "
        f"slice that is shown for the first time, or with a fill, {hands.LOOK_S:g} s of looking. "
        "A polygon has a click more than points, which closes it. Whoever corrects, zooms or "
        "hesitates needs longer; real readers differ in this more than these hands do. Of the real "
        f"exams, which have slices of 1 mm, those that lie {STEP} mm apart are read."
    )


def _saved(found: Ways) -> str:
    whole, second = found[0][1], found[1][1]
    fewer = 1 - np.mean(second.points) / np.mean(whole.points)
    sooner = 1 - np.mean(second.minutes) / np.mean(whole.minutes)
    nearer = np.mean(second.truth) - np.mean(whole.truth)
    return (
        f"Every second slice and fill: {fewer:.0%} fewer points and {sooner:.0%} less time than "
        f"every slice; Dice with the known body {nearer:+.3f}."
    )


def _soak_text(soak: dict[str, Any]) -> str:
    """What `reading_room.py` has found."""
    names = ("put_ms", "meanwhile_ms", "bare_ms", "open_ms")
    put, meanwhile, bare, opened = (soak[name] for name in names)
    memory, load, alone = soak["memory_mb"], soak["load"], soak["without_http_ms"]
    return (
        f"Two readers at once drew every slice of {soak['cases'] // 2} cases each over HTTP "
        f"(`make bench-reading_room`): {soak['edits']} strokes in {soak['wall_s']:.0f} "
        f"seconds. Acknowledged ones that were not on the disk afterwards: {soak['lost']}. A "
        f"stroke took {put['50']:.0f} ms in the median and {put['95']:.0f} ms at the 95th "
        "percentile; a bare write with fsync of a line as long to the same disk "
        f"{meanwhile['50']:.1f} and {meanwhile['95']:.1f} ms meanwhile, and {bare['50']:.1f} and "
        f"{bare['95']:.1f} ms afterwards; opening a case "
        f"{opened['50']:.0f} and {opened['95']:.0f} ms. At a desk without HTTP, by one reader "
        f"alone, the same stroke took {alone['stroke']:.1f} ms, of which fsync "
        f"{alone['fsync']:.1f} ms (a bare line between strokes {alone['bare']:.1f} ms), and "
        f"{alone['processor']:.1f} ms of processor: what is left over HTTP is waiting for a core, "
        "each time that a stroke is handed on, from the client to the server, to a thread, and "
        f"back. The server held {memory[0]:.0f} MB after the first twentieth, "
        f"{memory[len(memory) // 2]:.0f} MB half-way and {memory[-1]:.0f} MB at the end; the "
        f"journals have {soak['journal_mb']:.1f} MB. The machine had {soak['cores']} cores that "
        f"other programs used as well: its load was {load[0]:.1f} before and {load[1]:.1f} at the "
        "end."
    )


def _frames_text(frames: dict[str, Any]) -> str:
    """What `room_frames.py` has found."""
    tools = "; ".join(
        f"{tool} {ms['median']:.0f} and {ms['p95']:.0f} ms, {ms['processor']:.1f} ms of processor"
        for tool, ms in frames["tools"].items()
    )
    return (
        "A slice of 512 x 512 pixels in Chromium without a graphics card, 200 moves of each tool, "
        "one in each frame (`make bench-room_frames`). What two frames take, in the median and at "
        "the 95th percentile, and the processor time of the page's thread for a move: "
        f"{tools}. A screen of 60 Hz has 33 ms for two; above 60 ms a hand feels it. The machine "
        f"had {frames['cores']} cores that other programs used as well: its load was "
        f"{frames['load']:.1f}."
    )


def measure() -> list[Study]:
    """Read everything in every way."""
    exams = [REFERENCE / "spine_mri" / name for name in EXAMS]
    with TemporaryDirectory() as folder:
        simulated = phantoms(Path(folder) / "phantoms", HALF, HALF)
        real = real_exams(Path(folder) / "exams", exams)
        titles = (
            f"{2 * HALF} simulated patients, half of them malignant",
            f"{len(real.bodies)} lumbar bodies of {len(exams)} healthy adults, slices of {STEP} mm",
        )
        studies = (simulated, real)
        return [(title, [*all_ways(known)]) for title, known in zip(titles, studies, strict=True)]


def kept(studies: Sequence[Study]) -> dict[str, Any]:
    """As JSON holds it."""
    return {title: {name: asdict(effort) for name, effort in ways} for title, ways in studies}


def read_kept() -> list[Study]:
    """What was measured before."""
    known = json.loads((RESULTS / "reading_effort.json").read_text())
    known.pop("machine")
    return [
        (title, [(name, Effort(**effort)) for name, effort in ways.items()])
        for title, ways in known.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--page", action="store_true", help="write the page alone")
    if not parser.parse_args().page:
        save("reading_effort", kept(measure()))
    soak, frames = (
        json.loads((RESULTS / f"{name}.json").read_text())
        for name in ("reading_room", "room_frames")
    )
    PAGE.write_text(page(read_kept(), soak, frames))


if __name__ == "__main__":
    main()
