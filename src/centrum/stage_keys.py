"""What decides each stage of a study, and which stages are older than what decides them."""

from collections.abc import Callable, Mapping

from centrum import __version__
from centrum.errors import CentrumError
from centrum.provenance import digest, file_digest
from centrum.study import Study, manifest_path, not_made
from centrum.table import FEATURES, PERTURBED
from centrum.tabular import tables_digest

MAKERS = {
    FEATURES: "extract",
    "agreement.csv": "agree",
    PERTURBED: "perturb",
    "fit.json": "fit",
    "scores.csv": "fit",
    "assessment.json": "assess",
}
"""The command that makes each result which other stages read."""

_MEASURED = {"outcome", "eligibility", "tables", "images", "preparation", "extraction"}
_MODELLED = {"outcome", "model", "search", "split"}


def file_key(study: Study, name: str) -> str:
    """Version and digest of a result.

    Raises
    ------
    ProtocolError
        It is not there yet; the command that makes it is named.
    """
    path = study.results / name
    if not path.is_file():
        raise not_made(path, MAKERS[name])
    return f"{__version__} {file_digest(path)}"


def manifest_digest(study: Study) -> str:
    """Digest of the table of cases."""
    return file_digest(manifest_path(study.folder))


def extract_key(study: Study) -> str:
    """Of the table of features: the manifest, and what the protocol says of measuring.

    The bytes of the images are left to the store, which knows them case by case.
    """
    blocks = study.protocol.model_dump(mode="json", include=_MEASURED)
    tables = tables_digest(study) if study.protocol.tables else ""
    return digest([__version__, blocks, manifest_digest(study), tables])


def agree_key(study: Study) -> str:
    """Of the readers' agreement."""
    rule = study.protocol.model.agreement.model_dump(mode="json")
    return digest([file_key(study, FEATURES), rule])


def perturb_key(study: Study) -> str:
    """Of the perturbed measurements, of a protocol that wants them."""
    how = study.protocol.robustness
    return digest([file_key(study, FEATURES), how.model_dump(mode="json") if how else None])


def model_key(study: Study) -> list[object]:
    """All that decides a model: the numbers, and how they are modelled."""
    blocks = study.protocol.model_dump(mode="json", include=_MODELLED)
    layer = [perturb_key(study), file_key(study, PERTURBED)] if study.protocol.robustness else []
    return [file_key(study, FEATURES), blocks, *layer]


def fit_key(study: Study) -> str:
    """Of the final model and its out-of-fold scores."""
    how = study.protocol.evaluation
    return digest([*model_key(study), how.cutoff_folds, how.seed])


def assess_key(study: Study) -> str:
    """Of the judgement of the whole procedure."""
    how = study.protocol.evaluation.model_dump(mode="json")
    return digest([*model_key(study), how, file_key(study, "fit.json")])


KEYS: Mapping[str, Callable[[Study], str]] = {
    "extract": extract_key,
    "agree": agree_key,
    "perturb": perturb_key,
    "fit": fit_key,
    "assess": assess_key,
}
"""Stages that leave what a report reads, in their order."""


def refuse_stale(study: Study) -> None:
    """Stop before results are shown that are not those of the study as it is now.

    Raises
    ------
    CentrumError
        A stage has not been made, or is older than what decides it.
    """
    for stage, key in KEYS.items():
        wanted = stage != "perturb" or study.protocol.robustness is not None
        if wanted and not study.stages.current(stage, key(study)):
            made = stage in study.stages.read()
            raise CentrumError(
                f"What `{stage}` left is older than the protocol, the manifest or the results "
                "that it was made from."
                if made
                else f"`{stage}` has not been run yet.",
                remedy="`centrum run STUDY` makes it, and what comes after it, again.",
                code="stale" if made else "not-made",
            )
