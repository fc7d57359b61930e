"""The section on the labels of features."""

from centrum.report.blocks import Block
from centrum.report.results import StudyResults
from centrum.report.sections.section import section
from centrum.report.tables import label_table, model_order


@section
def feature_names(results: StudyResults) -> Block | None:
    """What the labels stand for, of every feature that a figure names; None without any."""
    known = dict(zip(results.table.names, results.table.features, strict=True))
    model, explained = results.model, results.explanation
    named = dict.fromkeys(model.features[k] for k in model_order(model))
    if explained is not None:
        grouped = (name for group in explained.groups for name in group.features)
        named |= dict.fromkeys((*explained.features, *grouped))
    named |= dict.fromkeys(results.validation.sparse_features)
    features = {name: known[name] for name in named if name in known}
    if not features:
        return None
    return Block("Feature labels", "feature-names", tables=(label_table(results.labels, features),))
