"""Radiomics studies of vertebral compression fractures, from images to a report.

The folders are read in the order of the data: `io`, `cohort`, `prepare`, `filters`, `kernels`,
`features` and `measure` make numbers of a case; `study` makes a table of a folder; `agreement`,
`modelling`, `evaluate` and `validation` an evaluated model of the table; `frozen` one that others
can use; `report` and `manuscript` write about it. `commands` holds the verbs.

What a program needs first can be had from here, and is loaded when it is asked for:

>>> import centrum
>>> centrum.load_preset("vcf-t2w").split.design
'single'
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from centrum.commands.begin import init as init
    from centrum.commands.study import (
        agree as agree,
        explain as explain,
        extract as extract,
        fit as fit,
        freeze as freeze,
        internal as internal,
        run as run,
    )
    from centrum.evaluate import Evaluation as Evaluation
    from centrum.frozen.model import FrozenModel as FrozenModel, read_model as read_model
    from centrum.io import read_image as read_image, read_mask as read_mask
    from centrum.modelling.pipeline import StudyClassifier as StudyClassifier
    from centrum.protocol import (
        Protocol as Protocol,
        load_preset as load_preset,
        parse_protocol as parse_protocol,
    )
    from centrum.provenance import __version__ as __version__
    from centrum.study.study import Study as Study, open_study as open_study
    from centrum.table import FeatureTable as FeatureTable

_HOMES = {
    "__version__": "centrum.provenance",
    "Evaluation": "centrum.evaluate",
    "FeatureTable": "centrum.table",
    "FrozenModel": "centrum.frozen.model",
    "Protocol": "centrum.protocol",
    "Study": "centrum.study.study",
    "StudyClassifier": "centrum.modelling.pipeline",
    "agree": "centrum.commands.study",
    "explain": "centrum.commands.study",
    "extract": "centrum.commands.study",
    "fit": "centrum.commands.study",
    "freeze": "centrum.commands.study",
    "init": "centrum.commands.begin",
    "internal": "centrum.commands.study",
    "load_preset": "centrum.protocol",
    "open_study": "centrum.study.study",
    "parse_protocol": "centrum.protocol",
    "read_image": "centrum.io",
    "read_mask": "centrum.io",
    "read_model": "centrum.frozen.model",
    "run": "centrum.commands.study",
}
"""Where a name of the public face lives."""

__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'centrum' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
