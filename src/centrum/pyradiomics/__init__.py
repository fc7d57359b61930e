"""A drop-in replacement of PyRadiomics: its interface, names and numbers on `centrum`'s engine.

>>> from centrum.pyradiomics import featureextractor
>>> extractor = featureextractor.RadiomicsFeatureExtractor(binWidth=25)
>>> extractor.settings["binWidth"], list(extractor.enabledImagetypes)
(25, ['Original'])
"""

from collections.abc import Callable
from typing import Any, NoReturn

from centrum.pyradiomics import (
    featureextractor,
    firstorder,
    glcm,
    gldm,
    glrlm,
    glszm,
    imageoperations,
    ngtdm,
    shape,
    shape2D,
)
from centrum.pyradiomics.classes import FEATURE_CLASS_TYPES, RadiomicsFeaturesBase
from centrum.pyradiomics.errors import NotAvailable
from centrum.pyradiomics.image_types import IMAGE_TYPES
from centrum.pyradiomics.progress import getProgressReporter
from centrum.pyradiomics.verbosity import handler, logger, setVerbosity
from centrum.pyradiomics.version import __version__

__all__ = [
    "__version__",
    "featureextractor",
    "firstorder",
    "getFeatureClasses",
    "getImageTypes",
    "getProgressReporter",
    "getTestCase",
    "glcm",
    "gldm",
    "glrlm",
    "glszm",
    "handler",
    "imageoperations",
    "logger",
    "ngtdm",
    "progressReporter",
    "setVerbosity",
    "shape",
    "shape2D",
]

progressReporter: Callable[..., Any] | None = None
"""A class such as `tqdm.tqdm`, which shows how many batches of a map are done; set by scripts.

Its objects are made with `total` and `desc`, used in a `with` statement and told `update(1)`. They
are shown from `setVerbosity(logging.INFO)` on.
"""

TEST_CASES = "https://github.com/Radiomics/pyradiomics/releases/tag/v1.0"
"""Where PyRadiomics keeps the images and masks of its test cases."""


def getFeatureClasses() -> dict[str, type[RadiomicsFeaturesBase]]:
    """The feature classes by name."""
    return dict(FEATURE_CLASS_TYPES)


def getImageTypes() -> list[str]:
    """Names of image types."""
    return list(IMAGE_TYPES)


def getTestCase(testCase: str, dataDirectory: str | None = None) -> NoReturn:
    """Refused: this package downloads nothing."""
    raise NotAvailable(
        f"Test case {testCase!r} is not downloaded. Get {testCase}_image.nrrd and "
        f"{testCase}_label.nrrd from {TEST_CASES} and give their paths to "
        "RadiomicsFeatureExtractor.execute; `centrum demo` makes cases without a network."
    )
