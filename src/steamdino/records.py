"""Records that the stages exchange: frozen, typed, and without the behaviour of any stage."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from steamdino.appids import is_appid, steamdb_page, store_page
from steamdino.storage.location import LocalFile, Location

if TYPE_CHECKING:
    import numpy as np

Progress = Callable[[int, int], None]
"""A progress callback, called with (done, total); total 0 means that the total is not known yet."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One game as a source describes it, before it is compared with the gallery.

    Attributes:
        id: the game's id; unique within a gallery.
        name: the game's title.
        location: where its banner is, absolute; None for a game without one.
        where: the place to report if something is wrong with it (a relative path or "line 12").
        columns: all other values from the source, as strings and numbers.
        data: the banner's bytes if `location` is not a file of its own (a member of an archive); else None.
    """

    id: str
    name: str
    location: Location | None
    where: str
    columns: Mapping[str, Any] = field(default_factory=dict)
    data: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be used. It is not an exception: the rest is processed.

    Attributes:
        where: its place (a relative path, "line 12", an id).
        reason: why it could not be used, in one line.
        id: the game that it concerns; None if not even the id could be read.
    """

    where: str
    reason: str
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Banner:
    """A banner's file as it was when it was last examined.

    Attributes:
        location: where it is stored, absolute.
        size: size in bytes.
        mtime_ns: modification time, in nanoseconds since the epoch.
        ctime_ns: time of the last status change, which programs cannot set: it reveals a file that was replaced by one
            of the same size and modification time. 0 if unknown.
        sha256: of the file's bytes, lower-case hex; stored vectors are keyed by it.
        width, height: pixels, after the EXIF orientation was applied.
        mode: Pillow's mode as stored ("RGB", "L", "CMYK", ...).
        format: Pillow's name of the file format ("JPEG", "PNG", ...).
    """

    location: Location
    size: int
    mtime_ns: int
    ctime_ns: int
    sha256: str
    width: int
    height: int
    mode: str
    format: str


@dataclass(frozen=True, slots=True)
class Game:
    """One game of a snapshot.

    Attributes:
        id, name: as in the gallery.
        source: the name of the source that it came from.
        url: its page; None without one. For games of Steam it is the store's page, and only for them: this is how
            snapshots and packs record that a source holds appIDs.
        picture: its banner's file, absolute (it may be missing by now); None if unknown or not in a local file.
        sha256: of its banner's bytes.
        columns: what else the source knew.
        location: where its banner can be read, be it a file or not; None if unknown.
    """

    id: str
    name: str
    source: str
    url: str | None
    picture: Path | None
    sha256: str
    columns: Mapping[str, Any]
    location: Location | None = field(default=None, repr=False)

    @property
    def from_steam(self) -> bool:
        """Whether its id is an appID: its source is Steam's store, or was added as one that holds appIDs.

        All links to Steam depend on this, and neither on the source's name nor on what the id looks like.
        """
        return self.url is not None and is_appid(self.id) and self.url == store_page(self.id)

    @property
    def steamdb_url(self) -> str | None:
        """Its page on SteamDB; None for a game that is not from Steam."""
        return steamdb_page(self.id) if self.from_steam else None


HIDDEN_COLUMNS: Mapping[str, str] = {"adult": "adult-only games", "delisted": "delisted games"}
"""Columns whose games are hidden unless a filter includes them, and what these games are called. `Filter` has a field
of the same name for each."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Conditions that games must meet to be among the matches.

    Attributes:
        tags: tags that a game must have, all of them; upper and lower case and punctuation do not matter.
        released_from, released_to: the first and the last day, month, quarter or year of the release, in a form of
            `periods` ("2020-05-17", "2020-05", "2020-Q2", "2020"); None for no bound. A game that has less than a day
            meets them if any day of its month, quarter or year does.
        min_reviews: minimum number of reviews.
        free: only free games.
        adult: include adult-only games.
        delisted: include games that their store has a page of but does not list.
        early_access_from, early_access_to: the same bounds for the start of early access.
        upcoming: True for only games that are not released yet, False for none of them, None for all games.
    """

    tags: tuple[str, ...] = ()
    released_from: str | None = None
    released_to: str | None = None
    min_reviews: int = 0
    free: bool = False
    adult: bool = False
    delisted: bool = False
    early_access_from: str | None = None
    early_access_to: str | None = None
    upcoming: bool | None = None

    @property
    def hides(self) -> tuple[str, ...]:
        """The kinds of games that it hides: columns of `HIDDEN_COLUMNS`, and "upcoming"."""
        columns = tuple(name for name in HIDDEN_COLUMNS if not getattr(self, name))
        return (*columns, "upcoming") if self.upcoming is False else columns

    @property
    def without_conditions(self) -> Filter:
        """The filter that hides the same games and asks for nothing else."""
        hidden: dict[str, Any] = dict.fromkeys(self.hides, False)
        return replace(EVERYTHING, **hidden)


_INCLUDED: dict[str, Any] = dict.fromkeys(HIDDEN_COLUMNS, True)
EVERYTHING = Filter(**_INCLUDED)
"""The filter that all games pass."""


@dataclass(frozen=True, slots=True)
class Match:
    """One similar game.

    Attributes:
        rank: 1 for the most similar.
        id, name: the game's id and name.
        similarity: cosine between its vector and the query's, -1 to 1.
        percentile: percentage of the snapshot's pairs of banners that are less similar; None if unknown. For a query
            in words, the percentage of games that match less, since pictures are nearer to each other than to words.
        identical: whether its banner's bytes equal the query's (equal sha256, not merely a similarity of 1).
        game: everything else that the snapshot holds about the game.
    """

    rank: int
    id: str
    name: str
    similarity: float
    percentile: float | None
    identical: bool
    game: Game = field(repr=False)


@dataclass(frozen=True, slots=True)
class Crop:
    """A rectangle of a picture, as it is stored: before it is mirrored or flipped.

    Attributes:
        x, y: the left and the upper edge.
        width, height: its size.
        pixels: whether all four are pixels; otherwise they are fractions of the picture's width and height.
    """

    x: float
    y: float
    width: float
    height: float
    pixels: bool = False

    def __str__(self) -> str:
        """Write it as the options and the addresses have it."""
        return ",".join(f"{one:.6g}" for one in (self.x, self.y, self.width, self.height))


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a mixed query.

    Attributes:
        weight: factor of its vector; negative for what should be missing.
        query: the part as it was resolved.
    """

    weight: float
    query: Query


@dataclass(frozen=True, slots=True)
class Query:
    """A query as it was resolved.

    Attributes:
        text: the text that was typed, or the picture's path.
        kind: how it was resolved: "id", "name", "picture", "words", or "mixture" if it has nothing but parts.
        game: the game that it refers to; None for a picture or words.
        picture: the picture's file; None for a game's own vector.
        alternatives: other games whose names match as well, best first.
        mirror, flip: whether the query was mirrored left-right or flipped top-bottom.
        parts: the parts that were added and subtracted.
        crop: the part of the query picture that was compared; None for all of it.
        is_guess: whether no game has the text as its id or name, and the game is the one whose name is nearest.
    """

    text: str
    kind: str
    game: Game | None = None
    picture: Path | None = None
    alternatives: tuple[Game, ...] = ()
    mirror: bool = False
    flip: bool = False
    parts: tuple[Part, ...] = ()
    crop: Crop | None = None
    is_guess: bool = False

    @property
    def is_altered(self) -> bool:
        """Whether the query picture was mirrored, flipped or cropped."""
        return self.mirror or self.flip or self.crop is not None

    @property
    def location(self) -> Location | None:
        """Where the query picture can be read; None without one."""
        if self.game is not None:
            return self.game.location
        return None if self.picture is None else LocalFile(self.picture)

    @property
    def has_words(self) -> bool:
        """Whether the query contains a sentence."""
        return self.kind == "words" or any(part.query.has_words for part in self.parts)


@dataclass(frozen=True, slots=True)
class Matches(Sequence[Match]):
    """The matches of one query, most similar first.

    Attributes:
        query: the query as it was resolved.
        recipe: the name of the recipe whose vectors were compared.
        items: the matches.
        undated: how many games a filter by date skipped because their release date could not be read.
        chance: the similarity that the best of as many random pairs as the snapshot has games reaches every other
            time. Matches below it need not look alike. None if it is unknown, and for words.
    """

    query: Query
    recipe: str
    items: tuple[Match, ...]
    undated: int = 0
    chance: float | None = None

    def looks_alike(self, match: Match) -> bool | None:
        """Whether a match is closer than chance; None if the level of chance is unknown."""
        return None if self.chance is None else match.identical or match.similarity >= self.chance

    def __iter__(self) -> Iterator[Match]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    @overload
    def __getitem__(self, index: int) -> Match: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Match, ...]: ...
    def __getitem__(self, index: int | slice) -> Match | tuple[Match, ...]:
        return self.items[index]

    @property
    def ids(self) -> list[str]:
        """Return the ids, most similar first."""
        return [match.id for match in self.items]

    @property
    def similarities(self) -> np.ndarray:
        """Return the cosines, most similar first: float32, shape (len(self),)."""
        import numpy as np

        return np.array([match.similarity for match in self.items], dtype=np.float32)
