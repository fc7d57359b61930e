"""The page on preparation says what the code does and what was measured."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from pydantic import BaseModel

from centrum.measure.case import ALL_READERS
from centrum.prepare import body
from centrum.prepare.settings import MIN_REFERENCE_VOXELS, BiasField, Nyul, Preparation
from centrum.protocol import parse_protocol

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "concepts" / "preparation.md"
TEXT = PAGE.read_text("utf-8")
MEASURED = json.loads((ROOT / "benchmarks/results/spine_preparation.json").read_text("utf-8"))


def test_the_protocol_is_one() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    found = parse_protocol("preset: vcf-t2w\n" + text, "page").preparation
    assert found.bias_field == BiasField()
    assert found.normalisation.segments == ("reference", "L3")
    assert ALL_READERS not in found.normalisation.segments


def test_every_method_is_described() -> None:
    scale = Preparation.model_fields["normalisation"].annotation
    kinds: tuple[type[BaseModel], ...] = scale.__args__
    methods = {kind.model_fields["method"].default for kind in kinds}
    assert set(re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE)) == methods


@pytest.mark.parametrize("name", MEASURED["cv_percent"])
def test_the_table_is_what_was_measured(name: str) -> None:
    values = MEASURED["cv_percent"][name].values()
    cells = [f"{v:.1f} %" if v is not None else "" for v in values]
    assert f"| {name} | {' | '.join(cells)} |" in TEXT


def test_numbers_are_those_of_the_code_and_the_benchmark() -> None:
    times = {k: np.median(v) for k, v in MEASURED["n4_cpu_seconds"].items()}
    for wanted in (
        f"at most {body.BLOCK_MM} mm",
        f"percentile {body.DARKEST:g}",
        f"percentile {body.BRIGHTEST:g}",
        f"{body.BODY_FRACTION:.0%}".replace("%", " %"),
        f"up to {2 * body.CLOSE_MM:g} mm",
        f"at least {MIN_REFERENCE_VOXELS} voxels",
        f"N4 takes {times['8']:.1f} s",
        f"and {times['4']:.0f} s at 4",
    ):
        assert wanted in TEXT, wanted
    assert len(Nyul().percentiles) == 11
