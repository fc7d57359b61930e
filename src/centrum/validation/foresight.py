"""What the manifest and the protocol will not let a run do, said before a case is measured."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import partial

import pandas as pd
from numpy.typing import NDArray

from centrum.cohort.findings import listed
from centrum.cohort.pseudonyms import KEY, about_key, pseudonymised
from centrum.errors import CentrumError, DataError
from centrum.modelling.designs import Part, final_rows
from centrum.modelling.pipeline import INNER_FOLDS
from centrum.modelling.settings import MORPHOMETRY_PREFIX, HarmonisationSettings, ModelSettings
from centrum.modelling.split import Indices, fewest_patients
from centrum.protocol import EvaluationSettings, Protocol
from centrum.study.findings import EVERY_CASE, Finding
from centrum.study.study import (
    IDENTIFYING,
    PROTOCOL,
    Study,
    foresee_unused,
    refuse_identifying,
    refuse_names_in_rules,
    refuse_taken_names,
    refuse_without_outcomes,
    study_parts,
)
from centrum.validation.evaluation import reader_calls
from centrum.validation.matrix import batches, covariate_values

WHICH_SEQUENCE = "which-sequence"
"""Code of the finding that the sequence to measure is not known."""

WITHOUT = "Without the cases that cannot be measured:"
"""Before what only the other cases cannot do."""

Folds = tuple[str, int]
"""A key of the protocol, and the number of folds that it asks for."""

INNER = "the inner folds of the model"
"""In the place of a key: as many as there are patients, up to `INNER_FOLDS`."""

NEEDS_TWO = ("model.classifier: ridge", "model.balance: smote")
"""In the place of a key: what is no fold, and needs two patients of each outcome."""


def foresee(study: Study) -> tuple[Finding, ...]:
    """What will stop a run of the study (errors), or leave something out (warnings).

    Cases without one of the two outcomes are left aside: the manifest is to be corrected there.
    """
    obs, outcome = study.cohort.to_frame(), study.protocol.outcome
    obs = obs[obs["outcome"].isin([outcome.positive, outcome.negative])]
    looks = _LOOKS if len(obs) else ()
    seen = (
        *foresee_unused(study),
        *foresee_images(study),
        *foresee_names(study),
        *foresee_privacy(study),
    )
    return (*seen, *(f for look in looks for f in look(study.protocol, obs)))


def refuse_unless_possible(study: Study, measured: Collection[str] | None = None) -> None:
    """Stop what cannot end well, with all cases or with those that could be measured.

    Raises
    ------
    DataError
        With every error that can be foreseen; no case has an outcome ("no-outcome").
    """
    left = study if measured is None else study.only(measured)
    refuse_without_outcomes(left.cohort.outcomes)
    errors = [finding for finding in foresee(left) if finding.severity == "error"]
    if errors:
        without = "" if measured is None else f"{WITHOUT} "
        text = without + "\n".join(finding.message for finding in errors)
        last = errors[-1]
        raise DataError(text.removesuffix(last.remedy).rstrip(), remedy=last.remedy, code=last.code)


def _error(code: str, message: str, remedy: str, severity: str = "error") -> Finding:
    return Finding(EVERY_CASE, "", severity, code, f"{message} {remedy}", "", remedy)


def _caught(code: str, remedy: str, attempt: Callable[[], object]) -> Iterator[Finding]:
    """The finding that an attempt's error makes; the error's own code and remedy come first."""
    try:
        attempt()
    except CentrumError as error:
        told = error.code if error.code != type(error).code else code
        own = error.remedy if error.remedy in str(error) else remedy
        text = str(error) if error.remedy in str(error) else f"{error} {remedy}"
        yield Finding(EVERY_CASE, "", "error", told, text, error.file, own)


def foresee_images(study: Study) -> Iterator[Finding]:
    """Whether reader and sequences can be chosen, of a manifest that has any."""
    if study.cohort.readers and study.cohort.sequences and not study.protocol.tables:
        remedy = f"Correct `images` in {PROTOCOL}."
        yield from _caught("no-reader", remedy, lambda: study.readers)
        yield from _caught(WHICH_SEQUENCE, remedy, lambda: study.sequences)


def foresee_names(study: Study) -> Iterator[Finding]:
    """Columns of the manifest that cannot stand beside the features; told once sequences are."""
    if not list(foresee_images(study)):
        remedy = "Rename the column."
        yield from _caught("taken-name", remedy, partial(refuse_taken_names, study))


def foresee_privacy(study: Study) -> Iterator[Finding]:
    """What is left out of all that is written, and what may not go into it."""
    protocol, cohort = study.protocol, study.cohort
    yield from _caught(IDENTIFYING, f"Correct {PROTOCOL}.", partial(refuse_identifying, study))
    for why, heads in _by_reason(study.left_out).items():
        yield _error(
            IDENTIFYING,
            f"Left out of all that is written: {listed(heads, len(heads))} ({why}).",
            f"Name a column in `describe` of {PROTOCOL} if it may be shown.",
            "note",
        )
    if protocol.keep_names:
        return
    coded = pseudonymised(cohort, study.folder / KEY)
    refused = partial(refuse_names_in_rules, protocol.eligibility, coded)
    yield from _caught("name-in-rule", f"Correct {PROTOCOL}.", refused)
    if coded.identities:
        remedy = f"Nothing needs to be done; `keep_names: true` in {PROTOCOL} writes the names."
        yield _error("pseudonyms", f"{about_key(coded)}.", remedy, "note")


def _by_reason(left_out: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for head, why in left_out.items():
        found.setdefault(why, []).append(repr(head))
    return found


# Outcomes, design and folds


def _classes(protocol: Protocol, obs: pd.DataFrame) -> Iterator[Finding]:
    there = obs["outcome"].unique().tolist()
    if len(there) == 2:
        yield from _design(protocol, obs)
        return
    outcome = protocol.outcome
    missing = outcome.negative if there == [outcome.positive] else outcome.positive
    yield _error(
        "one-outcome",
        f"All {len(obs)} eligible cases have the outcome {there[0]!r}; none has {missing!r}, and "
        "a model needs two outcomes to distinguish.",
        "Look at the outcome column, at `outcome` in study.yaml and at the eligibility rules.",
    )


def _design(protocol: Protocol, obs: pd.DataFrame) -> Iterator[Finding]:
    remedy = "Correct the column, or choose another split.design."
    found = list(_caught("design", remedy, partial(study_parts, protocol, obs)))
    yield from found
    if not found:
        yield from _all_folds(protocol, obs)


def _all_folds(protocol: Protocol, obs: pd.DataFrame) -> Iterator[Finding]:
    """Of the final model, and of every part of a design with several."""
    parts = study_parts(protocol, obs)
    yield from _tested(protocol, obs, parts)
    final, _ = final_rows(protocol.split, parts)
    nested = protocol.split.single_part
    yield from _folds(protocol, obs, final, "", nested=nested)
    if not nested:
        for part in parts:
            yield from _folds(protocol, obs, part.train, part.name, nested=False)


def _tested(protocol: Protocol, obs: pd.DataFrame, parts: Sequence[Part]) -> Iterator[Finding]:
    """Test sides with one outcome, on which no model can be evaluated."""
    alone = protocol.split.single_part
    for part in parts:
        there = obs["outcome"].iloc[part.test].unique().tolist()
        if len(there) < 2:
            yield _error(
                "one-outcome-tested",
                f"All {len(part.test)} cases that the part {part.name!r} of the design tests have "
                f"the outcome {there[0]!r}; " + (
                    "a model is evaluated on cases of both." if alone else
                    "it has no AUC of its own, and counts only together with the others."
                ),
                "Choose another split.design, or test more cases." if alone else
                "Nothing, if this is intended.",
                "error" if alone else "warning",
            )  # fmt: skip


def _folds(
    protocol: Protocol, obs: pd.DataFrame, train: Indices, part: str, *, nested: bool
) -> Iterator[Finding]:
    rows = obs.iloc[train]
    patients = fewest_patients(rows["outcome"].to_numpy(), rows["patient"].to_numpy())
    nesting = list(_nesting(protocol, rows, nested))
    short = first_short(nesting, patients)
    if short is None:
        return
    key, folds, left = short
    counts = rows.groupby("outcome")["patient"].nunique()
    told = ", ".join(f"{n} with {name}" for name, n in counts.items())
    yield _error(
        "too-few-patients",
        f"{_asks(key, folds)}. Patients to train on"
        f"{_in(part)}: {told}; at that step at most {left} are left of one outcome.",
        _fewer_folds(nesting, patients),
        "warning" if part else "error",
    )


def _in(part: str) -> str:
    return f" in the part {part!r} of the design" if part else ""


def _asks(key: str, folds: int) -> str:
    """What a step wants of the patients, from the beginning of a sentence."""
    if key == INNER:
        return f"The {INNER.removeprefix('the ')} need two patients of each outcome"
    if key in NEEDS_TWO:
        return f"{key} needs two patients of each outcome"
    return f"{key} asks for {folds} folds with patients of both outcomes in each"


def first_short(nesting: Sequence[Folds], patients: int) -> tuple[str, int, int] | None:
    """The first of folds within each other that so many patients of an outcome cannot fill.

    Its key, its folds, and the patients that are left there: k folds of n patients leave
    n - ceil(n / k) at most on the smallest training side. None where all can be filled.

    >>> first_short([("outer", 5), ("inner", 5)], 6)
    ('inner', 5, 4)
    """
    for key, asked in nesting:
        folds = max(2, min(asked, patients)) if key == INNER else asked
        if patients < folds:
            return key, folds, patients
        patients -= -(-patients // folds)
    return None


def _fewer_folds(nesting: Sequence[Folds], patients: int) -> str:
    """The numbers of folds that such patients can fill, if there are any."""
    most = max(folds for _, folds in nesting)
    for limit in range(most, 1, -1):
        limited = [(key, min(folds, limit)) for key, folds in nesting]
        if first_short(limited, patients) is None:
            pairs = (pair for pair in limited if pair not in nesting and pair[0] != INNER)
            changed = [f"{key}: {n}" for key, n in pairs]
            return f"Set {', '.join(changed)}, or add patients."
    return "Add patients."


def _nesting(protocol: Protocol, rows: pd.DataFrame, nested: bool) -> Iterator[Folds]:
    """Folds nested within each other, the outermost first; last what needs patients."""
    model, search = protocol.model, protocol.search
    if nested:
        yield "evaluation.cutoff_folds", protocol.evaluation.cutoff_folds
    if search is not None:
        yield "search.folds", search.folds
        if "lasso" in search.selectors or "elastic_net" in search.classifiers:
            yield "model.lasso.folds", model.lasso.folds
        return
    if model.n_features is not None:
        yield "model.n_features.folds", model.n_features.folds
    elif not nested or model.fusion != "early":
        yield INNER, INNER_FOLDS
    if _by_lasso(model):
        yield "model.lasso.folds", model.lasso.folds
    smote, ridge = model.balance == "smote", model.classifier == "ridge"
    if ridge or (smote and rows["patient"].is_unique):
        yield NEEDS_TWO[0 if ridge else 1], 2


def _by_lasso(model: ModelSettings) -> bool:
    return model.select.method == "lasso" or model.classifier == "elastic_net"


# Columns that the protocol names


def _of_manifest(protocol: Protocol) -> tuple[str, ...]:
    """Covariates that are known before anything is measured."""
    measured = protocol.morphometry_covariates
    return tuple(name for name in protocol.model.covariates if name not in measured)


def _columns(protocol: Protocol, obs: pd.DataFrame) -> Iterator[Finding]:
    remedy = "Add the column, or remove it from model.covariates."
    look = partial(covariate_values, obs, _of_manifest(protocol))
    yield from _caught("missing-covariate", remedy, look)


def _constants(protocol: Protocol, obs: pd.DataFrame) -> Iterator[Finding]:
    """Covariates that are the same for all cases: no model, where they shall make one of their
    own."""
    wanted = [name for name in _of_manifest(protocol) if name in obs]
    same = [name for name in wanted if obs[name].nunique() == 1]
    fused = protocol.model.fusion != "early" and len(same) == len(wanted)
    for name in same:
        yield _error(
            "constant-covariate",
            f"model.covariates names {name!r}, which is the same for all {len(obs)} cases: " + (
                f"nothing can be learnt from it, and fusion {protocol.model.fusion} wants a model "
                "of the covariates." if fused else "it is left out."
            ),
            "Remove it from model.covariates.",
            "error" if fused else "warning",
        )  # fmt: skip


def _gaps(protocol: Protocol, obs: pd.DataFrame) -> Iterator[Finding]:
    """Covariates with empty cells, which a model without imputation refuses."""
    if protocol.model.imputation.method != "none":
        return
    for name in (name for name in _of_manifest(protocol) if name in obs):
        empty = obs.index[obs[name].isna()].tolist()
        if 0 < len(empty) < len(obs):
            yield _error(
                "empty-covariate",
                f"model.covariates names {name!r}, which is empty for {len(empty)} of {len(obs)} "
                f"cases ({listed(empty)}).",
                "Fill it in, or set model.imputation.method.",
            )


def _batches(protocol: Protocol, obs: pd.DataFrame) -> Iterator[Finding]:
    remedy = "Correct the column, or choose another model.harmonisation."
    found = list(_caught("batches", remedy, lambda: batches(obs, protocol)))
    yield from found
    named = None if found else batches(obs, protocol)
    if named is not None:
        whole = list(_reference(protocol.model.harmonisation, named, ""))
        yield from whole
        yield from _batches_of_parts(protocol, obs, named, told=bool(whole))


def _batches_of_parts(
    protocol: Protocol, obs: pd.DataFrame, named: NDArray, *, told: bool
) -> Iterator[Finding]:
    """What the training sides of the design miss; `told`: that there is no reference at all."""
    harmonisation, split = protocol.model.harmonisation, protocol.split
    if list(_caught("design", "", partial(study_parts, protocol, obs))):
        return
    parts = study_parts(protocol, obs)
    for part in () if told else parts:
        yield from _reference(
            harmonisation, named[part.train], "" if split.single_part else part.name
        )
    if harmonisation.unseen == "refuse":
        yield from _unseen(harmonisation.batch, named, obs["patient"], parts)


def _unseen(
    column: str, named: NDArray, patients: pd.Series, parts: Sequence[Part]
) -> Iterator[Finding]:
    """The first batch that is tested where it was not trained on."""
    strange = {
        part.name: sorted({*named[part.test].tolist()} - {*named[part.train].tolist()})
        for part in parts
    }
    of_parts = [(f"The part {part!r} of the design", names) for part, names in strange.items()]
    owners = patients.groupby(named).nunique()
    alone = ("A fold within the training", owners.index[owners < 2].tolist())
    stops = bool(alone[1]) or all(strange.values())
    for where, names in [each for each in (*of_parts, alone) if each[1]][:1]:
        yield _error(
            "unseen-batch",
            f"{where} tests cases of the {column} {names[0]!r}, which was not trained on there; "
            "model.harmonisation.unseen: refuse forbids it.",
            "Set model.harmonisation.unseen: as_is.",
            "error" if stops else "warning",
        )


def _reference(settings: HarmonisationSettings, named: NDArray, part: str) -> Iterator[Finding]:
    """That the reference has too few cases, of all or to train on in a part of the design."""
    there = pd.Series(named).value_counts()
    if settings.reference is not None and there.get(settings.reference, 0) < 2:
        yield _error(
            "no-reference-batch",
            f"model.harmonisation.reference names {settings.reference!r}, of which the column "
            f"{settings.batch!r} has {there.get(settings.reference, 0)} "
            f"cases{f' to train on{_in(part)}' if part else ''}; it has "
            f"{listed([f'{name} ({n})' for name, n in there.items()])}.",
            "Name one of these with two cases or more.",
            "warning" if part else "error",
        )


def _reader_calls(protocol: Protocol, obs: pd.DataFrame) -> Iterator[Finding]:
    remedy = "Correct the column, or remove it from evaluation.reader_calls."
    for name in protocol.evaluation.reader_calls:
        look = partial(reader_calls, protocol.outcome, obs, name)
        yield from _caught("reader-calls", remedy, look)


def _of_cases(protocol: Protocol) -> tuple[str, ...]:
    """Columns of the table of odds ratios; measures of the bodies come later, if they are asked."""
    measured = protocol.morphometry is not None
    names = protocol.evaluation.odds_ratios
    return tuple(n for n in names if not (measured and n.startswith(MORPHOMETRY_PREFIX)))


def _beside(protocol: Protocol, obs: pd.DataFrame) -> Iterator[Finding]:
    """Columns of the evaluation that only this protocol names and that are not there."""
    own, usual = protocol.evaluation, EvaluationSettings()
    lists = (("subgroup", "subgroups", own.subgroups, usual.subgroups),
             ("clinical", "clinical", own.clinical, usual.clinical),
             ("odds-ratio", "odds_ratios", _of_cases(protocol), usual.odds_ratios))  # fmt: skip
    for code, block, names, always in lists:
        for name in names:
            if name not in obs and name not in always:
                near = get_close_matches(name, list(map(str, obs.columns)), 1)
                yield _error(
                    f"missing-{code}",
                    f"evaluation.{block} names {name!r}, which the manifest does not have; it is "
                    "left out.",
                    f"Did you mean {near[0]}?" if near else "Add the column, or remove it there.",
                    "warning",
                )


_LOOKS = (_classes, _columns, _constants, _gaps, _batches, _reader_calls, _beside)
"""What is looked for among the eligible cases."""
