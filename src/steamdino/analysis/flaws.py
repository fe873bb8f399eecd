"""Finds flaws of banners, from measurements of each picture and from comparing it with the others."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

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


def usual_size(shown: Sequence[Shown]) -> tuple[int, int] | None:
    """Find the (width, height) that at least `USUAL` of the banners have; None if there is no such size."""
    sizes = Counter((one.width, one.height) for one in shown)
    if not sizes:
        return None
    size, count = sizes.most_common(1)[0]
    return size if count >= USUAL * len(shown) else None


def findings(
    shown: Sequence[Shown],
    measures: Mapping[str, Mapping[str, float]],
    unreadable: Mapping[str, str],
    size: tuple[int, int] | None,
) -> Iterator[Flaw]:
    """Find the flaws of each banner, and pictures that many games share.

    Args:
        shown: the banners.
        measures: what `banners.quality.measure` returned, by sha256.
        unreadable: why a picture cannot be decoded, by sha256.
        size: expected (width, height) of banners; None for any.
    """
    names: dict[str, set[str]] = defaultdict(set)
    for one in shown:
        names[one.sha256].add(one.name)
    aspects = sorted(one.width / one.height for one in shown)
    usual = aspects[len(aspects) // 2] if aspects else 1.0
    for one in shown:

        def found(flaw: str, score: float, detail: str, one: Shown = one) -> Flaw:
            return Flaw(one.game_id, one.name, one.path, flaw, round(score, 4), detail)

        if reason := unreadable.get(one.sha256):
            yield found("unreadable", 0.0, reason)
            continue
        measured = measures.get(one.sha256, {})
        blank = measured.get("blank", 1.0) < THRESHOLDS["blank"]
        for flaw, value in measured.items():
            # A blank picture has every other flaw, too.
            if value < THRESHOLDS[flaw] and (flaw == "blank" or not blank):
                yield found(flaw, value, f"{value:.2f}, below {THRESHOLDS[flaw]:.2f}")
        if size is not None and (one.width, one.height) != size:
            closeness = min(one.width / size[0], size[0] / one.width) * min(
                one.height / size[1], size[1] / one.height
            )
            yield found("odd-size", closeness, f"{one.width}x{one.height} and not {size[0]}x{size[1]}")
        aspect = one.width / one.height
        if abs(math.log(aspect / usual)) > math.log(ASPECT):
            closeness = min(aspect / usual, usual / aspect)
            yield found("odd-aspect", closeness, f"{one.width}x{one.height} is no {usual:.2f} to 1")
        if one.mode != "RGB":
            yield found("bands", 0.5, f"stored as {one.mode}")
        if len(names[one.sha256]) >= SHARED:
            count = len(names[one.sha256])
            yield found("placeholder", 1 / count, f"{count} games of different names show it")
