from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steamdino.sample.canvas import Canvas
from steamdino.sample.lettering import title_of, write_title
from steamdino.sample.themes import THEMES
from steamdino.sample.titles import slug

STYLES = [(theme.name, index) for theme in THEMES.values() for index in range(len(theme.styles))]


def test_a_name_is_taken_apart_into_words_number_and_subtitle() -> None:
    title = title_of("Ember Hollow II: Ashes")
    assert (title.words, title.number, title.subtitle) == (("Ember", "Hollow"), "II", "Ashes")


def test_a_name_that_is_only_a_number_keeps_it_as_its_word() -> None:
    assert title_of("1984").words == ("1984",)
    assert title_of("7").words == ("7",)


@pytest.mark.parametrize(("theme", "index"), STYLES)
@pytest.mark.parametrize(
    "name", ["Ember Hollow: Ashes", "The Extraordinarily Long Chronicle of Nine Foxes II", "Moth"]
)
def test_letters_stay_inside_the_banner_in_every_style(theme: str, index: int, name: str) -> None:
    style, colours = THEMES[theme].styles[index], THEMES[theme].palettes[0]
    canvas = Canvas((128, 128, 128))
    write_title(canvas, name, style, colours)
    touched = np.abs(np.asarray(canvas.image, dtype=int) - 128).max(axis=2) > 60
    assert touched.any()
    assert not touched[:, :8].any()
    assert not touched[:, -8:].any()
    assert not touched[:8].any()
    assert not touched[-8:].any()


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=60))
def test_any_name_at_all_can_be_written(name: str) -> None:
    theme = THEMES["space"]
    write_title(Canvas(), name, theme.styles[0], theme.palettes[0])


@given(st.text(max_size=40))
def test_a_slug_has_only_small_letters_digits_and_hyphens(name: str) -> None:
    assert set(slug(name)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_roman_sequels_get_digits_in_their_slug() -> None:
    assert slug("Ember Hollow II") == "ember-hollow-2"
