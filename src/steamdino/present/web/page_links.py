"""Addresses of pages: links that keep what a person chose, and the links from one page of results to the next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import Request

from steamdino.present.web.parameters import DEEPEST
from steamdino.records import HIDDEN_COLUMNS

FILTERS = ("tag", "released", "early_access", "upcoming", "min_reviews", "free", *HIDDEN_COLUMNS)
"""The parameters of filters."""

MINIMA = ("min_similarity", "min_percentile")
"""The parameters of the least that a match must have."""

CARRIED = ("recipe", "beside", *FILTERS, *MINIMA)
"""The parameters that stay when a person goes on to another game."""

TURNS = ("mirror", "flip", "crop")
"""The parameters of what is done to the query's picture before it is compared."""


def link(request: Request, path: str = "", /, **changed: Any) -> str:
    """Return the address of the requested page with some parameters changed; those that are None are left out.

    Args:
        request: the request.
        path: of another page, with the same parameters; empty for the requested one.
        changed: a text, a number, or a list of texts each.
    """
    pairs = [pair for pair in request.query_params.multi_items() if pair[0] not in changed and pair[1] != ""]
    for key, value in changed.items():
        pairs += [(key, one) for one in (value if isinstance(value, list) else [value]) if one is not None]
    path = path or request.url.path
    return f"{path}?{urlencode(pairs)}" if pairs else path


def carried(request: Request, names: Iterable[str] = CARRIED) -> list[tuple[str, str]]:
    """Return the parameters that stay when a person goes on."""
    wanted = set(names)
    return [pair for pair in request.query_params.multi_items() if pair[0] in wanted and pair[1].strip()]


@dataclass(frozen=True, slots=True)
class Pager:
    """Where a page of results lies among all of them.

    Attributes:
        first, last: the numbers of its results, from 1; both 0 if there are none.
        total: how many there are; None if that is unknown.
        previous, next: the addresses of the pages before and after it; empty if there is none.
    """

    first: int
    last: int
    total: int | None
    previous: str
    next: str


def pager(
    request: Request, offset: int, size: int, shown: int, total: int | None, *, more: bool = False
) -> Pager:
    """Describe a page of results.

    Args:
        request: the request for it.
        offset: how many results come before it.
        size: results of a full page.
        shown: results on it.
        total: results of all pages; None if that is unknown.
        more: whether results follow, if `total` is unknown.
    """
    more = more if total is None else offset + shown < total
    before = max(offset - size, 0)
    return Pager(
        offset + 1 if shown else 0,
        offset + shown if shown else 0,
        total,
        link(request, offset=before or None) if offset else "",
        link(request, offset=offset + size) if more and offset + size <= DEEPEST else "",
    )
