"""What a protocol lets one choose, found in its settings."""

import pytest

from centrum.errors import ProtocolError
from centrum.filters import FILTERS
from centrum.protocol import Protocol, parse_protocol
from centrum.protocol.choices import names_at


def test_names_of_all_kinds_of_a_block() -> None:
    assert set(names_at(Protocol, "extraction.filters.filter")) >= set(FILTERS)
    assert names_at(Protocol, "preparation.region.connectivity") == (6, 18, 26)
    assert names_at(Protocol, "search.measure") == ("auc", "deviance")
    assert names_at(Protocol, "model.clip") == ()


def test_a_key_of_many_blocks_is_offered_once() -> None:
    """Filters share their keys: each place is named once, not once for every filter."""
    with pytest.raises(ProtocolError, match=r"did you mean extraction\.filters\.pooling\?"):
        parse_protocol("name: x\npooling: max", "study.yaml")
