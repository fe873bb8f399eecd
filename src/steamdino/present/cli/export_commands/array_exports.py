"""Arrays for programs, and the URLs of banners."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from steamdino.errors import GalleryError
from steamdino.present.cli.console import beside, say
from steamdino.present.cli.export_commands.selection import CountOption
from steamdino.present.cli.options import GalleryOptions, KindOption, RecipeOptions, SearchOptions
from steamdino.present.cli.output_options import check_folder, check_outputs
from steamdino.settings import SteamSettings
from steamdino.storage.output import output_name

FileOption = Annotated[
    Path, typer.Option("--output", "-o", metavar="FILE", help="File to write. - is stdout.")
]


def npy(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder to write to.")],
    *,
    gallery: SearchOptions,
    k: CountOption = 100,
    recipe: RecipeOptions,
) -> None:
    """Write vectors and matches of all games as NumPy arrays, in the layout of the steam-DINO projects.

    `app_ids.json`, `app_ids.npy`, `app_names.json` and `frozen_app_ids.txt` name the games in the order of the rows;
    `label_database.<recipe>.npy` has their vectors (float16), and `matches_faiss.npy` a row for each game: its own
    number, then its matches', best first.

    **Example**

        steam-dino export npy -o data_export
    """
    from steamdino.analysis.neighbourhood import Neighbourhood
    from steamdino.present.cli.progress import bar
    from steamdino.present.export.legacy_export import write_arrays
    from steamdino.records import EVERYTHING

    check_folder("-o", output)
    snapshot = gallery.open(recipe)
    with bar("Comparing", "games") as progress:
        table = Neighbourhood.of(snapshot, k, only=EVERYTHING, progress=progress)
    for path in write_arrays(output, table):
        say(str(path))


def urls(
    *,
    output: FileOption,
    gallery: GalleryOptions,
    kind: KindOption = "vertical",
) -> None:
    """Write the URLs of Steam's banners, for bulk downloaders.

    The columns are `url`, `caption` (the game's name) and `appid`, as tools such as img2dataset expect. The URLs are
    those that `sync` found; they are valid until the art changes.

    **Example**

        steam-dino export urls -o urls.csv
    """
    from steamdino.gallery import Gallery
    from steamdino.gallery.layout import check_kind
    from steamdino.present.export.banner_urls import write_urls

    check_kind(kind)
    check_outputs(("-o", output))
    steam = SteamSettings.load({})
    with Gallery.open(gallery.folder) as opened_gallery:
        count = write_urls(output, opened_gallery.steam_assets.addresses(kind), steam.assets_url)
    if not count:
        raise GalleryError(f"the gallery has no URLs of {kind} banners; run: steam-dino sync --kind {kind}")
    with beside(output):
        say(f"{output_name(output)}: {count:,} addresses")
