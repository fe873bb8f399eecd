"""`steam-dino remove`, `prune` and `pack`: delete and share parts of a gallery."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from steamdino.present.cli.console import beside, say
from steamdino.present.cli.options import GalleryOptions, RecipeOption
from steamdino.present.cli.output_options import check_outputs
from steamdino.storage.output import output_name


def remove(
    game_ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Ids of the games.")] = None,
    *,
    gallery: GalleryOptions,
    source: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Name of a whole source, as info shows it.", show_default=False),
    ] = None,
) -> None:
    """Remove games, or a whole source, from a gallery.

    Pictures outside the gallery are never touched. If an id is unknown, nothing is removed. The games disappear from
    searches with the next `build`; `prune` deletes their copies and vectors. What `changes` shows of them is deleted at
    once. Adding or syncing a source again brings
    its games back, except games from Steam that were removed by id: they return when you run `sync` with their appID.

    **Examples**

        steam-dino remove space/ember-hollow
        steam-dino remove --source covers
    """
    from steamdino.pipeline import remove as run

    count = run(gallery.folder, game_ids or (), source=source)
    say(f"Removed {count:,} games. To update searches, run: steam-dino build")


def prune(
    *,
    gallery: GalleryOptions,
    gone: Annotated[
        bool, typer.Option("--gone", help="Also remove games that are missing from their sources.")
    ] = False,
    recipe: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Also remove this recipe with its vectors and snapshots, by name or hash. Repeat for several.",
            show_default=False,
        ),
    ] = None,
    forget_before: Annotated[
        str,
        typer.Option(
            metavar="WHEN",
            help="Also forget what changed before this date or span, e.g. 2026-01-01 or 365d, with its vectors and"
            " pictures.",
        ),
    ] = "",
) -> None:
    """Free disk space by deleting what is not used.

    This deletes vectors and copied pictures that nothing uses any more, all but the newest snapshot of each recipe, and
    leftovers of killed processes. Running searches are not disturbed. `info` shows the size of each recipe; `build
    --recipe NAME` encodes a removed one again.

    Vectors of earlier banners stay, since `changes` compares them, and so do the pictures kept by --keep-old. A changed
    banner takes about 1 kB, and its picture about 80 kB. --forget-before limits how far back that goes.

    **Examples**

        steam-dino prune

        steam-dino prune --recipe dino-vits16

        steam-dino prune --forget-before 365d
    """
    from steamdino.analysis.period import day_of
    from steamdino.pipeline import prune as run

    before = day_of("--forget-before", forget_before) if forget_before else None
    summary = run(gallery.folder, gone=gone, recipes=recipe or (), forget_before=before)
    games = f"{summary.games:,} games, " if gone else ""
    games += f"{summary.changes:,} recorded changes, " if before else ""
    say(
        f"Deleted {games}{summary.vectors:,} vectors and {summary.copies:,} copied pictures;"
        f" {max(summary.freed, 0) / 1e6:,.1f} MB freed"
    )


def pack(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="File to write. - is stdout.")
    ],
    *,
    gallery: GalleryOptions,
    recipe: RecipeOption = None,
) -> None:
    """Pack the newest snapshot into one file to share.

    The file holds names, ids, other columns and vectors, but no pictures and no paths of this machine. Search it with
    `similar --snapshot FILE`. A pack from a stranger is safe to open: every field is checked, and nothing is executed.

    **Example**

        steam-dino pack -o store.steamdino
    """
    from steamdino.search import Snapshot

    check_outputs(("-o", output))
    snapshot = Snapshot.open(gallery.home, recipe)
    snapshot.pack(output)
    size = f", {output.stat().st_size / 1e6:,.1f} MB" if output.is_file() else ""
    with beside(output):
        say(f"{output_name(output)}: {len(snapshot):,} games under the recipe {snapshot.recipe.name}{size}")
