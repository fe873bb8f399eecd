"""The kinds of search index that a snapshot may have, by the name that its manifest gives."""

from __future__ import annotations

from steamdino.index.exact import ExactIndex
from steamdino.index.quantised import QuantisedIndex
from steamdino.index.vector_index import Index

INDEXES: dict[str, type[Index]] = {ExactIndex.name: ExactIndex, QuantisedIndex.name: QuantisedIndex}

DEFAULT = ExactIndex.name
"""What new snapshots get."""

UNNAMED = ExactIndex.name
"""What a snapshot has whose manifest names no index."""
