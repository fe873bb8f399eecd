"""The manifest of a snapshot, and the layout of a snapshot's folder.

::

    snapshots/<recipe's hash>/<n>/
      manifest.json   format, recipe, revision, the files' sizes and sha256
      vectors.npy     float32, (games, dim), rows of length 1, ordered by id
      games.sqlite    games (row, id, name, ...), absent (games without a vector, with the reason), ...
      quantised.*     only if the search index is of that kind
      neighbours.npy, neighbour_cosines.npy, nearest_neighbours.npy
                      only if the neighbours of all games are stored; see `neighbour_lists`
      whitening.npz   only if a whitening was learned on the gallery: query pictures need it

A snapshot never changes. The next one is written beside it and takes its place by a rename; the highest number is the
one to read. Readers keep its files open, so a snapshot that is pruned meanwhile still serves them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steamdino.errors import SnapshotError
from steamdino.gallery import layout
from steamdino.index import index_registry
from steamdino.index.similarity_distribution import Distribution
from steamdino.recipe import Recipe

FORMAT = 1
MANIFEST, VECTORS, GAMES = "manifest.json", "vectors.npy", "games.sqlite"
WHITENING = "whitening.npz"


@dataclass(frozen=True, slots=True)
class Manifest:
    """The metadata of a snapshot.

    Attributes:
        recipe: the recipe under which its vectors were computed.
        revision: of the gallery's catalogue when the snapshot was made.
        content: sha256 over the rows' sha256s; snapshots of equal content share one vectors file.
        games: number of rows.
        created_at: ISO 8601, UTC, with microseconds.
        precisions: how many vectors were computed in each inference precision.
        files: name -> {"bytes": ..., "sha256": ...}.
        similarity: the distribution of its cosines; None if it has no pairs, or if an older program wrote it.
        kind: of banner: "vertical", "header" or "hero".
        index: name of its search index, of `index_registry.INDEXES`; written down unless it is
            `index_registry.UNNAMED`.
        recall: share of the ten nearest neighbours that the index was measured to find. None if it is exact, unless
            another was refused: then what that one found.
        neighbours: how many neighbours of each game are stored; written down unless it is 0.
    """

    recipe: Recipe
    revision: int
    content: str
    games: int
    created_at: str
    precisions: dict[str, int]
    files: dict[str, dict[str, Any]]
    similarity: Distribution | None = None
    kind: str = layout.VERTICAL
    index: str = index_registry.UNNAMED
    recall: float | None = None
    neighbours: int = 0

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read a snapshot's manifest.

        Raises:
            FileNotFoundError: there is none.
            SnapshotError: it is damaged, or a newer program wrote it.
        """
        path = folder / MANIFEST
        try:
            record = json.loads(path.read_text("utf-8"))
            if record["format"] > FORMAT:
                raise SnapshotError(
                    f"{path}: its format is {record['format']}; upgrade steam-dino to read it"
                )
            recipe, similarity = record["recipe"], record.get("similarity")
            index = record.get("index", index_registry.UNNAMED)
            if index not in index_registry.INDEXES:
                raise SnapshotError(
                    f"{path}: its search index is {index!r}, and this version knows:"
                    f" {', '.join(index_registry.INDEXES)}; upgrade steam-dino, or run: steam-dino build --rebuild"
                )
            return cls(
                recipe=Recipe.from_json(json.dumps(recipe["identity"]), recipe["name"]),
                similarity=Distribution.from_record(similarity) if similarity else None,
                kind=record.get("kind", layout.VERTICAL),
                index=index,
                recall=record.get("recall"),
                neighbours=int(record.get("neighbours", 0)),
                **{key: record[key] for key in cls.__slots__ if key not in _READ_APART},
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SnapshotError(
                f"{path} is damaged ({error}); build the snapshot again with: steam-dino build"
            ) from None

    def describes(self, name: str, folder: Path) -> bool:
        """Return whether a file in the snapshot's folder is, by its SHA-256, the one that was written.

        Raises:
            KeyError: the snapshot has no such file.
            OSError: it cannot be read.
        """
        return bool(facts_of(folder / name)["sha256"] == self.files[name]["sha256"])

    def write(self, folder: Path) -> None:
        """Write it into a folder."""
        record: dict[str, Any] = {key: getattr(self, key) for key in self.__slots__}
        record["similarity"] = self.similarity.record if self.similarity else None
        record["recipe"] = {
            "name": self.recipe.name,
            "hash": self.recipe.hash,
            "identity": json.loads(self.recipe.json),
        }
        if self.index == index_registry.UNNAMED:
            del record["index"]
        if self.recall is None:
            del record["recall"]
        if not self.neighbours:
            del record["neighbours"]
        text = json.dumps({"format": FORMAT, **record}, indent=2, ensure_ascii=False)
        (folder / MANIFEST).write_text(text + "\n", "utf-8")


def facts_of(path: Path) -> dict[str, Any]:
    """Return what a manifest says of a file: {"bytes": ..., "sha256": ...}.

    Raises:
        OSError: it cannot be read.
    """
    import hashlib  # searches compare sizes only

    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


_READ_APART = ("recipe", "similarity", "kind", "index", "recall", "neighbours")
