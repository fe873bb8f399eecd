"""A question (an id, a name, a picture's file) becomes matches."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from steamdino.errors import PictureError, QueryError, UsageError
from steamdino.index.exact import nearest
from steamdino.index.snapshot import Manifest, SnapshotReader, open_newest
from steamdino.recipe import Recipe
from steamdino.records import Game, Match, Matches, Query

if TYPE_CHECKING:
    from steamdino.features.encode import Encoder

PICTURE_SUFFIXES = (".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")


class Snapshot:
    """An open snapshot of a gallery, ready for questions.

    A search by id or name needs NumPy and SQLite alone; a picture is encoded under the snapshot's own recipe.
    """

    def __init__(self, reader: SnapshotReader, *, precision: str = "f32") -> None:
        self._reader = reader
        self._precision = precision
        self._encoder: Encoder | None = None

    @classmethod
    def open(cls, path: str | Path, recipe: str | None = None, *, precision: str = "f32") -> Snapshot:
        """Opens the newest snapshot of a gallery, a snapshot's own folder, or a packed one.

        Args:
            path: a gallery, a snapshot, or a file that `pack` wrote (safe to open from a stranger).
            recipe: the name or hash of a recipe; None for the one that was built last.
            precision: in which pictures are encoded: "f32", "bf16" or "auto".

        Raises:
            SnapshotError: there is none, or it is damaged.
        """
        if Path(path).is_file():
            from steamdino.index.pack import open_pack

            return cls(open_pack(Path(path)), precision=precision)
        return cls(open_newest(Path(path), recipe), precision=precision)

    @property
    def ids(self) -> list[str]:
        """The id of each row of `vectors`."""
        return self._reader.ids

    @property
    def vectors(self) -> NDArray[np.float32]:
        """All embeddings: float32, shape (games, dim), rows of length 1; mapped from the file, read-only."""
        return self._reader.vectors

    @property
    def recipe(self) -> Recipe:
        """The recipe in whose space the vectors live."""
        return self._reader.manifest.recipe

    def pack(self, path: str | Path) -> None:
        """Writes it into one file that `open` reads anywhere; places of pictures stay behind.

        Raises:
            SnapshotError: the file cannot be written.
        """
        from steamdino.index.pack import pack

        pack(self._reader, Path(path))

    @property
    def manifest(self) -> Manifest:
        """What the snapshot says of itself."""
        return self._reader.manifest

    def __len__(self) -> int:
        return self._reader.manifest.games

    def game(self, game_id: str | int) -> Game:
        """The game of an id.

        Raises:
            QueryError: there is none, or it has no banner.
        """
        row = self._reader.row(str(game_id))
        if row is None:
            raise self._nothing(str(game_id))
        return self._reader.games([row])[0]

    def similar(
        self, query: str | int | Path, k: int = 10, *, mirror: bool = False, flip: bool = False
    ) -> Matches:
        """The games whose banners look most like the query's.

        The query's own game is left out by its id; other games with the very same picture are kept and marked.

        Args:
            query: an id, a name (exact, else the best that fits) or a picture's file. A `Path` is always a file.
            k: how many matches.
            mirror, flip: turn the query's picture left-right, top-bottom before comparing.

        Raises:
            UsageError: k is below 1.
            QueryError: nothing fits the query, or its picture cannot be read.
            RecipeError: a picture cannot be encoded under the snapshot's recipe.
        """
        if k < 1:
            raise UsageError(f"k is {k}; it must be at least 1")
        found, rows = self._understand(query, mirror=mirror, flip=flip)
        own = rows[0] if rows else None
        if own is not None and not (mirror or flip):
            vector, sha256 = self.vectors[own], found.game.sha256 if found.game else None
        else:
            vector, sha256 = self._encode(found)
        near, cosines = nearest(self.vectors, vector, k, exclude=own)
        items = tuple(
            Match(rank, game.id, game.name, float(cosine), game.sha256 == sha256, game)
            for rank, (game, cosine) in enumerate(
                zip(self._reader.games(near.tolist()), cosines, strict=True), 1
            )
        )
        return Matches(found, self.recipe.name, items)

    def _understand(self, query: str | int | Path, *, mirror: bool, flip: bool) -> tuple[Query, list[int]]:
        """What a query means, and the rows that fit it, best first (none for a picture)."""
        text = str(query)
        reader = self._reader

        def game(kind: str, rows: list[int]) -> tuple[Query, list[int]]:
            best, *others = reader.games(rows)
            return Query(text, kind, best, best.picture, tuple(others), mirror, flip), rows

        if isinstance(query, Path):
            return Query(text, "picture", picture=query, mirror=mirror, flip=flip), []
        if (row := reader.row(text)) is not None:
            return game("id", [row])
        if rows := reader.named_exactly(text):
            return game("name", rows)
        if (known := reader.absent(text)) is not None:
            raise QueryError(f"{known[0]!r} cannot be compared: {known[1]}")
        is_file = _is_file(text)
        if is_file or text.lower().endswith(PICTURE_SUFFIXES):
            if not is_file:
                raise QueryError(f"there is no picture {text!r}, and no game of that id or name")
            return Query(text, "picture", picture=Path(text), mirror=mirror, flip=flip), []
        if rows := reader.named(text):
            return game("name", rows)
        raise self._nothing(text)

    def _encode(self, query: Query) -> tuple[NDArray[np.float32], str]:
        """The query's vector, shape (dim,), and its picture's sha256."""
        from steamdino.banners.decode import decode
        from steamdino.banners.read import read
        from steamdino.features.encode import Encoder
        from steamdino.features.transform import prepare, sufficient_size, turned

        if query.picture is None:
            raise QueryError(f"{query.text!r} has no picture in this snapshot, so it cannot be turned")
        try:
            content = read(query.picture)
            image = decode(content.data, sufficient_size(self.recipe.transform))
        except PictureError as error:
            raise QueryError(f"{query.picture}: {error}") from None
        if self._encoder is None:
            self._encoder = Encoder(
                self.recipe, whitening=self._reader.whitening, precision=self._precision, batch_size=1
            )
        pixels = prepare(turned(image, mirror=query.mirror, flip=query.flip), self.recipe.transform)
        return self._encoder([pixels])[0], content.sha256

    def _nothing(self, text: str) -> QueryError:
        shown = text if len(text) <= 80 else text[:77] + "..."
        if not len(self):
            return QueryError(
                f"the snapshot is empty, so nothing fits {shown!r}; add pictures and run: steam-dino build"
            )
        return QueryError(
            f"no game fits {shown!r}, and there is no such file; try a part of the name, or an id"
        )


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # too long for a path, or with a NUL
        return False
