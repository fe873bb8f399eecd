from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from steamdino.present.text import printable, shortened


@given(st.text())
def test_what_is_printable_is_one_line_without_control_characters(text: str) -> None:
    shown = printable(text)
    assert len(shown) == len(text)
    assert len(shown.splitlines()) <= 1
    assert all(unicodedata.category(c) not in ("Cc", "Cs") for c in shown)
    shown.encode()


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs"))))
def test_ordinary_text_of_any_script_is_left_alone(text: str) -> None:
    assert printable(text) == text


@given(st.text(), st.integers(1, 50))
def test_a_shortened_text_is_no_longer_than_asked(text: str, width: int) -> None:
    short = shortened(text, width)
    assert len(short) <= width
    assert text.startswith(short[:-1]) if len(text) > width else short == text
