"""A status follows the records: change the record, and it changes."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from centrum.cohort import EligibilityRule
from centrum.evaluate.bootstrap import Interval
from centrum.evaluate.logistic import Coefficient
from centrum.features.settings import Interpolation
from centrum.manuscript import evidence_of_model
from centrum.manuscript.answers import StudyFacts
from centrum.manuscript.evidence import EVIDENCE
from centrum.perturb import RobustnessSettings
from centrum.prepare.settings import Preparation, ZScore
from centrum.report.results import StudyResults
from centrum.report.sections.validation import SizesNeeded
from centrum.text import fixed
from tests.report.conftest import above_chance

from .conftest import Make, grouped
from .elsewhere import external_of

Change = Callable[[StudyResults], StudyResults]


def status(results: StudyResults, key: str, facts: StudyFacts | None = None) -> str:
    return EVIDENCE[key](results, facts or StudyFacts()).status


def said(results: StudyResults, key: str, facts: StudyFacts | None = None) -> str:
    return EVIDENCE[key](results, facts or StudyFacts()).answer


def protocol(**blocks: Any) -> Change:
    """Blocks of the protocol with some of their choices changed."""

    def change(results: StudyResults) -> StudyResults:
        made = {
            name: getattr(results.protocol, name).model_copy(update=choices)
            for name, choices in blocks.items()
        }
        return replace(results, protocol=results.protocol.model_copy(update=made))

    return change


def design(name: str, **more: Any) -> Change:
    return protocol(split={"design": name, **more})


def centres(*names: str | None) -> Change:
    """The cases' centres in turn."""

    def change(results: StudyResults) -> StudyResults:
        obs = results.table.obs
        values = [names[k % len(names)] for k in range(len(obs))]
        return replace(results, table=replace(results.table, obs=obs.assign(centre=values)))

    return change


def judged(**changes: Any) -> Change:
    return lambda r: replace(r, evaluation=replace(r.evaluation, **changes))


def assessed(**changes: Any) -> Change:
    return lambda r: replace(r, validation=replace(r.validation, **changes))


def seen_by_a_step(results: StudyResults) -> StudyResults:
    parts = [part | {"seen": {"scale": [40, 2]}} for part in results.validation.parts]
    return assessed(parts=parts)(results)


def on_both_sides(results: StudyResults) -> StudyResults:
    sides = [side | {"patients": 1} for side in results.validation.rows["parts"]]
    return assessed(rows={**results.validation.rows, "parts": sides})(results)


def without_slope(results: StudyResults) -> StudyResults:
    nothing = Coefficient(np.nan, np.nan, Interval(np.nan, np.nan))
    found = replace(results.evaluation.calibration, slope=nothing, reason="outcomes are parted")
    return judged(calibration=found)(results)


def without_coefficients(results: StudyResults) -> StudyResults:
    none = np.full(len(results.model.features), np.nan)
    return replace(results, model=replace(results.model, coefficients=none, classifier="rbf_svm"))


def without_reduction(results: StudyResults) -> StudyResults:
    model = results.protocol.model
    off = {
        "correlation": None,
        "n_features": None,
        "select": model.select.model_copy(update={"method": "none"}),
        "rfe": model.rfe.model_copy(update={"estimator": "none"}),
    }
    return protocol(model=off)(results)


def with_nothing_else(results: StudyResults) -> StudyResults:
    return judged(added=None)(assessed(ablation={})(results))


CHANGES: dict[str, tuple[str, str, str, Change]] = {
    "external": ("external_test", "not done", "answered", design("external", test_values=("B",))),
    "each centre": ("external_test", "not done", "answered", design("leave_one_centre_out")),
    "each scanner": (
        "external_test", "not done", "author", design("leave_one_centre_out", by="scanner"),
    ),
    "later": ("external_test", "not done", "not done", design("temporal")),
    "nested": ("internal_test", "answered", "answered", design("nested_cv")),
    "no source in common": (
        "internal_test", "answered", "not done", design("leave_one_centre_out"),
    ),
    "other setting": (
        "same_setting", "answered", "author", design("external", test_values=("B",)),
    ),
    "on both sides in turn": (
        "distributions", "answered", "not applicable", lambda r: replace(r, sides=None),
    ),
    "one centre": ("centres", "author", "not done", centres("A")),
    "two centres": ("centres", "author", "answered", centres("A", "B")),
    "centre not filled in": ("centres", "author", "author", centres("A", None)),
    "one cluster": ("clusters", "author", "not applicable", centres("A")),
    "two clusters": ("clusters", "author", "not done", centres("A", "B")),
    "normalised": (
        "preparation", "not done", "answered",
        protocol(preparation={"normalisation": ZScore()}),
    ),
    "normalised as PyRadiomics": (
        "preparation", "not done", "answered", protocol(extraction={"normalise_scale": 100.0}),
    ),
    "resampled": (
        "resampling", "not done", "answered",
        protocol(extraction={"interpolation": Interpolation(in_plane=0.6)}),
    ),
    "redundant": ("selection", "answered", "not done", without_reduction),
    "seen": ("split", "answered", "not done", seen_by_a_step),
    "crossing": ("split", "answered", "not done", on_both_sides),
    "no slope": ("calibration", "answered", "not done", without_slope),
    "kernel": ("specification", "answered", "not done", without_coefficients),
    "opaque": ("interpretation", "answered", "answered", without_coefficients),
    "opaque, not explained": (
        "interpretation", "answered", "not done",
        lambda r: replace(without_coefficients(r), explanation=None),
    ),
    "opaque, perhaps chance": (
        "interpretation", "answered", "not done",
        lambda r: replace(
            without_coefficients(r), evaluation=above_chance(r.evaluation, lower=0.5)
        ),
    ),
    "nothing beside": ("non_radiomic", "answered", "not done", with_nothing_else),
    "clinical beside": ("non_radiomic", "answered", "answered", assessed(ablation={})),
    "volume beside": ("non_radiomic", "answered", "answered", judged(added=None)),
    "no baseline": ("baseline", "answered", "not done", with_nothing_else),
    "clinical baseline": ("baseline", "answered", "answered", assessed(ablation={})),
    "no adjustment": ("confounders", "answered", "author", judged(added=None)),
    "subgroups are no adjustment": (
        "confounders", "answered", "author", lambda r: judged(added=None)(grouped(r)),
    ),
    "sex and age": ("fairness", "author", "answered", grouped),
    "classes as they are": (
        "balance", "answered", "not applicable", protocol(model={"balance": "none"}),
    ),
    "covariates": (
        "covariates", "not applicable", "answered", protocol(model={"covariates": ("age",)}),
    ),
    "real patients": (
        "data_source", "answered", "author", lambda r: replace(r, simulated=""),
    ),
    "no rules": (
        "eligibility", "answered", "author",
        lambda r: replace(r, flow=replace(r.flow, exclusions=())),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_status_follows_its_record(results: StudyResults, name: str) -> None:
    key, before, after, change = CHANGES[name]
    assert status(results, key) == before
    assert status(change(results), key) == after


# Readers and perturbations


def test_one_reader_removes_nothing(make: Make) -> None:
    alone = make(readers=("senior",))
    assert status(make(), "agreement") == "answered"
    assert status(alone, "agreement") == "not done"
    assert status(make(), "automatic_segmentation") == "not applicable"
    assert status(alone, "automatic_segmentation") == "author"
    perturbed = make(readers=("senior",), perturbed=RobustnessSettings(repeats=2))
    assert status(perturbed, "agreement") == "answered"
    kept = int(perturbed.robustness["kept"].sum())
    assert f"{kept} of {len(perturbed.robustness)} features" in said(perturbed, "agreement")


def test_rules_are_named_with_their_counts(make: Make) -> None:
    rule = EligibilityRule(name="At least 45", require="age >= 45")
    results = make(rules=(rule,))
    lost = results.flow.exclusions[0].excluded.cases
    assert lost
    assert said(results, "eligibility") == f"At least 45 ({lost} excluded)."


# StudyFacts


def test_acquisition_needs_all_of_its_parameters(results: StudyResults) -> None:
    full = pd.DataFrame(
        {
            "manufacturer": ["GE", "GE", "Siemens"],
            "field strength T": 1.5,
            "TR ms": [2500, 2778, 2321],
            "TE ms": 104,
            "slice_spacing_mm": [4.4, 4.4, 3.3],
        }
    )
    found = EVIDENCE["acquisition"](results, StudyFacts(acquisition=full))
    assert found.status == "answered"
    for part in (
        "GE (2), Siemens (1)",
        "TR ms 2321–2778",
        "TE ms 104;",
        "slice spacing mm 3.3–4.4",
    ):
        assert part in found.answer
    less = StudyFacts(acquisition=full.assign(**{"field strength T": np.nan}))
    assert status(results, "acquisition", less) == "author"
    assert "To be added: field strength." in said(results, "acquisition", less)
    assert said(results, "acquisition") == ""


def test_columns_of_the_manifest_tell_of_the_acquisition(results: StudyResults) -> None:
    obs = results.table.obs.assign(tr_ms=2500.0, te_ms=104.0)
    found = EVIDENCE["acquisition"](
        replace(results, table=replace(results.table, obs=obs)), StudyFacts()
    )
    assert found.status == "author"
    assert found.answer.startswith("Known: tr ms 2500; te ms 104.")


def test_facts_decide_what_results_do_not_hold(results: StudyResults) -> None:
    assert status(results, "model_file") == "author"
    exported = StudyFacts(exported_model=True)
    assert status(results, "model_file", exported) == "author", "whether it is shared"
    assert "results/model.json" in said(results, "model_file", exported)
    elsewhere = StudyFacts(external=external_of(results, centres={"Z": 40}))
    assert status(results, "external_test", elsewhere) == "author", "whose own centre is unknown"
    assert status(centres("A", "A")(results), "external_test", elsewhere) == "answered"
    kernel = without_coefficients(results)
    assert status(kernel, "specification", StudyFacts(exported_model=True)) == "answered"


# Size


@pytest.mark.parametrize(
    ("model", "candidates", "wanted"),
    [(10, 20, "answered"), (10, 1000, "author"), (500, 1000, "not done")],
)
def test_enough_cases_is_claimed_for_all_candidates_only(
    results: StudyResults, monkeypatch: pytest.MonkeyPatch, model: int, candidates: int, wanted: str
) -> None:
    class Size:
        def __init__(self, n: int) -> None:
            self.n = n

    needed = SizesNeeded(0.8, 0.5, Size(model), Size(candidates), 3)
    monkeypatch.setattr(evidence_of_model, "sizes_needed", lambda results: needed)
    assert status(results, "enough_cases") == wanted
    assert status(results, "sample_size") == "answered"


# Several sequences


@pytest.mark.parametrize(("falls_by", "wanted"), [(0.3, "answered"), (0.0, "not done")])
def test_several_sequences_need_proof(make: Make, falls_by: float, wanted: str) -> None:
    results = make(n_parts=3)
    features = results.table.features
    named = tuple(replace(f, sequence="T1w" if k % 2 else "T2w") for k, f in enumerate(features))
    parts = results.validation.parts
    alone = [part | {"auc": part["auc"] - falls_by} for part in parts]
    ablation = {"T1w": alone, "T2w": alone}
    both = assessed(ablation=ablation)(
        replace(results, table=replace(results.table, features=named))
    )
    assert status(results, "sequences") == "answered"
    assert status(both, "sequences") == wanted
    untried = assessed(ablation={})(both)
    assert status(untried, "sequences") == "not done"


# Centres


def test_centres_left_out_are_compared(results: StudyResults) -> None:
    two = centres("A", "B")(design("leave_one_centre_out")(results))
    area = fixed(results.validation.parts[0]["auc"], 2)
    assert status(two, "clusters") == "answered"
    assert f"split 0 {area}" in said(two, "clusters")


# Numbers are those of the records


def test_numbers_are_those_of_the_records(results: StudyResults) -> None:
    kept = int(results.agreement["kept"].sum())
    assert f"{kept} of {len(results.agreement)} features pass" in said(results, "agreement")
    test = results.evaluation.by_set["test"]
    assert f"test AUC {fixed(test.auc.value, 2)} (" in said(results, "internal_test")
    assert fixed(results.evaluation.calibration.brier) in said(results, "calibration")
    assert fixed(results.cutoff.value) in said(results, "cut_off")
    assert f"{test.n_positive} malignant" in said(results, "participants")
    assert f"{len(results.failures)} eligible cases not measured" in said(results, "missing")
    n = len(results.table.features)
    assert f"{n} measured" in said(results, "numbers")
    counts = [int(part.split()[-1]) for part in said(results, "families").rstrip(".").split(", ")]
    assert sum(counts) == n


def test_preparation_is_told_in_order(results: StudyResults) -> None:
    settings = Preparation(subtract_air=True, bias_field={}, normalisation={"method": "percentile"})
    changed = results.protocol.model_copy(update={"preparation": settings})
    text = said(replace(results, protocol=changed), "preparation")
    order = ["air", "N4", "percentiles", "grey levels"]
    assert sorted(order, key=text.index) == order


def test_missing_values_are_counted(results: StudyResults) -> None:
    values = results.table.values.copy()
    values[:2, 0, 0] = np.nan
    fewer = replace(results, table=replace(results.table, values=values))
    assert said(results, "missing").startswith("0 values")
    assert said(fewer, "missing").startswith("2 values")
