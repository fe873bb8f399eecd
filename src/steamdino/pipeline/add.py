"""Adds a folder, a table, an archive or objects to the gallery: what is new, what changed, what is missing."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path, PurePosixPath

from steamdino.catalogue import archive, bucket, folder, table
from steamdino.catalogue.picture_ids import settled
from steamdino.catalogue.skipping import Skipped
from steamdino.catalogue.source_file import SourceFile, downloaded
from steamdino.catalogue.text_table import Dialect
from steamdino.errors import SourceError, UsageError
from steamdino.gallery import Gallery
from steamdino.gallery.games import Source
from steamdino.gallery.layout import absolute, owner_of
from steamdino.net.web_picture import WebServers
from steamdino.picture_formats import SUFFIXES
from steamdino.pipeline.moved_source import recognised
from steamdino.pipeline.scan import AddSummary, Found, Listing, Scan, contents_of
from steamdino.records import Progress
from steamdino.storage.location import is_address
from steamdino.storage.object_client import split

COMMIT_EVERY = 500
"""Games between two commits: what a kill can cost."""

MEMBERS_AT_A_TIME = 32
"""Members of an archive between two commits; their pictures are held in memory until then."""

DOWNLOADS_AT_A_TIME = 50
"""Games between two commits if pictures are downloaded from web servers, at a low rate."""

LOOKED_AT = 2000
"""Rows of a table among which it is looked for pictures that were added before."""


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
            listing = Listing(lambda: chain(first, members), None, MEMBERS_AT_A_TIME)
        else:
            kind = "table"
            if exclude:
                raise UsageError(
                    f"--exclude is for folders and archives, and {path} is a table; leave it out"
                )

            def rows() -> Iterator[Found]:
                return table.read(file, columns, outside=outside, prefix=prefix, dialect=dialect, web=web)

            # Read twice: a table can have a million rows with long texts.
            contents = contents_of(rows())
            listing = Listing(rows, contents, DOWNLOADS_AT_A_TIME if contents.from_web else COMMIT_EVERY)
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
                listing = Listing(lambda: own, contents_of(own), COMMIT_EVERY)
            scan = Scan(
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
