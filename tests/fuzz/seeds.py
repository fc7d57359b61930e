"""Small files of every kind, the same whenever they are made: what mutants are made of."""

import gzip
import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pydicom
import SimpleITK as sitk
import yaml
from numpy.typing import NDArray
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from centrum.commands import study as verbs
from centrum.commands.tables import import_tables
from centrum.geometry import Geometry
from centrum.protocol import preset_text
from centrum.study.study import open_study
from tests.archives import (
    T1,
    Exam,
    body,
    pixels as noise,
    write_directory,
    write_seg,
    write_series,
    write_structures,
)
from tests.cohort.label_maps import write
from tests.fuzz.mutate import zipped
from tests.io.codestreams import LOSSLESS, LOSSY, PICTURE, STREAMS, compressed, slice_of
from tests.io.conftest import _slice
from tests.io.drawing import squares, structure_set, written
from tests.io.enhanced_files import enhanced, frames_of_stack
from tests.io.label_tables import caret_xml, extension, insert
from tests.io.seg_files import encoded, frames_of, label_frames, segmentation

Files = dict[str, bytes]
"""Contents by name, of a file and what lies beside it."""

SHAPE = (3, 4, 5)
FEATURES = (
    "original_shape_Sphericity", "original_firstorder_Mean", "original_glcm_Contrast",
    "original_glcm_Id", "original_ngtdm_Busyness",
)  # fmt: skip


def _image(
    array: NDArray, keys: Sequence[tuple[str, str]] = (), vector: bool = False
) -> sitk.Image:
    image = sitk.GetImageFromArray(array, isVector=vector)
    image.SetSpacing((0.6, 0.7, 4.4))
    image.SetOrigin((11.5, -20.25, 33.0))
    image.SetDirection((0, 0, -1, 1, 0, 0, 0, -1, 0))
    for key, value in keys:
        image.SetMetaData(key, value)
    return image


def _written(folder: Path, name: str, image: sitk.Image, packed: bool = False) -> bytes:
    sitk.WriteImage(image, str(folder / name), packed)
    return (folder / name).read_bytes()


def _arrays() -> list[NDArray]:
    rng = np.random.default_rng(0)
    counts = rng.integers(0, 900, SHAPE)
    return [counts.astype("i2"), counts.astype("u1"), rng.normal(size=SHAPE).astype("f4")]


def nrrd(folder: Path) -> Iterator[Files]:
    """Raw, compressed, as text, big-endian, detached."""
    for array in _arrays():
        yield {"a.nrrd": _written(folder, "a.nrrd", _image(array))}
    whole = _written(folder, "b.nrrd", _image(_arrays()[0]), packed=True)
    yield {"a.nrrd": _gzip_again(whole)}
    head, _, data = _written(folder, "a.nrrd", _image(_arrays()[0])).partition(b"\n\n")
    swapped = np.frombuffer(data, "<i2").astype(">i2").tobytes()
    yield {"a.nrrd": head.replace(b"little", b"big") + b"\n\n" + swapped}
    words = " ".join(map(str, np.frombuffer(data, "<i2"))).encode()
    yield {"a.nrrd": head.replace(b": raw", b": ascii") + b"\n\n" + words}
    yield {"a.nhdr": head + b"\ndata file: a.raw\n", "a.raw": data}


def _gzip_again(whole: bytes) -> bytes:
    """The compressed voxels without the time at which they were compressed."""
    head, _, packed = whole.partition(b"\n\n")
    return head + b"\n\n" + gzip.compress(gzip.decompress(packed), mtime=0)


def seg_nrrd(folder: Path) -> Iterator[Files]:
    """Two segments in one layer, two in layers, labels alone."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[1, 1:3, 1:4], labels[2, 0, :] = 1, 2
    keys = [
        ("Segmentation_ContainedRepresentationNames", "Binary labelmap|"),
        ("Segmentation_ReferenceImageExtentOffset", "0 0 0"),
    ]
    for k, name in enumerate(("L1", "L2")):
        keys += [
            (f"Segment{k}_ID", f"Segment_{k + 1}"),
            (f"Segment{k}_Name", name),
            (f"Segment{k}_Extent", "0 4 0 3 0 2"),
            (f"Segment{k}_LabelValue", str(k + 1)),
            (f"Segment{k}_Layer", "0"),
        ]
    yield {"a.seg.nrrd": _written(folder, "a.seg.nrrd", _image(labels, keys))}
    layers = np.stack([labels == 1, labels == 2], axis=-1).astype(np.uint8)
    keys = [(k, "1" if "LabelValue" in k else v) for k, v in keys if k != "Segment1_Layer"]
    keys += [("Segment1_Layer", "1")]
    yield {"a.seg.nrrd": _written(folder, "a.seg.nrrd", _image(layers, keys, vector=True))}
    yield {"a.seg.nrrd": _written(folder, "a.seg.nrrd", _image(labels))}


SIDECAR = {
    "Modality": "MR", "Manufacturer": "Made", "ManufacturersModelName": "One",
    "MagneticFieldStrength": 1.5, "RepetitionTime": 2.778, "EchoTime": 0.104,
    "ScanningSequence": "SE", "SeriesDescription": "T2 sag", "SliceThickness": 4.0,
}  # fmt: skip


STRUCTURES = Geometry((12, 10, 4), (1.0, 1.0, 3.0))
"""The grid of the image that structure sets are read on."""


def rtstruct(folder: Path) -> Iterator[Files]:
    """Regions with a hole, an island, a point and nothing; in each encoding."""
    ring = squares((1, 1, 9, 8), (3, 3, 7, 7), (5, 5, 6, 6), z=3)
    regions = [(1, "L1", ring + squares((2, 2, 5, 5), z=6)), (2, "L2", ring), (3, "", [])]
    for kind in ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR", "POINT"):
        yield {"s.dcm": written(structure_set(regions, kind=kind))}
    for syntax in (
        ExplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
    ):
        found = structure_set(regions)
        found.file_meta.TransferSyntaxUID = syntax
        yield {"s.dcm": written(found)}
    found = structure_set(regions)
    for element in found.iterall():
        element.is_undefined_length = element.VR == "SQ"
    yield {"s.dcm": written(found)}


def nii(folder: Path) -> Iterator[Files]:
    """Plain, with a sidecar, scaled, of labels."""
    for array in _arrays():
        yield {"a.nii": _written(folder, "a.nii", _image(array))}
    data = _written(folder, "a.nii", _image(_arrays()[0]))
    yield {"a.nii": data, "a.json": json.dumps(SIDECAR).encode()}
    scaled = np.array([2.0, -1.5], "<f4").tobytes()
    yield {"a.nii": data[:112] + scaled + data[120:]}
    labels = _image((_arrays()[0] > 500).astype(np.uint8))
    yield {"a.nii": _written(folder, "a.nii", labels)}
    named = extension(caret_xml({1: "vertebrae_L1", 2: "spinal_cord"}))
    yield {"a.nii": insert(write(folder / "a.nii", labels), named).read_bytes()}


def nii_gz(folder: Path) -> Iterator[Files]:
    """The same, compressed."""
    for files in nii(folder):
        yield {
            f"{name}.gz" if name.endswith("nii") else name: gzip.compress(data, mtime=0)
            if name.endswith("nii")
            else data
            for name, data in files.items()
        }


def dicom(folder: Path) -> Iterator[Files]:
    """A series, two series in one folder, and a slice in each compression."""
    first = _series("1.2.3", _arrays()[0])
    yield first
    yield first | _series("1.2.4", _arrays()[0][:, ::-1])
    for end in (*LOSSLESS, *LOSSY):
        yield {"1.dcm": written(slice_of(_slice(_arrays()[0][0].astype("<u2"), 0, "1.2.3"), end))}


def _series(uid: str, array: NDArray) -> Files:
    files = {}
    for k, pixels in enumerate(array.astype("<u2")):
        header = _slice(pixels, 4.4 * k, uid)
        header.RescaleSlope, header.RescaleIntercept = 1, 0
        header.InstanceNumber, header.SeriesNumber = k + 1, 3
        header.SeriesDescription, header.MagneticFieldStrength = "T2 sag", 1.5
        whole = io.BytesIO()
        pydicom.dcmwrite(whole, header, enforce_file_format=True)
        files[f"{uid}-{k}.dcm"] = whole.getvalue()
    return files


def archive(folder: Path) -> Iterator[Files]:
    """An exam in one folder: two series, a segmentation, a structure set and a DICOMDIR."""
    exam = Exam()
    write_series(folder / "a", exam, 1, noise(1), names="1-{}")
    write_series(folder / "a", exam, 2, noise(2), T1, names="2-{}")
    write_seg(folder / "a/seg", exam, {"L1": body()}, [1, 2])
    write_structures(folder / "a/rt", exam, {"L1": body(1)})
    write_directory(folder / "a/DICOMDIR", [["SEG"], ["RT"]])
    yield {path.name: path.read_bytes() for path in sorted((folder / "a").iterdir())}


def seg(folder: Path) -> Iterator[Files]:
    """Bits with segments that overlap, bytes, numbers of 8 and 16 bits, packed in every way."""
    grid = Geometry(SHAPE[::-1], (0.6, 0.7, 4.4), (11.5, -20.25, 33.0))
    first, second = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    first[0, 1:3, 1:4], first[2, 0], second[:2, 2, 2:] = True, True, True
    labels = np.where(second, 300, first)
    for kind, bits, syntax in (
        ("BINARY", 1, ExplicitVRLittleEndian),
        ("BINARY", 1, ImplicitVRLittleEndian),
        ("BINARY", 1, DeflatedExplicitVRLittleEndian),
        ("BINARY", 8, RLELossless),
        ("LABELMAP", 8, ExplicitVRLittleEndian),
        ("LABELMAP", 16, RLELossless),
    ):
        number = 300 if bits == 16 else 2
        frames = frames_of({1: first, number: second})
        if kind == "LABELMAP":
            frames = label_frames(np.minimum(labels, number))
        header = segmentation(
            grid, frames, {1: "L1", number: "L2"}, kind=kind, bits=bits,
            measures={"SpacingBetweenSlices": 4.4, "SliceThickness": 4.0},
        )  # fmt: skip
        yield {"a.dcm": encoded(header, syntax)}


def enhanced_images(folder: Path) -> Iterator[Files]:
    """A stack, two echoes and two stacks of them; native, deflated and in each compression."""
    grid = Geometry(SHAPE[::-1], (0.6, 0.7, 4.4), (11.5, -20.25, 33.0))
    array = _arrays()[0].astype("u2")
    stack = frames_of_stack(array, FrameContentSequence={"StackID": "1"})
    frames = stack + frames_of_stack(array + 1, MREchoSequence={"EffectiveEchoTime": 80.0})
    for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian):
        for shown in (stack, frames):
            found = enhanced(grid, shown)
            found.file_meta.TransferSyntaxUID = syntax
            yield {"e.dcm": written(found)}
    found = enhanced(grid, stack, stored=12)
    found.compress(RLELossless, generate_instance_uid=False)
    yield {"e.dcm": written(found)}
    for end, streams in STREAMS.items():
        pixels = np.zeros((2, *PICTURE.shape), "i2" if end == "signed" else "u2")
        found = enhanced(grid, frames_of_stack(pixels))
        slice_of(found, "90" if end == "signed" else end)
        compressed(found, [streams] * 2, "90" if end == "signed" else end)
        yield {"e.dcm": written(found)}


def listing(folder: Path) -> Iterator[Files]:
    """Folders of images and masks, as {path: what is there}."""
    cases = [f"P{k:02d}" for k in range(4)]
    layouts = (
        ("images/{}.nrrd", "masks/{}.nrrd"),
        ("images/{}.nrrd", "masks/{}_senior.seg.nrrd"),
        ("{}/T2w.nii.gz", "{}/mask.nii.gz"),
        ("{}/image.nrrd", "{}/senior.seg.nrrd"),
        ("{}_T2.nrrd", "{}_T2_label.nrrd"),
        ("sub-{}/anat/sub-{}_T2w.nii.gz", "sub-{}/anat/sub-{}_T2w_mask.nii.gz"),
        ("{}/dicom/", "{}/seg.seg.nrrd"),
    )
    for image, mask in layouts:
        tree = {}
        for case in cases:
            tree[image.replace("{}", case)] = "series" if image.endswith("/") else "image"
            tree[mask.replace("{}", case)] = "mask"
        yield {"listing.json": json.dumps(tree, indent=1).encode()}


def _cases(n: int = 6) -> list[dict[str, object]]:
    return [
        {
            "case": f"P{k:03d}", "patient": f"A{k // 2}", "level": ("L1", "T12")[k % 2],
            "outcome": ("malignant", "osteoporotic")[k // 2 % 2], "centre": "AB"[k % 2],
            "age": 61.5 + k, "sex": "MF"[k % 2], "tumour size": 1.5 * k, "TR_ms": 2500,
            "image": f"images/P{k:03d}.nrrd", "mask:senior": f"masks/P{k:03d}_a.seg.nrrd#L1",
            "mask:resident": f"masks/P{k:03d}_b.seg.nrrd#L1",
        }
        for k in range(n)
    ]  # fmt: skip


STUDY = "preset: vcf-t2w\nname: Small\nimages: {reader: senior}\n"


def cases_csv(folder: Path) -> Iterator[Files]:
    """With commas, with semicolons and decimal commas, with tabs in Latin-1."""
    frame = pd.DataFrame(_cases())
    plain = frame.to_csv(index=False).encode()
    german = frame.to_csv(index=False, sep=";", decimal=",", lineterminator="\r\n").encode()
    tabs = frame.assign(centre="Köln").to_csv(index=False, sep="\t").encode("latin-1")
    for table in (plain, german, tabs):
        yield {"cases.csv": table, "study.yaml": STUDY.encode()}


def cases_xlsx(folder: Path) -> Iterator[Files]:
    """A workbook of Excel."""
    for frame in (pd.DataFrame(_cases()), pd.DataFrame(_cases()[:1])):
        frame.to_excel(folder / "cases.xlsx", index=False)
        yield {"cases.xlsx": _zip_again(folder / "cases.xlsx"), "study.yaml": STUDY.encode()}


def _zip_again(path: Path) -> bytes:
    """A workbook without what is about how it was made."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for name in ("docProps/core.xml", "docProps/app.xml", "xl/theme/theme1.xml"):
        members.pop(name, None)
    return zipped(members)


def study_yaml(folder: Path) -> Iterator[Files]:
    """The presets, a short protocol, and one that says much."""
    table = pd.DataFrame(_cases()).to_csv(index=False).encode()
    texts = [preset_text("vcf-t2w"), preset_text("vcf-t2w-2024"), STUDY, STUDY + _MUCH]
    for text in texts:
        yield {"study.yaml": text.encode(), "cases.csv": table}


_MUCH = """\
outcome: {positive: malignant, negative: osteoporotic}
describe: [centre]
eligibility: [{keep: age >= 18, reason: adults}]
extraction:
  discretisation: {method: fixed_bin_number, bins: 8}
  filters: [{filter: log, sigma: 1, dimension: 2D}, {filter: mean, support: 3}]
  interpolation: null
split: {seed: 7}
model: {n_features: {maximum: 4, folds: 3}, classifier: logistic}
evaluation: {n_resamples: 200}
"""


def tables(folder: Path) -> Iterator[Files]:
    """As PyRadiomics, 3D Slicer, MIRP, LIFEx and nobody in particular write them."""
    frame = _table(6)
    texts = {
        "t.csv": frame.to_csv(index=False),
        "s.csv": frame.to_csv(index=False, sep=";", decimal=","),
        "n.csv": frame.rename(columns=lambda name: name.replace("original_", "x")).to_csv(),
        "p.txt": "".join(f"{name}: {x}\n" for name, x in frame.iloc[0].items()),
        "m.csv": "sample_name,roi_name,stat_mean,stat_var,cm_contrast_d1_3d_v_mrg\n"
        + "".join(f"P{k},r,{k}.5,{k * k},{k / 3}\n" for k in range(4)),
        "l.csv": "PatientID,SeriesDate,INTENSITY-BASED_Mean(IBSI:Q4LE),GLCM_Contrast(IBSI:ACUI)\n"
        + "".join(f"P{k},20240131,{k}.5,{k / 3}\n" for k in range(4)),
        "e.csv": "Image type,Feature Class,Feature Name,P1,P2\n"
        + "".join(f"original,glcm,{name},{k},{k / 7}\n" for k, name in enumerate(["Id", "Idm"])),
    }
    for name, text in texts.items():
        yield {name: text.encode()}
    yield {"t.csv.gz": gzip.compress(texts["t.csv"].encode(), mtime=0)}
    frame.to_excel(folder / "t.xlsx", index=False)
    yield {"t.xlsx": _zip_again(folder / "t.xlsx")}
    yield {"t.ods": zipped({"mimetype": _ODS_KIND, "content.xml": _ods(frame)})}


_ODS_KIND = b"application/vnd.oasis.opendocument.spreadsheet"


def _ods(frame: pd.DataFrame) -> bytes:
    """The content of an OpenDocument sheet."""
    uri = "urn:oasis:names:tc:opendocument:xmlns"
    rows = [list(frame.columns), *frame.itertuples(index=False)]
    body = "".join(
        "<table:table-row>"
        + "".join(f"<table:table-cell>{_ods_cell(x)}</table:table-cell>" for x in row)
        + "</table:table-row>"
        for row in rows
    )
    return (
        f'<office:document-content xmlns:office="{uri}:office:1.0" xmlns:table="{uri}:table:1.0" '
        f'xmlns:text="{uri}:text:1.0"><office:body><office:spreadsheet><table:table table:name="a">'
        f"{body}</table:table></office:spreadsheet></office:body></office:document-content>"
    ).encode()


def _ods_cell(value: object) -> str:
    return f"<text:p>{value}</text:p>"


def _table(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    outcome = np.arange(n) % 2
    frame = pd.DataFrame(
        {
            "case": [f"P{k:03d}" for k in range(n)],
            "outcome": np.where(outcome, "malignant", "osteoporotic"),
            "age": rng.integers(50, 90, n),
            "sex": ["MF"[k % 2] for k in range(n)],
            "centre": ["AB"[k // 2 % 2] for k in range(n)],
        }
    )
    for k, name in enumerate(FEATURES):
        frame[name] = (rng.normal(size=n) + 1.5 * outcome * (k < 3)).round(6)
    return frame


PARAMETERS = {
    "setting": {
        "binWidth": 25, "label": 1, "interpolator": "sitkBSpline", "resampledPixelSpacing": None,
        "normalize": False, "force2D": True, "force2Ddimension": 0, "minimumROIDimensions": 2,
        "weightingNorm": None,
    },
    "imageType": {"Original": {}, "LoG": {"sigma": [1.0, 2.0]}, "Wavelet": {"binWidth": 10}},
    "featureClass": {"shape": None, "firstorder": [], "glcm": ["Contrast", "Id"]},
}  # fmt: skip


def params(folder: Path) -> Iterator[Files]:
    """Parameter files in YAML and in JSON."""
    yield {"p.yaml": yaml.safe_dump(PARAMETERS, sort_keys=False).encode()}
    yield {"p.json": json.dumps(PARAMETERS, indent=1).encode()}
    yield {"p.yaml": b"setting: {binWidth: 10, voxelArrayShift: 300}\nfeatureClass: {glcm: }\n"}


def signature(folder: Path) -> Iterator[Files]:
    """With and without means, with image types."""
    terms = [
        {"feature": name, "coefficient": 0.5 - k, "mean": 1.5 * k, "sd": 1.0 + k}
        for k, name in enumerate(("Sphericity", "Contrast", "original_glcm_Id", "Busyness"))
    ]
    whole = {
        "name": "One", "source": "a journal", "positive": "malignant", "negative": "osteoporotic",
        "intercept": -0.3, "cutoff": 0.1, "note": "a note", "features": terms,
    }  # fmt: skip
    plain = [{k: term[k] for k in ("feature", "coefficient")} for term in terms]
    for found in (whole, whole | {"features": plain}, whole | {"images": "original, LoG 1 2"}):
        yield {"s.yaml": yaml.safe_dump(found, sort_keys=False).encode()}


_QUICK = """
name: Small
model:
  select: {method: lasso}
  covariates: [age, sex]
  n_features: {maximum: 3, folds: 3}
  classifier: CLASSIFIER
  lasso: {folds: 3, l1_ratio: 1.0}
evaluation: {n_resamples: 100, cutoff_folds: 3, leak_audit: {permutations: 1, splits: 1}}
"""


_MODELS = {
    "logistic": "  harmonisation: {method: combat}\n  imputation: {method: knn}",
    "rbf_svm": "  imputation: {method: mean}",
    "extra_trees": "  calibration: isotonic",
}
"""Classifiers, and what else is chosen with each."""


def model_json(folder: Path) -> Iterator[Files]:
    """Models of a small study of tables: harmonised and linear, of kernels, of trees."""
    _table(30).to_csv(folder / "t.csv", index=False)
    for classifier, more in _MODELS.items():
        study = folder / classifier
        import_tables([folder / "t.csv"], study)
        text = (study / "study.yaml").read_text(encoding="utf-8")
        quick = _QUICK.replace("CLASSIFIER", f"{classifier}\n{more}")
        (study / "study.yaml").write_text(text + quick, encoding="utf-8")
        opened = open_study(study)
        verbs.extract(opened)
        verbs.fit(opened)
        verbs.evaluate(opened)
        verbs.freeze(opened)
        yield {"model.json": (study / "results" / "model.json").read_bytes()}
