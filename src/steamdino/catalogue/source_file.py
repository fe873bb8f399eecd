"""A table or an archive: a local file, or a copy of an object for as long as it is read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory, gettempdir

from steamdino.errors import SourceError
from steamdino.records import Progress
from steamdino.storage.location import LocalFile, Location
from steamdino.storage.object_files import described, download, summed
from steamdino.storage.object_store import StoredObject


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A table or an archive, which messages call by its place.

    Attributes:
        path: the local file.
        address: of the object that it is a copy of; None if it is no copy.
    """

    path: Path
    address: str | None = None

    def __str__(self) -> str:
        return self.address or str(self.path)

    def member(self, name: str) -> Location:
        """The place of an archive's member, by which it is recognised when it is read again."""
        return StoredObject(f"{self.address}/{name}") if self.address else LocalFile(self.path / name)


@contextmanager
def downloaded(address: str, progress: Progress | None = None) -> Iterator[SourceFile]:
    """Download an object into a temporary file, which is removed when the block ends.

    Args:
        address: of the object; its suffix, one of an archive or a table, says what it is.
        progress: called with (bytes done, total).

    Raises:
        NetworkError: there is no such object, or it cannot be read.
        SourceError: there is no room for it.
    """
    with TemporaryDirectory(prefix="steam-dino-") as folder:
        ending = PurePosixPath(address).suffix.lower()
        path = Path(folder, f"object{'.tar' * (ending == '.gz')}{ending}")
        total, version = described(address)
        try:
            download(address, path, total, summed(progress, total), version=version)
        except OSError as error:
            raise SourceError(
                f"{address} is read from a copy in {gettempdir()}, which cannot be written: {error.strerror}; name"
                " another folder with TMPDIR"
            ) from None
        yield SourceFile(path, address)
