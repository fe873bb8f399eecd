"""What changed, as JSON, Markdown and a page."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from steamdino.analysis.changes import BannerVersion, Change, Changes
from steamdino.gallery.history import ART, BACK, LEFT, NEW, Import
from steamdino.present.display_text import closeness, counted
from steamdino.present.export.banner_urls import SteamPictures
from steamdino.present.export.html_page import render
from steamdino.present.export.markup import LINKS, PictureLinks, plain
from steamdino.records import Game

HEADINGS = {NEW: "New games", ART: "New banners", LEFT: "Left", BACK: "Came back"}
"""Headings of the kinds of change."""

VersionOf = Callable[[Change, BannerVersion], str | None]

Groups = list[tuple[str, list[tuple[str, list[Change]]]]]
"""Changes by day, and by kind within a day."""


def grouped(changes: Sequence[Change]) -> Groups:
    """Group a page of changes, in its order: day, then kind, then changes."""
    return [
        (day, [(what, list(same)) for what, same in groupby(of_day, key=lambda one: one.what)])
        for day, of_day in groupby(changes, key=lambda one: one.day)
    ]


def summary(counts: dict[str, int]) -> str:
    """Return the number of changes of each kind in words."""
    words = {
        NEW: ("new game", "new games"),
        ART: ("new banner", "new banners"),
        LEFT: ("left", "left"),
        BACK: ("came back", "came back"),
    }
    found = [counted(counts[what], *words[what]) for what in words if counts.get(what)]
    return ", ".join(found) or "nothing changed"


def import_line(one: Import) -> str:
    """Return an import in words."""
    if one.banners:
        return f"{one.day}: {counted(one.games, 'game', 'games')} of {one.source} got a first banner"
    return f"{one.day}: {counted(one.games, 'game was', 'games were')} imported from {one.source}"


def remark(change: Change) -> str:
    """Return what is known about a change's similarity in words; empty if nothing belongs there."""
    if change.closest is not None:
        near = change.closest
        if near.identical:
            return f"the same picture as {near.name}"
        return f"{near.similarity:.3f} to {near.name}{_closer(near.percentile)}"
    if change.similarity is not None:
        again = ", an earlier banner again" if change.again else ""
        return f"{change.similarity:.3f} to the banner before{_closer(change.percentile)}{again}"
    if change.what == ART and change.after is None:
        return "its banner was removed"
    if change.what == ART and change.before is None and not change.unknown:
        return "its first banner"
    return change.unknown


def as_json(changes: Changes, page: Sequence[Change], recipe: str | None, offset: int) -> str:
    """A page of changes as one JSON object; pictures are paths."""
    record = document(
        changes,
        page,
        recipe,
        offset,
        game_of=lambda game: {
            "id": game.id,
            "name": game.name,
            "source": game.source,
            "url": game.url,
            "picture": str(game.picture) if game.picture else None,
            "columns": dict(game.columns),
        },
        version_of=lambda _, one: str(one.location.path) if one.location and one.location.path else None,
    )
    return json.dumps(record, ensure_ascii=False, indent=2)


def document(
    changes: Changes,
    page: Sequence[Change],
    recipe: str | None,
    offset: int,
    *,
    game_of: Callable[[Game], dict[str, Any]],
    version_of: VersionOf,
) -> dict[str, Any]:
    """A page of changes as a record for JSON.

    Args:
        changes: all of them.
        page: those from `offset` on.
        recipe: the name of the recipe whose vectors were compared; None if nothing is built.
        offset: number of changes before the page.
        game_of: makes the record of a game.
        version_of: returns where the picture of a changed game's banner is; None if it is not kept.
    """
    after = offset + len(page)
    return {
        "since": changes.period.first,
        "until": changes.period.last,
        "recorded_from": changes.recorded_from,
        "recipe": recipe,
        "counts": {what: changes.counts[what] for what in HEADINGS},
        "imports": [
            {
                "day": one.day,
                "source": one.source,
                "games": one.games,
                "what": "first banners" if one.banners else NEW,
            }
            for one in changes.imports
        ],
        "changes": [_record(one, game_of, version_of) for one in page],
        "total": len(changes),
        "next": after if page and after < len(changes) else None,
    }


def as_markdown(changes: Changes, page: Sequence[Change], folder: Path) -> str:
    """A page of changes in Markdown, with linked pictures; `folder` is where the text will be, for relative links."""
    to, link = PictureLinks(SteamPictures(), folder), LINKS["md"]
    lines = [f"# {title(changes)}", "", f"{summary(changes.counts)}."]
    lines += ["", *(f"* {plain(import_line(one))}" for one in changes.imports)] if changes.imports else []
    for day, kinds in grouped(page):
        lines += ["", f"## {day}"]
        for what, same in kinds:
            lines += ["", f"### {HEADINGS[what]}", ""]
            for one in same:
                told = remark(one)
                lines.append(f"* {link(one.game, None)}" + (f": {plain(told)}" if told else ""))
                if pictures := "".join(_linked(one, to, link)):
                    lines += ["", f"  {pictures}", ""]
    return "\n".join(lines).rstrip() + "\n"


def as_page(changes: Changes, page: Sequence[Change], note: str) -> str:
    """A page of changes as one HTML page with its pictures; `note` says how many others there are."""
    return render(
        "changes.html.jinja",
        title=title(changes),
        summary=summary(changes.counts),
        imports=[import_line(one) for one in changes.imports],
        groups=grouped(page),
        headings=HEADINGS,
        remark=remark,
        note=note,
    )


def title(changes: Changes) -> str:
    """Return the title of a list of changes."""
    first, last = changes.period.first, changes.period.last
    return f"What changed on {first}" if first == last else f"What changed from {first} to {last}"


def _record(
    change: Change, game_of: Callable[[Game], dict[str, Any]], version_of: VersionOf
) -> dict[str, Any]:
    near = change.closest
    return {
        "what": change.what,
        "at": change.at,
        "game": game_of(change.game),
        "gone": change.gone,
        "before": change.before
        and {"sha256": change.before.sha256, "picture": version_of(change, change.before)},
        "after": change.after
        and {"sha256": change.after.sha256, "picture": version_of(change, change.after)},
        "again": change.again,
        "similarity": None if change.similarity is None else round(change.similarity, 6),
        "percentile": None if change.percentile is None else round(change.percentile, 5),
        "closest": near
        and {
            **game_of(near.game),
            "similarity": round(near.similarity, 6),
            "percentile": None if near.percentile is None else round(near.percentile, 5),
            "identical": near.identical,
        },
        "unknown": change.unknown or None,
    }


def _linked(change: Change, to: PictureLinks, link: Callable[[Game | str, str | None], str]) -> list[str]:
    """The pictures of a change: before and after, or the game's and the closest game's."""
    if change.what == ART and change.before is not None:
        return [
            link(change.game, to.file(one.location.path))
            for one in (change.before, change.after)
            if one and one.location and one.location.path
        ]
    games = [change.game, *([change.closest.game] if change.closest else [])]
    return [link(game, picture) for game in games if (picture := to.of(game))]


def _closer(percentile: float | None) -> str:
    return "" if percentile is None else f", closer than {closeness(percentile)}"
