"""Parameter files and dictionaries: read, checked against the settings and features that exist.

>>> read_parameters({"setting": {"binWidth": 10}, "featureClass": {"glcm": ["Contrast"]}})
Parameters(settings={'binWidth': 10}, image_types={}, features={'glcm': ['Contrast']})
>>> read_parameters({"setting": {"binwidth": 10}})
Traceback (most recent call last):
...
centrum.pyradiomics.errors.ParameterError: setting: there is no 'binwidth'; did you mean 'binWidth'?
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from centrum.io.structured import parse_json, parse_yaml, read_text
from centrum.pyradiomics.errors import ParameterError, ParameterTypeError
from centrum.pyradiomics.feature_names import FEATURE_CLASSES, names_of
from centrum.pyradiomics.image_types import IMAGE_TYPES
from centrum.pyradiomics.settings import BY_NAME, NO_MEANING, Block, names as setting_names, shown

BLOCKS = ("setting", "voxelSetting", "imageType", "featureClass")


@dataclass(frozen=True)
class Parameters:
    """What a parameter file says; `settings` joins "setting" and "voxelSetting"."""

    settings: dict[str, Any] = field(default_factory=dict)
    image_types: dict[str, dict[str, Any]] = field(default_factory=dict)
    features: dict[str, list[str] | None] = field(default_factory=dict)


def read_parameter_file(path: str | os.PathLike[str]) -> Parameters:
    """The parameters in a YAML or JSON file, told apart by its suffix.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ParameterError
        The file is not YAML or JSON, or asks for something unknown or impossible.
    """
    path = Path(path)
    try:
        return read_parameters(_load(path))
    except ParameterError as error:
        if error.code == "no-file":
            raise FileNotFoundError(f"Parameter file {path} does not exist.") from error
        error.file = error.file or path.name
        error.add_note(f"while reading {path}")
        raise


def _load(path: Path) -> Any:
    text = read_text(path, ParameterError)
    if path.suffix == ".json":
        content = parse_json(text, path.name, ParameterError, nan=True)
    elif path.suffix in (".yaml", ".yml"):
        content = parse_yaml(text, path.name, ParameterError, nan=True)
    else:
        raise ParameterError(
            f"A parameter file ends in .yaml, .yml or .json, found {path.suffix!r}.", file=path
        )
    if content is None:
        raise ParameterError("The parameter file is empty.", file=path)
    return content


def load_json(text: str) -> Any:
    """The content of a JSON text."""
    return parse_json(text, "the parameters", ParameterError, nan=True)


def read_parameters(content: Any) -> Parameters:
    """The same of a dictionary."""
    blocks = _mapping("parameters", content)
    _known("parameters", blocks, BLOCKS)
    image_types = _mapping("imageType", blocks.get("imageType", {}))
    _known("imageType", image_types, IMAGE_TYPES)
    for name, custom in image_types.items():
        _check_settings(f"imageType: {name}", _mapping(f"imageType: {name}", custom), "setting")
    settings = _checked_block(blocks, "setting") | _checked_block(blocks, "voxelSetting")
    return Parameters(settings, dict(image_types), _checked_features(blocks))


def _checked_block(blocks: Mapping[str, Any], block: Block) -> dict[str, Any]:
    settings = _mapping(block, blocks.get(block, {}))
    _check_settings(block, settings, block)
    return dict(settings)


def _check_settings(where: str, settings: Mapping[str, Any], block: Block) -> None:
    for name in settings:
        if name in NO_MEANING:
            raise ParameterError(f"{where}: drop {name!r}, {NO_MEANING[name]}.")
    _known(where, settings, tuple(setting_names(block)))
    for name, value in settings.items():
        BY_NAME[name].validate(value)


def _checked_features(blocks: Mapping[str, Any]) -> dict[str, list[str] | None]:
    classes = _mapping("featureClass", blocks.get("featureClass", {}))
    _known("featureClass", classes, FEATURE_CLASSES)
    for name, features in classes.items():
        if features is None:
            continue
        if not isinstance(features, list):
            raise ParameterTypeError(
                f"featureClass: {name} wants a list of features, found {shown(features)}."
            )
        _known(f"featureClass: {name}", features, names_of(name))
    return dict(classes)


def _mapping(where: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ParameterTypeError(
            f"{where}: expected a mapping ({{}} if empty), found {shown(value)}."
        )
    return value


def _known(where: str, given: Iterable[str], allowed: Iterable[str]) -> None:
    allowed = list(allowed)
    for name in given:
        if name not in allowed:
            near = get_close_matches(shown(name), allowed, 1, 0.4)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(allowed)}."
            raise ParameterError(f"{where}: there is no {shown(name)}; {hint}")
