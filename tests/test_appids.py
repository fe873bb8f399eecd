from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steamdino.appids import LARGEST_APPID, is_appid, steamdb_page, store_page, store_page_of


@given(st.integers(1, LARGEST_APPID))
def test_whole_numbers_above_0_are_appids(number: int) -> None:
    assert is_appid(str(number))


@pytest.mark.parametrize(
    "text",
    ["", "0", "007", "-1", "+1", "1.0", "1 ", "x", "٣", "²", str(LARGEST_APPID + 1), "9" * 5000, "1\n"],
)
def test_other_texts_are_not(text: str) -> None:
    assert not is_appid(text)


def test_pages_are_at_their_known_addresses() -> None:
    assert store_page("730") == "https://store.steampowered.com/app/730"
    assert steamdb_page("730") == "https://steamdb.info/app/730/"


def test_a_store_page_needs_a_source_with_appids_and_an_id_that_is_one() -> None:
    assert store_page_of("730", steam=True) == store_page("730")
    assert store_page_of("730", steam=False) is None
    assert store_page_of("cover", steam=True) is None
