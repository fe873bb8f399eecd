"""Finds flaws of banners, from measurements of each picture and from comparing it with the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from steamdino.analysis.usual_formats import Formats
from steamdino.gallery.curation import Shown
from steamdino.thresholds import Thresholds

FLAWS = (
    "unreadable",
    "blank",
    "dark",
    "light",
    "low-information",
    "blurry",
    "border",
    "grey",
    "odd-size",
    "odd-aspect",
    "bands",
    "placeholder",
    "identical",
    "re-encoded",
)
"""All flaws, in the order in which they are reported."""

SHARED = 5
"""Number of games with different names from which on a picture that they share is a placeholder."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """A flaw of one banner.

    Attributes:
        game_id, name, path: the game and its banner, as in `Shown`.
        flaw: one of `FLAWS`.
        score: from 0 (worst) to 1 (no flaw); this is compared with the threshold.
        detail: what is wrong, in a few words.
    """

    game_id: str
    name: str
    path: str
    flaw: str
    score: float
    detail: str


def banner_flaws(
    one: Shown,
    measured: Mapping[str, float],
    usual: Formats,
    *,
    thresholds: Thresholds,
    unreadable: str = "",
    names: int = 1,
) -> Iterator[Flaw]:
    """Find the flaws of one banner.

    Args:
        one: the banner.
        measured: what `banners.quality.measure` returned; empty if it could not be measured.
        usual: the sizes and aspect ratios that banners may have.
        thresholds: of the scores.
        unreadable: why it could not be measured.
        names: how many different names the games have that show its picture.
    """

    def found(flaw: str, score: float, detail: str) -> Flaw:
        return Flaw(one.game_id, one.name, one.path, flaw, round(score, 4), detail)

    if unreadable and not measured:
        yield found("unreadable", 0.0, unreadable)
        return
    low = thresholds.below(measured)
    for flaw in low:
        # A blank picture has every other flaw, too.
        if flaw == "blank" or "blank" not in low:
            yield found(flaw, measured[flaw], f"{measured[flaw]:.2f}, below {thresholds.of(flaw):.2f}")
    (width, height), closeness = usual.closest_size((one.width, one.height))
    if (one.width, one.height) != (width, height):
        yield found("odd-size", closeness, f"{one.width}x{one.height} and not {width}x{height}")
    aspect, closeness = usual.closest_aspect(one.width / one.height)
    if closeness < thresholds.odd_aspect:
        yield found("odd-aspect", closeness, f"{one.width}x{one.height} is no {aspect:.2f} to 1")
    if one.mode != "RGB":
        yield found("bands", 0.5, f"stored as {one.mode}")
    if names >= SHARED:
        yield found("placeholder", 1 / names, f"{names} games of different names show it")
