"""What pages take for granted: a study that was run, a new patient's files."""

import shutil
from pathlib import Path

import SimpleITK as sitk

from centrum.commands import study as verbs
from centrum.simulate import PhantomSettings
from centrum.simulate.write import MARKER
from centrum.study.study import open_study
from tests.studies import make_study

PROTOCOL = """\
preset: vcf-t2w
name: Ellipsoids
extraction:
  families: [statistics, glcm]
  discretisation: {method: fixed_bin_number, bins: 8}
  filters: []
  interpolation: null
preparation: {normalisation: {method: none}}
model: {lasso: {folds: 3}}
evaluation:
  n_resamples: 100
  cutoff_folds: 3
  ablation: false
  optimism_resamples: 1
  leak_audit: {permutations: 0, splits: 1}
"""


def studied(folder: Path) -> Path:
    """A small study of images that was run but for its report."""
    make_study(folder, n=24, protocol=PROTOCOL)
    study = open_study(folder)
    for verb in (
        verbs.extract,
        verbs.agree,
        verbs.fit,
        verbs.internal,
        verbs.evaluate,
        verbs.explain,
    ):
        verb(study)
    verbs.freeze(study)
    return folder


def lay_files(folder: Path, study: Path) -> None:
    """A new patient's image and mask, under the names that pages give them."""
    image, mask = study / "images" / "P000.nrrd", study / "masks" / "P000_senior.nrrd"
    segmentation = sitk.ReadImage(mask)
    segmentation.SetMetaData("Segment0_Name", "L1")
    sitk.WriteImage(segmentation, folder / "body.seg.nrrd")
    for source, name in ((image, "T2w.nrrd"), (image, "image.nrrd"), (mask, "mask.nrrd")):
        shutil.copy(source, folder / name)


def ellipsoids(settings: PhantomSettings, folder: Path, **_: object) -> None:
    """As many patients as a phantom cohort has, quicker to make and to measure."""
    n = settings.n_malignant + settings.n_osteoporotic
    make_study(folder, n, settings.seed, PROTOCOL)
    (folder / MARKER).touch()
