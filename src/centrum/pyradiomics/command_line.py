"""What `python -m centrum.pyradiomics` does: the work of PyRadiomics' script `pyradiomics`."""

import argparse
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TextIO

from centrum.errors import CentrumError, describe
from centrum.execution import run_jobs, silent
from centrum.measure.case import warm_up
from centrum.pyradiomics.batch import BatchCase, BatchExtraction, Measured, cases_of, is_batch
from centrum.pyradiomics.batch_results import Form
from centrum.pyradiomics.command_options import parser
from centrum.pyradiomics.engine import extraction_settings
from centrum.pyradiomics.feature_names import FAMILIES, FEATURE_CLASSES
from centrum.pyradiomics.featureextractor import RadiomicsFeatureExtractor
from centrum.pyradiomics.parameters import read_parameter_file
from centrum.pyradiomics.settings import setting_from_text
from centrum.pyradiomics.verbosity import Messages

logger = logging.getLogger("radiomics.script")

DONE, FAILED, REFUSED, CANCELLED = 0, 1, 3, -1
"""Exit codes: all is well, a case failed, nothing can be measured, stopped by Ctrl-C."""

COMPILED = tuple(
    family for name in FEATURE_CLASSES if name != "shape2D" for family in FAMILIES[name]
)
"""Families whose loops are compiled before processes start."""

Measure = Callable[[BatchCase], Measured]


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; the exit code."""
    chosen = parser().parse_args(arguments)
    messages = Messages((6 - chosen.verbosity) * 10, chosen.log_file, chosen.logging_level)
    with messages.shown():
        try:
            return _run(chosen, messages)
        except (CentrumError, OSError) as error:
            logger.error("%s", describe(error))
            return REFUSED
        except KeyboardInterrupt:
            logger.info("Cancelling BatchExtraction")
            return CANCELLED


def _run(chosen: argparse.Namespace, messages: Messages) -> int:
    cases = cases_of(chosen.input, chosen.mask)
    if chosen.validate:
        return _validate(chosen.param, cases)
    extraction = BatchExtraction(_extractor(chosen), chosen.mode, chosen.out_dir, chosen.unix_path)
    found = _measured(extraction, cases, messages, min(chosen.jobs, len(cases)))
    start = Path(chosen.input).parent if is_batch(chosen.input) else Path.cwd()
    form = Form(chosen.format, chosen.format_path, start, chosen.unix_path, chosen.skip_nans)
    with _opened(chosen.out) as out:
        form.write([one.values for one in found], out)
    return _ending(found)


def _extractor(chosen: argparse.Namespace) -> RadiomicsFeatureExtractor:
    settings = overrides(chosen.setting)
    if chosen.label is not None:
        settings["label"] = chosen.label
    files = [] if chosen.param is None else [chosen.param]
    return RadiomicsFeatureExtractor(*files, **settings)


def overrides(given: Sequence[str]) -> dict[str, object]:
    """Settings written as NAME:VALUE.

    >>> overrides(["binWidth:10", "distances:1,2", "force2D:true"])
    {'binWidth': 10.0, 'distances': [1, 2], 'force2D': True}

    Raises
    ------
    ParameterError
        One has no colon, no name of a setting, or a value that is not allowed.
    """
    return dict(setting_from_text(text) for text in given)


def _validate(param: str | None, cases: Sequence[BatchCase]) -> int:
    """Look at the parameter file, and for the files of all cases."""
    errors = [case for case in cases if not case.has_files()]
    for case in errors:
        logger.error("Case %d of %d: the image or mask does not exist.", case.number, len(cases))
    if param is not None:
        read_parameter_file(param)
    logger.info("Validation complete, errors found in %d case(s)", len(errors))
    return FAILED if errors else DONE


def _measured(
    extraction: BatchExtraction, cases: Sequence[BatchCase], messages: Messages, workers: int
) -> list[Measured]:
    """What was found of each case, in their order."""
    measure: Measure = extraction.measure
    if workers > 1:
        measure = partial(_in_process, extraction, messages)
    compiled = partial(warm_up, extraction_settings({}, COMPILED))
    return run_jobs(
        measure, cases, workers, silent, "Measuring", failed=extraction.failed, warm_up=compiled
    )


def _in_process(extraction: BatchExtraction, messages: Messages, case: BatchCase) -> Measured:
    """Measure a case in a process of its own, whose messages go where the others' do."""
    with messages.shown():
        return extraction.measure(case)


@contextmanager
def _opened(path: str | None) -> Iterator[TextIO]:
    """The file to append to, or what is printed."""
    if path is None:
        yield sys.stdout
        return
    with open(path, "a", encoding="utf-8", newline="\n") as file:
        yield file


def _ending(found: Sequence[Measured]) -> int:
    failures = sum(one.failed for one in found)
    if failures:
        logger.error("%d of %d cases failed.", failures, len(found))
        return FAILED
    logger.info("Finished extraction successfully")
    return DONE
