"""PyRadiomics' gldm features as a class of their own."""

from centrum.pyradiomics.classes import feature_class

RadiomicsGLDM = feature_class("gldm")
