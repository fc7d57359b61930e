"""PyRadiomics' ngtdm features as a class of their own."""

from centrum.pyradiomics.classes import feature_class

RadiomicsNGTDM = feature_class("ngtdm")
