"""PyRadiomics' glszm features as a class of their own."""

from centrum.pyradiomics.classes import feature_class

RadiomicsGLSZM = feature_class("glszm")
