"""The filters of a page as they were typed: what is understood is applied, and the rest gets a hint beside its field.

The API refuses a filter that it does not understand. A person who mistypes a tag should still see the game.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Query

from steamdino.errors import UsageError
from steamdino.present.display_text import shortened
from steamdino.records import Filter
from steamdino.search import Snapshot
from steamdino.search.cutoff import HALF_SIMILARITY, Cutoff
from steamdino.search.filter_parser import filter_of
from steamdino.search.tag_hints import unknown_tags

LONGEST_VALUE = 80
MOST_TAGS = 20
HALF_SHOWN = 0.5e-3
"""Half a unit of the last decimal of a similarity on a page, so that one that was copied from there finds its match."""

YES = ("1", "true", "on", "yes")


@dataclass(frozen=True, slots=True)
class Hint:
    """Why a field was ignored, and what to write instead.

    Attributes:
        text: the reason.
        near: tags to write instead.
    """

    text: str
    near: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TypedFilter:
    """The fields of a filter form, stripped."""

    tags: tuple[str, ...] = ()
    released: str = ""
    early_access: str = ""
    upcoming: str = ""
    min_reviews: str = ""
    min_similarity: str = ""
    min_percentile: str = ""
    flags: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FilterForm:
    """What was understood of a filter form.

    Attributes:
        only: the filter.
        typed: the fields as they were typed.
        hints: by field, why it was ignored; for `tag`, one of several may have been.
        min_similarity, min_percentile: the least that a match must have; None for any.
    """

    only: Filter
    typed: TypedFilter
    hints: Mapping[str, Hint]
    min_similarity: float | None = None
    min_percentile: float | None = None

    @property
    def has_conditions(self) -> bool:
        """Whether the filter is not the usual one."""
        return self.only != Filter()

    @property
    def has_minima(self) -> bool:
        """Whether matches must have a least similarity or percentile."""
        return self.min_similarity is not None or self.min_percentile is not None

    @property
    def is_open(self) -> bool:
        """Whether a person should see the fields at once."""
        return self.has_conditions or self.has_minima or bool(self.hints)

    @property
    def cutoff(self) -> Cutoff:
        """The minima, of which that of similarities has room for what a page rounds."""
        least = self.min_similarity
        if least is not None:
            least = max(-1.0, least - HALF_SHOWN + HALF_SIMILARITY)
        return Cutoff(least, self.min_percentile)


async def typed_filter(
    tag: Annotated[list[str] | None, Query()] = None,
    released: Annotated[str, Query()] = "",
    early_access: Annotated[str, Query()] = "",
    upcoming: Annotated[str, Query()] = "",
    min_reviews: Annotated[str, Query()] = "",
    min_similarity: Annotated[str, Query()] = "",
    min_percentile: Annotated[str, Query()] = "",
    free: Annotated[str, Query()] = "",
    adult: Annotated[str, Query()] = "",
    delisted: Annotated[str, Query()] = "",
) -> TypedFilter:
    """Return the filter as it was typed."""
    flags = {"free": free, "adult": adult, "delisted": delisted}
    return TypedFilter(
        tuple(_short(one) for one in tag or () if one.strip())[:MOST_TAGS],
        _short(released),
        _short(early_access),
        _short(upcoming).lower(),
        _short(min_reviews),
        _short(min_similarity),
        _short(min_percentile),
        {name: _short(value).lower() in YES for name, value in flags.items()},
    )


TypedFilterOf = Annotated[TypedFilter, Depends(typed_filter)]


def understood(typed: TypedFilter, snapshot: Snapshot) -> FilterForm:
    """Make a filter of what can be understood, with hints on the rest."""
    hints: dict[str, Hint] = {}
    periods = {}
    for name, written in (("released", typed.released), ("early_access", typed.early_access)):
        try:
            filter_of(released=written)
            periods[name] = written
        except UsageError:
            hints[name] = Hint(
                f"“{written}” is not understood and was ignored. Write a year or a range, such as 2020 or 2020..2024."
            )
    least = 0
    if typed.min_reviews:
        try:
            least = min(max(int(typed.min_reviews), 0), 10**9)
        except ValueError:
            hints["min_reviews"] = Hint(f"“{typed.min_reviews}” is not a number and was ignored.")
    unknown = unknown_tags(typed.tags, snapshot.tags()) if typed.tags else {}
    if unknown:
        hints["tag"] = Hint(
            f"No game here has the tag {' or '.join(f'“{tag}”' for tag in unknown)}, so it was ignored.",
            tuple(dict.fromkeys(near for found in unknown.values() for near in found)),
        )
    only = filter_of(
        [tag for tag in typed.tags if tag not in unknown],
        periods.get("released", ""),
        least,
        early_access=periods.get("early_access", ""),
        upcoming={"1": True, "true": True, "0": False, "false": False}.get(typed.upcoming),
        **typed.flags,
    )
    minima = [
        _number(name, getattr(typed, name), low, high, hints)
        for name, low, high in (("min_similarity", -1, 1), ("min_percentile", 0, 100))
    ]
    return FilterForm(only, typed, hints, *minima)


def _number(name: str, written: str, low: int, high: int, hints: dict[str, Hint]) -> float | None:
    if not written:
        return None
    try:
        number = float(written.replace(",", "."))
    except ValueError:
        number = math.nan
    if low <= number <= high:  # NaN is in no range
        return number
    hints[name] = Hint(f"“{written}” is not a number from {low} to {high} and was ignored.")
    return None


def _short(text: str) -> str:
    return shortened(text.strip(), LONGEST_VALUE)
