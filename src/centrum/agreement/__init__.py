"""Agreement between readers: of feature values (ICC) and of masks (overlap)."""

from centrum.agreement.icc import ICC, IccForm, icc, parse_form
from centrum.agreement.overlap import Overlap, overlap

__all__ = ["ICC", "IccForm", "Overlap", "icc", "overlap", "parse_form"]
