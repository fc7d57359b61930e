"""Morphometry from files, its table, and its picture."""

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from matplotlib.backends.backend_agg import FigureCanvasAgg
from typer.testing import CliRunner

from centrum.cli import app
from centrum.cohort.phantom import NOTICE
from centrum.errors import CentrumError, DataError, ProtocolError
from centrum.io.nrrd import SIMULATED_KEY
from centrum.morphometry import Exam, measure_exam
from centrum.records import as_json
from centrum.report.figures.morphometry import draw_morphometry
from centrum.report.style import save_figure
from centrum.volume import Mask
from tests.io.drawing import drawn, structure_set, written
from tests.morphometry.shapes import vertebral_body


def spine(names: tuple[str, ...], heights: tuple[float, ...]) -> list[Mask]:
    """Bodies from head to foot, 36 mm apart, on one grid."""
    masks = []
    for k, (name, height) in enumerate(zip(names, heights, strict=True)):
        one = vertebral_body(lambda x, h=height: np.full_like(x, h / 2), name=name)
        shift = round(36 * k / one.geometry.spacing[1])
        size = (one.geometry.size[0], one.geometry.size[1] + 130, one.geometry.size[2])
        grid = one.geometry.crop((0, 0, 0), size)
        array = np.zeros(grid.shape, dtype=bool)
        array[:, shift : shift + one.array.shape[1]] = one.array
        masks.append(Mask(array, grid, name))
    return masks


def write(
    path: Path, masks: list[Mask], labels: tuple[int, ...], keys: dict[str, str] | None = None
) -> Path:
    """A label image; the keys of a .seg.nrrd name its segments."""
    array = np.zeros(masks[0].array.shape, dtype=np.uint8)
    for mask, label in zip(masks, labels, strict=True):
        array[mask.array] = label
    image, grid = sitk.GetImageFromArray(array), masks[0].geometry
    image.SetSpacing(grid.spacing)
    image.SetOrigin(grid.origin)
    image.SetDirection(grid.direction)
    if path.suffix == ".nrrd":
        for key, value in (keys or {}).items():
            image.SetMetaData(key, value)
        for k, (mask, label) in enumerate(zip(masks, labels, strict=True)):
            image.SetMetaData(f"Segment{k}_Name", mask.name)
            image.SetMetaData(f"Segment{k}_LabelValue", str(label))
    sitk.WriteImage(image, str(path))
    return path


@pytest.fixture(scope="module")
def exam(tmp_path_factory: pytest.TempPathFactory) -> Exam:
    masks = spine(("T12", "L1", "L2"), (27, 0, 27))
    path = write(tmp_path_factory.mktemp("exam") / "s.seg.nrrd", masks, (1, 2, 3))
    return measure_exam(path)


def test_bodies_of_a_file_of_slicer(exam: Exam) -> None:
    assert [body.title for body, _ in exam.bodies] == ["T12", "L1", "L2"]
    (_, crushed) = exam.bodies[1]
    assert (crushed.grade, crushed.kind, crushed.reference) == (3, "crush", "neighbours T12, L2")
    assert [record["genant"]["grade"] for record in as_json(exam)] == [0, 3, 0]


def test_numbers_are_read_by_the_scheme_that_is_named(tmp_path: Path) -> None:
    masks = spine(("T12", "L1", "L2"), (27, 26, 27))
    path = write(tmp_path / "labels.nii.gz", masks, (19, 20, 21))
    found = measure_exam(path, labels="verse")
    assert [body.title for body, _ in found.bodies] == ["T12", "L1", "L2"]
    assert "they are taken as bodies" in found.notes[0]
    with pytest.raises(DataError, match="would fit verse or spineps") as caught:
        measure_exam(path)
    assert caught.value.code == "level-needs-scheme"
    with pytest.raises(DataError, match="C6 lies above C5") as caught:
        measure_exam(path, labels="totalsegmentator-vertebrae-mr")
    assert "These numbers fit verse" in caught.value.remedy
    with pytest.raises(DataError, match="'L1' is L1 by its label, and T12 is given"):
        measure_exam(f"{path}#20", labels="verse", level="T12")
    one = measure_exam(f"{path}#20", labels="verse")
    assert ([body.title for body, _ in one.bodies], one.notes) == (["L1"], ())


def test_the_sacrum_is_never_graded(tmp_path: Path) -> None:
    """Numbers of TotalSegmentator's vertebrae_mr from T12 to the sacrum."""
    masks = spine(("L4", "L5", "S"), (27, 26, 27))
    path = write(tmp_path / "labels.nii.gz", masks, (3, 2, 1))
    found = measure_exam(path, labels="totalsegmentator-vertebrae-mr")
    assert [body.title for body, _ in found.bodies] == ["L4", "L5"]
    assert found.notes[0] == "left out, no vertebrae: sacrum"
    with pytest.raises(DataError, match="segments named as vertebrae"):
        measure_exam(f"{path}#1", labels="totalsegmentator-vertebrae-mr")
    named = write(tmp_path / "s.seg.nrrd", spine(("sacrum",), (27,)), (1,))
    with pytest.raises(DataError, match="segments named as vertebrae"):
        measure_exam(named)


def test_cervical_names_on_lumbar_bodies_are_refused(tmp_path: Path) -> None:
    """What SPINEPS without a labelling model writes of a lumbar exam."""
    path = write(tmp_path / "labels.nii.gz", spine(("1", "2", "3"), (27, 26, 27)), (3, 4, 5))
    with pytest.raises(DataError, match="C3 to C5 would") as caught:
        measure_exam(path, labels="spineps")
    assert "the numbers count from the top of the image" in caught.value.remedy
    named = write(tmp_path / "s.seg.nrrd", spine(("C3", "C4", "C5"), (27, 26, 27)), (1, 2, 3))
    with pytest.raises(DataError, match="C3 to C5 would"):
        measure_exam(named)


def test_whole_vertebrae_have_no_heights(tmp_path: Path) -> None:
    (body,) = spine(("L1",), (27,))
    spinous = np.zeros_like(body.array)
    z, y, x = (int(k.mean()) for k in np.nonzero(body.array))
    spinous[z, y - 3 : y + 3, x:] = True
    whole = Mask(body.array | spinous, body.geometry, "L1")
    path = write(tmp_path / "labels.nii.gz", [whole], (20,))
    alone = write(tmp_path / "body.nii.gz", [body], (20,))
    assert measure_exam(alone, labels="verse").bodies[0][0].title == "L1"
    with pytest.raises(DataError, match="further back than any vertebral body"):
        measure_exam(path, labels="verse")


def test_other_segments_are_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "s.seg.nrrd", spine(("L1", "disc"), (27, 10)), (1, 2))
    found = measure_exam(path)
    assert (list(found.masks), found.notes) == (["L1"], ("left out, no vertebrae: disc",))
    with pytest.raises(DataError, match="segments named as vertebrae"):
        measure_exam(write(tmp_path / "t.seg.nrrd", spine(("CSF", "disc"), (27, 10)), (1, 2)))


def test_one_region_takes_its_level_from_the_user(tmp_path: Path) -> None:
    path = write(tmp_path / "roi.nii.gz", spine(("L1",), (27,)), (1,))
    assert measure_exam(path).bodies[0][0].level is None
    found = measure_exam(path, path, level="LWK 1")
    assert found.bodies[0][1].reference == "healthy L1 of the same depth"
    several = write(tmp_path / "s.seg.nrrd", spine(("L1", "L2"), (27, 27)), (1, 2))
    with pytest.raises(DataError, match="level is given for one body, but there are 2"):
        measure_exam(several, level="L1")


def test_names_against_the_order_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "s.seg.nrrd", spine(("L2", "L1"), (27, 27)), (1, 2))
    with pytest.raises(DataError, match="L2 lies above L1"):
        measure_exam(path)


def test_the_command_prints_a_table_json_and_a_picture(tmp_path: Path) -> None:
    path = str(write(tmp_path / "s.seg.nrrd", spine(("T12", "L1", "L2"), (27, 8, 27)), (1, 2, 3)))
    picture = tmp_path / "out.png"
    shown = CliRunner().invoke(app, ["morphometry", path, "--figure", str(picture)])
    assert shown.exit_code == 0, shown.output
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "L1: against neighbours T12, L2" in shown.output
    assert [line.split()[0] for line in shown.output.splitlines()[2:5]] == ["T12", "L1", "L2"]
    records = json.loads(CliRunner().invoke(app, ["morphometry", path, "--json"]).output)
    assert records[1]["level"] == "L1"
    assert records[1]["genant"]["kind"] == "crush"
    named = CliRunner().invoke(app, ["morphometry", path, "--fractured", "L2"])
    assert "L1: against neighbours T12\n" in named.output
    failed = CliRunner().invoke(app, ["morphometry", path, "--figure", str(tmp_path / "a.gif")])
    assert isinstance(failed.exception, ProtocolError)


def test_a_body_that_cannot_be_measured_stops_no_other(tmp_path: Path) -> None:
    """Two voxels of L1 are none; T12 and L2 are still each other's neighbours."""
    masks = spine(("T12", "L1", "L2"), (27, 27, 14))
    z, y, x = (int(k.mean()) for k in np.nonzero(masks[1].array))
    masks[1].array[:] = False
    masks[1].array[z, y, x : x + 2] = True
    path = write(tmp_path / "s.seg.nrrd", masks, (1, 2, 3))
    shown = CliRunner().invoke(app, ["morphometry", str(path), "--fractured", "L1"])
    assert shown.exit_code == 1
    assert [line.split()[0] for line in shown.stdout.splitlines()[2:4]] == ["T12", "L2"]
    assert "L2: against neighbours T12" in shown.stdout
    assert shown.stderr.startswith("L1 is not measured: ")
    told = CliRunner().invoke(app, ["morphometry", str(path), "--json"])
    assert told.exit_code == 1
    records = json.loads(told.stdout)
    assert [record["name"] for record in records] == ["T12", "L2", "L1"]
    assert records[2].keys() == {"name", "error"}
    picture = tmp_path / "out.svg"
    CliRunner().invoke(app, ["morphometry", str(path), "--figure", str(picture)])
    assert picture.exists()
    alone = CliRunner().invoke(app, ["morphometry", f"{path}#L1"])
    assert isinstance(alone.exception, DataError)
    with pytest.raises(DataError, match="one body, but there are 3"):
        measure_exam(path, level="L1")


def test_a_region_that_cannot_be_filled_stops_no_other(tmp_path: Path) -> None:
    """Contours between two slices; and others that are no body, and are not looked at."""
    masks = spine(("T12", "L1", "L2"), (27, 27, 27))
    image = write(tmp_path / "image.nrrd", masks, (1, 2, 3))
    regions = [(k, mask.name, drawn(mask.array, mask.geometry)) for k, mask in enumerate(masks, 1)]
    header = structure_set([*regions, (4, "entry", [np.zeros((1, 3))])])
    for contour in header.ROIContourSequence[1].ContourSequence:
        contour.ContourData = [str(mm + 1.5) for mm in np.array(contour.ContourData, float)]
    path = tmp_path / "s.dcm"
    path.write_bytes(written(header))
    found = measure_exam(path, image)
    assert [body.name for body, _ in found.bodies] == ["T12", "L2"]
    assert list(found.masks) == ["T12", "L2"]
    ((name, why),) = found.failures
    assert name == "L1"
    assert "1.5" in why
    assert found.notes == ("left out, no level with a body: entry",)
    for part, level in (("#L1", None), ("#L1", "L1"), ("#entry", None)):
        with pytest.raises(CentrumError) as caught:
            measure_exam(f"{path}{part}", image, level=level)
        assert caught.value.code == "between-slices"


def test_texts_of_the_picture_are_apart_and_inside(exam: Exam) -> None:
    figure = draw_morphometry(exam.image, exam.masks, exam.bodies, "Simulated patients.")
    FigureCanvasAgg(figure).draw()
    texts = [t for t in figure.findobj(lambda o: hasattr(o, "get_fontsize")) if t.get_text()]
    boxes = {t.get_text(): t.get_window_extent() for t in texts if t.get_visible()}
    width, height = figure.bbox.size
    for text, box in boxes.items():
        assert box.x0 > 0, text
        assert box.y0 > -1, text
        assert box.x1 < width, text
        assert box.y1 < height, text
    for (a, one), (b, other) in combinations(boxes.items(), 2):
        assert not one.padded(-1.5).overlaps(other), f"{a!r} lies on {b!r}"
    assert "Simulated patients." in " ".join(" ".join(boxes).split())


def test_a_picture_is_png_or_svg(exam: Exam, tmp_path: Path) -> None:
    figure = draw_morphometry(exam.image, exam.masks, exam.bodies)
    save_figure(figure, tmp_path / "a.svg")
    assert b"<svg" in (tmp_path / "a.svg").read_bytes()
    with pytest.raises(CentrumError, match=r"\.png or \.svg"):
        save_figure(figure, tmp_path / "a.pdf")


def test_simulated_bodies_are_marked_wherever_they_are_shown(tmp_path: Path) -> None:
    masks = spine(("L1", "L2"), (27, 27))
    keys = {SIMULATED_KEY: "a phantom"}
    path = write(tmp_path / "phantom.seg.nrrd", masks, (1, 2), keys)
    page = tmp_path / "heights.svg"
    told = CliRunner().invoke(app, ["morphometry", str(path), "--figure", str(page)])
    assert told.stdout.splitlines()[0] == NOTICE
    records = json.loads(CliRunner().invoke(app, ["morphometry", str(path), "--json"]).stdout)
    assert all(record["simulated"] for record in records)
    found = measure_exam(path)
    marked = draw_morphometry(found.image, found.masks, found.bodies, NOTICE)
    save_figure(marked, tmp_path / "marked.svg")
    assert page.read_bytes() == (tmp_path / "marked.svg").read_bytes()
    real = write(tmp_path / "real.seg.nrrd", masks, (1, 2))
    assert not measure_exam(real).simulated
