"""What the package itself offers: classes, loggers, names."""

import logging

import numpy as np
import pytest

from centrum import pyradiomics
from centrum.pyradiomics import featureextractor, firstorder, glcm, shape, shape2D
from tests.pyradiomics import cases


def test_every_class_gives_what_the_extractor_gives():
    settings = {"binWidth": 20, "label": 3, "force2D": True}
    extractor = featureextractor.RadiomicsFeatureExtractor(additionalInfo=False, **settings)
    extractor.enableAllFeatures()
    wanted = extractor.execute(cases.image(), cases.mask())
    found = {}
    for name, make in pyradiomics.getFeatureClasses().items():
        features = make(cases.image(), cases.mask(), **settings)
        features.enableAllFeatures()
        assert features.execute() is features.featureValues
        found |= {f"original_{name}_{k}": v for k, v in features.featureValues.items()}
    assert found == wanted


@pytest.mark.parametrize("dimension", [0, 1, 2])
def test_every_class_of_a_2d_image_gives_what_the_extractor_gives(dimension):
    image, mask = cases.image()[:, :, 4], cases.mask()[:, :, 4]
    settings = {"binWidth": 20, "force2D": True, "force2Ddimension": dimension}
    extractor = featureextractor.RadiomicsFeatureExtractor(additionalInfo=False, **settings)
    extractor.enableAllFeatures()
    classes = pyradiomics.getFeatureClasses()
    del classes["shape"]
    found = {
        f"original_{name}_{feature}": value
        for name, make in classes.items()
        for feature, value in make(image, mask, **settings).execute().items()
    }
    assert found == extractor.execute(image, mask)


def test_features_of_a_class():
    features = glcm.RadiomicsGLCM(cases.image(), cases.mask())
    assert glcm.RadiomicsGLCM.getFeatureNames()["SumVariance"] is True
    features.enableFeatureByName("Contrast", True)
    features.enableFeatureByName("Id")
    features.enableFeatureByName("Id", False)
    assert list(features.execute()) == ["Contrast"]
    assert features.getContrastFeatureValue() == features.featureValues["Contrast"]
    assert "ACUI" in features.getContrastFeatureValue.__doc__
    with pytest.raises(LookupError):
        features.enableFeatureByName("Nonsense")
    with pytest.raises(AttributeError):
        features.getNonsenseFeatureValue()
    features.disableAllFeatures()
    assert features.featureValues == {}


def test_classes_refuse_what_they_cannot_measure():
    with pytest.raises(ValueError, match="Missing input"):
        firstorder.RadiomicsFirstOrder(None, cases.mask())
    with pytest.raises(ValueError, match="one size"):
        firstorder.RadiomicsFirstOrder(cases.image()[:9], cases.mask()).execute()
    with pytest.raises(NotImplementedError, match="voxel-based"):
        shape.RadiomicsShape(cases.image(), cases.mask(), voxelBased=True)
    with pytest.raises(ValueError, match="slice"):
        shape2D.RadiomicsShape2D(cases.image(), cases.mask(), force2D=True).execute()


def test_names_of_the_classes():
    names = [c.__name__ for c in pyradiomics.getFeatureClasses().values()]
    assert names == [
        "RadiomicsFirstOrder",
        "RadiomicsGLCM",
        "RadiomicsGLDM",
        "RadiomicsGLRLM",
        "RadiomicsGLSZM",
        "RadiomicsNGTDM",
        "RadiomicsShape",
        "RadiomicsShape2D",
    ]
    assert firstorder.RadiomicsFirstOrder is pyradiomics.getFeatureClasses()["firstorder"]


def test_verbosity():
    assert pyradiomics.logger is logging.getLogger("radiomics")
    assert pyradiomics.handler in pyradiomics.logger.handlers
    pyradiomics.setVerbosity(logging.DEBUG)
    assert (pyradiomics.handler.level, pyradiomics.logger.level) == (10, 10)
    pyradiomics.setVerbosity(90)
    assert (pyradiomics.handler.level, pyradiomics.logger.level) == (60, 10)
    pyradiomics.setVerbosity(logging.WARNING)
    pyradiomics.logger.setLevel(logging.INFO)


def test_nothing_is_downloaded():
    with pytest.raises(NotImplementedError, match=r"brain1_image\.nrrd.*releases/tag/v1\.0"):
        pyradiomics.getTestCase("brain1")


def test_the_version_says_whom_it_replaces_and_who_it_is():
    assert pyradiomics.__version__.startswith("3.0.1+centrum.")


def test_constant_regions_have_values():
    image = cases.as_image(np.full(cases.SHAPE, 7, np.int16))
    found = featureextractor.RadiomicsFeatureExtractor(additionalInfo=False).execute(
        image, cases.mask()
    )
    assert len(found) == 107
    assert float(found["original_glcm_Contrast"]) == 0
    assert float(found["original_ngtdm_Coarseness"]) == 1e6
