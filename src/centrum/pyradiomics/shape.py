"""PyRadiomics' shape features as a class of their own."""

from centrum.pyradiomics.classes import feature_class

RadiomicsShape = feature_class("shape")
