"""The API's JSON records, and the models that document them."""

from __future__ import annotations

from typing import Any, Protocol
from urllib.parse import quote

from pydantic import BaseModel, Field

from steamdino.present.export.banner_urls import SteamPictures
from steamdino.present.web.redraw import version_of
from steamdino.records import Game, Matches, Query
from steamdino.search import Snapshot


class GameModel(BaseModel):
    """A game."""

    id: str
    name: str
    source: str = Field(description="the name of its source")
    url: str | None = Field(description="its page; for Steam's games, the store's")
    steamdb_url: str | None = Field(description="its page on SteamDB; null if its id is not an appID")
    picture: str | None = Field(description="the address of its banner, relative to this server or absolute")
    columns: dict[str, Any] = Field(description="other values from its source: tags, released, reviews ...")


class GamesModel(BaseModel):
    """A page of games."""

    games: list[GameModel]
    total: int | None = Field(description="the number of games; null if only the best matches were searched")


class MatchModel(GameModel):
    """One similar game."""

    rank: int
    similarity: float = Field(description="cosine, -1 to 1")
    percentile: float | None = Field(description="percentage of the gallery's pairs that are less similar")
    identical: bool = Field(description="whether its banner has exactly the bytes of the query's")


class PartModel(BaseModel):
    """A part of a mixture."""

    weight: float = Field(description="negative if it was subtracted")
    text: str
    kind: str = Field(description="id, name or words")
    game: GameModel | None


class QueryModel(BaseModel):
    """The query as it was resolved."""

    text: str
    kind: str = Field(description="id, name, picture or words")
    game: GameModel | None
    mirror: bool
    flip: bool
    crop: str | None = Field(description="the part of the picture that was compared")
    parts: list[PartModel] = Field(description="what was added and subtracted")


class SimilarModel(BaseModel):
    """Similar games, the most similar first."""

    query: QueryModel
    recipe: str
    matches: list[MatchModel]
    next: int | None = Field(description="the offset of the next page; null if this is the last")
    undated: int = Field(
        description="games that `released` skipped because their release date cannot be read"
    )


class ClosestModel(BaseModel):
    """The nearest neighbour of a unique game."""

    id: str
    name: str
    similarity: float


class UniqueGameModel(GameModel):
    """A game whose banner looks like no other."""

    rank: int
    similarity: float | None
    closest: ClosestModel | None


class UniqueModel(BaseModel):
    """Unique games, the most unique first."""

    recipe: str
    games: list[UniqueGameModel]
    total: int
    next: int | None


class MemberModel(BaseModel):
    """A game in a group of duplicates."""

    id: str
    name: str
    picture: str | None
    similarity: float | None = Field(description="cosine to the first game of the group")
    removable: bool


class GroupModel(BaseModel):
    """Games with duplicate banners; the first is the one to keep."""

    tier: str = Field(description="identical, re-encoded or near")
    games: list[MemberModel]


class DuplicatesModel(BaseModel):
    """Groups of duplicates, the strictest tier first."""

    recipe: str
    groups: list[GroupModel]
    total: int
    next: int | None


class RecipeModel(BaseModel):
    """A recipe that the server offers."""

    name: str
    hash: str
    model: str
    dim: int
    games: int
    created_at: str
    words: bool = Field(description="whether it supports words")
    usual: dict[str, float] = Field(
        description="similarities: of pairs, of nearest neighbours, and the threshold from which banners are alike"
    )


class InfoModel(BaseModel):
    """Information about the server."""

    version: str
    games: int
    default: str
    recipes: list[RecipeModel]
    tags: list[str] = Field(description="the most frequent tags")


class ProblemModel(BaseModel):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str


class PictureAddresses(Protocol):
    """Knows the addresses of games' banners."""

    def of(self, game: Game) -> str | None:
        """Return the address of a game's banner; None if it has none."""


class Links:
    """The addresses of pictures, on this server or on Steam's."""

    def __init__(self, online: SteamPictures) -> None:
        self._online = online

    def of(self, game: Game, width: int = 300) -> str | None:
        """Return the address of a game's banner."""
        if url := self._online.of(game):
            return url
        if game.picture is None:
            return None
        return f"/banners/{width}/{quote(game.id, safe='')}?v={version_of(game.sha256)}"


def game_record(game: Game, to: PictureAddresses) -> dict[str, Any]:
    """Return a game as JSON."""
    return {
        "id": game.id,
        "name": game.name,
        "source": game.source,
        "url": game.url,
        "steamdb_url": game.steamdb_url,
        "picture": to.of(game),
        "columns": dict(game.columns),
    }


def similar_record(matches: Matches, to: Links, offset: int, k: int) -> dict[str, Any]:
    """Return a page of matches as JSON; `matches` starts at the first page and has one more match if there are more."""
    page = matches[offset : offset + k]
    return {
        "query": _query(matches.query, to),
        "recipe": matches.recipe,
        "matches": [
            {
                **game_record(match.game, to),
                "rank": match.rank,
                "similarity": round(match.similarity, 6),
                "percentile": None if match.percentile is None else round(match.percentile, 5),
                "identical": match.identical,
            }
            for match in page
        ],
        "next": offset + k if len(matches) > offset + k else None,
        "undated": matches.undated,
    }


def recipe_record(snapshot: Snapshot, *, words: bool) -> dict[str, Any]:
    """Return a recipe that the server offers as JSON."""
    manifest = snapshot.manifest
    return {
        "name": manifest.recipe.name,
        "hash": manifest.recipe.hash,
        "model": manifest.recipe.model,
        "dim": manifest.recipe.dim,
        "games": manifest.games,
        "created_at": manifest.created_at,
        "words": words,
        "usual": manifest.similarity.usual if manifest.similarity else {},
    }


def _query(query: Query, to: Links) -> dict[str, Any]:
    return {
        "text": query.text if query.kind != "picture" else "",
        "kind": query.kind,
        "game": game_record(query.game, to) if query.game else None,
        "mirror": query.mirror,
        "flip": query.flip,
        "crop": str(query.crop) if query.crop else None,
        "parts": [
            {
                "weight": part.weight,
                "text": part.query.text,
                "kind": part.query.kind,
                "game": game_record(part.query.game, to) if part.query.game else None,
            }
            for part in query.parts
        ],
    }
