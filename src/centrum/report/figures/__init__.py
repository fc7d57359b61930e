"""One module per figure: `draw_...(data) -> Figure`, pure, without pyplot's global state."""

from centrum.report.figures.agreement import draw_agreement
from centrum.report.figures.agreement_grid import draw_agreement_grid
from centrum.report.figures.audit import draw_audit
from centrum.report.figures.bland_altman import draw_bland_altman
from centrum.report.figures.calibration import draw_calibration
from centrum.report.figures.coefficients import draw_coefficients
from centrum.report.figures.contributions import draw_contributions
from centrum.report.figures.decision_curve import draw_decision_curve
from centrum.report.figures.distributions import draw_distributions
from centrum.report.figures.feature_count import draw_feature_count
from centrum.report.figures.flow import FlowChart, Stop, draw_flow
from centrum.report.figures.importance import draw_importance
from centrum.report.figures.instability import draw_instability
from centrum.report.figures.lasso import draw_lasso
from centrum.report.figures.local_effects import draw_local_effects
from centrum.report.figures.maps import (
    MapBlock,
    MapLabel,
    MapPanel,
    MapPicture,
    draw_map,
    draw_maps,
)
from centrum.report.figures.models import draw_models
from centrum.report.figures.nomogram import draw_nomogram
from centrum.report.figures.parts import draw_parts
from centrum.report.figures.precision_recall import draw_precision_recall
from centrum.report.figures.robustness import draw_robustness
from centrum.report.figures.roc import draw_roc
from centrum.report.figures.roi import RoiPanel, draw_rois
from centrum.report.figures.search import draw_search

__all__ = [
    "FlowChart",
    "MapBlock",
    "MapLabel",
    "MapPanel",
    "MapPicture",
    "RoiPanel",
    "Stop",
    "draw_agreement",
    "draw_agreement_grid",
    "draw_audit",
    "draw_bland_altman",
    "draw_calibration",
    "draw_coefficients",
    "draw_contributions",
    "draw_decision_curve",
    "draw_distributions",
    "draw_feature_count",
    "draw_flow",
    "draw_importance",
    "draw_instability",
    "draw_lasso",
    "draw_local_effects",
    "draw_map",
    "draw_maps",
    "draw_models",
    "draw_nomogram",
    "draw_parts",
    "draw_precision_recall",
    "draw_robustness",
    "draw_roc",
    "draw_rois",
    "draw_search",
]
