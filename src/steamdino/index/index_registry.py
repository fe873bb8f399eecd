"""The kinds of search index that a snapshot may have, by the name that its manifest gives, and which one to build."""

from __future__ import annotations

from importlib.util import find_spec
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from steamdino.errors import GalleryError, UsageError
from steamdino.index.exact import ExactIndex
from steamdino.index.quantised import QuantisedIndex
from steamdino.index.quantised_rows import LIBRARY
from steamdino.index.vector_index import Index
from steamdino.installation import library_command

INDEXES: dict[str, type[Index]] = {ExactIndex.name: ExactIndex, QuantisedIndex.name: QuantisedIndex}

AUTO = "auto"
"""What new snapshots get unless a kind is named: a quantised index if there are `MANY_GAMES` or more."""

UNNAMED = ExactIndex.name
"""What a snapshot has whose manifest names no index."""

MANY_GAMES = 50_000
"""From so many games on, an index of quantised vectors pays; see docs/explanation/search-index.md."""

LEAST_DIM = 64
"""Shorter vectors are not quantised: comparing all takes about a millisecond, and the index takes as much memory."""

LEAST_RECALL = 0.999
"""An index that finds fewer of the ten nearest neighbours is not chosen by itself."""


class BuiltIndex(NamedTuple):
    """An index for a snapshot.

    Attributes:
        made: the index.
        recall: share of the ten nearest neighbours that it was measured to find. None if it is exact, unless another
            was refused: then what that one found.
    """

    made: Index
    recall: float | None


def kind_for(wanted: str, games: int, dim: int) -> str:
    """The kind of index that a snapshot should have.

    Args:
        wanted: a kind, or `AUTO`.
        games: number of games.
        dim: number of dimensions of their vectors.

    Raises:
        UsageError: there is no such kind.
    """
    if wanted == AUTO:
        many = games >= MANY_GAMES and dim >= LEAST_DIM and find_spec(LIBRARY) is not None
        return QuantisedIndex.name if many else ExactIndex.name
    if wanted not in INDEXES:
        raise UsageError(f"the index is {wanted!r}; it must be one of: {', '.join((AUTO, *INDEXES))}")
    return wanted


def build(wanted: str, vectors: NDArray[np.float32]) -> BuiltIndex:
    """Build the index of a snapshot.

    Args:
        wanted: a kind, or `AUTO`, which refuses an index that is measured to miss neighbours.
        vectors: float32, shape (n, d), unit rows.

    Raises:
        UsageError: there is no such kind.
        GalleryError: the index cannot be built.
    """
    kind = INDEXES[kind_for(wanted, *vectors.shape)]
    if kind is ExactIndex:
        return BuiltIndex(kind.build(vectors), None)
    try:
        index = kind.build(vectors)
    except ImportError as error:
        raise GalleryError(
            f"the index {wanted!r} needs {error.name}; run: {library_command(error.name or LIBRARY)}, or build with:"
            " --index exact"
        ) from None
    except ValueError as error:
        raise GalleryError(f"the vectors cannot be indexed ({error}); run: steam-dino doctor") from None
    recall = index.recall()
    if wanted == AUTO and recall < LEAST_RECALL:
        return BuiltIndex(ExactIndex.build(vectors), recall)
    return BuiltIndex(index, recall)
