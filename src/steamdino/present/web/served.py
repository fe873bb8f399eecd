"""The snapshots that are served: opened once, looked at for newer ones, swapped without a restart."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from steamdino.analysis.explain import Explainer
from steamdino.analysis.unique import LoneGames, diverse, unique
from steamdino.errors import GalleryError, RecipeError, SnapshotError
from steamdino.gallery import layout
from steamdino.index.snapshot import newest_of_each
from steamdino.pipeline.check import Duplicates, duplicates
from steamdino.records import Game
from steamdino.search import Snapshot
from steamdino.settings import Settings, WebSettings

LOG = logging.getLogger("steamdino.web")


class Edition:
    """One open snapshot, with what is computed from it once and then kept.

    Attributes:
        snapshot: the open snapshot.
        version: names its content; part of each ETag.
    """

    def __init__(self, snapshot: Snapshot, place: Path, *, packed: bool) -> None:
        self.snapshot = snapshot
        self._place = place
        self._packed = packed
        manifest = snapshot.manifest
        mark = f"{manifest.recipe.hash} {manifest.content} {manifest.revision} {manifest.created_at}"
        self.version = hashlib.sha256(mark.encode()).hexdigest()[:16]
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._kept: dict[str, Any] = {}

    def unique(self) -> LoneGames:
        """All games that are not adult-only, the most unique first."""
        found: LoneGames = self.once("unique", lambda: unique(self.snapshot, None))
        return found

    def varied(self, n: int) -> list[Game]:
        """Games that differ from each other, to begin with."""
        found: LoneGames = self.once(f"varied {n}", lambda: diverse(self.snapshot, n))
        return [one.game for one in found]

    def duplicates(self) -> list[Duplicates]:
        """Groups of games whose banners show the same.

        Raises:
            GalleryError: a packed snapshot is served, which has no pictures.
        """
        if self._packed:
            raise GalleryError("duplicates need a gallery's pictures, and a packed snapshot is served")
        found: list[Duplicates] = self.once(
            "duplicates", lambda: duplicates(self._place, self.snapshot.recipe.hash)
        )
        return found

    def explainer(self) -> Explainer:
        """What explains pairs of pictures under the snapshot's recipe."""
        made: Explainer = self.once(
            "explainer", lambda: Explainer(self.snapshot.recipe, whitening=self.snapshot.whitening)
        )
        return made

    @property
    def encoding(self) -> threading.Lock:
        """Held while a picture is encoded: one at a time uses all cores and little memory."""
        return self._locks["encoder"]

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """What is computed at the first call under a name, and kept."""
        with self._locks[name]:
            if name not in self._kept:
                self._kept[name] = make()
            return self._kept[name]


class Served:
    """The newest edition of each recipe of a gallery, or the one of a packed snapshot."""

    def __init__(self, settings: Settings, web: WebSettings) -> None:
        """Opens them.

        Raises:
            SnapshotError: there is none.
        """
        self._settings = settings
        self._place = settings.gallery
        self._every = web.refresh
        self._editions: dict[str, Edition] = {}
        self._folders: dict[str, Path] = {}
        self._default = ""
        self._version = ""
        self._stop = threading.Event()
        self.refresh()
        if not self._editions:
            Snapshot.open(self._place)  # says why
            raise SnapshotError(f"there is no snapshot in {self._place}")

    @property
    def recipes(self) -> list[str]:
        """The names of the recipes that are served, the default first."""
        return [self._default, *sorted(name for name in self._editions if name != self._default)]

    def edition(self, recipe: str | None = None) -> Edition:
        """The edition of a recipe; the one that was built last without a name.

        Raises:
            RecipeError: it is not served.
        """
        try:
            return self._editions[recipe or self._default]
        except KeyError:
            raise RecipeError(
                f"the recipe {str(recipe)[:80]!r} is not served; served are: {', '.join(self.recipes)}"
            ) from None

    @property
    def version(self) -> str:
        """Names all that is served now: the same as long as no snapshot was swapped in."""
        return self._version

    def refresh(self) -> None:
        """Looks for newer snapshots, and swaps them in. Requests that run keep the one that they began with."""
        if self._place.is_file():
            if not self._editions:
                snapshot = Snapshot.open(self._place)
                self._default = snapshot.recipe.name
                self._editions = {self._default: Edition(snapshot, self._place, packed=True)}
                self._version = self._editions[self._default].version
            return
        found = newest_of_each(self._place, layout.VERTICAL)
        by_name = {manifest.recipe.name: (folder, manifest) for folder, manifest in found.items()}
        editions = dict(self._editions)
        for name, (folder, _) in by_name.items():
            if self._folders.get(name) != folder:
                snapshot = Snapshot.open(folder, precision=self._settings.precision)
                editions[name] = Edition(snapshot, self._place, packed=False)
                self._folders[name] = folder
                LOG.info("snapshot", extra={"facts": {"recipe": name, "games": len(snapshot)}})
        if by_name:
            self._editions = {name: editions[name] for name in by_name}
            self._default = max(by_name, key=lambda name: by_name[name][1].created_at)
            marks = " ".join(f"{name} {self._editions[name].version}" for name in self.recipes)
            self._version = hashlib.sha256(marks.encode()).hexdigest()[:16]

    def watch(self) -> threading.Thread:
        """Starts to look for newer snapshots now and then, until `close`."""

        def look() -> None:
            while not self._stop.wait(self._every):
                try:
                    self.refresh()
                except Exception:  # the old ones go on serving, whatever is wrong with the new
                    LOG.exception("refresh")

        thread = threading.Thread(target=look, name="refresh", daemon=True)
        thread.start()
        return thread

    def close(self) -> None:
        """Stops looking."""
        self._stop.set()
