"""Colours of figures and pages.

Those of Okabe and Ito (Color Universal Design, 2008), told apart by colour-blind readers.
"""

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
GREY, FAINT, PALE = "#6E6E6E", "#B8B8B8", "#DADADA"

CYCLE = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK)
"""Colours of lines on white; yellow is left out, it does not show."""

OUTCOMES = (VERMILION, BLUE)
"""Positive and negative outcome."""

READERS = (ORANGE, SKY, PURPLE, YELLOW)
"""Contours of the readers, on grey images."""

REGIONS = (GREEN, VERMILION, BLUE)
"""Contours of further regions, on grey images."""
