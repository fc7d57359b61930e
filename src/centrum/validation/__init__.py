"""A table to a judged model: what is fitted, how often, and what its scores are worth."""
