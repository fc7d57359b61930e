"""Two simulated patients, which take seconds to make and are made once."""

from centrum.simulate import PhantomSettings

SMALL = {"n_malignant": 1, "n_osteoporotic": 1, "field_mm": (110.0, 110.0)}
SETTINGS = PhantomSettings(**SMALL, seed=4)
