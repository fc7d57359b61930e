"""How the score was held against clinical variables."""

from centrum.report.results import StudyResults
from centrum.text import listed, sentences
from centrum.validation.added_value import clinical_variables


def added_value(results: StudyResults) -> str:
    """The clinical model, the combined one and the tests; or that there was none."""
    found, obs = results.evaluation.added, results.table.obs
    names = clinical_variables(results.protocol, obs)
    if found is None or not names:
        return "The score was not compared with clinical variables."
    parts = "" if results.protocol.split.single_part else " of each part"
    test = (
        "by Wald's test with a variance clustered by patient"
        if found.test.by_patient
        else "by the likelihood ratio"
    )
    return sentences(
        f"A clinical model, a logistic regression of {listed(names)} by maximum "
        f"likelihood on the training cases{parts}, was compared with the score and with a "
        "regression of both, in which training cases had their out-of-fold scores.",
        "A missing value was set to the mean of the training cases." if found.filled else "",
        "AUCs of the test cases were compared by DeLong's paired test. Whether the score adds to "
        f"the clinical variables was tested on the training cases {test}, and the odds ratio of "
        "the score given with and without adjustment for them.",
    )
