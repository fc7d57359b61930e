"""Names of the wavelets of PyWavelets, for the check of parameter files."""

import re

_BIORTHOGONAL = r"(1\.[135]|2\.[2468]|3\.[13579]|4\.4|5\.5|6\.8)"
_NAMES = re.compile(
    r"haar|dmey|mexh|morl|cmor|fbsp|shan|cgau[1-8]|gaus[1-8]"
    r"|db([1-9]|[12]\d|3[0-8])|sym([2-9]|1\d|20)|coif([1-9]|1[0-7])"
    rf"|(bior|rbio){_BIORTHOGONAL}"
)


def exists(name: str) -> bool:
    """Whether PyWavelets has a wavelet of that name.

    >>> exists("coif1"), exists("db20"), exists("bior2.2"), exists("coif0")
    (True, True, True, False)
    """
    return _NAMES.fullmatch(name) is not None
