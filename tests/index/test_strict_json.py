from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steamdino.index.strict_json import DEEPEST, MOST_DIGITS, loads

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=10)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)


@given(values, st.booleans())
def test_it_reads_what_pythons_own_reader_reads(value: object, ascii_only: bool) -> None:
    data = json.dumps(value, ensure_ascii=ascii_only).encode()
    assert loads(data) == json.loads(data) == value


@given(st.binary(max_size=40))
def test_bytes_are_read_or_refused_in_one_line(data: bytes) -> None:
    try:
        loads(data)
    except ValueError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": 1, "b": 2, "a": 3}', "'a' is repeated"),
        ('[{"x": {"b": 1, "b": 1}}]', "'b' is repeated"),
        ("NaN", "NaN is not a JSON number"),
        ("[-Infinity]", "-Infinity is not a JSON number"),
        ("1e999", "too large a number"),
        ("1" * (MOST_DIGITS + 1), "digits"),
        ("1." + "1" * MOST_DIGITS, "digits"),
        ("9" * 5000, "digits"),
        ('"\\ud800"', "lone surrogate"),
        ('{"\\udfff": 1}', "lone surrogate"),
        ('["\\u0000"]', "a NUL"),
        ("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1), "nested"),
        ('{"a":' * 100_000, "nested"),
        ("[" * 100_000, "nested"),
        ("{", "not JSON"),
        ("", "not JSON"),
    ],
)
def test_what_later_stages_stumble_over_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        loads(text)


def test_the_limits_themselves_are_read() -> None:
    assert loads("9" * MOST_DIGITS) == 10**MOST_DIGITS - 1
    assert loads("[" * DEEPEST + "]" * DEEPEST)


def test_other_encodings_are_refused() -> None:
    for encoding in ("utf-16", "utf-32", "utf-8-sig", "latin-1"):
        with pytest.raises(ValueError, match="not UTF-8|not JSON"):
            loads('"é"'.encode(encoding))
