"""The HTTP API, version 1: the server and its games, as JSON."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from steamdino import __version__
from steamdino.errors import QueryError
from steamdino.features.text_encoder import has_words
from steamdino.present.web import api_models
from steamdino.present.web.api_models import Links
from steamdino.present.web.json_encoding import encode
from steamdino.present.web.paging import ListEditionOf, following, page_of
from steamdino.present.web.parameters import (
    DEEPEST,
    LONGEST,
    Count,
    EditionOf,
    OnlyOf,
    Place,
    served,
)
from steamdino.present.web.problem_kinds import GONE, PROBLEMS
from steamdino.present.web.root_path import base
from steamdino.present.web.served_snapshot import ServedSnapshot
from steamdino.present.web.timing import stage
from steamdino.records import Filter, Game

router = APIRouter(prefix="/api/v1", responses=PROBLEMS)
GameId = Annotated[str, Path(max_length=LONGEST, description="A game's id.")]
TAGS = 100
Found = TypeVar("Found")


def answer(record: Any) -> Response:
    """Return a record as JSON, serialised here: validating it against its model again takes longer than a search."""
    with stage("answer"):
        text = encode(record)
    return Response(text, media_type="application/json")


def addresses(request: Request) -> Links:
    """Return the addresses of pictures."""
    found: Links = request.app.state.addresses
    return found.below(base(request))


@router.get(
    "/info",
    response_model=api_models.InfoModel,
    operation_id="serverInfo",
    tags=["games"],
    summary="Information about the server",
)
def info(request: Request) -> Response:
    """Return the recipes, the number of games, and the most frequent tags."""
    found = served(request)
    recipes = [api_models.recipe_record(one, words=has_words(one.snapshot.recipe)) for one in found.editions]
    snapshot = found.edition().snapshot
    return answer(
        {
            "version": __version__,
            "games": len(snapshot),
            "default": snapshot.recipe.name,
            "recipes": recipes,
            "tags": snapshot.tags()[:TAGS],
        }
    )


@router.get(
    "/games",
    response_model=api_models.GamesModel,
    operation_id="findGames",
    tags=["games"],
    responses=GONE,
    summary="Games by name",
)
async def games(
    request: Request,
    edition: ListEditionOf,
    only: OnlyOf,
    q: Annotated[
        str, Query(max_length=LONGEST, description="The beginning or a part of a name; empty for all games.")
    ] = "",
    k: Count = 10,
    offset: Place = 0,
) -> Response:
    """Return games whose names match, with typos allowed, the most reviewed first; without `q`, all games by id."""
    to = addresses(request)
    if q.strip():
        with stage("search"):
            search = partial(edition.snapshot.suggest, q, min(offset, DEEPEST) + k + 1, only=only)
            found = await filtered(only, search)
        page, total, after = found[offset : offset + k], None, following(len(found), offset, k)
    else:
        rows = await filtered(only, partial(edition.snapshot.rows, only))
        page, total = edition.snapshot.games(rows[offset : offset + k]), len(rows)
        after = offset + k if offset + k < total else None
    record = {"games": [api_models.game_record(game, to) for game in page], "total": total}
    return page_of(request, edition, record, after)


@router.get(
    "/games/random",
    response_model=api_models.GameModel,
    operation_id="randomGame",
    tags=["games"],
    summary="A random game",
)
async def surprise(request: Request, edition: EditionOf, only: OnlyOf) -> Response:
    """Return a random game."""
    found = await filtered(only, partial(any_game, edition, only))
    return answer(api_models.game_record(found, addresses(request)))


def any_game(edition: ServedSnapshot, only: Filter) -> Game:
    """Return a random game.

    Raises:
        QueryError: no game passes the filter.
    """
    rows = edition.snapshot.rows(only)
    if not len(rows):
        raise QueryError("no game passes the filter; use a wider one")
    return edition.snapshot.games([int(random.choice(rows))])[0]  # noqa: S311


async def filtered(only: Filter, search: Callable[[], Found]) -> Found:
    """Return what a search finds; it runs in a thread if its filter has conditions.

    Any other search is over sooner than a thread would get its turn beside a busy event loop.
    """
    return await run_in_threadpool(search) if _has_conditions(only) else search()


@lru_cache(64)
def _has_conditions(only: Filter) -> bool:
    return only != only.without_conditions


@router.get(
    "/games/{game_id:path}",
    response_model=api_models.GameModel,
    operation_id="getGame",
    tags=["games"],
    summary="A game",
)
async def game(request: Request, edition: EditionOf, game_id: GameId) -> Response:
    """Return a game by its id."""
    return answer(api_models.game_record(edition.snapshot.game(game_id), addresses(request)))
