"""How scores were evaluated, and what was tested."""

from centrum.evaluate.decision_curve import THRESHOLDS
from centrum.evaluate.population import NORMALITY_ALPHA, PER_PATIENT, SMALL_EXPECTED
from centrum.evaluate.subgroups import FEWEST, MOST_LEVELS
from centrum.report.results import StudyResults
from centrum.report.words.validation import CUT_OFF_RULES, TIES
from centrum.text import counted, listed, number, percent, placeholder, quoted, sentences

ALPHA = "level of significance, and how the number of patients was decided"

TESTS = {
    "Welch t": "Welch's t test",
    "Student t": "Student's t test",
    "Mann-Whitney": "the Mann-Whitney test (exact with fewer than 50 values per class and no "
    "ties, else by the normal approximation without continuity correction)",
    "Chi-square": "Pearson's chi-square test without continuity correction",
    "Fisher exact": f"Fisher's exact test (where an expected count was below {SMALL_EXPECTED}; of "
    "Freeman and Halton for more than two levels)",
}
"""Tests of the table of the population, by their names there."""


def cutoff(results: StudyResults) -> str:
    """The rule of the cut-off, and on which scores it was learnt."""
    evaluation = results.protocol.evaluation
    rule = evaluation.cutoff
    return (
        f"A case was called {results.protocol.outcome.positive} when its score was at least the "
        f"cut-off: the threshold {CUT_OFF_RULES[rule.rule](evaluation)}, {TIES[rule.ties]}. "
        f"{_learnt(results)}"
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


def discrimination(results: StudyResults) -> str:
    """ROC, AUC and the measures of decisions, with their intervals."""
    evaluation = results.protocol.evaluation
    shown = results.evaluation.by_set.values()
    clustered = any(e.n_patients < e.n for e in shown)
    delong = (
        "DeLong's variance, extended to several cases per patient by Obuchowski, on the logit "
        "scale, with the t distribution of one degree of freedom less than patients of the rarer "
        "class"
        if clustered
        else "DeLong's variance on the logit scale"
    )
    decided = (
        "Wilson's method on counts that were divided by the design effect of several cases per "
        "patient (Rao and Scott, Biometrics 1992;48:577-585), with the quantile of t with one "
        "degree of freedom less than patients, F1, Youden's index, balanced accuracy and "
        "likelihood ratios made of these, Matthews' coefficient by the jackknife over patients on "
        "Fisher's scale"
        if clustered
        else "Wilson's method (F1, Youden's index and balanced accuracy by transformed and "
        "combined limits, likelihood ratios on the log scale, Matthews' coefficient on Fisher's "
        "scale)"
    )
    return (
        "Discrimination was measured by the area under the receiver operating characteristic curve "
        f"(AUC), with {percent(evaluation.confidence)} confidence intervals by {delong}; of scores "
        "that part all cases the interval is one-sided, down to the AUC at which all patients of "
        "the rarer class would be placed rightly with a probability of 1 less the confidence. "
        f"Bootstrap intervals are of {counted(evaluation.n_resamples, 'sample')} of patients, "
        f"stratified by class, with all their cases (seed {evaluation.seed}). The AUC was tested "
        "against 0.5, by patient. The partial AUC at specificities from 0.8 to 1 (McClish's "
        "correction) and the curve of precision and recall were computed. Accuracy, sensitivity, "
        "specificity, positive and negative predictive value, F1, Youden's index, balanced "
        "accuracy, Matthews' correlation coefficient and the likelihood ratios at the cut-off "
        f"have confidence intervals by {decided}. The same was computed of the cases that the "
        "final model was fitted on, out of fold, and, without intervals and tests, apparent. "
        f"{_patients(results)}"
        f"Predictive values are for the share of the positive class among the cases"
        f"{_elsewhere(evaluation.prevalence)}."
    )


def _patients(results: StudyResults) -> str:
    if results.evaluation.patients is None:
        return ""
    return (
        "Patients were evaluated beside cases: a patient's score was the highest of the cases', "
        "and a patient was of the positive class, or called so, if any case was. "
    )


def _elsewhere(prevalence: float | None) -> str:
    if prevalence is None:
        return ""
    return (
        f" and, by Bayes's theorem from the likelihood ratios, for a prevalence of "
        f"{number(prevalence)}, at which net benefit was computed too, of probabilities whose "
        "intercept was moved by the log odds ratio of the two prevalences (King and Zeng, "
        "Political Analysis 2001;9:137-163)"
    )


def calibration(results: StudyResults) -> str:
    """Measures of calibration of the test probabilities."""
    found, evaluation = results.evaluation.calibration, results.protocol.evaluation
    curve = (
        " A curve of observed on predicted probability (restricted cubic spline with three knots) "
        "was drawn."
        if found.curve is not None
        else ""
    )
    fit = found.hosmer_lemeshow
    tested = (
        f" The Hosmer-Lemeshow test was performed on {len(found.groups)} groups of predicted "
        f"probability ({fit.df} degrees of freedom)."
        if fit is not None
        else ""
    )
    return (
        "Calibration of the test probabilities was measured by slope, intercept and calibration in "
        f"the large, with {percent(evaluation.confidence)} confidence intervals, by the ratio of "
        "expected to observed positive cases, by the Brier score, its scaled form and the log "
        "loss, and by mean, median, 90th percentile and maximum of the distance between predicted "
        f"probability and a lowess curve (ICI, E50, E90, Emax).{curve}{tested}"
    )


def use(results: StudyResults) -> str:
    """Decision curve and conformal sets."""
    evaluation = results.protocol.evaluation
    return (
        f"Net benefit was computed at threshold probabilities from {number(THRESHOLDS[0])} to "
        f"{number(THRESHOLDS[-1])} (decision curve), against calling all cases positive and "
        f"calling none, with bootstrap intervals of {percent(evaluation.confidence)}. For each "
        "test case a set of outcomes was given by label-conditional conformal prediction, learnt "
        "on out-of-fold scores of the training cases, of each patient the most atypical one, and "
        f"aimed at missing the true outcome in at most {percent(evaluation.conformal_error)} of "
        f"the patients of each class; a set of both was called uncertain.{_whose_sets(results)}"
    )


def _whose_sets(results: StudyResults) -> str:
    if results.protocol.split.single_part:
        return ""
    return " The sets were those of the final model, which was fitted on all cases."


def subgroups(results: StudyResults) -> str:
    """Columns by which performance is shown."""
    wanted = results.protocol.evaluation.subgroups
    if not wanted:
        return "Performance was not computed in subgroups."
    shown = tuple(dict.fromkeys(row.variable for row in results.evaluation.subgroups))
    found = f"this gave subgroups by {quoted(shown)}" if shown else "this gave no subgroup"
    test = results.evaluation.by_set["test"]
    by_patient = ", with the design effect of Rao and Scott" if test.n_patients < test.n else ""
    shares = f"Wilson{by_patient}"
    return (
        f"Subgroups by {quoted(wanted)} were planned, of which columns that are missing or have "
        f"not 2 to {MOST_LEVELS} values on the test side were left out, and numbers were cut at "
        f"their median; {found}. AUC (interval as above), sensitivity, specificity ({shares}) and "
        f"Brier score were computed with {FEWEST} or more cases of each class, and AUCs compared "
        "by Cochran's Q. These P values were not adjusted for their number."
    )


def readers(results: StudyResults) -> str:
    """Readers' diagnoses beside the model."""
    names = results.protocol.evaluation.reader_calls
    if not names:
        return "The model was not compared with diagnoses of readers."
    return (
        f"The model was compared with the diagnoses in the columns {quoted(names)}: sensitivity "
        "and specificity by exact McNemar tests on the same cases, and the sensitivity of the "
        "model at the specificity of the reader with a bootstrap percentile interval."
    )


def population_tests(results: StudyResults) -> str:
    """The tests that the table of the population used."""
    rows = results.population
    tests = list(dict.fromkeys(row.significance.test for row in rows if row.significance))
    numeric = [row for row in rows if row.statistic != "n (%)"]
    once = [name for name in PER_PATIENT if any(row.variable == name for row in rows)]
    described = (
        "Numeric variables were described by mean and SD, or by median and quartiles where "
        "Lilliefors' test rejected normality in a class (P < "
        f"{number(NORMALITY_ALPHA)}) or could not be made; others by number and percentage."
        if numeric
        else "Variables were described by number and percentage."
    )
    compared = (
        f"Classes were compared by {listed([TESTS[name] for name in tests])}."
        if tests
        else "Classes were not compared."
    )
    return sentences(
        described,
        compared,
        f"{listed(once).capitalize()} {'were' if len(once) > 1 else 'was'} "
        "counted once per patient and class."
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
        placeholder(ALPHA),
    )


def sample_size(results: StudyResults) -> str:
    """Riley's criteria, which are computed for every study."""
    return (
        "The minimum sample size by the criteria of Riley et al. (BMJ 2020;368:m441) was worked "
        "out after the analysis, for the number of features of the model and for all candidates; "
        "for the test cases the precision of observed over expected cases, calibration slope, C "
        "statistic and net benefit by Riley et al. (Stat Med 2021;40:4230-4251)."
    )
