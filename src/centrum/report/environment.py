"""The templates of all pages."""

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined


def templates() -> Environment:
    """Templates of this package: texts are escaped, a name that is not known is an error."""
    return Environment(
        loader=ChoiceLoader([PackageLoader("centrum.report"), PackageLoader("centrum", "look")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
