"""Turns a resolved query, or a mixture of several, into one vector to search by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from steamdino.errors import QueryError, UsageError
from steamdino.index.vector_index import Index
from steamdino.records import Crop, Part, Query
from steamdino.search.query_encoder import QueryEncoder
from steamdino.search.query_resolver import QueryResolver

CANCELLED = 1e-4
"""A mixture shorter than this has no direction left."""


@dataclass(frozen=True, slots=True)
class QueryVector:
    """A query and what to search by.

    Attributes:
        query: the resolved query, with its parts.
        vector: float32, shape (dim,), unit length.
        rows: of the query's own games, which must not be found.
        row: the row whose own vector it is, unchanged; None for any other vector.
        sha256: of the picture whose vector this is. None for words, for a mixture, and for a turned or cropped
            picture: it is another picture then, and no banner's file has its bytes.
    """

    query: Query
    vector: NDArray[np.float32]
    rows: tuple[int, ...] = ()
    sha256: str | None = None
    row: int | None = None


class QueryVectors:
    """Makes query vectors of one snapshot. Threads may share it."""

    def __init__(self, resolver: QueryResolver, encoder: QueryEncoder, index: Index) -> None:
        self._resolver = resolver
        self._encoder = encoder
        self._index = index

    def similar(
        self,
        query: str | int | Path | QueryVector,
        plus: Sequence[str | int | Path] = (),
        minus: Sequence[str | int | Path] = (),
        *,
        mirror: bool = False,
        flip: bool = False,
        crop: Crop | None = None,
        files: bool = True,
    ) -> QueryVector:
        """Resolve a query and add further ones to its vector, or subtract them from it.

        Args:
            query: an id, a name, a picture's file, or what `picture` returned.
            plus, minus: what to add and to subtract, as in `Snapshot.similar`.
            mirror, flip: turn the query's own picture left-right, top-bottom first.
            crop: the part of the query's own picture to compare; None for all of it.
            files: whether a text may name a picture's file; see `QueryResolver.resolve`.

        Raises:
            UsageError: the crop does not fit the picture, or the parts cancel each other out.
            QueryError: nothing matches a query, or its picture cannot be read.
            RecipeError: a picture cannot be encoded under the recipe.
        """
        if isinstance(query, QueryVector):
            own = query
        else:
            found, row = self._resolver.resolve(query, mirror=mirror, flip=flip, files=files)
            own = self._vector(replace(found, crop=crop), row)
        if not (plus or minus):
            return own
        parts, made = self._parts(plus, minus, files=files)
        return _added(replace(own.query, parts=tuple(parts)), [(1.0, own), *made])

    def mixture(
        self, plus: Sequence[str | int | Path], minus: Sequence[str | int | Path], *, files: bool = True
    ) -> QueryVector:
        """Mix queries of which none is more than a part. Takes and raises the same as `similar`.

        Returns:
            what to search by; its query is of the kind "mixture", unless it has only one part.
        """
        parts, made = self._parts(plus, minus, files=files)
        if not parts:
            raise UsageError("a mixture needs at least one part; name a game")
        if len(made) == 1 and parts[0].weight > 0:
            return replace(made[0][1], query=replace(made[0][1].query, parts=tuple(parts)))
        return _added(Query("", "mixture", parts=tuple(parts)), made)

    def picture(
        self, path: Path, *, mirror: bool = False, flip: bool = False, crop: Crop | None = None
    ) -> QueryVector:
        """Encode a picture's file. Raises the same as `similar`."""
        return self._vector(Query(str(path), "picture", None, path, (), mirror, flip, (), crop), None)

    def _parts(
        self, plus: Sequence[str | int | Path], minus: Sequence[str | int | Path], *, files: bool
    ) -> tuple[list[Part], list[tuple[float, QueryVector]]]:
        """The parts of a mixture, and their weights and vectors."""
        found = [
            self._resolver.part(text, sign, files=files)
            for sign, texts in ((1, plus), (-1, minus))
            for text in texts
        ]
        parts = [part for part, _ in found]
        return parts, [(part.weight, self._vector(part.query, row)) for part, row in found]

    def sentence(self, text: str) -> QueryVector:
        """Encode a sentence. Raises the same as `QueryEncoder.sentence`."""
        return self._vector(Query(text, "words"), None)

    def _vector(self, query: Query, row: int | None) -> QueryVector:
        rows = () if row is None else (row,)
        if query.kind == "words":
            return QueryVector(query, self._encoder.sentence(query.text))
        if row is not None and query.game is not None and not query.is_altered:
            return QueryVector(query, self._index.vectors[row], rows, query.game.sha256, row)
        if query.location is None:
            raise QueryError(
                f"{query.text!r} has no picture in this snapshot, so it cannot be turned or cropped"
            )
        vector, sha256 = self._encoder.picture(
            query.location, mirror=query.mirror, flip=query.flip, crop=query.crop
        )
        return QueryVector(query, vector, rows, None if query.is_altered else sha256)


def _added(query: Query, parts: Sequence[tuple[float, QueryVector]]) -> QueryVector:
    """Add up weighted vectors.

    Raises:
        UsageError: they cancel each other out.
    """
    total = np.zeros(len(parts[0][1].vector), np.float32)
    for weight, made in parts:
        total += np.float32(weight) * made.vector
    length = np.linalg.norm(total)
    if length < CANCELLED:
        raise UsageError("the parts of the mixture cancel each other out; change a weight")
    return QueryVector(query, total / length, tuple(row for _, made in parts for row in made.rows))
