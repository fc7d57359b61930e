"""What was written and has no effect is refused or said, whatever the design and the features."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from centrum.errors import ProtocolError
from centrum.modelling.settings import Design
from centrum.protocol import Protocol, load_preset, parse_protocol, preset_text, presets
from centrum.protocol.choices import blocks_of
from centrum.protocol.unused import RULES, UNUSED, refuse_unused, unused_settings
from centrum.study.study import open_study
from centrum.validation.foresight import foresee_unused

SOURCE = Path(__file__).parents[2] / "src" / "centrum"
TABLES = "tables: [{file: a.csv, reader: R1}, {file: b.csv, reader: R2}]\n"


def said(text: str, name: str = "vcf-t2w") -> dict[str, str]:
    """Key -> severity of a preset's settings with those of a text."""
    found = unused_settings(parse_protocol(f"preset: {name}\n{text}", "study.yaml"))
    return {each.key: each.severity for each in found}


@pytest.mark.parametrize("name", presets())
@pytest.mark.parametrize("more", ["", TABLES, "search: {}\n", "model: {classifier: ridge}\n",
                                  "split: {design: nested_cv}\n"])  # fmt: skip
def test_a_preset_is_silent(name: str, more: str) -> None:
    assert said(more, name) == {}
    if not more:
        parsed = parse_protocol(preset_text(name), name)
        assert unused_settings(parsed) == ()


UNREAD = {
    "images: {on_sequence_mismatch: resample}": "images.on_sequence_mismatch",
    "preparation: {normalisation: {method: nyul, percentiles: [1, 99], landmarks: [3, 4], "
    "range: [0, 7]}}": "preparation.normalisation.range",
    "model: {harmonisation: {batch: scanner}}": "model.harmonisation.batch",
    "model: {harmonisation: {reference: A}}": "model.harmonisation.reference",
    "model: {imputation: {method: median, neighbours: 3}}": "model.imputation.neighbours",
    "model: {fusion: stacked}": "model.fusion",
    "model: {balance: class_weight}": "model.balance",
    "evaluation: {cutoff: {target: 0.8}}": "evaluation.cutoff.target",
    "evaluation: {cutoff: {cost_ratio: 3}}": "evaluation.cutoff.cost_ratio",
}  # fmt: skip


@pytest.mark.parametrize(("text", "key"), UNREAD.items())
def test_what_would_be_taken_for_done_is_refused(text: str, key: str) -> None:
    assert said(text) == {key: "error"}
    with pytest.raises(ProtocolError, match=re.escape(key)) as caught:
        refuse_unused(parse_protocol(f"preset: vcf-t2w\n{text}", "study.yaml"))
    assert caught.value.code == UNUSED
    assert caught.value.remedy.startswith("Remove it")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("model: {classifier: ridge, lasso: {choice: lambda.1se}}", "model.lasso.choice"),
        ("model: {classifier: ridge, lasso: {folds: 7}}\nevaluation: {ablation: false}",
         "model.lasso.folds"),
        ("extraction: {interpolation: {image: linear, boundary: nearest}}",
         "extraction.interpolation.boundary"),
        ("model: {C: 3}", "model.C"),
        ("model: {select: {n_features: 9}}", "model.select.n_features"),
        (f"{TABLES.split(', {')[0]}]\nmodel: {{agreement: {{threshold: 0.9}}}}",
         "model.agreement.threshold"),
        (f"{TABLES}images: {{reader: R3}}", "images.reader"),
        (f"{TABLES}images: {{sequences: [T2w, T1w]}}", "images.sequences"),
        (f"{TABLES}preparation: {{bias_field: {{}}}}", "preparation.bias_field"),
        (f"{TABLES}extraction: {{families: [glcm]}}", "extraction.families"),
        ("model: {select: {method: mrmr}}\nsearch: {}", "model.select.method"),
        ("model: {classifier: naive_bayes}\nsearch: {}", "model.classifier"),
        ("robustness: {kinds: [noise], rotation: 3}", "robustness.rotation"),
        ("robustness: {jitter_mm: 2}", "robustness.jitter_mm"),
        ("search: {halving: false, survivors: 5}", "search.survivors"),
        ("join: {min_share: 0.5}", "join.min_share"),
        ("extraction: {families: [glcm], coarseness: 2}", "extraction.coarseness"),
    ],
)  # fmt: skip
def test_the_size_of_a_step_that_is_not_taken_is_warned_of(text: str, key: str) -> None:
    assert {k: v for k, v in said(text).items() if k == key} == {key: "warning"}


def test_what_is_the_default_anyway_is_noted() -> None:
    text = "evaluation: {cutoff: {target: 0.9}}\nsplit: {folds: 5}"
    assert said(text) == {"evaluation.cutoff.target": "note", "split.folds": "note"}


OF_DESIGN = {
    "train_fraction": ("0.6", {"single", "repeated_split", "temporal"}),
    "repeats": ("3", {"repeated_split", "repeated_k_fold", "nested_cv"}),
    "folds": ("4", {"repeated_k_fold", "nested_cv"}),
    "by": ("scanner", {"leave_one_centre_out", "temporal", "external"}),
    "test_values": ("[B]", {"external"}),
    "test_from": ("2020-01-01", {"temporal"}),
    "seed": ("7", set(get_args(Design))),
}


@pytest.mark.parametrize("design", get_args(Design))
def test_a_split_takes_what_its_design_reads_and_nothing_else(design: str) -> None:
    needed = "test_values: [B], " if design == "external" else ""
    for key, (value, designs) in OF_DESIGN.items():
        own = "" if key == "test_values" else needed
        text = f"split: {{design: {design}, {own}{key}: {value}}}"
        assert said(text) == ({} if design in designs else {f"split.{key}": "error"})


def test_a_date_to_test_from_makes_the_share_of_patients_idle() -> None:
    text = "split: {design: temporal, test_from: 2020-01-01, train_fraction: 0.6}"
    assert said(text) == {"split.train_fraction": "error"}


def leaves(model: type[BaseModel], place: str = "") -> Iterator[tuple[str, str]]:
    """Every setting of a protocol: where it stands, and its name."""
    for name, field in model.model_fields.items():
        below = [kind for kind in blocks_of(field.annotation) if kind.__name__ != "Filter"]
        yield f"{place}{name}", name
        for kind in below:
            yield from leaves(kind, f"{place}{name}.")


def test_every_setting_is_read_somewhere() -> None:
    """A field of the settings that no code reads would be accepted and ignored everywhere."""
    code = "\n".join(
        path.read_text() for path in SOURCE.rglob("*.py") if path.name != "settings.py"
    )
    read = {*re.findall(r"\.(\w+)", code), *re.findall(r"\b(\w+)=", code)}
    read |= {*re.findall(r"\"(\w+)\"", code)}
    passed_whole = re.findall(r"\*\*dict\((?:\w+\.)*(\w+)\)", code)
    unread = {
        place for place, name in leaves(Protocol)
        if name not in read
        and place.split(".")[-2] not in passed_whole
    }  # fmt: skip
    assert unread <= {"model.rfe.step"}  # only 1 is allowed


def test_the_rules_name_settings_that_there_are() -> None:
    known = {place for place, _ in leaves(Protocol)}
    assert {key for rule in RULES for key in rule.keys} <= known


def test_check_and_run_say_it(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text("preset: vcf-t2w\nsplit: {test_values: [B]}")
    (tmp_path / "cases.csv").write_text("case,outcome,image,mask\na,malignant,i.nrrd,m.nrrd\n")
    with pytest.raises(ProtocolError, match=r"split.test_values: only the design external uses it"):
        open_study(tmp_path)
    (tmp_path / "study.yaml").write_text("preset: vcf-t2w")
    study = open_study(tmp_path)
    assert list(foresee_unused(study)) == []
    assert load_preset("vcf-t2w") == study.protocol


def test_the_sparse_model_reads_the_path_whatever_the_model_is() -> None:
    assert said("model: {classifier: ridge, lasso: {folds: 7}}") == {}
