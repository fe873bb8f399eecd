"""The routes of heroku-flask-api, the original Steam DINO web app: the same addresses and answers, without its defects.

* An index is a row of the gallery, by rising appID if all ids are numbers, as in the original.
* The game itself comes first among its matches, by its id and not by chance; ``n`` counts it, and -1 means `ALL`.
* ``?mirror=0`` means no, `/matches` honours mirror and flip, and an unknown id is a 404.
"""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from steamdino.errors import QueryError
from steamdino.present.export.legacy_export import are_numbers
from steamdino.present.web.api import PROBLEMS, addresses, answer
from steamdino.present.web.parameters import LONGEST, EditionOf, Flip, Mirror
from steamdino.present.web.served_snapshot import ServedSnapshot
from steamdino.records import Filter, Game

ALL = 100
"""Number of matches that -1 stands for: as many as the original's files held."""

router = APIRouter(tags=["originals"], responses=PROBLEMS)
Index = Annotated[int, Query(ge=0, le=2**31, description="A row of the gallery.")]
AppId = Annotated[str, Query(max_length=LONGEST, alias="id")]
Name = Annotated[str, Query(max_length=LONGEST)]
Number = Annotated[int, Query(ge=-1, le=1000, description="How many, including the game itself; -1 for all.")]


class MatchOrder:
    """The rows of an edition, in the order of the original app's indices."""

    def __init__(self, edition: ServedSnapshot) -> None:
        ids = edition.snapshot.ids
        rows = range(len(ids))
        self.rows = sorted(rows, key=lambda row: int(ids[row])) if are_numbers(ids) else list(rows)
        self.index = {row: index for index, row in enumerate(self.rows)}


def order_of(edition: ServedSnapshot) -> MatchOrder:
    """Return the order of an edition's rows, computed once."""
    found: MatchOrder = edition.once("order", lambda: MatchOrder(edition))
    return found


def _game(edition: ServedSnapshot, index: int) -> Game:
    rows = order_of(edition).rows
    if index >= len(rows):
        raise QueryError(f"there is no index {index}; there are {len(rows):,} games, counted from 0")
    return edition.snapshot.games([rows[index]])[0]


def _named(edition: ServedSnapshot, name: str) -> Game:
    found = edition.snapshot.find(name, files=False).game
    if found is None:
        raise QueryError(f"no game is called {name[:80]!r}")
    return found


def _index(edition: ServedSnapshot, game: Game) -> int:
    row = edition.snapshot.row(game.id)
    assert row is not None  # noqa: S101 (it came from there)
    return order_of(edition).index[row]


def _app(request: Request, edition: ServedSnapshot, game: Game) -> dict[str, Any]:
    base = str(request.base_url).rstrip("/")
    picture = addresses(request).of(game)
    if picture and picture.startswith("/"):
        picture = base + picture
    return {
        "index": _index(edition, game),
        "id": int(game.id) if are_numbers([game.id]) else game.id,
        "name": game.name,
        "steam_store_url": game.url if game.from_steam else None,
        "steam_illustration_url": picture,
        "steamdb_url": game.steamdb_url,
        "query_url": f"{base}/render/{quote(game.id, safe='')}",
    }


def matches_of(edition: ServedSnapshot, game: Game, n: int, mirror: bool, flip: bool) -> list[Game]:
    """Return a game and its matches, n in all; -1 for `ALL`."""
    most = ALL if n < 0 else n
    if most <= 1:
        return [game][:most]
    found = edition.similar(game.id, most - 1, mirror=mirror, flip=flip, only=Filter())
    return [game, *(match.game for match in found)]


def _similar(
    request: Request, edition: ServedSnapshot, game: Game, n: int, mirror: bool, flip: bool
) -> Response:
    return answer([_app(request, edition, one) for one in matches_of(edition, game, n, mirror, flip)])


@router.get("/index", response_model=int)
def index(edition: EditionOf, index: Index = 0) -> Response:
    """Return an index, if there is such a row."""
    _game(edition, index)
    return answer(index)


@router.get("/id", response_model=int | str)
def id_of(edition: EditionOf, index: Index = 0) -> Response:
    """Return the id at an index."""
    key = _game(edition, index).id
    return answer(int(key) if are_numbers([key]) else key)


@router.get("/name", response_model=str)
def name(edition: EditionOf, index: Index = 0) -> Response:
    """Return the name at an index."""
    return answer(_game(edition, index).name)


@router.get("/app", response_model=dict[str, Any])
def app(request: Request, edition: EditionOf, index: Index = 0) -> Response:
    """Return the app at an index."""
    return answer(_app(request, edition, _game(edition, index)))


@router.get("/matches", response_model=list[int])
def matches(
    edition: EditionOf, index: Index = 0, n: Number = -1, mirror: Mirror = False, flip: Flip = False
) -> Response:
    """Return the indices of the matches of an index."""
    found = matches_of(edition, _game(edition, index), n, mirror, flip)
    return answer([_index(edition, game) for game in found])


@router.get("/similar_apps", response_model=list[dict[str, Any]])
def similar_apps(
    request: Request,
    edition: EditionOf,
    index: Index = 0,
    n: Number = -1,
    mirror: Mirror = False,
    flip: Flip = False,
) -> Response:
    """Return the apps of the matches of an index."""
    return _similar(request, edition, _game(edition, index), n, mirror, flip)


@router.get("/index_from_id", response_model=int)
def index_from_id(edition: EditionOf, game_id: AppId) -> Response:
    """Return the index of an id."""
    return answer(_index(edition, edition.snapshot.game(game_id)))


@router.get("/name_from_id", response_model=str)
def name_from_id(edition: EditionOf, game_id: AppId) -> Response:
    """Return the name of an id."""
    return answer(edition.snapshot.game(game_id).name)


@router.get("/app_from_id", response_model=dict[str, Any])
def app_from_id(request: Request, edition: EditionOf, game_id: AppId) -> Response:
    """Return the app of an id."""
    return answer(_app(request, edition, edition.snapshot.game(game_id)))


@router.get("/similar_apps_from_id", response_model=list[dict[str, Any]])
def similar_apps_from_id(
    request: Request,
    edition: EditionOf,
    game_id: AppId,
    n: Number = -1,
    mirror: Mirror = False,
    flip: Flip = False,
) -> Response:
    """Return the apps of the matches of an id."""
    return _similar(request, edition, edition.snapshot.game(game_id), n, mirror, flip)


@router.get("/index_from_name", response_model=int)
def index_from_name(edition: EditionOf, name: Name) -> Response:
    """Return the index of a name."""
    return answer(_index(edition, _named(edition, name)))


@router.get("/id_from_name", response_model=int | str)
def id_from_name(edition: EditionOf, name: Name) -> Response:
    """Return the id of a name."""
    key = _named(edition, name).id
    return answer(int(key) if are_numbers([key]) else key)


@router.get("/app_from_name", response_model=dict[str, Any])
def app_from_name(request: Request, edition: EditionOf, name: Name) -> Response:
    """Return the app of a name."""
    return answer(_app(request, edition, _named(edition, name)))


@router.get("/similar_apps_from_name", response_model=list[dict[str, Any]])
def similar_apps_from_name(
    request: Request,
    edition: EditionOf,
    name: Name,
    n: Number = -1,
    mirror: Mirror = False,
    flip: Flip = False,
) -> Response:
    """Return the apps of the matches of a name."""
    return _similar(request, edition, _named(edition, name), n, mirror, flip)
