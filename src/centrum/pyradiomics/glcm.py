"""PyRadiomics' glcm features as a class of their own."""

from centrum.pyradiomics.classes import feature_class

RadiomicsGLCM = feature_class("glcm")
