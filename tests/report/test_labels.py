"""Labels of features: all differ within a study, and say the same wherever a feature is named."""

import re
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given, strategies as st

from centrum.features.aggregation import AGGREGATIONS
from centrum.features.feature_id import FeatureId
from centrum.features.recognise import recognise
from centrum.features.registry import catalogue
from centrum.features.settings import ExtractionSettings, FamilyName, RegionRatio
from centrum.filters import FILTERS, Filter
from centrum.filters.gabor import Gabor
from centrum.filters.laws import Laws
from centrum.filters.log import LaplacianOfGaussian
from centrum.filters.mean import Mean
from centrum.filters.pyradiomics_log import RecursiveLaplacian
from centrum.filters.riesz import RieszLog, RieszSimoncelli
from centrum.filters.simoncelli import Simoncelli
from centrum.filters.wavelet import Wavelet
from centrum.measure.regions import plan_regions
from centrum.report.labels import labels_within, short_labels, wrapped
from centrum.report.words.filters import image_labels
from centrum.settings import Dialect

SHORT = 28
"""Characters of a label of the image itself that fit beside an axis."""

EVERY_FAMILY = get_args(FamilyName)

IBSI_FILTERS: tuple[Filter, ...] = (
    LaplacianOfGaussian(sigma=1), LaplacianOfGaussian(sigma=1, dimension="2D"),
    LaplacianOfGaussian(sigma=2.5), Mean(support=3), Mean(support=5),
    Wavelet(wavelet="haar"), Wavelet(wavelet="coif1", levels=(1, 2)),
    Laws(kernels="L5E5E5"), Laws(kernels="L5E5E5", pooling="max"),
    Gabor(sigma=5, wavelength=2, theta=0), Gabor(sigma=5, wavelength=3, theta=0),
    Gabor(sigma=5, wavelength=2, theta=45), Simoncelli(levels=(1, 2)),
    RieszLog(order=(1, 0, 0), sigma=2), RieszSimoncelli(order=(1, 0, 0)),
    RieszSimoncelli(order=(0, 1, 0)),
)  # fmt: skip

PYRADIOMICS_FILTERS: tuple[Filter, ...] = tuple(
    RecursiveLaplacian(sigma=(1.0, 2, 3.5)) if kind is RecursiveLaplacian else kind()
    for kind in FILTERS.values()
    if kind.dialect == "pyradiomics"
)


def _features(
    settings: ExtractionSettings, sequences: tuple[str, ...] = (), regions: tuple[str, ...] = ()
) -> dict[str, FeatureId]:
    measured = plan_regions(settings, sequences, regions)
    return {feature.spell(settings.dialect): feature for feature in measured}


def _settings(dialect: Dialect, **further: object) -> ExtractionSettings:
    return ExtractionSettings(dialect=dialect, families=EVERY_FAMILY, **further)  # type: ignore[arg-type]


@st.composite
def studies(draw: st.DrawFn) -> tuple[ExtractionSettings, dict[str, FeatureId]]:
    """All families of a dialect with some filters, aggregations, sequences, regions and ratios."""
    dialect: Dialect = draw(st.sampled_from(get_args(Dialect)))
    ibsi = dialect == "ibsi"
    filters = draw(
        st.lists(
            st.sampled_from(IBSI_FILTERS if ibsi else PYRADIOMICS_FILTERS),
            max_size=2,
            unique_by=repr,
        )
    )
    merged = draw(
        st.lists(st.sampled_from([*AGGREGATIONS]), min_size=1, max_size=2 if ibsi else 1,
                 unique=True)
    )  # fmt: skip
    regions = draw(st.sampled_from([(), ("above",), ("above", "muscle")]))
    ratios = tuple(RegionRatio(to=name, families=("glcm", "statistics")) for name in regions)
    settings = _settings(dialect, filters=filters, aggregations=merged, ratios=ratios)
    sequences = draw(st.sampled_from([("T2w",), ("T2w", "T1w"), ("T2w", "T1w", "STIR")]))
    return settings, _features(settings, sequences, regions)


@given(studies(), st.randoms(use_true_random=False))
def test_all_features_of_a_study_are_told_apart(study, random) -> None:
    settings, features = study
    labels = short_labels(features, settings.filters)
    assert len(set(labels.values())) == len(features)
    names = [*features]
    random.shuffle(names)
    again = short_labels({name: features[name] for name in names}, settings.filters)
    assert again == labels
    few = {name: features[name] for name in names[:7]}
    assert labels_within(few, settings) == {name: labels[name] for name in few}


@pytest.mark.parametrize("dialect", get_args(Dialect))
def test_a_feature_of_the_image_itself_has_a_short_label(dialect: Dialect) -> None:
    settings = _settings(dialect)
    labels = short_labels(_features(settings), ())
    long = [label for label in labels.values() if len(label) > SHORT or "_" in label]
    assert long == []


def test_a_label_names_what_the_feature_is_of() -> None:
    feature = FeatureId("log-2mm-3D", "glcm", "contrast", "ACUI", "Contrast", "FBN32", "3D_merged")
    placed = replace(feature, region="muscle", sequence="T1w")
    log = LaplacianOfGaussian(sigma=2)
    assert short_labels({"a": feature, "b": placed}, [log]) == {
        "a": "GLCM contrast (LoG 2 mm)",
        "b": "GLCM contrast (LoG 2 mm, muscle, T1w)",
    }
    other = replace(feature, discretisation="FBN64")
    assert short_labels({"a": feature, "b": other}, [log]) == {
        "a": "GLCM contrast (LoG 2 mm, FBN32)",
        "b": "GLCM contrast (LoG 2 mm, FBN64)",
    }


def test_images_that_would_be_called_the_same_keep_their_names() -> None:
    flat = LaplacianOfGaussian(sigma=1, dimension="2D")
    assert image_labels([LaplacianOfGaussian(sigma=1), flat, LaplacianOfGaussian(sigma=2)]) == {
        "log-1mm-3D": "log-1mm-3D",
        "log-1mm-2D": "log-1mm-2D",
        "log-2mm-3D": "LoG 2 mm",
    }


@pytest.mark.parametrize("kind", [f.filter for f in (*IBSI_FILTERS, *PYRADIOMICS_FILTERS)])
def test_every_response_map_has_a_label(kind: str) -> None:
    chosen = next(f for f in (*IBSI_FILTERS, *PYRADIOMICS_FILTERS) if f.filter == kind)
    labels = image_labels([chosen])
    assert [*labels] == [*chosen.names]
    assert all(len(label) <= 24 for label in labels.values())


def test_columns_of_tables_made_elsewhere_are_recognised_or_keep_their_names() -> None:
    names = (
        "wavelet-LLH_glcm_Contrast", "log-sigma-2-0-mm-3D_firstorder_Skewness", "Contrast.5",
        "original_glcm_contrast_FBN32_2.5D_merged", "original_glcm_contrast_FBN64_2.5D_merged",
        "GLCM contrast (FBN32)",
    )  # fmt: skip
    assert [*short_labels({name: recognise(name) for name in names}, ()).values()] == [
        "GLCM contrast (wavelet LLH)",
        "Intensity skewness (LoG 2 mm)",
        "Contrast.5",
        "original_glcm_contrast_FBN32_2.5D_merged",
        "GLCM contrast (FBN64)",
        "GLCM contrast (FBN32)",
    ]


def test_every_feature_of_the_catalogue_has_a_short_name_of_its_own() -> None:
    entries = [(entry.family, entry.short) for entry in catalogue().values()]
    assert all(short for _, short in entries)
    assert len(set(entries)) == len(entries)
    assert not any("." in short for _, short in entries), "a label stands within a sentence"


@given(st.text("abc-() ", max_size=60), st.integers(6, 30), st.integers(1, 3))
def test_no_word_is_broken_in_its_middle(text: str, width: int, lines: int) -> None:
    found = wrapped(text, width, lines).split("\n")
    assert len(found) <= lines
    assert all(len(line) <= width for line in found)
    whole = " ".join(found)
    if "…" not in whole:
        assert re.sub("- ", "-", whole).split() == re.sub("- ", "-", text).split()


@given(st.text("abc", min_size=31, max_size=80), st.integers(6, 30))
def test_a_word_without_hyphens_is_shortened_rather_than_broken(word: str, width: int) -> None:
    found = wrapped(word, width, 3)
    assert "\n" not in found
    assert "…" in found
