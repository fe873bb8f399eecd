"""Audits a draft of a banner against a gallery: what it looks like, how unusual it is, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from steamdino.analysis.duplicate_detection import near_cosine
from steamdino.analysis.explain import Explainer, Explanation
from steamdino.analysis.flaws import Flaw, banner_flaws
from steamdino.analysis.rarity import COMPARED, Rarities
from steamdino.analysis.usual_formats import Formats
from steamdino.banners.decode import decode
from steamdino.banners.quality import measure
from steamdino.banners.read import inspect, read_picture
from steamdino.errors import PictureError, QueryError, UsageError
from steamdino.gallery.curation import Shown
from steamdino.records import Filter, Match, Matches
from steamdino.search import Snapshot
from steamdino.storage.location import LocalFile
from steamdino.thresholds import Thresholds


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
        thresholds: Thresholds | None = None,
        without: Sequence[str] = (),
        sample: int = COMPARED,
        explainer: Explainer | None = None,
    ) -> None:
        """Prepare the games that drafts are compared with.

        Args:
            snapshot: of these games.
            tags: tags among whose games drafts are ranked, besides all games.
            size: expected (width, height) of banners; None for any.
            thresholds: the scores below which a draft has a flaw; None for the defaults.
            without: ids or names of games to ignore, such as the draft's own.
            sample: maximum number of games whose nearest neighbours are searched.
            explainer: for the snapshot's recipe; None to load its model once more.

        Raises:
            QueryError: no game has one of the tags, or there is no such game.
            UsageError: a game to ignore is a picture.
        """
        self._snapshot = snapshot
        self._usual = Formats((size,)) if size else Formats()
        self._thresholds = thresholds or Thresholds()
        self._without = [self._id(text) for text in without]
        self._explainer = explainer or Explainer(snapshot.recipe, whitening=snapshot.whitening)
        self._rarities = Rarities(snapshot, without=self._without, sample=sample)
        self._tags = tuple(tags)
        for tag in (None, *self._tags):
            self._rarities.among(_among(tag))

    def __call__(self, picture: Path, k: int = 10, *, tags: Sequence[str] | None = None) -> Audit:
        """Audit a draft.

        Args:
            picture: its file.
            k: maximum number of similar games.
            tags: tags among whose games it is ranked, besides all games; None for those that were given before.

        Raises:
            QueryError: it cannot be read as a picture, or no game has one of the tags.
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
        flaws = banner_flaws(shown, measure(image), self._usual, thresholds=self._thresholds)
        return Audit(
            picture,
            (banner.width, banner.height),
            matches,
            self._taken,
            tuple(self._standing(picture, tag) for tag in (None, *(self._tags if tags is None else tags))),
            tuple(flaws),
            self._explained(content.data, matches),
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
        return taken_from(known.usual["pairs"])

    def _standing(self, picture: Path, tag: str | None) -> Standing:
        rarity = self._rarities.among(_among(tag))
        matches = self._snapshot.similar(picture, 1, only=_among(tag), without=self._without)
        if not matches:
            return Standing(tag, rarity.games, None, None, None)
        return Standing(tag, rarity.games, matches[0], rarity.percentile(matches[0].similarity), rarity.usual)

    def _explained(self, draft: bytes, matches: Matches) -> Explanation | None:
        if not matches or matches[0].game.location is None:
            return None
        try:
            other = read_picture(matches[0].game.location, colours=self._explainer.colours)
        except PictureError:
            return None
        return self._explainer(decode(draft, colours=self._explainer.colours), other)


def taken_from(usual: float) -> float:
    """The lowest similarity of two banners that show the same thing, given the median similarity of all pairs."""
    return near_cosine(usual)


def _among(tag: str | None) -> Filter:
    return Filter() if tag is None else Filter(tags=(tag,))
