"""What the measured images are claimed to be, and in how many cases that is verified."""

from centrum.report.results import StudyResults
from centrum.study.findings import MeasuredSequence
from centrum.text import counted


def weighting_text(results: StudyResults) -> str:
    """A sentence for each measured sequence; "" for a study of tables."""
    if results.protocol.tables:
        return ""
    several = len(results.sequences) > 1
    told = [_told(s, f' of "{s.name}"' if several else "") for s in results.sequences]
    return " ".join(told) or _claimed(results.protocol.images.weighting or "", "") + "."


def _told(sequence: MeasuredSequence, which: str) -> str:
    known = f": {verification(sequence)}" if sequence.claimed else ""
    return f"{_claimed(sequence.claimed, which)}{known}."


def _claimed(weighting: str, which: str) -> str:
    if not weighting:
        return f"No sequence was claimed of the images{which}, and none was verified"
    return f"The images{which} were taken to be {weighting}"


def verification(sequence: MeasuredSequence) -> str:
    """How the weighting is known, with the number of cases.

    >>> verification(MeasuredSequence("", "T2w", cases=30, by_times=12, by_name=8))
    'verified from TR and TE in 12 of 30 cases; only named so in 8; sequence not verified in 10'
    >>> verification(MeasuredSequence("", "T2w", cases=1, by_times=0, by_name=0))
    'sequence not verified in 1 of 1 case'
    """
    numbers = {
        "verified from TR and TE": sequence.by_times,
        "only named so": sequence.by_name,
        "sequence not verified": sequence.unverified,
    }
    (first, n), *more = ((text, n) for text, n in numbers.items() if n)
    begin = f"{first} in {n} of {counted(sequence.cases, 'case')}"
    return "; ".join((begin, *(f"{text} in {n}" for text, n in more)))
