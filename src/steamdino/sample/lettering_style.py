"""The style in which the titles of a series are lettered."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Style:
    """How the titles of a series look; lengths are parts of the letter size unless said otherwise."""

    anchor: str = "bottom"  # top, middle or bottom of the banner
    align: str = "centre"  # centre or left
    caps: bool = True
    weight: float = 0.03
    tracking: float = 0.04
    stretch: float = 1.0  # how much taller than the font's own letters
    slant: float = 0.0  # to the right, per unit of height
    rise: float = 0.0  # of the base line to the right, per unit of width
    arc: float = 0.0  # how many banner units the middle stands above the ends
    stack: bool = False  # every line as wide as the banner allows
    fill: str = "solid"  # solid, fade, chrome or outline
    outline: float = 0.0
    shadow: float = 0.5  # opacity
    depth: float = 0.0  # length of the block behind the letters, in banner units
    glow: float = 0.0
    texture: str = ""  # worn, brush, cut, pixel
    ornament: str = ""  # rules, bar, box, diamond
    size: float = 58.0  # the largest letters allowed, in banner units
    room: float = 116.0  # the largest height of the main lines, in banner units
