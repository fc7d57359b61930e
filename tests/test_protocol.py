"""Protocols: presets, merging, refusals."""

from pathlib import Path

import pytest

from centrum.errors import ProtocolError
from centrum.protocol import load_preset, parse_protocol, presets, read_protocol


@pytest.mark.parametrize("name", presets())
def test_presets_are_valid_and_differ(name: str) -> None:
    protocol = load_preset(name)
    assert protocol.outcome.positive == "malignant"
    assert len({load_preset(other).digest() for other in presets()}) == len(presets())


def test_the_published_recipe_says_where_it_departs() -> None:
    protocol = load_preset("vcf-t2w-2024")
    assert protocol.extraction.dialect == "pyradiomics"
    assert (protocol.model.agreement.threshold, protocol.model.correlation.threshold) == (
        0.75,
        0.99,
    )
    assert (protocol.model.classifier, protocol.model.balance) == ("linear_svm", "repeat")
    assert protocol.model.n_features.folds == 5
    assert len(protocol.deviations) >= 4


def test_a_preset_with_changes() -> None:
    protocol = parse_protocol(
        "preset: vcf-t2w\n"
        "extraction: {discretisation: {method: fixed_bin_size, width: 10}}\n"
        "model: {classifier: linear_svm}\n",
        "study.yaml",
    )
    assert protocol.extraction.discretisation.label == "FBS10"
    assert protocol.model.classifier == "linear_svm"
    assert protocol.model.agreement == load_preset("vcf-t2w").model.agreement


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: [", "not YAML"),
        ("just words", "list of `key: value`"),
        ("preset: nothing", "no preset 'nothing'.*vcf-t2w"),
        ("name: x\nsplit: {train_fraction: 1.5}", "split.train_fraction"),
        ("name: x\nsplitt: {}", "splitt: Extra inputs"),
        ("name: x\noutcome: {positive: a, negative: A}", "must differ"),
        ("name: x\npreparation: {normalisation: {method: zscore}}", "normalisation.*'z_score'"),
        ("name: x\npreparation: {bias_field: {shrink_factor: 0}}", "shrink_factor"),
        (
            "name: x\npreparation: {normalisation: {method: z_score}}\n"
            "extraction: {normalise_scale: 100}",
            "normalised twice",
        ),
        (
            "name: x\npreparation: {normalisation: {method: percentile, lower: 9, upper: 9}}",
            "must be below `upper`",
        ),
        (
            "name: x\npreparation: {normalisation: {method: nyul, percentiles: [9, 1]}}",
            "must rise",
        ),
        (
            "name: x\npreparation: {normalisation: {method: nyul, landmarks: [0, 1]}}",
            "11 percentiles need as many landmarks, found 2",
        ),
        ("name: x\nextraction: {discretisation: {method: fixed_bin_size, bins: 3}}", "takes"),
        (
            "name: x\nextraction: {dialect: pyradiomics, aggregations: [3D_merged, 3D_averaged]}",
            "exactly one",
        ),
        ("name: x\neligibility: [{name: adults, require: 'import os'}]", "eligibility.0"),
        ("split: {seed: 1}", "name: Field required"),
    ],
)
def test_what_is_wrong_is_named(text: str, message: str) -> None:
    with pytest.raises(ProtocolError, match=message):
        parse_protocol(text, "study.yaml")


def test_all_problems_come_at_once() -> None:
    with pytest.raises(ProtocolError) as caught:
        parse_protocol("name: x\nsplit: {seed: a, sead: 1}\nimages: {reader: 3}", "study.yaml")
    assert str(caught.value).count("study.yaml: ") == 3


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match="centrum init"):
        read_protocol(tmp_path / "study.yaml")


def test_digest_changes_with_any_choice() -> None:
    base = parse_protocol("preset: vcf-t2w", "a")
    assert base.digest() == load_preset("vcf-t2w").digest()
    assert base.digest() != parse_protocol("preset: vcf-t2w\nsplit: {seed: 1}", "a").digest()


def test_another_method_of_normalisation_replaces_the_block() -> None:
    text = "name: x\npreparation: {bias_field: {}, normalisation: {method: nyul, over: image}}\n"
    nyul = parse_protocol(text, "a").preparation
    assert nyul.bias_field is not None
    assert (nyul.normalisation.method, nyul.normalisation.over) == ("nyul", "image")
    assert not load_preset("vcf-t2w-2024").preparation.active
