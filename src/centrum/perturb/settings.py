"""Which perturbations are tried, and how stable a feature must be under them."""

from typing import Annotated, Literal

from pydantic import Field

from centrum.modelling.settings import RobustnessRule
from centrum.settings import Seed, Settings

Kind = Literal["noise", "translation", "rotation", "volume", "contour"]

Length = Annotated[float, Field(ge=0.05, le=100)]


class RobustnessSettings(Settings):
    """Perturbations of image and region, and the ICC that a feature must keep under them.

    Kinds and rule are those that gave the fewest false positives in Zwanenburg et al., Sci Rep
    2019;9:614: noise, translation, volume and contour together, ICC(1,1) of at least 0.90. The
    sizes are chosen for two readers of a vertebral body.

    >>> RobustnessSettings().kinds
    ('noise', 'translation', 'volume', 'contour')
    """

    kinds: Annotated[tuple[Kind, ...], Field(min_length=1)] = Field(
        ("noise", "translation", "volume", "contour"),
        description="what is perturbed: noise, translation, rotation, volume, contour",
    )
    together: bool = Field(
        True, description="all kinds at once in each repeat; false: each kind in repeats of its own"
    )
    repeats: Annotated[int, Field(ge=1, le=1000)] = Field(
        10, description="perturbed measurements of each case (of each kind, when not together)"
    )
    noise: Annotated[float, Field(gt=0, le=1000)] = Field(
        1.0, description="SD of the added Gaussian noise, in estimated noise SDs of the image"
    )
    translation: Annotated[float, Field(gt=0, le=1)] = Field(
        0.5,
        description="largest shift along rows and columns, in voxels of the image that was drawn "
        "on; further sequences move by the same mm",
    )
    through_plane: bool = Field(False, description="whether to shift across slices as well")
    rotation: Annotated[float, Field(gt=0, le=180)] = Field(
        6.0, description="largest turn about the normal of the slices, in degrees"
    )
    volume: Annotated[float, Field(gt=0, le=0.3)] = Field(
        0.1, description="largest growth or shrinkage, as a fraction of the volume"
    )
    contour: Literal["supervoxel", "jitter"] = Field(
        "supervoxel",
        description="supervoxel: clusters of like pixels at the contour are in or out at random; "
        "jitter: the contour moves by a random field",
    )
    supervoxel_mm: Length = Field(2.5, description="edge of a supervoxel within the slice")
    jitter_mm: Length = Field(0.5, description="SD of the jitter of the contour")
    correlation_mm: Length = Field(5.0, description="length along which the jitter is alike")
    icc: RobustnessRule = RobustnessRule()
    seed: Seed = Field(2024, description="of everything that is random in the perturbations")
