"""What the command line prints of results, line by line."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from centrum.cohort import Cohort
from centrum.cohort.pseudonyms import about_key
from centrum.commands.problems import Problems
from centrum.io.objects import is_url
from centrum.io.scratch import PLACE, ROOM_GB, scratch_bytes, scratch_folder
from centrum.records import as_json
from centrum.report.words.contributions import UNTOLD
from centrum.study.findings import Failure, Finding
from centrum.text import counted, first_of, fixed, interval_text, p_equals

if TYPE_CHECKING:
    from centrum.commands.bodies import Bodies
    from centrum.commands.perturb import Robustness
    from centrum.commands.signature import EvaluatedReading
    from centrum.frozen.explanation import StudyExplanation
    from centrum.frozen.external import ExternalValidation
    from centrum.frozen.model import FrozenModel
    from centrum.modelling.settings import AgreementSettings, RobustnessRule
    from centrum.study.extraction import Extraction
    from centrum.study.study import Study
    from centrum.validation.model import Model
    from centrum.validation.procedure import InternalValidation

SETS = {
    "train": "training (apparent)",
    "out_of_fold": "training, out of fold",
    "test": "test",
    "pooled": "test, pooled",
}
"""What the evaluations are of."""


def problem_lines(
    failures: Sequence[Failure], findings: Sequence[Finding], width: int
) -> Iterator[str]:
    """What could not be measured, and what was noticed that is more than a note."""
    shown = tuple(f for f in findings if f.severity != "note")
    yield from Problems(0, failures=tuple(failures), findings=shown).lines(width)


def json_text(value: object) -> str:
    """Results as programs read them."""
    return json.dumps(as_json(value), indent=1)


def extraction_lines(extraction: "Extraction", width: int) -> Iterator[str]:
    """What could not be measured, what was noticed, and how much there is."""
    yield from problem_lines(extraction.failures, extraction.findings, width)
    cases, n_features, readers = extraction.table.values.shape
    yield f"{cases} cases x {n_features} features x {readers} readers."
    if extraction.table.large:
        from centrum.table import WITHOUT_CSV

        yield f"No features.csv: {WITHOUT_CSV} features.parquet has the table."
    if undefined := extraction.undefined:
        names = first_of(undefined, 3)
        yield f"{len(undefined)} features are not defined for these regions: {names}"
    if extraction.failures:
        yield f"{len(extraction.failures)} cases could not be measured and are left out."


def key_lines(cohort: Cohort) -> Iterator[str]:
    """That names were replaced, where they were."""
    if cohort.identities:
        yield f"Note: {about_key(cohort)}."


def staging_lines(cohort: Cohort) -> Iterator[str]:
    """Where images go that lie in object storage, if any do."""
    sources = [s for case in cohort.cases for s in (*case.images.values(), *case.drawn.values())]
    if any(map(is_url, sources)):
        yield (
            f"Objects are staged in {scratch_folder()}, at most {scratch_bytes() / 1e9:g} GB "
            f"({PLACE}, {ROOM_GB})."
        )


def agreement_lines(study: "Study") -> Iterator[str]:
    """How many features agree between the readers, and who may have copied whom."""
    from centrum.agreement.copies import copies_in
    from centrum.commands.results import load_agreement, load_agreement_within
    from centrum.report.readers import those, times, who
    from centrum.study.extraction import load_extraction

    table, rule = load_agreement(study), study.protocol.model.agreement
    extraction = load_extraction(study)
    features = extraction.table
    if table.empty:
        yield "One reader: there is no agreement to compute."
    else:
        drew = who(features.compared, features.readers, study.protocol)
        cases = those(table["n"], len(features.cases), "case", drew)
        yield f"{_kept(table['kept'], rule)}, over {cases}."
    again = load_agreement_within(study)
    for names in features.read_twice:
        own = again[again["reader"] == names[0]]
        cases = those(own["n"], len(features.cases), "case", f"{names[0]} read {times(names)}")
        yield f"Within {names[0]}: {_kept(own['kept'], rule)}, over {cases}."
    for pair in copies_in(extraction.overlap):
        yield f"warning: {pair.text()}"


def robustness_lines(robustness: "Robustness") -> Iterator[str]:
    """What could not be perturbed, and how many features stay the same."""
    for failure in robustness.failures:
        yield f"failed: {failure.case}: {failure.message}"
    yield (
        f"{_kept(robustness.features['kept'], robustness.rule)} over {robustness.perturbations} "
        f"perturbations of {robustness.cases} cases."
    )


def bodies_lines(bodies: "Bodies") -> Iterator[str]:
    """What could not be measured, and how many bodies have which grade."""
    for failure in bodies.failures:
        yield f"failed: {failure.case}: {failure.message}"
    grades = bodies.frame["grade"].dropna().astype(int).value_counts().sort_index()
    told = ", ".join(f"grade {grade}: {n}" for grade, n in grades.items())
    yield f"{len(bodies.frame) - len(bodies.failures)} bodies measured; {told or 'no grade'}."


def _kept(kept: Any, rule: "AgreementSettings | RobustnessRule") -> str:
    limit = "lower limit " if rule.use == "lower_bound" else ""
    return (
        f"{int(kept.sum())} of {len(kept)} features have an ICC({rule.form}) {limit}above "
        f"{rule.threshold}"
    )


def model_lines(model: "Model") -> Iterator[str]:
    """What a fitted model reads, with its coefficients where it is linear."""
    yield f"{model.classifier} on {len(model.features)} features, {model.n_train} cases:"
    if model.linear:
        yield f"  {model.intercept:+.3f}  intercept"
    for name, coefficient in zip(model.features, model.coefficients, strict=True):
        yield f"  {coefficient:+.3f}  {name}" if model.linear else f"  {name}"


LEADING = 5
"""Groups of features that a screen shows."""


def explanation_lines(found: "StudyExplanation | None") -> Iterator[str]:
    """The groups of features whose permutation takes most off the AUC."""
    if found is None or not found.parts:
        yield UNTOLD if found is None else f"Not explained: {found.failed}"
        return
    yield f"Drop in AUC when features are permuted, {counted(found.parts, 'part')}:"
    for group in [each for each in found.groups if not each.alone][:LEADING]:
        first, *others = group.features
        more = f" and {len(others)} more" if others else ""
        interval = interval_text(group.interval.lower, group.interval.upper, 2)
        yield f"  {fixed(group.drop, 2)} ({interval})  {first}{more}"


def frozen_line(model: "FrozenModel") -> str:
    """What a frozen model was made from."""
    return (
        f"{model.name}: {len(model.scorer.features)} features, trained on "
        f"{model.provenance['training']['cases']} cases; checked by {len(model.self_test.scores)} "
        "self-test rows."
    )


def evaluation_lines(
    simulated: bool,
    evaluations: Mapping[str, Mapping[str, Any]],
    over_parts: Mapping[str, Any] | None = None,
) -> Iterator[str]:
    """Discrimination on each side of the split, as evaluation.json has it.

    Last the mean AUC `over_parts`, which of a design with several is the one that is reported.
    """
    if simulated:
        yield "Simulated patients: this proves the software, not the medicine."
    for evaluation in evaluations.values():
        area, measures = evaluation["auc"], evaluation["measures"]
        low, high = (_number(area["interval"][end]) for end in ("lower", "upper"))
        limits = "" if evaluation["apparent"] else f" ({interval_text(low, high, join='-')})"
        yield (
            f"{SETS[evaluation['name']]:22} n {evaluation['n']:4}  "
            f"AUC {_number(area['value']):.3f}{limits}  "
            f"sensitivity {_number(measures['sensitivity']['value']):.3f}  "
            f"specificity {_number(measures['specificity']['value']):.3f}"
        )
    if over_parts is not None:
        low, high = (_number(over_parts["interval"][end]) for end in ("lower", "upper"))
        yield (
            f"{'test, mean over parts':22} {counted(over_parts['n'], 'part'):>6}  "
            f"AUC {over_parts['mean']:.3f} ({interval_text(low, high, join='-')})"
        )


def _number(value: float | None) -> float:
    """A number as JSON has it: None is nan."""
    return math.nan if value is None else value


def internal_lines(validation: "InternalValidation") -> Iterator[str]:
    """The internal validation: failed parts, mean areas, permuted outcomes."""
    for part in validation.parts:
        if part["error"]:
            yield f"failed: {part['name']}: {part['error']}"
    beside = {**validation.ablation, "the sparse model": validation.sparse}
    for name, records in {"the model": validation.parts, **beside}.items():
        areas = [record["auc"] for record in records if record["auc"] is not None]
        if areas:
            parts = counted(len(areas), "part")
            yield f"{name:22} AUC {sum(areas) / len(areas):.3f} over {parts}"
    if validation.permutation is not None and validation.permutation.telling:
        permuted = validation.permutation.values
        yield (
            f"{'permuted outcomes':22} AUC {sum(permuted) / len(permuted):.3f} over "
            f"{len(permuted)} permutations, {p_equals(validation.permutation.p)}"
        )


def external_lines(external: "ExternalValidation") -> Iterator[str]:
    """What a model is worth elsewhere, beside the models it is compared with."""
    for case, why in external.refused.items():
        yield f"refused: {case}: {why}"
    area = external.evaluation.auc
    limits = interval_text(area.interval.lower, area.interval.upper, join="-")
    yield f"n {len(external.cases)}  AUC {area.value:.3f} ({limits})"
    for c in external.calibrated:
        slope, intercept = c.calibration.slope.value, c.calibration.intercept.value
        yield f"calibration slope, {c.name}: {slope:.2f}, intercept {intercept:.2f}"
    for other in external.compared:
        d = other.difference
        yield (
            f"{other.name}: AUC {d.first:.3f}, difference {d.difference:+.3f} "
            f"({d.interval.lower:+.3f} to {d.interval.upper:+.3f})"
        )
    for found in external.other_readers:
        d = found.difference
        yield (
            f"regions of {found.name}: AUC {d.first:.3f}, difference {d.difference:+.3f} "
            f"({d.interval.lower:+.3f} to {d.interval.upper:+.3f}), "
            f"{found.changed} of {len(found.cases)} calls change"
        )


def signature_lines(evaluated: "Iterable[EvaluatedReading]") -> Iterator[str]:
    """Every reading of a published signature, and how its scores tell the outcomes."""
    evaluated = tuple(evaluated)
    usable = [j for j in evaluated if j.reading.usable]
    yield f"{len(evaluated)} readings of the names, {len(usable)} can be scored here."
    for k, j in enumerate(evaluated, 1):
        if j.reading.usable:
            limits = interval_text(j.lower, j.upper, join="-")
            yield f"{k}: AUC {j.auc:.3f} ({limits}), {j.reading.standardised}"
            yield f"   {', '.join(j.reading.names)}"
        else:
            yield f"{k}: {j.reading.problem}"
    for caution in dict.fromkeys(j.reading.caution for j in usable if j.reading.caution):
        yield f"Caution: {caution}"
