"""Layouts learnt from names: what people's folders are like, and the patterns that say it."""

import pytest

from centrum.cohort.layouts import learn_layouts

NAMES = (
    "Müller Hans", "Meyer Anna Maria", "Özdemir A", "Schulz P", "Weiß Jo", "Kühn Eva", "Lang Tom",
    "Noll Ida",
)  # fmt: skip
K = range(len(NAMES))
DAYS = [f"2021-0{k % 3 + 1}-1{k}" for k in K]
COMPACT = [day.replace("-", "") for day in DAYS]

FOLDERS_OF_FILES = {
    "blanks and capital endings": (
        [f"Patient {k:02d}/{w}.NII.GZ" for k in K for w in ("T2 sag", "ROI AB", "ROI CD")],
        ("{case}/T2 sag.{ext}", "{case}/ROI {reader}.{ext}"),
    ),
    "names of several words": (
        [f"bilder/{n}.nii.gz" for n in NAMES]
        + [f"masken/{n}_{r}.nii.gz" for n in NAMES for r in ("AB", "CD")],
        ("bilder/{case}.{ext}", "masken/{case}_{reader}.{ext}"),
    ),
    "one folder": (
        [f"{n} {w}.nii.gz" for n in NAMES for w in ("T2", "T2 Segmentierung")],
        ("{case} T2.{ext}", "{case} T2 Segmentierung.{ext}"),
    ),
    "a day before the number": (
        [f"{DAYS[k]}_P{k:02d}_{w}.nii.gz" for k in K for w in ("T2", "T2_mask")],
        ("*_{case}_T2.{ext}", "*_{case}_T2_mask.{ext}"),
    ),
    "days of images only": (
        [f"img/{DAYS[k]}_P{k}.nii" for k in K] + [f"roi/P{k}.nii" for k in K],
        ("img/*_{case}.{ext}", "roi/{case}.{ext}"),
    ),
    "several exams of a patient": (
        [f"{n}/{e}/{w}.nii" for n in NAMES[:4] for e in ("Exam1", "Exam2") for w in ("t2", "roi")],
        ("{case}/{exam}/t2.{ext}", "{case}/{exam}/roi.{ext}"),
    ),
    "both sequences": (
        [f"P{k}/P{k}_{w}.nii.gz" for k in K for w in ("T1w", "T2w", "T2w_seg")],
        ("{case}/{case}_{sequence}.{ext}", "{case}/{case}_T2w_seg.{ext}"),
    ),
    "both sequences in folders": (
        [f"{w}/P{k}.nii.gz" for k in K for w in ("T1", "T2", "Masks")],
        ("{sequence}/{case}.{ext}", "Masks/{case}.{ext}"),
    ),
    "BIDS": (
        [f"sub-P{k}/anat/sub-P{k}_{w}.nii.gz" for k in K for w in ("T1w", "T2w")]
        + [f"derivatives/labels/sub-P{k}/anat/sub-P{k}_T2w_seg-vert_msk.nii.gz" for k in K],
        (
            "{case}/anat/{case}_{sequence}.{ext}",
            "derivatives/labels/{case}/anat/{case}_T2w_seg-vert_msk.{ext}",
        ),
    ),
    "label maps of vertebrae and of their parts": (
        [f"exam{k}/{w}.nii" for k in K for w in ("t2_sag", "spineps_vert", "spineps_subreg")],
        ("{case}/t2_sag.{ext}", "{case}/spineps_vert.{ext}"),
    ),
    "sex in the name": (
        [f"P{k}_{'MF'[k % 2]}_{w}.nii.gz" for k in K for w in ("T2", "mask")],
        ("{case}_*_T2.{ext}", "{case}_*_mask.{ext}"),
    ),
    "a folder per diagnosis": (
        [f"{('OPF', 'MPF')[k % 2]}/P{k}/{w}.nii.gz" for k in K for w in ("img", "roi")],
        ("*/{case}/img.{ext}", "*/{case}/roi.{ext}"),
    ),
    "a number sign": (
        [f"P#{k}.nii.gz" for k in K] + [f"P#{k}_seg.nii.gz" for k in K],
        ("{case}.{ext}", "{case}_seg.{ext}"),
    ),
    "a folder per reader": (
        [f"images/P{k}.nii" for k in K]
        + [f"masks/{r}/P{k}.nii" for k in K for r in ("Anna", "Bob")],
        ("images/{case}.{ext}", "masks/{reader}/{case}.{ext}"),
    ),
    "names that tell nothing": (
        [f"P{k}/{w}.nii.gz" for k in K for w in ("a", "x2")],
        ("{case}/a.{ext}", "{case}/x2.{ext}"),
    ),
}


@pytest.mark.parametrize("habit", FOLDERS_OF_FILES)
def test_a_habit_has_one_layout(habit: str) -> None:
    files, wanted = FOLDERS_OF_FILES[habit]
    (found,) = learn_layouts(sorted(files), (), lambda path: "x2" in path)
    assert (found.image, found.mask) == wanted


@pytest.mark.parametrize(
    ("folder", "file", "wanted"),
    [
        (
            "{name}/{day}_MR LWS/t{k}_tse_sag_{n}/",
            "{name}/{day}_MR LWS/seg.nrrd",
            ("{case}/*_MR LWS/{sequence}_tse_sag_*/", "{case}/*_MR LWS/seg.{ext}"),
        ),
        (
            "Archive/{name}/{day}_Exam/{n}/",
            "Segmentations/{name}/{day}_Exam/mask_R{k}.nii.gz",
            ("Archive/{case}/*_Exam/*/", "Segmentations/{case}/*_Exam/mask_{reader}.{ext}"),
        ),
        (
            "{name}/{day}/T2/",
            "{name}/{day}/T2/label.seg.nrrd",
            ("{case}/*/T2/", "{case}/*/T2/label.{ext}"),
        ),
    ],
)
def test_an_archive_has_one_layout(folder: str, file: str, wanted: tuple[str, str]) -> None:
    each = [
        {"name": name, "day": COMPACT[n], "k": k, "n": n + 3}
        for n, name in enumerate(NAMES)
        for k in (1, 2)
    ]
    folders, files = (sorted({text.format(**one) for one in each}) for text in (folder, file))
    (found,) = learn_layouts(files, folders, lambda path: False)
    assert (found.image, found.mask) == wanted


def test_what_may_be_one_of_several_is_not_chosen() -> None:
    files = [f"P{k}/{w}.nii.gz" for k in K for w in ("t2", "L1_mask", "T12_mask")]
    found = learn_layouts(files, (), lambda path: False)
    assert [layout.mask for layout in found] == ["{case}/L1_mask.{ext}", "{case}/T12_mask.{ext}"]
    assert learn_layouts(["scan.nrrd"], (), lambda path: False) == ()
