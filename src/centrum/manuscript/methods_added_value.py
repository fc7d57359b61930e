"""How the score was held against clinical variables."""

from centrum.evaluate.odds_ratios import FEWEST_EVENTS
from centrum.manuscript.passage import Passage
from centrum.protocol import EvaluationSettings
from centrum.report.results import StudyResults
from centrum.report.sections.added_value import NRI_IDI, penalty_text
from centrum.report.sections.odds_ratios import (
    asked_text,
    penalty_text as penalty_of_ratios,
    variables_text,
)
from centrum.text import counted, listed, sentences
from centrum.validation.added_value import clinical_variables


def added_value(results: StudyResults) -> Passage:
    """The clinical model, the combined one and the tests; or that there was none."""
    found, obs = results.evaluation.added, results.table.obs
    names = clinical_variables(results.protocol, obs)
    if found is None or not names:
        return Passage(supplement="The score was not compared with clinical variables.")
    parts = "" if results.protocol.split.single_part else " of each part"
    test = (
        "by Wald's test with a variance clustered by patient"
        if found.test.by_patient
        else f"by the {'penalised ' if found.test.penalised else ''}likelihood ratio"
    )
    paper = (
        f"The score was compared with a clinical model, a logistic regression of {listed(names)}, "
        "and with a regression of both."
    )
    supplement = sentences(
        "The clinical model and that of both were fitted by maximum likelihood on the training "
        f"cases{parts}, which had their out-of-fold scores in it.",
        penalty_text(found),
        "AUCs of the clinical model, the score and both on the test cases were compared by "
        "DeLong's paired test. Whether the score adds to the clinical variables was tested on the "
        f"training cases {test}.",
        "A missing value of a clinical variable was set to the mean of the training cases."
        if found.filled
        else "",
        _nri_idi(results.protocol.evaluation),
    )
    return Passage(paper, supplement)


def _nri_idi(settings: EvaluationSettings) -> str:
    if not settings.nri_idi:
        return ""
    return (
        "The category-free net reclassification improvement and the integrated discrimination "
        "improvement of the regression of both over the clinical model were computed on the test "
        f"cases, with percentile intervals of {counted(settings.n_resamples, 'bootstrap sample')} "
        f"of patients. {NRI_IDI.partition('. ')[2]}"
    )


def odds_ratios(results: StudyResults) -> Passage:
    """Which regressions gave odds ratios, and which were penalised; nothing without any."""
    found = results.evaluation.odds_ratios
    if found is None:
        return Passage()
    intervals = (
        "variances clustered by patient" if found.by_patient else "Wald's intervals and tests"
    )
    supplement = sentences(
        f"Odds ratios on the training cases are of logistic regressions of {variables_text(found)} "
        f"(out of fold), each alone and all together, with {intervals}.",
        f"By protocol the variables of the odds ratios were {asked_text(results.protocol)}, as far "
        "as they were known and differed; none was chosen by its P.",
        "Firth's penalty (Heinze and Schemper, Stat Med 2002;21:2409) was to be used where a level "
        f"occurs with one outcome alone, with fewer than {FEWEST_EVENTS} training cases of the "
        "rarer outcome for each variable (Peduzzi et al., J Clin Epidemiol 1996;49:1373), or where "
        "the likelihood has no maximum.",
        penalty_of_ratios(found) or "No regression needed it.",
        "A missing value of these variables was set to the mean of the training cases."
        if found.filled
        else "",
    )
    return Passage(supplement=supplement)
