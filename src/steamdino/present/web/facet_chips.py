"""Chips: links that add a filter to a page or remove one, with the number of games that are there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import Request

from steamdino.index.name_folding import fold
from steamdino.present.web.filter_form import FilterForm
from steamdino.present.web.page_links import FILTERS, MINIMA, link
from steamdino.records import HIDDEN_COLUMNS
from steamdino.search.filter_counts import FacetCounts, FilterCounts, KnownFacets

TAGS = 10
"""Tags that are shown as chips; a page of its own lists all of them."""

YEARS = 12
"""Years that are shown one by one; more are grouped by decade."""


@dataclass(frozen=True, slots=True)
class Chip:
    """A link that changes the filter.

    Attributes:
        text: what it filters by.
        href: where it leads.
        count: how many games would be left, or would come back; None for a chip that removes its filter.
    """

    text: str
    href: str
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Facets:
    """What a page shows of the filters.

    Attributes:
        form: the filter as it was understood.
        known: by what games can be filtered.
        games: how many the filter allows.
        active: chips that remove a filter.
        groups: by label, chips that add one.
        suggestions: tags for a field's list, the most frequent first.
        cleared: the address without any filter.
        near: tags to write instead of one that no game has.
    """

    form: FilterForm
    known: KnownFacets
    games: int
    active: list[Chip]
    groups: dict[str, list[Chip]]
    suggestions: list[str]
    cleared: str
    near: list[Chip]


def facets(
    request: Request, counts: FilterCounts, form: FilterForm, path: str = "", *, minima: bool = False
) -> Facets:
    """Describe the filters of a page.

    Args:
        request: for the page.
        counts: of the snapshot that is shown.
        form: the page's filter.
        path: of the page that chips lead to; empty for the same page.
        minima: whether the page applies the least similarity and percentile as well.
    """
    known, found = counts.known, counts(form.only)
    groups = {
        "Tags": list(_tags(request, path, form, found)),
        "Released": list(_years(request, path, form, found)),
        "Reviews": list(_reviews(request, path, form, found)),
        "More": list(_others(request, path, form, found)),
    }
    near = form.hints["tag"].near if "tag" in form.hints else ()
    return Facets(
        form,
        known,
        found.games,
        [*_active(request, path, form), *(_minima(request, path, form) if minima else ())],
        {label: chips for label, chips in groups.items() if chips},
        list(found.tags)[:100],
        link(request, path, offset=None, **dict.fromkeys((*FILTERS, *MINIMA))),
        [Chip(tag, link(request, path, offset=None, tag=[*form.only.tags, tag])) for tag in near],
    )


def _active(request: Request, path: str, form: FilterForm) -> Iterator[Chip]:
    only = form.only
    for tag in only.tags:
        left = [one for one in form.typed.tags if one != tag]
        yield Chip(tag, link(request, path, offset=None, tag=left))
    periods = (
        ("released", "", only.released_from or only.released_to, form.typed.released),
        (
            "early_access",
            "early access since ",
            only.early_access_from or only.early_access_to,
            form.typed.early_access,
        ),
    )
    for name, label, is_set, written in periods:
        if is_set:
            yield Chip(f"{label}{decade(written)}", link(request, path, offset=None, **{name: None}))
    if only.min_reviews:
        yield Chip(f"{only.min_reviews:,}+ reviews", link(request, path, offset=None, min_reviews=None))
    if only.free:
        yield Chip("free", link(request, path, offset=None, free=None))
    if only.upcoming is not None:
        text = "not released yet" if only.upcoming else "released only"
        yield Chip(text, link(request, path, offset=None, upcoming=None))
    for name, games in HIDDEN_COLUMNS.items():
        if getattr(only, name):
            yield Chip(f"with {games}", link(request, path, offset=None, **{name: None}))


def _minima(request: Request, path: str, form: FilterForm) -> Iterator[Chip]:
    for label, least in (("similarity", form.min_similarity), ("percentile", form.min_percentile)):
        if least is not None:
            yield Chip(f"{label} from {least:g}", link(request, path, offset=None, **{f"min_{label}": None}))


def _tags(request: Request, path: str, form: FilterForm, found: FacetCounts) -> Iterator[Chip]:
    chosen = {fold(tag) for tag in form.only.tags}
    left = [(tag, count) for tag, count in found.tags.items() if tag not in chosen and count < found.games]
    for tag, count in left[:TAGS]:
        yield Chip(tag, link(request, path, offset=None, tag=[*form.only.tags, tag]), count)


def _years(request: Request, path: str, form: FilterForm, found: FacetCounts) -> Iterator[Chip]:
    bounds = [bound for bound in (form.only.released_from, form.only.released_to) if bound]
    if len(found.years) < 2 or any(
        "-" in bound for bound in bounds
    ):  # a year may have more than its days in there
        return
    periods: dict[str, int] = {}
    for year, count in reversed(found.years.items()):
        start = year // 10 * 10
        period = f"{start}..{start + 9}" if len(found.years) > YEARS else str(year)
        if bounds and len(found.years) > YEARS:
            inside = [one for one in found.years if start <= one <= start + 9]
            period = f"{inside[0]}..{inside[-1]}"
        periods[period] = periods.get(period, 0) + count
    for period, count in periods.items():
        yield Chip(decade(period), link(request, path, offset=None, released=period), count)


def _reviews(request: Request, path: str, form: FilterForm, found: FacetCounts) -> Iterator[Chip]:
    for least, count in found.reviews.items():
        if least > form.only.min_reviews and count < found.games:
            yield Chip(f"{least:,}+", link(request, path, offset=None, min_reviews=least), count)


def _others(request: Request, path: str, form: FilterForm, found: FacetCounts) -> Iterator[Chip]:
    if not form.only.free and 0 < found.free < found.games:
        yield Chip("free", link(request, path, offset=None, free=1), found.free)
    if form.only.upcoming is None and 0 < found.upcoming < found.games:
        yield Chip("not released yet", link(request, path, offset=None, upcoming=1), found.upcoming)
    for name, count in found.hidden.items():
        yield Chip(f"include {HIDDEN_COLUMNS[name]}", link(request, path, offset=None, **{name: 1}), count)


def decade(period: str) -> str:
    """Return a period for display: "2010s" for "2010..2019"."""
    first, _, last = period.partition("..")
    is_decade = first.isdecimal() and last.isdecimal() and first.endswith("0") and int(last) == int(first) + 9
    return f"{first}s" if is_decade else period
