"""PyRadiomics' firstorder features as a class of their own."""

from centrum.pyradiomics.classes import feature_class

RadiomicsFirstOrder = feature_class("firstorder")
