"""The facade over one snapshot: opens it, and answers queries."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from steamdino.errors import UsageError
from steamdino.gallery.layout import VERTICAL
from steamdino.index.manifest import Manifest
from steamdino.index.snapshot_reader import SnapshotReader
from steamdino.index.snapshot_selection import open_newest
from steamdino.index.vector_index import Index
from steamdino.recipe import Recipe
from steamdino.records import Crop, Filter, Game, Matches, Query
from steamdino.search.cutoff import Cutoff
from steamdino.search.filter_counts import FilterCounts
from steamdino.search.filter_masks import FilterMasks
from steamdino.search.query_encoder import QueryEncoder
from steamdino.search.query_resolver import QueryResolver
from steamdino.search.query_vectors import QueryVector, QueryVectors
from steamdino.search.ranking import Ranking
from steamdino.storage.location import is_address


class Snapshot:
    """An open snapshot of a gallery, ready for queries.

    A search by id or name needs only NumPy and SQLite. A query picture is encoded under the snapshot's own recipe.

    Threads may share it. Each model is loaded once, when it is first needed; only threads that need it wait for that.

    Attributes:
        counts: counts and lists the games that a filter allows.
    """

    def __init__(self, reader: SnapshotReader, *, precision: str = "f32") -> None:
        self._reader = reader
        self._resolver = QueryResolver(reader)
        self._encoder = QueryEncoder(self.recipe, whitening=reader.whitening, precision=precision)
        self._queries = QueryVectors(self._resolver, self._encoder, reader.index)
        self._masks = FilterMasks(reader)
        self._rank = Ranking(reader, self._masks)
        self.counts = FilterCounts(reader, self._masks)

    @classmethod
    def open(
        cls,
        path: str | Path,
        recipe: str | None = None,
        *,
        kind: str = VERTICAL,
        precision: str = "f32",
        words: bool = False,
        exact: bool = False,
        listed: bool = False,
    ) -> Snapshot:
        """Open the newest snapshot of a gallery, a snapshot's own folder, or a packed snapshot.

        Args:
            path: a gallery, a snapshot's folder, a file that `pack` wrote, or the address of a published gallery, such
                as ``s3://bucket/store``, of which what is newer is downloaded first. Of these only a packed file is
                safe to open if it comes from a stranger: the others hold databases and paths that are trusted.
            recipe: the name or hash of a recipe; None for the one that was built last.
            kind: of banner, if `path` is a gallery: "vertical", "header" or "hero".
            precision: inference precision for query pictures: "f32", "bf16" or "auto".
            words: prefer a recipe that knows words, if `recipe` is None.
            exact: compare all games in every search, even if the snapshot has a faster index.
            listed: find the neighbours of all games of a packed snapshot now, if it is not too large. It takes seconds,
                and pays where many questions follow that need them, as in a server. A gallery's are stored already.

        Raises:
            SnapshotError: there is none, or it is damaged.
            NetworkError: the object storage of a published gallery refuses or does not answer.
        """
        if isinstance(path, str) and is_address(path):
            from steamdino.index.published_cache import PublishedCache

            cache = PublishedCache(path)
            cache.update()
            path = cache.folder
        if Path(path).is_file():
            from steamdino.index.pack import open_pack

            return cls(open_pack(Path(path), exact=exact, listed=listed), precision=precision)
        if not words:
            return cls(open_newest(Path(path), recipe, kind=kind, exact=exact), precision=precision)
        from steamdino.features.text_encoder import has_words

        return cls(
            open_newest(Path(path), recipe, kind=kind, accept=has_words, exact=exact), precision=precision
        )

    def pack(self, path: str | Path) -> None:
        """Write the snapshot into one file that `open` reads anywhere. It holds no pictures and no paths of them.

        Args:
            path: the file. "-" is standard output; links, pipes and devices are written through.

        Raises:
            OutputError: the file cannot be written.
        """
        from steamdino.index.pack import pack

        pack(self._reader, Path(path))

    def __len__(self) -> int:
        return self.manifest.games

    def __contains__(self, game_id: object) -> bool:
        """Whether it has a game with this id."""
        return isinstance(game_id, str | int) and self.row(game_id) is not None

    @property
    def manifest(self) -> Manifest:
        """The snapshot's metadata."""
        return self._reader.manifest

    @property
    def without(self) -> str | None:
        """The library that the snapshot's index needs and that is not installed; None if nothing is missing."""
        return self._reader.without

    @property
    def recipe(self) -> Recipe:
        """The recipe under which the vectors were computed."""
        return self.manifest.recipe

    @property
    def whitening(self) -> Path | None:
        """The file of the whitening that was learned on the gallery; None if the recipe has no such whitening."""
        return self._reader.whitening

    @property
    def ids(self) -> list[str]:
        """The id of each row of `vectors`."""
        return self._reader.ids

    @property
    def sha256s(self) -> list[str]:
        """The sha256 of the picture of each row of `vectors`."""
        return self._reader.sha256s

    @property
    def vectors(self) -> NDArray[np.float32]:
        """All embeddings: float32, shape (games, dim), rows of length 1; mapped from the file, read-only."""
        return self.index.vectors

    @property
    def index(self) -> Index:
        """The search index over `vectors`."""
        return self._reader.index

    def row(self, game_id: str | int) -> int | None:
        """The row of an id in `vectors`; None if there is none."""
        return self._reader.row(str(game_id))

    def rows(self, only: Filter | None = None) -> NDArray[np.intp]:
        """Find the rows of `vectors` that a filter allows, rising; without one, all that are not hidden.

        Raises:
            QueryError: no game has one of its tags.
            SnapshotError: an older program built the snapshot, without filters.
        """
        return self._masks.rows(only or Filter())

    def game(self, game_id: str | int) -> Game:
        """The game with an id.

        Raises:
            QueryError: there is none, or it has no banner.
        """
        row = self.row(game_id)
        if row is None:
            raise self._resolver.no_match(str(game_id))
        return self._reader.games([row])[0]

    def games(self, rows: Sequence[int] | NDArray[np.intp]) -> list[Game]:
        """The games of rows of `vectors`, in their order."""
        return self._reader.games([int(row) for row in rows])

    def named_exactly(self, text: str) -> list[Game]:
        """The games that have a text as their id or their name."""
        row = self.row(text)
        return self.games([row]) if row is not None else self.called(text)

    def called(self, name: str) -> list[Game]:
        """The games with a name, at most 10: written like this, else with other case and punctuation."""
        return self.games(self._reader.named_exactly(name))

    def has_column(self, name: str) -> bool:
        """Whether any game has a column, as in `Game.columns`."""
        return self._reader.has_column(name)

    def columns(self) -> list[str]:
        """The names of the columns that any game has, sorted."""
        return self._reader.columns()

    def tags(self) -> list[str]:
        """The tags of all games in lower case, the most frequent first."""
        return self._reader.tags()

    def undated(self, only: Filter) -> int:
        """Count the games that a filter excludes only because their release date is unknown; 0 if it needs no date.

        Raises:
            QueryError, SnapshotError: as for `rows`.
        """
        return self._masks.undated(only)

    def percentile(self, cosine: float) -> float | None:
        """Compute how many percent of the snapshot's pairs of banners are less similar; None if that is unknown."""
        known = self.manifest.similarity
        return None if known is None else known.percentiles(np.array([cosine], np.float32))[0]

    @property
    def chance(self) -> float | None:
        """The similarity below which a match is no closer than chance, as in `Matches`; None if it is unknown."""
        return self._rank.chance

    def find(self, query: str | int | Path, *, files: bool = True) -> Query:
        """Resolve a query without searching for matches.

        Args:
            query: an id, a name, or a picture's file.
            files: whether a text may name a picture's file. Pass False for a text from a stranger.

        Raises:
            QueryError: nothing matches it.
        """
        return self._resolver.resolve(query, files=files)[0]

    def suggest(self, text: str, limit: int = 10, *, only: Filter | None = None) -> list[Game]:
        """Suggest the games whose names match what is being typed, best first.

        First come names that equal it, then names that begin with it, names with its words, and names that contain it
        inside a word; of each kind, the most reviewed first. Names with typos come only if there are few of these.

        Args:
            text: what was typed.
            limit: maximum number of games.
            only: which games may be found; None for all that are not hidden.
        """
        return self.games(self.suggested(text, limit, only=only))

    def suggested(self, text: str, limit: int = 10, *, only: Filter | None = None) -> list[int]:
        """Suggest like `suggest`; return the rows of `vectors` instead of the games."""
        return self._reader.suggested(text, limit, self._masks.mask(only or Filter()))

    def similarity(
        self,
        query: str | QueryVector,
        other: str,
        *,
        mirror: bool = False,
        flip: bool = False,
        crop: Crop | None = None,
    ) -> float:
        """Compute the similarity of a query and a game: what `similar` says of the game as a match of the query.

        Args:
            query: the id of a game, or what `encode` returned.
            other: the id of a game.
            mirror, flip: turn the query's own picture left-right, top-bottom before comparing.
            crop: the part of the query's own picture to compare, before it is turned; None for all of it.

        Raises:
            UsageError: the crop does not fit the picture.
            QueryError: there is no such game, or its picture cannot be read.
            RecipeError: a picture cannot be encoded under the snapshot's recipe.
        """
        second = self.row(other)
        if second is None:
            raise self._resolver.no_match(other)
        if isinstance(query, str):
            first = self.row(query)
            if first is None:
                raise self._resolver.no_match(query)
            if not (mirror or flip or crop):
                return self.index.similarity(first, second)
        vector = self._queries.similar(query, mirror=mirror, flip=flip, crop=crop).vector
        return float(np.clip(vector @ self.vectors[second], -1, 1))

    def similar(
        self,
        query: str | int | Path | QueryVector,
        k: int = 10,
        *,
        mirror: bool = False,
        flip: bool = False,
        plus: Sequence[str | int | Path] = (),
        minus: Sequence[str | int | Path] = (),
        crop: Crop | None = None,
        alike: bool = False,
        min_similarity: float | None = None,
        min_percentile: float | None = None,
        only: Filter | None = None,
        without: Sequence[str | int] = (),
        files: bool = True,
    ) -> Matches:
        """Find the games whose banners look most like the query's.

        The query's own game is never a match. Other games with the very same picture are, and are marked as identical.

        Args:
            query: an id, a name (exact, else the best match) or a picture's file. A `Path` is always a file. Or
                what `encode` returned.
            k: maximum number of matches.
            mirror, flip: turn the query picture left-right, top-bottom before comparing.
            plus, minus: queries whose vectors are added and subtracted: each an id, a name, a picture or, if the recipe
                knows words, a sentence; prefixed by a weight if that is not 1, as in "2*730".
            crop: the part of the query picture to compare, before it is turned; None for all of it.
            alike: only matches at or above the percentile `index.similarity_distribution.ALIKE`.
            min_similarity: only matches with at least this cosine, from -1 to 1.
            min_percentile: only matches with at least this percentile, from 0 to 100; none if percentiles are unknown.
            only: which games may be found; None for all that are not hidden.
            without: ids of games that must not be found.
            files: whether a text may name a picture's file. Pass False for texts from a stranger.

        Raises:
            UsageError: k or a minimum is out of its range, the crop does not fit the picture, or the parts of a mixture
                cancel each other out.
            QueryError: nothing matches the query, or its picture cannot be read.
            RecipeError: a picture cannot be encoded under the snapshot's recipe.
        """
        cutoff = Cutoff.of(min_similarity, min_percentile, alike=alike)
        vector = self._queries.similar(query, plus, minus, mirror=mirror, flip=flip, crop=crop, files=files)
        out = [row for key in without if (row := self.row(key)) is not None]
        return self._rank(vector, k, without=out, cutoff=cutoff, only=only or Filter())

    def mixture(
        self,
        plus: Sequence[str | int],
        minus: Sequence[str | int] = (),
        k: int = 10,
        *,
        min_similarity: float | None = None,
        min_percentile: float | None = None,
        only: Filter | None = None,
        files: bool = True,
    ) -> Matches:
        """Find the games whose banners look most like a mixture. Its own games are never matches.

        Args:
            plus, minus, min_similarity, min_percentile, only, files: as for `similar`.
            k: maximum number of matches.

        Raises:
            UsageError, QueryError: as for `similar`; also if there are no parts.
        """
        vector = self._queries.mixture(plus, minus, files=files)
        return self._rank(
            vector, k, cutoff=Cutoff.of(min_similarity, min_percentile, alike=False), only=only or Filter()
        )

    def encode(
        self, picture: Path, *, mirror: bool = False, flip: bool = False, crop: Crop | None = None
    ) -> QueryVector:
        """Encode a picture's file once, for several calls of `similar`. Takes and raises the same."""
        return self._queries.picture(picture, mirror=mirror, flip=flip, crop=crop)

    def text(
        self,
        sentence: str,
        k: int = 10,
        *,
        alike: bool = False,
        min_similarity: float | None = None,
        min_percentile: float | None = None,
        only: Filter | None = None,
    ) -> Matches:
        """Find the games whose banners match a sentence best.

        Args:
            sentence: what the banner should show, in English, as CLIP was trained on.
            k: maximum number of matches.
            alike: only matches at or above the percentile `index.similarity_distribution.ALIKE` of all games.
            min_similarity: only matches with at least this cosine, from -1 to 1.
            min_percentile: only matches with at least this percentile of all games, from 0 to 100.
            only: which games may be found; None for all that are not hidden.

        Raises:
            UsageError: k or a minimum is out of its range, or the sentence is empty.
            RecipeError: the recipe knows no words.
            ModelError: the model's text tower is not on this machine.
        """
        if not sentence.strip():
            raise UsageError("the sentence is empty; describe what the banner should show")
        cutoff = Cutoff.of(min_similarity, min_percentile, alike=alike)
        return self._rank(self._queries.sentence(sentence), k, cutoff=cutoff, only=only or Filter())
