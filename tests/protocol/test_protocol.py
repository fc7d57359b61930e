"""Protocols: presets, merging, refusals."""

from pathlib import Path

import pytest

from centrum.errors import ProtocolError
from centrum.protocol import examine_protocol, load_preset, parse_protocol, presets, read_protocol


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
        ("name: x\nsplitt: {}", r"splitt: there is no such key; did you mean split\?"),
        ("name: x\nseed: 3", r"did you mean robustness\.seed or split\.seed\?"),
        (
            "name: x\npreparation: {normalisation: {method: z_score, ovr: body}}",
            r"preparation\.normalisation\.ovr: .* did you mean preparation\.normalisation\.over\?",
        ),
        (
            "name: x\nfoo: 3",
            "foo: there is no such key; remove it; there are describe, description,",
        ),
        ("name: x\nmodel: {classifier: logistics}", "found 'logistics'. Did you mean logistic?"),
        ("preset: vcf-t2", r"There are vcf-t2w.* Did you mean vcf-t2w\?"),
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
        (
            "name: x\npreparation: {normalisation: {method: nyul, percentiles: [1, 50, 99], "
            "landmarks: [0, 60, 60]}}",
            "`landmarks` must rise, as percentiles do, found 60 before 60",
        ),
        ("name: x\nextraction: {discretisation: {method: fixed_bin_size, bins: 3}}", "takes"),
        (
            "name: x\nextraction: {dialect: pyradiomics, aggregations: [3D_merged, 3D_averaged]}",
            "exactly one",
        ),
        ("name: x\neligibility: [{name: adults, require: 'import os'}]", "eligibility.0"),
        ("split: {seed: 1}", "name: this key is required"),
        (
            "name: x\nevaluation: {cutoff: {rule: cost, prevalence: 0.1}}",
            r"evaluation.cutoff.prevalence: there is no such key; did you mean "
            r"evaluation.prevalence\?",
        ),
    ],
)
def test_what_is_wrong_is_named(text: str, message: str) -> None:
    with pytest.raises(ProtocolError, match=message):
        parse_protocol(text, "study.yaml")


def test_all_problems_come_at_once() -> None:
    with pytest.raises(ProtocolError) as caught:
        parse_protocol("name: x\nsplit: {seed: a, sead: 1}\nimages: {reader: 3}", "study.yaml")
    assert str(caught.value).count("study.yaml: ") == 3


def test_what_can_be_understood_is_kept() -> None:
    text = "name: x\nsplit: {seed: 7, fold: 3}\neligibility: [{name: a, require: age > 1, x: 1}]"
    protocol, faults = examine_protocol(text, "study.yaml")
    assert protocol.split.seed == 7
    assert protocol.eligibility[0].require == "age > 1"
    assert {fault.path for fault in faults} == {("split", "fold"), ("eligibility", 0, "x")}
    assert all(fault.code == "unknown-key" and fault.remedy for fault in faults)


def test_a_file_that_is_not_utf_8_is_told(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_bytes("name: Köln".encode("latin-1"))
    with pytest.raises(ProtocolError, match="not text in UTF-8"):
        read_protocol(path)
    path.write_text("name: Köln", encoding="utf-8-sig")
    assert read_protocol(path).name == "Köln"


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
