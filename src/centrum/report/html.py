"""Blocks to one self-contained page: pictures and style are in it, nothing is fetched."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from centrum.report.blocks import Block, Picture, Table
from centrum.report.environment import templates

OPEN_UP_TO = 16
"""Longer supplementary tables are folded until the reader opens them."""


@dataclass(frozen=True)
class Page:
    """What a page says beside its sections.

    Attributes
    ----------
    title, lead : heading, and a sentence under it
    simulated : "" or the sentence that marks simulated patients wherever results are shown
    data : what the page's script shows, JSON-ready, by name
    """

    title: str
    lead: str
    simulated: str
    data: Mapping[str, Any] = field(default_factory=dict)


def render_html(page: Page, blocks: Sequence[Block]) -> str:
    """The page of blocks that have their numbers; all texts are escaped."""
    environment = templates()
    environment.filters["source"] = _source
    environment.tests["long"] = _is_long
    return environment.get_template("report.html").render(page=page, blocks=blocks)


def _source(picture: Picture) -> str:
    """The picture as the address of an image."""
    made = picture.made
    kind, content = ("png", made.png) if picture.raster else ("svg+xml", made.svg)
    return f"data:image/{kind};base64,{b64encode(content).decode()}"


def _is_long(table: Table) -> bool:
    return not table.main and len(table.rows) > OPEN_UP_TO and not table.boxed
