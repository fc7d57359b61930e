"""A published score: names of features, coefficients and what else was printed."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from centrum.cohort.findings import listed
from centrum.errors import SignatureError
from centrum.io.structured import parse_yaml, read_text
from centrum.settings import Settings
from centrum.signature.images import ImageTypes
from centrum.text import one_line_each

Finite = Annotated[float, Field(allow_inf_nan=False)]
Words = Annotated[str, Field(min_length=1, max_length=1000)]

MOST_TOLD = 20
"""Faults of a file that a message lists before it only counts the rest."""


@dataclass(frozen=True)
class Signature:
    """intercept + sum of coefficient x (value - mean) / sd.

    Attributes
    ----------
    name, source : what it is called and where it was published
    features : names as they were printed, (k,)
    coefficients : (k,); a high score speaks for `positive`
    means, sds : (k,) of the cohort in which it was made; None: not published
    positive, negative : the outcomes
    cutoff : scores from it on are called positive; None: not published
    images : what was measured; None: not published
    note : what a user should know

    Raises
    ------
    SignatureError
        Numbers of features and coefficients differ, a name is there twice, means without SDs, or
        an SD that is not positive.

    >>> load_shipped("vcf-t2w-2024").coefficients[0]
    -0.485
    """

    name: str
    source: str
    features: tuple[str, ...]
    coefficients: tuple[float, ...]
    intercept: float
    means: tuple[float, ...] | None = None
    sds: tuple[float, ...] | None = None
    positive: str = "positive"
    negative: str = "negative"
    cutoff: float | None = None
    images: ImageTypes | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if not self.features:
            raise SignatureError(f"The signature {self.name!r} has no features; name one or more.")
        if twice := sorted(name for name, n in Counter(self.features).items() if n > 1):
            raise SignatureError(
                f"The signature {self.name!r} names {listed(twice)} twice. Add up the "
                "coefficients, or give each its suffix."
            )
        if (self.means is None) != (self.sds is None):
            raise SignatureError(
                f"The signature {self.name!r} needs both means and SDs of its features, or "
                "neither; found only one of them."
            )
        for what in ("coefficients", "means", "sds"):
            self._check_length(what, getattr(self, what))
        if wrong := [sd for sd in self.sds or () if not sd > 0]:
            raise SignatureError(
                f"The SDs of the signature {self.name!r} must be positive, found {wrong[0]}."
            )

    def _check_length(self, what: str, values: Sequence[float] | None) -> None:
        if values is not None and len(values) != len(self.features):
            raise SignatureError(
                f"The signature {self.name!r} has {len(self.features)} features and "
                f"{len(values)} {what}; it needs one for each feature."
            )


class _SignatureTerm(Settings):
    """One feature of a signature's file."""

    feature: Words
    coefficient: Finite
    mean: Finite | None = None
    sd: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.mean is None) != (self.sd is None):
            raise ValueError("mean and sd come together, or not at all")
        return self


class _File(Settings):
    """A signature as its file has it."""

    name: Words
    source: Words
    positive: Words
    negative: Words
    intercept: Finite
    cutoff: Finite | None = None
    images: ImageTypes | None = None
    note: str = Field("", max_length=10_000)
    features: tuple[_SignatureTerm, ...]

    @field_validator("images", mode="before")
    @classmethod
    def _parsed(cls, value: Any) -> ImageTypes | None:
        if value is None or isinstance(value, ImageTypes):
            return value
        try:
            return ImageTypes.parse(str(value))
        except SignatureError as error:
            raise ValueError(str(error)) from error

    @model_validator(mode="after")
    def _different(self) -> Self:
        if self.positive.casefold() == self.negative.casefold():
            raise ValueError(f"the two outcomes must differ, found {self.positive!r} twice")
        return self

    @model_validator(mode="after")
    def _all_or_none(self) -> Self:
        without = [term.feature for term in self.features if term.mean is None]
        if without and len(without) < len(self.features):
            raise ValueError(
                f"mean and sd are given for all features or for none; {listed(without)} have none"
            )
        return self


def parse_signature(text: str, source: str) -> Signature:
    """A signature from YAML; `source` is what messages call it.

    Raises
    ------
    SignatureError
        Not YAML, an unknown key, or a value that is not allowed; all at once.

    >>> parse_signature("{name: x, features: [{feature: Mean}]}", "x.yaml")
    Traceback (most recent call last):
    ...
    centrum.errors.SignatureError: x.yaml: source: Field required
    x.yaml: positive: Field required
    x.yaml: negative: Field required
    x.yaml: intercept: Field required
    x.yaml: features.0.coefficient: Field required
    """
    content = _mapping(text, source)
    try:
        return _signature(_File.model_validate(content))
    except ValidationError as error:
        raise SignatureError(_told(error, source), file=source) from error
    except SignatureError as error:
        error.add_note(f"in {source}")
        raise


def _told(error: ValidationError, source: str) -> str:
    lines = []
    for fault in error.errors(include_url=False, include_input=False)[:MOST_TOLD]:
        where = ".".join(map(str, fault["loc"])) or "signature"
        lines.append(f"{source}: {where[:80]}: {fault['msg'][:300]}")
    if error.error_count() > MOST_TOLD:
        lines.append(f"{source}: and {error.error_count() - MOST_TOLD} more")
    return "\n".join(lines)


def read_signature(path: Path) -> Signature:
    """The signature in a YAML file; see `parse_signature`."""
    try:
        text = read_text(path, SignatureError)
    except SignatureError as error:
        if error.code != "no-file":
            raise
        raise SignatureError(
            f"There is no signature at {path}. Give a YAML file, or the name of one that ships: "
            f"{', '.join(shipped())}.",
            code="no-file",
            file=path,
        ) from error
    return parse_signature(text, path.name)


def shipped() -> tuple[str, ...]:
    """Names of the signatures that ship with the package.

    >>> shipped()
    ('vcf-t2w-2024',)
    """
    names = (path.name for path in files("centrum.signatures").iterdir())
    return tuple(sorted(n.removesuffix(".yaml") for n in names if n.endswith(".yaml")))


def load_shipped(name: str) -> Signature:
    """A signature that ships with the package.

    Raises
    ------
    SignatureError
        There is none of that name.
    """
    if name not in shipped():
        raise SignatureError(
            f"No signature {name!r} ships with the package. There are {', '.join(shipped())}."
        )
    text = files("centrum.signatures").joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    return parse_signature(text, f"{name}.yaml")


def _mapping(text: str, source: str) -> dict[str, Any]:
    found = one_line_each(parse_yaml(text, source, SignatureError, nan=True))
    if not isinstance(found, dict):
        raise SignatureError(
            f"{source}: a signature is a list of `key: value`, found {text[:40]!r}.", file=source
        )
    return found


def _signature(file: _File) -> Signature:
    terms = file.features
    means = tuple(term.mean for term in terms if term.mean is not None)
    sds = tuple(term.sd for term in terms if term.sd is not None)
    return Signature(
        name=file.name,
        source=file.source,
        features=tuple(term.feature for term in terms),
        coefficients=tuple(term.coefficient for term in terms),
        intercept=file.intercept,
        means=means or None,
        sds=sds or None,
        positive=file.positive,
        negative=file.negative,
        cutoff=file.cutoff,
        images=file.images,
        note=file.note,
    )
