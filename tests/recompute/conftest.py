"""What is not imported by the collection of doctests."""

collect_ignore = ["by_statsmodels.py"]
"""Reads packages of an environment of its own."""
