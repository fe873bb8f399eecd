"""Adds a folder, a table, an archive or objects to the gallery: what is new, what changed, what is missing."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path, PurePosixPath

from steamdino.banners.read import inspect
from steamdino.catalogue import archive, bucket, folder, table
from steamdino.catalogue.ids import steam_refusal
from steamdino.catalogue.picture_ids import settled
from steamdino.catalogue.skipping import Skipped
from steamdino.catalogue.source_file import SourceFile, downloaded
from steamdino.catalogue.text_table import Dialect
from steamdino.engines.decoding import ahead
from steamdino.errors import PictureError, SourceError, UsageError
from steamdino.gallery import Gallery
from steamdino.gallery.games import KnownGame, Source, columns_json
from steamdino.gallery.layout import absolute, owner_of
from steamdino.net.web_picture import WebPicture, WebServers
from steamdino.picture_formats import SUFFIXES
from steamdino.pipeline.missing import missing_most
from steamdino.pipeline.moved_source import recognised
from steamdino.pipeline.picture_store import is_kept, keep
from steamdino.records import Entry, Problem, Progress
from steamdino.storage.location import Content, LocalFile, Location, PictureStatus, is_address
from steamdino.storage.object_client import split

COMMIT_EVERY = 500
"""Games between two commits: what a kill can cost."""

MEMBERS_AT_A_TIME = 32
"""Members of an archive between two commits; their pictures are held in memory until then."""

DOWNLOADS_AT_A_TIME = 50
"""Games between two commits if pictures are downloaded from web servers, at a low rate."""

LOOKED_AT = 2000
"""Rows of a table among which it is looked for pictures that were added before."""

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


def add(
    gallery: str | Path,
    path: str | Path,
    *,
    columns: table.Columns | None = None,
    copy: bool = False,
    keep_old: bool = False,
    steam: bool = False,
    prefix: str = "",
    outside: bool = False,
    names: Mapping[str, str] | None = None,
    allow_missing: bool = False,
    exclude: Sequence[str] = (),
    dialect: Dialect | None = None,
    web: WebServers | None = None,
    moved_from: str = "",
    not_moved: bool = False,
    progress: Progress | None = None,
    transfer: Progress | None = None,
) -> AddSummary:
    """Add a folder, a table, an archive or objects of pictures to a gallery, or bring it up to date.

    What was committed stays if the process is killed; adding again continues from there.

    Args:
        gallery: its folder; created if it does not exist.
        path: a folder of pictures, a table (.csv, .tsv, .jsonl, .parquet), an archive (.tar, .tar.gz, .zip), whose
            pictures are always copied, or an address in object storage (``s3://``, ``gs://``, ``az://``): of a bucket
            or a prefix, which is taken as a folder, or of an archive or a table.
        columns: which of a table's columns hold id, name and path; a path of None adds games without pictures.
        copy: keep a copy of each picture in the gallery instead of a link to where it lies.
        keep_old: keep the gallery's copies of pictures that are replaced, for the record of changes.
        steam: the ids are appIDs: files are found by their names alone, games get links to Steam, and an id that is not
            an appID is a problem.
        prefix: put before each id, to tell sources apart whose ids collide.
        names: of games by id; they replace the names in the source.
        allow_missing: continue if more than half of the games or pictures that the source had are missing.
        exclude: patterns of files and folders to skip, in the syntax of .gitignore, in a folder or an archive.
        dialect: how a CSV or TSV file is written, if it is to be read otherwise than by what is in it.
        web: how pictures whose addresses a table names are requested from web servers; they are always copied.
        moved_from: where the source was when it was added before, or its name in the gallery. Its games keep their ids,
            vectors and decisions.
        not_moved: add pictures as games of their own even if they seem to be a source that has moved.
        outside: let a table name pictures outside its own folder.
        progress: called with (done, total), in games.
        transfer: called with (done, total), in bytes, while an archive or a table in object storage is downloaded.

    Raises:
        UsageError: the path is none of these, or a pattern cannot be understood.
        SourceError: the table or archive cannot be read at all, or most of the source's games or pictures are missing,
            as when a drive is not mounted; nothing is marked as missing then.
        NetworkError: an archive or a table in object storage cannot be downloaded.
        GalleryError: the gallery cannot be used at all.
        MissingExtraError: object storage or Parquet needs a library that is not installed.
    """
    location = str(path).rstrip("/") if is_address(str(path)) else absolute(Path(path))
    skipped = Skipped()
    pictures: list[Found] = []
    with ExitStack() as stack:
        file = _file(path, location, stack, transfer)
        if file is None:
            kind = "objects" if isinstance(location, str) else "folder"
            pictures += (
                bucket.scan(location, by_name=steam, prefix=prefix, exclude=exclude, skipped=skipped)
                if isinstance(location, str)
                else folder.scan(location, by_name=steam, prefix=prefix, exclude=exclude, skipped=skipped)
            )
        elif archive.is_archive(file.path) and file.path.is_file():
            kind = "archive"
            members = archive.read(file, by_name=steam, prefix=prefix, exclude=exclude, skipped=skipped)
            first = list(islice(members, 1))  # before anything is touched
            listing = _Listing(lambda: chain(first, members), None, MEMBERS_AT_A_TIME)
        else:
            kind = "table"
            if exclude:
                raise UsageError(
                    f"--exclude is for folders and archives, and {path} is a table; leave it out"
                )

            def rows() -> Iterator[Found]:
                return table.read(file, columns, outside=outside, prefix=prefix, dialect=dialect, web=web)

            # Read twice: a table can have a million rows with long texts.
            contents = _contents(rows())
            listing = _Listing(rows, contents, DOWNLOADS_AT_A_TIME if contents.from_web else COMMIT_EVERY)
        opened = stack.enter_context(Gallery.write(gallery, "add", create=True))
        if not (moved_from or not_moved or opened.games.has_source(location)):
            _check_moved(
                opened, pictures if file is None else [*islice(rows(), LOOKED_AT)] if kind == "table" else []
            )
        with opened.transaction():
            if moved_from:
                opened.games.move_source(moved_from, location, kind)
            source = opened.games.put_source(kind, location, steam=steam)
            if file is None:
                own = _with_own_ids(opened, source, pictures)
                listing = _Listing(lambda: own, _contents(own), COMMIT_EVERY)
            scan = _Scan(
                opened, source, location, copy, names or {}, keep_old=keep_old, allow_missing=allow_missing
            )
            scan.check(listing)
        return replace(scan.run(listing, progress), skipped=skipped)


def _check_moved(gallery: Gallery, found: Sequence[Found]) -> None:
    """Refuse pictures that seem to be those of another source, which was moved here."""
    if move := recognised(gallery, found):
        old, new = move
        raise SourceError(
            f"most of these pictures were added from {old}, where they are no more; nothing was changed. If they were"
            f" moved, run: steam-dino add {shlex.quote(str(new))} --moved-from {shlex.quote(str(old))} . If they shall"
            " become games of their own, add --not-moved"
        )


def _file(
    path: str | Path, location: Path | str, stack: ExitStack, transfer: Progress | None
) -> SourceFile | None:
    """Return the archive or the table that a source is; None for a folder or a prefix. An object is downloaded."""
    if isinstance(location, str):
        key = PurePosixPath(split(location)[1])
        is_file = archive.is_archive(key) or table.is_table(key)
        if not is_file or str(path).endswith("/"):
            return None
        return stack.enter_context(downloaded(location, transfer))
    if owner := owner_of(location):
        raise UsageError(
            f"{location} holds what the gallery {owner} keeps for itself; name a folder of your own"
        )
    if location.is_dir():
        return None
    if not location.exists():
        raise UsageError(
            f"{path} does not exist; name a folder of pictures, an archive ({', '.join(archive.ENDINGS)})"
            f" or a table ({', '.join(table.FORMATS)})"
        )
    return SourceFile(location)


def _with_own_ids(gallery: Gallery, source: Source, found: Sequence[Found]) -> list[Found]:
    """Give pictures that differ in their suffix alone ids of their own, those that the gallery knows them by."""
    games = gallery.games
    return settled(
        found,
        {} if source.steam else games.places_with_suffix(source, SUFFIXES),
        lambda ids: {key: known.origin for key, known in games.known(source, ids).items()},
        by_name=source.steam,
    )


@dataclass(frozen=True, slots=True)
class _Listing:
    """What a source holds.

    Attributes:
        read: reads it.
        contents: whether each id is without a picture, in the order of the source; the id is None where something could
            not be read. None for an archive, which is read member by member, each with its picture.
        size: how much of it to take at a time.
    """

    read: Callable[[], Iterable[Found]]
    contents: _Contents | None
    size: int


@dataclass(frozen=True, slots=True)
class _Contents:
    total: int
    without_picture: Mapping[str | None, bool]
    from_web: bool


def _contents(listing: Iterable[Found]) -> _Contents:
    total, without, from_web = 0, {}, False
    for found in listing:
        total += 1
        without[found.id] = _shows_nothing(found)
        from_web |= isinstance(found, Entry) and isinstance(found.location, WebPicture)
    return _Contents(total, without, from_web)


class _Scan:
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

    def check(self, listing: _Listing) -> None:
        """Raise an error if the source has lost most of what it had, as far as that shows beforehand."""
        if listing.contents is not None:
            self._check_missing(listing.contents.without_picture)

    def run(self, listing: _Listing, progress: Progress | None) -> AddSummary:
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
