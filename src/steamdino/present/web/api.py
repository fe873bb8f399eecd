"""The API: JSON, version 1."""

from __future__ import annotations

import json
import random
from functools import partial
from typing import Annotated, Any

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
from steamdino.present.web.parameters import (
    LONGEST,
    Count,
    EditionOf,
    Flip,
    Id,
    Mirror,
    Offset,
    OnlyOf,
    Sent,
    fetched,
    kept,
    served,
)
from steamdino.present.web.timing import stage
from steamdino.records import Game

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": text,
        "content": {"application/problem+json": {"schema": api_models.ProblemModel.model_json_schema()}},
    }
    for status, text in (
        (400, "It makes no sense: an unknown recipe, a filter that cannot be read."),
        (404, "There is no such game, tag or picture."),
        (413, "It is too large."),
        (414, "The address is too long."),
        (422, "A parameter is not of its kind, or the picture cannot be read."),
        (429, "Too many requests; see Retry-After."),
        (503, "It cannot be answered now, or not by this server; see Retry-After if there is one."),
    )
}
router = APIRouter(prefix="/api/v1", tags=["v1"], responses=PROBLEMS)
GameId = Annotated[str, Path(max_length=LONGEST, description="A game's id.")]
TAGS = 100


def answer(record: Any) -> Response:
    """A record as JSON: made here, since checking each field against its model again takes longer than a search."""
    with stage("answer"):
        text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    return Response(text, media_type="application/json")


def addresses(request: Request) -> Links:
    """Where pictures are."""
    found: Links = request.app.state.addresses
    return found


@router.get("/info", response_model=api_models.InfoModel, summary="What is served")
def info(request: Request) -> Response:
    """Recipes, how many games, and the most frequent tags."""
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
        str, Query(max_length=LONGEST, description="What is being typed of a name; empty for all games.")
    ] = "",
    k: Count = 10,
    offset: Offset = 0,
) -> Response:
    """Games whose names fit what is being typed: the most reviewed first, typos forgiven. Without it, all, by id."""
    to = addresses(request)
    if q.strip():
        with stage("search"):
            found = edition.snapshot.suggest(q, offset + k, only=only)[offset:]
        return answer({"games": [api_models.game_record(game, to) for game in found], "total": None})
    rows = edition.snapshot.rows(only)
    page = edition.snapshot.games(rows[offset : offset + k])
    return answer({"games": [api_models.game_record(game, to) for game in page], "total": len(rows)})


@router.get("/games/random", response_model=api_models.GameModel, summary="Any game")
async def surprise(request: Request, edition: EditionOf, only: OnlyOf) -> Response:
    """A game by chance."""
    return answer(api_models.game_record(any_game(edition, only), addresses(request)))


def any_game(edition: EditionOf, only: OnlyOf) -> Game:
    """A game by chance.

    Raises:
        QueryError: the filter lets none through.
    """
    rows = edition.snapshot.rows(only)
    if not len(rows):
        raise QueryError("no game fits the filter; ask for less")
    return edition.snapshot.games([int(random.choice(rows))])[0]  # noqa: S311


@router.get("/games/{game_id:path}/similar", response_model=api_models.SimilarModel, summary="Similar games")
async def similar(
    request: Request,
    edition: EditionOf,
    only: OnlyOf,
    game_id: GameId,
    k: Count = 10,
    offset: Offset = 0,
    mirror: Mirror = False,
    flip: Flip = False,
) -> Response:
    """The games whose banners look most like that of a game, the most similar first; the game itself is left out."""
    if mirror or flip:  # runs a model, which would hold up everybody else here
        search = partial(edition.similar, game_id, offset + k + 1, mirror=mirror, flip=flip, only=only)
        matches = await run_in_threadpool(search)
    else:
        matches = edition.similar(game_id, offset + k + 1, only=only)
    return answer(api_models.similar_record(matches, addresses(request), offset, k))


@router.get("/games/{game_id:path}", response_model=api_models.GameModel, summary="A game")
async def game(request: Request, edition: EditionOf, game_id: GameId) -> Response:
    """A game by its id."""
    return answer(api_models.game_record(edition.snapshot.game(game_id), addresses(request)))


@router.post("/similar", response_model=api_models.SimilarModel, summary="Games similar to a picture")
def similar_to_picture(
    request: Request,
    edition: EditionOf,
    only: OnlyOf,
    picture: Sent,
    k: Count = 10,
    offset: Offset = 0,
    mirror: Mirror = False,
    flip: Flip = False,
) -> Response:
    """The games whose banners look most like a picture that is sent. It is not kept."""
    with kept(picture) as path:
        matches = edition.similar(path, offset + k + 1, mirror=mirror, flip=flip, only=only)
    return answer(api_models.similar_record(matches, addresses(request), offset, k))


@router.get(
    "/similar", response_model=api_models.SimilarModel, summary="Games similar to a picture by its address"
)
def similar_to_address(
    request: Request,
    edition: EditionOf,
    only: OnlyOf,
    url: Annotated[str, Query(max_length=2000, description="Of a picture on a public server.")],
    k: Count = 10,
    offset: Offset = 0,
    mirror: Mirror = False,
    flip: Flip = False,
) -> Response:
    """The games whose banners look most like a picture that is fetched, where this server does that."""
    with fetched(request, url) as path:
        matches = edition.similar(path, offset + k + 1, mirror=mirror, flip=flip, only=only)
    return answer(api_models.similar_record(matches, addresses(request), offset, k))


@router.get("/text", response_model=api_models.SimilarModel, summary="Games that fit words")
def text(
    request: Request,
    edition: EditionOf,
    only: OnlyOf,
    q: Annotated[str, Query(min_length=1, max_length=LONGEST, description="What should be on the banner.")],
    k: Count = 10,
    offset: Offset = 0,
) -> Response:
    """The games whose banners fit a sentence best, where the recipe knows words."""
    matches = edition.text(q, offset + k + 1, only=only)
    return answer(api_models.similar_record(matches, addresses(request), offset, k))


@router.get("/unique", response_model=api_models.UniqueModel, summary="Games that look like no other")
def unique(request: Request, edition: EditionOf, only: OnlyOf, k: Count = 50, offset: Offset = 0) -> Response:
    """The games whose nearest neighbour in the whole gallery is the least similar."""
    to = addresses(request)
    allowed = set(edition.snapshot.rows(only).tolist())
    row = edition.snapshot.row
    found = [one for one in edition.unique() if row(one.game.id) in allowed]
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


@router.get("/duplicates", response_model=api_models.DuplicatesModel, summary="Banners that show the same")
def duplicates(request: Request, edition: EditionOf, k: Count = 20, offset: Offset = 0) -> Response:
    """Groups of games whose banners show the same, in tiers; the first of each group is the one to keep."""
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
    """Places that correspond, and what each part adds to the similarity; see the reference of `steam-dino explain`."""
    found = edition.explain(a, b)
    names = [edition.snapshot.game(key).name for key in (a, b)]
    return answer(as_record(found, names, edition.snapshot.percentile(found.similarity)))


@router.post("/audit", response_model=dict[str, Any], summary="What a draft looks like")
def audit(
    request: Request,
    edition: EditionOf,
    picture: Sent,
    tag: Annotated[
        list[str] | None, Query(max_length=5, description="Place it among their games, too.")
    ] = None,
    k: Count = 10,
) -> Response:
    """The closest games of a draft, how unusual it is, and what is wrong with it; it is not kept."""
    with kept(picture) as path:
        found = edition.audit(path, [one for one in tag or () if one.strip()], k)
    return answer(audit_record(found, draft=None, picture_of=addresses(request).of))
