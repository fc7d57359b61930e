"""Statistics of a study: arrays in, frozen results out."""

from centrum.evaluate.bootstrap import Interval
from centrum.evaluate.evaluation import AucEstimate, Evaluation, Measure, evaluate
from centrum.evaluate.population import PopulationRow, table1
from centrum.evaluate.scored import Scored
from centrum.evaluate.thresholds import MEASURES, Confusion, CutOff, youden_cutoff

__all__ = [
    "MEASURES",
    "AucEstimate",
    "Confusion",
    "CutOff",
    "Evaluation",
    "Interval",
    "Measure",
    "PopulationRow",
    "Scored",
    "evaluate",
    "table1",
    "youden_cutoff",
]
