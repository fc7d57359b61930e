"""One case from its files to numbers: the only bridge from images to the feature table."""
