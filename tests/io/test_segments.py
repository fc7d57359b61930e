"""What is told of a segment."""

from centrum.io import Segment


def test_where_a_segment_comes_from_is_not_shown_with_it() -> None:
    """It is a fact of the file for a study, and no part of what is listed."""
    segment = Segment("L1", 1, 0, 7, proposal="proposal:spider")
    assert repr(segment) == "Segment(name='L1', label=1, layer=0, voxels=7)"
    assert segment != Segment("L1", 1, 0, 7)
