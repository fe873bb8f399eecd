"""A page of matches: divided where likeness ends, and where it lies among all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fastapi import Request

from steamdino.analysis.folded_matches import FoldedMatch, folded
from steamdino.present.web.filter_form import FilterForm
from steamdino.present.web.page_links import Pager, pager
from steamdino.present.web.pages import PAGE
from steamdino.present.web.served_snapshot import ServedSnapshot
from steamdino.records import Filter, Game, Matches


@dataclass(frozen=True, slots=True)
class Ranked:
    """A page of matches.

    Attributes:
        recipe: that was searched.
        alike: the matches that look alike, with near-copies folded into the first of each.
        others: those that are no closer than chance.
        first: whether it is the first page.
    """

    recipe: str
    alike: Sequence[FoldedMatch]
    others: Sequence[FoldedMatch]
    first: bool

    @property
    def games(self) -> Iterable[Game]:
        """The games on it, near-copies included."""
        for one in (*self.alike, *self.others):
            yield one.match.game
            yield from (copy.game for copy in one.copies)

    @property
    def empty(self) -> bool:
        """Whether there are no matches."""
        return not (self.alike or self.others)


def ranked(edition: ServedSnapshot, matches: Matches, offset: int = 0, size: int = PAGE) -> Ranked:
    """Divide a page of matches where likeness ends, and fold near-copies.

    Args:
        edition: that was searched.
        matches: from the first on.
        offset: where the page begins.
        size: matches on a page.
    """
    shown = matches[offset : offset + size]
    alike = [match for match in shown if matches.looks_alike(match) is not False]
    others = [match for match in shown if matches.looks_alike(match) is False]
    snapshot = edition.snapshot
    return Ranked(snapshot.recipe.name, folded(snapshot, alike), folded(snapshot, others), first=not offset)


def pager_of(
    request: Request,
    edition: ServedSnapshot,
    form: FilterForm,
    matches: Matches,
    offset: int,
    query: Iterable[str] = (),
) -> Pager:
    """Describe a page of matches.

    Args:
        request: the request for it.
        edition: that was searched.
        form: the filters and minima of the search.
        matches: from the first on, with one more than the page needs if there is a next one.
        offset: where the page begins.
        query: ids of the games that were searched for, which are no matches.
    """
    return pager(
        request,
        offset,
        PAGE,
        len(matches[offset : offset + PAGE]),
        None if form.has_minima else _total(edition, form.only, query),
        more=len(matches) > offset + PAGE,
    )


def _total(edition: ServedSnapshot, only: Filter, query: Iterable[str]) -> int:
    """Count the games that a filter allows, without the query's own, given by id."""
    rows = edition.snapshot.rows(only)
    return len(rows) - sum(int(edition.snapshot.row(key) in rows) for key in set(query))
