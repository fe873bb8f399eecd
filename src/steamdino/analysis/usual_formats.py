"""Finds the sizes and aspect ratios that are usual in a gallery: there may be several."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

SHARE = 0.05
"""Share of the banners that a usual size or aspect ratio has at least."""

LEAST = 3
"""Banners that a usual size or aspect ratio has at least."""

SAME_ASPECT = 1.02
"""Factor by which aspect ratios differ at most that count as the same: sizes are rounded to whole pixels."""

COVERED = 0.9
"""Share of the banners that have one of the usual sizes, if sizes are to matter in a gallery."""

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Formats:
    """What is usual among the banners of a gallery.

    Attributes:
        sizes: the usual (width, height), the most common first; empty if any size is fine.
        aspects: the usual values of width / height, ascending; empty if any is fine.
    """

    sizes: tuple[Size, ...] = ()
    aspects: tuple[float, ...] = ()

    def closest_size(self, size: Size) -> tuple[Size, float]:
        """Return the usual size that is closest to another one, and how close it is: from 0 to 1, 1 if it is equal.

        Without usual sizes, every size is usual.
        """
        width, height = size
        return max(
            (((w, h), min(width / w, w / width) * min(height / h, h / height)) for w, h in self.sizes),
            key=lambda found: found[1],
            default=(size, 1.0),
        )

    def closest_aspect(self, aspect: float) -> tuple[float, float]:
        """Return the usual aspect ratio that is closest to another one, and the smaller divided by the larger.

        Without usual ones, every aspect ratio is usual.
        """
        place = bisect_left(self.aspects, aspect)
        around = self.aspects[max(place - 1, 0) : place + 1]
        return max(
            ((usual, min(aspect / usual, usual / aspect)) for usual in around),
            key=lambda found: found[1],
            default=(aspect, 1.0),
        )


def usual_formats(sizes: Sequence[tuple[int, int, int]]) -> Formats:
    """Find what is usual among sizes, given as (width, height, number of banners), the most common first."""
    total = sum(count for _, _, count in sizes)
    least = max(LEAST, SHARE * total)
    common = [(width, height, count) for width, height, count in sizes if count >= least]
    if sum(count for _, _, count in common) < COVERED * total:
        common = []
    return Formats(tuple((width, height) for width, height, _ in common), _usual_aspects(sizes, least))


def _usual_aspects(sizes: Sequence[tuple[int, int, int]], least: float) -> tuple[float, ...]:
    counts: Counter[float] = Counter()
    for width, height, count in sizes:
        counts[width / height] += count
    aspects = sorted(counts)

    def is_usual(aspect: float) -> bool:
        same = aspects[
            bisect_left(aspects, aspect / SAME_ASPECT) : bisect_right(aspects, aspect * SAME_ASPECT)
        ]
        # The most common one stands for those around it.
        return sum(counts[one] for one in same) >= least and counts[aspect] == max(
            counts[one] for one in same
        )

    return tuple(filter(is_usual, aspects))
