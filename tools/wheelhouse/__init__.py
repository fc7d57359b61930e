"""`make wheelhouse`: a folder from which centrum is installed without network."""
