"""The pages of heroku-flask-api: `/render[_x|_y|_xy]/[id]/[n]`; under `/store` their pictures link to Steam."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import RedirectResponse, Response

from steamdino.present.web.api import GameId, any_game
from steamdino.present.web.legacy_routes import ALL, matches_of
from steamdino.present.web.pages import page
from steamdino.present.web.parameters import EditionOf, Flip, Mirror
from steamdino.present.web.served_snapshot import ServedSnapshot
from steamdino.records import Filter

TURNS = {"": (False, False), "_x": (True, False), "_y": (False, True), "_xy": (True, True)}
USUAL = 11

router = APIRouter(include_in_schema=False)


def _add(kind: str, suffix: str) -> None:
    """Add the routes of one kind of page and one mirroring."""
    mirrored, flipped = TURNS[suffix]
    folder = f"/{kind}{suffix}"

    @router.get(folder)
    @router.get(f"{folder}/")
    async def anyone(edition: EditionOf) -> Response:
        found = any_game(edition, Filter())
        return RedirectResponse(f"{folder}/{found.id}", 303, {"cache-control": "no-store"})

    def shown(
        request: Request, edition: ServedSnapshot, game_id: str, n: int, mirror: bool, flip: bool
    ) -> Response:
        own = edition.snapshot.game(game_id)
        games = matches_of(edition, own, n, mirrored or mirror, flipped or flip, most=ALL)
        return page(request, "render.html.jinja", games=games, folder=folder, n=n, to_store=kind == "store")

    @router.get(f"{folder}/{{game_id}}")
    @router.get(f"{folder}/{{game_id}}/")
    def usual(
        request: Request, edition: EditionOf, game_id: GameId, mirror: Mirror = False, flip: Flip = False
    ) -> Response:
        return shown(request, edition, game_id, USUAL, mirror, flip)

    @router.get(f"{folder}/{{game_id}}/{{n}}")
    def counted(
        request: Request,
        edition: EditionOf,
        game_id: GameId,
        n: Annotated[int, Path(ge=-(2**31), le=2**31)],
        mirror: Mirror = False,
        flip: Flip = False,
    ) -> Response:
        return shown(request, edition, game_id, n, mirror, flip)


for _kind in ("render", "store"):
    for _suffix in TURNS:
        _add(_kind, _suffix)
