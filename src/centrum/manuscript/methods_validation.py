"""Who was trained on and who was tested, and how the whole procedure was validated."""

from centrum.manuscript.methods_model import fused, plain_sources
from centrum.modelling.fusion import CLINICAL, MORPHOMETRY
from centrum.modelling.leaks import TITLES
from centrum.modelling.pipeline import INNER_FOLDS
from centrum.report.results import StudyResults
from centrum.report.sections.leak_audit import exchanged, too_few
from centrum.report.words.validation import DESIGNS
from centrum.text import counted, listed, number, percent, sentences
from centrum.validation.matrix import RADIOMICS
from centrum.validation.near_copies import ALIKE
from centrum.validation.procedure import BOTH, FEWEST_WAYS, VOLUME


def design(results: StudyResults) -> str:
    """The design, and that patients were allocated, not rows."""
    split = results.protocol.split
    return sentences(
        DESIGNS[split.design].told(split),
        "Patients, not cases or rows, were allocated: all cases of a patient were on one side, in "
        "splits, folds and resamples alike.",
        _sides(results) if split.single_part else _parts(results),
    )


def _sides(results: StudyResults) -> str:
    scores = results.scores
    found = []
    for name, part in (("training", "train"), ("test", "test")):
        rows = scores[scores["part"] == part]
        patients = counted(rows["patient"].nunique(), "patient")
        found.append(f"{counted(len(rows), f'{name} case')} of {patients}")
    return (
        f"This gave {listed(found)}. No step of the model, and neither cut-off, calibration nor "
        "conformal sets, was learnt on test cases."
    )


def _parts(results: StudyResults) -> str:
    parts = results.validation.parts
    failed = sum(bool(record["error"]) for record in parts)
    lost = f" {counted(failed, 'part')} could not be fitted." if failed else ""
    return (
        f"The design had {counted(len(parts), 'part')}, each with a training and a test side; "
        f"performance is reported over them.{lost} No step of a part, nor its cut-off and "
        "calibration, was learnt on its test cases. The final model was fitted on all cases."
    )


def out_of_fold(results: StudyResults) -> str:
    """Where the scores come from that cut-off, calibration and sets are learnt on."""
    evaluation, protocol = results.protocol.evaluation, results.protocol
    if protocol.split.single_part:
        return (
            "Out-of-fold scores of the training cases came from nested cross-validation with "
            f"{evaluation.cutoff_folds} folds by patient (seed {evaluation.seed}), in each of "
            "which the whole procedure was repeated."
        )
    return (
        "Out-of-fold scores of the training cases of a part, and of all cases for the final model, "
        "came from inner folds: "
        f"{_inner(results)}."
    )


def _inner(results: StudyResults) -> str:
    protocol = results.protocol
    if protocol.search is not None:
        folds = counted(protocol.search.folds, "fold")
        return f"the {folds} of the last repeat in which models were searched"
    chosen = protocol.model.n_features
    refitted = f"{INNER_FOLDS} folds (fewer where a class had fewer patients) of the fitted model"
    if chosen is None:
        return refitted
    text = f"the {counted(chosen.folds, 'fold')} that chose the number of features"
    if fused(results) and plain_sources(results):
        return f"{text}, and for the covariates {refitted}"
    return text


def pooled(results: StudyResults) -> str:
    """What a test score is in a design of several parts; nothing in one with a test side."""
    if results.protocol.split.single_part:
        return ""
    return (
        "Curves, calibration, decision curve and subgroups are those of pooled predictions: the "
        "test probability of a case was the mean of its probabilities, and its call that of at "
        "least half of its calls, over the parts in which its patient was held out. Means over "
        "parts have intervals by Nadeau and Bengio (Mach Learn 2003;52:239), which allow for "
        "patients that parts share; the stability of the selection over parts was measured by "
        "Nogueira's index."
    )


def ablation(results: StudyResults) -> str:
    """What each source gives alone."""
    protocol, found = results.protocol, results.validation.ablation
    if not protocol.evaluation.ablation:
        return "What each source of information adds was not assessed."
    if not found:
        return "There was no source of information to assess alone."
    test = (
        "DeLong's paired test on the test cases"
        if protocol.split.single_part
        else "the corrected t test of Nadeau and Bengio over the parts"
    )
    simple = (
        f" (in a logistic regression with an L2 penalty, C = {number(protocol.model.C)}, without "
        "selection)"
    )
    names = [
        ABLATED.get(name, f'the sequence "{name}" alone') + simple * (name in SIMPLE)
        for name in found
    ]
    return (
        f"To see what each source of information adds, the design was repeated with "
        f"{listed(names)}, and the AUC compared with that of the model by {test}."
    )


ABLATED = {
    VOLUME: "the volume of the region alone",
    CLINICAL: "the covariates alone",
    MORPHOMETRY: "the morphometry alone",
    f"{CLINICAL}{BOTH}{MORPHOMETRY}": "the covariates and the morphometry together",
    RADIOMICS: "the images without the covariates",
}
"""Parts of the information, by the names that `centrum.validation.procedure` gives them."""

SIMPLE = ABLATED.keys() - {RADIOMICS}
"""Those that are no radiomics, in a logistic regression."""


def optimism(results: StudyResults) -> str:
    """Harrell's optimism and .632+, or that they were not computed."""
    evaluation = results.protocol.evaluation
    if not evaluation.optimism_resamples:
        return "The optimism of the apparent performance was not estimated by resampling."
    return (
        "The optimism of the apparent AUC was estimated by Harrell's correction, out of bag and by "
        f"the .632+ estimate, on {counted(evaluation.optimism_resamples, 'bootstrap sample')} of "
        f"the training patients (seeds from {evaluation.seed}), in each of which the whole "
        f"procedure was repeated; {len(results.validation.resamples)} could be fitted to. How far "
        "the probability and the call of a patient depend on who was trained on was described by "
        "the probabilities of the same patients in these refits, calibration and cut-off of each "
        "included: 2.5th to 97.5th percentile, mean absolute prediction error, and share of "
        "changed calls (Riley and Collins, Biom J 2023;65:2200302)."
    )


def permutations(results: StudyResults) -> str:
    """The permutation test of the whole procedure."""
    evaluation = results.protocol.evaluation
    n = evaluation.leak_audit.permutations
    if not n:
        return "No permutation test of the procedure was performed."
    found = results.validation.permutation
    if found is not None and found.ways < FEWEST_WAYS:
        return f"No permutation test of the procedure was performed. {too_few(found)}"
    made = len(found.values) + found.failed if found is not None else n
    lost = f" No more than {made} different assignments were found." if made < n else ""
    lost += f" {found.failed} of them could not be fitted." if found and found.failed else ""
    single = results.protocol.split.single_part
    what = "whole procedure" if single else "first repeat of the design"
    return (
        f"A permutation test repeated the {what} on outcomes {exchanged(results)}, "
        f"{counted(n, 'time')} (seeds from {evaluation.seed + 1}, each with another assignment); P "
        "is the share of the assignments, the true one among them, whose mean test AUC was as high "
        f"as the true one's.{lost}"
    )


def leak_audit(results: StudyResults) -> str:
    """What was done to show that nothing leaked."""
    evaluation, split = results.protocol.evaluation, results.protocol.split
    checked = (
        "Leaks were audited: the patients on which every step was fitted were recorded, and equal "
        f"rows, rows whose features correlated by more than {number(ALIKE)}, and patients were "
        "looked for on both sides of every part."
    )
    n = evaluation.leak_audit.splits
    if not n:
        return f"{checked} Leaks were not switched on deliberately."
    return (
        f"{checked} For comparison the study was repeated on {counted(n, 'split')} by patient with "
        f"{percent(split.train_fraction)} of the cases for training (seeds from "
        f"{evaluation.seed}), on true outcomes and on outcomes {exchanged(results)}, with these "
        f"leaks switched on deliberately: {'; '.join(_leaks(results))}. None of this entered the "
        "model."
    )


def _leaks(results: StudyResults) -> list[str]:
    """Leaks that could be switched on in every split, and the best split."""
    records = results.validation.leaks
    named = [name for name in TITLES if name not in ("honest", "best_split")]
    tried = [k for k in named if all(record.get(k) is not None for record in records)]
    return [TITLES[name] for name in (*tried, "best_split")]
