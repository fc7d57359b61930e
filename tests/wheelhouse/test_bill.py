"""What is added to the bill that cyclonedx-py writes; the whole is `make wheelhouse-check`'s."""

import pytest
from packaging.utils import canonicalize_name
from tools.wheelhouse.bill import complete

SITE = {"type": "website", "url": "https://example.org"}
HASHES = {canonicalize_name(name): name * 8 for name in ("centrum", "Jinja2", "pip")}


def described(*names: str) -> dict:
    parts = [
        {"name": n, "version": "1", "type": "library", "externalReferences": [SITE]} for n in names
    ]
    tool = {"name": "cyclonedx-py", "externalReferences": [SITE]}
    return {"metadata": {"tools": {"components": [tool]}}, "components": parts}


def test_the_program_and_its_components_have_their_hashes() -> None:
    bill = complete(described("Jinja2", "centrum", "pip"), HASHES)
    program, (jinja, pip) = bill["metadata"]["component"], bill["components"]
    assert (program["name"], program["type"]) == ("centrum", "application")
    assert program["hashes"] == [{"alg": "SHA-256", "content": "centrum" * 8}]
    assert jinja["hashes"] == [{"alg": "SHA-256", "content": "Jinja2" * 8}]
    assert (jinja["scope"], pip["scope"]) == ("required", "excluded")


def test_no_address_is_left() -> None:
    assert "example.org" not in str(complete(described("centrum", "Jinja2", "pip"), HASHES))


@pytest.mark.parametrize("names", [("centrum", "pip"), ("centrum", "Jinja2", "pip", "more")])
def test_wheels_without_component_and_components_without_wheel_are_refused(names: tuple) -> None:
    with pytest.raises(SystemExit, match=r"differ in (jinja2|more)"):
        complete(described(*names), HASHES)
