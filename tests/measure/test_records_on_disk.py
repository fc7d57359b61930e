"""Records that lie on disk are read as they were kept."""

from pathlib import Path

import numpy as np
import pytest

from centrum.measure.records_on_disk import RecordsMade, RecordsOnDisk, each


def test_records_in_a_folder_that_is_made_and_in_one_that_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "results" / "records"
    one, other = RecordsOnDisk(folder), RecordsOnDisk(folder)
    one["a"] = {"values": {"R1": [1.0, 2.5], "R2": [3.0]}, "errors": []}
    one["b"] = {"values": {}, "errors": ["none"]}
    one["a"] = {"values": {"R1": [7.0, None]}, "errors": []}
    assert list(one) == ["a", "b"]
    assert not other
    assert list(one["a"]["values"]["R1"]) == [7.0, None]
    assert one["b"]["errors"] == ["none"]
    del one["a"]
    assert list(one) == ["b"]
    assert not list(folder.iterdir()), "the file has no name"


def test_numbers_are_read_by_place_and_as_an_array(tmp_path: Path) -> None:
    """Of the second reader too, after others were written behind it."""
    records = RecordsOnDisk(tmp_path)
    records["a"] = {"values": {"R1": [1.0, 2.5], "R2": [3.0, None, 5.0]}, "errors": [], "more": 7}
    records["b"] = {"values": {"R1": [9.0]}, "errors": []}
    found = records["a"]
    assert {**found, "values": {}} == {"values": {}, "errors": [], "more": 7}
    second = found["values"]["R2"]
    assert (len(second), second[1], second[2], second[:2]) == (3, None, 5.0, [3.0, None])
    np.testing.assert_array_equal(np.asarray(second), [3, np.nan, 5])
    assert list(records["b"]["values"]["R1"]) == [9.0]
    assert (len(records), "c" in records) == (2, False)


def test_what_is_made_of_records_is_made_when_it_is_asked_for() -> None:
    asked = []

    def make(case: str) -> dict[str, str]:
        asked.append(case)
        return {"case": case}

    made = RecordsMade(["a", "b", "a"], make)
    assert (len(made), list(made), asked) == (2, ["a", "b"], [])
    changed = each(made, lambda case, record: record | {"of": case})
    assert asked == []
    assert changed["b"] == {"case": "b", "of": "b"}
    assert asked == ["b"]
    with pytest.raises(KeyError):
        made["c"]
    assert each({"x": {}}, lambda case, record: {"of": case}) == {"x": {"of": "x"}}
