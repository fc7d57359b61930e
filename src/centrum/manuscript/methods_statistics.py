"""How scores were evaluated, and what was tested."""

from centrum.evaluate.decision_curve import THRESHOLDS
from centrum.evaluate.population import NORMALITY_ALPHA, PER_PATIENT, SMALL_EXPECTED
from centrum.evaluate.subgroups import FEWEST, MOST_LEVELS
from centrum.manuscript.passage import Passage
from centrum.report.results import StudyResults
from centrum.report.words.validation import CUT_OFF_RULES, TIES
from centrum.text import counted, listed, number, percent, placeholder, quoted, sentences

ALPHA = "level of significance, and how the number of patients was decided"

TESTS = {
    "Welch t": "Welch's t test",
    "Student t": "Student's t test",
    "Mann-Whitney": "the Mann-Whitney test",
    "Chi-square": "Pearson's chi-square test",
    "Fisher exact": "Fisher's exact test",
}
"""Tests of the table of the population, by their names there."""

DETAILS = {
    "Mann-Whitney": "The Mann-Whitney test was exact with fewer than 50 values per class and no "
    "ties, else by the normal approximation without continuity correction.",
    "Chi-square": "Pearson's chi-square test was without continuity correction.",
    "Fisher exact": f"Fisher's exact test was used where an expected count was below "
    f"{SMALL_EXPECTED}, that of Freeman and Halton for more than two levels.",
}
"""What is told of some of them besides."""


def cutoff(results: StudyResults) -> Passage:
    """The rule of the cut-off, and on which scores it was learnt."""
    evaluation = results.protocol.evaluation
    rule = evaluation.cutoff
    return Passage(
        f"A case was called {results.protocol.outcome.positive} when its score was at least the "
        f"cut-off: the threshold {CUT_OFF_RULES[rule.rule](evaluation)}. {_learnt(results)}",
        f"The cut-off was {TIES[rule.ties]}.",
    )


def _learnt(results: StudyResults) -> str:
    if results.protocol.split.single_part:
        return (
            "It was learnt on out-of-fold scores of the training cases, and applied to the test "
            "cases unchanged."
        )
    return (
        "Every part had a cut-off of its own, learnt on out-of-fold scores of its training cases, "
        "and applied to its test cases unchanged."
    )


def discrimination(results: StudyResults) -> Passage:
    """ROC, AUC and the measures of decisions, with their intervals."""
    evaluation = results.protocol.evaluation
    shown = results.evaluation.by_set.values()
    clustered = any(e.n_patients < e.n for e in shown)
    by_patient = results.evaluation.patients is not None
    paper = (
        "Discrimination was measured by the area under the receiver operating characteristic curve "
        f"(AUC), with {percent(evaluation.confidence)} confidence intervals by DeLong's variance "
        "on the logit scale. Accuracy, sensitivity, specificity and predictive values at the "
        "cut-off have confidence intervals by Wilson's method."
    )
    supplement = sentences(
        "Patients were evaluated beside cases: a patient's score was the highest of the cases', "
        "and a patient was of the positive class, or called so, if any case was."
        if by_patient
        else "",
        "Predictive values are for the share of the positive class among the cases.",
        "The AUC was tested against 0.5, by patient.",
        "DeLong's variance was extended to several cases per patient by Obuchowski; the interval "
        "of the AUC has the t distribution of one degree of freedom less than patients of the "
        "rarer class."
        if clustered
        else "",
        "Of scores that part all cases the interval of the AUC is one-sided, down to the AUC at "
        "which all patients of the rarer class would be placed rightly with a probability of 1 "
        "less the confidence. The partial AUC at specificities from 0.8 to 1 (McClish's "
        "correction) and the curve of precision and recall were computed. F1, Youden's index, "
        "balanced accuracy, Matthews' correlation coefficient and the likelihood ratios at the "
        f"cut-off were computed too. {CLUSTERED if clustered else ALONE}",
        f"Bootstrap intervals are of {counted(evaluation.n_resamples, 'sample')} of patients, "
        f"stratified by class, with all their cases (seed {evaluation.seed}). The same was "
        "computed of the cases that the final model was fitted on, out of fold, and, without "
        "intervals and tests, apparent.",
        _elsewhere(evaluation.prevalence),
    )
    return Passage(paper, supplement)


CLUSTERED = (
    "Wilson's intervals were on counts that were divided by the design effect of several cases per "
    "patient (Rao and Scott, Biometrics 1992;48:577-585), with the quantile of t with one degree "
    "of freedom less than patients; those of F1, Youden's index, balanced accuracy and likelihood "
    "ratios were made of these, that of Matthews' coefficient was by the jackknife over patients "
    "on Fisher's scale."
)
ALONE = (
    "Intervals of F1, Youden's index and balanced accuracy were by transformed and combined limits "
    "of Wilson's, of likelihood ratios on the log scale, of Matthews' coefficient on Fisher's "
    "scale."
)
"""How further measures got their intervals, of several cases per patient and of one."""


def _elsewhere(prevalence: float | None) -> str:
    if prevalence is None:
        return ""
    return (
        "By Bayes's theorem from the likelihood ratios predictive values are also for a prevalence "
        f"of {number(prevalence)}, at which net benefit was computed too, of probabilities whose "
        "intercept was moved by the log odds ratio of the two prevalences (King and Zeng, "
        "Political Analysis 2001;9:137-163)."
    )


def calibration(results: StudyResults) -> Passage:
    """Measures of calibration of the test probabilities."""
    found, evaluation = results.evaluation.calibration, results.protocol.evaluation
    curve = (
        "A curve of observed on predicted probability (restricted cubic spline with three knots) "
        "was drawn."
        if found.curve is not None
        else ""
    )
    fit = found.hosmer_lemeshow
    tested = (
        f"The Hosmer-Lemeshow test was performed on {len(found.groups)} groups of predicted "
        f"probability ({fit.df} degrees of freedom)."
        if fit is not None
        else ""
    )
    paper = (
        "Calibration of the test probabilities was measured by slope, intercept and calibration in "
        f"the large, with {percent(evaluation.confidence)} confidence intervals, and by the Brier "
        "score."
    )
    supplement = sentences(
        "Calibration was further measured by the ratio of expected to observed positive cases, by "
        "the scaled Brier score and the log loss, and by mean, median, 90th percentile and maximum "
        "of the distance between predicted probability and a lowess curve (ICI, E50, E90, Emax).",
        curve,
        tested,
    )
    return Passage(paper, supplement)


def use(results: StudyResults) -> Passage:
    """Decision curve and conformal sets."""
    evaluation = results.protocol.evaluation
    paper = (
        f"Net benefit was computed at threshold probabilities from {number(THRESHOLDS[0])} to "
        f"{number(THRESHOLDS[-1])} (decision curve)."
    )
    supplement = (
        "Net benefit was held against that of calling all cases positive and of calling none, with "
        f"bootstrap intervals of {percent(evaluation.confidence)}. For each test case a set of "
        "outcomes was given by label-conditional conformal prediction, learnt on out-of-fold "
        "scores of the training cases, of each patient the most atypical one, and aimed at missing "
        f"the true outcome in at most {percent(evaluation.conformal_error)} of the patients of "
        f"each class; a set of both was called uncertain.{_whose_sets(results)}"
    )
    return Passage(paper, supplement)


def _whose_sets(results: StudyResults) -> str:
    if results.protocol.split.single_part:
        return ""
    return " The sets were those of the final model, which was fitted on all cases."


def subgroups(results: StudyResults) -> Passage:
    """Columns by which performance is shown."""
    wanted = results.protocol.evaluation.subgroups
    if not wanted:
        return Passage(supplement="Performance was not computed in subgroups.")
    shown = tuple(dict.fromkeys(row.variable for row in results.evaluation.subgroups))
    test = results.evaluation.by_set["test"]
    by_patient = ", with the design effect of Rao and Scott" if test.n_patients < test.n else ""
    shares = f"Wilson{by_patient}"
    return Passage(
        f"AUCs of subgroups by {quoted(shown)} were compared by Cochran's Q." if shown else "",
        f"Subgroups by {quoted(wanted)} were planned{'' if shown else '; there was none'}. Columns "
        f"for subgroups that are missing or have not 2 to {MOST_LEVELS} values on the test side "
        "were left out, and numbers were cut at their median. AUC, sensitivity, specificity "
        f"({shares}) and Brier score of a subgroup were computed with {FEWEST} or more cases of "
        "each class. P values of subgroups were not adjusted for their number.",
    )


def readers(results: StudyResults) -> Passage:
    """Readers' diagnoses beside the model."""
    names = results.protocol.evaluation.reader_calls
    if not names:
        return Passage(supplement="The model was not compared with diagnoses of readers.")
    return Passage(
        f"The model was compared with the diagnoses in the columns {quoted(names)} by exact "
        "McNemar tests of sensitivity and specificity on the same cases.",
        "Of the model the sensitivity at the specificity of the reader is given too, with a "
        "bootstrap percentile interval.",
    )


def population_tests(results: StudyResults) -> Passage:
    """The tests that the table of the population used."""
    rows = results.population
    tests = list(dict.fromkeys(row.significance.test for row in rows if row.significance))
    numeric = [row for row in rows if row.statistic != "n (%)"]
    once = [name for name in PER_PATIENT if any(row.variable == name for row in rows)]
    described = (
        "Numeric variables were described by mean and SD, or by median and quartiles where "
        f"Lilliefors' test at level {number(NORMALITY_ALPHA)} rejected normality in a class or "
        "could not be made; others by number and percentage."
        if numeric
        else "Variables were described by number and percentage."
    )
    compared = (
        f"Classes were compared by {listed([TESTS[name] for name in tests])}."
        if tests
        else "Classes were not compared."
    )
    supplement = sentences(
        described,
        compared,
        *(DETAILS[name] for name in tests if name in DETAILS),
        f"{listed(once).capitalize()} {'were' if len(once) > 1 else 'was'} counted once per "
        "patient and class."
        if once
        else "",
        "These tests were two-sided, took cases as independent and were not adjusted for their "
        "number. What has each of its values in one class alone was not tested."
        if tests
        else "",
        "Training and test cases were compared in the same way, the features of the model "
        "included, with standardised differences (Austin, Commun Stat Simul Comput 2009;38:1228; "
        "of several categories Yang and Dalton, SAS Global Forum 2012:335)."
        if results.sides
        else "",
    )
    return Passage(placeholder(ALPHA), supplement)


def sample_size(results: StudyResults) -> Passage:
    """Riley's criteria, which are computed for every study."""
    return Passage(
        supplement="The minimum sample size by the criteria of Riley et al. (BMJ 2020;368:m441) "
        "was worked out after the analysis, for the number of features of the model and for all "
        "candidates; for the test cases the precision of observed over expected cases, calibration "
        "slope, C statistic and net benefit by Riley et al. (Stat Med 2021;40:4230-4251)."
    )
