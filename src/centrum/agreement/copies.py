"""Second readings that are copies of the first: in how many cases, and what that means."""

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class Copies:
    """Two readers, and in how many of the cases that both drew the masks are one.

    Attributes
    ----------
    reader_a, reader_b : of the pair
    copied, cases : with masks that are the same voxel for voxel, and with masks of both
    """

    reader_a: str
    reader_b: str
    copied: int
    cases: int

    @property
    def all(self) -> bool:
        """Whether there is not one independent reading."""
        return self.copied == self.cases

    def text(self) -> str:
        """The finding in a sentence.

        >>> Copies("R1", "R2", 2, 2).text().partition(": ")[2]
        'their agreement means nothing.'
        """
        meaning = "their agreement means nothing" if self.all else "copies raise their agreement"
        return (
            f'The masks of "{self.reader_a}" and "{self.reader_b}" are one, voxel for voxel, '
            f"in {self.copied} of {self.cases} cases: {meaning}."
        )


def copies_in(overlap: pd.DataFrame) -> tuple[Copies, ...]:
    """The pairs of readers with copied masks; `overlap` has a row per case and pair."""
    if overlap.empty:
        return ()
    pairs = overlap.groupby(["reader_a", "reader_b"], sort=False)["dice"]
    found = (Copies(str(a), str(b), int((dice == 1).sum()), len(dice)) for (a, b), dice in pairs)
    return tuple(pair for pair in found if pair.copied)
