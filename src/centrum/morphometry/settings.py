"""How the vertebral bodies of a study are measured."""

from pydantic import Field

from centrum.settings import Settings


class MorphometrySettings(Settings):
    """Heights and Genant's grade of every case, from its masks as they were drawn.

    Expected heights come from the same label map or from healthy bodies of the level, never from
    other cases: there is nothing to learn, and nothing that could leak.

    >>> MorphometrySettings().neighbours
    True
    """

    neighbours: bool = Field(
        True,
        description="compare a body with the nearest whole ones of its label map, where its mask "
        "is a part of one; false: always with healthy bodies of its level",
    )
