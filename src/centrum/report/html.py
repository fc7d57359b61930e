"""Blocks to one self-contained page: pictures and style are in it, nothing is fetched."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from centrum.report.blocks import Block, Picture, Table
from centrum.report.compact import single_quoted, small_webp
from centrum.report.environment import templates
from centrum.report.style import COLUMN_CM

PLAIN = " !'*+,-.;=_"
"""What needs no escape between double quotes, beside letters and digits."""

OPEN_UP_TO = 16
"""Rows; longer supplementary tables are folded until the reader opens them, and in print a longer
table may begin on one page and go on on the next."""


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
    environment.tests["short"] = _is_short
    environment.tests["long"] = _is_long
    environment.tests["wide"] = _is_wide
    return environment.get_template("report.html").render(page=page, blocks=blocks)


def _source(picture: Picture) -> str:
    """The picture as the address of an image; what SVG has in it stays text, which is shorter."""
    if picture.raster:
        return f"data:image/webp;base64,{b64encode(small_webp(picture.made.png)).decode()}"
    return Markup("data:image/svg+xml,") + Markup(
        quote(single_quoted(picture.made.svg), safe=PLAIN)
    )


def _is_wide(picture: Picture) -> bool:
    return picture.made.width_cm > COLUMN_CM


def _is_short(table: Table) -> bool:
    return len(table.rows) <= OPEN_UP_TO


def _is_long(table: Table) -> bool:
    return not (table.main or table.boxed or _is_short(table))
