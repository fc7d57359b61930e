"""New patients scored by a frozen model: what the study said, what is flagged, what is refused."""

import csv
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from centrum.commands import score as scoring, study as verbs
from centrum.commands.score import read_known
from centrum.errors import DataError, ManifestError
from centrum.frozen.inputs import Covariate
from centrum.frozen.model import FrozenModel, read_model
from centrum.frozen.score import Patient, Score, score_job, score_patient, see
from centrum.io import read_image, read_mask
from centrum.measure import images
from centrum.measure.images import CaseImages
from centrum.provenance import digest
from centrum.study.study import open_study
from centrum.table import FeatureTable
from tests import hostile
from tests.io.drawing import drawn, structure_set, written
from tests.io.seg_files import frames_of, save, segmentation
from tests.studies import (
    PROTOCOL,
    SIZE,
    SPACING,
    frozen_study,
    make_study,
    read_rows,
    write_rows,
)

EXACT = {"rtol": 1e-12, "atol": 1e-12}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that has been run; not to be changed."""
    return frozen_study(tmp_path_factory.mktemp("scored") / "study", tr_ms="2500")


@pytest.fixture(scope="module")
def model(finished: Path) -> FrozenModel:
    return read_model(finished / "results" / "model.json")


def patient(folder: Path, case: str = "P003", reader: str = "senior") -> Patient:
    image, mask = folder / f"images/{case}.nrrd", folder / f"masks/{case}_{reader}.nrrd"
    return Patient(case, str(image), str(mask), known={"tr_ms": "2500"})


def codes(score: Score, *severities: str) -> list[str]:
    return [f.code for f in score.flags if f.severity in (severities or ("warning", "refuse"))]


# What the study said


def test_a_training_case_is_scored_as_in_the_study(finished: Path, model: FrozenModel) -> None:
    table = FeatureTable.load(finished / "results")
    with (finished / "results" / "scores.csv").open() as stream:
        wanted = {row["case"]: float(row["score"]) for row in csv.DictReader(stream)}
    for case in ("P000", "P003", "P011"):
        found = score_patient(model, patient(finished, case))
        np.testing.assert_allclose(found.score, wanted[case], **EXACT)
        likely = model.calibrator.predict_proba([wanted[case]])[0]
        np.testing.assert_allclose(found.probability, likely, **EXACT)
        values = dict(zip(table.names, table.values[table.cases.index(case), :, 0], strict=True))
        assert {p.name for p in found.parts} == set(model.scorer.features)
        for part in found.parts:
            np.testing.assert_allclose(part.value, values[part.name], **EXACT)
        whole = found.breakdown
        total = whole.base + sum(part.contribution for part in found.parts) + whole.rest
        np.testing.assert_allclose(total, found.score, **EXACT)
        assert whole.total == found.score
        assert whole.scale == "score"
        assert found.called == (model.positive if found.score >= model.cutoff else model.negative)


def test_a_region_that_is_drawn_as_contours_is_scored_as_its_voxels(
    finished: Path, model: FrozenModel, tmp_path: Path
) -> None:
    one = patient(finished)
    mask = read_image(one.mask)
    contours = [(1, "L1", drawn(mask.array != 0, mask.geometry))]
    (tmp_path / "s.dcm").write_bytes(written(structure_set(contours)))
    found = score_patient(model, replace(one, mask=f"{tmp_path / 's.dcm'}#L1"))
    assert found.score == score_patient(model, one).score


def test_another_readers_region_gives_another_score(finished: Path, model: FrozenModel) -> None:
    scores = [
        score_patient(model, patient(finished, reader=r)).score for r in ("senior", "resident")
    ]
    assert scores[0] != scores[1]


def test_a_region_in_a_dicom_segmentation_has_the_same_score(
    finished: Path, model: FrozenModel, tmp_path: Path
) -> None:
    known = patient(finished)
    mask = read_mask(known.mask, read_image(known.image))
    header = segmentation(mask.geometry, frames_of({4: mask.array}), {4: "LWK 3"})
    path = save(tmp_path / "s.dcm", header)
    scores = [
        score_patient(model, replace(known, mask=source))
        for source in (known.mask, f"{path}#LWK 3", f"{path}#4")
    ]
    assert scores[0].status == "scored"
    assert {(score.score, score.probability) for score in scores} == {
        (scores[0].score, scores[0].probability)
    }


def test_a_case_like_the_training_cases_has_no_warning(finished: Path, model: FrozenModel) -> None:
    found = score_patient(model, patient(finished))
    assert [c for c in codes(found) if c not in ("outline-off", "mirrored-mask")] == []


# The file


def test_a_model_survives_its_file(finished: Path, model: FrozenModel, tmp_path: Path) -> None:
    model.save(tmp_path / "again.json")
    original = (finished / "results" / "model.json").read_bytes()
    assert (tmp_path / "again.json").read_bytes() == original
    assert "patient-" not in original.decode(), "a patient's id is in the model"


def test_any_changed_digit_is_refused(finished: Path, tmp_path: Path) -> None:
    text = (finished / "results" / "model.json").read_text()
    places = [m.start() for m in re.finditer(r"(?<=\d)\d(?=[,\n])", text)]
    rng = np.random.default_rng(1)
    for place in rng.choice(places, 40, replace=False):
        other = str((int(text[place]) + 1) % 10)
        path = tmp_path / "changed.json"
        path.write_text(text[:place] + other + text[place + 1 :])
        if json.loads(path.read_text()) == json.loads(text):
            continue  # a digit beyond what a float holds
        with pytest.raises(DataError, match=r"changed after it was frozen|self-test|schema"):
            read_model(path)


def test_a_model_that_scores_otherwise_fails_its_self_test(finished: Path, tmp_path: Path) -> None:
    record = json.loads((finished / "results" / "model.json").read_text())
    weights = record["scorer"]["branches"][0]["members"][0]["classifier"]["weights"]
    weights[0] *= 1 + 1e-9
    content = {k: v for k, v in record.items() if k != "sha256"}
    path = tmp_path / "model.json"
    path.write_text(json.dumps(content | {"sha256": digest(content)}))
    with pytest.raises(DataError, match="fails its self-test: a score that was"):
        read_model(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "schema 'centrum.model/2', found None"),
        ('{"schema": "centrum.model/9"}', "found 'centrum.model/9'"),
    ],
)
def test_what_is_no_model_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "model.json"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_model(path)
    with pytest.raises(DataError, match="There is no model"):
        read_model(tmp_path / "none.json")


# Cases that are unlike


def rewritten(source: Path, path: Path, change: Callable[[sitk.Image], sitk.Image]) -> str:
    sitk.WriteImage(change(sitk.ReadImage(str(source))), str(path))
    return str(path)


def test_an_empty_region_is_refused(finished: Path, model: FrozenModel, tmp_path: Path) -> None:
    one = patient(finished)
    mask = rewritten(Path(one.mask), tmp_path / "m.nrrd", lambda m: m * 0)
    found = score_patient(model, replace(one, mask=mask))
    assert found.refused
    assert "the mask is empty" in found.flags[0].message
    assert found.score is found.probability is None


def test_another_grid_is_refused(finished: Path, model: FrozenModel, tmp_path: Path) -> None:
    def turned(mask: sitk.Image) -> sitk.Image:
        mask.SetDirection((-1, 0, 0, 0, 1, 0, 0, 0, 1))
        return mask

    one = patient(finished)
    mask = rewritten(Path(one.mask), tmp_path / "m.nrrd", turned)
    found = score_patient(model, replace(one, mask=mask))
    assert found.refused
    assert codes(found) == ["not-measured"]


def test_a_ct_is_refused(finished: Path, model: FrozenModel, tmp_path: Path) -> None:
    one = patient(finished)

    def hounsfield(image: sitk.Image) -> sitk.Image:
        array = sitk.GetArrayFromImage(image)
        array[:, :3] = -1000
        other = sitk.GetImageFromArray(array)
        other.CopyInformation(image)
        return other

    image = rewritten(Path(one.image), tmp_path / "ct.nrrd", hounsfield)
    found = score_patient(model, replace(one, image=image))
    assert found.refused
    assert "The image is CT; the model was trained on MR" in found.flags[0].message


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ({"tr_ms": "4000"}, "Repetition time 4000 ms: training cases had 2500 ms"),
        ({"modality": "CT"}, "The image is CT"),
    ],
)
def test_what_is_known_of_the_acquisition_counts(
    finished: Path, model: FrozenModel, known: dict[str, str], message: str
) -> None:
    found = score_patient(model, replace(patient(finished), known=known))
    assert any(message in flag.message for flag in found.flags)


def test_another_pixel_size_is_flagged(finished: Path, model: FrozenModel, tmp_path: Path) -> None:
    def coarser(image: sitk.Image) -> sitk.Image:
        image.SetSpacing((SPACING[0] * 1.5, SPACING[1] * 1.5, SPACING[2]))
        return image

    one = patient(finished)
    image = rewritten(Path(one.image), tmp_path / "i.nrrd", coarser)
    mask = rewritten(Path(one.mask), tmp_path / "m.nrrd", coarser)
    found = score_patient(model, replace(one, image=image, mask=mask))
    assert found.score is not None
    assert "acquisition" in codes(found)
    assert "region-large" in codes(found)


def test_not_knowing_is_a_note(finished: Path, model: FrozenModel) -> None:
    found = score_patient(model, replace(patient(finished), known={}))
    (note,) = [f for f in found.flags if f.code == "acquisition-unknown"]
    assert note.severity == "note"
    assert "repetition time" in note.message


def test_values_far_from_training_are_flagged(
    finished: Path, model: FrozenModel, tmp_path: Path
) -> None:
    one = patient(finished)
    image = rewritten(
        Path(one.image), tmp_path / "i.nrrd", lambda i: sitk.SmoothingRecursiveGaussian(i, 3)
    )
    found = score_patient(model, replace(one, image=image))
    assert "features-out-of-range" in codes(found)
    assert any(part.beyond > 1 for part in found.parts)


def test_a_mirrored_mask_is_flagged(phantom: Path, tmp_path: Path, model: FrozenModel) -> None:
    for k in (1, 2):
        image, mask = phantom / f"images/P00{k}.nrrd", phantom / f"masks/P00{k}_senior.seg.nrrd"
        one = Patient("x", str(image), str(mask))
        assert not {"mirrored-mask", "outline-off"} & set(codes(score_patient(model, one)))
        for axis, sides in ((0, "left and right"), (1, "top and bottom"), (2, "front and back")):
            seen = see(job := score_job(model, one, None), CaseImages(job.images))
            flipped = sitk.GetImageFromArray(np.flip(seen.mask.array, axis).astype(np.uint8))
            flipped.CopyInformation(sitk.ReadImage(str(image)))
            sitk.WriteImage(flipped, str(tmp_path / "m.nrrd"))
            found = score_patient(model, replace(one, mask=str(tmp_path / "m.nrrd")))
            messages = [f.message for f in found.flags if f.code == "mirrored-mask"]
            assert sides in messages[0], (k, axis, messages)


def test_a_model_of_tables_says_so(finished: Path, model: FrozenModel) -> None:
    other = replace(model, provenance={**model.provenance, "of_tables": True})
    found = score_patient(other, patient(finished))
    assert found.refused
    assert "fitted on feature tables" in found.flags[0].message


# What nobody expected


def test_a_case_that_fails_in_any_way_is_refused(
    finished: Path, model: FrozenModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("centrum.frozen.score.measure", hostile.text_in_a_header)
    found = score_patient(model, patient(finished))
    assert found.refused
    assert "TypeError" in found.flags[0].message
    written = scoring.as_written(model, patient(finished), found)
    assert hostile.NAME not in written.flags[0].message


@pytest.mark.parametrize(
    "place", ["frozen.score.outline_of", "frozen.score.fill_missing", "commands.score.region_view"]
)
def test_what_decides_no_score_refuses_none(
    finished: Path, model: FrozenModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    whole, _ = scoring.score_one(model, patient(finished), tmp_path / "whole")
    monkeypatch.setattr(f"centrum.{place}", lambda *given: hostile.deep_nesting())
    found, page = scoring.score_one(model, patient(finished), tmp_path / "other")
    assert found.score == whole.score
    assert page.is_file()
    assert ("not-checked" in codes(found, "note")) == (place == "frozen.score.outline_of")
    assert ("<image" in page.read_text("utf-8")) == (place == "frozen.score.outline_of")


def test_image_and_mask_are_read_once(
    finished: Path, model: FrozenModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    for name in ("read_image", "read_mask"):
        real = getattr(images, name)
        monkeypatch.setattr(
            images,
            name,
            lambda source, *a, real=real, **k: read.append(source) or real(source, *a, **k),
        )
    one = patient(finished)
    _, page = scoring.score_one(model, one, tmp_path)
    assert sorted(read) == sorted([one.image, one.mask])
    assert "<image" in page.read_text("utf-8")


def test_a_case_that_ends_its_process_is_refused(
    finished: Path, model: FrozenModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "_score", hostile.score)
    patients = [patient(finished, case) for case in ("P003", "P013", "P004")]
    found = scoring.score_all(model, patients, tmp_path, workers=2)
    assert [score.case for score in found if score.refused] == ["P013"]
    assert "SIGSEGV" in found[1].flags[0].message


# Cohorts


@pytest.fixture
def cohort(tmp_path: Path) -> Path:
    """Six new patients without an outcome; one has an empty mask, one no image."""
    folder = make_study(tmp_path / "new", n=6, seed=9)
    write_rows(folder, [r | {"outcome": "", "tr_ms": "2500"} for r in read_rows(folder)])
    empty = sitk.GetImageFromArray(np.zeros(SIZE[::-1], np.uint8))
    empty.SetSpacing(SPACING)
    sitk.WriteImage(empty, folder / "masks/P002_senior.nrrd")
    (folder / "images/P004.nrrd").unlink()
    return folder


def test_one_bad_case_does_not_stop_a_cohort(
    model: FrozenModel, cohort: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    cases = scoring.read_new_cases(cohort, model)
    found = scoring.score_cohort(model, cases, out)
    assert [s.case for s in found if s.refused] == ["P002", "P004"]
    with (out / "scores.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [r["status"] for r in rows] == [
        "refused" if r["case"] in ("P002", "P004") else "scored" for r in rows
    ]
    assert {p.name for p in out.glob("*.html")} == {
        "index.html",
        *(f"P00{k}.html" for k in range(6)),
    }
    text = "".join(p.read_text() for p in out.glob("*.*"))
    assert "patient-" not in text, "a patient's id is on a page"
    before = {p: p.read_bytes() for p in out.glob("*.*")}
    assert scoring.score_cohort(model, cases, out, workers=2) == found
    assert {p: p.read_bytes() for p in out.glob("*.*")} == before


def test_a_reader_who_is_not_there_is_named(
    model: FrozenModel, cohort: Path, tmp_path: Path
) -> None:
    cases = scoring.read_new_cases(cohort, model)
    with pytest.raises(ManifestError, match="no reader 'other'; the manifest has senior, resident"):
        scoring.score_cohort(model, cases, tmp_path, reader="other")


def test_the_page_says_what_the_numbers_are(
    model: FrozenModel, finished: Path, tmp_path: Path
) -> None:
    score, page = scoring.score_one(model, patient(finished), tmp_path)
    text, record = page.read_text(), json.loads((tmp_path / "P003.json").read_text())
    assert f"{100 * record['probability']:.0f} %" in text
    assert record["score"] == score.score
    assert "not a medical device" in text
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert record["model"]["cutoff"] == model.cutoff


# What a model may read beside one image

RICH = PROTOCOL.replace(
    "model:",
    "model:\n  covariates: [age, sex]\n  imputation: {method: median}\n"
    "  harmonisation: {method: combat, batch: centre, unseen: refuse}",
)


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with covariates, a missing age, and two centres that are harmonised."""
    folder = make_study(tmp_path_factory.mktemp("rich") / "study", protocol=RICH)
    rows = [r | {"centre": "AB"[k % 3 == 0]} for k, r in enumerate(read_rows(folder))]
    rows[4]["age"] = ""
    write_rows(folder, rows)
    study = open_study(folder)
    for verb in (verbs.extract, verbs.fit, verbs.evaluate, verbs.freeze):
        verb(study)
    return folder


def test_covariates_gaps_and_centres(rich: Path, tmp_path: Path) -> None:
    model = read_model(rich / "results" / "model.json")
    with (rich / "results" / "scores.csv").open() as stream:
        wanted = {row["case"]: float(row["score"]) for row in csv.DictReader(stream)}
    cases = scoring.read_new_cases(rich, model)
    found = scoring.score_cohort(model, cases, tmp_path)
    assert not any(s.refused for s in found)
    for score in found:
        np.testing.assert_allclose(score.score, wanted[score.case], **EXACT)
    one = scoring.patients_of(model, cases)[0]
    for known, message in (
        ({**one.known, "centre": None}, "harmonises by 'centre', which is not known"),
        ({**one.known, "centre": "C"}, "was not trained on C; it knows A, B"),
    ):
        refused = score_patient(model, replace(one, known=known))
        assert refused.refused
        assert message in refused.flags[0].message


def test_a_covariate_that_was_never_seen_is_refused() -> None:
    sex = Covariate("sex=M", "sex", "M", ("F", "M"))
    assert (sex.of({"sex": "M"}), sex.of({"sex": "F"})) == (1.0, 0.0)
    assert np.isnan(sex.of({}))
    with pytest.raises(DataError, match="sex is 'X'; the model was trained on F, M"):
        sex.of({"sex": "X"})
    age = Covariate("age", "age", None, ())
    assert age.of({"age": "71"}) == 71.0
    with pytest.raises(DataError, match="age is a number in training, found 'old'"):
        age.of({"age": "old"})


def test_several_sequences(tmp_path: Path) -> None:
    folder = make_study(tmp_path / "study", protocol=PROTOCOL + "images: {sequences: [T2w, T1w]}\n")
    rows = []
    for k, row in enumerate(read_rows(folder)):
        first = sitk.ReadImage(str(folder / row["image"]))
        noise = np.random.default_rng(k).normal(300, 30, SIZE[::-1]).astype(np.float32)
        other = sitk.GetImageFromArray(noise)
        other.CopyInformation(first)
        sitk.WriteImage(other, str(folder / f"images/{row['case']}_T1w.nrrd"))
        rest = {name: v for name, v in row.items() if name != "image"}
        rows.append({**rest, "image:T2w": row["image"],
                     "image:T1w": f"images/{row['case']}_T1w.nrrd"})  # fmt: skip
    write_rows(folder, rows)
    study = open_study(folder)
    for verb in (verbs.extract, verbs.fit, verbs.evaluate, verbs.freeze):
        verb(study)
    model = read_model(folder / "results" / "model.json")
    with (folder / "results" / "scores.csv").open() as stream:
        wanted = {row["case"]: float(row["score"]) for row in csv.DictReader(stream)}
    patients = scoring.patients_of(model, scoring.read_new_cases(folder, model))
    for one in patients[:3]:
        found = score_patient(model, one)
        np.testing.assert_allclose(found.score, wanted[one.case], **EXACT)
    without = score_patient(model, replace(patients[0], sequences={}))
    assert without.refused
    assert "missing T1w. Give it: --sequence T1w=FILE" in without.flags[0].message


def test_slices_of_another_plane_are_flagged(
    finished: Path, model: FrozenModel, tmp_path: Path
) -> None:
    def turned(image: sitk.Image) -> sitk.Image:
        image.SetDirection((0, 0, 1, 1, 0, 0, 0, 1, 0))
        return image

    one = patient(finished)
    image = rewritten(Path(one.image), tmp_path / "i.nrrd", turned)
    mask = rewritten(Path(one.mask), tmp_path / "m.nrrd", turned)
    found = score_patient(model, replace(one, image=image, mask=mask))
    assert any("Plane sagittal: training cases had axial" in f.message for f in found.flags)


@pytest.mark.parametrize("case", ["x" * 300, "index", "CON", "a:b", "患者 7"])
def test_every_case_id_names_files(
    finished: Path, model: FrozenModel, tmp_path: Path, case: str
) -> None:
    score, page = scoring.score_one(model, replace(patient(finished), case=case), tmp_path)
    assert score.case == case
    assert case in page.read_text(encoding="utf-8")
    assert {path.name for path in tmp_path.iterdir()} == {page.name, f"{page.stem}.json"}
    assert page.name != "index.html"


@pytest.mark.parametrize("case", ["../elsewhere", "a/b", ".."])
def test_a_case_cannot_leave_its_folder(
    finished: Path, model: FrozenModel, tmp_path: Path, case: str
) -> None:
    with pytest.raises(DataError, match="no slash in it"):
        scoring.score_one(model, replace(patient(finished), case=case), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


# What is known


def test_known_facts_have_units_and_names_of_their_own(model: FrozenModel) -> None:
    given = {"Field_Strength": "1.5T", "TR_ms": "2.5 s", "te_ms": "long", "age": "71"}
    expected = {"field_strength": 1.5, "tr_ms": 2500.0, "te_ms": "long", "age": "71"}
    assert read_known(model, given) == expected


def test_an_unknown_name_is_refused_with_the_nearest(model: FrozenModel) -> None:
    with pytest.raises(
        DataError, match=r"'feild_strength' can be .* mean field_strength\?"
    ) as caught:
        read_known(model, {"feild_strength": "1.5"})
    assert caught.value.code == "unknown-name"
    assert "repetition_time_ms" in caught.value.remedy


def test_a_known_fact_that_cannot_be_read_is_a_note(finished: Path, model: FrozenModel) -> None:
    found = score_patient(model, replace(patient(finished), known={"te_ms": "long"}))
    (note,) = [f for f in found.flags if f.code == "unread-fact"]
    assert note.severity == "note"
    assert "te_ms is no number" in note.message
