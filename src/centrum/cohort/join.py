"""Tables put together by their ids: how many match, and what nearly does."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from centrum.cohort.findings import listed
from centrum.cohort.identity import bare_id
from centrum.errors import DataError

MIN_SHARE = 0.9
"""Share of a table's rows that must match unless the user says otherwise."""


@dataclass(frozen=True)
class IdMatch:
    """How the ids of a table match those of the table that it is put to.

    Attributes
    ----------
    table, base : what messages call the two
    matched : ids of both, as they stand in the table
    rows : ids of the table that the base lacks
    cases : ids of the base that the table lacks
    similar : pairs of an id of `rows` and the one of `cases` that it may be
    """

    table: str
    base: str
    matched: tuple[str, ...]
    rows: tuple[str, ...]
    cases: tuple[str, ...]
    similar: tuple[tuple[str, str], ...]

    @property
    def n_rows(self) -> int:
        """How many ids the table has."""
        return len(self.matched) + len(self.rows)

    @property
    def n_cases(self) -> int:
        """How many ids the base has."""
        return len(self.matched) + len(self.cases)

    def told(self) -> str:
        """How many match on both sides."""
        return (
            f"{len(self.matched)} of {self.n_rows} ids of {self.table} match, and of "
            f"{self.n_cases} ids of {self.base}"
        )

    def told_similar(self) -> str:
        """Which ids may be one; "" if none."""
        pairs = [f"{own!r} in {self.table} looks like {other!r}" for own, other in self.similar]
        return f"{listed(pairs, 3)} in {self.base}" if pairs else ""

    def require(
        self,
        min_share: float,
        settings: str = "join.min_share in the protocol",
        *,
        either_side: bool = False,
        tell_ids: bool = True,
        hint: str = "",
    ) -> None:
        """Refuse a table of which too few ids match.

        Parameters
        ----------
        min_share : of the table's ids that must match
        settings : where that is set
        either_side : whether it suffices that so many ids of the base match
        tell_ids : whether ids may be told; those of patients may not
        hint : a sentence with a blank before it that ends the remedy

        Raises
        ------
        DataError
            With what nearly matches.
        """
        whole = min(self.n_rows, self.n_cases) if either_side else self.n_rows
        if whole and len(self.matched) >= min_share * whole:
            return
        raise DataError(
            f"{self.told()}: expected {min_share:.0%} of them. {self._doubt(tell_ids)}.",
            remedy="Write the ids the same way in both tables (leading zeros stay where "
            f"cells are text); or lower {settings} if the other rows belong to no case here.{hint}",
            code="unmatched-rows",
        )

    def _doubt(self, tell_ids: bool) -> str:
        if not self.similar:
            told = f", such as {listed(self.rows, 3)}" if tell_ids and self.rows else ""
            return f"The others{told} are like no id of {self.base}"
        if tell_ids:
            return self.told_similar()
        return (
            f"{len(self.similar)} of the others differ from one of {self.base} in leading zeros, "
            "blanks, capitals or a prefix only"
        )


def match_ids(ids: Iterable[str], base_ids: Iterable[str], table: str, base: str) -> IdMatch:
    """Compare the ids of a table with those of a base; only equal ones match.

    >>> match = match_ids(["7", "8", "100"], ["007", "008", "100"], "b.csv", "a.csv")
    >>> match.matched, match.similar
    (('100',), (('7', '007'), ('8', '008')))
    """
    own, other = dict.fromkeys(ids), dict.fromkeys(base_ids)
    rows = tuple(text for text in own if text not in other)
    cases = tuple(text for text in other if text not in own)
    matched = tuple(text for text in own if text in other)
    return IdMatch(table, base, matched, rows, cases, _similar(rows, cases))


def _similar(rows: Iterable[str], cases: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Pairs that are one but for zeros, blanks, capitals, or a prefix without digits."""
    found: dict[str, str] = {}
    for key in (bare_id, _without_prefix):
        known = defaultdict(list)
        for text in cases:
            known[key(text)].append(text)
        for text in rows:
            near = known[key(text)]
            if len(near) == 1:
                found.setdefault(text, near[0])
    return tuple(found.items())


def _without_prefix(text: str) -> str:
    """An identifier from its first digit on.

    >>> _without_prefix("sub-007"), _without_prefix("P7a")
    ('7', '7a')
    """
    return re.sub(r"^\D*0*(?=\d)", "", bare_id(text))
