"""The hospital's archive: what is found in it, fetched from it and sent to it."""
