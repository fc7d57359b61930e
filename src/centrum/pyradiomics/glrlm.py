"""PyRadiomics' glrlm features as a class of their own."""

from centrum.pyradiomics.classes import feature_class

RadiomicsGLRLM = feature_class("glrlm")
