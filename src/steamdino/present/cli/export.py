"""`steam-dino export`: matches as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from steamdino.errors import GalleryError
from steamdino.present.cli.console import say
from steamdino.present.cli.options import GalleryOption, KindOption, RecipeOption
from steamdino.settings import Settings, SteamSettings

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode="markdown", help="Write matches to files that others can open."
)


@app.callback()
def main() -> None:
    """Write matches to files that others can open."""


@app.command()
def urls(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The CSV file to write.")],
    gallery: GalleryOption = None,
    kind: KindOption = "vertical",
) -> None:
    """Write the addresses of Steam's banners, for tools that download pictures in bulk.

    The columns are `url`, `caption` (the game's name) and `appid`, as img2dataset and its kind want them. The addresses
    are those that `sync` learned; they hold as long as the art does not change.

    **Example**

        steam-dino export urls -o urls.csv
    """
    from steamdino.gallery import Gallery
    from steamdino.present.export.urls import write_urls

    steam = SteamSettings.load({})
    with Gallery.open(Settings.load({"gallery": gallery}).gallery) as opened:
        count = write_urls(output, opened.steam.addresses(kind), steam.assets_url)
    if not count:
        raise GalleryError("the gallery knows no addresses of banners; run: steam-dino sync")
    say(f"{output}: {count:,} addresses")


@app.command()
def html(
    queries: Annotated[list[str], typer.Argument(metavar="QUERY...", help="Ids, names or pictures' files.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The page to write.")],
    gallery: GalleryOption = None,
    k: Annotated[int, typer.Option("-k", metavar="N", help="How many matches of each.")] = 10,
    recipe: RecipeOption = None,
    title: Annotated[str, typer.Option(help="The page's heading.")] = "Banners that look alike",
) -> None:
    """Write one HTML page with queries and their matches.

    The pictures are part of the file, so that it can be sent to somebody and opened anywhere, without a network.

    **Example**

        steam-dino export html 730 "half life" draft.png -o alike.html
    """
    from steamdino.present.export.sheet import write_sheet
    from steamdino.search import Snapshot

    settings = Settings.load({"gallery": gallery})
    snapshot = Snapshot.open(settings.gallery, recipe, precision=settings.precision)
    write_sheet(output, [snapshot.similar(query, k) for query in queries], title=title)
    say(f"{output}: {len(queries):,} queries with up to {k:,} matches each")
