"""The snapshots that are served: opened once, looked at for newer ones, swapped without a restart.

Threads may share what is here.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from steamdino.analysis.audit import Audit, Auditor
from steamdino.analysis.explain import Explainer, Explanation
from steamdino.analysis.unique import UniqueGames, diverse, unique
from steamdino.banners.decode import decode
from steamdino.banners.read import read
from steamdino.errors import PictureError, QueryError, RecipeError, SnapshotError, SteamDinoError
from steamdino.features.text_encoder import check_words
from steamdino.index.snapshot_selection import newest_by_name
from steamdino.pipeline.check import Duplicates, duplicates
from steamdino.present.web.concurrency import COMPUTING, ENCODING, ConcurrencyLimit
from steamdino.present.web.timing import stage
from steamdino.records import Filter, Game, Matches
from steamdino.search import Snapshot
from steamdino.settings import Settings, WebSettings

LOG = logging.getLogger("steamdino.web")


class NotServedError(SteamDinoError):
    """What is asked for is not among what this server serves."""


class Work:
    """What takes long in one process: models that run, one at a time, and lists that are computed once."""

    def __init__(self) -> None:
        self._models = threading.Lock()
        self._encoding = ConcurrencyLimit(ENCODING, "with other pictures", 2)
        self._computing = ConcurrencyLimit(COMPUTING, "computing that for the first time", 10)

    def encoding(self) -> AbstractContextManager[None]:
        """Held while a model runs, whichever recipe's it is.

        Raises:
            BusyError: too many wait for that already.
        """
        return self._encoding.taken(self._models)

    def computing(self, lock: threading.Lock) -> AbstractContextManager[None]:
        """Held while a list is computed, whose lock it is.

        Raises:
            BusyError: too many wait for that already.
        """
        return self._computing.taken(lock)


class Edition:
    """One open snapshot, with what is computed from it once and then kept. Threads may share it.

    Whatever runs a model waits here until no other runs; no method that may do so is called in the event loop.

    Attributes:
        snapshot: the open snapshot.
        folder: where it lies; None for a packed one.
        version: names its content; part of each ETag.
    """

    def __init__(self, snapshot: Snapshot, gallery: Path, work: Work, folder: Path | None) -> None:
        self.snapshot = snapshot
        self.folder = folder
        self._gallery = gallery
        self._work = work
        manifest = snapshot.manifest
        mark = f"{manifest.recipe.hash} {manifest.content} {manifest.revision} {manifest.created_at}"
        self.version = hashlib.sha256(mark.encode()).hexdigest()[:16]
        self._locks: dict[str, threading.Lock] = {}
        self._kept: dict[str, Any] = {}

    def similar(
        self,
        query: str | Path,
        k: int,
        *,
        mirror: bool = False,
        flip: bool = False,
        only: Filter | None = None,
    ) -> Matches:
        """The matches of a game's id or a picture; waits for other models if a picture must be encoded.

        Raises:
            BusyError: too many wait for that already.
            QueryError, PictureError: as `Snapshot.similar`, without the path of a picture.
        """
        if isinstance(query, str):
            # An id, and nothing else that a query could be, such as a file of this machine.
            self.snapshot.game(query)
        encodes = mirror or flip or isinstance(query, Path)
        with self._work.encoding() if encodes else nullcontext(), stage("search"), _without_path(query):
            return self.snapshot.similar(query, k, mirror=mirror, flip=flip, only=only)

    def text(self, sentence: str, k: int, *, only: Filter | None = None) -> Matches:
        """The matches of a sentence.

        Raises:
            BusyError: too many wait for that already.
            RecipeError: the recipe knows no words.
        """
        check_words(self.snapshot.recipe)
        with self._work.encoding(), stage("search"):
            return self.snapshot.text(sentence, k, only=only)

    def audit(self, picture: Path, tags: list[str], k: int) -> Audit:
        """What a draft looks like.

        Raises:
            BusyError: too many wait for that already.
            PictureError: it is no picture.
        """
        with self._work.encoding(), stage("search"), _without_path(picture):
            return Auditor(self.snapshot, tags=tags)(picture, k)

    def explain(self, first: str, second: str) -> Explanation:
        """Why two games match, by their ids.

        Raises:
            BusyError: too many wait for that already.
            QueryError: there is no such game, or its picture cannot be read.
        """
        games = [self.snapshot.game(key) for key in (first, second)]
        with self._work.encoding(), stage("search"):
            return self._explainer()(*map(_image, games))

    def _explainer(self) -> Explainer:
        made: Explainer = self.once(
            "explainer", lambda: Explainer(self.snapshot.recipe, whitening=self.snapshot.whitening)
        )
        return made

    def unique(self) -> UniqueGames:
        """All games that are not adult-only, the most unique first.

        Raises:
            BusyError: it is being computed, and too many wait for that already.
        """
        found: UniqueGames = self._list("unique", lambda: unique(self.snapshot, None))
        return found

    def varied(self, n: int) -> list[Game]:
        """Games that differ from each other, to begin with."""
        found: UniqueGames = self.once(f"varied {n}", lambda: diverse(self.snapshot, n))
        return [one.game for one in found]

    def duplicates(self) -> list[Duplicates]:
        """Groups of games whose banners show the same.

        Raises:
            NotServedError: a packed snapshot is served, which has no pictures.
            BusyError: they are being computed, and too many wait for that already.
        """
        if self.folder is None:
            raise NotServedError("duplicates need a gallery's pictures, and a packed snapshot is served")
        found: list[Duplicates] = self._list(
            "duplicates", lambda: duplicates(self._gallery, self.snapshot.recipe.hash)
        )
        return found

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """What is computed at the first call under a name, in a moment, and kept."""
        if name not in self._kept:
            with self._locks.setdefault(name, threading.Lock()):
                if name not in self._kept:
                    self._kept[name] = make()
        return self._kept[name]

    def _list(self, name: str, make: Callable[[], Any]) -> Any:
        """The same for what takes minutes in a large gallery."""
        if name not in self._kept:
            with self._work.computing(self._locks.setdefault(f"{name} being computed", threading.Lock())):
                self.once(name, make)
        return self._kept[name]


def _image(game: Game) -> Any:
    try:
        if game.picture is None:
            raise PictureError("it is not known")
        return decode(read(game.picture).data)
    except PictureError as error:
        raise QueryError(f"the picture of {game.id!r} cannot be read: {error}") from None


@contextmanager
def _without_path(query: str | Path) -> Iterator[None]:
    """Says why a picture cannot be read, and not where it lies on this machine."""
    try:
        yield
    except QueryError as error:
        reason = error.__cause__
        if not isinstance(reason, PictureError):
            raise
        if isinstance(query, Path):
            raise PictureError(f"the picture cannot be read: {reason}") from None
        raise QueryError(f"the picture of {query!r} cannot be read: {reason}") from None


@dataclass(frozen=True, slots=True)
class _Now:
    """What is served at one moment, swapped as a whole.

    Attributes:
        editions: by the names of their recipes, the default first.
        version: names all of it.
    """

    editions: Mapping[str, Edition] = field(default_factory=lambda: MappingProxyType({}))
    version: str = ""


class SnapshotRegistry:
    """The edition of each recipe's name of a gallery, or the one of a packed snapshot. Threads may share it."""

    def __init__(self, settings: Settings, web: WebSettings) -> None:
        """Opens them.

        Raises:
            SnapshotError: there is none.
        """
        self._settings = settings
        self._place = settings.gallery
        self._every = web.refresh
        self._work = Work()
        self._now = _Now()
        self._refreshing = threading.Lock()
        self._stop = threading.Event()
        self.refresh()
        if not self._now.editions:
            Snapshot.open(self._place)  # says why
            raise SnapshotError(f"there is no snapshot in {self._place}")

    @property
    def recipes(self) -> list[str]:
        """The names of the recipes that are served, the default first."""
        return list(self._now.editions)

    @property
    def editions(self) -> list[Edition]:
        """All editions, the default first."""
        return list(self._now.editions.values())

    def edition(self, recipe: str | None = None) -> Edition:
        """The edition of a recipe; the one that was built last without a name.

        Raises:
            RecipeError: it is not served.
        """
        editions = self._now.editions
        try:
            return editions[recipe] if recipe else next(iter(editions.values()))
        except KeyError:
            raise RecipeError(
                f"the recipe {str(recipe)[:80]!r} is not served; served are: {', '.join(editions)}"
            ) from None

    @property
    def version(self) -> str:
        """Names all that is served now: the same as long as no snapshot was swapped in."""
        return self._now.version

    def refresh(self) -> None:
        """Looks for newer snapshots, and swaps them in. Requests that run keep the one that they began with."""
        with self._refreshing:
            if not self._place.is_file():
                found = self._newest()
            elif self._now.editions:
                return  # a packed snapshot does not change
            else:
                snapshot = Snapshot.open(self._place, precision=self._settings.precision)
                found = {snapshot.recipe.name: Edition(snapshot, self._place, self._work, None)}
            if found:
                marks = " ".join(f"{name} {edition.version}" for name, edition in found.items())
                version = hashlib.sha256(marks.encode()).hexdigest()[:16]
                self._now = _Now(MappingProxyType(found), version)

    def _newest(self) -> dict[str, Edition]:
        found: dict[str, Edition] = {}
        for name, (folder, _) in newest_by_name(self._place).items():
            known = self._now.editions.get(name)
            if known is None or known.folder != folder:
                snapshot = Snapshot.open(folder, precision=self._settings.precision)
                known = Edition(snapshot, self._place, self._work, folder)
                LOG.info("snapshot", extra={"facts": {"recipe": name, "games": len(snapshot)}})
            found[name] = known
        return found

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
