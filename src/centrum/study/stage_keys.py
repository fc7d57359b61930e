"""What decides each stage of a study, and which stages are older than what decides them."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import astuple
from typing import Any

from centrum.errors import CentrumError
from centrum.protocol import Protocol
from centrum.provenance import MEASURING, MODELLING, PACKAGES, job_key
from centrum.stages import RESULTS, UNREADABLE, changed_result, not_made
from centrum.study.landmarks import is_learnt
from centrum.study.plan import read_plans
from centrum.study.readings import readings_digest
from centrum.study.study import PROTOCOL, Study
from centrum.study.tables import tables_digest
from centrum.table import HEAD, table_digest

_MEASURED = {
    "outcome", "eligibility", "keep_names", "describe", "tables", "sources", "join", "images",
    "preparation", "extraction",
}  # fmt: skip
_MODELLED = {"outcome", "model", "search", "split", "robustness"}


def extract_key(study: Study) -> str:
    """Of the table of features: the manifest, every file, and what the protocol says of them.

    Gaps in tables are taken where something fills them.
    """
    tables = (*study.protocol.tables, *study.protocol.sources)
    return job_key(
        "extract",
        MEASURING,
        protocol=_choices(study, _MEASURED),
        split=_choices(study, {"split"}) if _measured_by_split(study.protocol) else None,
        filled=bool(tables) and study.protocol.model.imputation.method != "none",
        manifest=[d for name, d in study.digests.items() if name != PROTOCOL],
        identities=list(map(astuple, study.cohort.identities)),
        simulated=study.simulated,
        tables=tables_digest(study) if tables else "",
        sources=list(study.sources.values()),
    )


def _measured_by_split(protocol: Protocol) -> bool:
    """Whether landmarks are learnt of training cases, or the table has their place in time."""
    return protocol.split.design == "temporal" or is_learnt(protocol.preparation)


def agree_key(study: Study) -> str:
    """Of the readers' agreement."""
    rule = study.protocol.model.agreement.model_dump(mode="json")
    return job_key("agree", MODELLING, table=_table(study), rule=rule)


def perturb_key(study: Study) -> str:
    """Of the perturbed measurements: the images again, and which features the table has."""
    settings = _choices(study, {"robustness"})
    return job_key(
        "perturb", PACKAGES, measured=extract_key(study), table=_table(study), settings=settings
    )


def morphometry_key(study: Study) -> str:
    """Of the measures of the vertebral bodies: the masks, which cases there are, the ICC's form."""
    settings, form = _choices(study, {"morphometry"}), study.protocol.model.agreement.form
    return job_key(
        "morphometry", PACKAGES, measured=extract_key(study), table=_table(study),
        settings=settings, form=form,
    )  # fmt: skip


def _model(study: Study) -> dict[str, object]:
    """All that decides a model: the numbers, and how they are modelled."""
    table = _table(study, **study.protocol.layers)
    return {"table": table, "protocol": _choices(study, _MODELLED)}


def fit_key(study: Study) -> str:
    """Of the final model and its out-of-fold scores."""
    evaluation = study.protocol.evaluation
    return job_key(
        "fit", MODELLING, **_model(study), folds=evaluation.cutoff_folds, seed=evaluation.seed
    )


def internal_key(study: Study) -> str:
    """Of the internal validation of the whole procedure, which reads nothing of explanations."""
    settings = study.protocol.evaluation.model_dump(mode="json", exclude={"explanation"})
    return job_key("internal", MODELLING, **_model(study), settings=settings)


_TELLING = ("report", "manuscript")
"""Stages that say how the regions were drawn, and what was planned."""


def _key_of_all(stage: str) -> Callable[[Study], str]:
    """Of a stage that reads the whole protocol, and all that the stages before it left."""

    def key(study: Study) -> str:
        left = study.stages.digests_of(*made_before(study, stage))
        drawn = readings_digest(study) if stage in _TELLING else ""
        plans = read_plans(study.folder) if stage in _TELLING else ()
        told = {"readings": drawn} if drawn else {}
        told |= {"plan": plans[-1].digest} if plans else {}
        return job_key(stage, PACKAGES, protocol=_choices(study), results=left, **told)

    return key


KEYS: Mapping[str, Callable[[Study], str]] = {
    "extract": extract_key,
    "agree": agree_key,
    "morphometry": morphometry_key,
    "perturb": perturb_key,
    "fit": fit_key,
    "internal": internal_key,
    **{
        stage: _key_of_all(stage)
        for stage in ("evaluate", "explain", "freeze", "report", "manuscript")
    },
}

_MEASURED_STAGES = ("extract", "morphometry", "perturb")
_ALL_STAGES = ("extract", "agree", "morphometry", "perturb", "fit", "internal", "evaluate",
               "explain", "freeze")  # fmt: skip

_READ: Mapping[str, tuple[str, ...]] = {
    "export": ("extract",),
    "agree": ("extract",),
    "morphometry": ("extract",),
    "perturb": ("extract",),
    "fit": _MEASURED_STAGES,
    "internal": _MEASURED_STAGES,
    "evaluate": (*_MEASURED_STAGES, "fit", "internal"),
    "explain": (*_MEASURED_STAGES, "fit", "internal", "evaluate"),
    "freeze": (*_MEASURED_STAGES, "fit", "internal", "evaluate"),
    "report": _ALL_STAGES,
    "manuscript": _ALL_STAGES,
}
"""The stages whose results each one reads, directly or not, in the order of a run."""


def made_before(study: Study, stage: str) -> Iterator[str]:
    """The stages that one reads, as far as the protocol has them."""
    for name in _READ[stage]:
        unread = name == "internal" and stage in ("evaluate", "explain", "freeze")
        if not has_stage(study.protocol, name):
            continue
        kept = stage == "freeze" and reads_refits(study.protocol)
        if unread and study.protocol.split.single_part and not kept:
            continue  # the test side of the final model is judged
        yield name


def reads_refits(protocol: Protocol) -> bool:
    """Whether the frozen model keeps refits of the internal validation."""
    return protocol.evaluation.optimism_resamples > 0


def has_stage(protocol: Protocol, stage: str) -> bool:
    """Whether a protocol asks for a stage; those with a block of their own are optional."""
    optional = {
        "perturb": protocol.robustness,
        "morphometry": protocol.morphometry,
        "explain": protocol.evaluation.explanation,
    }
    return stage not in optional or optional[stage] is not None


def _choices(study: Study, blocks: Collection[str] | None = None) -> dict[str, Any]:
    return study.protocol.model_dump(mode="json", include=set(blocks) if blocks else None)


def _table(study: Study, *, perturbed: bool = False, morphometry: bool = False) -> str:
    try:
        return table_digest(study.results, perturbed=perturbed, morphometry=morphometry)
    except UNREADABLE as error:
        raise changed_result(HEAD, "extract") from error


def is_current(study: Study, stage: str) -> bool:
    """Whether a stage need not be made again; what it reads must be current."""
    return study.stages.current(stage, KEYS[stage](study))


def refuse_stale(study: Study, stage: str) -> None:
    """Stop a stage before it reads results that are not those of the study as it is now.

    Raises
    ------
    CentrumError
        A stage that it reads has not been made ("not-made"), is older than what decides it
        ("stale"), or left a file that was changed since ("changed-result").
    """
    for name in made_before(study, stage):
        refuse_unless_current(study, name)


def refuse_unless_current(study: Study, stage: str) -> None:
    """Refuse one stage; see `refuse_stale`."""
    made = study.stages.read().get(stage)
    if made is None:
        raise not_made(RESULTS[stage][0], stage)
    for name in study.stages.changed(stage):
        there = (study.results / name).exists()
        raise changed_result(name, stage) if there else not_made(name, stage)
    if made.key != KEYS[stage](study):
        raise CentrumError(
            f"What `{stage}` left is older than the protocol, the manifest, the files or the "
            "results that it was made from, or than the software.",
            remedy=f"`centrum {stage} STUDY` makes it again; `centrum run STUDY` does so with all "
            "that comes after it.",
            code="stale",
        )
