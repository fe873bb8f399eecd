"""The protocol of a writer, which writes matches in one format; `writer_registry` lists all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from steamdino.present.export.answer import Answer
    from steamdino.search import Snapshot


@dataclass(frozen=True, slots=True)
class Context:
    """What a writer may need besides the matches.

    Attributes:
        snapshot: that was searched.
        gallery: its folder; its database may know where pictures are on the internet.
        kind: of banner.
        folder: where the file will be, for relative links to pictures.
    """

    snapshot: Snapshot
    gallery: Path
    kind: str
    folder: Path


class Writer(Protocol):
    """Writes queries with their matches in one format.

    Attributes:
        name: the name that `--format` takes.
        suffix: the suffix of its files.
        binary: whether it writes bytes; else text.
        takes_several: whether it takes several queries; else exactly one.
        embeds_pictures: whether it reads the files of banners, so that it shows names alone where they are missing.
        command: the sub-command of `export`, if it is not `name`.
        help: its help page.
        k: its default number of matches.
    """

    name: str
    suffix: str
    binary: bool = False
    takes_several: bool = True
    embeds_pictures: bool = False
    command: str = ""
    help: str = ""
    k: int = 10

    def check(self) -> None:
        """Check in advance whether the format can be written.

        Raises:
            MissingExtraError: a library is not installed.
        """
        return

    def write(self, answers: Iterable[Answer], file: IO[Any], context: Context) -> None:
        """Write queries with their matches.

        Args:
            answers: one for each query; may be read once only.
            file: open for bytes if `binary`, else for text whose line ends stay as they are.
            context: what else it may need.

        Raises:
            UsageError: the matches cannot be written in this format.
        """
        ...
