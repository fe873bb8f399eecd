"""Matches as texts: Markdown, BBCode, JSON, CSV."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from steamdino.present.cli.console import note
from steamdino.present.cli.export.selection import (
    AllOption,
    FromOption,
    QueriesArgument,
    Selection,
    TextOption,
    TopOption,
    opened,
    text_file,
)
from steamdino.present.cli.options import GalleryOption, KindOption, RecipeOption, check_outputs
from steamdino.storage.output import is_stream, output_name

if TYPE_CHECKING:
    from steamdino.present.export.markup import Write

TenOption = Annotated[int, typer.Option("-k", metavar="N", help="How many matches of each.")]


def markdown(
    queries: QueriesArgument = None,
    output: TextOption = None,
    top: TopOption = False,
    file: FromOption = None,
    every: AllOption = False,
    gallery: GalleryOption = None,
    k: TenOption = 10,
    recipe: RecipeOption = None,
    kind: KindOption = "vertical",
) -> None:
    """Write queries with their matches in Markdown: linked pictures, in rows of five.

    Pictures are Steam's where `sync` learned their addresses, else files beside the text.

    **Examples**

        steam-dino export markdown 730 "half life"

        steam-dino export markdown --top100 -o top.md
    """
    from steamdino.present.export import markup

    asked = Selection(queries or (), top, file, every)
    _wiki(asked, output, gallery, k, recipe, kind, markup.markdown)


def bbcode(
    queries: QueriesArgument = None,
    output: TextOption = None,
    top: TopOption = False,
    file: FromOption = None,
    every: AllOption = False,
    gallery: GalleryOption = None,
    k: TenOption = 10,
    recipe: RecipeOption = None,
    kind: KindOption = "vertical",
) -> None:
    """Write queries with their matches in BBCode, for forums: linked pictures, in rows of five.

    **Example**

        steam-dino export bbcode 730 -o post.txt
    """
    from steamdino.present.export import markup

    asked = Selection(queries or (), top, file, every)
    _wiki(asked, output, gallery, k, recipe, kind, markup.bbcode)


def json(
    queries: QueriesArgument = None,
    output: TextOption = None,
    top: TopOption = False,
    file: FromOption = None,
    every: AllOption = False,
    gallery: GalleryOption = None,
    k: TenOption = 9,
    recipe: RecipeOption = None,
    kind: KindOption = "vertical",
) -> None:
    """Write the ids of matches as one JSON object: {"id": [id, ...]}.

    It is of the form that steam-DINO's family publishes (similar_to_top_100.*.json): each list begins with the game
    itself. With 9 matches it has ten ids, as there. Ids are numbers if all of the gallery's are.

    **Examples**

        steam-dino export json --top100 -o similar_to_top_100.json

        steam-dino export json --all -k 100 -o matches.json
    """
    from steamdino.present.export import legacy_export

    check_outputs(("-o", output))
    snapshot, place = opened(gallery, recipe, kind)
    table = Selection(queries or (), top, file, every).neighbourhood(snapshot, place, k)
    ids = snapshot.ids
    lists = ((ids[query], [ids[query], *(ids[row] for row in rows)]) for query, rows, _ in table)
    with text_file(output) as text:
        text.write(legacy_export.similar_json(lists, numbers=legacy_export.are_numbers(ids)))
    _told(output, len(table))


def csv(
    queries: QueriesArgument = None,
    output: TextOption = None,
    top: TopOption = False,
    file: FromOption = None,
    every: AllOption = False,
    gallery: GalleryOption = None,
    k: TenOption = 10,
    recipe: RecipeOption = None,
    kind: KindOption = "vertical",
) -> None:
    """Write all matches as one CSV table, a line for each.

    The columns are query_id, query_name, rank, id, name, similarity and percentile.

    **Example**

        steam-dino export csv --all -k 20 -o matches.csv
    """
    from steamdino.present.export import match_table

    check_outputs(("-o", output))
    snapshot, place = opened(gallery, recipe, kind)
    table = Selection(queries or (), top, file, every).neighbourhood(snapshot, place, k)
    with text_file(output) as text:
        match_table.write_csv(text, table)
    _told(output, len(table))


def _wiki(
    asked: Selection,
    output: Path | None,
    gallery: Path | None,
    k: int,
    recipe: str | None,
    kind: str,
    write: Write,
) -> None:
    from steamdino.present.export import markup
    from steamdino.present.export.banner_urls import addresses

    check_outputs(("-o", output))
    snapshot, place = opened(gallery, recipe, kind)
    table = asked.neighbourhood(snapshot, place, k)
    folder = output.absolute().parent if output and not is_stream(output) else Path.cwd()
    to = markup.PictureLinks(addresses(place, kind), folder)
    with text_file(output) as text:
        for number, (query, rows, _) in enumerate(table):
            game, *matches = snapshot.games([query, *rows])
            text.write("\n\n" * bool(number) + markup.section(game, to.of(game), matches, to, write))
    _told(output, len(table))


def _told(output: Path | None, count: int) -> None:
    if output:
        note(f"{output_name(output)}: {count:,} queries")
