"""Pages and pictures of matches."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from steamdino.errors import UsageError
from steamdino.present.cli.console import beside, note, say
from steamdino.present.cli.export_commands.selection import CountOption, Selection
from steamdino.present.cli.filter_options import CutoffOptions
from steamdino.present.cli.match_output import note_missing_pictures
from steamdino.present.cli.options import RecipeOptions, SearchOptions
from steamdino.present.cli.output_options import check_folder, check_outputs
from steamdino.present.display_text import counted
from steamdino.present.export.answer import Answer
from steamdino.present.export.writers.html_sheet import HtmlSheet
from steamdino.present.export.writers.png_sheet import PngSheet
from steamdino.present.export.writers.writer import Context
from steamdino.search import Snapshot
from steamdino.storage.output import output_name, writing, writing_text


@dataclass(frozen=True, slots=True)
class PageSelection(Selection):
    """The games or pictures of a page."""

    queries: Annotated[
        list[str] | None,
        typer.Argument(metavar="[QUERY]...", help="Ids, names or picture files.", show_default=False),
    ] = None


def html(
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="HTML file to write. - is stdout.")
    ],
    asked: PageSelection,
    gallery: SearchOptions,
    k: CountOption = 10,
    recipe: RecipeOptions,
    least: CutoffOptions,
    title: Annotated[str, typer.Option(help="Heading of the page.")] = "Banners that look alike",
) -> None:
    """Write one HTML page with queries and their matches.

    The pictures are part of the file, so you can send it to somebody and open it offline.

    **Example**

        steam-dino export html 730 "half life" draft.png -o alike.html
    """
    check_outputs(("-o", output))
    cutoff = least.cutoff
    snapshot = gallery.open(recipe)
    asked.check_names(snapshot)
    queries = list(asked.queries or ())
    rest = replace(asked, queries=None)
    if rest or not queries:
        ids = rest.ids(snapshot, gallery.home)
        queries += snapshot.ids if ids is None else ids
    found = [
        snapshot.similar(query, k, min_similarity=cutoff.min_similarity, min_percentile=cutoff.min_percentile)
        for query in queries
    ]
    note_missing_pictures(found)
    context = Context(snapshot, gallery.home, recipe.kind, output.absolute().parent)
    with writing_text(output) as text:
        HtmlSheet(title).write(map(Answer.of, found), text, context)
    with beside(output):
        shown = counted(len(queries), "query", "queries")
        say(f"{output_name(output)}: {shown} with up to {counted(k, 'match', 'matches')} each")
    asked.tell_guesses(snapshot)


def sheet(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="An id, a name, or a picture file.")],
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="PNG file to write. - is stdout.")
    ],
    gallery: SearchOptions,
    k: Annotated[int, typer.Option("-k", metavar="N", help="Maximum number of matches.")] = 10,
    recipe: RecipeOptions,
    least: CutoffOptions,
) -> None:
    """Write one picture of a query with its matches, in rows of five.

    **Example**

        steam-dino export sheet 730 -o 730.png
    """
    from steamdino.present.export.mosaic import check_png

    check_png(output)
    check_outputs(("-o", output))
    if k > MOST:
        raise UsageError(f"-k is {k}; a picture has room for {MOST} matches")
    cutoff = least.cutoff
    snapshot = gallery.open(recipe)
    matches = snapshot.similar(
        query, k, min_similarity=cutoff.min_similarity, min_percentile=cutoff.min_percentile
    )
    note_missing_pictures([matches])
    context = Context(snapshot, gallery.home, recipe.kind, output.absolute().parent)
    with writing(output) as file:
        PngSheet().write([Answer.of(matches)], file, context)
    with beside(output):
        say(f"{output_name(output)}: {len(matches):,} matches")


MOST = 500
"""Matches on one picture."""


def site(
    *,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder to write.")],
    gallery: SearchOptions,
    recipe: RecipeOptions,
    pictures: Annotated[
        str,
        typer.Option(
            metavar="copy|steam",
            help="Copy scaled banners, or link to Steam's if `sync` knows their URLs.",
        ),
    ] = "copy",
    title: Annotated[str, typer.Option(help="Heading of the site.")] = "Banners that look alike",
    picture_search: Annotated[
        bool,
        typer.Option(
            "--picture-search",
            help="Let visitors search by a picture of their own, which stays in their browser.",
        ),
    ] = False,
    runtime: Annotated[
        Path | None,
        typer.Option(
            "--onnxruntime-web",
            metavar="FILE",
            help="Archive of the npm package that --picture-search needs. By default it is downloaded once.",
        ),
    ] = None,
) -> None:
    """Write a static site: search by name, linked matches, unique games. It needs no server of its own.

    Its data is split into small files, so the first page loads quickly however many games there are. Adult-only and
    delisted games are skipped. Try it with: python -m http.server -d DIR

    After Ctrl-C or a kill, the same command continues. Unchanged banners of the site that is replaced are not scaled
    again.

    With --picture-search, visitors drop a picture of their own and see which games look like it. The network runs in
    their browser, and no picture is uploaded. Of onnxruntime-web, 33 MB are downloaded from the npm registry once.

    **Example**

        steam-dino export site -o site
    """
    import os

    from steamdino.analysis.opening import opening
    from steamdino.analysis.unique import unique
    from steamdino.present.cli.progress import bar
    from steamdino.present.export import output_folders
    from steamdino.present.export import site as export
    from steamdino.present.export.banner_urls import SteamPictures, steam_pictures

    if pictures not in ("copy", "steam"):
        raise UsageError(f"--pictures is {pictures!r}; it must be copy or steam")
    if runtime and not picture_search:
        raise UsageError("--onnxruntime-web is for sites with --picture-search; add that, or leave it out")
    if picture_search and pictures == "steam":
        raise UsageError(
            "--pictures steam would tell Steam's servers which banners a visitor's picture looks like;"
            " with --picture-search leave it out"
        )
    check_folder("-o", output)
    output_folders.check_folder(output, export.KIND)
    snapshot = gallery.open(recipe)
    scripts = _search_runtime(snapshot, runtime) if picture_search else None
    with bar("Comparing", "games") as progress:
        lonely = unique(snapshot, UNIQUE, progress=progress)
    try:
        count = export.write_site(
            output,
            snapshot,
            home=opening(snapshot, HOME, gallery.home),
            lonely=lonely,
            online=steam_pictures(gallery.home, recipe.kind) if pictures == "steam" else SteamPictures(),
            title=title,
            runtime=scripts,
            threads=os.cpu_count() or 1,
            stage=bar,
        )
    except KeyboardInterrupt:
        note("Stopped. The banners that are scaled are kept; run the same command to continue.")
        raise typer.Exit(130) from None
    say(f"{output / 'index.html'}: {count:,} games")


def _search_runtime(snapshot: Snapshot, archive: Path | None) -> Path:
    from steamdino.present.export.picture_search import runtime_files
    from steamdino.present.export.picture_search.network_files import check_recipe

    check_recipe(snapshot)
    if archive is None and not runtime_files.is_kept():
        note(f"Downloading onnxruntime-web {runtime_files.VERSION} (33 MB), once.")
    return runtime_files.runtime_folder(archive)


HOME, UNIQUE = 24, 250
"""Games on a site's first page, and on its page of unique ones."""
