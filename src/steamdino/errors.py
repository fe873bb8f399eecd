"""Exceptions that a user's input or environment can cause.

::

    SteamDinoError              base class; the message is one line that says what to do next
    ├── UsageError              the request itself is invalid (exit code 2)
    │   └── RecipeError         a recipe, model or strategy that does not exist or does not fit
    ├── OutputError             a file or folder cannot be written where the user asked for it
    ├── QueryError              no game and no picture matches the query
    ├── GalleryError            a gallery is missing, damaged, or of another format
    │   ├── NoGalleryError      there is no gallery at that path
    │   ├── GalleryLockedError  another process is writing to the gallery
    │   └── SnapshotError       a snapshot is damaged
    │       └── NoSnapshotError there is no snapshot yet, or none for that recipe
    ├── ModelError              a model's files are missing, altered, or cannot be downloaded
    ├── EngineError             what encodes on other machines cannot be reached or used
    ├── PictureError            a picture cannot be decoded; the message is the reason
    ├── SourceError             a table or an archive cannot be read at all
    ├── NetworkError            a server cannot be reached, misbehaves, or is not allowed
    │   ├── BlockedError        the server refuses access (403): send it no more requests
    │   └── ReplyError          the server's reply is not a valid answer to the request
    ├── BusyError               this process is at its limit; try again later
    ├── NotComputedError        it takes long to compute, and no command has stored it yet
    └── MissingExtraError       an optional dependency is not installed
"""

from __future__ import annotations


class SteamDinoError(Exception):
    """Base class of all errors that a user can cause; the message is one line with the value and what to do next."""

    exit_code = 1


class UsageError(SteamDinoError):
    """The request itself is invalid, whatever the gallery holds."""

    exit_code = 2


class OutputError(SteamDinoError):
    """A file or a folder cannot be written where the user asked for it."""


class QueryError(SteamDinoError):
    """No game and no picture matches the query."""


class RecipeError(UsageError):
    """A recipe, model or strategy does not exist, or a model does not support it."""


class GalleryError(SteamDinoError):
    """A gallery is missing, damaged, or of another format."""


class NoGalleryError(GalleryError):
    """There is no gallery at that path."""


class GalleryLockedError(GalleryError):
    """Another process is writing to the gallery."""


class SnapshotError(GalleryError):
    """A snapshot is missing or damaged."""


class NoSnapshotError(SnapshotError):
    """There is no snapshot yet, or none for that recipe."""


class ModelError(SteamDinoError):
    """A model's files are missing, altered, or cannot be downloaded."""


class EngineError(SteamDinoError):
    """What encodes on other machines cannot be reached or used."""


class PictureError(SteamDinoError):
    """A picture cannot be decoded; the message is the reason."""


class SourceError(SteamDinoError):
    """A table or an archive cannot be read at all (a single bad row or member is a Problem instead)."""


class NetworkError(SteamDinoError):
    """A server cannot be reached, misbehaves, or is not allowed."""


class BlockedError(NetworkError):
    """A server refuses access; no more requests may be sent to it."""


class ReplyError(NetworkError):
    """A server's reply is not a valid answer to the request."""


class BusyError(SteamDinoError):
    """The limit on concurrent work in this process is reached.

    Attributes:
        retry: seconds after which to try again.
    """

    def __init__(self, message: str, retry: int) -> None:
        super().__init__(message)
        self.retry = retry


class NotComputedError(SteamDinoError):
    """What was asked for takes long to compute and was not stored by a command yet."""


class MissingExtraError(SteamDinoError):
    """An optional dependency is not installed."""

    def __init__(self, purpose: str, extra: str) -> None:
        from steamdino.installation import extra_command

        super().__init__(f"{purpose} needs the extra {extra!r}; run: {extra_command(extra)}")
