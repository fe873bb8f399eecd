"""The page of duplicate banners, and the forms in which a curator decides about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Annotated
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from steamdino.analysis.duplicate_detection import TIERS
from steamdino.errors import GalleryLockedError, UsageError
from steamdino.gallery.curation import DIFFERENT, KEEP, SAME, Decision
from steamdino.pipeline.decisions import decide, take_back
from steamdino.pipeline.duplicate_groups import Duplicates, Member
from steamdino.present.web.alterations import kept_fields
from steamdino.present.web.curator import check_form, curator, session_of
from steamdino.present.web.facet_chips import facets
from steamdino.present.web.filter_form import TypedFilterOf, understood
from steamdino.present.web.limits import LONGEST_URL
from steamdino.present.web.page_links import FILTERS, link, pager
from steamdino.present.web.pages import page
from steamdino.present.web.parameters import LONGEST, EditionOf, Offset
from steamdino.present.web.root_path import below
from steamdino.present.web.served_snapshot import ServedSnapshot
from steamdino.present.web.timing import stage
from steamdino.records import Game

GROUPS = 12
"""Groups per page."""
PAIRS = 12
"""Pairs that a page shows of one group at most, unless it shows nothing else."""
VERDICTS = (SAME, DIFFERENT, KEEP)
OPEN = "open"

router = APIRouter(include_in_schema=False)

TextField = Annotated[str, Form(max_length=LONGEST)]
PlaceField = Annotated[str, Form(max_length=LONGEST_URL)]
"""The query of the page on which a form was sent, with its filters and the place in the list."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A game and the one of its group that is kept.

    Attributes:
        member, game: the game that may be removed.
        verdict: what a person decided about the two, or "keep" if about the second alone; else empty.
    """

    member: Member
    game: Game
    verdict: str


@dataclass(frozen=True, slots=True)
class ShownGroup:
    """A group as the page shows it.

    Attributes:
        tier: the group's.
        reason: why the game is kept.
        representative, kept: the game to keep.
        pairs: the others, beside it.
        hidden: pairs that are not shown, since there are too many.
        size: games in the group.
    """

    tier: str
    reason: str
    representative: Member
    kept: Game
    pairs: list[Pair]
    hidden: int
    size: int


class Decisions:
    """What a person decided about pairs of games."""

    def __init__(self, decisions: Iterable[Decision]) -> None:
        self._verdicts = {(one.game, one.other): one.verdict for one in decisions}

    def of(self, first: str, second: str) -> str:
        """Return the verdict about two games, or about the second alone; empty if there is none."""
        one, other = sorted((first, second))
        return self._verdicts.get((one, other)) or self._verdicts.get((second, "")) or ""

    def leave_open(self, group: Duplicates) -> bool:
        """Return whether a group has a pair that nobody decided about."""
        first = group.representative.game_id
        return not all(self.of(first, one.game_id) for one in group.others)


@router.get("/duplicates")
def duplicates(
    request: Request,
    edition: EditionOf,
    typed: TypedFilterOf,
    offset: Offset = 0,
    tier: Annotated[str, Query(max_length=40)] = "",
    show: Annotated[str, Query(max_length=40)] = "",
    of: Annotated[str, Query(max_length=LONGEST)] = "",
) -> Response:
    """Show groups of duplicate banners: of one tier, not decided, of one game, or with a game that passes a filter."""
    if tier not in ("", *TIERS[:3]):
        raise UsageError(f"there is no tier {tier!r} here; there are: {', '.join(TIERS[:3])}")
    form = understood(typed, edition.snapshot)
    session = session_of(request)
    with stage("search"):
        every = edition.lists.duplicates(form.only, of=of)
        with edition.gallery.open() as opened:
            decisions = Decisions(opened.curation.decisions())
            latest = opened.curation.latest() if session else None
        counts = Counter(group.tier for group in every)
        undecided = [one for one in every if decisions.leave_open(one)]
        groups = undecided if show == OPEN else every
        groups = [one for one in groups if tier in ("", one.tier)]
    offset = min(
        offset, max(0, (len(groups) - 1) // GROUPS * GROUPS)
    )  # the last page may have lost its last group
    to = partial(link, request, offset=None)
    shown = groups[offset : offset + GROUPS]
    kinds = [("all tiers", len(every), to(tier=None), not tier)]
    kinds += [(name, counts[name], to(tier=name), tier == name) for name in TIERS[:3] if counts[name]]
    states = [
        ("all", len(every), to(show=None), show != OPEN),
        ("not decided", len(undecided), to(show=OPEN), show == OPEN),
    ]
    return page(
        request,
        "duplicates.html.jinja",
        groups=[_shown(one, decisions, edition, None if of else PAIRS) for one in shown],
        facets=facets(request, edition.snapshot.counts, form),
        pager=pager(request, offset, GROUPS, len(shown), len(groups)),
        kept=kept_fields(request, *FILTERS),
        kinds=kinds,
        states=states,
        of=of,
        all_groups=to(of=None),
        whole=lambda game_id: to(of=game_id, tier=None, show=None, **dict.fromkeys(FILTERS)),
        key=curator(request).form_key(session) if session else "",
        has_curator=curator(request).is_known,
        again=request.url.query,
        latest=_named(latest, edition) if latest else None,
    )


@router.post("/duplicates/decide")
def record(
    request: Request,
    edition: EditionOf,
    first: TextField = "",
    second: TextField = "",
    verdict: TextField = "",
    key: TextField = "",
    again: PlaceField = "",
) -> Response:
    """Store a curator's decision about two games, and show the page again."""
    check_form(request, key)
    if verdict not in VERDICTS or not first or not second or first == second:
        raise UsageError(
            f"the decision is {verdict!r} about {first!r} and {second!r}; it must be same, different or keep"
        )
    decision = Decision(second, "", KEEP) if verdict == KEEP else Decision(first, second, verdict)
    return _written(request, edition, again, lambda place: decide(place, [decision]))


@router.post("/duplicates/undo")
def undo(
    request: Request,
    edition: EditionOf,
    first: TextField = "",
    second: TextField = "",
    key: TextField = "",
    again: PlaceField = "",
) -> Response:
    """Take a decision back, and show the page again."""
    check_form(request, key)
    return _written(request, edition, again, lambda place: take_back(place, first, second))


def _written(request: Request, edition: ServedSnapshot, again: str, write: Callable[..., object]) -> Response:
    """Write to the gallery, which is open for writing for this moment only, and show the page again."""
    query = urlencode(parse_qsl(again))
    back = below(request, f"/duplicates?{query}" if query else "/duplicates")
    try:
        edition.gallery.write(write)
    except GalleryLockedError:
        response = page(request, "locked.html.jinja", 503, back=back)
        response.headers["retry-after"] = "10"
        return response
    return RedirectResponse(back, 303)


def _shown(group: Duplicates, decisions: Decisions, edition: ServedSnapshot, most: int | None) -> ShownGroup:
    best = group.representative
    pairs = [
        Pair(one, edition.snapshot.game(one.game_id), decisions.of(best.game_id, one.game_id))
        for one in group.others[:most]
    ]
    return ShownGroup(
        group.tier,
        group.reason,
        best,
        edition.snapshot.game(best.game_id),
        pairs,
        len(group.others) - len(pairs),
        len(group.members),
    )


def _named(decision: Decision, edition: ServedSnapshot) -> dict[str, str]:
    """Describe a decision by the names of its games; they may have left."""

    def name(game_id: str) -> str:
        return edition.snapshot.game(game_id).name if game_id in edition.snapshot else game_id

    first, second = name(decision.game), name(decision.other) if decision.other else ""
    texts = {
        SAME: f"{first} and {second} are the same",
        DIFFERENT: f"{first} and {second} are different",
        KEEP: f"{first} is kept",
    }
    return {"text": texts[decision.verdict], "first": decision.game, "second": decision.other}
