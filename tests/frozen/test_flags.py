"""What is told of a measured case, whether or not it is scored."""

from centrum.frozen.score import Patient, score_record
from tests.frozen.test_model_file import model


def test_what_was_found_in_image_and_region_is_told() -> None:
    """Refusals first, then warnings, then notes; the plane is judged by the training cases."""
    found = [("note", "shifted", "It is shifted."), ("warning", "air", "It is mostly air."),
             ("warning", "other-plane", "It is axial.")]  # fmt: skip
    record = {
        "acquisition": {},
        "regions": {},
        "history": {"reader": [{"parameters": {"simulated": True}}]},
        "errors": [{"message": "The mask is empty."}],
        "findings": [{"severity": s, "code": c, "message": m} for s, c, m in found],
    }
    score = score_record(model("plain"), Patient("P1", "a.nrrd", "b.nrrd"), record, None)
    told = [(flag.severity, flag.code, flag.message) for flag in score.flags]
    assert told[0] == ("refuse", "not-measured", "The mask is empty.")
    assert ("warning", "air", "It is mostly air.") in told
    assert ("note", "shifted", "It is shifted.") in told
    assert [severity for severity, *_ in told] == sorted(
        (severity for severity, *_ in told), key=["refuse", "warning", "note"].index
    )
    assert "other-plane" not in {code for _, code, _ in told}
    assert score.simulated
    assert score.score is None
