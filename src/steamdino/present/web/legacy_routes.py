"""The routes of heroku-flask-api, the original Steam DINO web app: the same addresses and answers, without its defects.

`docs/reference/legacy.md` lists the fields, and what differs from the original.
"""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from steamdino.errors import QueryError
from steamdino.present.web.api import addresses, answer
from steamdino.present.web.legacy_order import LegacyAppModel, order_of
from steamdino.present.web.parameters import LONGEST, EditionOf, Flip, Mirror
from steamdino.present.web.problem_kinds import PROBLEMS
from steamdino.present.web.root_path import below, origin
from steamdino.present.web.served_snapshot import ServedSnapshot
from steamdino.records import Filter, Game

ALL = 100
"""Number of games that a negative number stands for: as many as each row of the original's files held."""
MOST = 1000
"""Largest number of games in an answer; larger numbers stand for it, as the original's stood for all of a row."""

router = APIRouter(tags=["legacy"], responses=PROBLEMS)
Index = Annotated[int, Query(ge=0, le=2**31, description="A row of the gallery.")]
AppId = Annotated[str, Query(max_length=LONGEST, alias="id", description="A game's id.")]
Name = Annotated[str, Query(max_length=LONGEST, description="A game's name, or what is like one.")]
Number = Annotated[
    int,
    Query(
        ge=-(2**31), le=2**31, description=f"How many, with the game itself; at most {MOST}. Negative: {ALL}."
    ),
]


def _game(edition: ServedSnapshot, index: int) -> Game:
    rows = order_of(edition).rows
    if index >= len(rows):
        raise QueryError(f"there is no index {index}; there are {len(rows):,} games, counted from 0")
    return edition.snapshot.games([int(rows[index])])[0]


def _named(edition: ServedSnapshot, name: str) -> Game:
    """The first game with exactly this name, as in the original; else the one that fits best."""
    if same := edition.snapshot.called(name):
        return min(same, key=lambda game: _index(edition, game))
    found = edition.snapshot.find(name, files=False).game
    if found is None:
        raise QueryError(f"no game is called {name[:80]!r}")
    return found


def _index(edition: ServedSnapshot, game: Game) -> int:
    row = edition.snapshot.row(game.id)
    assert row is not None  # noqa: S101 (it came from there)
    return int(order_of(edition).index[row])


def _id(edition: ServedSnapshot, game: Game) -> int | str:
    return int(game.id) if order_of(edition).numbers else game.id


def _app(request: Request, edition: ServedSnapshot, game: Game) -> dict[str, Any]:
    picture = addresses(request).of(game)
    if picture and picture.startswith("/"):
        picture = origin(request) + picture
    return {
        "index": _index(edition, game),
        "id": _id(edition, game),
        "name": game.name,
        "steam_store_url": f"{game.url}/" if game.from_steam else None,
        "steam_illustration_url": picture,
        "steamdb_url": game.steamdb_url,
        "query_url": below(request, f"/render/{quote(game.id, safe='')}"),
    }


def matches_of(
    edition: ServedSnapshot, game: Game, n: int, mirror: bool, flip: bool, *, most: int = MOST
) -> list[Game]:
    """Return a game and its matches, n in all: `ALL` for a negative n, and never more than `most`."""
    most = ALL if n < 0 else min(n, most)
    if most <= 1:
        return [game][:most]
    found = edition.similar(game.id, most - 1, mirror=mirror, flip=flip, only=Filter())
    return [game, *(match.game for match in found)]


def _similar(
    request: Request, edition: ServedSnapshot, game: Game, n: int, mirror: bool, flip: bool
) -> Response:
    return answer([_app(request, edition, one) for one in matches_of(edition, game, n, mirror, flip)])


@router.get(
    "/index",
    response_model=str,
    operation_id="legacyIndex",
    summary="An index as a text",
)
def index(edition: EditionOf, index: Index = 0) -> Response:
    """Return an index as a text, if there is such a row."""
    _game(edition, index)
    return answer(str(index))


@router.get(
    "/id",
    response_model=int | str,
    operation_id="legacyId",
    summary="The id at an index",
)
def id_of(edition: EditionOf, index: Index = 0) -> Response:
    """Return the id at an index."""
    return answer(_id(edition, _game(edition, index)))


@router.get(
    "/name",
    response_model=str,
    operation_id="legacyName",
    summary="The name at an index",
)
def name(edition: EditionOf, index: Index = 0) -> Response:
    """Return the name at an index."""
    return answer(_game(edition, index).name)


@router.get(
    "/app",
    response_model=LegacyAppModel,
    operation_id="legacyApp",
    summary="The app at an index",
)
def app(request: Request, edition: EditionOf, index: Index = 0) -> Response:
    """Return the app at an index."""
    return answer(_app(request, edition, _game(edition, index)))


@router.get(
    "/matches",
    response_model=list[int],
    operation_id="legacyMatches",
    summary="The indices of the matches of an index",
)
def matches(
    edition: EditionOf, index: Index = 0, n: Number = -1, mirror: Mirror = False, flip: Flip = False
) -> Response:
    """Return the indices of the matches of an index."""
    found = matches_of(edition, _game(edition, index), n, mirror, flip)
    return answer([_index(edition, game) for game in found])


@router.get(
    "/similar_apps",
    response_model=list[LegacyAppModel],
    operation_id="legacySimilarApps",
    summary="The apps of the matches of an index",
)
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


@router.get(
    "/index_from_id",
    response_model=int,
    operation_id="legacyIndexFromId",
    summary="The index of an id",
)
def index_from_id(edition: EditionOf, game_id: AppId) -> Response:
    """Return the index of an id."""
    return answer(_index(edition, edition.snapshot.game(game_id)))


@router.get(
    "/name_from_id",
    response_model=str,
    operation_id="legacyNameFromId",
    summary="The name of an id",
)
def name_from_id(edition: EditionOf, game_id: AppId) -> Response:
    """Return the name of an id."""
    return answer(edition.snapshot.game(game_id).name)


@router.get(
    "/app_from_id",
    response_model=LegacyAppModel,
    operation_id="legacyAppFromId",
    summary="The app of an id",
)
def app_from_id(request: Request, edition: EditionOf, game_id: AppId) -> Response:
    """Return the app of an id."""
    return answer(_app(request, edition, edition.snapshot.game(game_id)))


@router.get(
    "/similar_apps_from_id",
    response_model=list[LegacyAppModel],
    operation_id="legacySimilarAppsFromId",
    summary="The apps of the matches of an id",
)
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


@router.get(
    "/index_from_name",
    response_model=int,
    operation_id="legacyIndexFromName",
    summary="The index of a name",
)
def index_from_name(edition: EditionOf, name: Name) -> Response:
    """Return the index of a name."""
    return answer(_index(edition, _named(edition, name)))


@router.get(
    "/id_from_name",
    response_model=int | str,
    operation_id="legacyIdFromName",
    summary="The id of a name",
)
def id_from_name(edition: EditionOf, name: Name) -> Response:
    """Return the id of a name."""
    return answer(_id(edition, _named(edition, name)))


@router.get(
    "/app_from_name",
    response_model=LegacyAppModel,
    operation_id="legacyAppFromName",
    summary="The app of a name",
)
def app_from_name(request: Request, edition: EditionOf, name: Name) -> Response:
    """Return the app of a name."""
    return answer(_app(request, edition, _named(edition, name)))


@router.get(
    "/similar_apps_from_name",
    response_model=list[LegacyAppModel],
    operation_id="legacySimilarAppsFromName",
    summary="The apps of the matches of a name",
)
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
