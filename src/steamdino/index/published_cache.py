"""The snapshots of a published gallery on this machine: downloaded once, verified, and shared by processes.

::

    <cache>/published/<digest of the address>/
      snapshots/...             as in a gallery
      urls.<kind>.json          of pictures on Steam's servers, by appID
      update.lock               held by the process that downloads

Each file is compared with its sha256 before it is used. What a killed process has downloaded is used by the next one.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from filelock import FileLock

from steamdino.errors import GalleryError, NoGalleryError, SnapshotError
from steamdino.gallery import layout
from steamdino.index import strict_json
from steamdino.index.manifest import MANIFEST, Manifest
from steamdino.index.published_gallery import (
    CONTENTS,
    PUBLISH_ANEW,
    PublishedGallery,
    PublishedSnapshot,
    is_own,
    urls_of,
)
from steamdino.index.snapshot_removal import PREFIX, prune, remove_all, remove_leftovers
from steamdino.index.snapshot_selection import newest
from steamdino.records import Progress
from steamdino.storage import object_files
from steamdino.storage.atomic import make_folder, replace_folder, replacing
from steamdino.storage.cache import ADVICE, cache_folder
from steamdino.wellformed import is_https, is_sha256, shown

FOLDER = "published"


def published_urls(folder: Path, kind: str) -> dict[str, str]:
    """Return the URLs of pictures on Steam's servers by appID, as a published gallery has them; none without one.

    Args:
        folder: as `PublishedCache.folder`.
        kind: of banner.
    """
    try:
        record = strict_json.loads(_urls_file(folder, kind).read_bytes())
    except (FileNotFoundError, NotADirectoryError):  # a packed snapshot has no folder
        return {}
    return {key: url for key, url in record.items() if is_https(url)}


def _urls_file(folder: Path, kind: str) -> Path:
    return folder / f"urls.{kind}.json"


class PublishedCache:
    """The local snapshots of a published gallery. Processes and threads may share them.

    Attributes:
        address: the published gallery's, such as ``s3://bucket/store``.
        folder: holds the snapshots, as a gallery's folder does. It has no database.
    """

    def __init__(self, address: str) -> None:
        """Find the folder; nothing is downloaded yet.

        Raises:
            GalleryError: there is no folder for it.
        """
        cache = cache_folder()
        if cache is None:
            raise GalleryError(f"{address} cannot be opened, since no folder can hold a copy; {ADVICE}")
        self.address = address.rstrip("/")
        self.folder = cache / FOLDER / hashlib.sha256(self.address.encode()).hexdigest()[:16]

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been downloaded yet."""
        return not any(map(newest, self._homes()))

    def update(self, progress: Progress | None = None) -> None:
        """Download what is newer, and forget what is no longer published. Readers keep what they have open.

        Args:
            progress: called with (bytes downloaded, bytes of all that is downloaded).

        Raises:
            NoGalleryError: nothing is published there.
            SnapshotError: an object is damaged; the text names it. What was downloaded before stays.
            NetworkError: the store refuses or does not answer.
            GalleryError: the folder cannot be written to.
        """
        contents = self._contents()
        if self._shows(contents):
            return
        try:
            make_folder(self.folder)
            with FileLock(self.folder / "update.lock"):
                contents = self._contents()  # another process may have updated meanwhile
                missing = [one for one in contents.snapshots if not self._has(one)]
                drafts = [_Draft(self, one) for one in missing]
                total = sum(facts["bytes"] for draft in drafts for facts in draft.files.values())
                report = object_files.summed(progress, total)
                for draft in drafts:
                    draft.finish(report)
                self._take_urls(contents)
                self._forget(contents)
        except OSError as error:
            raise GalleryError(
                f"{self.folder} cannot be written: {error.strerror or error}; free some space, or {ADVICE}"
            ) from None

    def home(self, snapshot: PublishedSnapshot) -> Path:
        """Return the folder of a recipe's snapshots."""
        return self.folder / layout.SNAPSHOTS / snapshot.home

    def _contents(self) -> PublishedGallery:
        address = f"{self.address}/{CONTENTS}"
        data = object_files.read(address)
        if data is None:
            raise NoGalleryError(
                f"nothing is published at {self.address}; publish a gallery with:"
                f" steam-dino publish {self.address} -g GALLERY"
            )
        return PublishedGallery.from_json(data, address)

    def _shows(self, contents: PublishedGallery) -> bool:
        """Whether there is exactly what is published."""
        homes = {home.name for home in self._homes()}
        return (
            homes == {one.home for one in contents.snapshots}
            and all(self._has(one) for one in contents.snapshots)
            and self._has_urls(contents)
        )

    def _homes(self) -> Iterable[Path]:
        return self.folder.joinpath(layout.SNAPSHOTS).glob("*/")

    def _has(self, snapshot: PublishedSnapshot) -> bool:
        latest = newest(self.home(snapshot))
        return latest is not None and _digest(latest / MANIFEST) == snapshot.manifest

    def _has_urls(self, contents: PublishedGallery) -> bool:
        return all(
            _digest(_urls_file(self.folder, kind)) == contents.urls.get(kind, "") for kind in layout.KINDS
        )

    def _take_urls(self, contents: PublishedGallery) -> None:
        for kind in layout.KINDS:
            path, digest = _urls_file(self.folder, kind), contents.urls.get(kind)
            if digest is None:
                path.unlink(missing_ok=True)
            elif _digest(path) != digest:
                data = _verified(f"{self.address}/{urls_of(digest)}", digest)
                with replacing(path) as file:
                    file.write(data)

    def _forget(self, contents: PublishedGallery) -> None:
        kept = {one.home for one in contents.snapshots}
        for home in self._homes():
            if home.name in kept:
                prune(home)
                remove_leftovers(home)
            else:
                remove_all(home)


class _Draft:
    """A snapshot that is being downloaded, in a folder beside its predecessors.

    Attributes:
        files: name -> {"bytes": ..., "sha256": ...}, as in its manifest.
    """

    def __init__(self, cache: PublishedCache, snapshot: PublishedSnapshot) -> None:
        """Download the manifest.

        Raises:
            SnapshotError: it is missing, damaged, or a newer program wrote it.
        """
        self._home = cache.home(snapshot)
        self._folder = self._home / f"{PREFIX}{snapshot.manifest[:16]}"
        self._address = f"{cache.address}/{snapshot.folder}"
        data = _verified(f"{self._address}/{MANIFEST}", snapshot.manifest)
        for leftover in self._home.glob(f"{PREFIX}*"):
            if leftover != self._folder:
                shutil.rmtree(leftover, ignore_errors=True)
        make_folder(self._folder)
        self._folder.joinpath(MANIFEST).write_bytes(data)
        self.files = Manifest.read(self._folder).files
        for name, facts in self.files.items():
            if not is_own(f"{snapshot.folder}/{name}") or not is_sha256(facts["sha256"]):
                raise SnapshotError(f"{self._address}/{MANIFEST} is damaged: {shown(name)}; {PUBLISH_ANEW}")

    def finish(self, report: Callable[[int], None]) -> None:
        """Download the files and move the folder into place.

        Args:
            report: called with the bytes of each part that is there.

        Raises:
            SnapshotError: one is missing or damaged.
            NetworkError: the store refuses or does not answer.
        """
        for name, facts in self.files.items():
            address, path = f"{self._address}/{name}", self._folder / name
            if _digest(path) == facts["sha256"]:  # a process that was killed has left it
                report(facts["bytes"])
                continue
            found = object_files.size(address)
            if found is None or found != facts["bytes"]:
                size = "is missing" if found is None else f"has {found:,} bytes"
                raise SnapshotError(f"{address} {size}, and should have {facts['bytes']:,}; {PUBLISH_ANEW}")
            object_files.download(address, path, found, report)
            _check(address, _digest(path), facts["sha256"])
        latest = newest(self._home)
        replace_folder(self._folder, self._home / str(1 if latest is None else int(latest.name) + 1))


def _verified(address: str, sha256: str) -> bytes:
    """Read a small object whose sha256 is known."""
    data = object_files.read(address)
    if data is None:
        raise SnapshotError(f"{address} is missing; {PUBLISH_ANEW}")
    _check(address, hashlib.sha256(data).hexdigest(), sha256)
    return data


def _digest(path: Path) -> str:
    """The sha256 of a file; empty if there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


def _check(address: str, found: str, expected: str) -> None:
    if found != expected:
        raise SnapshotError(
            f"{address} is damaged: its SHA-256 begins with {found[:12]} and should begin with {expected[:12]};"
            f" {PUBLISH_ANEW}"
        )
