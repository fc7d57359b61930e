"""Text for a paper, generated from what a study recorded: every sentence is true of the run."""
