"""Feature families, layer by layer: statistics, definitions and their registry."""
