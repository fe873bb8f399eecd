"""The HTTP API, version 1: JSON."""

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
from steamdino.present.export.audit_report import audit_record
from steamdino.present.export.explanation_drawing import as_record
from steamdino.present.web import api_models
from steamdino.present.web.api_models import Links
from steamdino.present.web.json_encoding import encode
from steamdino.present.web.parameters import (
    LONGEST,
    Count,
    CropOf,
    EditionOf,
    Flip,
    Id,
    Mirror,
    MixtureOf,
    Offset,
    OnlyOf,
    Sent,
    fetched,
    kept,
    served,
)
from steamdino.present.web.served_snapshot import ServedSnapshot
from steamdino.present.web.timing import stage
from steamdino.records import Filter, Game

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": text,
        "content": {"application/problem+json": {"schema": api_models.ProblemModel.model_json_schema()}},
    }
    for status, text in (
        (400, "The request is invalid: an unknown recipe, or a filter that cannot be parsed."),
        (404, "There is no such game, tag or picture."),
        (413, "The body is too large."),
        (414, "The address is too long."),
        (422, "A parameter has an invalid value, or the picture cannot be read."),
        (429, "Too many requests; see Retry-After."),
        (503, "The server cannot answer now, or does not offer this; see Retry-After if present."),
    )
}
router = APIRouter(prefix="/api/v1", tags=["v1"], responses=PROBLEMS)
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
    return found


@router.get("/info", response_model=api_models.InfoModel, summary="Information about the server")
def info(request: Request) -> Response:
    """Return the recipes, the number of games, and the most frequent tags."""
    found = served(request)
    recipes = [
        api_models.recipe_record(one, words=has_words(one.recipe))
        for one in (edition.snapshot for edition in found.editions)
    ]
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


@router.get("/games", response_model=api_models.GamesModel, summary="Games by name")
async def games(
    request: Request,
    edition: EditionOf,
    only: OnlyOf,
    q: Annotated[
        str, Query(max_length=LONGEST, description="The beginning or a part of a name; empty for all games.")
    ] = "",
    k: Count = 10,
    offset: Offset = 0,
) -> Response:
    """Return games whose names match, with typos allowed, the most reviewed first; without `q`, all games by id."""
    to = addresses(request)
    if q.strip():
        with stage("search"):
            search = partial(edition.snapshot.suggest, q, offset + k, only=only)
            found = (await filtered(only, search))[offset:]
        return answer({"games": [api_models.game_record(game, to) for game in found], "total": None})
    rows = await filtered(only, partial(edition.snapshot.rows, only))
    page = edition.snapshot.games(rows[offset : offset + k])
    return answer({"games": [api_models.game_record(game, to) for game in page], "total": len(rows)})


@router.get("/games/random", response_model=api_models.GameModel, summary="A random game")
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


@router.get("/games/{game_id:path}/similar", response_model=api_models.SimilarModel, summary="Similar games")
async def similar(
    request: Request,
    edition: EditionOf,
    only: OnlyOf,
    crop: CropOf,
    mixture: MixtureOf,
    game_id: GameId,
    k: Count = 10,
    offset: Offset = 0,
    mirror: Mirror = False,
    flip: Flip = False,
) -> Response:
    """Return the games whose banners look most like a game's, the most similar first, without the game itself."""
    search = partial(
        edition.similar,
        game_id,
        offset + k + 1,
        mirror=mirror,
        flip=flip,
        crop=crop,
        plus=mixture.plus,
        minus=mixture.minus,
        only=only,
    )
    # A model would block the event loop.
    encodes = mirror or flip or crop or mixture
    matches = await (run_in_threadpool(search) if encodes else filtered(only, search))
    return answer(api_models.similar_record(matches, addresses(request), offset, k))


async def filtered(only: Filter, search: Callable[[], Found]) -> Found:
    """Return what a search finds; it runs in a thread if its filter has conditions.

    Any other search is over sooner than a thread would get its turn beside a busy event loop.
    """
    return await run_in_threadpool(search) if _has_conditions(only) else search()


@lru_cache(64)
def _has_conditions(only: Filter) -> bool:
    return only != only.without_conditions


@router.get("/games/{game_id:path}", response_model=api_models.GameModel, summary="A game")
async def game(request: Request, edition: EditionOf, game_id: GameId) -> Response:
    """Return a game by its id."""
    return answer(api_models.game_record(edition.snapshot.game(game_id), addresses(request)))


@router.post("/similar", response_model=api_models.SimilarModel, summary="Games similar to a picture")
def similar_to_picture(
    request: Request,
    edition: EditionOf,
    only: OnlyOf,
    crop: CropOf,
    mixture: MixtureOf,
    picture: Sent,
    k: Count = 10,
    offset: Offset = 0,
    mirror: Mirror = False,
    flip: Flip = False,
) -> Response:
    """Return the games whose banners look most like an uploaded picture. The picture is not stored."""
    with kept(picture) as path:
        matches = edition.similar(
            path,
            offset + k + 1,
            mirror=mirror,
            flip=flip,
            crop=crop,
            plus=mixture.plus,
            minus=mixture.minus,
            only=only,
        )
    return answer(api_models.similar_record(matches, addresses(request), offset, k))


@router.get(
    "/similar", response_model=api_models.SimilarModel, summary="Games similar to a picture at an address"
)
def similar_to_address(
    request: Request,
    edition: EditionOf,
    only: OnlyOf,
    crop: CropOf,
    mixture: MixtureOf,
    url: Annotated[str, Query(max_length=2000, description="Address of a picture on a public server.")],
    k: Count = 10,
    offset: Offset = 0,
    mirror: Mirror = False,
    flip: Flip = False,
) -> Response:
    """Return the games whose banners look most like a picture that the server fetches, if it is set up to do so."""
    with fetched(request, url) as path:
        matches = edition.similar(
            path,
            offset + k + 1,
            mirror=mirror,
            flip=flip,
            crop=crop,
            plus=mixture.plus,
            minus=mixture.minus,
            only=only,
        )
    return answer(api_models.similar_record(matches, addresses(request), offset, k))


@router.get("/text", response_model=api_models.SimilarModel, summary="Games that match words")
def text(
    request: Request,
    edition: EditionOf,
    only: OnlyOf,
    q: Annotated[str, Query(min_length=1, max_length=LONGEST, description="What should be on the banner.")],
    k: Count = 10,
    offset: Offset = 0,
) -> Response:
    """Return the games whose banners match a sentence best, if the recipe supports words."""
    matches = edition.text(q, offset + k + 1, only=only)
    return answer(api_models.similar_record(matches, addresses(request), offset, k))


@router.get("/unique", response_model=api_models.UniqueModel, summary="Games that look like no other")
def unique(request: Request, edition: EditionOf, only: OnlyOf, k: Count = 50, offset: Offset = 0) -> Response:
    """Return the games whose nearest neighbour in the whole gallery is the least similar."""
    to = addresses(request)
    with stage("search"):
        found = edition.unique(only)
    page = [
        {
            **api_models.game_record(one.game, to),
            "rank": one.rank,
            "similarity": None if one.similarity is None else round(one.similarity, 6),
            "closest": one.closest
            and {
                "id": one.closest.id,
                "name": one.closest.name,
                "similarity": round(one.closest_similarity or 0.0, 6),
            },
        }
        for one in found[offset : offset + k]
    ]
    return answer(
        {
            "recipe": edition.snapshot.recipe.name,
            "games": page,
            "total": len(found),
            "next": offset + k if offset + k < len(found) else None,
        }
    )


@router.get("/duplicates", response_model=api_models.DuplicatesModel, summary="Duplicate banners")
def duplicates(request: Request, edition: EditionOf, k: Count = 20, offset: Offset = 0) -> Response:
    """Return groups of games with duplicate banners, in tiers; the first game of each group is the one to keep."""
    to = addresses(request)
    groups = edition.duplicates()
    page = [
        {
            "tier": group.tier,
            "games": [
                {
                    "id": one.game_id,
                    "name": one.name,
                    "picture": to.of(edition.snapshot.game(one.game_id)),
                    "similarity": None if one.similarity is None else round(one.similarity, 6),
                    "removable": one.removable,
                }
                for one in group.members
            ],
        }
        for group in groups[offset : offset + k]
    ]
    return answer(
        {
            "recipe": edition.snapshot.recipe.name,
            "groups": page,
            "total": len(groups),
            "next": offset + k if offset + k < len(groups) else None,
        }
    )


@router.get("/explain", response_model=dict[str, Any], summary="Why two banners match")
def explain(edition: EditionOf, a: Id, b: Id) -> Response:
    """Return matching places and each part's share of the similarity; see the reference of `steam-dino explain`."""
    found = edition.explain(a, b)
    names = [edition.snapshot.game(key).name for key in (a, b)]
    return answer(as_record(found, names, edition.snapshot.percentile(found.similarity)))


@router.post("/audit", response_model=dict[str, Any], summary="Audit of a draft")
def audit(
    request: Request,
    edition: EditionOf,
    picture: Sent,
    tag: Annotated[
        list[str] | None,
        Query(max_length=5, description="Also compare it with the games that have these tags."),
    ] = None,
    k: Count = 10,
) -> Response:
    """Return a draft's closest games, how unusual it is, and its flaws. The picture is not stored."""
    with kept(picture) as path:
        found = edition.audit(path, [one for one in tag or () if one.strip()], k)
    return answer(audit_record(found, draft=None, picture_of=addresses(request).of))
