"""The templates of all pages."""

import re

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

DASH = re.compile(r"(?<=\d)–(?=[\d−])")
TO = re.compile(r"(?<=\d) to (?=[\d−])")
"""What stands between the limits of an interval."""

EQUALS = re.compile(r"(?<=\b[Pn]) ([=<>]) (?=[.\d])")
"""Within such as "P = .02"."""


def templates() -> Environment:
    """Templates of this package: texts are escaped, a name that is not known is an error.

    No line of a page breaks within an interval or a P value.
    """
    return Environment(
        loader=ChoiceLoader([PackageLoader("centrum.report"), PackageLoader("centrum", "look")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_unbroken,
    )


def _unbroken(value: object) -> object:
    r"""A text whose intervals hold together; what is markup already stays as it is.

    >>> _unbroken("0.89 (0.72–0.96), −0.1 to 0.2; P = .02")
    '0.89 (0.72\u2060–\u20600.96), −0.1\xa0to\xa00.2; P\xa0=\xa0.02'
    """
    if type(value) is not str:
        return value
    whole = TO.sub("\xa0to\xa0", DASH.sub("\u2060–\u2060", value))
    return EQUALS.sub("\xa0\\1\xa0", whole)
