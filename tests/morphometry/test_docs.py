"""The page on morphometry says what the code does."""

from pathlib import Path

from centrum.morphometry import dent
from centrum.morphometry.body import Morphometry
from centrum.morphometry.genant import GRADES, Genant

PAGE = Path(__file__).resolve().parents[2] / "docs" / "concepts" / "morphometry.md"


def test_measures_are_listed() -> None:
    text = PAGE.read_text(encoding="utf-8")
    listed = [line for line in text.splitlines() if line.startswith("| `")]
    for name in Morphometry.__annotations__:
        if name not in ("name", "level", "slices", "profile", "points", "frame"):
            assert any(f"`{name}`" in line for line in listed), name


def test_losses_are_listed() -> None:
    text = PAGE.read_text(encoding="utf-8")
    listed = [line for line in text.splitlines() if line.startswith("| `")]
    for name in Genant.__annotations__:
        if name not in ("kind", "reference", "notes"):
            assert any(f"`{name}`" in line for line in listed), name


def test_properties_of_a_node_are_those_of_the_code() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert f"deeper than {dent.NODE_DEPTH_MM} mm" in text
    assert f"less than {100 * dent.NODE_WIDTH:.0f} % of the depth" in text
    assert f"less than {100 * dent.NODE_ACROSS:.0f} % of the width" in text
    assert f"over {100 * dent.HELD:.0f} % of the depth" in text


def test_grades_are_those_of_the_code() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for grade, loss in enumerate(GRADES, 1):
        assert f"from {100 * loss:.0f} % grade {grade}" in text
