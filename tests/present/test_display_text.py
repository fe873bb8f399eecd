from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steamdino.present.display_text import closeness, printable, rarity, shortened


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


@given(st.floats(0, 99.99999))
def test_a_percentile_is_never_rounded_up(percentile: float) -> None:
    shown = float(closeness(percentile).removesuffix(" %"))
    assert shown <= percentile + 1e-6
    assert 100 - shown < max(10 * (100 - percentile), 1.1e-5) or percentile < 90


def test_a_percentile_has_as_many_digits_as_tell_it_from_all() -> None:
    told = {62.4: "62 %", 99.04: "99.0 %", 99.98765: "99.98 %", 99.9999: "99.9999 %"}
    assert {number: closeness(number) for number in told} == told


@pytest.mark.parametrize(
    ("percentile", "expected"),
    [
        (99.999, "1 in 100,000 pairs"),
        (99.99987, "1 in 760,000 pairs"),
        (99.86, "1 in 710 pairs"),
        (99.0, "1 in 100 pairs"),
        (93.4, "1 in 15 pairs"),
        (66.7, "1 in 3 pairs"),
        (50.0, "1 in 2 pairs"),
        (49.9, "closer than 49 % of pairs"),
        (0.0, "closer than 0 % of pairs"),
        (100.0, "1 in 100,000,000 pairs"),
    ],
)
def test_a_percentile_is_told_as_a_frequency(percentile: float, expected: str) -> None:
    assert rarity(percentile) == expected


@given(st.floats(50, 99.99999))
def test_a_frequency_is_never_rarer_than_its_percentile(percentile: float) -> None:
    one_in = int(rarity(percentile).split()[2].replace(",", ""))
    assert one_in <= 100 / (100 - percentile) * (1 + 1e-6)
    assert one_in >= 0.9 * 100 / (100 - percentile) - 1
