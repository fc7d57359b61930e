"""The name of a feature, as a record."""

from dataclasses import asdict, dataclass

from centrum.features.registry import catalogue
from centrum.settings import Dialect


@dataclass(frozen=True)
class FeatureId:
    """Which number this is. Spellings are derived from the record and never parsed back.

    Attributes
    ----------
    image : what the feature was computed on, such as "original"
    family, feature : such as "glcm", "contrast"
    code : IBSI code, "" where the IBSI has none
    name : the catalogue's name
    discretisation : such as "FBN32", "" where intensities are not discretised
    aggregation : such as "3D_averaged", "" where there is nothing to aggregate

    >>> f = FeatureId("original", "glcm", "contrast", "ACUI", "Contrast", "FBN32", "3D_merged")
    >>> f.spell("ibsi"), f.spell("pyradiomics")
    ('original_glcm_contrast_FBN32_3D_merged', 'original_glcm_Contrast')
    """

    image: str
    family: str
    feature: str
    code: str
    name: str
    discretisation: str = ""
    aggregation: str = ""

    def spell(self, dialect: Dialect) -> str:
        """The column name in that dialect."""
        if dialect == "pyradiomics":
            return f"{self.image}_{catalogue()[self.family, self.name].pyradiomics}"
        parts = (self.image, self.family, self.feature.rstrip("_"))
        return "_".join(p for p in (*parts, self.discretisation, self.aggregation) if p)

    @property
    def unit(self) -> str:
        """Unit of the value; "I" stands for the image's intensity."""
        return catalogue()[self.family, self.name].unit

    def to_dict(self) -> dict[str, str]:
        """The record as JSON-ready values."""
        return asdict(self)
