"""What a theme is: a painter with its palettes, title styles and the words its games are named with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from steamdino.sample.canvas import Canvas
from steamdino.sample.lettering_style import Style
from steamdino.sample.palette import Palette


@dataclass(frozen=True, slots=True)
class Brief:
    """What a painter is asked for.

    `series` gives what all games of a franchise share (the hero, the place), `own` what only this game
    has (composition, small things); `focus` is the height where the title leaves room for the hero, and
    `number` tells the games of a franchise apart, from 0.
    """

    colours: Palette
    series: Random
    own: Random
    focus: float
    number: int
    words: tuple[str, ...]  # of the series' name, in small letters

    def pick(self, *choices: str) -> str:
        """Return the hero of the series, from choices like "whale:whale leviathan".

        A choice whose own words begin one of the name's words wins, so that a whale song shows a whale;
        otherwise chance decides.
        """
        lot = self.series.choice(choices)
        named = [choice for choice in choices if self._named(choice.partition(":")[2])]
        return (named or [lot])[0].partition(":")[0]

    def scene(self, *hints: str) -> int:
        """Return which composition to use, of as many as there are hints (words, as in `pick`).

        The games of a franchise alternate between two, so that each has a close relative.
        """
        first = self.series.randrange(len(hints))
        named = [index for index, hint in enumerate(hints) if self._named(hint)]
        return ((named or [first])[0] + self.number % 2) % len(hints)

    def _named(self, hint: str) -> bool:
        return any(word.startswith(part) for part in hint.split() for word in self.words)


@dataclass(frozen=True, slots=True)
class Theme:
    """A genre with a look of its own."""

    name: str
    paint: Callable[[Canvas, Brief], None]
    palettes: tuple[Palette, ...]
    styles: tuple[Style, ...]
    tags: tuple[str, ...]
    grain: float = 6.0
    vignette: float = 0.35
    scrim: float = 0.6  # opacity of the shade behind the title
