"""The themes of the fictional store, by name, in the order of its catalogue."""

from __future__ import annotations

from steamdino.sample.themes import (
    cards,
    castle,
    clockwork,
    desert,
    dinosaurs,
    farm,
    forest,
    horror,
    neon,
    ocean,
    pixel,
    puzzle,
    racing,
    samurai,
    snow,
    space,
)
from steamdino.sample.themes.theme import Theme

THEMES: dict[str, Theme] = {
    theme.name: theme
    for theme in (
        space.THEME,
        forest.THEME,
        racing.THEME,
        pixel.THEME,
        horror.THEME,
        cards.THEME,
        ocean.THEME,
        desert.THEME,
        neon.THEME,
        castle.THEME,
        snow.THEME,
        puzzle.THEME,
        farm.THEME,
        samurai.THEME,
        clockwork.THEME,
        dinosaurs.THEME,
    )
}
