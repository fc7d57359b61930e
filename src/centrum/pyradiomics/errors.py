"""The exceptions of the drop-in: `centrum`'s own that are also those a PyRadiomics script catches.

>>> issubclass(InputError, ValueError), issubclass(ParameterError, RuntimeError)
(True, True)
"""

from centrum.errors import CentrumError, DataError, ProtocolError


class InputError(DataError, ValueError):
    """An image, a mask or a region that cannot be measured; PyRadiomics raises ValueError."""


class GridMismatch(InputError, RuntimeError):
    """Image and mask are not on one grid; ValueError, or RuntimeError where sizes differ."""


class UnreadableFile(InputError, RuntimeError):
    """A file that SimpleITK cannot read; ValueError, or RuntimeError where PyRadiomics has it."""


class ParameterError(ProtocolError, ValueError, RuntimeError):
    """A parameter file or dictionary is refused; stands in for pykwalify's errors."""


class ParameterTypeError(ParameterError, TypeError):
    """A parameter of the wrong kind where PyRadiomics raises TypeError."""


class UnknownFeature(CentrumError, LookupError):
    """A feature that its class does not have."""


class NotAvailable(CentrumError, NotImplementedError):
    """Something that PyRadiomics has and this version lacks."""
