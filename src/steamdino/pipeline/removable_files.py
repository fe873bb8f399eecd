"""The files of removable pictures: those that lie in folders of the user's, while the picture that is kept is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from steamdino.errors import PictureError
from steamdino.gallery import Gallery
from steamdino.gallery.curation import Original
from steamdino.gallery.layout import VERTICAL, location, owner_of
from steamdino.pipeline.duplicate_groups import Duplicates, Member
from steamdino.storage.moved_files import file_sha256


@dataclass(frozen=True, slots=True)
class RemovableFile:
    """A file that can be removed.

    Attributes:
        game_id: the game whose banner it is.
        path: the file, absolute.
        folder: of the source that has it, absolute.
        source: the source's name.
        sha256: of its content.
        kept: the file of the picture that is kept; None if that is not in a local file.
        is_identical: whether that has the same bytes.
    """

    game_id: str
    path: Path
    folder: Path
    source: str
    sha256: str
    kept: Path | None
    is_identical: bool


@dataclass(frozen=True, slots=True)
class Skipped:
    """A removable picture whose file is left alone.

    Attributes:
        game_id: its game.
        place: where it is, as text.
        reason: why, as a part of a sentence.
    """

    game_id: str
    place: str
    reason: str


def removable_files(
    opened: Gallery, groups: Sequence[Duplicates], kind: str = VERTICAL
) -> tuple[list[RemovableFile], list[Skipped]]:
    """Find the files of the removable pictures of groups, and those that must stay.

    All files are read: a file is left alone if it is not what was added, or if the picture to keep is not there.

    Args:
        opened: the gallery.
        groups: as `duplicate_search.duplicates` returns them.
        kind: of banner.
    """
    kept_of = _kept(groups)
    ids = {one.game_id for pair in kept_of.values() for one in pair}
    files = _Files(opened, opened.curation.originals(ids, kind))
    found: dict[Path, RemovableFile] = {}
    skipped = []
    for member, kept in kept_of.values():
        try:
            one = files.removable(member, kept)
            found.setdefault(one.path, one)
        except _LeftAloneError as error:
            skipped.append(Skipped(member.game_id, member.path, str(error)))
    return list(found.values()), skipped


def _kept(groups: Iterable[Duplicates]) -> dict[str, tuple[Member, Member]]:
    """For the id of each removable picture: the picture, and the one that is kept instead.

    The best picture of one group may be a copy in another. Then the best of that one is kept instead of both.
    """
    pairs: dict[str, tuple[Member, Member]] = {}
    for group in groups:
        for member in group.others:
            if member.removable:
                pairs.setdefault(member.game_id, (member, group.representative))
    return {key: (member, _last(pairs, kept)) for key, (member, kept) in pairs.items()}


def _last(pairs: dict[str, tuple[Member, Member]], kept: Member) -> Member:
    seen = set()
    while kept.game_id in pairs and kept.game_id not in seen:
        seen.add(kept.game_id)
        kept = pairs[kept.game_id][1]
    return kept


class _LeftAloneError(Exception):
    """Why a file is left alone."""


class _Files:
    """The files of pictures, each read at most once."""

    def __init__(self, opened: Gallery, originals: Mapping[str, Original]) -> None:
        self._opened, self._originals = opened, originals
        self._is_intact = cache(self._read)

    def removable(self, member: Member, kept: Member) -> RemovableFile:
        """Check a removable picture's file and the one that is kept.

        Raises:
            _LeftAloneError: the file must stay.
        """
        original = self._originals.get(member.game_id)
        path = self._path(original)
        if original is None:
            raise _LeftAloneError("its game is missing from its source")
        if path is None:
            raise _LeftAloneError("it is not in a file of yours")
        source = self._opened.games.folder_of(original.source)
        if source is None:
            raise _LeftAloneError("a table or an archive names it; only files of folders are moved or linked")
        name, folder = source
        below = [one for one in (path, *path.parents) if one.is_relative_to(folder) and one != folder]
        if not below or owner_of(path) or any(one.is_symlink() for one in below):
            raise _LeftAloneError("it is a link, or belongs to a gallery")
        if not self._is_intact(path, member.sha256):
            raise _LeftAloneError("it is missing, or has changed since it was added")
        other = self._path(self._originals.get(kept.game_id))
        if not (self._is_intact(other, kept.sha256) if other else _is_stored(kept)):
            raise _LeftAloneError("the picture to keep is missing, or has changed since it was added")
        if other and path.samefile(other):
            raise _LeftAloneError("it is the same file as the one to keep")
        return RemovableFile(
            member.game_id, path, folder, name, member.sha256, other, member.sha256 == kept.sha256
        )

    def _path(self, original: Original | None) -> Path | None:
        if original is None or original.from_store:
            return None
        return location(original.origin, str(self._opened.root)).path

    def _read(self, path: Path, sha256: str) -> bool:
        return file_sha256(path) == sha256


def _is_stored(kept: Member) -> bool:
    """Whether a picture that was added from no local file is where the gallery has it."""
    try:
        return kept.location is not None and kept.location.read().sha256 == kept.sha256
    except PictureError:
        return False
