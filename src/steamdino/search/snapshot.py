"""Answers questions from one snapshot."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from steamdino.errors import PictureError, QueryError, UsageError
from steamdino.gallery.layout import VERTICAL
from steamdino.index.distribution import ALIKE
from steamdino.index.manifest import Manifest
from steamdino.index.names import fold
from steamdino.index.reader import SnapshotReader
from steamdino.index.snapshot_selection import open_newest
from steamdino.index.vector_index import Index
from steamdino.recipe import Recipe
from steamdino.records import Filter, Game, Match, Matches, Query
from steamdino.search.lru_cache import LruCache
from steamdino.search.query_resolver import QueryResolver

if TYPE_CHECKING:
    from steamdino.features.encoder import Encoder
    from steamdino.features.text_encoder import TextEncoder

CANCELLED = 1e-4
"""A mixture shorter than this has no direction left."""

MANY_NAMES = 200
"""Names that are looked at for a suggestion where a filter will take some of them away."""

MASKS = 64
"""Filters whose rows are kept."""


class Snapshot:
    """An open snapshot of a gallery, ready for questions.

    A search by id or name needs NumPy and SQLite alone; a picture is encoded under the snapshot's own recipe.

    Threads may share it. The models are loaded once, when they are first needed, and the threads that need them
    wait for that; every other answer goes on meanwhile.
    """

    def __init__(self, reader: SnapshotReader, *, precision: str = "f32") -> None:
        self._reader = reader
        self._precision = precision
        self._encoder: Encoder | None = None
        self._text_encoder: TextEncoder | None = None
        self._loading = threading.Lock()  # held while one of the two is made, and never while it runs
        self._asked = QueryResolver(reader)
        self._masks: LruCache[Filter, NDArray[np.bool_] | None] = LruCache(MASKS)

    @classmethod
    def open(
        cls,
        path: str | Path,
        recipe: str | None = None,
        *,
        kind: str = VERTICAL,
        precision: str = "f32",
        words: bool = False,
    ) -> Snapshot:
        """Opens the newest snapshot of a gallery, a snapshot's own folder, or a packed one.

        Args:
            path: a gallery, a snapshot, or a file that `pack` wrote. Only such a file may come from a stranger: a
                gallery or a snapshot's folder holds databases and names files that are believed.
            recipe: the name or hash of a recipe; None for the one that was built last.
            kind: of banner, of a gallery: "vertical", "header" or "hero".
            precision: in which pictures are encoded: "f32", "bf16" or "auto".
            words: of several recipes rather one that knows words.

        Raises:
            SnapshotError: there is none, or it is damaged.
        """
        if Path(path).is_file():
            from steamdino.index.pack import open_pack

            return cls(open_pack(Path(path)), precision=precision)
        if not words:
            return cls(open_newest(Path(path), recipe, kind=kind), precision=precision)
        from steamdino.features.text_encoder import has_words

        return cls(open_newest(Path(path), recipe, kind=kind, accept=has_words), precision=precision)

    @property
    def ids(self) -> list[str]:
        """The id of each row of `vectors`."""
        return self._reader.ids

    @property
    def vectors(self) -> NDArray[np.float32]:
        """All embeddings: float32, shape (games, dim), rows of length 1; mapped from the file, read-only."""
        return self._reader.vectors

    @property
    def index(self) -> Index:
        """The search index over `vectors`."""
        return self._reader.index

    @property
    def recipe(self) -> Recipe:
        """The recipe in whose space the vectors live."""
        return self._reader.manifest.recipe

    def pack(self, path: str | Path) -> None:
        """Writes it into one file that `open` reads anywhere; places of pictures stay behind.

        Args:
            path: the file; "-" is standard output, and links, pipes and devices are written through.

        Raises:
            OutputError: the file cannot be written.
        """
        from steamdino.index.pack import pack

        pack(self._reader, Path(path))

    @property
    def manifest(self) -> Manifest:
        """What the snapshot says of itself."""
        return self._reader.manifest

    def __contains__(self, game_id: object) -> bool:
        """Whether it has a game of that id."""
        return isinstance(game_id, str | int) and self._reader.row(str(game_id)) is not None

    def __len__(self) -> int:
        return self._reader.manifest.games

    def game(self, game_id: str | int) -> Game:
        """The game of an id.

        Raises:
            QueryError: there is none, or it has no banner.
        """
        row = self._reader.row(str(game_id))
        if row is None:
            raise self._asked.nothing(str(game_id))
        return self._reader.games([row])[0]

    def games(self, rows: Sequence[int] | NDArray[np.intp]) -> list[Game]:
        """The games of rows of `vectors`, in their order."""
        return self._reader.games([int(row) for row in rows])

    @property
    def whitening(self) -> Path | None:
        """The file of the whitening that was learned on the gallery; None if the recipe has none of that kind."""
        return self._reader.whitening

    def percentile(self, cosine: float) -> float | None:
        """How many of a hundred pairs of the snapshot's banners are less alike; None where that is unknown."""
        known = self.manifest.similarity
        return None if known is None else known.percentiles(np.array([cosine], np.float32))[0]

    def find(self, query: str | int | Path, *, files: bool = True) -> Query:
        """What a query means, without looking for matches.

        Args:
            query: an id, a name, or a picture's file.
            files: whether a text may be a picture's file; no for a stranger's.

        Raises:
            QueryError: nothing fits it.
        """
        return self._asked.understand(query, files=files)[0]

    def suggest(self, text: str, limit: int = 10, *, only: Filter | None = None) -> list[Game]:
        """The games whose names fit what is being typed, best first.

        The most reviewed of those that begin with it come first, then those with its words, those that have it inside a
        word, and only without any of these those with typos.

        Args:
            text: what was typed.
            limit: how many.
            only: which games may be found; adult-only ones are not, unless it says so.
        """
        mask = self._allowed(only or Filter())
        found = self._reader.suggested(text, limit if mask is None else MANY_NAMES)
        return self.games([row for row in found if mask is None or mask[row]][:limit])

    def named_exactly(self, text: str) -> list[Game]:
        """The games that have a text as their id or their name."""
        row = self.row(text)
        rows = [row] if row is not None else self._reader.named_exactly(text)
        return self.games(rows)

    def row(self, game_id: str | int) -> int | None:
        """The row of an id in `vectors`; None if it has none."""
        return self._reader.row(str(game_id))

    def rows(self, only: Filter | None = None) -> NDArray[np.intp]:
        """The rows of `vectors` that a filter lets through, rising; without one, all that are not adult-only.

        Raises:
            QueryError: there is no game with one of its tags.
            SnapshotError: an older program built the snapshot, and noted nothing to filter by.
        """
        mask = self._allowed(only or Filter())
        return np.arange(len(self)) if mask is None else np.flatnonzero(mask)

    def undated(self, only: Filter) -> int:
        """How many games a filter leaves out only because no date of release could be read; 0 if it asks for none.

        Raises:
            QueryError, SnapshotError: as for `rows`.
        """
        self._allowed(only)
        return self._reader.undated(only)

    @property
    def sha256s(self) -> list[str]:
        """Of the picture of each row of `vectors`."""
        return self._reader.sha256s

    def similar(
        self,
        query: str | int | Path,
        k: int = 10,
        *,
        mirror: bool = False,
        flip: bool = False,
        plus: Sequence[str | int | Path] = (),
        minus: Sequence[str | int | Path] = (),
        alike: bool = False,
        only: Filter | None = None,
        without: Sequence[str | int] = (),
    ) -> Matches:
        """The games whose banners look most like the query's.

        The query's own game is left out by its id; other games with the very same picture are kept and marked.

        Args:
            query: an id, a name (exact, else the best that fits) or a picture's file. A `Path` is always a file.
            k: how many matches.
            mirror, flip: turn the query's picture left-right, top-bottom before comparing.
            plus, minus: what to add to it and to take from it, in the recipe's space: each an id, a name, a picture,
                or, where the recipe knows words, a sentence; with a weight in front if it is not 1, as in "2*730".
            alike: only those at or above the percentile `index.distribution.ALIKE`.
            only: which games may be found; adult-only ones are not, unless it says so.
            without: ids of games that are not to be found.

        Raises:
            UsageError: k is below 1, or the parts cancel each other out.
            QueryError: nothing fits the query, or its picture cannot be read.
            RecipeError: a picture cannot be encoded under the snapshot's recipe.
        """
        found, row = self._asked.understand(query, mirror=mirror, flip=flip)
        total, content = self._vector(found, row)
        out = {one for key in without if (one := self.row(key)) is not None}
        rows = sorted(out | ({row} if row is not None else set()))
        if not (plus or minus):
            return self._answer(found, total, k, rows, content, alike=alike, only=only or Filter())
        parts = []
        for sign, texts in ((1, plus), (-1, minus)):
            for text in texts:
                part, own = self._asked.part(text, sign)
                parts.append(part)
                total = total + np.float32(part.weight) * self._vector(part.query, own)[0]
                rows += [] if own is None else [own]
        length = np.linalg.norm(total)
        if length < CANCELLED:
            raise UsageError("the parts of the mixture cancel each other out; change a weight")
        mixed = replace(found, parts=tuple(parts))
        rows = sorted(set(rows))
        return self._answer(mixed, total / length, k, rows, None, alike=alike, only=only or Filter())

    def text(self, sentence: str, k: int = 10, *, alike: bool = False, only: Filter | None = None) -> Matches:
        """The games whose banners fit a sentence best.

        Args:
            sentence: what should be on the banner, in English as CLIP learned it.
            k: how many matches.
            alike: only those at or above the percentile `index.distribution.ALIKE` of all games.
            only: as for `similar`.

        Raises:
            UsageError: k is below 1, the sentence is empty, or the recipe knows no words.
            ModelError: the model's text tower is not on this machine.
        """
        if not sentence.strip():
            raise UsageError("the sentence is empty; say what should be on the banner")
        found = Query(sentence, "words")
        vector, _ = self._vector(found, None)
        return self._answer(found, vector, k, [], None, alike=alike, only=only or Filter())

    def _answer(
        self,
        query: Query,
        vector: NDArray[np.float32],
        k: int,
        rows: Sequence[int],
        content: str | None,
        *,
        alike: bool,
        only: Filter,
    ) -> Matches:
        if k < 1:
            raise UsageError(f"k is {k}; it must be at least 1")
        near, cosines = self.index.nearest(vector, k, exclude=rows, among=self._allowed(only))
        percentiles = self._percentiles(query, vector, cosines)
        items = tuple(
            Match(rank, game.id, game.name, float(cosine), percentile, game.sha256 == content, game)
            for rank, (game, cosine, percentile) in enumerate(
                zip(self._reader.games(near.tolist()), cosines, percentiles, strict=True), 1
            )
            if not alike or (percentile is not None and percentile >= ALIKE)
        )
        return Matches(query, self.recipe.name, items, self.undated(only))

    def _allowed(self, only: Filter) -> NDArray[np.bool_] | None:
        def look_up() -> NDArray[np.bool_] | None:
            mask = self._reader.allowed(only)
            if mask is not None and not mask.any():
                self._check_tags(only)
            if mask is not None:
                mask.flags.writeable = False  # every thread gets the same one
            return mask

        return self._masks.get(only, look_up)

    def _check_tags(self, only: Filter) -> None:
        """Says so where nothing is left because there is no such tag: it may be mistyped."""
        known = self.tags()
        for tag in only.tags:
            if fold(tag) not in known:
                from rapidfuzz import process

                near = [one for one, _, _ in process.extract(fold(tag), known, limit=3, score_cutoff=60)]
                hint = (
                    f"did you mean: {', '.join(near)}"
                    if near
                    else f"there are: {', '.join(known[:10]) or 'none'}"
                )
                raise QueryError(f"no game has the tag {tag!r}; {hint}")

    def tags(self) -> list[str]:
        """The tags that games have, the most frequent first, lower case."""
        return self._reader.tags()

    def _percentiles(
        self, query: Query, vector: NDArray[np.float32], cosines: NDArray[np.float32]
    ) -> list[float | None]:
        if query.has_words:
            scores = np.sort(self.index.scores(vector))
            return [100 * float(np.searchsorted(scores, cosine)) / len(scores) for cosine in cosines]
        known = self.manifest.similarity
        return [None] * len(cosines) if known is None else [*known.percentiles(cosines)]

    def _vector(self, query: Query, row: int | None) -> tuple[NDArray[np.float32], str | None]:
        """What a query is in the recipe's space, and the sha256 of the picture that this is the vector of.

        Returns:
            float32, shape (dim,), length 1. The sha256 is None for words, and for a turned picture: turned, it is
            another picture than the file of that sha256, and no banner's file has its bytes.
        """
        if query.kind == "words":
            return self._words()(query.text), None
        if row is None or query.mirror or query.flip:
            return self._encode(query)
        assert query.game is not None  # noqa: S101 (a row is a game's)
        return self.vectors[row], query.game.sha256

    def _encode(self, query: Query) -> tuple[NDArray[np.float32], str | None]:
        from steamdino.banners.decode import decode
        from steamdino.banners.read import read
        from steamdino.features.transform import prepare, sufficient_size, turned

        if query.picture is None:
            raise QueryError(f"{query.text!r} has no picture in this snapshot, so it cannot be turned")
        try:
            content = read(query.picture)
            image = decode(content.data, sufficient_size(self.recipe.transform))
        except PictureError as error:
            raise QueryError(f"{query.picture}: {error}") from error
        is_turned = query.mirror or query.flip
        pixels = prepare(turned(image, mirror=query.mirror, flip=query.flip), self.recipe.transform)
        vector: NDArray[np.float32] = self._pictures()([pixels])[0]
        if not np.isfinite(vector).all():  # a stranger's recipe can ask for what no number can hold
            raise QueryError(f"the recipe {self.recipe.name!r} makes no vector of this picture; build again")
        return vector, None if is_turned else content.sha256

    def _pictures(self) -> Encoder:
        """What encodes pictures, made by the first thread that needs it."""
        from steamdino.features.encoder import Encoder

        if self._encoder is None:
            with self._loading:
                if self._encoder is None:
                    self._encoder = Encoder(
                        self.recipe, whitening=self._reader.whitening, precision=self._precision, batch_size=1
                    )
        return self._encoder

    def _words(self) -> TextEncoder:
        """What encodes sentences, made by the first thread that needs it."""
        from steamdino.features.text_encoder import TextEncoder

        if self._text_encoder is None:
            with self._loading:
                if self._text_encoder is None:
                    self._text_encoder = TextEncoder(self.recipe)
        return self._text_encoder
