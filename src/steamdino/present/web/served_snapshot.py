"""One served snapshot with its cached results.

Everything here is safe to share between threads.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from PIL import Image

from steamdino.analysis.audit import Audit, Auditor, taken_from
from steamdino.analysis.changes import Changes
from steamdino.analysis.explain import Explainer, Explanation
from steamdino.analysis.neighbours_among import check_listed
from steamdino.analysis.opening import opening
from steamdino.analysis.period import Period
from steamdino.analysis.rarity import COMPARED
from steamdino.analysis.unique import UniqueGames, unique_at_hand
from steamdino.banners.read import read_picture
from steamdino.errors import NoGalleryError, NotComputedError, SteamDinoError
from steamdino.features.text_encoder import check_words, has_words
from steamdino.features.transform import turned
from steamdino.gallery import Gallery
from steamdino.pipeline.duplicate_groups import Duplicates, FoundDuplicates, find_duplicates
from steamdino.present.web.concurrency import WorkLimits
from steamdino.present.web.picture_errors import image_of, without_path
from steamdino.present.web.timing import stage
from steamdino.records import Crop, Filter, Game, Matches
from steamdino.search import Snapshot
from steamdino.search.crop_parser import cropped
from steamdino.search.cutoff import EVERY_MATCH, Cutoff
from steamdino.search.query_vectors import QueryVector

PAIRS = 8_000**2
"""Pairs of games that a request may compare: those of 8,000 games, which takes 0.8 s on one core."""


class NotServedError(SteamDinoError):
    """The request is for something that this server does not offer."""


class ServedSnapshot:
    """One open snapshot, with cached results. Threads may share it.

    Methods that run a model wait until no other model runs, so they must not be called in the event loop.

    Attributes:
        snapshot: the open snapshot.
        folder: the snapshot's folder; None for a packed snapshot.
        version: names the snapshot's content; part of each ETag.
    """

    def __init__(self, snapshot: Snapshot, gallery: Path, work: WorkLimits, folder: Path | None) -> None:
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
        query: str | Path | QueryVector,
        k: int,
        *,
        mirror: bool = False,
        flip: bool = False,
        crop: Crop | None = None,
        plus: Sequence[str] = (),
        minus: Sequence[str] = (),
        only: Filter | None = None,
        cutoff: Cutoff = EVERY_MATCH,
    ) -> Matches:
        """Return the matches of a game's id or a picture; wait for other models if something must be encoded.

        Raises:
            BusyError: too many requests are waiting for the model already.
            QueryError, PictureError: as `Snapshot.similar`, without the path of a picture.
        """
        if isinstance(query, str) and query not in self.snapshot:
            # Only an id is allowed, and no other query, such as the path of a file on this machine.
            self.snapshot.game(query)
        encodes = mirror or flip or crop or isinstance(query, Path) or self._may_be_words(plus, minus)
        with self._work.encoding() if encodes else nullcontext(), stage("search"), without_path(query):
            return self.snapshot.similar(
                query,
                k,
                mirror=mirror,
                flip=flip,
                crop=crop,
                plus=plus,
                minus=minus,
                min_similarity=cutoff.min_similarity,
                min_percentile=cutoff.min_percentile,
                only=only,
                files=False,
            )

    def mixture(
        self,
        plus: Sequence[str],
        minus: Sequence[str],
        k: int,
        *,
        only: Filter | None = None,
        cutoff: Cutoff = EVERY_MATCH,
    ) -> Matches:
        """Return the matches of a mixture of games, and of words if the recipe supports them.

        Raises:
            BusyError: too many requests are waiting for the model already.
            QueryError, UsageError: as `Snapshot.mixture`.
        """
        encodes = self._may_be_words(plus, minus)
        with self._work.encoding() if encodes else nullcontext(), stage("search"):
            return self.snapshot.mixture(
                plus,
                minus,
                k,
                min_similarity=cutoff.min_similarity,
                min_percentile=cutoff.min_percentile,
                only=only,
                files=False,
            )

    def encode(
        self, picture: Path, *, mirror: bool = False, flip: bool = False, crop: Crop | None = None
    ) -> QueryVector:
        """Encode a picture.

        Raises:
            BusyError: too many requests are waiting for the model already.
            PictureError: it is not a picture.
            UsageError: the crop does not fit it.
        """
        with self._work.encoding(), stage("search"), without_path(picture):
            return self.snapshot.encode(picture, mirror=mirror, flip=flip, crop=crop)

    def _may_be_words(self, plus: Sequence[str], minus: Sequence[str]) -> bool:
        """Whether a part of a mixture may be a sentence, which a model has to encode."""
        return bool(plus or minus) and has_words(self.snapshot.recipe)

    def text(
        self, sentence: str, k: int, *, only: Filter | None = None, cutoff: Cutoff = EVERY_MATCH
    ) -> Matches:
        """Return the matches of a sentence.

        Raises:
            BusyError: too many requests are waiting for the model already.
            RecipeError: the recipe does not support words.
        """
        check_words(self.snapshot.recipe)
        with self._work.encoding(), stage("search"):
            return self.snapshot.text(
                sentence,
                k,
                min_similarity=cutoff.min_similarity,
                min_percentile=cutoff.min_percentile,
                only=only,
            )

    def audit(self, picture: Path, tags: list[str], k: int) -> Audit:
        """Audit a draft.

        Raises:
            BusyError: too many requests are waiting for the model already.
            PictureError: it is not a picture.
        """
        with self._work.encoding(), stage("search"), without_path(picture):
            return self._auditor()(picture, k, tags=tags)

    def similarity(
        self, first: str, second: str, *, mirror: bool = False, flip: bool = False, crop: Crop | None = None
    ) -> float:
        """Return the similarity of two games, given by id; wait for other models if the first must be encoded.

        Raises:
            BusyError: too many requests are waiting for the model already.
            QueryError: there is no such game, or its picture cannot be read.
            UsageError: the crop does not fit the first one's picture.
        """
        encodes = mirror or flip or crop
        with self._work.encoding() if encodes else nullcontext(), stage("search"), without_path(first):
            return self.snapshot.similarity(first, second, mirror=mirror, flip=flip, crop=crop)

    def explain(
        self, first: str, second: str, *, mirror: bool = False, flip: bool = False, crop: Crop | None = None
    ) -> Explanation:
        """Explain why two games match, given by id; the first one's picture may be cropped, mirrored and flipped.

        Raises:
            BusyError: too many requests are waiting for the model already.
            UsageError: the crop does not fit the first one's picture.
            QueryError: there is no such game, or its picture cannot be read.
        """
        one, two = (self.snapshot.game(key) for key in (first, second))
        with self._work.encoding(), stage("search"):
            return self._explained(image_of(one), two, mirror=mirror, flip=flip, crop=crop)

    def explain_picture(
        self,
        picture: Path,
        game_id: str,
        *,
        mirror: bool = False,
        flip: bool = False,
        crop: Crop | None = None,
    ) -> Explanation:
        """Explain why a picture and a game match. Raises the same as `encode` and `explain`."""
        game = self.snapshot.game(game_id)
        with self._work.encoding(), stage("search"):
            return self._explained(read_picture(picture), game, mirror=mirror, flip=flip, crop=crop)

    def _explained(
        self, image: Image.Image, game: Game, *, mirror: bool, flip: bool, crop: Crop | None
    ) -> Explanation:
        if crop:
            image = cropped(image, crop)
        return self._explainer()(turned(image, mirror=mirror, flip=flip), image_of(game))

    def _auditor(self) -> Auditor:
        sample = min(
            COMPARED, COMPARED if self.snapshot.index.listed else PAIRS // max(1, len(self.snapshot))
        )
        made: Auditor = self.once(
            "auditor", lambda: Auditor(self.snapshot, sample=sample, explainer=self._explainer())
        )
        return made

    def _explainer(self) -> Explainer:
        made: Explainer = self.once(
            "explainer", lambda: Explainer(self.snapshot.recipe, whitening=self.snapshot.whitening)
        )
        return made

    def unique(self, only: Filter) -> UniqueGames:
        """Return the games that a filter allows, the most unique first.

        Their ranks are those among all games that the filter does not hide, whatever its conditions are.

        Raises:
            NotComputedError: the snapshot does not list the neighbours of its games, and has too many to compare them.
            BusyError: they are being computed, and too many requests are waiting already.
            QueryError: no game has one of the tags.
        """
        compared = only.without_conditions
        found: UniqueGames = self._list(f"unique {compared.hides}", lambda: self._ranked(compared))
        return found if only == compared else found.among(self.snapshot.rows(only))

    def _ranked(self, only: Filter) -> UniqueGames:
        try:
            return unique_at_hand(self.snapshot, only, PAIRS)
        except NotComputedError:
            if self.folder is not None:
                raise
            raise NotComputedError(
                f"the neighbours of so many games ({len(self.snapshot):,}) are not listed for a packed snapshot, and to"
                " search for them takes long; run: steam-dino unique --snapshot FILE"
            ) from None

    def varied(self, n: int) -> list[Game]:
        """Return games that differ from each other, for the home page; none with a blank banner leads."""
        gallery = None if self.folder is None else self._gallery
        found: list[Game] = self.once(f"varied {n}", lambda: opening(self.snapshot, n, gallery))
        return found

    def duplicates(self) -> list[Duplicates]:
        """Return groups of games with duplicate banners, under all decisions that were made until now.

        Raises:
            NotServedError: a packed snapshot is served, which has no pictures.
            NotComputedError: too many games, or their pictures, would have to be compared in this request.
            BusyError: they are being computed, and too many requests are waiting already.
        """
        if self.folder is None:
            raise NotServedError(
                "duplicates need a gallery's pictures, but this server serves a packed snapshot"
            )
        found: FoundDuplicates = self._list("duplicates", self._paired)
        with self.gallery() as opened, self._locks.setdefault("grouped", threading.Lock()):
            decisions = list(opened.curation.decisions())
            known = self._kept.get("grouped")
            if known is None or known[0] != decisions:
                known = self._kept["grouped"] = (decisions, found.groups(opened))
        groups: list[Duplicates] = known[1]
        return groups

    def _paired(self) -> FoundDuplicates:
        known = self.snapshot.manifest.similarity
        check_listed(self.snapshot.index, taken_from(known.usual["pairs"] if known else 0.0), PAIRS)
        try:
            return find_duplicates(self._gallery, self.snapshot.recipe.hash, stored_only=True)
        except NotComputedError:  # its message names the gallery's folder
            raise NotComputedError(
                "not all pictures that look alike were compared yet; run: steam-dino check"
            ) from None

    @contextmanager
    def gallery(self) -> Iterator[Gallery]:
        """Open the gallery's database for reading.

        Raises:
            NotServedError: a packed snapshot, or one without its gallery, is served.
        """
        reason = (
            "what changed is in a gallery's database, but this server serves a snapshot without its gallery"
        )
        if self.folder is None:
            raise NotServedError(reason)
        try:
            opened = Gallery.open(self._gallery)
        except NoGalleryError:
            raise NotServedError(reason) from None
        with opened:
            yield opened

    def write(self, change: Callable[[Path], object]) -> None:
        """Change the gallery, given its folder; the change opens it for writing and closes it again.

        Raises:
            NotServedError: as for `gallery`.
            GalleryLockedError: another process is writing to it.
        """
        with self.gallery():
            pass
        change(self._gallery)

    @contextmanager
    def changes(self, period: Period, only: Filter, whats: Sequence[str]) -> Iterator[Changes]:
        """Find what changed; pages can be read within the block. It must not be called in the event loop.

        Raises:
            NotServedError: as for `gallery`.
            BusyError: too many requests are waiting already.
            QueryError, UsageError: as for `Changes`.
        """
        with self._work.reading(), stage("search"), self.gallery() as opened:
            yield Changes(opened, self.snapshot, period, only=only, whats=whats)

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """Return the result that is computed, quickly, at the first call with a name, and then cached."""
        if name not in self._kept:
            with self._locks.setdefault(name, threading.Lock()):
                if name not in self._kept:
                    self._kept[name] = make()
        return self._kept[name]

    def _list(self, name: str, make: Callable[[], Any]) -> Any:
        """Return a result that is cached likewise, but takes minutes to compute for a large gallery."""
        if name not in self._kept:
            with self._work.computing(self._locks.setdefault(f"{name} being computed", threading.Lock())):
                self.once(name, make)
        return self._kept[name]
