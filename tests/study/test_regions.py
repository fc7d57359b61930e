"""Several regions of a case: measured, compared, perturbed, modelled and scored as the first is."""

import json
import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
import yaml
from matplotlib.colors import to_rgba
from typer.testing import CliRunner

from centrum.cli import app
from centrum.cohort import read_manifest
from centrum.commands import score as scoring, study as verbs
from centrum.commands.check import check_study
from centrum.commands.maps import map_case
from centrum.errors import CentrumError, ManifestError, ProtocolError
from centrum.features.settings import ExtractionSettings
from centrum.frozen.score import needed, score_and_see
from centrum.io import read_image, read_mask
from centrum.measure.maps import case_maps
from centrum.measure.regions import plan_regions, regions_read, with_ratios
from centrum.protocol.limits import outside_the_region
from centrum.report.overlay import region_view
from centrum.report.sheet import draw_sheet
from centrum.study.study import Study, open_study
from tests.studies import PROTOCOL, READERS, make_study, read_rows, write_rows

RATIO = {"to": "muscle"}


def written(folder: Path, *ratios: dict[str, Any], **changes: object) -> Path:
    """A study whose cases have a second region: the body's, grown and moved, of half the values."""
    make_study(folder)
    rows = []
    for row in read_rows(folder):
        for reader in READERS:
            mask = sitk.ReadImage(folder / row[f"mask:{reader}"])
            array = np.roll(sitk.GetArrayFromImage(mask), (1, 2), axis=(1, 2))
            name = f"masks/{row['case']}_{reader}_muscle.nrrd"
            moved = sitk.GetImageFromArray(array)
            moved.CopyInformation(mask)
            sitk.WriteImage(moved, folder / name)
            row[f"mask:{reader}:muscle"] = name
        rows.append(row)
    write_rows(folder, rows)
    own = yaml.safe_load(PROTOCOL)
    own["extraction"] |= {"families": ["morphology", "statistics"], "ratios": list(ratios)}
    own["model"] |= {"select": {"method": "none"}, "rfe": {"estimator": "none"}, "n_features": None}
    (folder / "study.yaml").write_text(yaml.safe_dump(own | changes))
    return folder


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fitted and frozen; not to be changed."""
    folder = written(tmp_path_factory.mktemp("regions") / "study", RATIO)
    opened = open_study(folder)
    verbs.extract(opened)
    verbs.fit(opened)
    verbs.evaluate(opened)
    verbs.freeze(opened)
    return folder


@pytest.fixture(scope="module")
def alone(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same cases, the second region's masks of which are the first's; extracted."""
    folder = tmp_path_factory.mktemp("alone") / "study"
    make_study(folder)
    rows = [
        row | {f"mask:{r}": str(study / f"masks/{row['case']}_{r}_muscle.nrrd") for r in READERS}
        for row in read_rows(folder)
    ]
    write_rows(folder, rows)
    own = yaml.safe_load((study / "study.yaml").read_text())
    own["extraction"] |= {"ratios": []}
    (folder / "study.yaml").write_text(yaml.safe_dump(own))
    verbs.extract(open_study(folder))
    return folder


def table_of(folder: Path) -> Any:
    return verbs.load_extraction(open_study(folder)).table


def test_a_region_is_measured_as_if_it_were_the_only_one(study: Path, alone: Path) -> None:
    found, other = table_of(study), table_of(alone)
    own = [k for k, feature in enumerate(found.features) if feature.region == "muscle"]
    assert [found.names[k].removeprefix("muscle_") for k in own] == list(other.names)
    np.testing.assert_array_equal(found.values[:, own], other.values)
    first = [k for k, feature in enumerate(found.features) if not feature.region]
    assert (found.values[:, first] != other.values).any()


def test_ratios_are_of_the_same_feature(study: Path) -> None:
    frame = pd.read_csv(study / "results" / "features.csv")
    for name in ("mean", "median", "minimum"):
        feature = f"original_statistics_{name}"
        np.testing.assert_allclose(
            frame[f"body-per-muscle_{feature}"], frame[feature] / frame[f"muscle_{feature}"],
            rtol=1e-15,
        )  # fmt: skip
    assert "body-per-muscle_original_morphology_volume_mesh" not in frame


def test_agreement_is_told_of_every_region(study: Path, alone: Path) -> None:
    agreed = verbs.agree(open_study(study))
    other = verbs.agree(open_study(alone))
    own = agreed.loc[[f"muscle_{name}" for name in other.index]]
    np.testing.assert_array_equal(own["icc"], other["icc"])
    overlap = verbs.load_extraction(open_study(study)).overlap_of("muscle")
    expected = verbs.load_extraction(open_study(alone)).overlap_of("")
    assert overlap["dice"].tolist() == expected["dice"].tolist()
    assert len(verbs.load_extraction(open_study(study)).overlap_of("")) == 30


def test_perturbing_reaches_every_region(study: Path, tmp_path: Path) -> None:
    """What is in the perturbed layer of a region is of that region, and ratios are of both."""
    folder = written(tmp_path / "study", RATIO, robustness={"repeats": 2, "kinds": ["noise"]})
    opened = open_study(folder)
    verbs.extract(opened)
    verbs.perturb(opened)
    table = verbs.load_table(opened, perturbed=True)
    feature = "original_statistics_mean"
    at = [table.names.index(f"{region}{feature}") for region in ("", "muscle_", "body-per-muscle_")]
    body, muscle, ratio = (table.perturbed[:, k, 1] for k in at)
    np.testing.assert_allclose(ratio, body / muscle, rtol=1e-15)
    np.testing.assert_allclose(body, table.values[:, at[0], 0], rtol=0.05)
    assert (body != muscle).all()
    assert (body != table.values[:, at[0], 0]).all()


def test_regions_are_sources_that_are_ablated(study: Path) -> None:
    from centrum.validation.matrix import image_sources, study_matrix

    opened = open_study(study)
    table = table_of(study)
    sources = study_matrix(table, opened.protocol).sources
    assert {"body", "muscle", "body-per-muscle"} <= sources.keys()
    assert "radiomics" not in sources, "beside other regions the first one has a name"
    last = (table.features[0], replace(table.features[0], sequence="deep"))
    other = replace(table.of_features([k < 2 for k in range(len(table.features))]), features=last)
    assert image_sources(replace(other, elsewhere=("deep",))) == ["radiomics", "deep"]
    muscle = replace(other, features=(replace(last[0], region="muscle"), last[1]))
    assert image_sources(replace(muscle, elsewhere=("deep",))) == ["muscle", "deep"]
    assert image_sources(muscle) == ["muscle", "body deep"]


def test_the_picture_of_a_case_shows_every_region(study: Path) -> None:
    """By the first reader, in colours and with names of their own; nothing where none was drawn."""
    from centrum.report.figures import draw_rois
    from centrum.report.sections.regions import _panel
    from centrum.report.slices import Shown

    opened = open_study(study)
    jobs = {job.case: job for job in opened.jobs()}
    results = SimpleNamespace(
        sources={case: (job.image, job.masks) for case, job in jobs.items()},
        protocol=opened.protocol, table=table_of(study), jobs=jobs, regions_in_score=("muscle",),
        overlap=pd.DataFrame(),
    )  # fmt: skip
    shown = Shown(next(iter(jobs)), "malignant", 0.5, "typical")
    panel = _panel(results, shown)
    (first, second), (muscle,) = panel.masks.values(), panel.regions.values()
    assert (*panel.masks,) == READERS
    assert muscle.any()
    assert (muscle != first).any()
    assert (muscle != second).any()
    results.jobs = {}
    without = _panel(results, shown)
    assert not without.regions["muscle"].any()
    figure = draw_rois([without, panel])
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == [*READERS, "region muscle"]
    *of_readers, of_muscle = (line.get_color() for line in figure.legends[0].get_lines())
    drawn = [tuple(c.get_edgecolor()[0]) for c in figure.axes[1].collections]
    assert drawn == [to_rgba(colour) for colour in (of_muscle, *of_readers)]
    assert len({of_muscle, *of_readers}) == 3
    assert len(figure.axes[0].collections) == 2


def test_a_frozen_model_scores_all_its_regions(study: Path, tmp_path: Path) -> None:
    model = scoring.read_model(study / "results" / "model.json")
    assert {f.region for f in model.features if f is not None} & {"muscle", "body-per-muscle"}
    found = scoring.score_cohort(model, scoring.read_new_cases(study, model), tmp_path)
    scores = pd.read_csv(study / "results" / "scores.csv", index_col="case")["score"]
    np.testing.assert_allclose([s.score for s in found], scores, rtol=0, atol=1e-12)


def test_all_regions_of_a_scored_patient_are_drawn(study: Path, tmp_path: Path) -> None:
    """On every slice of the page that holds one, and named on the printed sheet."""
    model = scoring.read_model(study / "results" / "model.json")
    cases = scoring.read_new_cases(study, model)
    patient = scoring.patients_of(model, cases)[2]
    _, page = scoring.score_one(model, patient, tmp_path)
    text = page.read_text()
    slices = text.split('<div class="slice">')[1:]
    masks = [read_mask(patient.mask, image := read_image(patient.image)).array,
             read_mask(patient.regions["muscle"], image).array]  # fmt: skip
    held = [[bool(mask[:, :, k].any()) for mask in masks] for k in range(masks[0].shape[2])]
    assert [s.count("<path") for s in slices] == [sum(each) for each in held if any(each)]
    assert re.search(r"</span>vertebral body</span>; .*</span>muscle \(dashed\)</span>\. All", text)
    score, seen = score_and_see(model, patient)
    view = region_view(seen.volume, seen.mask, seen.regions).view
    assert [*view.masks] == ["ROI", "muscle"]
    told = [t.get_text() for t in draw_sheet(model, score, view).texts]
    assert {"vertebral body", "muscle"} <= set(told)
    elsewhere = view.masks | {"muscle": np.zeros_like(view.masks["muscle"])}
    told = [t.get_text() for t in draw_sheet(model, score, replace(view, masks=elsewhere)).texts]
    assert "muscle (not on this slice)" in told


@pytest.fixture
def without_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures of maps are not saved."""
    monkeypatch.setattr("centrum.commands.maps.save_figure", lambda *_: None)


@pytest.mark.usefixtures("without_pictures")
def test_a_map_is_drawn_over_the_region_that_is_asked_for(study: Path, tmp_path: Path) -> None:
    """As if it were the only one; a feature that is named lies over the region that it is of."""
    opened, mean = open_study(study), "original_statistics_mean"
    job = next(job for job in opened.jobs() if job.case == "P003")
    plain = next(f for f in opened.features if f.spell("ibsi") == mean)
    alone = {
        region: case_maps(
            replace(job, masks={"senior": source}, regions={}, region_names=()), [plain], 5
        )[0].volume
        for region, source in (("", job.masks["senior"]), ("muscle", job.regions["senior:muscle"]))
    }

    def mapped(*names: str, **asked: Any) -> dict[str, Any]:
        found = map_case(opened, "P003", tmp_path, names, window_mm=5, **asked)
        return {each.feature: each for each in found}

    for found in (
        mapped(mean, region="muscle"),
        mapped(f"muscle_{mean}", region="muscle"),
        both := mapped(mean, f"muscle_{mean}"),
    ):
        written = read_image(found[f"muscle_{mean}"].image)
        np.testing.assert_array_equal(written.array, alone["muscle"].array.astype(np.float32))
        assert written.geometry.same_grid(alone["muscle"].geometry)
    assert [*both] == [mean, f"muscle_{mean}"]
    for first in (both, mapped(mean, region="body")):
        np.testing.assert_array_equal(
            read_image(first[mean].image).array, alone[""].array.astype(np.float32)
        )
    assert {*mapped(region="muscle")} <= {n for n in table_of(study).names if "muscle_" in n[:7]}
    assert not any("muscle" in name for name in mapped())


def test_a_region_that_is_not_there_is_not_mapped(study: Path, tmp_path: Path) -> None:
    opened, ratio = open_study(study), "body-per-muscle_original_statistics_mean"
    for names, asked, told in (
        ((), {"region": "arch"}, "There are body (the first), muscle."),
        (("muscle_original_statistics_mean",), {"region": "body"}, "There is no feature"),
        ((ratio,), {}, "it divides one region by another"),
        ((), {"region": "muscle", "reader": "third"}, "no mask of the region 'muscle' of third"),
    ):
        with pytest.raises(CentrumError) as refused:
            map_case(opened, "P003", tmp_path / "none", names, window_mm=5, **asked)
        assert told in f"{refused.value} {refused.value.remedy}"
    assert not (tmp_path / "none").exists()


@pytest.mark.usefixtures("without_pictures")
def test_a_frozen_model_maps_the_region_whose_mask_is_given(study: Path, tmp_path: Path) -> None:
    words = ["map", study / "results/model.json", "--image", study / "images/P003.nrrd",
             "--mask", study / "masks/P003_senior.nrrd", "--out", tmp_path, "--json"]  # fmt: skip

    def done(*more: object) -> Any:
        return CliRunner().invoke(app, [*map(str, (*words, *more))])

    of_body, of_muscle = done(), done("--region", f"muscle={study}/masks/P003_senior_muscle.nrrd")
    names = [[each["feature"] for each in json.loads(d.stdout)] for d in (of_body, of_muscle)]
    assert not any(name.startswith("muscle") for name in names[0])
    assert all(name.startswith("muscle_") for name in names[1])
    for each in json.loads(of_muscle.stdout):
        (same,) = map_case(open_study(study), "P003", tmp_path, [each["feature"]], window_mm=5)
        assert (same.lowest, same.highest) == (each["lowest"], each["highest"])
    lacking = done("--feature", names[1][0])
    assert "Give it: --region muscle=FILE#SEGMENT" in str(lacking.exception)


def test_one_patient_needs_every_region(study: Path, tmp_path: Path) -> None:
    words = ["score", study / "results/model.json", "--image", study / "images/P002.nrrd",
             "--mask", study / "masks/P002_senior.nrrd", "--known", "age=70", "--known", "sex=F",
             "--out", tmp_path, "--json"]  # fmt: skip
    done = CliRunner().invoke(app, list(map(str, words)))
    assert done.exit_code == 1
    assert "--region muscle=FILE#SEGMENT" in done.stdout
    words += ["--region", f"muscle={study / 'masks/P002_senior_muscle.nrrd'}"]
    done = CliRunner().invoke(app, list(map(str, words)))
    (record,) = json.loads(done.stdout)
    scores = pd.read_csv(study / "results" / "scores.csv", index_col="case")["score"]
    assert record["score"] == pytest.approx(scores["P002"], abs=1e-12)


def test_a_mask_that_changes_is_measured_again(study: Path) -> None:
    job = open_study(study).jobs()[0]
    regions = dict(job.regions)
    changed = replace(job, regions=regions | {"senior:muscle": job.masks["senior"]})
    assert changed.key() != job.key()
    assert replace(job, region_names=()).key() != job.key()


def without(study: Path, folder: Path, case: str, reader: str) -> Study:
    """A study in which a reader has not drawn the second region of a case."""
    written(folder, RATIO)
    rows = read_rows(folder)
    for row in rows:
        if row["case"] == case:
            row[f"mask:{reader}:muscle"] = ""
    write_rows(folder, rows)
    return open_study(folder)


def test_a_region_that_is_missing_is_told_with_its_reader(study: Path, tmp_path: Path) -> None:
    found = verbs.extract(without(study, tmp_path / "study", "P003", "senior"))
    (failure,) = found.failures
    assert (failure.case, failure.code) == ("P003", "no-mask")
    assert "no mask of the region 'muscle' by 'senior'" in failure.message
    assert len(found.table.cases) == 29


def test_the_report_tells_of_every_region(study: Path) -> None:
    _, page = verbs.run(open_study(study))
    text = page.read_text()
    assert "senior – resident, muscle" in text
    assert re.search(r">\s*body-per-muscle\s*<", text), "the ablation has no row of a ratio"
    assert 'and "muscle"' in unescape(text), "the limits do not say which regions were measured"
    assert 'Further regions that the model reads, "muscle", are those of senior.' in unescape(text)
    data = json.loads(re.search(r'id="data-cases">(.*?)</script>', text)[1])
    for case in data["cases"].values():
        ((further,)) = case["picture"]["further"]
        assert further["name"] == "muscle"
        assert further["path"].startswith("M")
        assert further["path"] != case["picture"]["path"]


def test_a_mask_is_of_one_region(study: Path, tmp_path: Path) -> None:
    folder = written(tmp_path / "study")
    rows = read_rows(folder)
    rows[0]["mask:senior:muscle"] = rows[0]["mask:senior"]
    write_rows(folder, rows)
    with pytest.raises(ManifestError, match="the same mask is named more than once"):
        read_manifest(folder / "cases.csv", outcomes=("osteoporotic", "malignant"))


@pytest.mark.parametrize(
    ("ratio", "told"),
    [
        ({"to": "body"}, "to itself is 1"),
        ({"to": "muscle", "families": ["glcm"]}, "no family of these"),
    ],
)
def test_ratios_that_cannot_be(ratio: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        ExtractionSettings(families=("statistics",), ratios=[ratio])


def test_a_ratio_of_a_region_that_is_not_there() -> None:
    settings = ExtractionSettings(families=("statistics",), ratios=[{"to": "canal"}])
    with pytest.raises(ProtocolError, match="there is no region 'canal'; there are body, muscle"):
        plan_regions(settings, ("",), ("muscle",))


def test_a_ratio_to_zero_is_not_defined() -> None:
    settings = ExtractionSettings(families=("statistics",), ratios=[RATIO])
    n = len(plan_regions(settings.model_copy(update={"ratios": ()}), ("",)))
    numbers = [*np.arange(1.0, n + 1), 0.0, 2.0, None, *np.ones(n - 3)]
    found = with_ratios(numbers, settings, ("",), ("muscle",))[2 * n :]
    assert found[:4] == [None, 1.0, None, 4.0]


def test_what_no_region_holds_is_not_in_the_score() -> None:
    """What is said stops where a region of that place is measured, and says whose score it is."""
    arch, mass = "posterior element replaced by tumour", "paraspinal mass"
    alone = outside_the_region(None)
    assert alone.startswith("The region of interest is the vertebral body alone.")
    assert all(sign in alone for sign in (arch, mass, "epidural mass"))
    assert arch not in outside_the_region("whole_vertebra")
    beside = outside_the_region(None, ["posterior"])
    assert "alone" not in beside
    assert '"posterior"' in beside
    assert arch not in beside
    assert mass in beside
    assert "mass" not in outside_the_region("whole_vertebra", ["muscle", "canal"])


def test_a_mask_of_a_region_that_is_gone_is_found_before_anything_is_measured(
    tmp_path: Path,
) -> None:
    folder = written(tmp_path / "study")
    (folder / "masks/P004_senior_muscle.nrrd").unlink()
    (failure,) = check_study(folder).failures
    assert (failure.case, failure.code) == ("P004", "missing-file")
    assert failure.file == "masks/P004_senior_muscle.nrrd"


def test_a_model_that_reads_no_ratio_needs_no_other_region() -> None:
    settings = ExtractionSettings(families=("statistics",), ratios=[RATIO])
    features = plan_regions(settings, ("",), ("muscle",))
    of_body, of_ratio = needed(settings, features[:1]), needed(settings, features[-1:])
    assert all(not feature.region for feature in plan_regions(of_body, ("",)))
    assert regions_read(features[-1:], of_ratio) == ("muscle",)
    assert of_ratio.ratios == settings.ratios
