"""The API's JSON records, and the models that document them."""

from __future__ import annotations

from typing import Any, Literal, Protocol
from urllib.parse import quote

from pydantic import BaseModel, Field

from steamdino.analysis.folded_matches import folded
from steamdino.present.export.banner_urls import SteamPictures
from steamdino.present.web.redraw import version_of
from steamdino.present.web.served_snapshot import ServedSnapshot
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


class PageModel(BaseModel):
    """A page of a list."""

    edition: str = Field(
        description="what the list was made from; pass it on to read the next page of the same"
    )
    next: str | None = Field(
        description="the address of the next page, relative to this server; null if this is the last. It is in the"
        " header `Link` as well"
    )


class GamesModel(PageModel):
    """A page of games."""

    games: list[GameModel]
    total: int | None = Field(description="the number of games; null if only the best matches were searched")


class MatchModel(GameModel):
    """One similar game."""

    rank: int
    similarity: float = Field(description="cosine, -1 to 1")
    percentile: float | None = Field(description="percentage of the gallery's pairs that are less similar")
    identical: bool = Field(description="whether its banner has exactly the bytes of the query's")
    looks_alike: bool | None = Field(
        description="whether it is closer than `chance`; null if that is unknown, and for words"
    )
    copy_of: str | None = Field(
        description="the id of an earlier match of this page that shows the same picture; null if none does"
    )


class PartModel(BaseModel):
    """A part of a mixture."""

    weight: float = Field(description="negative if it was subtracted")
    text: str
    kind: str = Field(description="id, name or words")
    game: GameModel | None


class QueryModel(BaseModel):
    """The query as it was resolved."""

    text: str
    kind: Literal["id", "name", "picture", "words"]
    game: GameModel | None
    mirror: bool
    flip: bool
    crop: str | None = Field(description="the part of the picture that was compared")
    parts: list[PartModel] = Field(description="what was added and subtracted")


class SimilarGamesModel(PageModel):
    """Similar games, the most similar first."""

    query: QueryModel
    recipe: str
    matches: list[MatchModel]
    chance: float | None = Field(
        description="the similarity that the best of as many random pairs as there are games reaches every other time;"
        " null if it is unknown, and for words"
    )
    undated: int = Field(
        description="games that `released` skipped because their release date cannot be read"
    )


class RecipeModel(BaseModel):
    """A recipe that the server offers."""

    name: str
    hash: str
    model: str
    dim: int
    games: int
    created_at: str
    edition: str = Field(description="names the snapshot that is served; a build makes another one")
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


class PictureAddresses(Protocol):
    """Knows the addresses of games' banners."""

    def of(self, game: Game) -> str | None:
        """Return the address of a game's banner; None if it has none."""


class Links:
    """The addresses of pictures, on this server or on Steam's."""

    def __init__(self, online: SteamPictures, base: str = "") -> None:
        """Create them.

        Args:
            online: the addresses of pictures on Steam's servers.
            base: the path below which this server is reached.
        """
        self._online = online
        self._base = base

    def below(self, base: str) -> Links:
        """Return the same addresses for a server that is reached below a path."""
        return Links(self._online, base) if base else self

    def of(self, game: Game, width: int = 300) -> str | None:
        """Return the address of a game's banner."""
        if url := self._online.of(game):
            return url
        if game.location is None:
            return None
        return f"{self._base}/banners/{width}/{quote(game.id, safe='')}?v={version_of(game.sha256)}"


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


def match_records(
    matches: Matches, page: slice, to: PictureAddresses, snapshot: Snapshot
) -> list[dict[str, Any]]:
    """Return a page of matches as JSON."""
    shown = matches[page]
    copies = {copy.id: one.match.id for one in folded(snapshot, shown) for copy in one.copies}
    return [
        {
            **game_record(match.game, to),
            "rank": match.rank,
            "similarity": round(match.similarity, 6),
            "percentile": None if match.percentile is None else round(match.percentile, 5),
            "identical": match.identical,
            "looks_alike": matches.looks_alike(match),
            "copy_of": copies.get(match.id),
        }
        for match in shown
    ]


def similar_record(matches: Matches, to: Links, offset: int, k: int, snapshot: Snapshot) -> dict[str, Any]:
    """Return a page of matches as JSON; `matches` starts at the first page."""
    return {
        "query": _query(matches.query, to),
        "recipe": matches.recipe,
        "matches": match_records(matches, slice(offset, offset + k), to, snapshot),
        "chance": None if matches.chance is None else round(matches.chance, 6),
        "undated": matches.undated,
    }


def recipe_record(edition: ServedSnapshot, *, words: bool) -> dict[str, Any]:
    """Return a recipe that the server offers as JSON."""
    manifest = edition.snapshot.manifest
    return {
        "name": manifest.recipe.name,
        "hash": manifest.recipe.hash,
        "model": manifest.recipe.model,
        "dim": manifest.recipe.dim,
        "games": manifest.games,
        "created_at": manifest.created_at,
        "edition": edition.version,
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
