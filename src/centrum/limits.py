"""What every result of this package has to be read with."""

RESEARCH_ONLY = "Research use only, not a medical device: no result may guide a patient's care."

OUTSIDE_THE_REGION = (
    "The region of interest is the vertebral body alone. The signs that readers trust most lie "
    "outside it and are not in this score: a pedicle or posterior element replaced by tumour "
    "(0 of 14 osteoporotic, 21 of 29 malignant fractures) and a paraspinal or epidural mass "
    "(none, 16 of 29)."
)
