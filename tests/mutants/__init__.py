"""Deliberate mistakes in the package, and whether its tests notice them."""
