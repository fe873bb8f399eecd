"""The HTTP API, version 1: games that look like a game, a picture or words, as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from steamdino.present.web import api_models
from steamdino.present.web.api import GameId, addresses, filtered
from steamdino.present.web.paging import ListEditionOf, following, page_of
from steamdino.present.web.parameters import (
    LONGEST,
    Count,
    CropOf,
    CutoffOf,
    Flip,
    Mirror,
    Mixture,
    MixtureOf,
    Offset,
    OnlyOf,
    Sent,
    fetched,
    kept,
)
from steamdino.present.web.problem_kinds import GONE, PROBLEMS
from steamdino.present.web.served_snapshot import ServedSnapshot
from steamdino.records import Crop, Filter, Matches
from steamdino.search.cutoff import Cutoff

router = APIRouter(prefix="/api/v1", responses=PROBLEMS, tags=["matches"])


@dataclass(frozen=True, slots=True)
class Search:
    """How to search with a game or a picture, and which page of its matches to answer with."""

    edition: ServedSnapshot
    only: Filter
    cutoff: Cutoff
    crop: Crop | None
    mixture: Mixture
    k: int
    offset: int
    mirror: bool
    flip: bool

    @property
    def encodes(self) -> bool:
        """Whether even a game has to be encoded, because its stored vector is not the query's."""
        return bool(self.mirror or self.flip or self.crop or self.mixture)

    def matches(self, query: str | Path) -> Matches:
        """Return the matches of a game's id or a picture, with one more than the page needs if there is a next one."""
        return self.edition.similar(
            query,
            self.offset + self.k + 1,
            mirror=self.mirror,
            flip=self.flip,
            crop=self.crop,
            plus=self.mixture.plus,
            minus=self.mixture.minus,
            only=self.only,
            cutoff=self.cutoff,
        )

    def page(self, request: Request, matches: Matches) -> Response:
        """Return the page of matches."""
        return _page(request, self.edition, matches, self.offset, self.k)


async def search(
    edition: ListEditionOf,
    only: OnlyOf,
    cutoff: CutoffOf,
    crop: CropOf,
    mixture: MixtureOf,
    k: Count = 10,
    offset: Offset = 0,
    mirror: Mirror = False,
    flip: Flip = False,
) -> Search:
    """Return the requested search."""
    return Search(edition, only, cutoff, crop, mixture, k, offset, mirror, flip)


SearchOf = Annotated[Search, Depends(search)]


@router.get(
    "/games/{game_id:path}/similar",
    response_model=api_models.SimilarGamesModel,
    operation_id="similarGames",
    responses=GONE,
    summary="Similar games",
)
async def similar(request: Request, search: SearchOf, game_id: GameId) -> Response:
    """Return the games whose banners look most like a game's, the most similar first, without the game itself."""
    find = partial(search.matches, game_id)
    # A model would block the event loop.
    matches = await (run_in_threadpool(find) if search.encodes else filtered(search.only, find))
    return search.page(request, matches)


@router.post(
    "/similar",
    response_model=api_models.SimilarGamesModel,
    operation_id="similarToPicture",
    responses=GONE,
    summary="Games similar to a picture",
)
def similar_to_picture(request: Request, search: SearchOf, picture: Sent) -> Response:
    """Return the games whose banners look most like an uploaded picture. The picture is not stored.

    To read the next page, send the same picture to the address in `next`.
    """
    with kept(picture) as path:
        return search.page(request, search.matches(path))


@router.get(
    "/similar",
    response_model=api_models.SimilarGamesModel,
    operation_id="similarToAddress",
    responses=GONE,
    summary="Games similar to a picture at an address",
)
def similar_to_address(
    request: Request,
    search: SearchOf,
    url: Annotated[str, Query(max_length=2000, description="Address of a picture on a public server.")],
) -> Response:
    """Return the games whose banners look most like a picture that the server fetches, if it is set up to do so."""
    with fetched(request, url) as path:
        return search.page(request, search.matches(path))


@router.get(
    "/text",
    response_model=api_models.SimilarGamesModel,
    operation_id="gamesMatchingWords",
    responses=GONE,
    summary="Games that match words",
)
def text(
    request: Request,
    edition: ListEditionOf,
    only: OnlyOf,
    cutoff: CutoffOf,
    q: Annotated[str, Query(min_length=1, max_length=LONGEST, description="What should be on the banner.")],
    k: Count = 10,
    offset: Offset = 0,
) -> Response:
    """Return the games whose banners match a sentence best, if the recipe supports words."""
    matches = edition.text(q, offset + k + 1, only=only, cutoff=cutoff)
    return _page(request, edition, matches, offset, k)


def _page(request: Request, edition: ServedSnapshot, matches: Matches, offset: int, k: int) -> Response:
    record = api_models.similar_record(matches, addresses(request), offset, k, edition.snapshot)
    return page_of(request, edition, record, following(len(matches), offset, k))
