"""Compiled loops from arrays to counts; they know no feature name and no setting."""

from centrum.kernels.cache import use_cache

use_cache()
