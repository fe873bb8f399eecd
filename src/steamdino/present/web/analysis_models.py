"""The models that document the API's lists, explanations and audits."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from steamdino.present.web.api_models import GameModel, MatchModel, PageModel

Tier = Literal["identical", "re-encoded", "near"]


class NearModel(BaseModel):
    """A game, and how similar it is."""

    id: str
    name: str
    similarity: float = Field(description="cosine, -1 to 1")


class UniqueGameModel(GameModel):
    """A game whose banner looks like no other."""

    rank: int
    similarity: float | None = Field(description="average cosine to the nearest neighbours; null without any")
    closest: NearModel | None = Field(description="the nearest neighbour; null in a gallery of one game")


class UniqueGamesModel(PageModel):
    """Unique games, the most unique first."""

    recipe: str
    games: list[UniqueGameModel]
    total: int = Field(description="number of games on all pages")


class MemberModel(BaseModel):
    """A game in a group of duplicates."""

    id: str
    name: str
    picture: str | None = Field(description="the address of its banner, relative to this server or absolute")
    width: int = Field(description="of the banner, in pixels")
    height: int
    similarity: float | None = Field(description="cosine to the first game of the group")
    removable: bool = Field(description="whether the group loses nothing without it")


class GroupModel(BaseModel):
    """Games with duplicate banners; the first is the one to keep."""

    tier: Tier
    reason: str = Field(description="why the first one is kept, as a part of a sentence")
    games: list[MemberModel]


class DuplicatesModel(PageModel):
    """Groups of duplicates, the strictest tier first."""

    recipe: str
    groups: list[GroupModel]
    total: int = Field(description="number of groups on all pages")


class ExplainedPictureModel(BaseModel):
    """What a picture adds to the similarity, part by part."""

    name: str
    regions: dict[str, float] = Field(description="what each ninth adds, by name such as `upper left`")
    shares: list[list[float]] = Field(description="what each cell adds, row by row")
    weights: list[list[float]] = Field(
        description="how strongly each cell matches the other picture, row by row"
    )


class PlacesModel(BaseModel):
    """A place in the first picture and the one in the second that matches it."""

    first: list[float] = Field(description="x and y, in fractions of width and height")
    second: list[float] = Field(description="x and y, in fractions of width and height")
    similarity: float = Field(description="cosine of the two places")


class ExplanationModel(BaseModel):
    """Why two banners match."""

    recipe: str
    similarity: float = Field(description="cosine, -1 to 1")
    percentile: float | None = Field(description="percentage of the gallery's pairs that are less similar")
    method: Literal["exact", "occlusion"] = Field(
        description="exact: the shares and `unlocated` add up to the similarity; occlusion: a share is what is lost"
        " when that part is covered"
    )
    unlocated: float = Field(description="the share that belongs to no part of the first picture")
    pictures: list[ExplainedPictureModel] = Field(description="the first and the second")
    pairs: list[PlacesModel] = Field(description="matching places, the best first")


class StandingModel(BaseModel):
    """How unusual a draft is among some games."""

    tag: str | None = Field(description="the tag of these games; null for all games")
    games: int
    percentile: float | None = Field(description="percentage of these games that are less unusual")
    usual: float | None = Field(description="median similarity of these games to their closest")
    closest: NearModel | None


class FlawModel(BaseModel):
    """A flaw of a banner."""

    flaw: str = Field(description="as in `steam-dino check`, such as `blurry` or `odd-size`")
    score: float = Field(description="0 is worst, 1 is without the flaw")
    detail: str


class AuditModel(BaseModel):
    """An audit of a draft."""

    picture: None = Field(description="always null: the picture is not stored")
    width: int
    height: int
    verdict: str = Field(description="whether another game already shows the same, in a sentence")
    taken: bool = Field(description="whether another game already shows the same")
    taken_from: float | None = Field(
        description="the similarity from which two banners count as showing the same"
    )
    standings: list[StandingModel] = Field(description="one for all games, and one for each tag")
    flaws: list[FlawModel]
    recipe: str
    matches: list[MatchModel] = Field(description="the closest games")
    why: ExplanationModel | None = Field(description="why the closest game matches")
