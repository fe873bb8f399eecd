"""The API's route for what changed, and the models that document it."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from steamdino.present.export.changes_report import document
from steamdino.present.web.api_models import GameModel, PageModel, game_record
from steamdino.present.web.changes_parameters import (
    ChangePictures,
    PeriodOf,
    WhatsOf,
    headers_of,
    tag_of,
    unchanged,
)
from steamdino.present.web.paging import ListEditionOf, page_of
from steamdino.present.web.parameters import Count, OnlyOf, Place
from steamdino.present.web.problem_kinds import GONE, PROBLEMS

router = APIRouter(prefix="/api/v1", responses=PROBLEMS)


class BannerVersionModel(BaseModel):
    """A banner that a game has or had."""

    sha256: str = Field(description="of the picture's bytes")
    picture: str | None = Field(description="the picture's address; null if it is not kept")


class ClosestOlderModel(GameModel):
    """The most similar game that was there before a new one."""

    similarity: float = Field(description="cosine, -1 to 1")
    percentile: float | None = Field(description="percentage of the gallery's pairs that are less similar")
    identical: bool = Field(description="whether its banner has exactly the same bytes")


class ChangeModel(BaseModel):
    """Something that happened to a game."""

    what: Literal["new", "art", "left", "back"] = Field(
        description="`art` stands for another banner, `left` for a game that its source no longer has"
    )
    at: str = Field(description="when the gallery noticed it: UTC, ISO 8601")
    game: GameModel = Field(description="the game as it is now")
    gone: bool = Field(description="whether its source no longer has it")
    before: BannerVersionModel | None = Field(description="the banner before; null if there was none")
    after: BannerVersionModel | None = Field(description="the banner after; null if it was removed")
    again: bool = Field(description="whether the game had the banner `after` once before")
    similarity: float | None = Field(description="cosine of the two banners; null if it is unknown")
    percentile: float | None = Field(description="percentage of the gallery's pairs that are less similar")
    closest: ClosestOlderModel | None = Field(
        description="of a new game: the closest one that was there before"
    )
    unknown: str | None = Field(description="why there is no similarity where one belongs")


class ImportModel(BaseModel):
    """Many games that appeared, or got their first banner, at once; they are not listed one by one."""

    day: str = Field(description="UTC, YYYY-MM-DD")
    source: str
    games: int
    what: Literal["new", "first banners"]


class ChangesModel(PageModel):
    """What changed, the newest day first."""

    since: str = Field(description="the first day, UTC, YYYY-MM-DD")
    until: str = Field(description="the last day")
    recorded_from: str = Field(
        description="from when banners and returns are recorded; of earlier times, only additions and games that are"
        " gone are known"
    )
    recipe: str | None
    counts: dict[str, int] = Field(description="number of changes of each kind, whatever `what` chose")
    imports: list[ImportModel]
    changes: list[ChangeModel]
    total: int = Field(description="number of changes on all pages")


@router.get(
    "/changes",
    response_model=ChangesModel,
    operation_id="listChanges",
    tags=["lists"],
    responses={**GONE, 304: {"description": "Nothing changed."}},
    summary="What changed",
)
def changes(
    request: Request,
    edition: ListEditionOf,
    period: PeriodOf,
    whats: WhatsOf,
    only: OnlyOf,
    k: Count = 50,
    offset: Place = 0,
) -> Response:
    """Return new games with the closest older one, new banners with the one before, games that left or came back."""
    tag = tag_of(request, edition, period.first, period.last)
    if (known := unchanged(request, tag)) is not None:
        return known
    pictures = ChangePictures(request, edition)
    with edition.lists.changes(period, only, whats) as found:
        page = found.page(offset, k)
    record = document(
        found,
        page,
        edition.snapshot.recipe.name,
        offset,
        game_of=lambda game: game_record(game, pictures),
        version_of=pictures.of_version,
    )
    response = page_of(request, edition, record, record["next"], found.mark)
    response.headers.update(headers_of(tag))
    return response
