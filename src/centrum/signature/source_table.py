"""The table of features that authors had, and the names that they printed from it."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

from centrum.pyradiomics.feature_names import SHAPE_CLASSES, names_of
from centrum.signature.images import ORIGINAL, ImageTypes, unknown_logs

MOST_LOGS = 9
MOST_LOGS_WITH_WAVELET = 5
"""LoG images that are thought of when the setting of a publication is not known."""


@dataclass(frozen=True)
class ClassOrder:
    """The feature classes of a table, in the order in which an image lists them.

    Attributes
    ----------
    name : how messages call it
    classes : PyRadiomics' names of classes; one that was not measured is not there
    """

    name: str
    classes: tuple[str, ...]

    def holding(self, feature: str) -> list[str]:
        """Classes that have a feature of that name."""
        return [c for c in self.classes if feature in features_of(c)]


SLICER = ClassOrder(
    "Slicer's class order",
    ("shape", "firstorder", "glcm", "gldm", "glrlm", "glszm", "ngtdm"),
)
"""All classes, shape first and then by the alphabet: PyRadiomics with every class enabled, and
the extension of 3D Slicer, which shows the classes in that order."""

PARAMETER_FILE = ClassOrder(
    "class order of the example files",
    ("shape", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm"),
)
"""The order of the classes in PyRadiomics' example parameter files, with ngtdm at the end, which
published tables have, too."""

WITHOUT_NGTDM = ClassOrder("no ngtdm", PARAMETER_FILE.classes[:-1])
"""As the example parameter files are, which leave ngtdm out. Not tried unless asked for."""

ORDERS = (SLICER, PARAMETER_FILE)
"""Orders that are tried. They differ for names that two of gldm, glrlm and glszm share."""


@cache
def features_of(feature_class: str) -> tuple[str, ...]:
    """Features of a class that are not deprecated, in PyRadiomics' order.

    >>> len(features_of("glcm")), "Dissimilarity" in features_of("glcm")
    (24, False)
    """
    return tuple(name for name, deprecated in names_of(feature_class).items() if not deprecated)


@dataclass(frozen=True)
class SourceTable:
    """A table with one column per feature, image by image, class by class.

    Shape depends on the region alone: it comes first and once, as "original".

    >>> table = SourceTable(ImageTypes.parse("original+wavelet"))
    >>> len(table.full_names), table.find("Minimum.8"), table.find("Minimum.9")
    (851, 'wavelet-LLL_firstorder_Minimum', None)
    """

    images: ImageTypes
    order: ClassOrder = SLICER

    @cached_property
    def full_names(self) -> tuple[str, ...]:
        """PyRadiomics' names, image_class_Feature, in the order of the table."""
        shape = [c for c in self.order.classes if c in SHAPE_CLASSES]
        others = [c for c in self.order.classes if c not in SHAPE_CLASSES]
        blocks = [(ORIGINAL, c) for c in shape]
        blocks += [(image, c) for image in self.images.names for c in others]
        return tuple(f"{image}_{c}_{f}" for image, c in blocks for f in features_of(c))

    @cached_property
    def printed_names(self) -> tuple[str, ...]:
        """What is left when authors keep `Feature Name` alone: the last parts, made unique."""
        return tuple(make_unique(last_part(name) for name in self.full_names))

    def find(self, printed: str) -> str | None:
        """The full name behind a printed one, also where R changed its signs; None: there is none.

        >>> table = SourceTable(ImageTypes.parse("original+wavelet"))
        >>> table.find("X10Percentile.1"), table.find("wavelet.LLH_glcm_Id")
        ('wavelet-LLH_firstorder_10Percentile', 'wavelet-LLH_glcm_Id')
        """
        return self._spellings.get(printed)

    def count(self, feature: str) -> int:
        """How many columns have that last part."""
        return self._counts[feature]

    @cached_property
    def _spellings(self) -> dict[str, str]:
        pairs = list(zip(self.printed_names, self.full_names, strict=True))
        pairs += [(full, full) for full in self.full_names]
        return {spelled: full for name, full in pairs for spelled in (name, r_name(name))}

    @cached_property
    def _counts(self) -> Counter[str]:
        return Counter(last_part(name) for name in self.full_names)

    def __str__(self) -> str:
        return f"{self.images} ({self.order.name})"


def plausible_images() -> tuple[ImageTypes, ...]:
    """Settings to think of when a publication tells none, the smallest first.

    >>> [str(images) for images in plausible_images()[:4]]
    ['original', 'original+wavelet', 'original+log(1)+wavelet', 'original+log(2)+wavelet']
    """
    both = [(unknown_logs(n), "wavelet") for n in range(1, MOST_LOGS_WITH_WAVELET + 1)]
    alone = [(unknown_logs(n),) for n in range(1, MOST_LOGS + 1)]
    return tuple(ImageTypes((ORIGINAL, *parts)) for parts in [(), ("wavelet",), *both, *alone])


def tables_of(
    settings: Sequence[ImageTypes] | None = None, orders: Sequence[ClassOrder] = ORDERS
) -> tuple[SourceTable, ...]:
    """The tables of some settings in some orders; by default `plausible_images` in `ORDERS`."""
    chosen = plausible_images() if settings is None else tuple(settings)
    return _tables(chosen, tuple(orders))


@cache
def _tables(
    settings: tuple[ImageTypes, ...], orders: tuple[ClassOrder, ...]
) -> tuple[SourceTable, ...]:
    return tuple(SourceTable(images, order) for images in settings for order in orders)


def consistent(
    names: Sequence[str], tables: Sequence[SourceTable] | None = None
) -> tuple[SourceTable, ...]:
    """Tables in which every one of the names occurs, of `tables_of()` by default.

    All names of one signature come from one table, so that a name which is rare says something
    about all others.

    >>> str(consistent(["Contrast.5", "Minimum.9"])[0].images)
    'original+log(1)+wavelet'
    """
    tried = tables_of() if tables is None else tables
    return tuple(table for table in tried if all(table.find(name) for name in names))


def last_part(name: str) -> str:
    """The feature's own name.

    >>> last_part("wavelet-LHL_ngtdm_Contrast")
    'Contrast'
    """
    return name.rpartition("_")[2]


def make_unique(names: Iterable[str]) -> list[str]:
    """Names with .1, .2 and so on after those that were there before.

    As R's make.unique and pandas do it: a name that is taken is passed over.

    >>> make_unique(["a", "a", "a.1", "a"])
    ['a', 'a.2', 'a.1', 'a.3']
    """
    given = list(names)
    taken, seen, counts, out = set(given), set[str](), Counter[str](), []
    for name in given:
        unique = name
        while unique in seen or (unique != name and unique in taken):
            counts[name] += 1
            unique = f"{name}.{counts[name]}"
        seen.add(unique)
        out.append(unique)
    return out


def r_name(name: str) -> str:
    """The name as R's make.names spells it.

    >>> r_name("10Percentile"), r_name("log-sigma-3-0-mm-3D_glcm_Id")
    ('X10Percentile', 'log.sigma.3.0.mm.3D_glcm_Id')
    """
    dotted = re.sub(r"[^A-Za-z0-9._]", ".", name)
    return dotted if re.match(r"[A-Za-z]|\.(?!\d)", dotted) else f"X{dotted}"
