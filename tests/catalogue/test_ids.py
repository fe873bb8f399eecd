from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from steamdino.catalogue.ids import LONGEST, refusal, steam_refusal


@given(st.text())
def test_an_accepted_id_can_be_printed_on_one_line(text: str) -> None:
    if refusal(text) is None:
        line = f"{text}\n".encode()
        assert line.decode().splitlines() == [text]
        assert text == text.strip()
        assert 1 <= len(text) <= LONGEST


@given(st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=LONGEST))
def test_letters_digits_and_signs_of_any_script_are_accepted(text: str) -> None:
    assert refusal(text) is None


@given(st.text(min_size=1), st.sampled_from("\0\x1b\n\r\x85\u2028\u2029\u202e\u2066"))
def test_control_characters_are_refused_at_every_position(text: str, control: str) -> None:
    assert refusal(text + control + text) is not None


def test_an_empty_or_too_long_id_is_refused() -> None:
    assert refusal("") == "the id is empty"
    assert "501 characters" in str(refusal("x" * 501))
    assert refusal("x" * 500) is None


def test_an_app_id_has_at_most_ten_digits() -> None:
    assert steam_refusal("4294967295") is None
    assert "not an appID" in str(steam_refusal("10000000000"))


@given(st.integers(1, 2**32 - 1))
def test_every_valid_app_id_is_accepted(number: int) -> None:
    assert steam_refusal(str(number)) is None


@given(st.text().filter(lambda t: not (t.isascii() and t.isdigit())) | st.integers(max_value=0).map(str))
def test_invalid_app_ids_are_refused(text: str) -> None:
    assert "not an appID" in str(steam_refusal(text))
