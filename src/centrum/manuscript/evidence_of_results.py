"""How the model did: evidence for checklists."""

import numpy as np

from centrum.frozen.external_record import ExternalRecord
from centrum.manuscript.answers import (
    ANOTHER_COHORT,
    IN_PAPER,
    MODEL_FILE,
    WITHIN,
    ItemAnswer,
    StudyFacts,
    alternatives,
    answered,
    area_text,
    author,
    beside,
    by_group,
    centres_of,
    elsewhere,
    evidence,
    listed,
    not_applicable,
    not_done,
    result_file,
    share_positive,
    shared_with,
    shown,
    simple_models,
    tested_subgroups,
)
from centrum.manuscript.evidence_of_model import design_text, enough_cases
from centrum.manuscript.results_external import external_summary
from centrum.protocol.limits import region_words
from centrum.report.confounders import SMALL_P, compared, differing_text
from centrum.report.numbering import ref
from centrum.report.results import StudyResults
from centrum.report.sections.added_value import added_text, variables_text
from centrum.report.sections.instability import instability_text
from centrum.report.sequences import weighting_text
from centrum.report.words.images import GRID_MISMATCHES
from centrum.report.words.model import CALIBRATIONS, HARMONISATIONS, IMPUTATIONS
from centrum.text import counted, fixed, interval_text, p_text, percent, sentence_case
from centrum.validation.added_value import CLINICAL


@evidence
def measures(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """Which, and what each is for."""
    text = (
        f"{share_positive(results)}. AUC, ROC and precision-recall for the order of the scores; "
        "sensitivity, specificity, predictive values, likelihood ratios, accuracy, balanced "
        "accuracy, F1 and Matthews' correlation coefficient with all counts for "
        "decisions at the cut-off; slope, intercept, Brier score and curve for the probabilities; "
        "net benefit for their use."
    )
    return answered(
        text, shown("performance", "Table performance", "Figure roc"),
        shown("calibration", "Table calibration", "Figure calibration", "Figure decision-curve",
              "Figure precision-recall"),
    )  # fmt: skip


@evidence
def uncertainty(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """Intervals and how they were made."""
    test = results.evaluation.by_set["test"]
    text = (
        f"{percent(test.confidence)} confidence intervals of every measure: of the AUC by DeLong's "
        f"variance on the logit scale, of shares by {test.interval_method.capitalize()} or by "
        f"bootstrap of patients ({test.n_resamples} samples). Test AUC {area_text(results)}."
    )
    places = [shown("performance", "Table performance")]
    if len(results.validation.parts) > 1:
        places.append(shown("validation", "Table parts"))
    if told := instability_text(results):
        text = f"{text} {told}"
        places.append(shown("instability", "Table instability", "Figure instability"))
    return answered(text, *places)


@evidence
def calibration(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """Slope, intercept and curve of the test cases."""
    found = results.evaluation.calibration
    place = shown("calibration", "Table calibration", "Figure calibration")
    if not np.isfinite(found.slope.value):
        return not_done(f"The calibration slope cannot be found: {found.reason}.", place)
    slope, interval = found.slope, found.slope.interval
    text = (
        f"Test cases: slope {fixed(slope.value, 2)} "
        f"({interval_text(interval.lower, interval.upper, 2)}), in the large "
        f"{fixed(found.in_the_large.value, 2)}, Brier score {fixed(found.brier)}, mean distance "
        f"from the curve {fixed(found.ici)}."
    )
    return answered(text, place)


@evidence
def performance(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """Of training, out of fold and test; of subgroups."""
    found, tests = results.evaluation.by_set, tested_subgroups(results)
    text = (
        f"AUC apparent {fixed(found['train'].auc.value, 2)}, out of fold "
        f"{fixed(found['out_of_fold'].auc.value, 2)}, test {area_text(results)}; calibration slope "
        f"{fixed(results.evaluation.calibration.slope.value, 2)}"
    )
    places = [
        shown("performance", "Table performance"),
        shown("calibration", "Table calibration"),
    ]
    if tests:
        text += f"; by subgroup, P that the AUC is the same: {by_group(tests)}"
        places.append(shown("calibration", "Table subgroups"))
    if facts.external is not None:
        text += f". {external_summary(results, facts.external).rstrip('.')}"
        places.append(IN_PAPER)
    return answered(f"{text}.", *places)


@evidence
def participants(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """Numbers of each analysis."""
    train, test = results.evaluation.by_set["train"], results.evaluation.by_set["test"]
    said = (
        f"{name} {counted(e.n, 'case')} of {counted(e.n_patients, 'patient')}, {e.n_positive} "
        f"{results.model.positive}"
        for name, e in (("fit:", train), ("test:", test))
    )
    text = f"{'; '.join(said)}. Cut-off and calibration: the training cases, out of fold."
    places = [shown("performance", "Table performance"), shown("leaks", "Table sides")]
    if facts.external is not None:
        e = facts.external.evaluation
        text += (
            f" External: {counted(e.n, 'case')} of {counted(e.n_patients, 'patient')}, "
            f"{e.n_positive} {results.model.positive}."
        )
        places.append(IN_PAPER)
    return answered(sentence_case(text), *places)


@evidence
def cut_off(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """Output and threshold."""
    cut, settings = results.cutoff, results.protocol.model.calibration
    text = (
        f"A score, a probability by {CALIBRATIONS[settings].label}, and the call "
        f"{results.model.positive} from a score of {fixed(cut.value)} on ({cut.rule}, learnt on "
        f"{cut.learnt_on})."
    )
    return answered(text, shown("performance", "Table performance"), shown("calibration"))


@evidence
def confounders(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """What differs between the outcomes, and the score adjusted for it.

    Tests of subgroups ask whether the score does alike in all of them, which is no adjustment.
    """
    names, added = compared(results), results.evaluation.added
    differs = differing_text(results) or f"no difference with a P below {SMALL_P:g}"
    looked = f"{listed(names)} compared between the outcomes: {differs}" if names else ""
    if added is None:
        return author(f"{sentence_case(looked)}." if looked else "")
    told = f"{sentence_case(looked)}. " if looked else ""
    places = [shown("population", "Table population"), shown("added-value", "Table added-value")]
    if results.evaluation.odds_ratios:
        places.append(shown("odds-ratios", "Table odds-ratios"))
    return answered(f"{told}{added_text(added)}", *places)


@evidence
def sequences(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """One, or each alone against all."""
    names = list(dict.fromkeys(f.sequence for f in results.table.features))
    if len(names) == 1:
        text = f"One image sequence is used. {weighting_text(results)}".rstrip()
        return answered(text, shown("summary"))
    found = alternatives(results)
    alone = {n: found[n.replace("_", " ")] for n in names if n.replace("_", " ") in found}
    worse = [name for name, (_, gap, _p) in alone.items() if gap.upper < 0]
    text = f"Sequences {listed(names)}: {beside(alone) or 'not tried alone'}."
    places = [shown("validation", "Table sources")] if found else [shown("validation")]
    return (answered if len(worse) == len(names) else not_done)(text, *places)


@evidence
def non_radiomic(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """The size of the region, covariates and readers beside the model."""
    simple, texts, places = simple_models(results), [], []
    if simple:
        texts.append(beside(simple))
        places.append(shown("validation", "Table sources"))
    if others := results.evaluation.readers:
        texts.append(
            "; ".join(
                f"{r.name} has a sensitivity of {fixed(r.sensitivity, 2)} and a specificity of "
                f"{fixed(r.specificity, 2)}"
                for r in others
            )
        )
        places.append(shown("calibration", "Table readers"))
    if added := results.evaluation.added:
        texts.append(added_text(added))
        places.append(shown("added-value", "Table added-value"))
    if not texts:
        return not_done("The model was compared with nothing else.", shown("validation"))
    return answered(f"Same test cases: {'; '.join(texts).rstrip('.')}.", *places)


@evidence
def baseline(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """A logistic regression of little, and no information."""
    simple, test = simple_models(results), results.evaluation.by_set["test"]
    most = max(test.n_positive, test.n_negative) / test.n
    guess = (
        f"the commoner outcome for everybody is right in {percent(most, 0)} of the test cases, the "
        f"model in {percent(test.measures['accuracy'].value, 0)}"
    )
    texts, places = [beside(simple)] * bool(simple), []
    if simple:
        places.append(shown("validation", "Table sources"))
    if added := results.evaluation.added:
        area = added.areas[CLINICAL].value
        texts.append(f"{variables_text(added)} give an AUC of {fixed(area, 2)}")
        places.append(shown("added-value", "Table added-value"))
    places.append(shown("performance", "Table performance"))
    if not texts:
        return not_done(f"No simple model was fitted; {guess}.", *places)
    return answered(f"Logistic regressions: {'; '.join(texts)}; {guess}.", *places)


@evidence
def internal_test(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """Unseen cases of the same source."""
    split = results.protocol.split
    if split.design in WITHIN:
        text = f"{design_text(results)}; test AUC {area_text(results)}."
        return answered(text, shown("performance", "Table performance"), shown("validation"))
    if not split.single_part:
        text = f"Each {split.column} is tested by a model of the others only."
        return not_done(text, shown("validation"))
    area = fixed(results.evaluation.by_set["out_of_fold"].auc.value, 2)
    text = f"Training cases by models that were fitted wholly without their patients: AUC {area}."
    return answered(text, shown("performance", "Table performance"))


@evidence
def external_test(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """Cases of another institution: a further set of patients, or by the design."""
    by_design = _tested_by_design(results)
    if facts.external is None or by_design.status == "answered":
        return by_design
    return _tested_elsewhere(results, facts.external)


def _tested_by_design(results: StudyResults) -> ItemAnswer:
    split, place = results.protocol.split, shown("validation")
    text = f"{design_text(results)}; test AUC {area_text(results)}."
    if split.design in ("external", "leave_one_centre_out"):
        if split.column == "centre":
            return answered(text, place, shown("performance", "Table performance"))
        return author(f"{text} Whether each {split.column} is an institution remains to be stated.")
    return not_done(f"{design_text(results)}: no cases of another institution.", place)


def _tested_elsewhere(results: StudyResults, found: ExternalRecord) -> ItemAnswer:
    """What a further set of patients is worth depends on whose patients they are."""
    text = external_summary(results, found)
    if shared := shared_with(results, found):
        same = f"{counted(shared, 'case')} had the very score of a case of the study."
        return author(f"{text} {same}")
    match elsewhere(results, found):
        case True:
            return answered(text, IN_PAPER, ANOTHER_COHORT)
        case False:
            return not_done(text, IN_PAPER, ANOTHER_COHORT)
    return author(f"{text} Whether that is another institution remains to be stated.")


@evidence
def clusters(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """Differences between centres."""
    found, tests = centres_of(results), tested_subgroups(results)
    if not found:
        return author("The manifest does not name the centre of every case.")
    if len(found) == 1:
        other = facts.external
        if other is not None and elsewhere(results, other):
            own = f"Centre of the study: AUC {area_text(results)}."
            return answered(f"{own} {external_summary(results, other)}", IN_PAPER)
        return not_applicable(
            "All cases are from one centre.", shown("population", "Table population")
        )
    split, harmonised = results.protocol.split, results.protocol.model.harmonisation.method
    after = "" if harmonised == "none" else f" Features were {HARMONISATIONS[harmonised].label}."
    if split.design == "leave_one_centre_out":
        areas = ((p["name"], p["auc"]) for p in results.validation.parts)
        each = listed(f"{name} {fixed(area, 2)}" for name, area in areas if area is not None)
        text = f"AUC of each {split.column} by a model of the others: {each}.{after}"
        return answered(text, shown("validation", "Table parts", "Figure parts"))
    if "centre" in tests:
        text = f"P that the AUC is the same in all {len(found)} centres: {p_text(tests['centre'])}."
        return answered(f"{text}{after}", shown("calibration", "Table subgroups"))
    text = f"{counted(len(found), 'centre')}; performance was not compared between them.{after}"
    return not_done(text, shown("population", "Table population"))


@evidence
def fairness(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """Performance by sex and age."""
    tests = {name: p for name, p in tested_subgroups(results).items() if name in ("sex", "age")}
    if not tests:
        return author("Performance by sex and age could not be tested.")
    text = f"Performance was examined by {by_group(tests)}: P that the AUC is the same."
    return answered(text, shown("calibration", "Table subgroups"))


@evidence
def same_setting(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """Sides of one cohort do not differ by design."""
    split = results.protocol.split
    same = "the same rules, outcome and predictors on both sides"
    if facts.external is not None:
        return author(
            f"{ref('Table external')} has patients and acquisition of the external set beside the "
            "study's; how setting, eligibility and outcome differ remains to be stated."
        )
    if split.single_part and split.design != "single":
        return author(
            f"{design_text(results)}: {same}; how their setting differs remains to be stated."
        )
    if split.design == "leave_one_centre_out":
        return author(f"Each {split.column} is tested by a model of the others: {same}.")
    return answered(
        f"None by design: both sides come from one cohort, split at random by patient; {same}.",
        shown("validation"), shown("population", "Figure flow"),
    )  # fmt: skip


@evidence
def distributions(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """Cases and predictors of both sides."""
    found = results.sides
    beside = [] if facts.external is None else [IN_PAPER, f"{ANOTHER_COHORT}, Drift"]
    if found is None and beside:
        return answered("External cases stand beside the study's, with the drift of every "
                        "feature of the model.", *beside)  # fmt: skip
    if found is None:
        text = "Every case is on the training side of some parts and on the test side of others."
        return not_applicable(text, shown("validation"))
    differing = f" ({listed(found.differing)})" if found.differing else ""
    text = (
        f"Training and test cases are compared by {counted(found.compared, 'characteristic')}, "
        "the features of the model among them, with standardised differences and tests: "
        f"{len(found.differing)}{differing} differ by more than random sides do once in twenty."
    )
    features = ("Table features-by-side",) if found.features else ()
    own = shown("population", "Table training-test", "Table population-by-side", *features)
    return answered(text, own, *beside)


@evidence
def updating(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """Nothing was changed after the test."""
    text = "The model was not changed after it was tested; calibration is learnt on training cases."
    return not_applicable(text, shown("calibration"))


@evidence
def poor_input(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """What happens to a new case that is not as it should be."""
    protocol, sets = results.protocol, results.evaluation.conformal
    lacking = IMPUTATIONS[protocol.model.imputation.method].label
    other = GRID_MISMATCHES[protocol.images.on_grid_mismatch].label
    grid = "" if protocol.tables else f"A region on another grid than its image {other}; "
    text = sentence_case(
        f"{grid}a missing value {lacking}. {percent(sets.uncertain, 0)} of the test cases are "
        f"called uncertain and {percent(sets.neither, 0)} unlike both outcomes."
    )
    return answered(text, shown("protocol", "Table protocol"), shown("calibration"))


# What is the author's to share or to say


@evidence
def data_files(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """A hint: the files that could be shared."""
    files = result_file(results, "features.csv")
    return author(f"The features are in {files[0]}, with case and patient ids." if files else "")


@evidence
def code(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """A hint: what there is to share; that it was shared the records cannot know."""
    return author(
        f"To be shared: the protocol, printed in full in {ref('Table protocol')}; the study was "
        f"computed with centrum {results.versions['centrum']} (Apache-2.0)."
    )


@evidence
def model_file(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """A hint: whether there is a frozen model to share."""
    if not facts.exported_model:
        return author("The model was not exported.")
    return author(f"To be shared: the frozen model, {MODEL_FILE}.")


@evidence
def pipeline(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """A hint: the steps are listed, not drawn."""
    return author(
        f"{ref('Table history')} lists all {len(results.history)} steps in order; none is drawn."
    )


@evidence
def limits(results: StudyResults, facts: StudyFacts) -> ItemAnswer:
    """A hint: what the records show to be weak."""
    weak = [
        ("simulated patients", bool(results.simulated)),
        ("one centre", len(centres_of(results)) == 1 and not _elsewhere(results, facts)),
        ("no external test", external_test(results, facts).status == "not done"),
        ("fewer cases than Riley's criteria ask for",
         enough_cases(results, facts).status == "not done"),
        (f"the {region_words(results.protocol.images.region)}, without the signs outside it",
         True),
    ]  # fmt: skip
    return author(f"From the records: {listed(name for name, there in weak if there)}.")


def _elsewhere(results: StudyResults, facts: StudyFacts) -> bool:
    return facts.external is not None and bool(elsewhere(results, facts.external))
