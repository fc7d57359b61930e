"""What contributions to a score are, and what they sum to, in words."""

from collections.abc import Mapping

from centrum.frozen.scorer import Scale, Scorer

BASE: Mapping[bool, str] = {True: "Intercept", False: "At the training means"}
"""What a sum of contributions starts from, by whether the score is linear: the same thing, that of
a case whose every feature is at its training mean."""

LIMIT = "Limit of the classifier"
"""What a limited log-odds takes off the sum."""

TOTAL: Mapping[Scale, str] = {"score": "Score", "vote": "Mean vote of the trees"}
"""What a sum of contributions ends at."""

UNTOLD = (
    "The confidence interval of the AUC of the model reaches .5: it may be chance, and "
    "its scores are not explained."
)

SHAPLEY = (
    "what the feature changes when its value takes the place of its training mean, averaged over "
    "all orders in which the features can do so (Shapley value)"
)


def contribution_text(scorer: Scorer) -> str:
    """What a contribution is, without a full stop.

    It goes on "each bar is" or "a contribution is".
    """
    return "coefficient × standardised value" if scorer.linear else SHAPLEY


def sum_text(scorer: Scorer) -> str:
    """What the contributions sum to, and whether exactly: whole sentences; "" of a linear score."""
    if scorer.linear:
        return ""
    if scorer.votes is not None:
        return (
            f"With the value at the training means they sum exactly to the mean vote of "
            f"{len(scorer.votes.trees)} trees; the score is its log-odds."
        )
    if scorer.approximate:
        return (
            "With the value at the training means they sum to the score. How they are divided is "
            "approximate: mean votes of trees are carried to their log-odds by one factor."
        )
    return (
        "With the value at the training means they sum exactly to the score. Where the classifier "
        "limits its log-odds, what that takes off is told apart."
    )
