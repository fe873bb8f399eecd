"""The order of games in the original Steam DINO web app, and the form of its answers."""

from __future__ import annotations

import numpy as np
from pydantic import BaseModel, Field

from steamdino.present.export.legacy_export import are_numbers
from steamdino.present.web.served_snapshot import ServedSnapshot


class LegacyAppModel(BaseModel):
    """A game as the original web app answered it."""

    index: int = Field(description="its place in the order of the original's files, counted from 0")
    id: int | str = Field(description="a number if all ids of the gallery are")
    name: str
    steam_store_url: str | None
    steam_illustration_url: str | None = Field(description="the address of its banner")
    steamdb_url: str | None
    query_url: str = Field(description="the path of the page with its matches")


class MatchOrder:
    """The rows of an edition, in the order of the original app's indices.

    Attributes:
        numbers: whether ids are answered as numbers: if all of them are, as in the exported arrays.
        rows: the row of each index: int32, shape (games,).
        index: the index of each row: int32, shape (games,).
    """

    def __init__(self, edition: ServedSnapshot) -> None:
        ids = edition.snapshot.ids
        self.numbers = are_numbers(ids)
        rows = range(len(ids))
        self.rows = np.array(sorted(rows, key=lambda row: int(ids[row])) if self.numbers else rows, np.int32)
        self.index = np.empty_like(self.rows)
        self.index[self.rows] = np.arange(len(self.rows), dtype=np.int32)


def order_of(edition: ServedSnapshot) -> MatchOrder:
    """Return the order of an edition's rows, computed once."""
    found: MatchOrder = edition.results.once("order", lambda: MatchOrder(edition))
    return found
