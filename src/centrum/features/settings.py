"""The choices of an extraction, as they stand in a protocol."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from centrum.features.aggregation import AGGREGATIONS, AggregationName
from centrum.filters import FILTERS, AnyFilter
from centrum.settings import Dialect, Factor, Intensity, Millimetres, Settings

FamilyName = Literal[
    "morphology",
    "enclosing",
    "shape2D",
    "spatial",
    "local_intensity",
    "statistics",
    "histogram",
    "ivh",
    "glcm",
    "glrlm",
    "glszm",
    "gldzm",
    "ngtdm",
    "ngldm",
]
Plane = Literal["sagittal", "coronal", "axial"]


class Discretisation(Settings):
    """How intensities become grey levels."""

    method: Literal["fixed_bin_number", "fixed_bin_size", "none"] = "fixed_bin_number"
    bins: Annotated[int, Field(ge=2, le=1024)] | None = Field(
        None, description="number of bins, with fixed_bin_number"
    )
    width: Factor | None = Field(
        None, description="bin width in units of intensity, with fixed_bin_size"
    )

    @model_validator(mode="after")
    def _one_parameter(self) -> Self:
        wanted = {"fixed_bin_number": (True, False), "fixed_bin_size": (False, True)}
        given = (self.bins is not None, self.width is not None)
        if given != wanted.get(self.method, (False, False)):
            raise ValueError(
                "fixed_bin_number takes `bins`, fixed_bin_size takes `width`, none takes neither"
            )
        return self

    @property
    def label(self) -> str:
        """Such as "FBN32" or "FBS25"; "" without discretisation."""
        if self.method == "fixed_bin_number":
            return f"FBN{self.bins}"
        return f"FBS{self.width:g}" if self.method == "fixed_bin_size" else ""


class Resegmentation(Settings):
    """Which voxels of the region take part in intensity and texture features."""

    lower: Intensity | None = Field(None, description="smallest intensity kept")
    upper: Intensity | None = Field(None, description="largest intensity kept")
    sigma: Annotated[float, Field(gt=0, le=1000)] | None = Field(
        None, description="keep intensities within mean +- sigma SD of the region"
    )


class Interpolation(Settings):
    """To which grid image and mask are interpolated before anything else (IBSI 2.4).

    In the dialect pyradiomics the grid is that of its resampledPixelSpacing, and the mask goes
    by nearest neighbour.
    """

    spacing: tuple[Millimetres | None, Millimetres | None, Millimetres | None] | None = Field(
        None,
        description="mm along columns, rows and slices (x, y, z) of the plane, in the dialect "
        "pyradiomics along those of the array; null keeps the spacing of an axis",
    )
    in_plane: Millimetres | None = Field(
        None, description="mm within the slices of the plane, whose distance is kept"
    )
    isotropic: Millimetres | None = Field(None, description="mm along all three axes")
    image: Literal["nearest", "linear", "cubic"] = Field(
        "linear", description="interpolation of intensities; cubic is a B-spline"
    )
    boundary: Literal["mirror", "nearest"] = Field(
        "mirror",
        description="what a cubic spline finds beyond the edges of the image: its mirror image, as "
        "with ITK and most programs, or the outermost voxel",
    )
    mask: Literal["nearest", "linear"] = Field("linear", description="interpolation of the region")
    partial_volume: Annotated[float, Field(gt=0, le=1)] = Field(
        0.5, description="share of the region from which an interpolated voxel belongs to it"
    )
    round_intensities: bool = Field(
        False, description="round to integers afterwards, as for Hounsfield units"
    )

    @model_validator(mode="after")
    def _one_grid(self) -> Self:
        given = [k for k in ("spacing", "in_plane", "isotropic") if getattr(self, k) is not None]
        if len(given) != 1:
            raise ValueError(
                f"interpolation takes one of spacing, in_plane and isotropic, found {given}"
            )
        return self

    def spacing_of(self, slice_axis: int) -> tuple[float | None, float | None, float | None]:
        """mm along x, y, z where slices lie across the array axis (z, y, x) `slice_axis`.

        >>> Interpolation(in_plane=0.6).spacing_of(slice_axis=0)
        (0.6, 0.6, None)
        """
        if self.spacing is not None:
            return self.spacing
        kept = None if self.in_plane else self.isotropic
        z, y, x = (kept if axis == slice_axis else self.in_plane or kept for axis in range(3))
        return x, y, z


Weighting = Literal["manhattan", "euclidean", "infinity", "no_weighting"]


BODY = "body"
"""What ratios call the first region."""


class RegionRatio(Settings):
    """Features of one region divided by the same ones of another."""

    of: str = Field(BODY, description="region that is divided; body is that of the first masks")
    to: str = Field(description="region by which it is divided")
    families: tuple[FamilyName, ...] = Field(
        ("statistics",), description="families whose features of the image itself are divided"
    )

    @property
    def name(self) -> str:
        """Of the ratio, such as "body-per-above"."""
        return f"{self.of}-per-{self.to}"


class ExtractionSettings(Settings):
    """Everything that decides the numbers of an extraction."""

    dialect: Dialect = Field("ibsi", description="whose definitions and names")
    families: tuple[FamilyName, ...] = Field(
        (
            "morphology",
            "statistics",
            "histogram",
            "glcm",
            "glrlm",
            "glszm",
            "gldzm",
            "ngtdm",
            "ngldm",
        ),
        description="feature families, in the order of the results",
    )
    discretisation: Discretisation = Discretisation(method="fixed_bin_number", bins=32)
    interpolation: Interpolation | None = None
    filters: tuple[AnyFilter, ...] = Field(
        (), description="filters whose response maps are measured beside the image itself"
    )
    response_discretisation: Discretisation | None = Field(
        None, description="discretisation of response maps; null: that of the image"
    )
    ivh: Discretisation = Field(
        Discretisation(method="fixed_bin_number", bins=1000),
        description="discretisation of the intensity-volume histogram (IBSI 3.5); none: by unit; "
        "by unit or size its range is that of `resegmentation`, if given",
    )
    distances: tuple[Annotated[int, Field(ge=1, le=100)], ...] = Field(
        (1,), description="Chebyshev distance of neighbours in voxels; several in PyRadiomics only"
    )
    coarseness: Annotated[float, Field(ge=0, le=1024)] = Field(
        0, description="largest grey level difference of dependent neighbours (IBSI alpha, gldm_a)"
    )
    weighting: Weighting | None = Field(
        None,
        description="norm of the distance in mm by which co-occurrence and run length weigh "
        "directions, exp(-distance^2), before merging them (weightingNorm)",
    )
    symmetric: bool = Field(True, description="count each pair of a co-occurrence both ways")
    aggregations: tuple[AggregationName, ...] = Field(
        ("2.5D_merged",), description="how matrices of directions and slices are joined"
    )
    plane: Plane = Field("sagittal", description="plane of the slices in 2D and 2.5D")
    normalise_scale: Factor | None = Field(
        None, description="z-score the whole image and multiply by this (PyRadiomics normalize)"
    )
    resegmentation: Resegmentation = Resegmentation()
    energy_shift: Intensity = Field(
        0.0, description="added to intensities before energy (PyRadiomics voxelArrayShift)"
    )

    ratios: tuple[RegionRatio, ...] = Field(
        (), description="ratios of regions, where the manifest has columns mask:READER:REGION"
    )

    @model_validator(mode="after")
    def _ratios_of_two(self) -> Self:
        for ratio in self.ratios:
            if ratio.of == ratio.to:
                raise ValueError(f"a ratio of the region {ratio.of!r} to itself is 1")
            if missing := [f for f in ratio.families if f not in self.families]:
                raise ValueError(f"the ratio {ratio.name} is of {missing[0]}, no family of these")
        if len({ratio.name for ratio in self.ratios}) < len(self.ratios):
            raise ValueError("two ratios are of the same two regions")
        return self

    @model_validator(mode="after")
    def _one_distance(self) -> Self:
        if self.dialect == "ibsi" and len(self.distances) != 1:
            raise ValueError(
                f"the IBSI counts neighbours at one distance, found {list(self.distances)}; give "
                "one, or choose the dialect pyradiomics"
            )
        return self

    @model_validator(mode="after")
    def _filters_of_the_dialect(self) -> Self:
        if strange := [f.filter for f in self.filters if f.dialect != self.dialect]:
            known = sorted(n for n, kind in FILTERS.items() if kind.dialect == self.dialect)
            raise ValueError(
                f"the dialect {self.dialect} has no filter {', '.join(strange)}; it has "
                f"{', '.join(known)}"
            )
        names = [name for f in self.filters for name in f.names]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two filters make the same response map: {', '.join(repeated)}")
        return self

    @model_validator(mode="after")
    def _weights_need_merging(self) -> Self:
        apart = [a for a in self.aggregations if not AGGREGATIONS[a].merges_directions]
        if self.weighting is not None and apart:
            raise ValueError(
                f"weighting joins the directions' counts, but {apart} average their features; "
                "choose aggregations that merge directions, such as 3D_merged"
            )
        return self

    @model_validator(mode="after")
    def _interpolates_as_pyradiomics(self) -> Self:
        interpolation = self.interpolation
        if (
            self.dialect == "pyradiomics"
            and interpolation
            and (interpolation.mask, interpolation.round_intensities, interpolation.boundary)
            != ("nearest", False, "mirror")
        ):
            raise ValueError(
                "PyRadiomics takes the region by nearest neighbour, does not round, and mirrors "
                "the image at its edges: say "
                "interpolation: {mask: nearest, round_intensities: false, boundary: mirror}"
            )
        return self

    @model_validator(mode="after")
    def _one_spelling(self) -> Self:
        if self.dialect == "pyradiomics" and len(self.aggregations) != 1:
            raise ValueError(
                "PyRadiomics' names do not carry the aggregation: give exactly one, "
                f"found {list(self.aggregations)}"
            )
        return self
