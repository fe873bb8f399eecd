"""How a text table is written: its encoding and its delimiter, as spreadsheets write them."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from steamdino.catalogue.source_file import SourceFile
from steamdino.errors import SourceError, UsageError

LONGEST_FIELD = (
    1 << 20
)  # characters of one CSV field; the csv module's default of 128 Ki is too low for real tables
SEPARATOR_LINE = "sep="
"""Excel begins a table with such a line, and reads the delimiter from it."""
DELIMITERS = (",", ";", "\t", "|")
BLOCK = 1 << 20
WINDOWS = "cp1252"
"""What spreadsheets on Windows write in western languages unless they are told otherwise."""
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a text table is written; None for what is to be found out.

    Attributes:
        delimiter: one character.
        encoding: as Python names it.
    """

    delimiter: str | None = None
    encoding: str | None = None

    def __post_init__(self) -> None:
        """Check both.

        Raises:
            UsageError: the delimiter is not one character, or there is no such encoding.
        """
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '"\r\n'):
            raise UsageError(f"the delimiter is {self.delimiter!r}; it must be one character, such as ; or ,")
        if self.encoding is not None:
            try:
                "".encode(self.encoding)
            except (LookupError, UnicodeError):
                raise UsageError(
                    f"there is no encoding {self.encoding!r}; name one such as utf-8, utf-16 or windows-1252"
                ) from None


@contextmanager
def opened(path: Path, dialect: Dialect) -> Iterator[TextIO]:
    """Open a table's text. Bytes that cannot be decoded become surrogates, so that one bad row spoils no other.

    Args:
        path: the table.
        dialect: its encoding, if that is known.
    """
    encoding = dialect.encoding or encoding_of(path)
    with path.open(encoding=encoding, errors="surrogateescape", newline="") as file:
        yield file


def encoding_of(path: Path) -> str:
    """Find out a table's encoding.

    That is what its byte order mark says. Without one it is UTF-8, even if some bytes are damaged, unless no character
    beyond ASCII is right in UTF-8, and all could be Windows-1252.
    """
    with path.open("rb") as file:
        start = file.read(4)
        for mark, encoding in _MARKS:
            if start.startswith(mark):
                return encoding
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        broken, block = False, b" "
        while block:
            block = file.read(BLOCK)
            beyond = {char for char in set(decoder.decode(block, final=not block)) if char > "\x7f"}
            strays = {char for char in beyond if "\udc80" <= char <= "\udcff"}
            if beyond - strays or any(not _in_windows(char) for char in strays):
                return "utf-8"
            broken |= bool(strays)
    return WINDOWS if broken else "utf-8"


def _in_windows(stray: str) -> bool:
    try:
        bytes([ord(stray) - 0xDC00]).decode(WINDOWS)
    except UnicodeDecodeError:
        return False
    return True


def rows_of(
    file: TextIO, table: SourceFile, column: str, dialect: Dialect, usual: str
) -> tuple[list[str], Rows]:
    """Read the header, and return it with a reader of the rows.

    The delimiter is the one that is given, or that a line like ``sep=;`` names, or else the one with which the header
    has a column.

    Args:
        file: as `opened` returns it.
        table: for messages.
        column: a column that the table should have.
        dialect: its delimiter, if that is known.
        usual: the delimiter unless another one fits.

    Raises:
        SourceError: the header cannot be parsed.
    """
    csv.field_size_limit(LONGEST_FIELD)
    start, before = file.tell(), 0
    first = file.readline()
    delimiter = dialect.delimiter
    named = first.rstrip("\r\n").strip('"')
    if named.lower().startswith(SEPARATOR_LINE) and len(named) == len(SEPARATOR_LINE) + 1:
        delimiter, before = delimiter or named[-1], 1
        start = file.tell()
        first = file.readline()
    if delimiter is None:
        fitting = [one for one in (usual, *DELIMITERS) if column in _split(first, one)]
        delimiter = fitting[0] if fitting else usual
    file.seek(start)
    rows = Rows(file, delimiter, before)
    try:
        header = next(rows.reader, None)
    except csv.Error as error:
        raise SourceError(f"{table}: line {before + 1}: {error}") from None
    return header or [], rows


class Rows:
    """The rows of a table, with the number of the line that each begins in."""

    def __init__(self, file: TextIO, delimiter: str, before: int) -> None:
        self.reader = csv.reader(file, delimiter=delimiter, strict=True)
        self._before = before

    @property
    def line(self) -> int:
        """The number of the line in which the next row begins."""
        return self.reader.line_num + self._before + 1


def _split(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return []
