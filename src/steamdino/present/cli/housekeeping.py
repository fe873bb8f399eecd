"""`steam-dino remove`, `prune` and `pack`: what leaves a gallery, and what is given away."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from steamdino.present.cli.console import beside, say
from steamdino.present.cli.options import GalleryOptions, RecipeOption, check_outputs
from steamdino.storage.output import output_name


def remove(
    game_ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="The games' ids.")] = None,
    *,
    gallery: GalleryOptions,
    source: Annotated[
        str | None, typer.Option(metavar="NAME", help="A whole source, as info names it.", show_default=False)
    ] = None,
) -> None:
    """Remove games, or a whole source, from a gallery.

    Pictures outside the gallery are never touched. All or nothing: an unknown id changes nothing. The games leave
    searches with the next `build`, and their copies and vectors leave the disk with `prune`. A source that is added
    or synced again brings its games back; a game of Steam that was removed by its id stays away until `sync` is asked
    for it by its appID.

    **Examples**

        steam-dino remove space/ember-hollow
        steam-dino remove --source covers
    """
    from steamdino.pipeline import remove as run

    count = run(gallery.folder, game_ids or (), source=source)
    say(f"Removed {count:,} games; searches follow with: steam-dino build")


def prune(
    *,
    gallery: GalleryOptions,
    gone: Annotated[
        bool, typer.Option("--gone", help="Remove also the games that their sources no longer have.")
    ] = False,
    recipe: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Remove also a recipe with its vectors and snapshots, by name or hash; give it again for more.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Give disk space back: what nobody uses is deleted.

    That is: vectors and copied pictures that no game shows any more, all but the newest snapshot of each recipe, and
    what a killed process left. Searches that are under way are not disturbed. `info` shows what each recipe costs; one
    that was removed is encoded anew by the next `build --recipe NAME`.

    **Examples**

        steam-dino prune

        steam-dino prune --recipe dino-vits16
    """
    from steamdino.pipeline import prune as run

    summary = run(gallery.folder, gone=gone, recipes=recipe or ())
    games = f"{summary.games:,} games, " if gone else ""
    say(
        f"Deleted {games}{summary.vectors:,} vectors and {summary.copies:,} copied pictures;"
        f" {max(summary.freed, 0) / 1e6:,.1f} MB are free again"
    )


def pack(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The file to write; - for stdout.")
    ],
    *,
    gallery: GalleryOptions,
    recipe: RecipeOption = None,
) -> None:
    """Pack the newest snapshot into one file that can be given to others.

    It holds names, ids, further columns and vectors, but no pictures, and no path of this machine. Whoever gets it
    asks it with `similar --snapshot FILE`. It is safe to open from a stranger: each field is checked, none is run.

    **Example**

        steam-dino pack -o store.steamdino
    """
    from steamdino.search import Snapshot

    check_outputs(("-o", output))
    snapshot = Snapshot.open(gallery.folder, recipe)
    snapshot.pack(output)
    size = f", {output.stat().st_size / 1e6:,.1f} MB" if output.is_file() else ""
    with beside(output):
        say(f"{output_name(output)}: {len(snapshot):,} games under the recipe {snapshot.recipe.name}{size}")
