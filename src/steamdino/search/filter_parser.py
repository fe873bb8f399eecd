"""Parses filters as people write them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from steamdino.errors import UsageError
from steamdino.records import Filter

_DATE = r"\d{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?"


def filter_of(
    tags: Sequence[str] = (),
    released: str = "",
    min_reviews: int = 0,
    *,
    free: bool = False,
    **included: bool,
) -> Filter:
    """Make a filter from texts.

    Args:
        tags: a game must have all of them.
        released: "2020" (in that year), "2020..", "..2021-06" or "2020-05-17..2021"; empty for any date.
        min_reviews: lowest number of reviews.
        free: only free games.
        included: whether to include the games that a column of `records.HIDDEN_COLUMNS` hides, such as ``adult=True``.

    Raises:
        UsageError: a text cannot be parsed.
    """
    if min_reviews < 0:
        raise UsageError(f"the minimum number of reviews is {min_reviews}; it must be at least 0")
    if any(not tag.strip() for tag in tags):
        raise UsageError("a tag is empty; remove it")
    first = last = None
    if released:
        found = re.fullmatch(rf"({_DATE})?(\.\.)?({_DATE})?", released.strip(), re.ASCII)
        if not found or not (found[1] or found[3]) or (found[1] and found[3] and not found[2]):
            raise UsageError(f"the release date is {released!r}; write it like 2020, 2020.. or 2020-05..2021")
        first = found[1]
        last = found[3] if found[2] else first
        if first and last and first[: len(last)] > last:
            raise UsageError(f"the release date is {released!r}; its end is before its beginning")
    return Filter(tuple(tag.strip() for tag in tags), first, last, min_reviews, free, **included)
