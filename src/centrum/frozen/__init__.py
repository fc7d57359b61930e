"""A fitted model as one open file: what it reads, how it scores, where it may be used."""
