"""Parses filters as people write them."""

from __future__ import annotations

from collections.abc import Sequence

from steamdino.errors import UsageError
from steamdino.periods import days
from steamdino.records import Filter


def filter_of(
    tags: Sequence[str] = (),
    released: str = "",
    min_reviews: int = 0,
    *,
    free: bool = False,
    early_access: str = "",
    upcoming: bool | None = None,
    **included: bool,
) -> Filter:
    """Make a filter from texts.

    Args:
        tags: a game must have all of them.
        released: "2020" (in that year), "2020..", "..2021-Q2" or "2020-05-17..2021-06"; empty for any date.
        min_reviews: lowest number of reviews.
        free: only free games.
        early_access: when early access began, written like `released`.
        upcoming: True for only games that are not released yet, False for none of them.
        included: whether to include the games that a column of `records.HIDDEN_COLUMNS` hides, such as ``adult=True``.

    Raises:
        UsageError: a text cannot be parsed.
    """
    if min_reviews < 0:
        raise UsageError(f"the minimum number of reviews is {min_reviews}; it must be at least 0")
    if any(not tag.strip() for tag in tags):
        raise UsageError("a tag is empty; remove it")
    first, last = _bounds("release date", released)
    began_first, began_last = _bounds("start of early access", early_access)
    return Filter(
        tuple(tag.strip() for tag in tags),
        first,
        last,
        min_reviews,
        free,
        early_access_from=began_first,
        early_access_to=began_last,
        upcoming=upcoming,
        **included,
    )


def _bounds(meaning: str, written: str) -> tuple[str | None, str | None]:
    if not written:
        return None, None
    before, dots, after = written.strip().upper().partition("..")
    first, last = before or None, (after if dots else before) or None
    try:
        begin, end = first and days(first)[0], last and days(last)[1]
    except UsageError:
        begin = end = None
    if not (begin or end):
        raise UsageError(f"the {meaning} is {written!r}; write it like 2020, 2020.. or 2020-Q2..2021-06-17")
    if begin and end and begin > end:
        raise UsageError(f"the {meaning} is {written!r}; its end is before its beginning")
    return first, last
