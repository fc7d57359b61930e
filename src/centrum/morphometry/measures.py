"""What of the morphometry of a body goes into tables, and into a model."""

from dataclasses import dataclass
from typing import Any

from centrum.morphometry.body import Morphometry
from centrum.morphometry.genant import Genant


@dataclass(frozen=True)
class BodyMeasure:
    """A column of `morphometry.csv`: what tables call it, with its unit."""

    title: str
    unit: str = ""

    @property
    def heading(self) -> str:
        """Title and unit.

        >>> BodyMeasure("Depth", "mm").heading, BodyMeasure("Genant's grade").heading
        ('Depth (mm)', "Genant's grade")
        """
        return f"{self.title} ({self.unit})" if self.unit else self.title

    @property
    def words(self) -> str:
        """Title within a sentence.

        >>> BodyMeasure("Wedge angle", "°").words, BodyMeasure("Genant's grade").words
        ('wedge angle', "Genant's grade")
        """
        named_after = self.title.startswith("Genant")
        return self.title if named_after else self.title[:1].lower() + self.title[1:]


OF_BODY = {
    "anterior": BodyMeasure("Anterior height", "mm"),
    "middle": BodyMeasure("Middle height", "mm"),
    "posterior": BodyMeasure("Posterior height", "mm"),
    "lowest": BodyMeasure("Least height", "mm"),
    "lowest_at": BodyMeasure("Place of the least height", "share of the depth"),
    "depth": BodyMeasure("Depth", "mm"),
    "anterior_to_posterior": BodyMeasure("Anterior to posterior height"),
    "middle_to_posterior": BodyMeasure("Middle to posterior height"),
    "biconcavity": BodyMeasure("Biconcavity"),
    "wedge_angle": BodyMeasure("Wedge angle", "°"),
    "superior_concavity": BodyMeasure("Concavity of the upper end plate", "mm"),
    "inferior_concavity": BodyMeasure("Concavity of the lower end plate", "mm"),
    "wall_convexity": BodyMeasure("Convexity of the posterior wall", "mm"),
}
"""Numbers of a body."""

OF_GRADE = {
    "grade": BodyMeasure("Genant's grade"),
    "heights_grade": BodyMeasure("Genant's grade of the three heights"),
    "greatest_loss": BodyMeasure("Greatest loss of height", "share"),
    "loss_at": BodyMeasure("Place of the greatest loss", "share of the depth"),
    "loss_width": BodyMeasure("Width of the loss", "mm"),
    "loss_area": BodyMeasure("Area of the loss", "mm²"),
}
"""Numbers of a grade; a body that is cut by the image, and the sacrum, have none."""

TEXTS = {
    "kind": BodyMeasure("Type of fracture"),
    "verdict": BodyMeasure("Compression or Schmorl node"),
}
"""Words of a grade; "none" for grade 0, or where nothing is missing."""

MEASURES = OF_BODY | OF_GRADE | TEXTS
"""All that can be a covariate."""


def measures_of(body: Morphometry, found: Genant | None) -> dict[str, Any]:
    """The measures of a body by name, without those that it does not have."""
    graded: dict[str, Any] = {}
    if found is not None:
        numbers = {name: float(getattr(found, name)) for name in OF_GRADE}
        graded = numbers | {name: getattr(found, name) or "none" for name in TEXTS}
    return {name: float(getattr(body, name)) for name in OF_BODY} | graded
