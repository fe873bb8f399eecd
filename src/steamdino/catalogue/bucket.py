"""Read a prefix of object storage as a folder: each picture is a game, whose id is its key without the suffix."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from steamdino.catalogue.folder import printable
from steamdino.catalogue.ids import refusal
from steamdino.catalogue.skipping import IGNORE_FILE, Patterns, Skipped
from steamdino.errors import PictureError, UsageError
from steamdino.picture_formats import SUFFIXES
from steamdino.records import Entry, Problem
from steamdino.storage.object_store import StoredObject, listed


def scan(
    address: str,
    *,
    by_name: bool = False,
    prefix: str = "",
    exclude: Sequence[str] = (),
    skipped: Skipped | None = None,
) -> Iterator[Entry | Problem]:
    """Scan what is below a prefix, in the order of the keys, by the rules of `folder.scan`.

    Args:
        address: of a bucket, or of a prefix in it, such as ``s3://bucket/covers``.
        by_name: use the last part of the key alone as the id, not all below the prefix.
        prefix: put before each id.
        exclude: patterns in the syntax of .gitignore; those in files of the name `skipping.IGNORE_FILE` hold as well.
        skipped: where to count what is skipped.

    Yields:
        an Entry for each picture, with the status that the listing gave; a Problem for each that cannot be used.
        Two may have the same id, as in a folder.

    Raises:
        SourceError: the bucket cannot be listed.
        UsageError: nothing is there, or a pattern cannot be understood.
    """
    address = address.rstrip("/")
    counted = Skipped() if skipped is None else skipped
    places = {place.address.removeprefix(address).lstrip("/"): place for place in listed(address)}
    if not places:
        raise UsageError(f"there is nothing below {address}; name a bucket or a prefix with pictures")
    patterns = _Patterns(Patterns.given(Path(), exclude), places)
    for key, place in places.items():
        where = PurePosixPath(key)
        if any(part.startswith(".") or counted.is_junk(part) for part in where.parts):
            continue
        if where.suffix.lower() not in SUFFIXES:
            counted.count_unread(where.suffix)
        elif patterns.exclude(where):
            counted.excluded += 1
        else:
            game_id = prefix + (where.stem if by_name else str(where.with_suffix("")))
            if reason := refusal(game_id):
                yield Problem(printable(key), reason, printable(game_id))
            else:
                yield Entry(game_id, where.stem, place, key)


class _Patterns:
    """The patterns that hold for each key: those that were given, and those in files of the prefix itself."""

    def __init__(self, given: Patterns, places: Mapping[str, StoredObject]) -> None:
        self._places = places
        self._of_folders = {PurePosixPath(): self._with_file(given, PurePosixPath())}

    def exclude(self, where: PurePosixPath) -> bool:
        """Whether a key is excluded, or a folder that it is in."""
        folders = list(where.parents)[-2::-1]  # from the outermost one, without the prefix itself
        return any(
            self._of(folder.parent).exclude(Path(folder), is_folder=True) for folder in folders
        ) or self._of(where.parent).exclude(Path(where), is_folder=False)

    def _of(self, folder: PurePosixPath) -> Patterns:
        if folder not in self._of_folders:
            self._of_folders[folder] = self._with_file(self._of(folder.parent), folder)
        return self._of_folders[folder]

    def _with_file(self, patterns: Patterns, folder: PurePosixPath) -> Patterns:
        place = self._places.get(str(folder / IGNORE_FILE))
        if place is None:
            return patterns
        try:
            lines = place.read().data.decode("utf-8-sig").splitlines()
        except (PictureError, UnicodeDecodeError) as error:
            raise UsageError(f"{place.address} cannot be read: {error}; write it as UTF-8 text") from None
        return patterns.with_lines(Path(folder), lines, place.address)
