"""What requests about changes have in common: their parameters, ETags, and the addresses of pictures."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.responses import Response

from steamdino.analysis.changes import BannerVersion, Change
from steamdino.analysis.period import DEFAULT, Period, period_of
from steamdino.errors import UsageError
from steamdino.gallery.history import WHATS
from steamdino.present.web.api import addresses
from steamdino.present.web.etags import is_known
from steamdino.present.web.parameters import served
from steamdino.present.web.redraw import version_of
from steamdino.present.web.root_path import below
from steamdino.present.web.served_snapshot import ServedSnapshot
from steamdino.records import Game

SINCE = "The first day (UTC): a date like 2026-10-01 or 2026-10, or a span like 7d or 4w; default: 7d."


async def period(
    since: Annotated[str, Query(max_length=40, description=SINCE)] = "",
    until: Annotated[str, Query(max_length=40, description="The last day, included; default: today.")] = "",
) -> Period:
    """Return the requested period; empty form fields count as missing."""
    return period_of(since, until, default=DEFAULT, names=("since", "until"))


async def whats(
    what: Annotated[
        list[str] | None,
        Query(max_length=20, description="Only these kinds of change: new, art, left, back."),
    ] = None,
) -> tuple[str, ...]:
    """Return the requested kinds of change; without any, all."""
    found = tuple(one for one in what or () if one.strip())
    for one in found:
        if one not in WHATS:
            raise UsageError(f"there is no kind of change {one[:40]!r}; there are: {', '.join(WHATS)}")
    return found or WHATS


PeriodOf = Annotated[Period, Depends(period)]
WhatsOf = Annotated[tuple[str, ...], Depends(whats)]


def tag_of(request: Request, edition: ServedSnapshot, *more: str) -> str:
    """Return the ETag of an answer about changes: it depends on the snapshot and on the gallery's database.

    Args:
        request: whose whole address counts.
        edition: the snapshot that is compared in.
        more: what else determines the answer, such as the current day.

    Raises:
        NotServedError: there is no database.
    """
    with edition.gallery.open() as opened:
        mark = opened.history.mark
    parts = (
        request.app.state.program,
        served(request).version,
        edition.version,
        mark,
        str(request.url),
        *more,
    )
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
    return f'W/"{digest}"'


def headers_of(tag: str) -> dict[str, str]:
    """Return the headers of an answer with an ETag."""
    return {"etag": tag, "cache-control": "no-cache"}


def unchanged(request: Request, tag: str) -> Response | None:
    """Return the answer to a client that has the current one already; None if it does not."""
    if is_known(tag, request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers_of(tag))
    return None


class ChangePictures:
    """The addresses of pictures of changes, on this server or on Steam's."""

    def __init__(self, request: Request, edition: ServedSnapshot) -> None:
        self._request, self._links, self._snapshot = request, addresses(request), edition.snapshot

    def has_page(self, game: Game) -> bool:
        """Return whether a game can be looked at on a page of its own, which it needs the snapshot for."""
        return game.id in self._snapshot

    def of(self, game: Game) -> str | None:
        """Return the address of a game's current banner, whether or not the snapshot has it; None without one."""
        if self._shows(game.id, game.sha256):
            return self._links.of(self._snapshot.game(game.id))
        return None if game.location is None else self._by_content(game.sha256)

    def of_version(self, change: Change, version: BannerVersion) -> str | None:
        """Return the address of a banner that a changed game has or had; None if its picture is not kept."""
        if self._shows(change.game.id, version.sha256):
            return self._links.of(self._snapshot.game(change.game.id))
        return None if version.location is None else self._by_content(version.sha256)

    def _shows(self, game_id: str, sha256: str) -> bool:
        return game_id in self._snapshot and self._snapshot.game(game_id).sha256 == sha256

    def _by_content(self, sha256: str, width: int = 300) -> str:
        """Return the path of a picture that need not be any game's current banner."""
        return below(self._request, f"/changes/pictures/{width}/{sha256}?v={version_of(sha256)}")
