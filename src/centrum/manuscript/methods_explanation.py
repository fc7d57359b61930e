"""How it was found out what the score rests on."""

from centrum.frozen.classifiers import Classifier, Forest, Linear, NaiveBayes, RadialKernel
from centrum.frozen.explanation import MOST_ALONE
from centrum.frozen.scorer import Scorer
from centrum.manuscript.passage import Passage
from centrum.protocol import ExplanationSettings
from centrum.report.results import StudyResults
from centrum.report.sections.explanation import over_patients
from centrum.text import counted, listed, percent, sentences
from centrum.validation.local_effects import INTERVALS

EXACT: dict[type[Classifier], str] = {
    RadialKernel: "of the radial kernel from its product form by Gauss-Legendre quadrature",
    NaiveBayes: "of naive Bayes from its sum of log-odds",
    Forest: "of trees from their leaves",
}
"""How the Shapley values of each classifier are computed."""


def explanation(results: StudyResults) -> Passage:
    """Contributions, permutation and local effects; or that the score was not explained."""
    settings, found = results.protocol.evaluation.explanation, results.explanation
    if settings is None:
        return Passage()
    confidence = percent(results.protocol.evaluation.confidence)
    if not results.evaluation.above_chance:
        return Passage(
            supplement="The score was to be explained only if its AUC was above chance; the lower "
            f"limit of the {confidence} interval was not above .5, and no explanation is given."
        )
    if found is None or not found.parts:
        return Passage(supplement="The score could not be explained.")
    supplement = sentences(
        _contributions(results),
        "" if results.scorer.linear else _scale(results.scorer),
        _permutation(results, settings) if found.groups else "",
        _effects(settings) if found.effects else "",
    )
    return Passage(supplement=supplement)


def _effects(settings: ExplanationSettings) -> str:
    most = counted(settings.leading, "feature")
    return (
        f"Accumulated local effects (Apley and Zhu 2020) of the leading {most} (fewer, if there "
        "were fewer) were computed from the final model over all analysed cases, in up to "
        f"{INTERVALS} intervals with about equal numbers of cases."
    )


def _contributions(results: StudyResults) -> str:
    scorer = results.scorer
    held = (
        "the test cases"
        if results.protocol.split.single_part
        else "the held-out cases of every part of the design, by a model that had not seen them"
    )
    if scorer.linear:
        return (
            "The contribution of a feature to a score was coefficient times standardised value; "
            f"contributions are shown of {held}."
        )
    return sentences(
        "The contribution of a feature to a score was its Shapley value against a case with every "
        f"feature at its training mean, computed {_computed(scorer)}.",
        f"Contributions are shown of {held}.",
    )


def _computed(scorer: Scorer) -> str:
    kinds = {type(m.classifier) for b in scorer.branches for m in b.members}
    linear = ["of linear classifiers as coefficient times standardised value"]
    told = [text for kind, text in EXACT.items() if kind in kinds]
    return listed([*told, *(linear if Linear in kinds else [])])


def _scale(scorer: Scorer) -> str:
    if scorer.votes is not None:
        return (
            "Contributions sum to the mean vote of the trees, of which the score is the log-odds."
        )
    if scorer.approximate:
        return (
            "Contributions of averaged trees are exact for the mean vote and were carried to its "
            "log-odds by one factor for each case, which is an approximation."
        )
    return (
        "Contributions sum exactly to the score; what a limit of its log-odds takes off is told "
        "apart."
    )


def _permutation(results: StudyResults, settings: ExplanationSettings) -> str:
    single = results.protocol.split.single_part
    over = "in the training cases" if single else "over all cases, without outcomes"
    interval = (
        over_patients(results)
        if single
        else "over the parts of the design by the corrected standard error of Nadeau and Bengio"
    )
    return (
        "Features were grouped by average linkage while the mean absolute Pearson correlation "
        f"between groups was at least {settings.correlation:g} {over}. The values of each group "
        f"were permuted together among the held-out cases ({counted(settings.permutations, 'time')}"
        f"), and of single features of a group of several (among the {MOST_ALONE} with the largest "
        "contributions) the residual of their regression on the others (fitted to training cases); "
        f"the drop in AUC is given with {percent(results.protocol.evaluation.confidence)} "
        f"intervals {interval}."
    )
