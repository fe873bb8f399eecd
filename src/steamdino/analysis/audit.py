"""Audits a draft of a banner against a gallery: what it looks like, how unusual it is, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from steamdino.analysis.duplicate_detection import LEAST, NEAR
from steamdino.analysis.explain import Explainer, Explanation
from steamdino.analysis.flaws import Flaw, Sizes, banner_flaws
from steamdino.banners.decode import decode
from steamdino.banners.quality import measure
from steamdino.banners.read import inspect, read_picture
from steamdino.errors import PictureError, QueryError, UsageError
from steamdino.gallery.curation import Shown
from steamdino.records import Filter, Match, Matches
from steamdino.search import Snapshot
from steamdino.storage.location import LocalFile

COMPARED = 2000
"""Maximum number of games whose nearest neighbours are searched: enough for a percentile to a tenth of a point."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How unusual a draft is among some games.

    Attributes:
        tag: the tag that these games share; None for all games.
        games: number of games.
        closest: the game that looks most like the draft; None if there is none.
        percentile: the share of these games, in percent, that are closer to their nearest neighbour than the draft is
            to `closest`. 100 is as unusual as possible. None if there is nothing to compare with.
        usual: the median similarity of these games to their nearest neighbours; None if there is nothing to compare
            with.
    """

    tag: str | None
    games: int
    closest: Match | None
    percentile: float | None
    usual: float | None


@dataclass(frozen=True, slots=True)
class Audit:
    """The result of auditing one draft.

    Attributes:
        picture: the draft's file.
        size: (width, height) in pixels.
        matches: the games that look most like it.
        taken: the lowest similarity of two banners that show the same thing (cropped, recoloured, mirrored, ...) in
            this gallery under this recipe; None if it is unknown.
        standings: how unusual it is, among all games and among the games of each tag.
        flaws: what is wrong with the picture itself.
        explanation: why the closest game matches; None if there is no match, or its picture cannot be read.
    """

    picture: Path
    size: tuple[int, int]
    matches: Matches
    taken: float | None
    standings: tuple[Standing, ...]
    flaws: tuple[Flaw, ...]
    explanation: Explanation | None

    @property
    def is_taken(self) -> bool:
        """Whether a game shows the same thing already."""
        return bool(self.matches) and (
            self.matches[0].identical or (self.taken is not None and self.matches[0].similarity >= self.taken)
        )


class Auditor:
    """Audits drafts against one snapshot. Threads may share it."""

    def __init__(
        self,
        snapshot: Snapshot,
        *,
        tags: Sequence[str] = (),
        size: tuple[int, int] | None = None,
        without: Sequence[str] = (),
    ) -> None:
        """Prepare the games that drafts are compared with.

        Args:
            snapshot: of these games.
            tags: tags among whose games drafts are ranked, besides all games.
            size: expected (width, height) of banners; None for any.
            without: ids or names of games to ignore, such as the draft's own.

        Raises:
            QueryError: no game has one of the tags, or there is no such game.
            UsageError: a game to ignore is a picture.
        """
        self._snapshot = snapshot
        self._size = size
        self._without = [self._id(text) for text in without]
        self._explainer = Explainer(snapshot.recipe, whitening=snapshot.whitening)
        filters = [(None, Filter()), *((tag, Filter(tags=(tag,))) for tag in tags)]
        self._scopes = [(tag, only, *self._closenesses(only)) for tag, only in filters]

    def __call__(self, picture: Path, k: int = 10) -> Audit:
        """Audit a draft.

        Args:
            picture: its file.
            k: maximum number of similar games.

        Raises:
            QueryError: it cannot be read as a picture.
            UsageError: k is below 1.
        """
        try:
            content = LocalFile(picture).read()
            banner, image = inspect(LocalFile(picture), content), decode(content.data)
        except PictureError as error:
            raise QueryError(f"{picture}: {error}") from error
        matches = self._snapshot.similar(picture, k, without=self._without)
        shown = Shown(
            "", picture.name, str(picture), content.sha256, banner.width, banner.height, banner.mode
        )
        flaws = banner_flaws(shown, measure(image), Sizes(self._size, shown.width / shown.height))
        return Audit(
            picture,
            (banner.width, banner.height),
            matches,
            self._taken,
            tuple(self._standing(picture, *scope) for scope in self._scopes),
            tuple(flaws),
            self._explained(image, matches),
        )

    def _id(self, text: str) -> str:
        game = self._snapshot.find(text).game
        if game is None:
            raise UsageError(f"{text!r} is a picture; name the game to leave out by its id or name")
        return game.id

    @property
    def _taken(self) -> float | None:
        known = self._snapshot.manifest.similarity
        if known is None:
            return None
        usual = known.usual["pairs"]
        return usual + LEAST[NEAR] * (1 - usual)

    def _closenesses(self, only: Filter) -> tuple[int, NDArray[np.float32]]:
        """Count the games that a filter allows, and sort the similarities of a sample to their nearest neighbours."""
        out = {self._snapshot.row(key) for key in self._without}
        rows = np.array([row for row in self._snapshot.rows(only).tolist() if row not in out], np.intp)
        some = (
            rows[np.linspace(0, len(rows) - 1, min(len(rows), COMPARED)).astype(np.intp)]
            if len(rows)
            else rows
        )
        among = np.zeros(len(self._snapshot), np.bool_)
        among[rows] = True
        _, cosines = self._snapshot.index.neighbours(1, rows=some, among=among)
        return len(rows), np.sort(cosines[:, 0] if len(rows) > 1 else np.empty(0, np.float32))

    def _standing(
        self, picture: Path, tag: str | None, only: Filter, games: int, closenesses: NDArray[np.float32]
    ) -> Standing:
        matches = self._snapshot.similar(picture, 1, only=only, without=self._without)
        if not matches or not len(closenesses):
            return Standing(tag, games, matches[0] if matches else None, None, None)
        closer = len(closenesses) - np.searchsorted(closenesses, matches[0].similarity, "right")
        percentile = 100 * float(closer) / len(closenesses)
        return Standing(tag, games, matches[0], percentile, float(np.median(closenesses)))

    def _explained(self, draft: Image.Image, matches: Matches) -> Explanation | None:
        if not matches or matches[0].game.location is None:
            return None
        try:
            other = read_picture(matches[0].game.location)
        except PictureError:
            return None
        return self._explainer(draft, other)
