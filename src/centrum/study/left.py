"""What an earlier run has left: whether it is all there, and what is told of it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from centrum.io.csv_text import read_frame
from centrum.stages import EVALUATION, PAGE, PERTURBATIONS, RESULTS
from centrum.study.extraction import Extraction, for_console, load_extraction
from centrum.study.findings import EVERY_CASE, Finding
from centrum.study.stage_keys import has_stage, is_current
from centrum.study.study import Study, foresee_unused
from centrum.table import MORPHOMETRY

SIDES = ("train", "out_of_fold", "test")
"""What evaluations are of."""


def up_to_date(study: Study) -> Extraction | None:
    """What was told of the measurement, where a run has nothing to do; None where it has.

    A run tries what could not be measured again.
    """
    wanted = [stage for stage in RESULTS if has_stage(study.protocol, stage)]
    if study.stages.read().keys() - {*wanted}:
        return None
    stages = [stage for stage in wanted if stage != "manuscript"]
    if not all(is_current(study, stage) for stage in stages) or _failed(study):
        return None
    known = load_extraction(study)
    if known.failures or any(finding.severity == "error" for finding in known.findings):
        return None
    study.keep_key()
    findings = for_console(study, known.findings)
    told = (*findings, *foresee_unused(study), *edited(study), *old_manuscript(study))
    return replace(known, findings=told)


def _failed(study: Study) -> bool:
    """Whether a perturbation or a body of a case could not be measured."""
    optional = {"perturb": PERTURBATIONS, "morphometry": MORPHOMETRY}
    names = [name for stage, name in optional.items() if has_stage(study.protocol, stage)]
    left = [study.stages.result(name, partial(read_frame, na_filter=False)) for name in names]
    return any((done["error"] != "").any() for done in left)


def edited(study: Study) -> Iterator[Finding]:
    """Results that are not as their stages left them; the page is marked when a run fails."""
    for stage in study.stages.read():
        for name in study.stages.changed(stage):
            if name != PAGE and (study.results / name).exists():
                text = f"{name} was not as `{stage}` left it: it is made again."
                yield Finding(EVERY_CASE, "", "note", "changed-result", text, name)


def old_manuscript(study: Study) -> Iterator[Finding]:
    """A manuscript of an earlier run, or version: until 0.2.1 it was not recorded."""
    if (study.results / "manuscript").is_dir() and not is_current(study, "manuscript"):
        remedy = "`centrum manuscript STUDY` writes it anew."
        text = f"The manuscript is that of an earlier run. {remedy}"
        yield Finding(EVERY_CASE, "", "note", "old-manuscript", text, remedy=remedy)


def load_evaluations(study: Study) -> dict[str, Mapping[str, Any]]:
    """What `evaluate` found of the training cases, apparent and out of fold, and the test cases."""
    record = _evaluation(study)
    return {side: record[side] for side in SIDES}


def load_area_over_parts(study: Study) -> Mapping[str, Any] | None:
    """The mean AUC over the parts of a design with several; None of another."""
    found: Mapping[str, Any] | None = _evaluation(study).get("over_parts", {}).get("AUC")
    return found


def _evaluation(study: Study) -> dict[str, Any]:
    record: dict[str, Any] = study.stages.result(
        EVALUATION, lambda path: json.loads(path.read_bytes())
    )
    return record
