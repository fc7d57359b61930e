"""Files of keys and values say one thing, within limits, or are refused by name."""

import json
import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from centrum.errors import DataError, ProtocolError, SignatureError
from centrum.io import structured
from centrum.io.structured import parse_json, parse_yaml, read_bytes, read_json, read_yaml

NO_NUMBERS = {"day": "2024-05-01", "no day": "2024-13-45", "id": "007", "time": "12:30:00"}


def test_what_only_looks_like_a_number_stays_text() -> None:
    text = "\n".join(f"{key}: {value}" for key, value in NO_NUMBERS.items())
    assert parse_yaml(text, "a.yaml", ProtocolError) == NO_NUMBERS


def test_numbers_truth_values_and_null() -> None:
    text = "[0, -3, 1.5, .5, 1e-4, -2E3, true, no, null, ~, 1., +7]"
    found = parse_yaml(text, "a.yaml", ProtocolError)
    assert found == [0, -3, 1.5, 0.5, 1e-4, -2000.0, True, False, None, None, 1.0, 7]
    assert [type(value) for value in found[:5]] == [int, int, float, float, float]


BOMB = "a0: &a0 [x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 8)}]\n" for n in range(1, 12)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: {c: 1, c: 2}", "'c' occurs twice"),
        ("a: &x [*x]", "blocks lie within each other"),
        ("[" * 1000, "blocks lie within each other"),
        ("[" * 70 + "]" * 70, "blocks lie within each other"),
        (BOMB, "it unfolds to more than"),
        ("a: &a {b: 1}\nc:\n  <<: *a", "line 3: blocks are not merged"),
        ("? [1]\n: 2", "line 1: a key is a list"),
        ("a: [{b: [1, .nan]}]", "a.0.b.1: expected a finite number, found NaN"),
        ("a: 1.0e+400", "a: expected a finite number"),
        ("a: 1" + "0" * 30, "a: expected a smaller number, found an integer of 100 bits"),
        ("a: 1" + "0" * 5000, "4300 digits"),
        ("a: !!int ''", "a number or a tag cannot be read"),
        ("a: !!bool x", "a number or a tag cannot be read"),
        ("a: !!timestamp x", "line 1: could not determine a constructor for the tag"),
        ("a: !!python/object:os.system x", "line 1: could not determine a constructor"),
        ("a\0b", "#x0000"),
        ('"\\uD800"', "half a character"),
        ("---\na\n---\nb", "line 3"),
    ],
)
def test_unclear_yaml_is_refused_by_name(text: str, said: str) -> None:
    with pytest.raises(SignatureError, match=r"^b\.yaml(:| is not YAML:) ") as error:
        parse_yaml(text, "b.yaml", SignatureError)
    assert said in str(error.value)
    assert (error.value.code, error.value.file) == ("not-yaml", "b.yaml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1, "a": 2}', "'a' occurs twice"),
        ('{"a": NaN}', "a: expected a finite number, found NaN"),
        ("[1e400]", "0: expected a finite number"),
        ("[" * 100_000, "blocks lie within each other"),
        ("[" * 70 + "]" * 70, "blocks lie within each other"),
        ("9" * 4000, "expected a smaller number"),
        ("9" * 5000, "4300 digits"),
        ('{"a\\ud800": 1}', "half a character"),
        ('{"a": 1', "line 1 column 8"),
        ("", "line 1 column 1"),
    ],
)
def test_unclear_json_is_refused_by_name(text: str, said: str) -> None:
    with pytest.raises(DataError, match=r"^b\.json(:| is not JSON:) ") as error:
        parse_json(text, "b.json", DataError)
    assert said in str(error.value)
    assert (error.value.code, error.value.file) == ("not-json", "b.json")


def test_nan_where_a_program_writes_it() -> None:
    found = parse_json('{"a": NaN, "b": -Infinity}', "b.json", DataError, nan=True)
    assert str(found) == "{'a': nan, 'b': -inf}"


@settings(max_examples=60)
@given(st.text("ab:-[]{}&*!#|>'\"? \n\t,.%019<~=é", max_size=60))
def test_any_text_is_plain_values_or_a_refusal(text: str) -> None:
    for parse in (parse_yaml, parse_json):
        with suppress(ProtocolError):
            json.dumps(parse(text, "x", ProtocolError))


def test_only_ordinary_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, code in (
        (tmp_path / "pipe", "no-regular-file"),
        (tmp_path, "no-regular-file"),
        (Path("/dev/zero"), "no-regular-file"),
        (tmp_path / "none.json", "no-file"),
        (tmp_path / "a\0b", "unreadable-file"),
        (tmp_path / ("n" * 300), "unreadable-file"),
    ):
        with pytest.raises(DataError) as error:
            read_json(path, DataError)
        assert error.value.code == code
    (tmp_path / "file").write_text('{"a": 1}')
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert read_json(tmp_path / "link", DataError) == {"a": 1}


def test_a_file_is_no_larger_than_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"a: 12345")
    assert read_bytes(path, ProtocolError, 8) == b"a: 12345"
    with pytest.raises(ProtocolError, match=r"a\.yaml has more than 7 bytes") as error:
        read_bytes(path, ProtocolError, 7)
    assert error.value.code == "too-large"
    monkeypatch.setattr(structured, "MOST_VALUES", 1)
    with pytest.raises(ProtocolError, match="more than 1 values"):
        read_yaml(path, ProtocolError)


def test_text_in_utf8_with_or_without_a_mark(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes("ä: é".encode("utf-8-sig"))
    assert read_yaml(path, ProtocolError) == {"ä": "é"}
    for encoding in ("latin-1", "utf-16"):
        path.write_bytes("ä: é".encode(encoding))
        with pytest.raises(ProtocolError, match=r"a\.yaml is not text in UTF-8") as error:
            read_yaml(path, ProtocolError)
        assert error.value.code == "not-utf-8"
