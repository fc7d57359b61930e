"""From a table to an evaluated model: what is fitted, how often, and how well its scores do."""
