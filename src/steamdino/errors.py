"""The errors that a user of this program can cause.

::

    SteamDinoError              anything below; its text is one line that says what to do next
    ├── UsageError              the request itself makes no sense (exit code 2)
    │   └── RecipeError         a recipe, model or strategy that does not exist or does not fit
    ├── OutputError             a file or folder that cannot be written where the user asked for it
    ├── QueryError              no game and no picture fits the query
    ├── GalleryError            a gallery that is absent, damaged, or of another format
    │   ├── NoGalleryError      there is no gallery at that path
    │   ├── GalleryLockedError  another process is writing to it
    │   └── SnapshotError       a damaged snapshot
    │       └── NoSnapshotError there is none yet, or none under that recipe
    ├── ModelError              a model's files are absent, altered, or cannot be fetched
    ├── PictureError            a picture that cannot be decoded, with the reason
    ├── SourceError             a table or an archive that cannot be read at all
    ├── NetworkError            a server that cannot be reached, misbehaves, or must not be asked
    │   ├── BlockedError        it refuses us (403): nothing more may be asked of it
    │   └── ReplyError          it answers, but not what was asked
    ├── BusyError               this process does as much as it can; ask again later
    └── MissingExtraError       an optional dependency is not installed
"""

from __future__ import annotations


class SteamDinoError(Exception):
    """Base of every error that a user can cause: one line, with the value and what to do next."""

    exit_code = 1


class UsageError(SteamDinoError):
    """The request itself makes no sense, whatever the gallery holds."""

    exit_code = 2


class OutputError(SteamDinoError):
    """A file or a folder cannot be written where the user asked for it."""


class QueryError(SteamDinoError):
    """No game and no picture fits the query."""


class RecipeError(UsageError):
    """A recipe, model or strategy that does not exist, or that a model cannot give."""


class GalleryError(SteamDinoError):
    """A gallery that is absent, damaged, or of another format."""


class NoGalleryError(GalleryError):
    """There is no gallery at that path."""


class GalleryLockedError(GalleryError):
    """Another process is writing to the gallery."""


class SnapshotError(GalleryError):
    """There is no snapshot, or it is damaged."""


class NoSnapshotError(SnapshotError):
    """There is no snapshot yet, or none under that recipe."""


class ModelError(SteamDinoError):
    """A model's files are absent, altered, or cannot be fetched."""


class PictureError(SteamDinoError):
    """A picture cannot be decoded; the text is the reason."""


class SourceError(SteamDinoError):
    """A table or an archive cannot be read at all (a single bad row or member is a Problem instead)."""


class NetworkError(SteamDinoError):
    """A server cannot be reached, misbehaves, or must not be asked."""


class BlockedError(NetworkError):
    """A server refuses us: nothing more may be asked of it."""


class ReplyError(NetworkError):
    """A server answers, but not what was asked."""


class BusyError(SteamDinoError):
    """Too much is being done at the same time already.

    Attributes:
        retry: seconds after which to ask again.
    """

    def __init__(self, message: str, retry: int) -> None:
        super().__init__(message)
        self.retry = retry


class MissingExtraError(SteamDinoError):
    """An optional dependency is not installed."""

    def __init__(self, purpose: str, extra: str) -> None:
        super().__init__(f"{purpose} needs an optional part: pip install 'steam-dino[{extra}]'")
