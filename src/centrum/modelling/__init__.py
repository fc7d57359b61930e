"""Splitting, selection and classification: the study's model and its steps."""
