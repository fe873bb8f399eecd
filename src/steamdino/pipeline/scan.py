"""One pass over a source: compares what it holds with the gallery, and commits a few hundred games at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from steamdino.banners.read import inspect
from steamdino.catalogue.ids import steam_refusal
from steamdino.catalogue.skipping import Skipped
from steamdino.engines.decoding import ahead
from steamdino.errors import PictureError, SourceError
from steamdino.gallery import Gallery
from steamdino.gallery.games import KnownGame, Source, columns_json
from steamdino.gallery.layout import absolute
from steamdino.net.web_picture import WebPicture
from steamdino.pipeline.missing import missing_most
from steamdino.pipeline.picture_store import is_kept, keep
from steamdino.records import Entry, Problem, Progress
from steamdino.storage.location import Content, LocalFile, Location, PictureStatus

READERS = 32
"""Objects that are read at the same time."""

Found = Entry | Problem


@dataclass(frozen=True, slots=True)
class AddSummary:
    """The result of adding a source, in games.

    Attributes:
        source: its name in the gallery.
        new, changed, unchanged: numbers of games that are in the source.
        without_banner: how many of these have no banner in the gallery.
        gone: number of games that an earlier scan found and this one did not; None if part of the source could not be
            read, so that it is unknown.
        problems: entries that could not be used.
        named: how many of these games got their name from the names that were passed.
        skipped: files and folders that are no pictures of games, counted.
    """

    source: str
    new: int
    changed: int
    unchanged: int
    without_banner: int
    gone: int | None
    problems: tuple[Problem, ...]
    named: int = 0
    skipped: Skipped = field(default_factory=Skipped)


@dataclass(frozen=True, slots=True)
class Listing:
    """What a source holds.

    Attributes:
        read: reads it.
        contents: what is known beforehand; None for an archive, which is read member by member, each with its picture.
        size: how much of it to take at a time.
    """

    read: Callable[[], Iterable[Found]]
    contents: Contents | None
    size: int


@dataclass(frozen=True, slots=True)
class Contents:
    """What is known of a source before anything is taken from it.

    Attributes:
        total: how many games and problems it holds.
        without_picture: whether each id is without a picture; the id is None where something could not be read.
        from_web: whether pictures are downloaded from web servers.
    """

    total: int
    without_picture: Mapping[str | None, bool]
    from_web: bool


def contents_of(listing: Iterable[Found]) -> Contents:
    """Look through what a source holds, without reading any picture."""
    total, without, from_web = 0, {}, False
    for found in listing:
        total += 1
        without[found.id] = _shows_nothing(found)
        from_web |= isinstance(found, Entry) and isinstance(found.location, WebPicture)
    return Contents(total, without, from_web)


class Scan:
    """One pass over a source."""

    def __init__(
        self,
        gallery: Gallery,
        source: Source,
        location: Path | str,
        copy: bool,
        names: Mapping[str, str],
        *,
        keep_old: bool,
        allow_missing: bool,
    ) -> None:
        self._gallery, self._source, self._location, self._names = gallery, source, location, names
        self._copy, self._keep_old, self._allow_missing = copy, keep_old, allow_missing
        self._had = gallery.games.present(source)  # before this pass
        self._known: Mapping[str, KnownGame] = {}  # of the current batch, like the owners
        self._owners: Mapping[str, str] = {}
        self._counts: Counter[str] = Counter()
        self._problems: list[Problem] = []
        self._seen: set[str] = set()

    def check(self, listing: Listing) -> None:
        """Raise an error if the source has lost most of what it had, as far as that shows beforehand."""
        if listing.contents is not None:
            self._check_missing(listing.contents.without_picture)

    def run(self, listing: Listing, progress: Progress | None) -> AddSummary:
        """Take what is new or changed, and mark what is missing.

        Args:
            listing: of the source.
            progress: called with (done, total).

        Raises:
            SourceError: most of what the source had is missing; nothing is marked then.
        """
        total = 0 if listing.contents is None else listing.contents.total
        done, remaining = 0, iter(listing.read())
        while batch := list(islice(remaining, listing.size)):
            with self._gallery.transaction():
                ids = [found.id for found in batch if found.id is not None]
                self._known = self._gallery.games.known(self._source, ids)
                self._owners = self._gallery.games.owners(self._source, ids)
                for found, fetched in self._read(batch):
                    self._take(found, fetched)
                    done += 1
                    if progress:
                        progress(done, total)
        gone = self._end()
        return AddSummary(
            source=self._source.name,
            new=self._counts["new"],
            changed=self._counts["changed"],
            unchanged=self._counts["unchanged"],
            without_banner=self._counts["without banner"],
            gone=gone,
            problems=tuple(self._problems),
            named=self._counts["named"],
        )

    def _end(self) -> int | None:
        # A place that could not be read might hold any game; then nothing is marked as missing.
        complete = all(problem.id is not None for problem in self._problems)
        gone = [key for key in self._had if key not in self._seen]
        if complete:
            self._check_missing(dict.fromkeys(self._seen, False))
        with self._gallery.transaction():
            if gone and complete:
                self._gallery.games.mark_gone(gone)
            self._gallery.games.end_scan(self._source)
            self._gallery.problems.put_scan(self._source, self._problems)
        return len(gone) if complete else None

    def _check_missing(self, found: Mapping[str | None, bool]) -> None:
        """Raise an error if a source has lost most of its games or of their pictures.

        Args:
            found: the ids that are in the source, and whether each is without a picture. If None is among them, part of
                the source could not be read, and what is missing is unknown.
        """
        if self._allow_missing or None in found:
            return
        had_pictures = [key for key, shown in self._had.items() if shown]
        for what, had, left in (
            ("games", len(self._had), sum(key in found for key in self._had)),
            ("pictures", len(had_pictures), sum(not found.get(key, True) for key in had_pictures)),
        ):
            if missing_most(had - left, had):
                raise SourceError(
                    f"{self._location} has {left:,} of the {had:,} {what} that it had, so nothing was changed. Is its"
                    " drive or share mounted? If they are really gone, run again with --allow-missing"
                )

    def _read(self, batch: Sequence[Found]) -> Iterator[tuple[Found, Fetched]]:
        """Ask for what is in no local file in threads ahead, since each answer is waited for."""

        def fetched(found: Found) -> tuple[Found, Fetched]:
            if isinstance(found, Problem) or not (place := _elsewhere(found)):
                return found, None
            try:
                known = self._known.get(found.id)
                status = _status_if_known(place, known) if known and self._is_settled(place, known) else None
                return found, status or place.read()
            except PictureError as error:
                return found, error

        if any(isinstance(found, Entry) and _elsewhere(found) for found in batch):
            yield from ahead(fetched, batch, threads=READERS, waiting=2 * READERS)
        else:
            yield from ((found, None) for found in batch)

    def _take(self, found: Entry | Problem, fetched: Fetched) -> None:
        if isinstance(found, Problem):
            self._problem(found)
            return
        if owner := self._owners.get(found.id):
            reason = (
                f"the id {found.id!r} already belongs to the source {owner!r}; tell them apart with --prefix"
            )
        elif self._source.steam and (refusal := steam_refusal(found.id)):
            reason = f"{refusal}; omit --steam, or fix the id"
        else:
            self._seen.add(found.id)
            self._update(found, self._known.get(found.id), fetched)
            return
        self._problem(Problem(found.where, reason, found.id))

    def _problem(self, problem: Problem) -> None:
        self._problems.append(problem)
        if problem.id is not None:
            self._seen.add(problem.id)

    def _update(self, entry: Entry, known: KnownGame | None, fetched: Fetched) -> None:
        games = self._gallery.games
        entry = replace(entry, name=self._names.get(entry.id, entry.name))
        changed = (
            known is None
            or known.gone
            or (known.name, known.columns) != (entry.name, columns_json(entry.columns))
        )
        if changed:
            games.put_game(self._source, entry)
        has_banner = known is not None and known.sha256 is not None
        try:
            if entry.location is None:
                if has_banner:
                    self._gallery.banners.drop(entry.id, keep_old=self._keep_old)
                has_banner, moved = False, has_banner
            else:
                moved = self._update_banner(entry, _absolute(entry.location), known, fetched)
                has_banner = True
        except PictureError as error:
            # The old banner stays: a file that is half written right now must not replace it.
            self._problem(Problem(entry.where, str(error), entry.id))
            moved = False
        outcome = "new" if known is None else "changed" if changed or moved else "unchanged"
        self._counts[outcome] += 1
        self._counts["without banner"] += not has_banner
        self._counts["named"] += entry.id in self._names

    def _copies(self, location: Location, known: KnownGame | None, *, is_member: bool = False) -> bool:
        """Whether a picture is copied. Once it was, it stays so, even if its source is added without --copy."""
        is_far = is_member or isinstance(location, WebPicture)
        return self._copy or is_far or (known is not None and known.copy is not None)

    def _is_settled(self, location: Location, known: KnownGame, *, is_member: bool = False) -> bool:
        """Whether the gallery has a picture from that place, and a copy of it if it is to have one."""
        copy = self._copies(location, known, is_member=is_member)
        return (
            known.sha256 is not None
            and known.origin == location
            and (is_kept(known.copy, known.size) if copy and known.copy else not copy)
        )

    def _update_banner(
        self,
        entry: Entry,
        location: Location,
        known: KnownGame | None,
        fetched: Fetched,
    ) -> bool:
        """Bring a game's banner up to date; returns whether its content changed."""
        if isinstance(fetched, PictureError):
            raise fetched
        is_member = entry.data is not None
        if entry.data is not None:
            fetched = Content(entry.data, 0)
        settled = known is not None and self._is_settled(location, known, is_member=is_member)
        if not isinstance(fetched, Content):
            if known and settled and (status := fetched or _status_if_known(location, known)):
                if not known.ctime_ns:  # an older version of the program did not record it
                    self._gallery.banners.touch(entry.id, status.mtime_ns, status.ctime_ns)
                return False
            fetched = location.read()
        banner = inspect(location, fetched)
        if known and settled and known.sha256 == banner.sha256:
            self._gallery.banners.touch(entry.id, banner.mtime_ns, banner.ctime_ns)
            return False
        if self._copies(location, known, is_member=is_member):
            banner = replace(banner, location=keep(self._gallery.root, banner, fetched.data, "added"))
        self._gallery.banners.put(entry.id, banner, location, keep_old=self._keep_old)
        return known is None or known.sha256 != banner.sha256


Fetched = Content | PictureStatus | PictureError | None
"""What was asked for ahead: the content, the status if it is the known one, or why there is neither. None if nothing
was asked for."""


def _shows_nothing(found: Found) -> bool:
    """Whether a game is in its source without a picture. A game that is a problem keeps its old picture."""
    return isinstance(found, Entry) and found.location is None and found.data is None


def _elsewhere(entry: Entry) -> Location | None:
    """Where a game's picture is if it is in no file of this machine."""
    return entry.location if entry.data is None and entry.location and entry.location.path is None else None


def _absolute(location: Location) -> Location:
    return location if location.path is None else LocalFile(absolute(location.path))


def _status_if_known(location: Location, known: KnownGame) -> PictureStatus | None:
    """The status of a picture if its mark is the one that it had when it was read; else None."""
    with suppress(PictureError):
        status = location.status()
        same = (status.size, status.mtime_ns) == (known.size, known.mtime_ns)
        if same and known.ctime_ns in (0, status.ctime_ns):
            return status
    return None
