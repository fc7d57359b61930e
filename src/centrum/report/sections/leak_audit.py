"""The section that proves that nothing leaks, and shows what leaks would have claimed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from centrum.arrays import Floats
from centrum.modelling.leaks import TITLES
from centrum.report import readings
from centrum.report.blocks import Block, Column, Picture, Table, picture
from centrum.report.figures import draw_audit
from centrum.report.results import StudyResults
from centrum.report.sections.section import section
from centrum.report.tables import frame_table, not_computed
from centrum.report.words.model import step_labels
from centrum.text import counted, fixed, listed, p_equals
from centrum.validation.procedure import FEWEST_WAYS, Permutation

MOST_PARTS = 60
"""Parts that the table of the sides lists."""

COMBINED_TITLES = {
    "combined": "none: fitted to training cases with their out-of-fold scores",
    "combined_on_test": "fitted to the test cases",
}
"""What the combined model is fitted to, by the names of `validation.procedure.COMBINED_LEAKS`."""

SUSPECT = 0.1
"""A mean under permuted outcomes further from 0.5, and by two standard errors, is suspicious."""


@dataclass(frozen=True)
class Crossings:
    """What is on both sides, summed over the parts of the design.

    Attributes
    ----------
    patients : on both sides of a part
    touched : test patients seen by a fitted step
    equal, near : pairs of equal rows and of near copies
    """

    patients: int
    touched: int
    equal: int
    near: int

    @property
    def fatal(self) -> bool:
        """Whether test patients took part in a fit."""
        return bool(self.patients or self.touched)

    @property
    def alike(self) -> int:
        """Pairs of rows that may be the same examination."""
        return self.equal + self.near


def crossings(results: StudyResults) -> Crossings:
    """Count what is on both sides."""
    parts, sides = results.validation.parts, results.validation.rows["parts"]
    seen = [tested for record in parts for _, tested in record.get("seen", {}).values()]
    names = ("patients", "equal_rows", "near_copies")
    patients, equal, near = (sum(side[name] for side in sides) for name in names)
    return Crossings(patients, sum(seen), equal, near)


@section
def leak_audit(results: StudyResults) -> Block:
    """Rows, patients and fit sets on both sides; permuted outcomes; leaks switched on."""
    found = crossings(results)
    facts = (
        ("Patients on both sides of a part", f"{found.patients}"),
        ("Test patients seen by a fitted step", f"{found.touched}"),
        ("Equal rows on both sides", f"{found.equal}"),
        ("Near copies on both sides", f"{found.near}"),
        *_permutation_facts(results),
    )
    return Block(
        "Leak audit", "leaks",
        prose=(
            "A leak is knowledge of test patients that reaches the model. The tables list what "
            f"every step was fitted on{_repeated(results)}.",
            *_permutation_text(results),
        ),
        warnings=(*_warnings(found), *not_computed(results, "permutation", "leaks", "rows")),
        facts=facts,
        tables=(sides_table(results), fit_set_table(results), *_leak_tables(results)),
        files=(_row_digests(results),),
        pictures=tuple(_audit_picture(results)),
    )  # fmt: skip


def _repeated(results: StudyResults) -> str:
    """What the figure shows; nothing where there is none."""
    found = results.validation.permutation
    what = "whole study" if results.protocol.split.single_part else "first repeat of the design"
    told = [
        *(
            [f"the {what} on outcomes that were {exchanged(results)}, which nothing can learn"]
            if found is not None and found.telling
            else []
        ),
        *(["splits with each classic leak switched on"] if _areas(results) else []),
    ]
    return f"; the figure repeats {', and '.join(told)}" if told else ""


def exchanged(results: StudyResults) -> str:
    """How the outcomes were permuted, as the end of "outcomes that were ...".

    `centrum.modelling.permute` says why.
    """
    if not results.mixed_patients:
        return "randomly permuted among the patients"
    return (
        "permuted among patients with equal numbers of cases and among the cases of each patient "
        f"({counted(results.mixed_patients, 'patient has', 'patients have')} both outcomes)"
    )


def suspicious(values: Sequence[float]) -> bool:
    """Whether the mean AUC under permuted outcomes lies further from 0.5 than chance puts it.

    >>> suspicious([0.7, 0.75, 0.8]), suspicious([0.2, 0.7, 0.95]), suspicious([0.7])
    (True, False, False)
    """
    error = np.std(values, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.inf
    return bool(abs(np.mean(values) - 0.5) > max(SUSPECT, 2 * error))


def _permutation_facts(results: StudyResults) -> list[tuple[str, str]]:
    found = results.validation.permutation
    if found is None or not found.telling:
        return []
    mean = fixed(float(np.mean(found.values)), 2)
    return [("AUC under permuted outcomes", f"{mean} ± {fixed(float(np.std(found.values)), 2)}")]


def _permutation_text(results: StudyResults) -> list[str]:
    found = results.validation.permutation
    if found is None:
        return []
    if found.ways < FEWEST_WAYS or not np.isfinite(found.observed):
        return [too_few(found)]
    if not found.values:
        return [f"None of {counted(found.failed, 'permutation')} could be fitted: no P is given."]
    failed = f" {counted(found.failed, 'permutation')} could not be fitted." if found.failed else ""
    return [
        f"{counted(len(found.values), 'permutation')}: mean AUC "
        f"{fixed(float(np.mean(found.values)))}, against {fixed(found.observed)} of the true "
        f"outcomes; {as_good_text(found)}.{failed}"
    ]


def as_good_text(found: Permutation) -> str:
    """The P of the permutations, and what it is the share of.

    >>> as_good_text(Permutation(0.9, (0.5, 0.95, 0.4), 0))
    'P = .50, the share of assignments of the outcomes, the true one among them, whose AUC is at
    least that of the true one (2 of 4)'
    """
    n = len(found.values) + 1
    return (
        f"{p_equals(found.p)}, the share of assignments of the outcomes, the true one among them, "
        f"whose AUC is at least that of the true one ({round(found.p * n)} of {n})"
    )


def too_few(found: Permutation) -> str:
    """Why permutations prove nothing and no P is given."""
    if not np.isfinite(found.observed):
        return (
            "No part of the design has test cases of both outcomes, and so none has an AUC: there "
            "is nothing that permutations could be compared with, and no P is given."
        )
    return (
        f"The outcomes of so few patients can be permuted in {found.ways} ways only, the true one "
        "included: permutations can show neither a leak nor a P, and none is given."
    )


def _warnings(found: Crossings) -> tuple[str, ...]:
    """Said here and among the caveats: whoever sees these tables alone must not miss it."""
    if not found.fatal:
        return ()
    return ("Test patients took part in the fit. No figure in this report can be trusted.",)


def sides_table(results: StudyResults) -> Table:
    """Crossings of every part."""
    rows = tuple(
        (
            side["name"], side["n_train"], side["n_test"], side["patients"], side["equal_rows"],
            side["near_copies"], side["centres"],
        )
        for side in results.validation.rows["parts"][:MOST_PARTS]
    )  # fmt: skip
    heads = ("Part", "Training cases", "Test cases", "Patients on both", "Equal rows on both",
             "Near copies on both", "Centres on both")  # fmt: skip
    n = len(results.validation.rows["parts"])
    cut = f" The first {MOST_PARTS} of {n} parts." if n > MOST_PARTS else ""
    notes = (
        "Near copies: rows whose z-scored features correlate by more than 0.999. Centres on both "
        f"sides are usual, and mean that the figures are not those of a new centre.{cut}",
    )
    return Table(
        "sides", "Rows of both sides", tuple(map(Column, heads)), rows, notes,
        sorts=True,
    )  # fmt: skip


def _row_digests(results: StudyResults) -> Table:
    """A file only: the SHA-256 of the sorted hashes of the rows of each side."""
    heads = map(Column, ("Part", "Training rows", "Test rows"))
    rows = tuple((s["name"], s["train"], s["test"]) for s in results.validation.rows["parts"])
    return Table("row-digests", "Digests of the rows of both sides", tuple(heads), rows)


def fit_set_table(results: StudyResults) -> Table:
    """What every step was fitted on, over all parts."""
    seen: dict[str, list[list[int]]] = {}
    for record in results.validation.parts:
        for step, counts in record.get("seen", {}).items():
            seen.setdefault(step, []).append(counts)
    titles = step_labels(results.protocol.model) | {"classifier": "Classifier"}
    order = {step: k for k, step in enumerate(titles)}
    rows = tuple(
        (
            titles.get(step, step),
            min(n for n, _ in counts),
            max(n for n, _ in counts),
            sum(tested for _, tested in counts),
        )
        for step, counts in sorted(seen.items(), key=lambda s: order.get(s[0], len(order)))
    )
    rows += tuple(_combined_fit_sets(results))
    heads = ("Step", "Patients, fewest", "Patients, most", "Test patients among them")
    notes = (
        "Recorded by the steps themselves while they were fitted, over all parts of the design. "
        "Cut-off, calibration and conformal sets were learnt on out-of-fold scores of the same "
        "training patients.",
    )
    columns = tuple(map(Column, heads))
    return Table("fit-sets", "Fit set of every step", columns, rows, notes)


def _combined_fit_sets(results: StudyResults) -> Iterator[tuple[str, int, int, int]]:
    """The regression of clinical variables and score, by the rows that it was fitted to."""
    added = results.evaluation.added
    if added is None:
        return
    patients = results.table.obs["patient"].to_numpy()
    sides = [
        [set(patients[record[rows]]) for rows in ("train", "case")]
        for record in results.validation.parts
        if not record["error"]
    ]
    sizes = [len(train) for train, _ in sides]
    tested = sum(len(train & test) for train, test in sides)
    name = f"Combined model: {listed([*added.variables, 'the score'])}"
    yield name, min(sizes), max(sizes), tested


def _areas(results: StudyResults) -> Mapping[str, tuple[Floats, Floats]]:
    """Leak -> AUCs on true and on permuted outcomes."""
    records = pd.DataFrame(results.validation.leaks)
    if records.empty:
        return {}
    found = {}
    for name in TITLES:
        if name in records and records[name].notna().all():
            sides = [records.loc[records["shuffled"] == s, name] for s in (False, True)]
            found[name] = (sides[0].to_numpy(float), sides[1].to_numpy(float))
    if "honest" not in found:
        return {}
    best = tuple(np.array([values.max()]) for values in found["honest"])
    return {**found, "best_split": (best[0], best[1])}


def _leak_tables(results: StudyResults) -> list[Table]:
    """AUC with every leak, on true and on permuted outcomes."""
    areas = _areas(results)
    if not areas:
        return []
    honest = [float(values.mean()) for values in areas["honest"]]
    rows = []
    for name, sides in areas.items():
        means = [float(values.mean()) for values in sides]
        rise = (means[0] - honest[0], means[1] - honest[1])
        rows.append((TITLES[name], *means, *rise))
    columns = (
        Column("Leak"), Column("AUC, true outcomes", fixed), Column("AUC, shuffled", fixed),
        Column("Rise, true", fixed), Column("Rise, shuffled", fixed),
    )  # fmt: skip
    n = len(areas["honest"][0])
    combined = _combined_table(results)
    named = {} if combined else {k: f"combined model, {v}" for k, v in COMBINED_TITLES.items()}
    reasons = _reasons(results, {**TITLES, **named})
    notes = (
        *(f"Not shown, {name}: {why}" for name, why in reasons.items()),
        f"Means over {counted(n, 'stratified split')} by patient. Rise: what the leak would have "
        "added to the honest AUC. On permuted outcomes everything above 0.5 is spurious.",
    )
    title = "What leaks would have claimed"
    return [Table("leaks", title, columns, tuple(rows), notes), *combined]


def _reasons(results: StudyResults, titles: Mapping[str, str]) -> dict[str, str]:
    """Leak -> why it could not be switched on in a split."""
    return {
        titles[name]: why
        for record in results.validation.leaks
        for name, why in record.get("errors", {}).items()
        if name in titles
    }


def _combined_table(results: StudyResults) -> list[Table]:
    """The same of the combined model; none without one."""
    records = pd.DataFrame(results.validation.leaks)
    added = results.evaluation.added
    if added is None or not {*COMBINED_TITLES} <= {*records.columns}:
        return []
    known = records.dropna(subset=[*COMBINED_TITLES])
    means = known.groupby("shuffled")[[*COMBINED_TITLES]].mean()
    if set(means.index) != {False, True}:
        return []
    spread = known.groupby("shuffled")[[*COMBINED_TITLES]].std()
    rows = tuple(
        (title, *(area for s in (False, True) for area in (means.at[s, name], spread.at[s, name])))
        for name, title in COMBINED_TITLES.items()
    )
    columns = (
        Column("Leak"), Column("AUC, true outcomes", fixed), Column("SD", fixed),
        Column("AUC, shuffled", fixed), Column("SD, shuffled", fixed),
    )  # fmt: skip
    n, k = (int((known["shuffled"] == s).sum()) for s in (False, True))
    notes = (
        f"The regression of {listed([*added.variables, 'the score'])}. Means and SDs over "
        f"{counted(n, 'stratified split')} by patient with true outcomes and {k} with shuffled "
        "ones. What the second line has above 0.5 with shuffled outcomes is spurious.",
        *(
            f"Without splits in which it could not be, {name}: {why}"
            for name, why in _reasons(results, COMBINED_TITLES).items()
        ),
    )
    title = "The combined model without and with a leak"
    return [Table("combined-leaks", title, columns, rows, notes)]


def _audit_picture(results: StudyResults) -> list[Picture]:
    areas, found = _areas(results), results.validation.permutation
    values = found.values if found is not None and found.telling else ()
    if not areas and not values:
        return []
    observed = float("nan") if found is None else found.observed
    named = {TITLES[name]: sides for name, sides in areas.items()}
    rows: list[dict[str, Any]] = [{"what": "permuted outcomes", "auc": v} for v in values]
    for name, sides in named.items():
        for kind, numbers in zip(("true", "shuffled"), sides, strict=True):
            rows += [{"what": f"{name} ({kind})", "auc": float(v)} for v in numbers]
    listed = "; ".join(f"{name} {fixed(float(np.mean(s[0])), 2)}" for name, s in named.items())
    return [
        picture(
            partial(draw_audit, values, observed, named, results.simulated),
            "leak-audit", "Leak audit",
            f"{_panels(results, len(values), bool(areas))} n = {len(results.scores)} cases.",
            f"Histogram and dot plot. Means with true outcomes: {listed or 'none'}.",
            frame_table(pd.DataFrame(rows)),
            reading=readings.audit(values, observed, named),
        )
    ]  # fmt: skip


def _panels(results: StudyResults, n: int, leaks: bool) -> str:
    """What the two panels show, of `n` permutations, or that one is empty."""
    permuted = (
        f"Test AUC of the whole procedure on {counted(n, 'permutation')} of the outcomes, "
        f"{exchanged(results)}."
        if n
        else "Empty: no outcomes were permuted that could tell."
    )
    claimed = (
        "What the study would have claimed with each leak: dots are splits, bars their means."
        if leaks
        else "Empty: no leak was switched on."
    )
    return f"(a) {permuted} (b) {claimed}"
