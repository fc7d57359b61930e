"""What a paragraph of the Methods says in the paper, and what it leaves to the supplement."""

from dataclasses import dataclass

from centrum.text import sentences


@dataclass(frozen=True)
class Passage:
    """Sentences about one matter, each in one of the two places; both may be empty.

    Attributes
    ----------
    paper : what a reader must know to judge the study
    supplement : what somebody needs to repeat it; what was not done, where nobody expects it
    items : a list at the end of the supplement's sentences

    >>> Passage("Values were z-scored.", "The seed was 7.").whole
    'Values were z-scored. The seed was 7.'
    """

    paper: str = ""
    supplement: str = ""
    items: tuple[str, ...] = ()

    @property
    def whole(self) -> str:
        """Both."""
        return sentences(self.paper, self.supplement)
