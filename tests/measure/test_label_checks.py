"""The label of a case's mask: its level, its kind, and the map that it is of."""

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from centrum.cli import app
from centrum.cohort.levels import Level
from centrum.commands import begin
from centrum.commands.check import check_cases
from centrum.errors import DataError, ProtocolError
from centrum.geometry import Geometry
from centrum.io import read_image, read_mask, read_masks
from centrum.measure import label_checks
from centrum.measure.label_checks import check_label
from centrum.protocol import Images, parse_protocol
from centrum.protocol.limits import outside_the_region
from centrum.provenance import Step
from centrum.study.study import open_study
from tests.cohort.label_maps import blocks, noise, write
from tests.cohort.test_label_map import total_named

SPINEPS = [19, 20, 21]


def check(
    path: Path,
    part: str,
    level: str = "",
    region: str | None = None,
    labels: str | None = "spineps",
) -> list[str]:
    source = f"{path}#{part}" if part else str(path)
    mask = read_mask(source, read_image(path).geometry)
    images = Images.model_validate({"labels": labels, "region": region})
    found = check_label(mask, source, Level.parse(level) if level else None, images)
    return [finding.code for finding in found]


def refused(*arguments: str | Path | None) -> str:
    with pytest.raises(DataError) as caught:
        check(*arguments)  # type: ignore[arg-type]
    assert caught.value.remedy
    assert caught.value.file
    return caught.value.code


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    return write(tmp_path / "labels.nii.gz", blocks(SPINEPS, {0: 119}))


def test_a_label_that_contradicts_the_level(labels: Path, tmp_path: Path) -> None:
    assert check(labels, "20", "L1", "whole_vertebra") == []
    assert refused(labels, "20", "T12", "whole_vertebra") == "level-contradicts-label"
    assert check(labels, "20", "T12", None, None) == []  # without a scheme 20 says nothing
    named = blocks([1, 2])
    for k, name in enumerate(("T12", "L1")):
        named.SetMetaData(f"Segment{k}_Name", name)
        named.SetMetaData(f"Segment{k}_LabelValue", str(k + 1))
    path = write(tmp_path / "named.seg.nrrd", named)
    assert check(path, "T12", "T12", None, None) == []
    assert refused(path, "T12", "L1", None, None) == "level-contradicts-label"
    assert refused(path, "1", "L1", None, None) == "level-contradicts-label"


def test_sizes_of_another_part_of_the_spine(tmp_path: Path) -> None:
    """They refuse numbers that another scheme would fit; else somebody may have counted so."""
    upper = write(tmp_path / "t.nii.gz", blocks([21, 22, 23, 24], scale=1.8))
    sized = (upper, "22", "T2", "vertebral_body", "totalspineseg")
    assert refused(*sized) == "levels-contradict-anatomy"  # L2 to L5 in VerSe
    lumbar = blocks([3, 4, 5, 6], scale=1.8)
    numbered = write(tmp_path / "a.nii.gz", lumbar)
    assert "unusual-size" in check(numbered, "4", "C4", "whole_vertebra")
    for k, number in enumerate((3, 4, 5, 6)):
        lumbar.SetMetaData(f"Segment{k}_Name", f"C{number}")
        lumbar.SetMetaData(f"Segment{k}_LabelValue", str(number))
    named = write(tmp_path / "named.seg.nrrd", lumbar)
    for scheme in (None, "spineps"):
        assert "unusual-size" in check(named, "C4", "C4", labels=scheme)


@pytest.mark.parametrize("file", ["seg.dcm", "rtstruct.dcm"])
def test_bodies_of_the_reference_are_measured_with_a_warning(reference: Path, file: str) -> None:
    """Three bodies called C5 to C7 of 8, 37 and 32 mL."""
    folder = reference / "dicom" / "derived_tptbox_sagittal_t2"
    image = read_image(folder / "mr")
    for segment in read_masks(folder / file, image):
        found = check_label(segment, f"{folder / file}#{segment.name}", None, Images())
        assert "unusual-size" in [finding.code for finding in found]


def test_a_label_that_is_no_vertebra(labels: Path) -> None:
    with pytest.raises(DataError, match=r"the label 119 is disc T12 in spineps") as caught:
        check(labels, "119")
    assert caught.value.code == "label-no-vertebra"
    unknown = write(labels.with_name("b.nii.gz"), blocks([250]))
    with pytest.raises(DataError, match=r"the label 250 is unknown in spineps, no vertebra"):
        check(unknown, "250")


def test_a_whole_vertebra_is_refused_until_it_is_said(labels: Path) -> None:
    assert refused(labels, "20", "L1") == "whole-vertebra"
    assert check(labels, "20", "L1", "whole_vertebra") == []
    assert check(labels, "20", "L1", "vertebral_body") == []


def test_whole_vertebrae_by_the_table_of_the_file(tmp_path: Path) -> None:
    """It needs no scheme, and has the last word where another is named."""
    path = total_named(tmp_path / "a.nii", [30, 29])
    for labels in (None, "verse"):
        assert refused(path, "vertebrae_L2", "L2", None, labels) == "whole-vertebra"
        assert check(path, "vertebrae_L2", "L2", "whole_vertebra", labels) == []
        assert refused(path, "30", "L1", "whole_vertebra", labels) == "level-contradicts-label"


def test_a_region_that_no_body_is_deep_enough_for(tmp_path: Path) -> None:
    path = write(tmp_path / "labels.nii.gz", blocks(SPINEPS, deep=75))
    assert check(path, "20", "L1", None, None) == ["deeper-than-a-body"]
    assert check(path, "20", "L1", "whole_vertebra", None) == []
    assert refused(path, "20", "L1", "vertebral_body") == "whole-vertebra"


def test_how_deep_a_body_is_goes_by_its_part_of_the_spine(tmp_path: Path) -> None:
    """By the level of the case, where the mask names none."""
    path = write(tmp_path / "roi.nii.gz", blocks([1], deep=50))
    assert check(path, "", "C4", None, None) == ["deeper-than-a-body"]
    assert check(path, "", "L4", None, None) == []


def test_a_region_that_was_proposed_says_from_what(labels: Path) -> None:
    for origin, code in {
        "proposal:spider": "proposal:spider",
        "proposal:unheard-of": "proposal:unknown",
    }.items():
        mask = read_mask(f"{labels}#20", read_image(labels).geometry)
        made = replace(mask, history=(*mask.history, Step("read", {"proposal": origin})))
        found = check_label(made, str(labels), None, Images(region="whole_vertebra"))
        assert [finding.code for finding in found] == [code]


def test_a_map_whose_levels_contradict_the_anatomy(tmp_path: Path) -> None:
    path = write(tmp_path / "labels.nii.gz", blocks([4, 3, 2]))
    for region in (None, "whole_vertebra"):
        assert refused(path, "3", "C3", region, "verse") == "levels-contradict-anatomy"


def test_a_mask_of_one_region_says_no_level(tmp_path: Path) -> None:
    for number in (1, 255):
        path = write(tmp_path / "roi.nii.gz", blocks([number]))
        assert check(path, "", "L3", None, "verse") == []
    path = write(tmp_path / "roi.nii.gz", blocks([20]))
    assert refused(path, "", "L3", None, "verse") == "level-contradicts-label"


def exams(folder: Path, numbers: list[int]) -> Path:
    for seed, name in enumerate("abcd"):
        write(folder / f"images/{name}.nii.gz", noise(blocks(numbers), seed))
        write(folder / f"masks/{name}_R1.nii.gz", blocks(numbers))
    return folder


def fill(study: Path) -> None:
    """Outcomes by patient."""
    path = study / "cases.csv"
    head, *rows = path.read_text().splitlines()
    place = head.split(",").index("outcome")
    for k, row in enumerate(rows):
        cells = row.split(",")
        cells[place] = "malignant" if cells[1] in "ab" else "osteoporotic"
        rows[k] = ",".join(cells)
    path.write_text("\n".join([head, *rows, ""]))


def test_from_init_to_check_with_labels_and_region_as_arguments(tmp_path: Path) -> None:
    exams(tmp_path / "d", SPINEPS)
    study = tmp_path / "study"
    words = ["init", str(tmp_path / "d"), str(study), "--labels", "spineps"]
    told = CliRunner().invoke(app, [*words, "--dry-run"])
    assert "numbers whole vertebrae" in told.output
    assert "images.region: whole_vertebra" in told.output
    told = CliRunner().invoke(app, [*words, "--region", "whole_vertebra"])
    assert told.exit_code == 0
    assert "numbers whole vertebrae" not in told.output
    images = parse_protocol((study / "study.yaml").read_text(), "study.yaml").images
    assert (images.labels, images.region) == ("spineps", "whole_vertebra")
    fill(study)
    failures, _ = check_cases(open_study(study))
    assert failures == ()
    opened = open_study(study)
    assert [str(case.level) for case in opened.cohort.cases[:3]] == ["T12", "L1", "L2"]


def test_a_contradiction_is_that_of_its_cases(tmp_path: Path) -> None:
    exams(tmp_path / "d", SPINEPS)
    begin.init(tmp_path / "d", tmp_path / "d", labels="verse", region="vertebral_body")
    fill(tmp_path / "d")
    write(tmp_path / "d/masks/b_R1.nii.gz", blocks(SPINEPS[::-1]))
    failures, _ = check_cases(open_study(tmp_path / "d"))
    assert {failure.case for failure in failures} == {"b_T12", "b_L1", "b_L2"}
    assert {failure.code for failure in failures} == {"levels-contradict-anatomy"}
    assert "totalsegmentator-v1" in failures[0].remedy


def test_the_region_and_the_scheme_decide_what_is_kept(tmp_path: Path) -> None:
    exams(tmp_path, SPINEPS)
    begin.init(tmp_path, tmp_path, labels="verse", region="whole_vertebra")
    fill(tmp_path)
    before = open_study(tmp_path).jobs()[0].key()
    text = (tmp_path / "study.yaml").read_text().replace(", region: whole_vertebra", "")
    (tmp_path / "study.yaml").write_text(text)
    assert open_study(tmp_path).jobs()[0].key() != before
    failures, _ = check_cases(open_study(tmp_path))
    assert {failure.code for failure in failures} == {"whole-vertebra"}
    assert len(failures) == 12


def test_a_protocol_that_was_there_is_not_changed_in_silence(tmp_path: Path) -> None:
    exams(tmp_path, SPINEPS)
    (tmp_path / "study.yaml").write_text("preset: vcf-t2w\n")
    lines = begin.init(tmp_path, tmp_path, labels="verse", region="whole_vertebra")
    assert lines[-1] == (
        "study.yaml was there and stays: see that it says images.labels: verse, "
        "images.region: whole_vertebra"
    )
    with pytest.raises(ProtocolError, match=r"images\.region"):
        begin.init(tmp_path, tmp_path / "new", region="bones")
    with pytest.raises(ProtocolError, match="name no levels"):
        begin.init(tmp_path, tmp_path / "new", labels="spineps-spine")


def test_what_lies_outside_the_region_is_told_of_each() -> None:
    body, whole = outside_the_region(None), outside_the_region("whole_vertebra")
    assert body == outside_the_region("vertebral_body")
    assert "pedicle" in body
    assert "pedicle" not in whole
    assert "posterior elements included" in whole


def test_orientation_is_that_of_the_patient_not_of_the_file(tmp_path: Path) -> None:
    """The same blocks stored from foot to head."""
    image = blocks(SPINEPS)
    flipped = image[:, ::-1, :]
    assert flipped.GetDirection() != image.GetDirection()
    path = write(tmp_path / "labels.nii.gz", flipped)
    assert check(path, "20", "L1", "whole_vertebra") == []


@pytest.mark.parametrize("change", ["file", "labels", "orientation", "grid"])
def test_what_is_doubtful_about_a_label_map_goes_by_the_map_and_its_scheme(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    made = []
    monkeypatch.setattr(label_checks, "read_label_map", lambda *read: made.append(read) or NoDoubt)
    path = write(tmp_path / "labels.nii.gz", blocks(SPINEPS))
    settings, store = Images(labels="verse"), tmp_path / "store"
    grid = Geometry((4, 4, 4), (1, 1, 1))
    label_checks._looked_at(path, settings, store, grid)
    label_checks._looked_at(path, settings, store, grid)
    assert len(made) == 1
    if change == "file":
        write(path, blocks(SPINEPS[1:]))
    elif change == "grid":
        grid = Geometry((4, 4, 4), (1, 1, 2))
    else:
        other = {"labels": "spineps", "orientation": "PIR"}[change]
        settings = settings.model_copy(update={change: other})
    label_checks._looked_at(path, settings, store, grid)
    assert len(made) == 2


class NoDoubt:
    """A label map with nothing odd in it."""

    tabled = False

    @staticmethod
    def doubt() -> dict[str, str]:
        return {}

    @staticmethod
    def unusual_size() -> str:
        return ""
