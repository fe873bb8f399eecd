"""The HTTP API, version 1: lists of a whole gallery, explanations and audits, as JSON."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from steamdino.present.export.audit_report import audit_record
from steamdino.present.export.explanation_drawing import as_record
from steamdino.present.web import analysis_models as models
from steamdino.present.web.api import addresses, answer
from steamdino.present.web.api_models import game_record, match_records
from steamdino.present.web.paging import ListEditionOf, list_mark, page_of
from steamdino.present.web.parameters import (
    LONGEST,
    Count,
    CropOf,
    EditionOf,
    Flip,
    Id,
    Mirror,
    OnlyOf,
    Place,
    Sent,
    kept,
)
from steamdino.present.web.problem_kinds import GONE, PROBLEMS
from steamdino.present.web.timing import stage

router = APIRouter(prefix="/api/v1", responses=PROBLEMS)


@router.get(
    "/unique",
    response_model=models.UniqueGamesModel,
    operation_id="uniqueGames",
    tags=["lists"],
    responses=GONE,
    summary="Games that look like no other",
)
def unique(
    request: Request, edition: ListEditionOf, only: OnlyOf, k: Count = 50, offset: Place = 0
) -> Response:
    """Return the games whose nearest neighbour in the whole gallery is the least similar."""
    to = addresses(request)
    with stage("search"):
        found = edition.lists.unique(only)
    page = [
        {
            **game_record(one.game, to),
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
    record = {"recipe": edition.snapshot.recipe.name, "games": page, "total": len(found)}
    return page_of(request, edition, record, offset + k if offset + k < len(found) else None)


@router.get(
    "/duplicates",
    response_model=models.DuplicatesModel,
    operation_id="duplicateBanners",
    tags=["lists"],
    responses=GONE,
    summary="Duplicate banners",
)
def duplicates(
    request: Request,
    edition: ListEditionOf,
    only: OnlyOf,
    tier: Annotated[models.Tier | None, Query(description="Only groups of this tier.")] = None,
    game: Annotated[
        str, Query(max_length=LONGEST, description="Only groups that have the game with this id.")
    ] = "",
    k: Count = 20,
    offset: Place = 0,
) -> Response:
    """Return groups of games with duplicate banners, in tiers; the first game of each group is the one to keep.

    A filter that has conditions keeps the groups of which a game meets them.
    """
    to = addresses(request)
    with stage("search"):
        groups = [one for one in edition.lists.duplicates(only, of=game) if tier in (None, one.tier)]
    page = [
        {
            "tier": group.tier,
            "reason": group.reason,
            "games": [
                {
                    "id": one.game_id,
                    "name": one.name,
                    "picture": to.of(edition.snapshot.game(one.game_id)),
                    "width": one.width,
                    "height": one.height,
                    "similarity": None if one.similarity is None else round(one.similarity, 6),
                    "removable": one.removable,
                }
                for one in group.members
            ],
        }
        for group in groups[offset : offset + k]
    ]
    record = {"recipe": edition.snapshot.recipe.name, "groups": page, "total": len(groups)}
    # A person's decisions change the groups without a new snapshot.
    mark = list_mark(
        (group.tier, *((one.game_id, one.removable) for one in group.members)) for group in groups
    )
    return page_of(request, edition, record, offset + k if offset + k < len(groups) else None, mark)


@router.get(
    "/explain",
    response_model=models.ExplanationModel,
    operation_id="explainMatch",
    tags=["analysis"],
    summary="Why two banners match",
)
def explain(
    edition: EditionOf, crop: CropOf, a: Id, b: Id, mirror: Mirror = False, flip: Flip = False
) -> Response:
    """Return the places that match, and what each part of the banners adds to the similarity.

    The picture of `a` is the query's.
    """
    found = edition.explain(a, b, mirror=mirror, flip=flip, crop=crop)
    names = [edition.snapshot.game(key).name for key in (a, b)]
    return answer(as_record(found, names, edition.snapshot.percentile(found.similarity)))


@router.post(
    "/audit",
    response_model=models.AuditModel,
    operation_id="auditDraft",
    tags=["analysis"],
    summary="Audit of a draft",
)
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
    to = addresses(request)
    record = audit_record(found, draft=None, picture_of=to.of)
    return answer({**record, "matches": match_records(found.matches, slice(None), to, edition.snapshot)})
