"""The choices of image preparation, as they stand in a protocol."""

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from centrum.prepare.regions import RegionOperation
from centrum.settings import Factor, Intensity, Settings

Over = Literal["image", "body"]
"""Voxels whose intensities are looked at: all in view, or those of `prepare.body`."""

Percent = Annotated[float, Field(ge=0, le=100)]

MIN_REFERENCE_VOXELS = 50
"""Fewer voxels than this give no steady mean of a tissue; a vertebral body has thousands."""


class BiasField(Settings):
    """Smooth shading of the image is divided out (N4, Tustison et al., IEEE TMI 29, 2010)."""

    mask: Over = Field("body", description="voxels that the field is fitted to")
    shrink_factor: Annotated[int, Field(ge=1, le=16)] = Field(
        8,
        description="voxels averaged along an axis to fit the field, as far as they are thinner "
        "than that many of the thinnest: 8 of 0.6 mm, and slices of 4.4 mm as they are",
    )
    iterations: Annotated[
        tuple[Annotated[int, Field(ge=1, le=10_000)], ...], Field(min_length=1, max_length=10)
    ] = Field(
        (50, 50, 50),
        description="most iterations per level; each level halves the mesh of the spline, and a "
        "fourth already follows the spinal canal instead of the coil",
    )
    convergence: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.001, description="a level ends when the field changes by less"
    )


class NoNormalisation(Settings):
    """Intensities stay as they are."""

    method: Literal["none"] = "none"


class ZScore(Settings):
    """(x - mean) / SD."""

    method: Literal["z_score"] = "z_score"
    over: Over = Field("body", description="voxels that mean and SD are of")
    scale: Factor = Field(1.0, description="what one SD becomes")


class Percentiles(Settings):
    """Two percentiles are brought to the ends of a range."""

    method: Literal["percentile"] = "percentile"
    over: Over = Field("body", description="voxels that the percentiles are of")
    lower: Percent = Field(1.0, description="percentile that becomes the start of the range")
    upper: Percent = Field(99.0, description="percentile that becomes its end")
    range: tuple[Intensity, Intensity] = Field((0.0, 100.0), description="start and end")
    clip: bool = Field(True, description="set what lies beyond the range to its nearer end")

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if not (self.lower < self.upper and self.range[0] < self.range[1]):
            raise ValueError("`lower` must be below `upper`, and `range` must rise")
        return self


class Nyul(Settings):
    """Percentiles are brought to those of the training patients (Nyul and Udupa)."""

    method: Literal["nyul"] = "nyul"
    over: Over = Field("body", description="voxels that the percentiles are of")
    percentiles: Annotated[tuple[Percent, ...], Field(min_length=2)] = Field(
        (1, 10, 20, 30, 40, 50, 60, 70, 80, 90, 99), description="the landmarks, rising"
    )
    range: tuple[Intensity, Intensity] = Field(
        (0.0, 100.0), description="where the first and the last landmark lie on the standard scale"
    )
    landmarks: tuple[Intensity, ...] | None = Field(
        None,
        description="the standard scale, one number per percentile, as landmarks.json of another "
        "study has it; learnt from the training patients when missing",
    )

    @model_validator(mode="after")
    def _rising(self) -> Self:
        rising = all(a < b for a, b in pairwise(self.percentiles))
        if not (rising and self.range[0] < self.range[1]):
            raise ValueError("`percentiles` and `range` must rise")
        if self.landmarks is not None and len(self.landmarks) != len(self.percentiles):
            raise ValueError(
                f"{len(self.percentiles)} percentiles need as many landmarks, found "
                f"{len(self.landmarks)}"
            )
        for low, high in pairwise(self.landmarks or ()):
            if not low < high:
                raise ValueError(
                    f"`landmarks` must rise, as percentiles do, found {low:g} before {high:g}; "
                    "take them from landmarks.json in their order"
                )
        return self


class ReferenceTissue(Settings):
    """x / mean of a normal tissue that the same reader drew: also the ratio to a second ROI."""

    method: Literal["reference_tissue"] = "reference_tissue"
    segments: Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        ("reference",),
        description="segment of the reader's mask file, such as a normal vertebra, disc, CSF or "
        "muscle; of several names the first that the file holds",
    )
    statistic: Literal["mean", "median"] = Field("mean", description="of the segment's voxels")
    scale: Factor = Field(100.0, description="what the tissue becomes; 1 gives the plain ratio")
    min_voxels: Annotated[int, Field(ge=1, le=10**9)] = Field(
        MIN_REFERENCE_VOXELS, description="a smaller segment is refused"
    )


Normalisation = Annotated[
    NoNormalisation | ZScore | Percentiles | Nyul | ReferenceTissue,
    Field(discriminator="method"),
]


class Preparation(Settings):
    """What is done to a whole image and to the regions in it before these are measured.

    >>> Preparation().active
    False
    >>> Preparation(normalisation={"method": "z_score"}).active
    True
    """

    subtract_air: bool = Field(
        False,
        description="subtract the level of air first: for images exported with an offset, such "
        "as 8-bit copies, where ratios and N4 mean nothing otherwise",
    )
    bias_field: BiasField | None = Field(None, description="N4; null leaves the shading")
    normalisation: Normalisation = Field(NoNormalisation(), description="common scale of exams")
    region: tuple[RegionOperation, ...] = Field(
        (), description="what is done to every reader's region before it is measured, in order"
    )

    @property
    def active(self) -> bool:
        """Whether anything is done at all."""
        return self != Preparation()

    @property
    def by_reader(self) -> "Preparation":
        """Only what the readers' files decide: quick to check without measuring."""
        if isinstance(self.normalisation, ReferenceTissue):
            return Preparation(normalisation=self.normalisation, region=self.region)
        return Preparation(region=self.region)
