"""What a question means: an id, a name, a picture's file, or words."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path

from steamdino.errors import QueryError
from steamdino.index.reader import SnapshotReader
from steamdino.picture_formats import SUFFIXES
from steamdino.records import Part, Query


class QueryResolver:
    """Looks questions up in one snapshot. Threads may share it."""

    def __init__(self, reader: SnapshotReader) -> None:
        self._reader = reader
        self._recipe = reader.manifest.recipe

    def understand(
        self,
        query: str | int | Path,
        *,
        mirror: bool = False,
        flip: bool = False,
        words: bool = False,
        files: bool = True,
    ) -> tuple[Query, int | None]:
        """What a query means, and its row (None for a picture or words).

        Args:
            query: what was asked. A `Path` is always a picture's file.
            mirror, flip: of the query's picture.
            words: whether a text that is nothing else may be a sentence, where the recipe knows words.
            files: whether a text may be a picture's file; no for a stranger's, who would learn which files there are.

        Raises:
            QueryError: nothing fits.
        """
        text = str(query)
        reader = self._reader

        def game(kind: str, rows: list[int]) -> tuple[Query, int | None]:
            best, *others = reader.games(rows)
            return Query(text, kind, best, best.picture, tuple(others), mirror, flip), rows[0]

        if isinstance(query, Path):
            return Query(text, "picture", picture=query, mirror=mirror, flip=flip), None
        if (row := reader.row(text)) is not None:
            return game("id", [row])
        if rows := reader.named_exactly(text):
            return game("name", rows)
        if (known := reader.absent(text)) is not None:
            raise QueryError(f"{known[0]!r} cannot be compared: {known[1]}")
        is_file = files and _is_file(text)
        if is_file or (files and text.lower().endswith(SUFFIXES)):
            if not is_file:
                raise QueryError(f"there is no picture {text!r}, and no game of that id or name")
            return Query(text, "picture", picture=Path(text), mirror=mirror, flip=flip), None
        if words and self._has_words:
            return Query(text, "words"), None
        if rows := reader.named(text):
            return game("name", rows)
        raise self.nothing(text, words=words)

    def part(self, text: str | int | Path, sign: int) -> tuple[Part, int | None]:
        """One part of a mixture, and its row. An exact id or name wins before a weight is looked for."""
        weight = 1.0
        if not isinstance(text, Path) and not self._is_game(str(text)):
            weighted = re.fullmatch(r"(\d+(?:\.\d+)?)\*(.+)", str(text), re.DOTALL)
            if weighted:
                weight, text = float(weighted[1]), weighted[2]
        found, row = self.understand(text, words=True)
        return Part(sign * weight, found), row

    def _is_game(self, text: str) -> bool:
        return self._reader.row(text) is not None or bool(self._reader.named_exactly(text))

    @cached_property
    def _has_words(self) -> bool:
        from steamdino.features.text_encoder import has_words

        return has_words(self._recipe)

    def nothing(self, text: str, *, words: bool = False) -> QueryError:
        """The error that says that nothing fits."""
        shown = text if len(text) <= 80 else text[:77] + "..."
        if not self._reader.manifest.games:
            return QueryError(
                f"the snapshot is empty, so nothing fits {shown!r}; add pictures and run: steam-dino build"
            )
        hint = "try a part of the name, or an id"
        if words:
            hint += f" (the recipe {self._recipe.name!r} knows no words; one that does: steam-dino build --recipe clip)"
        return QueryError(f"no game fits {shown!r}, and there is no such file; {hint}")


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # too long for a path, or with a NUL
        return False
