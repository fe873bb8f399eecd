"""The snapshots that are served: opened once, checked for newer versions, and swapped without a restart.

Everything here is safe to share between threads.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from steamdino.errors import NetworkError, NoSnapshotError, RecipeError, SnapshotError, SteamDinoError
from steamdino.index.published_cache import PublishedCache
from steamdino.index.snapshot_selection import newest_by_name
from steamdino.present.web.concurrency import WorkLimits
from steamdino.present.web.served_snapshot import ServedSnapshot
from steamdino.search import Snapshot
from steamdino.settings import Settings, WebSettings

LOG = logging.getLogger("steamdino.web")

OPEN = 600.0
"""Seconds for which the edition before stays open, so that lists whose pages are being read can be read to the end. It
is one for each recipe, and its memory is free again afterwards."""


class EditionGoneError(SteamDinoError):
    """The edition of an earlier page is no longer served."""


@dataclass(frozen=True, slots=True)
class _Former:
    """The edition before the current one of a recipe, and the moment until which it is served."""

    edition: ServedSnapshot
    until: float

    @property
    def is_open(self) -> bool:
        # Files that were removed cannot all be read any more, even by who has some of them open.
        return (
            time.monotonic() < self.until and self.edition.folder is not None and self.edition.folder.is_dir()
        )


@dataclass(frozen=True, slots=True)
class _Now:
    """What is served at one moment; replaced as a whole.

    Attributes:
        editions: by recipe name, the public one first.
        version: names all editions together.
        former: by recipe name, the editions before these that are still open.
    """

    editions: Mapping[str, ServedSnapshot] = field(default_factory=lambda: MappingProxyType({}))
    version: str = ""
    former: Mapping[str, _Former] = field(default_factory=lambda: MappingProxyType({}))


class SnapshotRegistry:
    """The editions of a gallery by recipe name, or the single edition of a packed snapshot. Threads may share it."""

    def __init__(self, settings: Settings, web: WebSettings) -> None:
        """Open the snapshots.

        Args:
            settings: their `gallery` is served.
            web: their `recipe` is public: it answers requests that name none. Without it, the recipe that was built
                last is, so that a build of another one changes what everybody sees.

        Raises:
            SnapshotError: there is no snapshot, or none of the public recipe.
        """
        self._settings = settings
        self._published: PublishedCache | None = None
        if isinstance(settings.gallery, Path):
            self._place = settings.gallery
        else:
            self._published = PublishedCache(settings.gallery)
            self._place = self._published.folder
        self._every = web.refresh
        self._public = web.recipe
        self._work = WorkLimits()
        self._complaint = ""  # what was logged last of a published gallery
        self._now = _Now()
        self._refreshing = threading.Lock()
        self._stop = threading.Event()
        self.refresh()
        if not self._now.editions:
            Snapshot.open(self._place)  # raises an error with the reason
            raise SnapshotError(f"there is no snapshot in {self._place}")

    @property
    def folder(self) -> Path:
        """The gallery's folder, or that of the local copy of a published one, or a packed snapshot."""
        return self._place

    @property
    def recipes(self) -> list[str]:
        """Return the names of the recipes that are served, the public one first."""
        return list(self._now.editions)

    @property
    def editions(self) -> list[ServedSnapshot]:
        """Return all editions, the public one first."""
        return list(self._now.editions.values())

    def edition(self, recipe: str | None = None) -> ServedSnapshot:
        """Return the edition of a recipe; without a name, that of the public recipe.

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

    def open_edition(self, version: str) -> ServedSnapshot | None:
        """Return the edition with a version: a current one, or the one before; None if it is not open."""
        now = self._now
        for edition in now.editions.values():
            if edition.version == version:
                return edition
        for former in now.former.values():
            if former.edition.version == version and former.is_open:
                return former.edition
        return None

    @property
    def version(self) -> str:
        """Return a name of everything that is served; it changes when a snapshot is swapped in."""
        return self._now.version

    def refresh(self) -> None:
        """Look for newer snapshots and swap them in. Running requests keep the snapshot that they started with."""
        with self._refreshing:
            if self._published is not None:
                self._download(self._published)
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
                found = self._public_first(found)
                marks = " ".join(f"{name} {edition.version}" for name, edition in found.items())
                version = hashlib.sha256(marks.encode()).hexdigest()[:16]
                self._now = _Now(MappingProxyType(found), version, MappingProxyType(self._former(found)))

    def _download(self, published: PublishedCache) -> None:
        """Download what is newer. Without the store, what was downloaded before stays in service."""
        try:
            published.update()
        except (SnapshotError, NetworkError) as error:
            if published.is_empty:
                raise
            if str(error) != self._complaint:
                LOG.warning("published gallery", extra={"facts": {"error": str(error)}})
            self._complaint = str(error)
        else:
            self._complaint = ""

    def _public_first(self, found: dict[str, ServedSnapshot]) -> dict[str, ServedSnapshot]:
        if not self._public:
            now = next(iter(found))
            if self._now.editions and now != self.recipes[0]:
                LOG.warning("public recipe", extra={"facts": {"recipe": now, "before": self.recipes[0]}})
            return found
        # A recipe whose snapshots were removed meanwhile stays in service.
        public = found.get(self._public) or self._now.editions.get(self._public)
        if public is None:
            built = ", ".join(sorted(found))
            raise NoSnapshotError(
                f"the public recipe {self._public!r} has no snapshot in {self._place}; built are: {built}"
            )
        return {self._public: public} | found

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

    def _former(self, found: Mapping[str, ServedSnapshot]) -> dict[str, _Former]:
        """Return the editions before the ones that were found, as long as they are open."""
        former = {}
        for name, edition in found.items():
            known = self._now.editions.get(name)
            if known is not None and known is not edition:
                former[name] = _Former(known, time.monotonic() + OPEN)
            elif (before := self._now.former.get(name)) is not None and before.is_open:
                former[name] = before
        return former

    def look(self) -> None:
        """Refresh, and log what is wrong with newer snapshots, if anything: the old ones stay in service."""
        try:
            self.refresh()
        except Exception:
            LOG.exception("refresh")

    def watch(self) -> threading.Thread:
        """Start to look for newer snapshots at intervals, until `close`."""

        def look() -> None:
            while not self._stop.wait(self._every):
                self.look()

        thread = threading.Thread(target=look, name="refresh", daemon=True)
        thread.start()
        return thread

    def close(self) -> None:
        """Stop looking for newer snapshots."""
        self._stop.set()
