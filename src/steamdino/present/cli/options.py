"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from steamdino.errors import UsageError
from steamdino.storage import output as storage

GalleryOption = Annotated[
    Path | None,
    typer.Option(
        "--gallery",
        "-g",
        metavar="DIR",
        help="The gallery's folder. Default: $STEAMDINO_GALLERY, steamdino.toml, ./gallery.",
        show_default=False,
    ),
]
RecipeOption = Annotated[
    str | None,
    typer.Option("--recipe", metavar="NAME", help="The recipe's name or hash.", show_default=False),
]
PrecisionOption = Annotated[
    str | None,
    typer.Option(
        "--precision",
        metavar="f32|bf16|auto",
        help="Of the inference: exact, twice as fast where the CPU has it, or whichever is faster. Default: f32.",
        show_default=False,
    ),
]
CountOption = Annotated[int, typer.Option("-k", metavar="N", help="How many matches.")]
SnapshotOption = Annotated[
    Path | None,
    typer.Option(
        "--snapshot", metavar="FILE", help="Ask a packed snapshot (or your own snapshot's folder) instead."
    ),
]
AlikeOption = Annotated[
    bool, typer.Option("--alike", help="Only matches closer than 99.9 % of pairs, however many those are.")
]
KindOption = Annotated[
    str,
    typer.Option("--kind", metavar="vertical|header|hero", help="Of banner, where a gallery holds several."),
]
TagOption = Annotated[
    list[str] | None,
    typer.Option(
        "--tag", metavar="TAG", help="Only games with this tag; give it again for more.", show_default=False
    ),
]
ReleasedOption = Annotated[
    str, typer.Option("--released", metavar="WHEN", help="Only games of then: 2020, 2020.. or 2020-05..2021.")
]
ReviewsOption = Annotated[
    int, typer.Option("--min-reviews", metavar="N", help="Only games with so many reviews.")
]
FreeOption = Annotated[bool, typer.Option("--free", help="Only games that cost nothing.")]
AdultOption = Annotated[bool, typer.Option("--adult/--no-adult", help="Show adult-only games, too.")]
FORMATS = ("table", "json", "csv", "md", "bbcode", "html", "ids")
FormatOption = Annotated[str, typer.Option("--format", metavar="|".join(FORMATS), help="How to print.")]
SheetOption = Annotated[
    Path | None,
    typer.Option(
        "--sheet", metavar="FILE", help="Also write the banners as one PNG; - for stdout.", show_default=False
    ),
]
HtmlOption = Annotated[
    Path | None,
    typer.Option(
        "--html", metavar="FILE", help="Also write a page with pictures; - for stdout.", show_default=False
    ),
]
ShowOption = Annotated[
    str,
    typer.Option("--show", metavar="COLUMN,...", help="Further columns of the games to print in the table."),
]
PicturesOption = Annotated[
    bool | None,
    typer.Option(
        "--pictures/--no-pictures",
        help="Draw the banners in the terminal. Default: where it can.",
        show_default=False,
    ),
]


def check_format(output: str, known: tuple[str, ...] = FORMATS) -> None:
    """Refuses a format that does not exist, before anything is computed.

    Raises:
        UsageError: there is none of that name.
    """
    if output not in known:
        raise UsageError(f"--format is {output!r}; it must be one of: {', '.join(known)}")


def check_outputs(*outputs: tuple[str, Path | None], form: str = "table") -> None:
    """Refuses outputs that cannot be written, before anything is computed.

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
    """Refuses standard output where a folder is written.

    Raises:
        UsageError: the path means standard output.
    """
    if folder is not None and storage.is_stdout(folder):
        raise UsageError(f"{option} is {folder}, and standard output takes one file only; name a folder")
