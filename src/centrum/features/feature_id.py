"""The name of a feature, as a record."""

from dataclasses import dataclass

from centrum.features.registry import catalogue
from centrum.records import as_json, fields_of
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
    sequence : such as "T1w", "" when a study measures one
    region : such as "muscle", "" of the first region; "body-per-above" of a ratio of two
    label : column name in a table made elsewhere; it is the spelling then

    >>> from dataclasses import replace
    >>> f = FeatureId("original", "glcm", "contrast", "ACUI", "Contrast", "FBN32", "3D_merged")
    >>> f.spell("ibsi"), f.spell("pyradiomics")
    ('original_glcm_contrast_FBN32_3D_merged', 'original_glcm_Contrast')
    >>> replace(f, sequence="T1w").spell("pyradiomics")
    'T1w_original_glcm_Contrast'
    """

    image: str
    family: str
    feature: str
    code: str
    name: str
    discretisation: str = ""
    aggregation: str = ""
    sequence: str = ""
    label: str = ""
    region: str = ""

    def spell(self, dialect: Dialect) -> str:
        """The column name in that dialect."""
        if self.label:
            return self.label
        if dialect == "pyradiomics":
            parts = [self.image, catalogue()[self.family, self.name].pyradiomics]
        else:
            parts = [self.image, self.family, self.feature.rstrip("_")]
            parts += [self.discretisation, self.aggregation]
        return "_".join(part for part in (self.region, self.sequence, *parts) if part)

    @property
    def source(self) -> str:
        """Region and sequence, such as "muscle T1w"; "" of the first region of one sequence."""
        return f"{self.region} {self.sequence}".strip()

    @property
    def unit(self) -> str:
        """Unit of the value; "I" stands for the image's intensity, "" where it is not known."""
        entry = catalogue().get((self.family, self.name))
        return entry.unit if entry else ""


@as_json.register
def _(feature: FeatureId) -> dict[str, str]:
    known = fields_of(feature)
    told = known if feature.region else {k: v for k, v in known.items() if k != "region"}
    return {**told, "unit": feature.unit}
