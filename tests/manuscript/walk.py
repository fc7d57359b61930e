"""Every choice of a protocol, its values, and the company in which it changes a result.

Leaves are found in the settings themselves: a new one without values here fails the tests.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from centrum.agreement import IccForm
from centrum.features.aggregation import AGGREGATIONS
from centrum.filters import FILTERS, Filter
from centrum.modelling.settings import ClassifierName, Selector
from centrum.perturb.settings import Kind
from centrum.protocol import Protocol

Patch = Mapping[str, Any]

SAID_ELSEWHERE = {
    "name": "the title",
    "description": "of the report",
    "images.max_memory_gb": "decides whether a case is refused, which the flow tells",
    "images.reader": "table.readers holds who was the primary reader",
    "tables": "table.history holds which were read; a test of its own",
    "sources": "table.history holds which were read; a test of its own",
    "join": "table.history holds how many rows matched, or the study was refused",
    "keep_names": "how cases are called decides no result",
    "describe": "table 1 shows the columns",
    "eligibility": "flow.exclusions holds the rules and what they did",
}
"""Fields that the text does not take from the protocol, and why."""

SIBLINGS = {
    "extraction.discretisation": ("method", "bins", "width"),
    "extraction.response_discretisation": ("method", "bins", "width"),
    "extraction.ivh": ("method", "bins", "width"),
    "extraction.ratios": ("of", "to", "families"),
}
"""Blocks whose fields only go together: they are walked as one."""

BINS = (
    {"method": "fixed_bin_number", "bins": 32},
    {"method": "fixed_bin_number", "bins": 16},
    {"method": "fixed_bin_size", "width": 25.0},
    {"method": "fixed_bin_size", "width": 5.0},
    {"method": "none"},
)

LOG = {"filter": "log", "sigma": 2.0}
KINDS = get_args(Kind)

FILTER_EXAMPLES: Mapping[str, Patch] = {
    "log": {"sigma": 2.0},
    "gabor": {"sigma": 5.0, "wavelength": 2.0},
    "laws": {"kernels": "L5E5S5"},
    "riesz-log": {"sigma": 2.0, "order": (1, 0, 0)},
    "riesz-simoncelli": {"order": (1, 0, 0)},
    "LoG": {"sigma": (2.0,)},
}
"""What filters cannot do without."""


@dataclass(frozen=True)
class With:
    """A value that needs others beside it."""

    value: Any
    beside: Patch


VALUES: Mapping[str, Sequence[Any]] = {
    "deviations": ((), ("One.",), ("One.", "Two.")),
    "outcome.positive": ("malignant", "metastatic"),
    "outcome.negative": ("osteoporotic", "benign"),
    "images.weighting": (None, "T1w", "T2w", "STIR"),
    "images.sequence": (None, "T1w", "STIR"),
    "images.orientation": (None, "PIR", "LPS"),
    "images.labels": (None, "verse", "totalspineseg"),
    "images.sequences": ((), ("T2w", "T1w"), ("T1w", "T2w")),
    "preparation.bias_field": (None, {}),
    "preparation.bias_field.iterations": ((50, 50, 50), (50, 50), (50, 50, 40)),
    "preparation.normalisation": tuple(
        {"method": name} for name in ("none", "z_score", "percentile", "nyul", "reference_tissue")
    ),
    "preparation.normalisation[percentile].range": ((0.0, 100.0), (0.0, 1.0), (-1.0, 100.0)),
    "preparation.normalisation[nyul].range": ((0.0, 100.0), (0.0, 1.0), (-1.0, 100.0)),
    "preparation.normalisation[nyul].percentiles": ((1, 99), (1, 50, 99)),
    "preparation.normalisation[nyul].landmarks": (None, tuple(range(11)), tuple(range(1, 12))),
    "preparation.normalisation[reference_tissue].segments": (("normal",), ("normal", "disc")),
    "preparation.region": (
        (),
        ({"operation": "erode", "mm": 1.0}, {"operation": "fill_holes"}),
        ({"operation": "fill_holes"}, {"operation": "erode", "mm": 1.0}),
        ({"operation": "dilate", "mm": 1.0},),
        ({"operation": "erode", "mm": 1.0},),
        ({"operation": "shell", "from_mm": 0.0, "to_mm": 1.0},),
        ({"operation": "fill_holes"},),
        ({"operation": "largest_piece"},),
    ),
    "preparation.region[erode].mm": (1.0, 1.5),
    "preparation.region[dilate].mm": (1.0, 1.5),
    "preparation.region[shell].from_mm": (0.0, -1.0),
    "preparation.region[shell].to_mm": (2.0, 3.0),
    "extraction.families": (("statistics",), ("statistics", "glcm"), ("morphology", "ngldm")),
    "extraction.discretisation": BINS,
    "extraction.response_discretisation": (None, *BINS[1:]),
    "extraction.ivh": BINS,
    "extraction.interpolation": (None, {"in_plane": 1.0}, {"isotropic": 1.0}),
    "extraction.interpolation.spacing": ((1.0, 1.0, 1.0), (1.0, 1.0, None), (1.0, 1.0, 2.0)),
    "extraction.interpolation.in_plane": (0.6, 0.5),
    "extraction.interpolation.isotropic": (0.6, 0.5),
    "extraction.filters": ((), (LOG,), (LOG, {"filter": "mean"})),
    "extraction.ratios": ((), ({"to": "above"},), ({"of": "muscle", "to": "above"},)),
    "extraction.distances": ((1,), (2,)),
    "extraction.coarseness": (0, 1),
    "extraction.weighting": (None, "manhattan", "euclidean", "infinity"),
    "extraction.aggregations": (*[(name,) for name in AGGREGATIONS], tuple(AGGREGATIONS)),
    "extraction.normalise_scale": (None, 1.0, 100.0),
    "extraction.resegmentation.lower": (None, 0.0, 10.0),
    "extraction.resegmentation.upper": (None, 500.0, 600.0),
    "extraction.resegmentation.sigma": (None, 3.0, 2.0),
    "extraction.energy_shift": (0.0, 2000.0),
    "extraction.filters[mean].support": (3, 5),
    "extraction.filters[log].sigma": (1.0, 2.0),
    "extraction.filters[laws].kernels": ("L5E5S5", "E5L5S5"),
    "extraction.filters[laws].pooling": (None, "max", "average", "min"),
    "extraction.filters[laws].energy": (None, 3, 7),
    "extraction.filters[laws].dimension": ("3D", With("2D", {"kernels": "L5E5"})),
    "extraction.filters[gabor].sigma": (5.0, 4.0),
    "extraction.filters[gabor].wavelength": (2.0, 3.0),
    "extraction.filters[gabor].theta": (0.0, 45.0),
    "extraction.filters[gabor].step": (None, 45.0, 90.0),
    "extraction.filters[wavelet].wavelet": ("haar", "coif1"),
    "extraction.filters[wavelet].levels": ((1,), (2,), (1, 2)),
    "extraction.filters[wavelet].bands": ("all", ("LLH",), ("HHH",)),
    "extraction.filters[wavelet].pooling": (None, "max", "average", "min"),
    "extraction.filters[simoncelli].levels": ((1,), (2,), (1, 2)),
    "extraction.filters[riesz-log].order": ((1, 0, 0), (0, 1, 0), (2, 0, 0)),
    "extraction.filters[riesz-log].sigma": (2.0, 3.0),
    "extraction.filters[riesz-log].tensor_sigma": (None, 1.0, 2.0),
    "extraction.filters[riesz-log].dimension": ("3D", With("2D", {"order": (1, 0)})),
    "extraction.filters[riesz-simoncelli].order": ((1, 0, 0), (0, 1, 0), (2, 0, 0)),
    "extraction.filters[riesz-simoncelli].tensor_sigma": (None, 1.0, 2.0),
    "extraction.filters[riesz-simoncelli].dimension": ("3D", With("2D", {"order": (1, 0)})),
    "extraction.filters[LoG].sigma": ((1.0,), (2.0,), (1.0, 2.0)),
    "extraction.filters[Wavelet].wavelet": ("coif1", "haar"),
    "extraction.filters[Wavelet].start_level": (0, 1),
    "extraction.filters[LBP3D].lbp3DIcosphereSubdivision": (0, 1),
    "robustness": (None, {}),
    "robustness.kinds": (*[(kind,) for kind in KINDS], KINDS),
    "robustness.icc.form": tuple(IccForm),
    "model.agreement.form": tuple(IccForm),
    "model.harmonisation.batch": ("centre", "scanner"),
    "model.harmonisation.reference": (None, "A", "B"),
    "model.clip": (None, 2.0, 3.0),
    "model.screen": (None, {}),
    "model.correlation": (None, {}),
    "model.lasso.most_features": (None, 4, 10),
    "model.lasso.l1_ratio": (1.0, 0.5),
    "model.n_features": (None, {}),
    "model.covariates": ((), ("age",), ("age", "sex")),
    "search": (None, {}),
    "search.selectors": tuple((name,) for name in get_args(Selector)),
    "search.classifiers": tuple((name,) for name in get_args(ClassifierName)),
    "search.n_features": ((4,), (4, 8)),
    "split.repeats": (None, 3, 4),
    "split.by": (None, "scanner"),
    "split.test_values": (("B",), ("B", "C")),
    "split.test_from": (None, "2020-01-01", "2021-01-01"),
    "evaluation.n_resamples": (1000, 2000),
    "evaluation.prevalence": (None, 0.3, 0.4),
    "evaluation.optimism_resamples": (0, 100, 200),
    "evaluation.subgroups": ((), ("sex",), ("sex", "age")),
    "evaluation.clinical": ((), ("sex",), ("sex", "age")),
    "evaluation.odds_ratios": ((), ("level",), ("level", "coil")),
    "evaluation.reader_calls": ((), ("call",), ("call", "other")),
}
"""Values of choices that are no Literal, bool or number with a default."""

CONTEXTS: Mapping[str, Patch] = {
    "images.on_sequence_mismatch": {"images": {"sequences": ("T2w", "T1w")}},
    "extraction.response_discretisation": {"extraction": {"filters": (LOG,)}},
    "extraction.ivh": {"extraction": {"families": ("ivh",)}},
    "extraction.interpolation.image": {"extraction": {"interpolation": {"in_plane": 0.6}}},
    "extraction.interpolation.boundary": {
        "extraction": {"interpolation": {"in_plane": 0.6, "image": "cubic"}}
    },
    "extraction.interpolation.mask": {"extraction": {"interpolation": {"in_plane": 0.6}}},
    "extraction.interpolation.partial_volume": {"extraction": {"interpolation": {"in_plane": 0.6}}},
    "extraction.interpolation.round_intensities": {
        "extraction": {"interpolation": {"in_plane": 0.6}}
    },
    "extraction.filters[gabor].pooling": {"step": 45.0},
    "robustness": {"robustness": {"kinds": KINDS}},
    "robustness.jitter_mm": {"robustness": {"contour": "jitter"}},
    "model.imputation.neighbours": {"model": {"imputation": {"method": "knn"}}},
    "model.harmonisation": {"model": {"harmonisation": {"method": "combat"}}},
    "model.select.n_features": {"model": {"select": {"method": "mrmr"}}},
    "model.fusion": {"model": {"covariates": ("age",)}},
    "split.design": {"split": {"test_values": ("B",)}},
    "split.folds": {"split": {"design": "nested_cv"}},
    "split.repeats": {"split": {"design": "repeated_split"}},
    "split.by": {"split": {"design": "leave_one_centre_out"}},
    "split.test_values": {"split": {"design": "external"}},
    "split.test_from": {"split": {"design": "temporal"}},
    "evaluation.cutoff.target": {"evaluation": {"cutoff": {"rule": "sensitivity"}}},
    "evaluation.cutoff.cost_ratio": {"evaluation": {"cutoff": {"rule": "cost"}}},
}
"""What else must be chosen for a choice (or a block of choices) to change a result."""


@dataclass(frozen=True)
class Leaf:
    """A choice: where it stands, and its field."""

    path: str
    field: FieldInfo


def leaves(kind: type[BaseModel] = Protocol, under: str = "") -> Iterator[Leaf]:
    """Every choice in a block and the blocks within it.

    Of several kinds of a block the path names one in brackets: "preparation.region[erode].mm".
    """
    for name, field in kind.model_fields.items():
        path = f"{under}{name}"
        blocks = _filters() if path == "extraction.filters" else _blocks(field.annotation)
        if not blocks or path in {*SIBLINGS, *SAID_ELSEWHERE, *VALUES}:
            yield Leaf(path, field)
        if path in SIBLINGS or path in SAID_ELSEWHERE:
            continue
        for block in blocks:
            tag = _tag(block)
            yield from leaves(block, f"{path}[{tag}]." if tag else f"{path}.")


def _filters() -> list[type[BaseModel]]:
    return list(FILTERS.values())


def _blocks(annotation: Any) -> list[type[BaseModel]]:
    """The blocks of choices in an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [] if annotation is Filter else [annotation]
    return [block for part in get_args(annotation) for block in _blocks(part)]


TAGS = ("operation", "filter")


def _tag(block: type[BaseModel]) -> str:
    """The value that tells a kind of block from its alternatives."""
    for name in (*TAGS, "method"):
        field = block.model_fields.get(name)
        if field is not None and len(literals(field.annotation)) == 1:
            return str(field.default)
    return ""


def literals(annotation: Any) -> tuple[Any, ...]:
    """The values of a Literal, None among them where it may be missing."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    if get_origin(annotation) in (Union, UnionType):
        found = [literals(part) for part in get_args(annotation) if part is not type(None)]
        if all(found):
            none = (None,) if type(None) in get_args(annotation) else ()
            return (*none, *(value for values in found for value in values))
    return ()


def values(leaf: Leaf) -> tuple[Any, ...]:
    """All values of a choice between names, two or more of any other."""
    if leaf.path in VALUES:
        return tuple(VALUES[leaf.path])
    if found := literals(leaf.field.annotation):
        return found
    default = leaf.field.default
    if isinstance(default, bool):
        return (False, True)
    if isinstance(default, int):
        return (default, default + 1)
    if isinstance(default, float):
        return (default, default / 2)
    raise KeyError(f"no values to try for {leaf.path}: add them to VALUES")


def changed(base: Protocol, leaf: Leaf, value: Any) -> Protocol:
    """The protocol with a value, in the company in which it matters."""
    choices = base.model_dump()
    block = _company(choices, leaf.path)
    if isinstance(value, With):
        block.update(value.beside)
        value = value.value
    block[leaf.path.rsplit(".", 1)[-1]] = value
    return Protocol.model_validate(choices)


def patched(base: Protocol, patch: Patch) -> Protocol:
    """The protocol with some blocks changed."""
    choices = base.model_dump()
    _merge(choices, patch)
    return Protocol.model_validate(choices)


def _company(choices: dict[str, Any], path: str) -> dict[str, Any]:
    """The block that a path stands in, made where it is missing."""
    inside: Patch = {}
    for prefix, patch in CONTEXTS.items():
        if path == prefix or path.startswith(f"{prefix}."):
            if "[" in prefix:
                inside = patch
            else:
                _merge(choices, patch)
    block = choices
    for name in path.split(".")[:-1]:
        plain, _, tag = name.partition("[")
        if tag:
            block = _kind(choices, block, plain, tag.rstrip("]"))
        else:
            block[plain] = block.get(plain) or {}
            block = block[plain]
    block.update(inside)
    return block


def _kind(choices: dict[str, Any], block: dict[str, Any], name: str, tag: str) -> dict[str, Any]:
    """A block of one of several kinds, alone in its list where it stands in one."""
    if name == "normalisation":
        block[name] = {"method": tag}
        return block[name]
    if name == "region":
        needed = {"erode": {"mm": 1.0}, "dilate": {"mm": 1.0}}
        shell = {"shell": {"from_mm": 0.0, "to_mm": 2.0}}
        made = {"operation": tag} | (needed | shell).get(tag, {})
    else:
        made = {"filter": tag} | dict(FILTER_EXAMPLES.get(tag, {}))
        block["dialect"] = FILTERS[tag].dialect
        if FILTERS[tag].dialect == "pyradiomics":
            block["aggregations"] = ("3D_averaged",)
    block[name] = [made]
    return made


def _merge(choices: dict[str, Any], patch: Patch) -> None:
    for key, value in patch.items():
        if isinstance(value, Mapping):
            choices[key] = choices.get(key) or {}
            _merge(choices[key], value)
        else:
            choices[key] = value
