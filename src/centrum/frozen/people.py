"""Who the cases are, in sums only: of a study, or of an external validation beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from centrum.evaluate.population import MeanSpread, mean_spread
from centrum.frozen.domain import Domain
from centrum.io.facts import NUMBERS, Facts
from centrum.measure.acquisition import TEXTS
from centrum.text import OneLine

DESCRIBED = ("patient", "age", "sex", "centre")
"""Columns of the manifest that are summed up."""


@dataclass(frozen=True, repr=False)
class People(OneLine):
    """Patients and acquisitions of cases; what is not known of a case is not counted.

    Attributes
    ----------
    age : years, each patient once; None where nobody's is known
    sex : sex -> patients
    centre : centre -> cases
    acquisition : ranges of numbers and the texts that occurred
    simulated : whether any case is
    """

    age: MeanSpread | None
    sex: Mapping[str, int]
    centre: Mapping[str, int]
    acquisition: Domain
    simulated: bool

    @classmethod
    def of(cls, known: pd.DataFrame, acquisition: Domain, simulated: bool) -> Self:
        """Of cases with a row each; columns as the manifest has them, of which any may lack.

        >>> people = People.of(pd.DataFrame({"patient": ["a", "a", "b"], "sex": ["F", "F", None],
        ...                                  "centre": ["X", "X", "Y"]}), NO_IMAGES, False)
        >>> people.age, people.sex, people.centre
        (None, {'F': 1}, {'X': 2, 'Y': 1})
        """
        cases = known.reindex(columns=list(DESCRIBED))
        patients = cases.groupby("patient")[["age", "sex"]].first()  # the first that is known
        ages = patients["age"].dropna().to_numpy(dtype=float)
        return cls(
            mean_spread(ages) if ages.size else None,
            _counts(patients["sex"]),
            _counts(cases["centre"]),
            acquisition,
            simulated,
        )

    @classmethod
    def of_new(
        cls, known: Sequence[Mapping[str, object]], facts: Sequence[Facts], simulated: bool
    ) -> Self:
        """Of new cases, by what is known of each and what its image says."""
        named = [{n: row[n] for n in (*NUMBERS, *TEXTS) if n in row} for row in facts]
        return cls.of(pd.DataFrame(list(known)), Domain.of(named, ()), simulated)


NO_IMAGES = Domain({}, {}, {})
"""Of cases of which no acquisition is known."""

NOBODY = People(None, {}, {}, NO_IMAGES, False)
"""Of cases of which nothing is known."""


def _counts(values: pd.Series) -> dict[str, int]:
    found = values.dropna().astype(str).value_counts()
    return {name: int(found[name]) for name in np.sort(found.index.to_numpy(dtype=str)).tolist()}
