"""One served snapshot with its cached results.

Everything here is safe to share between threads.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from PIL import Image

from steamdino.analysis.audit import Audit, Auditor
from steamdino.analysis.explain import Explainer, Explanation
from steamdino.analysis.rarity import COMPARED
from steamdino.banners.read import read_picture
from steamdino.features.text_encoder import check_words, has_words
from steamdino.features.transform import turned
from steamdino.present.web import served_lists
from steamdino.present.web.concurrency import WorkLimits
from steamdino.present.web.kept_results import KeptResults
from steamdino.present.web.picture_errors import image_of, without_path
from steamdino.present.web.served_gallery import ServedGallery
from steamdino.present.web.served_lists import ServedLists
from steamdino.present.web.timing import stage
from steamdino.records import Crop, Filter, Game, Matches
from steamdino.search import Snapshot
from steamdino.search.crop_parser import cropped
from steamdino.search.cutoff import EVERY_MATCH, Cutoff
from steamdino.search.query_vectors import QueryVector


class ServedSnapshot:
    """One open snapshot, with cached results. Threads may share it.

    Methods that run a model wait until no other model runs, so they must not be called in the event loop.

    Attributes:
        snapshot: the open snapshot.
        folder: the snapshot's folder; None for a packed snapshot.
        gallery: the gallery that the snapshot was built of.
        results: what was computed of it already.
        lists: lists over all its games.
        version: names the snapshot's content; part of each ETag.
    """

    def __init__(self, snapshot: Snapshot, gallery: Path, work: WorkLimits, folder: Path | None) -> None:
        self.snapshot = snapshot
        self.folder = folder
        self.gallery = ServedGallery(None if folder is None else gallery)
        self.results = KeptResults(work)
        self.lists = ServedLists(snapshot, self.gallery, self.results, work)
        self._work = work
        manifest = snapshot.manifest
        mark = f"{manifest.recipe.hash} {manifest.content} {manifest.revision} {manifest.created_at}"
        self.version = hashlib.sha256(mark.encode()).hexdigest()[:16]

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
            return self._explained(
                image_of(one, colours=self._colours), two, mirror=mirror, flip=flip, crop=crop
            )

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
            return self._explained(
                read_picture(picture, colours=self._colours), game, mirror=mirror, flip=flip, crop=crop
            )

    def _explained(
        self, image: Image.Image, game: Game, *, mirror: bool, flip: bool, crop: Crop | None
    ) -> Explanation:
        if crop:
            image = cropped(image, crop)
        other = image_of(game, colours=self._colours)
        return self._explainer()(turned(image, mirror=mirror, flip=flip), other)

    @property
    def _colours(self) -> str:
        return self.snapshot.recipe.transform.colours

    def _auditor(self) -> Auditor:
        sample = min(
            COMPARED,
            COMPARED if self.snapshot.index.listed else served_lists.PAIRS // max(1, len(self.snapshot)),
        )
        made: Auditor = self.results.once(
            "auditor", lambda: Auditor(self.snapshot, sample=sample, explainer=self._explainer())
        )
        return made

    def _explainer(self) -> Explainer:
        made: Explainer = self.results.once(
            "explainer", lambda: Explainer(self.snapshot.recipe, whitening=self.snapshot.whitening)
        )
        return made
