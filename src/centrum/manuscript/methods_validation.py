"""Who was trained on and who was tested, and how the whole procedure was validated."""

from centrum.manuscript.methods_model import fused, has_path, plain_sources
from centrum.manuscript.passage import Passage
from centrum.modelling.leaks import TITLES
from centrum.modelling.pipeline import INNER_FOLDS
from centrum.modelling.settings import CLINICAL, MORPHOMETRY, RADIOMICS
from centrum.report.results import StudyResults
from centrum.report.sections.leak_audit import exchanged, too_few
from centrum.report.words.model import path_text, penalised
from centrum.report.words.validation import DESIGNS
from centrum.text import counted, listed, number, percent, sentences
from centrum.validation.near_copies import ALIKE
from centrum.validation.procedure import BOTH, FEWEST_WAYS, VOLUME, sparse_protocol


def design(results: StudyResults) -> Passage:
    """The design, and that patients were allocated, not rows."""
    split = results.protocol.split
    sides, apart = _sides(results) if split.single_part else _parts(results)
    paper = sentences(
        DESIGNS[split.design].told(split),
        "Patients, not cases or rows, were allocated: all cases of a patient were on one side, in "
        "splits, folds and resamples alike.",
        sides,
    )
    return Passage(paper, apart)


def _sides(results: StudyResults) -> tuple[str, str]:
    """How many were trained on and tested; and what was not learnt of those tested."""
    scores = results.scores
    found = []
    for name, part in (("training", "train"), ("test", "test")):
        rows = scores[scores["part"] == part]
        patients = counted(rows["patient"].nunique(), "patient")
        found.append(f"{counted(len(rows), f'{name} case')} of {patients}")
    return (
        f"This gave {listed(found)}.",
        "No step of the model, and neither cut-off, calibration nor conformal sets, was learnt on "
        "test cases.",
    )


def _parts(results: StudyResults) -> tuple[str, str]:
    """The same of a design of several parts."""
    parts = results.validation.parts
    failed = sum(bool(record["error"]) for record in parts)
    lost = f" {counted(failed, 'part')} could not be fitted." if failed else ""
    return (
        f"The design had {counted(len(parts), 'part')}, over which performance is reported.{lost} "
        "The final model was fitted on all cases.",
        "No step of a part, nor its cut-off and calibration, was learnt on its test cases.",
    )


def out_of_fold(results: StudyResults) -> Passage:
    """Where the scores come from that cut-off, calibration and sets are learnt on."""
    evaluation, protocol = results.protocol.evaluation, results.protocol
    if protocol.split.single_part:
        return Passage(
            supplement="Out-of-fold scores of the training cases came from nested cross-validation "
            f"with {evaluation.cutoff_folds} folds by patient (seed {evaluation.seed}), in each of "
            "which the whole procedure was repeated."
        )
    return Passage(
        supplement="Out-of-fold scores of the training cases of a part, and of all cases for the "
        f"final model, came from inner folds: {_inner(results)}."
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


def pooled(results: StudyResults) -> Passage:
    """What a test score is in a design of several parts; nothing in one with a test side."""
    if results.protocol.split.single_part:
        return Passage()
    return Passage(
        supplement="Curves, calibration, decision curve and subgroups are those of pooled "
        "predictions. The pooled test probability of a case was the mean of its probabilities, and "
        "its call that of at least half of its calls, over the parts in which its patient was held "
        "out. Means over parts have intervals by Nadeau and Bengio (Mach Learn 2003;52:239), which "
        "allow for patients that parts share; the stability of the selection over parts was "
        "measured by Nogueira's index.",
    )


def ablation(results: StudyResults) -> Passage:
    """What each source gives alone."""
    protocol, found = results.protocol, results.validation.ablation
    if not protocol.evaluation.ablation:
        return Passage(supplement="What each source of information adds was not assessed.")
    if not found:
        return Passage(supplement="There was no source of information to assess alone.")
    simple = (
        f" (in a logistic regression with an L2 penalty, C = {number(protocol.model.C)}, without "
        "selection)"
    )
    names = [
        ABLATED.get(name, f'the {_kind(results, name)} "{name}" alone') + simple * (name in SIMPLE)
        for name in found
    ]
    return Passage(
        supplement=f"To see what each source of information adds, the design was repeated with "
        f"{listed(names)}, and the AUC compared with that of the model by {_paired(results)}."
    )


def _kind(results: StudyResults, name: str) -> str:
    """What the source of image features of that name is."""
    if name in results.table.elsewhere:
        return "source"
    if not results.regions:
        return "sequence"
    return "region and sequence" if len(results.sequences) > 1 else "region"


def _paired(results: StudyResults) -> str:
    """How two models were compared that were tested on the same cases."""
    if results.protocol.split.single_part:
        return "DeLong's paired test on the test cases"
    return "the corrected t test of Nadeau and Bengio over the parts"


def sparse(results: StudyResults) -> Passage:
    """The sparse model beside the model; nothing where there was none."""
    few = sparse_protocol(results.protocol)
    if few is None or not results.protocol.evaluation.ablation:
        return Passage()
    told = sentences(
        "A sparse model was fitted beside the model: after the same steps before the selection, "
        f"{penalised(few.model.lasso)}. Its training and test cases were those of the model, and "
        f"the AUCs were compared by {_paired(results)}.",
        "" if has_path(results) else path_text(few.model.lasso),
    )
    return Passage(supplement=told)


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


def optimism(results: StudyResults) -> Passage:
    """Harrell's optimism and .632+, or that they were not computed."""
    evaluation = results.protocol.evaluation
    if not evaluation.optimism_resamples:
        return Passage(
            supplement="The optimism of the apparent performance was not estimated by resampling."
        )
    return Passage(
        "The optimism of the apparent AUC was estimated by Harrell's correction on "
        f"{counted(evaluation.optimism_resamples, 'bootstrap sample')} of the training patients, "
        "in each of which the whole procedure was repeated.",
        f"The optimism was also estimated out of bag and by .632+ (seeds from {evaluation.seed}); "
        f"{len(results.validation.resamples)} of the bootstrap samples could be fitted to. How far "
        "the probability and the call of a patient depend on who was trained on was described by "
        "the probabilities of the same patients in the refits for the optimism, calibration and "
        "cut-off of each included: 2.5th to 97.5th percentile, mean absolute prediction error, and "
        "share of changed calls (Riley and Collins, Biom J 2023;65:2200302).",
    )


def permutations(results: StudyResults) -> Passage:
    """The permutation test of the whole procedure."""
    evaluation = results.protocol.evaluation
    n = evaluation.leak_audit.permutations
    if not n:
        return Passage(supplement="No permutation test of the procedure was performed.")
    found = results.validation.permutation
    if found is not None and found.ways < FEWEST_WAYS:
        return Passage(
            supplement=f"No permutation test of the procedure was performed. {too_few(found)}"
        )
    made = len(found.values) + found.failed if found is not None else n
    lost = f" No more than {made} different assignments were found." if made < n else ""
    lost += f" {found.failed} of them could not be fitted." if found and found.failed else ""
    single = results.protocol.split.single_part
    what = "whole procedure" if single else "first repeat of the design"
    return Passage(
        f"A permutation test repeated the {what} on permuted outcomes, {counted(n, 'time')}.",
        f"Outcomes were {exchanged(results)}; P of the permutation test is the share of the "
        f"assignments (seeds from {evaluation.seed + 1}, each another one), the true one among "
        f"them, whose mean test AUC was as high as the true one's.{lost}",
    )


def leak_audit(results: StudyResults) -> Passage:
    """What was done to show that nothing leaked."""
    evaluation, split = results.protocol.evaluation, results.protocol.split
    checked = (
        "Leaks were audited: the patients on which every step was fitted were recorded, and equal "
        f"rows, rows whose features correlated by more than {number(ALIKE)}, and patients were "
        "looked for on both sides of every part."
    )
    n = evaluation.leak_audit.splits
    if not n:
        return Passage(supplement=f"{checked} Leaks were not switched on deliberately.")
    return Passage(
        supplement=f"{checked} For comparison the study was repeated on {counted(n, 'split')} by "
        f"patient with {percent(split.train_fraction)} of the cases for training (seeds from "
        f"{evaluation.seed}), on true outcomes and on outcomes {exchanged(results)}, with these "
        f"leaks switched on deliberately: {'; '.join(_leaks(results))}. None of this entered the "
        "model."
    )


def _leaks(results: StudyResults) -> list[str]:
    """Leaks that could be switched on in every split, and the best split."""
    records = results.validation.leaks
    named = [name for name in TITLES if name not in ("honest", "best_split")]
    tried = [k for k in named if all(record.get(k) is not None for record in records)]
    on_test = any(record.get("combined_on_test") is not None for record in records)
    combined = ["the combined model fitted to the test cases"] if on_test else []
    return [*(TITLES[name] for name in (*tried, "best_split")), *combined]
