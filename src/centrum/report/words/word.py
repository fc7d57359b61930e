"""What a choice is called and how it is told; and that every choice is."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from centrum.protocol import Protocol
from centrum.protocol.choices import names_at

S = TypeVar("S", contravariant=True)
Words = TypeVar("Words")


@dataclass(frozen=True)
class Wording(Generic[S]):
    """The words for one choice.

    Attributes
    ----------
    label : what tables, captions and checklists call it
    told : the phrase of the Methods, with the numbers of its settings
    """

    label: str
    told: Callable[[S], str]


def always(text: str) -> Callable[[object], str]:
    """A phrase without numbers.

    >>> always("isotonic regression")(None)
    'isotonic regression'
    """
    return lambda settings: text


SPOKEN_OF: dict[str, list[Mapping[Any, Any]]] = {}
"""Setting -> the tables of words for its choices."""


def complete(
    module: str,
    settings: Sequence[str],
    words: Mapping[Any, Words],
    *,
    choices: Iterable[Any] = (),
    unspoken: Sequence[Any] = (),
) -> Mapping[Any, Words]:
    """The words, which are those for all choices of the settings and for no others.

    Parameters
    ----------
    module : where the words stand
    settings : such as "model.classifier"
    words : choice -> its words
    choices : what there is to choose where the protocol has no list of names
    unspoken : choices that nobody speaks of

    Raises
    ------
    ValueError
        A choice has no words, or words are for no choice.

    >>> complete("centrum.report.words.model", ["model.fusion"], {"early": "", "late": ""})
    Traceback (most recent call last):
    ...
    ValueError: The choice 'stacked' of model.fusion has no words: add them to its table in
    centrum/report/words/model.py.
    """
    place = f"its table in {module.replace('.', '/')}.py"
    known = {setting: [*choices, *names_at(Protocol, setting)] for setting in settings}
    for setting, names in known.items():
        for name in names:
            if name not in words and name not in unspoken:
                raise ValueError(
                    f"The choice {name!r} of {setting} has no words: add them to {place}."
                )
    every = [name for names in known.values() for name in names]
    if strange := [name for name in words if name not in every]:
        raise ValueError(
            f"There is no choice {strange[0]!r} of {' or '.join(settings)}: take its words out of "
            f"{place}."
        )
    for setting in settings:
        SPOKEN_OF.setdefault(setting, []).append(words)
    return words
