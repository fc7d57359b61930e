"""What arrays of one kind of value are called where functions say what they take and give."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]
Ints = NDArray[np.int64]
Counts = NDArray[np.uint16]
Flags = NDArray[np.bool_]
"""Truth values, such as a mask."""
