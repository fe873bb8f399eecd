"""The snapshots that are served: opened once, checked for newer versions, and swapped without a restart.

Everything here is safe to share between threads.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from steamdino.errors import RecipeError, SnapshotError
from steamdino.index.snapshot_selection import newest_by_name
from steamdino.present.web.concurrency import WorkLimits
from steamdino.present.web.served_snapshot import ServedSnapshot
from steamdino.search import Snapshot
from steamdino.settings import Settings, WebSettings

LOG = logging.getLogger("steamdino.web")


@dataclass(frozen=True, slots=True)
class _Now:
    """What is served at one moment; replaced as a whole.

    Attributes:
        editions: by recipe name, the default first.
        version: names all editions together.
    """

    editions: Mapping[str, ServedSnapshot] = field(default_factory=lambda: MappingProxyType({}))
    version: str = ""


class SnapshotRegistry:
    """The editions of a gallery by recipe name, or the single edition of a packed snapshot. Threads may share it."""

    def __init__(self, settings: Settings, web: WebSettings) -> None:
        """Open the snapshots.

        Raises:
            SnapshotError: there is no snapshot.
        """
        self._settings = settings
        self._place = settings.gallery
        self._every = web.refresh
        self._work = WorkLimits()
        self._now = _Now()
        self._refreshing = threading.Lock()
        self._stop = threading.Event()
        self.refresh()
        if not self._now.editions:
            Snapshot.open(self._place)  # raises an error with the reason
            raise SnapshotError(f"there is no snapshot in {self._place}")

    @property
    def recipes(self) -> list[str]:
        """Return the names of the recipes that are served, the default first."""
        return list(self._now.editions)

    @property
    def editions(self) -> list[ServedSnapshot]:
        """Return all editions, the default first."""
        return list(self._now.editions.values())

    def edition(self, recipe: str | None = None) -> ServedSnapshot:
        """Return the edition of a recipe; without a name, the edition that was built last.

        Raises:
            RecipeError: the recipe is not served.
        """
        editions = self._now.editions
        try:
            return editions[recipe] if recipe else next(iter(editions.values()))
        except KeyError:
            raise RecipeError(
                f"the recipe {str(recipe)[:80]!r} is not served; choose from: {', '.join(editions)}"
            ) from None

    @property
    def version(self) -> str:
        """Return a name of everything that is served; it changes when a snapshot is swapped in."""
        return self._now.version

    def refresh(self) -> None:
        """Look for newer snapshots and swap them in. Running requests keep the snapshot that they started with."""
        with self._refreshing:
            if not self._place.is_file():
                found = self._newest()
            elif self._now.editions:
                return  # a packed snapshot does not change
            else:
                snapshot = Snapshot.open(
                    self._place, precision=self._settings.inference_precision, listed=True
                )
                found = {snapshot.recipe.name: ServedSnapshot(snapshot, self._place, self._work, None)}
            if found:
                marks = " ".join(f"{name} {edition.version}" for name, edition in found.items())
                version = hashlib.sha256(marks.encode()).hexdigest()[:16]
                self._now = _Now(MappingProxyType(found), version)

    def _newest(self) -> dict[str, ServedSnapshot]:
        found: dict[str, ServedSnapshot] = {}
        for name, (folder, _) in newest_by_name(self._place).items():
            known = self._now.editions.get(name)
            if known is None or known.folder != folder:
                snapshot = Snapshot.open(folder, precision=self._settings.inference_precision)
                known = ServedSnapshot(snapshot, self._place, self._work, folder)
                LOG.info("snapshot", extra={"facts": {"recipe": name, "games": len(snapshot)}})
            found[name] = known
        return found

    def watch(self) -> threading.Thread:
        """Start to look for newer snapshots at intervals, until `close`."""

        def look() -> None:
            while not self._stop.wait(self._every):
                try:
                    self.refresh()
                except Exception:  # the old snapshots stay in service, whatever is wrong with the new ones
                    LOG.exception("refresh")

        thread = threading.Thread(target=look, name="refresh", daemon=True)
        thread.start()
        return thread

    def close(self) -> None:
        """Stop looking for newer snapshots."""
        self._stop.set()
