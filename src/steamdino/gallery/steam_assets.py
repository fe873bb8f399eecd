"""The pictures of Steam's apps as `sync` knows them: their candidates, which are due, and what came of them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from steamdino.gallery.clock import now
from steamdino.gallery.steam_appids import AMONG, among_parameters

FETCHED, MISSING = "fetched", "missing"
"""Outcomes of a picture, besides `steam_apps.LISTED` and `FAILED`."""

Candidate = tuple[str, str, str]
"""A candidate picture: its role, path and query."""


@dataclass(frozen=True, slots=True)
class DueAsset:
    """A picture to fetch.

    Attributes:
        appid, kind: the app and the kind of banner.
        role, path, query: of the candidate to try.
        last: whether there is no further candidate.
        asked_anew: whether the details were requested again after the picture was missing.
        etag: the ETag of what was fetched from the same path; empty to fetch unconditionally.
    """

    appid: int
    kind: str
    role: str
    path: str
    query: str
    last: bool
    asked_anew: bool
    etag: str


class SteamAssets:
    """The table of pictures. Call every method that writes inside `Gallery.transaction`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def lose(self, pictures: Iterable[tuple[int, str]]) -> None:
        """Make pictures due whose files are missing or damaged, given as (appid, kind), without an ETag."""
        for appid, kind in pictures:
            lost = self._db.execute(
                "UPDATE steam_assets SET due = 1, chosen = 0, asked_anew = 0, outcome = 'listed', reason = NULL,"
                " fetched = NULL, etag = NULL WHERE appid = ? AND kind = ?",
                (appid, kind),
            )
            if not lost.rowcount:
                self._db.execute("UPDATE steam_apps SET due = 1, tries = 0 WHERE appid = ?", (appid,))

    def put_candidates(self, appid: int, kind: str, candidates: Sequence[Candidate]) -> None:
        """Record an app's candidate pictures of a kind; they become due if they changed or the picture was missing."""
        self._db.execute(
            "INSERT INTO steam_assets (appid, kind, candidates) VALUES (?, ?, ?)"
            " ON CONFLICT (appid, kind) DO UPDATE SET candidates = excluded.candidates,"
            "  chosen = CASE WHEN candidates != excluded.candidates OR outcome = 'missing' THEN 0 ELSE chosen END,"
            "  due = CASE WHEN candidates != excluded.candidates OR outcome = 'missing' THEN 1 ELSE due END",
            (appid, kind, json.dumps(candidates)),
        )

    def drop(self, appid: int, kind: str) -> None:
        """Record that an app has no picture of a kind; what was fetched before stays."""
        self._db.execute(
            "DELETE FROM steam_assets WHERE appid = ? AND kind = ? AND outcome != 'fetched'", (appid, kind)
        )

    def due(self, kind: str, among: Sequence[int] | None = None) -> Iterator[DueAsset]:
        """Yield the pictures of a kind that are due, by appID; pictures that become due meanwhile are not included."""
        rows = self._db.execute(
            "SELECT appid, candidates, chosen, asked_anew, fetched, etag FROM steam_assets"  # noqa: S608
            f" WHERE due = 1 AND kind = ? {AMONG} ORDER BY appid",
            (kind, *among_parameters(among)),
        ).fetchall()
        for appid, candidates, chosen, asked_anew, fetched, etag in rows:
            known = json.loads(candidates)
            role, path, query = known[min(chosen, len(known) - 1)]
            same = fetched == path and etag
            yield DueAsset(
                appid,
                kind,
                role,
                path,
                query,
                chosen + 1 >= len(known),
                bool(asked_anew),
                etag if same else "",
            )

    def put_fetched(self, asset: DueAsset, etag: str) -> None:
        """Record that a picture was fetched, or has not changed since it was."""
        self._db.execute(
            "UPDATE steam_assets SET due = 0, asked_anew = 0, outcome = 'fetched', reason = NULL,"
            " fetched = ?, etag = ?,"
            " tried_at = ? WHERE appid = ? AND kind = ?",
            (asset.path, etag or None, now(), asset.appid, asset.kind),
        )

    def put_unfetched(self, asset: DueAsset, outcome: str, reason: str) -> None:
        """Record that a picture could not be fetched; what was fetched before stays."""
        self._db.execute(
            "UPDATE steam_assets SET due = 0, outcome = ?, reason = ?, tried_at = ? WHERE appid = ? AND kind = ?",
            (outcome, reason, now(), asset.appid, asset.kind),
        )

    def ask_anew(self, asset: DueAsset) -> None:
        """Make an app's details due because its picture was missing; the picture waits for them."""
        self._db.execute(
            "UPDATE steam_assets SET asked_anew = 1 WHERE appid = ? AND kind = ?", (asset.appid, asset.kind)
        )
        self._db.execute("UPDATE steam_apps SET due = 1 WHERE appid = ?", (asset.appid,))

    def try_next(self, asset: DueAsset) -> None:
        """Move on to the next candidate."""
        self._db.execute(
            "UPDATE steam_assets SET chosen = chosen + 1 WHERE appid = ? AND kind = ?",
            (asset.appid, asset.kind),
        )

    def addresses(self, kind: str) -> Iterator[tuple[int, str, str, str]]:
        """Yield (appID, name, path, query) of each game of Steam that has a picture of a kind."""
        for appid, name, candidates, chosen in self._db.execute(
            "SELECT appid, games.name, candidates, chosen FROM steam_assets"
            " JOIN games ON game_id = CAST(appid AS TEXT) JOIN sources USING (source_id)"
            " WHERE sources.steam = 1 AND steam_assets.kind = ? AND outcome != 'missing' ORDER BY appid",
            (kind,),
        ):
            known = json.loads(candidates)
            _, path, query = known[min(chosen, len(known) - 1)]
            yield appid, name, path, query
