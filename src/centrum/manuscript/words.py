"""Numbers, lists and sentences as a Methods section writes them."""

from collections.abc import Iterable, Sequence


def number(value: float) -> str:
    """A setting with all its digits and a true minus sign.

    >>> number(0.7), number(32), number(-1.5), number(1e-7)
    ('0.7', '32', '−1.5', '1e−7')
    """
    return f"{value:.12g}".replace("e-0", "e-").replace("-", "−")


def percent(share: float) -> str:
    """A share as a percentage.

    >>> percent(0.29)
    '29 %'
    """
    return f"{number(100 * share)} %"


def numbers(values: Iterable[float]) -> str:
    """Several numbers.

    >>> numbers([1, 2.5, 3])
    '1, 2.5 and 3'
    """
    return listed([number(value) for value in values])


def listed(parts: Sequence[str], last: str = "and") -> str:
    """Parts with commas and, before the last of them, `last`.

    >>> listed(["a", "b", "c"]), listed(["a", "b"], "or"), listed(["a"])
    ('a, b and c', 'a or b', 'a')
    """
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {last} {parts[-1]}"


def sentences(*parts: str) -> str:
    """The sentences that there are, one after another.

    >>> sentences("One.", "", "Two.")
    'One. Two.'
    """
    return " ".join(part for part in parts if part)


def placeholder(what: str) -> str:
    """A sentence of its own for what the software cannot know.

    >>> placeholder("how the diagnosis was established")
    '[Author: how the diagnosis was established].'
    """
    return f"[Author: {what}]."


def quoted(names: Iterable[str]) -> str:
    """Names as the manifest spells them.

    >>> quoted(["T1w", "T2w"])
    '"T1w" and "T2w"'
    """
    return listed([f'"{name}"' for name in names])
