"""Turns a resolved query, or a mixture of several, into one vector to search by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from steamdino.errors import QueryError, UsageError
from steamdino.index.vector_index import Index
from steamdino.records import Query
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
        sha256: of the picture whose vector this is. None for words, for a mixture, and for a turned picture: once
            turned it is another picture, and no banner's file has its bytes.
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

    def mixture(
        self,
        query: str | int | Path,
        plus: Sequence[str | int | Path] = (),
        minus: Sequence[str | int | Path] = (),
        *,
        mirror: bool = False,
        flip: bool = False,
    ) -> QueryVector:
        """Resolve a query and add further ones to its vector, or subtract them from it.

        Args:
            query: an id, a name or a picture's file.
            plus, minus: what to add and to subtract, as in `Snapshot.similar`.
            mirror, flip: turn the query's own picture left-right, top-bottom first.

        Raises:
            UsageError: the parts cancel each other out.
            QueryError: nothing matches a query, or its picture cannot be read.
            RecipeError: a picture cannot be encoded under the recipe.
        """
        found, row = self._resolver.resolve(query, mirror=mirror, flip=flip)
        own = self._vector(found, row)
        if not (plus or minus):
            return own
        total, rows, parts = own.vector, [*own.rows], []
        for sign, texts in ((1, plus), (-1, minus)):
            for text in texts:
                part, row = self._resolver.part(text, sign)
                made = self._vector(part.query, row)
                total = total + np.float32(part.weight) * made.vector
                parts.append(part)
                rows += made.rows
        length = np.linalg.norm(total)
        if length < CANCELLED:
            raise UsageError("the parts of the mixture cancel each other out; change a weight")
        return QueryVector(replace(found, parts=tuple(parts)), total / length, tuple(rows))

    def sentence(self, text: str) -> QueryVector:
        """Encode a sentence. Raises the same as `QueryEncoder.sentence`."""
        return self._vector(Query(text, "words"), None)

    def _vector(self, query: Query, row: int | None) -> QueryVector:
        rows = () if row is None else (row,)
        if query.kind == "words":
            return QueryVector(query, self._encoder.sentence(query.text))
        if row is not None and query.game is not None and not (query.mirror or query.flip):
            return QueryVector(query, self._index.vectors[row], rows, query.game.sha256, row)
        if query.location is None:
            raise QueryError(f"{query.text!r} has no picture in this snapshot, so it cannot be turned")
        vector, sha256 = self._encoder.picture(query.location, mirror=query.mirror, flip=query.flip)
        return QueryVector(query, vector, rows, None if query.mirror or query.flip else sha256)
