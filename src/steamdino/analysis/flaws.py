"""Finds flaws of banners, from measurements of each picture and from comparing it with the others."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from steamdino.banners.quality import THRESHOLDS
from steamdino.gallery.curation import Shown

FLAWS = (
    "unreadable",
    "blank",
    "dark",
    "light",
    "low-information",
    "blurry",
    "border",
    "odd-size",
    "odd-aspect",
    "bands",
    "placeholder",
    "identical",
    "re-encoded",
)
"""All flaws, in the order in which they are reported."""

USUAL = 0.5
"""Share of the banners that must have the same size for others to count as odd."""

ASPECT = 1.1
"""Factor by which an aspect ratio may differ from the usual one."""

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


@dataclass(frozen=True, slots=True)
class Sizes:
    """What is usual among the sizes of a gallery's banners.

    Attributes:
        size: the (width, height) that at least `USUAL` of the banners have; None if there is no such size.
        aspect: the median of width / height; 1 without banners.
    """

    size: tuple[int, int] | None
    aspect: float


def usual_sizes(sizes: Sequence[tuple[int, int, int]]) -> Sizes:
    """Find what is usual among sizes, given as (width, height, number of banners), the most common first."""
    total = sum(count for _, _, count in sizes)
    if not total:
        return Sizes(None, 1.0)
    width, height, most = sizes[0]
    aspects = sorted((width / height, count) for width, height, count in sizes)
    upto = accumulate(count for _, count in aspects)
    median = next(aspect for (aspect, _), reached in zip(aspects, upto, strict=True) if reached > total // 2)
    return Sizes((width, height) if most >= USUAL * total else None, median)


def banner_flaws(
    one: Shown, measured: Mapping[str, float], usual: Sizes, *, unreadable: str = "", names: int = 1
) -> Iterator[Flaw]:
    """Find the flaws of one banner.

    Args:
        one: the banner.
        measured: what `banners.quality.measure` returned; empty if it could not be measured.
        usual: expected size and aspect ratio of banners; a size of None means any.
        unreadable: why it could not be measured.
        names: how many different names the games have that show its picture.
    """

    def found(flaw: str, score: float, detail: str) -> Flaw:
        return Flaw(one.game_id, one.name, one.path, flaw, round(score, 4), detail)

    if unreadable and not measured:
        yield found("unreadable", 0.0, unreadable)
        return
    blank = measured.get("blank", 1.0) < THRESHOLDS["blank"]
    for flaw, value in measured.items():
        # A blank picture has every other flaw, too.
        if value < THRESHOLDS[flaw] and (flaw == "blank" or not blank):
            yield found(flaw, value, f"{value:.2f}, below {THRESHOLDS[flaw]:.2f}")
    size = usual.size
    if size is not None and (one.width, one.height) != size:
        closeness = min(one.width / size[0], size[0] / one.width) * min(
            one.height / size[1], size[1] / one.height
        )
        yield found("odd-size", closeness, f"{one.width}x{one.height} and not {size[0]}x{size[1]}")
    aspect = one.width / one.height
    if abs(math.log(aspect / usual.aspect)) > math.log(ASPECT):
        closeness = min(aspect / usual.aspect, usual.aspect / aspect)
        yield found("odd-aspect", closeness, f"{one.width}x{one.height} is no {usual.aspect:.2f} to 1")
    if one.mode != "RGB":
        yield found("bands", 0.5, f"stored as {one.mode}")
    if names >= SHARED:
        yield found("placeholder", 1 / names, f"{names} games of different names show it")
