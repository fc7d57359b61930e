"""PyRadiomics' shape2D features as a class of their own."""

from centrum.pyradiomics.classes import feature_class

RadiomicsShape2D = feature_class("shape2D")
