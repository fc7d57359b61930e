"""Every choice has its words, in one place; one without them stops the import."""

import re
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from pkgutil import iter_modules
from typing import Any, Literal

import pytest

from centrum.modelling.settings import ModelSettings, RobustnessRule
from centrum.modelling.steps import build_steps
from centrum.protocol import Protocol
from centrum.protocol.choices import keys_within, names_at
from centrum.report import words
from centrum.report.words import word
from centrum.report.words.model import STEPS

MODULES = [f"{words.__name__}.{module.name}" for module in iter_modules(words.__path__)]

for name in MODULES:
    import_module(name)

CHOSEN = {
    setting: names
    for setting in dict.fromkeys(keys_within(Protocol))
    if (names := names_at(Protocol, setting))
}
"""Every setting that chooses among names, with the names."""

AS_SPELLED = {
    "images.weighting",
    "preparation.normalisation.statistic",
    "extraction.filters.bands",
    "extraction.plane",
    "model.rfe.step",
}
"""Settings whose names are words already: T2w, median, all, sagittal, 1."""


def test_every_choice_of_the_protocol_is_spoken_of() -> None:
    assert set(CHOSEN) - AS_SPELLED == set(word.SPOKEN_OF) & set(CHOSEN)
    assert set(CHOSEN) >= AS_SPELLED


@pytest.mark.parametrize("setting", sorted(word.SPOKEN_OF))
def test_two_choices_have_two_labels(setting: str) -> None:
    for table in word.SPOKEN_OF[setting]:
        labels = [label for told in table.values() if (label := getattr(told, "label", None))]
        assert len(set(labels)) == len(labels)


def _imported_anew(module: str) -> None:
    spec = find_spec(module)
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(module_from_spec(spec))


@pytest.fixture
def throwaway(monkeypatch: pytest.MonkeyPatch) -> None:
    """A classifier that its author gave code but no words."""
    field = ModelSettings.model_fields["classifier"]
    monkeypatch.setattr(field, "annotation", Literal[(*CHOSEN["model.classifier"], "throwaway")])


@pytest.mark.usefixtures("throwaway")
def test_a_choice_without_words_stops_the_import() -> None:
    message = (
        "The choice 'throwaway' of model.classifier has no words: add them to its table in "
        "centrum/report/words/model.py."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        _imported_anew("centrum.report.words.model")


@pytest.mark.parametrize("module", MODULES)
def test_without_it_every_module_can_be_imported(module: str) -> None:
    _imported_anew(module)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"early": "", "late": ""}, "The choice 'stacked' of model.fusion has no words"),
        (
            {"early": "", "late": "", "stacked": "", "boosted": ""},
            "There is no choice 'boosted' of model.fusion: take its words out",
        ),
    ],
)
def test_words_are_those_of_the_choices(table: Mapping[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        word.complete("centrum.report.words.model", ["model.fusion"], table)


def test_steps_have_words_in_their_order() -> None:
    """Those of a model with everything switched on."""
    settings = ModelSettings.model_validate(
        {"imputation": {"method": "mean"}, "harmonisation": {"method": "combat"}, "screen": {}}
    )
    covariates = (("sex=F", "sex=M"),)
    built = [
        name
        for name, _ in build_steps(settings, robustness=RobustnessRule(), covariates=covariates)
    ]
    assert built == [*STEPS][: len(built)]
    assert [*STEPS][len(built) :] == ["search"]
