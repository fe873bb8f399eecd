"""Commits what an engine computes to the gallery, some hundred banners at a time."""

from __future__ import annotations

from steamdino.engines import Batch
from steamdino.gallery import Gallery

COMMIT_EVERY = 256
"""Banners between two commits: what a kill can cost."""


class VectorWriter:
    """Stores vectors and the reasons of failures.

    Attributes:
        encoded: pictures whose vectors are committed.
        failed: pictures whose failures are committed.
    """

    def __init__(self, gallery: Gallery, key: int, precision: str) -> None:
        """Prepare to write.

        Args:
            gallery: open for writing.
            key: of the recipe in the gallery.
            precision: the inference precision of the vectors.
        """
        self._gallery = gallery
        self._key = key
        self._precision = precision
        self._waiting: list[Batch] = []
        self.encoded = self.failed = 0

    def add(self, batch: Batch) -> None:
        """Take a batch, which the next commit stores."""
        self._waiting.append(batch)

    def commit_if_due(self) -> None:
        """Commit if `COMMIT_EVERY` banners are waiting."""
        if sum(map(len, self._waiting)) >= COMMIT_EVERY:
            self.commit()

    def commit(self) -> None:
        """Store all that is waiting in one transaction."""
        with self._gallery.transaction():
            for batch in self._waiting:
                self._gallery.vectors.put(self._key, self._precision, batch.sha256s, batch.vectors)
                for one in batch.failures:
                    undecodable = one.banner.sha256 if one.final else None
                    self._gallery.problems.put_build(one.banner.game_ids, one.reason, undecodable)
        waiting, self._waiting = self._waiting, []
        self.encoded += sum(len(batch.sha256s) for batch in waiting)
        self.failed += sum(len(batch.failures) for batch in waiting)
