"""What a source holds besides pictures of games: junk of other programs, what patterns exclude, unknown formats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore.base import GitIgnorePatternError

from steamdino.errors import UsageError
from steamdino.picture_formats import UNREAD

IGNORE_FILE = ".steamdinoignore"
"""A file of patterns, in the syntax of .gitignore. It holds for its folder and all below."""

JUNK = frozenset(
    {
        "@eadir",  # Synology's thumbnails
        "$recycle.bin",
        "system volume information",
        "lost+found",
        "__macosx",
        "thumbs.db",
        "desktop.ini",
    }
)
"""Names, in lower case, of what operating systems and their tools leave. Hidden names (.Trash, ._cover.jpg) begin with
a dot, and are skipped without a word."""


@dataclass(slots=True)
class Skipped:
    """What was skipped, counted.

    Attributes:
        junk: files and folders of other programs, by name.
        excluded: pictures and folders that patterns exclude.
        unread: pictures of formats that are not read, by format.
    """

    junk: Counter[str] = field(default_factory=Counter)
    excluded: int = 0
    unread: Counter[str] = field(default_factory=Counter)

    def is_junk(self, name: str) -> bool:
        """Whether a name is that of junk, which is then counted."""
        if name.lower() not in JUNK:
            return False
        self.junk[name] += 1
        return True

    def count_unread(self, suffix: str) -> None:
        """Count a file if its suffix, with the dot, is that of a format that is not read."""
        if form := UNREAD.get(suffix.lower()):
            self.unread[form] += 1


@dataclass(frozen=True, slots=True)
class Patterns:
    """Patterns in the syntax of .gitignore, each set with the folder that it holds for; later sets decide."""

    sets: tuple[tuple[Path, GitIgnoreSpec], ...] = ()

    @classmethod
    def given(cls, root: Path, lines: Iterable[str]) -> Self:
        """Read the patterns that a person gave.

        Raises:
            UsageError: one cannot be understood.
        """
        return cls(((root, _spec(list(lines), "--exclude")),))

    def below(self, folder: Path) -> Patterns:
        """Return these and those of a folder's own file.

        Raises:
            UsageError: the file cannot be read or understood.
        """
        path = folder / IGNORE_FILE
        try:
            lines = path.read_text("utf-8-sig").splitlines()
        except (FileNotFoundError, NotADirectoryError):
            return self
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{path} cannot be read: {error}; write it as UTF-8 text") from None
        return self.with_lines(folder, lines, str(path))

    def with_lines(self, folder: Path, lines: list[str], origin: str) -> Patterns:
        """Return these and the patterns of a file, which hold below its folder.

        Raises:
            UsageError: one cannot be understood; the error names the origin.
        """
        return Patterns((*self.sets, (folder, _spec(lines, origin))))

    def exclude(self, path: Path, *, is_folder: bool) -> bool:
        """Return whether a file or a folder is excluded; the last pattern that matches decides, as for git."""
        for folder, spec in reversed(self.sets):
            where = path.relative_to(folder).as_posix() + ("/" if is_folder else "")
            if (decided := spec.check_file(where).include) is not None:
                return decided
        return False


def _spec(lines: list[str], origin: str) -> GitIgnoreSpec:
    try:
        return GitIgnoreSpec.from_lines(lines)
    except (GitIgnorePatternError, ValueError) as error:
        raise UsageError(f"{origin} has a pattern that cannot be understood: {error}") from None
