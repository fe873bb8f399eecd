"""`steam-dino add`: pictures from a folder, a table, an archive or object storage."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from steamdino.errors import UsageError
from steamdino.present.cli.console import note, say
from steamdino.present.cli.options import GalleryOptions, KeepOldOption
from steamdino.present.display_text import counted, printable

if TYPE_CHECKING:
    from steamdino.catalogue.skipping import Skipped
    from steamdino.net.web_picture import WebServers
    from steamdino.pipeline import AddSummary

SHOWN = 10
TAB = ("tab", "\\t")
"""How a tab can be written on the command line."""
FASTEST = 1000.0
"""Pictures per second."""
FEW = 0.5
"""Share of named games below which a list of names seems to belong to other games."""


def add(
    path: Annotated[
        str,
        typer.Argument(
            metavar="PATH",
            help="A folder, a table (.csv, .tsv, .jsonl, .parquet) or an archive (.tar, .tar.gz, .zip), on this machine"
            " or in object storage (s3://, gs://, az://; extra: objects), where a prefix is a folder.",
        ),
    ],
    *,
    gallery: GalleryOptions,
    id_column: Annotated[
        str, typer.Option("--id", metavar="COLUMN", help="Column of a table with the id.")
    ] = "id",
    name_column: Annotated[
        str, typer.Option("--name", metavar="COLUMN", help="Column of a table with the name.")
    ] = "name",
    path_column: Annotated[
        str,
        typer.Option(
            "--path",
            metavar="COLUMN",
            help="Column of a table with the picture's path, relative to the table, or address (s3://, https://).",
        ),
    ] = "path",
    no_pictures: Annotated[
        bool, typer.Option("--no-pictures", help="The table names no pictures; its games have no banner.")
    ] = False,
    delimiter: Annotated[
        str | None,
        typer.Option(
            metavar="CHARACTER",
            help="Delimiter of a CSV or TSV file; tab for a tab.",
            show_default="found out",
        ),
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Encoding of a CSV or TSV file, such as utf-16 or windows-1252.",
            show_default="found out",
        ),
    ] = None,
    copy: Annotated[
        bool, typer.Option("--copy", help="Copy each picture into the gallery instead of linking to it.")
    ] = False,
    keep_old: KeepOldOption = None,
    steam: Annotated[
        bool, typer.Option("--steam", help="The ids are Steam appIDs; games link to the store.")
    ] = False,
    prefix: Annotated[str, typer.Option(help="Prefix for each id, if the ids of two sources collide.")] = "",
    allow_outside: Annotated[
        bool, typer.Option("--allow-outside", help="Allow a table to name pictures outside its folder.")
    ] = False,
    names: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Names of appIDs: JSON from Steam (IStoreService.json) or SteamSpy, or lines like 730,Counter-Strike.",
            show_default=False,
        ),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            help="Pictures per second from each web server that a table names; 0 for no limit. Default: 10.",
            show_default=False,
        ),
    ] = None,
    allow_missing: Annotated[
        bool,
        typer.Option("--allow-missing", help="Continue even if most of the known games are missing."),
    ] = False,
    moved_from: Annotated[
        str,
        typer.Option(
            metavar="PATH",
            help="Where this was when it was added before, or the name of the source: its games stay the same.",
            show_default=False,
        ),
    ] = "",
    not_moved: Annotated[
        bool,
        typer.Option(
            "--not-moved", help="Add pictures that seem to be a moved source as games of their own."
        ),
    ] = False,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN",
            help="Skip files and folders that match, in the syntax of .gitignore. Repeatable.",
            show_default=False,
        ),
    ] = None,
    all_problems: Annotated[
        bool, typer.Option("--all-problems", help="Print every problem, not only ten.")
    ] = False,
) -> None:
    """Add a folder, a table or an archive of pictures to a gallery, or update it.

    In a folder (and its subfolders) each picture is a game; its id is its path without the suffix. A table has a row
    for each game; columns other than id, name and path are kept and can be shown. Pictures stay where they are: the
    gallery links to them, or copies them with --copy. Pictures of an archive or a web server are always copied.

    Adding the same path again updates it: new, changed and missing games are found (missing ones are marked, not
    deleted). If fewer than half of the games are left, nothing is marked, as the drive may not be mounted;
    --allow-missing continues.

    If you have moved the pictures, pass --moved-from with their former place: vectors, decisions and exclusions stay.

    Junk of operating systems, such as @eaDir or Thumbs.db, is skipped. So is what --exclude or a file .steamdinoignore,
    in any of the folders, names.

    Exit code 1 means that something could not be used; everything else was added.

    **Examples**

        steam-dino add covers/
        steam-dino add s3://bucket/covers
        steam-dino add s3://bucket/covers.tar.gz
        steam-dino add games.jsonl --id appid --name title --path file --steam
        steam-dino add resized_vertical_steam_banners.tar --steam --names IStoreService.json
    """
    from steamdino.catalogue.steam import app_lists
    from steamdino.catalogue.table import Columns
    from steamdino.catalogue.text_table import Dialect
    from steamdino.picture_formats import SUFFIXES
    from steamdino.pipeline import add as run
    from steamdino.present.cli.progress import bars
    from steamdino.storage.location import is_address

    settings = gallery.settings(keep_old=keep_old)
    known = app_lists.read_names(names) if names else None
    stages = (*[("Reading", "MB")] * is_address(path), ("Adding", "games"))
    with bars(*stages) as drawn:
        try:
            summary = run(
                settings.folder,
                path,
                columns=Columns(id_column, name_column, None if no_pictures else path_column),
                dialect=Dialect("\t" if delimiter in TAB else delimiter, encoding),
                copy=copy,
                keep_old=settings.keep_old,
                steam=steam,
                prefix=prefix,
                outside=allow_outside,
                names=known,
                allow_missing=allow_missing,
                exclude=exclude or (),
                moved_from=moved_from,
                not_moved=not_moved,
                web=_web_servers(rate),
                progress=drawn[-1],
                transfer=lambda done, total: drawn[0](done // 10**6, total // 10**6),
            )
        except KeyboardInterrupt:
            note("Stopped. Games added so far are kept; run the same command to continue.")
            raise typer.Exit(130) from None
    shown = summary.problems if all_problems else summary.problems[:SHOWN]
    for problem in shown:
        note(f"{printable(problem.where)}: {printable(problem.reason)}")
    if len(shown) < len(summary.problems):
        note(f"... and {len(summary.problems) - len(shown):,} more; see: steam-dino info --problems")
    counts = {
        "new": summary.new,
        "changed": summary.changed,
        "unchanged": summary.unchanged,
        "missing": summary.gone,
        "without a banner": summary.without_banner,
        "problem" if len(summary.problems) == 1 else "problems": len(summary.problems),
    }
    # If part of the source was unreadable, the missing games are unknown.
    outcome = ", ".join(f"{'?' if n is None else format(n, ',')} {label}" for label, n in counts.items())
    say(f"{printable(summary.source)}: {outcome}")
    _print_skipped(summary.skipped)
    if names and known:
        _print_named(names.name, len(known), summary, steam)
    if not any(counts.values()):
        note(f"Found no games in {printable(path)}. Pictures must end in {', '.join(SUFFIXES)}.")
    if summary.problems:
        raise typer.Exit(1)


def _web_servers(rate: float | None) -> WebServers | None:
    from steamdino.net.web_picture import WebServers

    if rate is None:
        return None
    if not 0 <= rate <= FASTEST:
        raise UsageError(f"--rate is {rate:g}; it must be a number from 0 to {FASTEST:g}")
    return WebServers(rate)


def _print_skipped(skipped: Skipped) -> None:
    """Report what is no picture of a game, by kind."""
    if skipped.junk:
        named = ", ".join(f"{count:,} {printable(name)}" for name, count in sorted(skipped.junk.items()))
        note(f"Skipped junk of other programs: {named}")
    if skipped.excluded:
        note(
            f"Excluded by patterns: {counted(skipped.excluded, 'picture or folder', 'pictures and folders')}"
        )
    if skipped.unread:
        named = ", ".join(f"{count:,} {form}" for form, count in skipped.unread.most_common())
        note(f"Not read: {named}. {_what_helps(skipped.unread)}")


def _what_helps(unread: Iterable[str]) -> str:
    """What to do about formats that are not read."""
    from steamdino.installation import extra_command
    from steamdino.picture_formats import PLUGINS

    with_plugin = [plugin.label for plugin in PLUGINS.values() if plugin.label in unread]
    if not with_plugin:
        return "Convert them to PNG, WebP or JPEG to add them."
    read = f"To read {' and '.join(with_plugin)}, run: {extra_command('formats')}"
    return f"{read}. Convert the others to PNG, WebP or JPEG." if set(unread) > set(with_plugin) else read


def _print_named(file: str, names: int, summary: AddSummary, steam: bool) -> None:
    """Report how many games a list of names has named, and warn if it seems to belong to other games."""
    total = summary.new + summary.changed + summary.unchanged
    file, games = printable(file), counted(total, "game", "games")
    say(f"{file}: {summary.named:,} of {games} named, from {counted(names, 'name', 'names')}")
    if summary.named < FEW * total:
        few = f"Only {summary.named:,}" if summary.named else "None"
        hint = "Is it the list of these games?" if steam else "If the ids are appIDs, add them with --steam."
        note(f"{few} of {games} got a name from {file}, which lists names by appID. {hint}")
