"""What a protocol lets one choose: its blocks, their keys, and names to choose among."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel


def blocks_at(model: type[BaseModel], path: Sequence[str | int]) -> list[type[BaseModel]]:
    """The models that may stand at a path; a part that is no key is a place in a list or a tag."""
    models = [model]
    for part in path:
        fields = [kind.model_fields[part] for kind in models if part in kind.model_fields]
        if fields:
            models = [kind for field in fields for kind in blocks_of(field.annotation)]
    return models


def blocks_of(annotation: object) -> list[type[BaseModel]]:
    """The models in an annotation, and all that are derived from them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        derived = [kind for child in annotation.__subclasses__() for kind in blocks_of(child)]
        return [annotation, *derived]
    return [model for part in get_args(annotation) for model in blocks_of(part)]


def keys_of(models: Sequence[type[BaseModel]]) -> list[str]:
    """The keys of blocks, each once."""
    return list(dict.fromkeys(key for model in models for key in model.model_fields))


def keys_within(model: type[BaseModel], place: str = "") -> Iterator[str]:
    """Every key of a block and of the blocks within it, dotted."""
    for name, field in model.model_fields.items():
        yield place + name
        for below in blocks_of(field.annotation):
            yield from keys_within(below, f"{place}{name}.")


def names_at(model: type[BaseModel], setting: str) -> tuple[Any, ...]:
    """The names that a setting chooses among, in every block that may stand at its place.

    >>> from centrum.modelling.settings import ModelSettings
    >>> names_at(ModelSettings, "imputation.method"), names_at(ModelSettings, "clip")
    (('none', 'median', 'mean', 'knn'), ())
    """
    *path, key = setting.split(".")
    fields = [kind.model_fields.get(key) for kind in blocks_at(model, path)]
    names = [name for field in fields if field for name in names_in(field.annotation)]
    return tuple(dict.fromkeys(names))


def names_in(annotation: object) -> tuple[Any, ...]:
    """The names of the Literals in an annotation.

    >>> names_in(tuple[Literal["a", "b"], ...] | None)
    ('a', 'b')
    """
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    return tuple(name for part in get_args(annotation) for name in names_in(part))
