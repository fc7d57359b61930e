"""The page on images and masks says what the code does."""

import re
from pathlib import Path

from centrum.geometry import EVEN, GRID_TOLERANCE_MM
from centrum.io import (
    checks,
    contours,
    dicom_object,
    even_odd,
    frame_of_reference,
    frame_pixels,
    functional_groups,
    nifti,
    seg,
    slices,
)
from centrum.io.gzipped import MOST_VOXELS
from centrum.io.open import LARGEST_MM, SMALLEST_MM
from centrum.measure.case import BYTES_PER_VOXEL
from centrum.study import content_check
from centrum.study.findings import SAME_IMAGE

PAGE = Path(__file__).resolve().parents[2] / "docs" / "concepts" / "images-and-masks.md"


def test_every_finding_is_listed_with_its_severity() -> None:
    page, between_cases = PAGE.read_text("utf-8").split("## What only shows between cases")
    listed = dict(re.findall(r"^\| `([a-z-]+)` \| (\w+) \|", page, re.M))
    source = Path(checks.__file__).read_text("utf-8")
    made = re.findall(r'_found\(\s*"(error|warning|note)",\s*"([a-z-]+)"', source)
    assert listed == {code: severity for severity, code in made}
    source = (
        Path(content_check.__file__).read_text("utf-8").replace("SAME_IMAGE", f'"{SAME_IMAGE}"')
    )
    made = re.findall(r'"(error|warning|note)",\s*"([a-z-]+)"', source)
    listed_between = re.findall(r"^\| `([a-z-]+)` \| (\w+)", between_cases, re.M)
    assert set(listed_between) == {(code, severity) for severity, code in made}


def test_thresholds_are_those_of_the_code() -> None:
    text = PAGE.read_text("utf-8")
    for wanted in (
        f"more than {nifti.FORM_TOLERANCE_MM} mm apart",
        f"more than {slices.MISSING_SLICE_RATIO} times",
        f"more than {slices.SLICE_TOLERANCE_MM} mm from its place",
        f"within {GRID_TOLERANCE_MM} mm",
        f"fewer than {checks.MIN_VOXELS} voxels",
        f"fewer than {checks.SMALL_VOXELS} voxels",
        f"fewer than {checks.MIN_SLICES} slices",
        f"below {SMALLEST_MM} mm or above {LARGEST_MM:g} mm",
        f"more than {EVEN} times the shortest",
        f"{BYTES_PER_VOXEL} bytes are counted",
        f"within {even_odd.TOLERANCE} pixels",
        f"within {contours.PLANE_TOLERANCE_MM} mm of a slice",
        f"more than 2^{contours.MOST_STEPS.bit_length() - 1} rows and columns",
    ):
        assert wanted in text


def test_what_is_said_of_dicom_segmentations_is_so() -> None:
    """Its limits, and every code that the modules raise for them."""
    section = PAGE.read_text("utf-8").split("## DICOM segmentations")[1].split("\n## ")[0]
    for wanted in (
        f"{dicom_object.LARGEST_HEADER >> 20} MB",
        f"2^{dicom_object.MOST_ITEMS.bit_length() - 1} items",
        f"2^{MOST_VOXELS.bit_length() - 1} voxels or {seg.MOST_LAYERS} layers",
        f"more than {slices.SLICE_TOLERANCE_MM} mm from their place",
        *(f"`{word}`" for word in seg.ALGORITHM_TYPES),
    ):
        assert wanted in section
    modules = (dicom_object, frame_of_reference, frame_pixels, functional_groups, seg)
    sources = "".join(Path(module.__file__).read_text("utf-8") for module in modules)
    raised = set(re.findall(r'code="([a-z-]+)"', sources)) | {"damaged-file"}
    raised |= {f"several-{what}" for what in ("orientations", "sizes")}
    raised -= {"other-series", "too-large"}  # of structure sets
    table = section.split("| refused | code |")[1]
    assert set(re.findall(r"`([a-z-]+)`", table)) | {"no-spacing"} == raised
