"""What the values of options and arguments may be: ids and names of games, tags, recipes and models.

Nothing here waits: a published gallery is not downloaded, and a gallery that cannot be read has no games.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from steamdino.errors import SteamDinoError
from steamdino.gallery.layout import DATABASE, SNAPSHOTS
from steamdino.present.cli.completion import place
from steamdino.present.cli.completion.game_names import games, games_of_gallery

MOST = 200
"""Values that are offered at a time."""

_WEIGHT = re.compile(r"\d+(\.\d*)?\*")
_TAGS = """
WITH RECURSIVE listed (tag) AS (
    SELECT min(tag) FROM tags WHERE tag >= :begin AND tag < :end
    UNION ALL SELECT (SELECT min(tag) FROM tags WHERE tag > listed.tag AND tag < :end) FROM listed WHERE tag NOT NULL
)
SELECT tag FROM listed WHERE tag NOT NULL LIMIT :most
"""  # goes from tag to tag instead of over all games


def values(found: place.Place) -> Iterator[tuple[str, str]]:
    """Yield the values that begin with what was typed, each with an explanation."""
    for kind in found.kinds:
        try:
            yield from _of_kind(kind, found)
        except (
            SteamDinoError,
            OSError,
            sqlite3.Error,
        ):  # a command would say what is wrong; here nobody asked
            continue


def _of_kind(kind: str, found: place.Place) -> Iterator[tuple[str, str]]:
    typed = found.typed
    if kind.startswith(place.CHOICES):
        yield from _beginning(typed, ((one, "") for one in kind[1:].split("|")))
    elif kind == place.GAMES:
        yield from _games(found, typed)
    elif kind == place.GAME_LIST:
        listed, comma, last = typed.rpartition(",")
        yield from ((f"{listed}{comma}{value}", text) for value, text in _games(found, last))
    elif kind == place.WEIGHTED_GAMES:
        weight = weighted[0] if (weighted := _WEIGHT.match(typed)) else ""
        yield from ((f"{weight}{value}", text) for value, text in _games(found, typed[len(weight) :]))
    elif kind == place.TAGS:
        yield from _tags(found, typed)
    elif kind == place.RECIPES:
        yield from _beginning(typed, _recipes())
    elif kind == place.STORED_RECIPES:
        yield from _beginning(typed, _stored_recipes(found))
    elif kind == place.MODELS:
        yield from _beginning(typed, _models())


def _beginning(typed: str, listed: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    return ((value, text) for value, text in listed if value.startswith(typed))


def _games(found: place.Place, typed: str) -> Iterator[tuple[str, str]]:
    if found.searches_elsewhere:
        return
    root = _gallery(found)
    snapshot = _newest_snapshot(root)
    if snapshot:
        with closing(_opened(snapshot)) as db:
            yield from games(db, typed, MOST)
    else:  # not built yet
        with closing(_opened(root / DATABASE)) as db:
            yield from games_of_gallery(db, typed, MOST)


def _tags(found: place.Place, typed: str) -> Iterator[tuple[str, str]]:
    snapshot = None if found.searches_elsewhere else _newest_snapshot(_gallery(found))
    if snapshot:
        with closing(_opened(snapshot)) as db:
            # As they are stored, in lower case, since every way of writing a tag is understood.
            bounds = {"begin": typed.lower(), "end": f"{typed.lower()}\U0010ffff", "most": MOST}
            for (tag,) in db.execute(_TAGS, bounds):
                yield typed + tag[len(typed) :], ""


def _stored_recipes(found: place.Place) -> Iterator[tuple[str, str]]:
    with closing(_opened(_gallery(found) / DATABASE)) as db:
        listed = db.execute(
            "SELECT name, max(created_at) FROM recipes GROUP BY name ORDER BY 2 DESC"
        ).fetchall()
    yield from ((name, "") for name, _ in listed)


def _recipes() -> Iterator[tuple[str, str]]:
    from steamdino.features.model_registry import records

    yield from ((name, "") for name in records()["recipes"])
    yield from _models()


def _models() -> Iterator[tuple[str, str]]:
    from steamdino.features.model_registry import models

    yield from ((name, model.summary) for name, model in models().items())


def _gallery(found: place.Place) -> Path:
    from steamdino.settings import Settings

    gallery = Settings.load({"gallery": found.gallery}).gallery
    if isinstance(gallery, Path):
        return gallery
    from steamdino.index.published_cache import PublishedCache

    return PublishedCache(gallery).folder  # as far as it was downloaded


def _newest_snapshot(root: Path) -> Path | None:
    """The database of games in the snapshot that was built last, of whatever recipe and kind."""
    manifests = [
        (path.stat().st_mtime, int(path.parent.name), path)
        for path in root.glob(f"{SNAPSHOTS}/*/*/manifest.json")
        if path.parent.name.isdecimal()
    ]
    return max(manifests)[2].with_name("games.sqlite") if manifests else None


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=0.1)
