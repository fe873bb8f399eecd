"""Resolves what a user typed: an id, a name, a picture's file, or words."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from steamdino.errors import QueryError
from steamdino.index.snapshot_reader import SnapshotReader
from steamdino.picture_formats import SUFFIXES
from steamdino.records import Part, Query


class QueryResolver:
    """Resolves queries against one snapshot. Threads may share it."""

    def __init__(self, reader: SnapshotReader) -> None:
        self._reader = reader
        self._recipe = reader.manifest.recipe

    def resolve(
        self,
        query: str | int | Path,
        *,
        mirror: bool = False,
        flip: bool = False,
        words: bool = False,
        files: bool = True,
    ) -> tuple[Query, int | None]:
        """Resolve a query to what it means and its row (None for a picture or words).

        Args:
            query: what was typed. A `Path` is always a picture's file.
            mirror, flip: whether the query picture is to be turned.
            words: whether a text that is nothing else may be a sentence, if the recipe knows words.
            files: whether a text may name a picture's file. False for a text from a stranger, who could otherwise find
                out which files exist.

        Raises:
            QueryError: nothing matches.
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
                raise QueryError(f"there is no picture {text!r}, and no game with that id or name")
            return Query(text, "picture", picture=Path(text), mirror=mirror, flip=flip), None
        if words and self._has_words:
            return Query(text, "words"), None
        if rows := reader.named(text):
            guess, row = game("name", rows)
            return replace(guess, is_guess=True), row
        raise self.no_match(text, words=words, files=files)

    def part(self, text: str | int | Path, sign: int, *, files: bool = True) -> tuple[Part, int | None]:
        """Resolve one part of a mixture to the part and its row.

        An exact id or name takes precedence over reading a weight from the text, as in "2*730".

        Raises:
            QueryError: nothing matches.
        """
        weight = 1.0
        if not isinstance(text, Path) and not self._is_game(str(text)):
            weighted = re.fullmatch(r"(\d+(?:\.\d+)?)\*(.+)", str(text), re.DOTALL)
            if weighted:
                weight, text = float(weighted[1]), weighted[2]
        found, row = self.resolve(text, words=True, files=files)
        return Part(sign * weight, found), row

    def _is_game(self, text: str) -> bool:
        return self._reader.row(text) is not None or bool(self._reader.named_exactly(text))

    @cached_property
    def _has_words(self) -> bool:
        from steamdino.features.text_encoder import has_words

        return has_words(self._recipe)

    def no_match(self, text: str, *, words: bool = False, files: bool = False) -> QueryError:
        """Make the error for a text that matches nothing.

        Args:
            text: as typed.
            words: whether a sentence would have matched under a recipe with a text model.
            files: whether a picture's file of that name would have matched.
        """
        shown = text if len(text) <= 80 else text[:77] + "..."
        if not self._reader.manifest.games:
            return QueryError(
                f"the snapshot is empty, so nothing matches {shown!r}; add pictures and run: steam-dino build"
            )
        hint = "try a part of the name, or an id"
        if words:
            hint += (
                f" (the recipe {self._recipe.name!r} has no text model; run: steam-dino build --recipe clip)"
            )
        if files and text and _is_folder(text):
            return QueryError(f"{shown!r} is a folder, and no game matches it; name one of its pictures")
        no_file = ", and there is no such file" if files else ""
        return QueryError(f"no game matches {shown!r}{no_file}; {hint}")


def _is_folder(text: str) -> bool:
    try:
        return Path(text).is_dir()
    except (OSError, ValueError):
        return False


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # too long for a path, or with a NUL
        return False
