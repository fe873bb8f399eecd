"""The thresholds of `check` and `duplicates`, which a person may set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from steamdino.errors import UsageError


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The scores, each from 0 to 1, below which a banner has a flaw. 0 turns a flaw off.

    Attributes:
        blank, dark, light, low_information, blurry, border, grey: compared with what `banners.quality.measure` returns.
        odd_aspect: compared with how close the aspect ratio is to a usual one: the smaller divided by the larger.
    """

    blank: float = 0.04
    dark: float = 0.35
    light: float = 0.4
    low_information: float = 0.45
    blurry: float = 0.3
    border: float = 0.99
    grey: float = 0.04
    odd_aspect: float = 0.91

    def __post_init__(self) -> None:
        """Check that all are from 0 to 1.

        Raises:
            UsageError: one is not.
        """
        _check_ranges(self, {one.name: 1 for one in fields(self)})

    def of(self, flaw: str) -> float:
        """Return the threshold of a flaw, by the name that `check` reports."""
        return float(getattr(self, flaw.replace("-", "_")))

    def below(self, scores: Mapping[str, float]) -> list[str]:
        """Return those of some flaws, given with their scores, that a banner with these scores has."""
        return [flaw for flaw, score in scores.items() if score < self.of(flaw)]


ADJUSTABLE = tuple(one.name.replace("_", "-") for one in fields(Thresholds))
"""The flaws that have a threshold."""


@dataclass(frozen=True, slots=True)
class DuplicateThresholds:
    """How alike pictures must be to count as duplicates.

    Attributes:
        near: lowest standardised similarity of near pairs, from 0 (usual) to 1 (equal).
        certain: standardised similarity from which pairs are near whatever their hashes say.
        hash_bits: bits, of 256, in which the hashes of re-encoded pairs may differ.
        colour: of 255, how much a colour of re-encoded pairs may differ in any place.
        spot: of 255, how much the greys of re-encoded pairs may differ in any spot.
    """

    near: float = 0.5
    certain: float = 0.75
    hash_bits: float = 18
    colour: float = 20
    spot: float = 6

    def __post_init__(self) -> None:
        """Check that each is in its range.

        Raises:
            UsageError: one is not.
        """
        _check_ranges(self, DUPLICATE_RANGES)


def _check_ranges(thresholds: object, highest: Mapping[str, int]) -> None:
    for name, most in highest.items():
        value = getattr(thresholds, name)
        if not 0 <= value <= most:
            raise UsageError(f"the threshold {name} is {value}; it must be a number from 0 to {most}")


DUPLICATE_RANGES = {"near": 1, "certain": 1, "hash_bits": 256, "colour": 255, "spot": 255}
"""The highest value of each threshold of `duplicates`."""

USUAL = DuplicateThresholds()
"""The defaults, which `benchmarks/duplicates.py` measures."""
