"""Settings that were written and have no effect: refused, or said.

A setting of something that is not done would change nothing without a word. Each line of `RULES`
says which settings are read under which other choices, and what happens where they are not: what
the reader of the file must take for done (a test on another centre, a fusion) stops a study; the
size of a step that is not taken is warned of. What equals the default or a preset is only noted
or, as presets are written out by `centrum init`, not told at all.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from centrum.errors import ProtocolError
from centrum.protocol.protocol import Protocol, load_preset, presets
from centrum.settings import Settings

UNUSED = "unused-setting"
"""Code of what is said of them."""

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Unused:
    """A setting without effect: its dotted key, how bad that is, what is said and what to do."""

    key: str
    severity: Severity
    message: str
    remedy: str


@dataclass(frozen=True)
class _Dependency:
    """Settings that are read only under other choices.

    Attributes
    ----------
    keys : dotted; a block stands for all of its settings
    read : whether they are, in a protocol
    by : what reads them, as the subject of "uses it"
    choose : what to write for them to be read; "" where nothing would help
    stops : whether a study must not go on that says otherwise
    """

    keys: tuple[str, ...]
    read: Callable[[Protocol], bool]
    by: str
    choose: str = ""
    stops: bool = True


def _design(*names: str) -> Callable[[Protocol], bool]:
    return lambda p: p.split.design in names


def _family(*names: str) -> Callable[[Protocol], bool]:
    return lambda p: not set(names).isdisjoint(p.extraction.families)


def _classifiers(p: Protocol) -> set[str]:
    return {p.model.classifier} if p.search is None else set(p.search.classifiers)


def _selectors(p: Protocol) -> set[str]:
    return {p.model.select.method} if p.search is None else set(p.search.selectors)


def _fused(p: Protocol) -> bool:
    """Whether there are several sources and a model of each."""
    return p.model.fusion != "early" and _several_sources(p)


def _several_sources(p: Protocol) -> bool:
    return bool(p.model.covariates) + bool(p.sources) + max(len(p.images.sequences), 1) > 1


def _penalised(p: Protocol) -> bool:
    """Whether C is of any step."""
    ranked = p.search is None and p.model.rfe.estimator != "none"
    known = {"linear_svm", "rbf_svm", "logistic"}
    return ranked or _fused(p) or not known.isdisjoint(_classifiers(p))


def _weighs(p: Protocol) -> bool:
    return p.model.balance != "class_weight" or _classifiers(p) != {"elastic_net"}


def _by_lasso(p: Protocol) -> bool:
    return "lasso" in _selectors(p) or "elastic_net" in _classifiers(p)


def _perturbs(*kinds: str, contour: str = "") -> Callable[[Protocol], bool]:
    def read(p: Protocol) -> bool:
        robustness = p.robustness
        return robustness is not None and not set(kinds).isdisjoint(robustness.kinds) and (
            contour in ("", robustness.contour)
        )  # fmt: skip

    return read


TEXTURES = ("glcm", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm")
IMAGES_ONLY = ("sequence", "sequences", "on_sequence_mismatch", "reader", "on_grid_mismatch",
               "grid_tolerance_mm", "orientation", "max_memory_gb")  # fmt: skip
REPEATED, FOLDED = ("repeated_split", "repeated_k_fold", "nested_cv"), ("repeated_k_fold",
                                                                       "nested_cv")  # fmt: skip

RULES = (
    # Where the features come from
    _Dependency(
        ("preparation", "extraction", *(f"images.{name}" for name in IMAGES_ONLY)),
        lambda p: not p.tables,
        "a study of images",
        stops=False,  # one protocol for the images and for the tables that were made of them
    ),
    _Dependency(
        ("join",),
        lambda p: bool(p.tables or p.sources),
        "a study of `tables` or `sources`",
        stops=False,
    ),
    _Dependency(
        ("images.on_sequence_mismatch",),
        lambda p: bool(p.tables) or len(p.images.sequences) > 1,
        "a study of several sequences",
        "images.sequences: [...]",
    ),
    _Dependency(
        ("preparation.normalisation.range",),
        lambda p: getattr(p.preparation.normalisation, "landmarks", None) is None,
        "a Nyul scale that is learnt, without `landmarks`,",
    ),
    # Features
    _Dependency(
        ("extraction.interpolation.partial_volume",),
        lambda p: p.extraction.interpolation is None or p.extraction.interpolation.mask == "linear",
        "a region that is interpolated linearly",
        "extraction.interpolation.mask: linear",
        stops=False,
    ),
    _Dependency(
        ("extraction.interpolation.boundary",),
        lambda p: p.extraction.interpolation is None or p.extraction.interpolation.image == "cubic",
        "a cubic spline",
        "extraction.interpolation.image: cubic",
        stops=False,
    ),
    _Dependency(
        ("extraction.response_discretisation",),
        lambda p: bool(p.extraction.filters),
        "a response map",
        "extraction.filters: [...]",
        stops=False,
    ),
    _Dependency(("extraction.ivh",), _family("ivh"), "the family ivh", stops=False),
    _Dependency(
        ("extraction.discretisation",),
        _family("histogram", *TEXTURES),
        "the histogram or a texture",
        stops=False,
    ),
    _Dependency(
        ("extraction.aggregations",),
        _family("glcm", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm"),
        "a texture",
        stops=False,
    ),
    _Dependency(
        ("extraction.distances",), _family("glcm", "ngtdm", "ngldm"),
        "one of glcm, ngtdm and ngldm", stops=False,
    ),
    _Dependency(("extraction.coarseness",), _family("ngldm"), "the family ngldm", stops=False),
    _Dependency(("extraction.weighting",), _family("glcm", "glrlm"), "glcm or glrlm", stops=False),
    _Dependency(("extraction.symmetric",), _family("glcm"), "the family glcm", stops=False),
    _Dependency(
        ("extraction.energy_shift",), _family("statistics"), "the family statistics", stops=False
    ),
    # Perturbations
    _Dependency(("robustness.noise",), _perturbs("noise"), "a perturbation by noise", stops=False),
    _Dependency(
        ("robustness.translation", "robustness.through_plane"),
        _perturbs("translation"), "a translation", stops=False,
    ),
    _Dependency(("robustness.rotation",), _perturbs("rotation"), "a rotation", stops=False),
    _Dependency(("robustness.volume",), _perturbs("volume"), "a change of volume", stops=False),
    _Dependency(("robustness.contour",), _perturbs("contour"), "a change of contour", stops=False),
    _Dependency(
        ("robustness.supervoxel_mm",), _perturbs("contour", contour="supervoxel"),
        "a change of contour by supervoxels", stops=False,
    ),
    _Dependency(
        ("robustness.jitter_mm", "robustness.correlation_mm"),
        _perturbs("contour", contour="jitter"), "a change of contour by jitter", stops=False,
    ),
    # The model
    _Dependency(
        tuple(f"model.harmonisation.{name}" for name in ("batch", "reference", "unseen")),
        lambda p: p.model.harmonisation.method != "none",
        "a harmonisation",
        "model.harmonisation.method: combat",
    ),
    _Dependency(
        ("model.imputation.neighbours",),
        lambda p: p.model.imputation.method == "knn",
        "the imputation knn",
        "model.imputation.method: knn",
    ),
    _Dependency(
        ("model.agreement",),
        lambda p: not p.tables or len(p.tables) > 1,
        "a study of two readers",
        stops=False,
    ),
    _Dependency(
        ("model.select", "model.rfe", "model.n_features", "model.classifier"),
        lambda p: p.search is None,
        "a study without `search`, which tries selectors, classifiers and numbers itself,",
        stops=False,
    ),
    _Dependency(
        ("model.select.n_features",),
        lambda p: p.search is not None or not {"mrmr", "relieff", "univariate"}.isdisjoint(
            _selectors(p)
        ),
        "a selection by mrmr, relieff or univariate",
        stops=False,
    ),
    _Dependency(
        ("model.lasso.choice",), _by_lasso, "a selection by lasso, or the classifier elastic_net,",
        stops=False,
    ),
    _Dependency(
        ("model.lasso",), lambda p: _by_lasso(p) or p.evaluation.ablation,
        "a selection by lasso, the classifier elastic_net, or the sparse model of the ablation,",
        stops=False,
    ),
    _Dependency(
        ("model.C",), _penalised,
        "an elimination, or one of the classifiers linear_svm, rbf_svm and logistic,", stops=False,
    ),
    _Dependency(
        ("model.balance",), _weighs, "a classifier that weighs cases, as elastic_net does not,",
    ),
    _Dependency(
        ("model.fusion",), _several_sources,
        "a study of several sequences, with `sources` or with covariates,",
        "model.covariates, sources or images.sequences",
    ),
    _Dependency(
        ("search.survivors",), lambda p: p.search is None or p.search.halving,
        "a search by halving", "search.halving: true", stops=False,
    ),
    # Validation
    _Dependency(
        ("split.train_fraction",),
        lambda p: p.split.design in ("single", "repeated_split")
        or (p.split.design == "temporal" and p.split.test_from is None),
        "the design single, repeated_split, or temporal without `test_from`,",
    ),
    _Dependency(("split.repeats",), _design(*REPEATED), "a design that is repeated",
          "split.design: repeated_split"),
    _Dependency(("split.folds",), _design(*FOLDED), "a design of folds", "split.design: nested_cv"),
    _Dependency(
        ("split.by",), _design("leave_one_centre_out", "temporal", "external"),
        "a design that goes by a column", "split.design: external",
    ),
    _Dependency(("split.test_values",), _design("external"), "the design external",
          "split.design: external"),
    _Dependency(("split.test_from",), _design("temporal"), "the design temporal",
          "split.design: temporal"),
    # Evaluation
    _Dependency(
        ("evaluation.cutoff.target",),
        lambda p: p.evaluation.cutoff.rule in ("sensitivity", "specificity"),
        "the rule sensitivity or specificity", "evaluation.cutoff.rule: sensitivity",
    ),
    _Dependency(
        ("evaluation.cutoff.cost_ratio",),
        lambda p: p.evaluation.cutoff.rule == "cost",
        "the rule cost", "evaluation.cutoff.rule: cost",
    ),
)  # fmt: skip


def unused_settings(protocol: Protocol) -> tuple[Unused, ...]:
    """Settings that were written and that nothing reads, with the other choices as they are.

    >>> protocol = Protocol(name="x", split={"design": "single", "folds": 4})
    >>> [(each.key, each.severity) for each in unused_settings(protocol)]
    [('split.folds', 'error')]
    """
    found = {
        key: _unused(rule, key, protocol)
        for rule in RULES
        if not rule.read(protocol)
        for place in rule.keys
        for key in _written(protocol, place)
    }
    return tuple(each for each in found.values() if each is not None)


def refuse_unused(protocol: Protocol) -> None:
    """Refuses a protocol that says what will not be done.

    Raises
    ------
    ProtocolError
        With every such setting.
    """
    found = [each for each in unused_settings(protocol) if each.severity == "error"]
    if found:
        text = "\n".join(each.message for each in found)
        remedy = found[-1].remedy
        raise ProtocolError(text.removesuffix(remedy).rstrip(), remedy=remedy, code=UNUSED)


def _unused(rule: _Dependency, key: str, protocol: Protocol) -> Unused | None:
    """What is said of a setting; None where a preset says the same."""
    value = _at(protocol, key)
    if any(_says(preset, key) and _at(preset, key) == value for preset in _presets()):
        return None
    block, _, name = key.rpartition(".")
    default = type(_at(protocol, block)).model_fields[name].get_default()
    severity: Severity = "note" if value == default else "error" if rule.stops else "warning"
    remedy = f"Remove it, or write {rule.choose}." if rule.choose else "Remove it."
    message = f"{key}: only {rule.by} uses it; here it changes nothing. {remedy}"
    return Unused(key, severity, message, remedy)


@cache
def _presets() -> tuple[Protocol, ...]:
    return tuple(map(load_preset, presets()))


def _at(protocol: Protocol, key: str) -> Any:
    """What stands at a dotted key; None where a block before it is not there."""
    value: Any = protocol
    for name in filter(None, key.split(".")):
        value = getattr(value, name, None)
    return value


def _written(protocol: Protocol, place: str) -> Iterator[str]:
    """Dotted keys, at a place or right below it, that the protocol was given."""
    value = _at(protocol, place)
    if _says(protocol, place) and isinstance(value, Settings):
        yield from (f"{place}.{below}" for below in sorted(value.model_fields_set))
    elif _says(protocol, place):
        yield place


def _says(protocol: Protocol, key: str) -> bool:
    """Whether the protocol was given what stands at a key, and not only its default."""
    block, _, name = key.rpartition(".")
    above = _at(protocol, block)
    return isinstance(above, Settings) and name in above.model_fields_set
