"""What became of the mistakes: the table, the reasons for those that nothing notices, the page."""

import csv
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from scipy.stats import binomtest

from tests.mutants.workshop import NOT_RUN, PACKAGES, PATIENCE, ROOT, UNNOTICED

PAGE = ROOT / "docs/reference/mutants.md"
REASONS = ROOT / "tests/mutants/reasons.csv"
"""Mistakes that are left: module, place (see `Found`), reason; none that can no longer be made."""

SAME = "same: "
"""Reasons begin so where the mistake changes nothing that anybody could see."""

SINCE = "noticed since"
"""Others begin so where a test was written on seeing the mistake."""

HEAD = """\
# Deliberate mistakes

Written by `python -m tests.mutants --page`. Places of a package are drawn at random and written
otherwise, one at a time: a comparison, a number, a sign, `and` for `or`, a condition turned round,
a keyword or a statement forgotten. Tests of these packages, of the commands and of whole studies
are asked: of those that run the statement, as many as {seconds:g} s of CPU allow, the nearest and
cheapest first. A mistake is noticed when one fails, or takes {patience} times as long; what a
longer test would see counts as not noticed. It counts as it was found first: tests that were
written on seeing it do not raise the share, and stand in a column of their own. Intervals are
Wilson's.
"""

_SEED = "## Sample of seed "

ABOUT = {
    1: "Tests were written for what this sample showed while it was gone through, and for the\n"
    "first seven mistakes of each package before: it tells what was left to do.",
    2: "Drawn after the tests for the first sample were written, and run once: no test had been\n"
    "written for any of its mistakes; tests written since stand apart.",
    3: "Drawn after further modules were gone through mistake by mistake, and run once. In\n"
    "cohort, measure, io and prepare those of this sample were not looked at before, and it\n"
    "was run in two goes; in the other packages 25 of the 100 had been tried by hand before\n"
    "(22 of them noticed; of the other 75, 58). Few tests of commands, none of whole studies\n"
    "and, in io, none of object storage were asked. This is the share to go by; tests written\n"
    "since stand apart.",
}
"""Of samples, by seed."""


@dataclass(frozen=True)
class Found:
    """What became of a mistake.

    Attributes
    ----------
    key : of the module's text and the mistake
    place : function, mistake, and which of several that read alike
    result : noticed, unnoticed, hangs (which is noticed), not run (which is not)
    by : the test that noticed it, or the last that did not
    tests : of the text of that test, or of all where none noticed it
    """

    key: str
    package: str
    module: str
    line: int
    place: str
    result: str
    by: str
    tests: str
    seconds: float

    @property
    def unnoticed(self) -> bool:
        return self.result in (UNNOTICED, NOT_RUN)


@cache
def reasons() -> dict[tuple[str, str], str]:
    """By module and place, why a mistake is left."""
    with REASONS.open(encoding="utf-8", newline="") as file:
        return {(row["module"], row["place"]): row["reason"] for row in csv.DictReader(file)}


def changes_nothing(found: Found) -> bool:
    """Whether it is known that nobody could see the mistake."""
    return reasons().get((found.module, found.place), "").startswith(SAME)


def _is_noticed_since(found: Found, since: Collection[tuple[str, str]]) -> bool:
    """By what was found later, or by the reason that stands beside it."""
    place = found.module, found.place
    return place in since or reasons().get(place, "").startswith(SINCE)


def _share(n: int, noticed: int) -> tuple[str, str]:
    """
    >>> _share(40, 36)
    ('90 %', '77 to 96 %')
    """
    if n == 0:
        return "", ""
    low, high = binomtest(noticed, n).proportion_ci(method="wilson")
    return f"{100 * noticed / n:.0f} %", f"{100 * low:.0f} to {100 * high:.0f} %"


def table(found: Sequence[Found], since: Collection[tuple[str, str]] = ()) -> str:
    """Share of mistakes noticed by package, of all and without those that change nothing.

    >>> one = Found("k", "io", "src/centrum/io/a.py", 3, "f number: `1` -> `2`", "hangs", "", "", 1)
    >>> print(table([one]).splitlines()[2])
    | io | 1 | 1 | 100 % | 21 to 100 % | 0 | 0 | 100 % |
    """
    lines = [
        "| package | mistakes | noticed | share | 95 % interval | since | change nothing | "
        "the others |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    packages = list(dict.fromkeys(each.package for each in found))
    for package in [*packages, *["all"] * (len(packages) > 1)]:
        own = [each for each in found if package in (each.package, "all")]
        left = [each for each in own if each.unnoticed]
        n, noticed = len(own), len(own) - len(left)
        later = sum(_is_noticed_since(each, since) for each in left)
        same = sum(map(changes_nothing, left))
        others = _share(n - same, noticed)[0]
        said = (package, n, noticed, *_share(n, noticed), later, same, others)
        lines.append(f"| {' | '.join(map(str, said))} |")
    return "\n".join(lines)


def unnoticed(found: Sequence[Found], since: Mapping[tuple[str, str], str]) -> str:
    """Those that no test notices, with the reason for each, or what became of them `since`."""
    known = {**reasons(), **since}
    return "\n".join(
        f"- `{each.module.removeprefix('src/centrum/')}`, {each.place}"
        f"{' (no test runs it)' if each.result == NOT_RUN else ''}: "
        f"{known.get((each.module, each.place), 'not looked at')}"
        for each in found
        if each.unnoticed
    )


def write(
    samples: Mapping[int, Sequence[Found]], there: Collection[tuple[str, str]], seconds: float
) -> None:
    """The page of all that was found, by seed; `there` are the mistakes that can be made today.

    Of a seed that nothing is kept of here, the page goes on saying what it says.
    """
    parts = _said_before()
    for seed, found in samples.items():
        parts[seed] = "\n".join(_of_sample(seed, found, there))
    head = HEAD.format(seconds=seconds, patience=PATIENCE)
    sections = [f"{_SEED}{seed}\n\n{parts[seed]}" for seed in sorted(parts)]
    PAGE.write_text("\n".join([head, *sections]), encoding="utf-8")


def _said_before() -> dict[int, str]:
    """What the page says of samples, by seed."""
    text = PAGE.read_text("utf-8") if PAGE.exists() else ""
    _, *sections = text.split(f"\n{_SEED}")
    parts = (section.partition("\n\n") for section in sections)
    return {int(seed): said for seed, _, said in parts}


def _of_sample(
    seed: int, found: Sequence[Found], there: Collection[tuple[str, str]]
) -> Iterator[str]:
    first = list({(each.module, each.place): each for each in reversed(found)}.values())[::-1]
    since = {
        (each.module, each.place): f"{SINCE}, by `{each.by}`"
        for each in found
        if not each.unnoticed
    }
    gone = {
        place: "the code is gone"
        for each in found
        if (place := (each.module, each.place)) not in there
    }
    first.sort(key=lambda each: PACKAGES.index(each.package))
    if seed in ABOUT:
        yield f"{ABOUT[seed]}\n"
    yield f"{table(first, since)}\n"
    yield f"### Not noticed (seed {seed})\n"
    yield f"{unnoticed(first, since | gone)}\n"
