"""The options that choose how and where a command prints, and checks of them before the work begins."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import typer

from steamdino.errors import UsageError
from steamdino.storage import output as storage

HtmlOption = Annotated[
    Path | None,
    typer.Option(
        "--html",
        metavar="FILE",
        help="Also write an HTML page with pictures. - is stdout.",
        show_default=False,
    ),
]
PicturesOption = Annotated[
    bool | None,
    typer.Option(
        "--pictures/--no-pictures",
        help="Show banners in the terminal. Default: if it has enough colours.",
        show_default=False,
    ),
]


def format_option(names: tuple[str, ...], text: str = "Output format.") -> Any:
    """Declare ``--format`` of a command."""
    return typer.Option("--format", metavar="|".join(names), help=text)


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """How a command prints its results. A subclass with other formats declares `format` again.

    Raises:
        UsageError: the format does not exist.
    """

    FORMATS: ClassVar[tuple[str, ...]] = ("table", "json")

    format: Annotated[str, format_option(("table", "json"))] = "table"

    def __post_init__(self) -> None:
        if self.format not in self.FORMATS:
            raise UsageError(f"--format is {self.format!r}; it must be one of: {', '.join(self.FORMATS)}")

    def files(self) -> tuple[tuple[str, Path | None], ...]:
        """The options that name files, and these."""
        return ()

    def check(self, *more: tuple[str, Path | None]) -> None:
        """Check in advance whether everything can be written; see `check_outputs`."""
        check_outputs(*self.files(), *more, form=self.format)


@dataclass(frozen=True, slots=True)
class PageOutputOptions(OutputOptions):
    """How a command prints its results, and a page to write beside."""

    html: HtmlOption = None

    def files(self) -> tuple[tuple[str, Path | None], ...]:
        """The options that name files, and these."""
        return (("--html", self.html),)


def check_outputs(*outputs: tuple[str, Path | None], form: str = "table") -> None:
    """Refuse outputs that cannot be written, before anything is computed.

    Args:
        outputs: options and the files that they name.
        form: how results are printed: a table is for people, and goes to stderr where a file is standard output.

    Raises:
        UsageError: standard output is asked for more than once.
        OutputError: a path is a folder, or something else that cannot be written.
    """
    taken = "" if form == "table" else f"--format {form}"
    for option, path in outputs:
        if path is None:
            continue
        storage.check(path, option)
        if storage.is_stdout(path):
            if taken:
                raise UsageError(
                    f"{taken} and {option} both write to standard output; name a file for one of them"
                )
            taken = option


def check_folder(option: str, folder: Path | None) -> None:
    """Refuse standard output where a folder is written.

    Raises:
        UsageError: the path means standard output.
    """
    if folder is not None and storage.is_stdout(folder):
        raise UsageError(f"{option} is {folder}, and standard output takes one file only; name a folder")
