"""Compiled loops from arrays to counts; they know no feature name and no setting."""
