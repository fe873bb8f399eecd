"""The Atom feed of what changed (RFC 4287): an entry for each day, since a feed reader shows one line for each.

Ids come from the gallery's own random UUID, so they stay the same under another host name and after a restart.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from html import escape
from urllib.parse import quote, urlencode
from uuid import UUID, uuid5
from xml.etree import ElementTree as ET

from fastapi import APIRouter, Request
from fastapi.responses import Response

from steamdino import __version__
from steamdino.analysis.changes import Change, Changes, Day
from steamdino.analysis.period import period_of
from steamdino.gallery.history import ART, BACK, LEFT, NEW
from steamdino.present.display_text import printable
from steamdino.present.export.changes_report import HEADINGS, grouped, import_line, remark, summary
from steamdino.present.web.changes_parameters import (
    ChangePictures,
    WhatsOf,
    headers_of,
    tag_of,
    unchanged,
)
from steamdino.present.web.media_types import XML, accepted
from steamdino.present.web.parameters import EditionOf, OnlyOf
from steamdino.present.web.problem_kinds import PROBLEMS
from steamdino.present.web.root_path import base, origin

SPAN = "30d"
"""How far back the feed goes."""
ENTRY = 20
"""Changes of a day that its entry shows; the others are behind a link."""
ATOM = "http://www.w3.org/2005/Atom"
TYPE = "application/atom+xml"

_ONE = {NEW: "New game", ART: "New banner", LEFT: "Left", BACK: "Came back"}
_NOT_XML = re.compile("[\ufffe\uffff]")

router = APIRouter(tags=["lists"], responses=PROBLEMS)


@router.get(
    "/changes.atom",
    response_class=Response,
    operation_id="changesFeed",
    responses={
        200: {"content": {kind: {"schema": {"type": "string"}} for kind in (TYPE, XML)}},
        304: {"description": "Nothing changed."},
    },
    summary="What changed, as an Atom feed",
)
def feed(request: Request, edition: EditionOf, whats: WhatsOf, only: OnlyOf) -> Response:
    """Return what changed in the last 30 days, with an entry for each day on which something did."""
    period = period_of(SPAN)
    tag = tag_of(request, edition, period.first, period.last)
    if (known := unchanged(request, tag)) is not None:
        return known
    with edition.lists.changes(period, only, whats) as found, edition.gallery.open() as opened:
        identity = _identity(opened.history.uuid, request)
        shown = {day: found.page(one.start, min(one.count, ENTRY)) for day, one in found.days().items()}
    built = edition.snapshot.manifest.created_at
    # Similarities come with a snapshot, so the feed is as new as the newer of the two.
    modified = _seconds(max(_time(built), _time(found.latest or built)))
    headers = {**headers_of(tag), "vary": "accept", "last-modified": format_datetime(modified, usegmt=True)}
    if _is_fresh(request, modified):
        return Response(status_code=304, headers=headers)
    writer = _Feed(request, ChangePictures(request, edition), identity)
    return Response(
        writer.write(found, shown, modified), headers=headers, media_type=accepted(request, TYPE, XML)
    )


class _Feed:
    """Writes one feed."""

    def __init__(self, request: Request, pictures: ChangePictures, identity: UUID) -> None:
        self._origin = origin(request)
        self._base = self._origin + base(request)
        self._self = str(request.url)
        query = urlencode([one for one in request.query_params.multi_items() if one[1].strip()])
        self._query = f"&{query}" if query else ""
        self._pictures = pictures
        self._identity = identity

    def write(self, found: Changes, shown: dict[str, list[Change]], modified: datetime) -> bytes:
        root = ET.Element("feed", {"xmlns": ATOM, "xml:lang": "en"})
        _put(root, "id", self._identity.urn)
        _put(root, "title", "What changed - steam-dino")
        _put(root, "subtitle", "New games, new banners, games that left and games that came back")
        _put(root, "updated", modified.isoformat())
        _put(ET.SubElement(root, "author"), "name", "steam-dino")
        ET.SubElement(root, "link", {"rel": "self", "type": TYPE, "href": self._self})
        ET.SubElement(
            root, "link", {"rel": "alternate", "type": "text/html", "href": f"{self._base}/changes"}
        )
        ET.SubElement(root, "generator", {"version": __version__}).text = "steam-dino"
        days = found.days()
        for day in sorted({*days, *(one.day for one in found.imports)}, reverse=True):
            lines = [import_line(one).removeprefix(f"{day}: ") for one in found.imports if one.day == day]
            # An import's own time is not known to the second.
            of_day = days.get(day, Day(0, 0, f"{day}T00:00:00+00:00"))
            self._entry(root, day, of_day, shown.get(day, []), lines)
        text: bytes = ET.tostring(root, "utf-8", xml_declaration=True)
        return text

    def _entry(
        self, root: ET.Element, day: str, of_day: Day, shown: Sequence[Change], lines: Sequence[str]
    ) -> None:
        entry = ET.SubElement(root, "entry")
        address = f"{self._base}/changes?since={day}&until={day}{self._query}"
        _put(entry, "id", uuid5(self._identity, day).urn)
        told = [*lines, *([_title(shown, of_day.count)] if shown else [])]
        _put(entry, "title", f"{day}: {'; '.join(told)}")
        _put(entry, "updated", of_day.latest)
        ET.SubElement(entry, "link", {"rel": "alternate", "type": "text/html", "href": address})
        content = ET.SubElement(entry, "content", {"type": "html"})
        content.text = _xml("".join(self._content(shown, of_day.count, lines, address)))

    def _content(self, shown: Sequence[Change], count: int, lines: Sequence[str], address: str) -> list[str]:
        parts = [f"<p>{_html(line)}</p>" for line in lines]
        for _, kinds in grouped(shown):
            for what, same in kinds:
                parts.append(f"<h3>{HEADINGS[what]}</h3>")
                parts += [self._change(one) for one in same]
        if count > len(shown):
            parts.append(f'<p><a href="{_html(address)}">{count - len(shown):,} more</a></p>')
        return parts

    def _change(self, one: Change) -> str:
        name, told = _html(one.game.name), remark(one)
        page = f"{self._base}/games/{quote(one.game.id, safe='')}"
        linked = f'<a href="{_html(page)}">{name}</a>' if self._pictures.has_page(one.game) else name
        pictures = "".join(
            f'<img src="{_html(self._absolute(source))}" alt="" width="150">' for source in self._sources(one)
        )
        return f"<p>{linked}{': ' + _html(told) if told else ''}</p>" + (
            f"<p>{pictures}</p>" if pictures else ""
        )

    def _sources(self, one: Change) -> list[str]:
        if one.what == ART and one.before is not None:
            versions = [version for version in (one.before, one.after) if version is not None]
            found = [self._pictures.of_version(one, version) for version in versions]
        else:
            games = [one.game, *([one.closest.game] if one.closest else [])]
            found = [self._pictures.of(game) for game in games]
        return [source for source in found if source is not None]

    def _absolute(self, source: str) -> str:
        return f"{self._origin}{source}" if source.startswith("/") else source


def _title(shown: Sequence[Change], count: int) -> str:
    """Return the title of a day: its first change by name if it is the only one."""
    if count == 1:
        return f"{_ONE[shown[0].what]}: {shown[0].game.name}"
    if count > len(shown):
        return f"{count:,} changes"
    counts: dict[str, int] = {}
    for one in shown:
        counts[one.what] = counts.get(one.what, 0) + 1
    return summary(counts)


def _identity(gallery: UUID, request: Request) -> UUID:
    """Return the id of a feed: the gallery's, or one that also depends on the filters."""
    filters = sorted(
        (key, value.strip()) for key, value in request.query_params.multi_items() if value.strip()
    )
    return uuid5(gallery, urlencode(filters)) if filters else gallery


def _is_fresh(request: Request, modified: datetime) -> bool:
    """Whether a client that knows no ETags has the current feed (RFC 9110, 13.1.3)."""
    since = request.headers.get("if-modified-since")
    if since is None or "if-none-match" in request.headers:
        return False
    try:
        found = parsedate_to_datetime(since)
    except ValueError:
        return False
    return modified <= (found if found.tzinfo else found.replace(tzinfo=UTC))


def _time(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def _seconds(time: datetime) -> datetime:
    return time.replace(microsecond=0)


def _put(parent: ET.Element, tag: str, text: str) -> None:
    ET.SubElement(parent, tag).text = _xml(printable(text))


def _xml(text: str) -> str:
    """Return a text without the two characters that XML forbids and `printable` lets through."""
    return _NOT_XML.sub("�", text)


def _html(text: str) -> str:
    return escape(printable(text))
