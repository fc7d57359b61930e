"""Published numbers that tests compare with."""
