"""Square, SquareRoot, Logarithm and Exponential as PyRadiomics has them.

Functions of a voxel's intensity x and of the largest absolute intensity m in the whole image,
which they leave as it is.
"""

from collections.abc import Iterator
from typing import ClassVar, Literal

import numpy as np

from centrum.arrays import Floats
from centrum.errors import DataError
from centrum.filters.filter import Filter, register
from centrum.filters.view import Reach, View
from centrum.settings import Dialect


class Pointwise(Filter):
    """A function of intensities; a subclass says `function`."""

    dialect: ClassVar[Dialect] = "pyradiomics"

    @property
    def names(self) -> tuple[str, ...]:
        """The filter's name in lower case."""
        return (self.filter.lower(),)

    def reach(self, spacing: tuple[float, float, float]) -> Reach:
        """The whole image, in which the maximum is sought."""
        return None, None, None

    def respond(self, view: View) -> Iterator[Floats]:
        """float64 whatever the image is."""
        largest = max(float(view.array.max()), -float(view.array.min()))
        if largest == 0:
            raise DataError(
                f"{self.filter} scales by the largest intensity of the image, which is 0 "
                "everywhere; leave it out for this image."
            )
        yield self.function(view.array[view.box].astype(float), largest)

    @staticmethod
    def function(x: Floats, m: float) -> Floats:
        """Of intensities, and the largest absolute one in the image."""
        raise NotImplementedError


@register
class Square(Pointwise):
    """x^2 / m.

    >>> Square.function(np.array([-2.0, 4.0]), 4.0).tolist()
    [1.0, 4.0]
    """

    filter: Literal["Square"] = "Square"

    @staticmethod
    def function(x: Floats, m: float) -> Floats:
        return np.asarray((1 / np.sqrt(m) * x) ** 2)


@register
class SquareRoot(Pointwise):
    """sqrt(|x| m) with the sign of x.

    >>> SquareRoot.function(np.array([-1.0, 4.0]), 4.0).tolist()
    [-2.0, 4.0]
    """

    filter: Literal["SquareRoot"] = "SquareRoot"

    @staticmethod
    def function(x: Floats, m: float) -> Floats:
        return np.copysign(np.sqrt(np.abs(x) * m), x)


@register
class Logarithm(Pointwise):
    """m log(|x| + 1) / log(m + 1) with the sign of x.

    >>> Logarithm.function(np.array([-1.0, 3.0]), 3.0).tolist()
    [-1.5, 3.0]
    """

    filter: Literal["Logarithm"] = "Logarithm"

    @staticmethod
    def function(x: Floats, m: float) -> Floats:
        return np.copysign(np.log(np.abs(x) + 1), x) * (m / np.log(m + 1))


@register
class Exponential(Pointwise):
    """exp(x log(m) / m), from 1 / m to m.

    >>> Exponential.function(np.array([0.0, 4.0]), 4.0).tolist()
    [1.0, 4.0]
    """

    filter: Literal["Exponential"] = "Exponential"

    @staticmethod
    def function(x: Floats, m: float) -> Floats:
        return np.exp(np.log(m) / m * x)
