"""Matches as texts: Markdown, BBCode, JSON, CSV."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from steamdino.present.cli.console import note
from steamdino.present.cli.export.selection import CountOption, Selection, TextOption, text_file
from steamdino.present.cli.options import GalleryOptions, RecipeOptions, check_outputs
from steamdino.storage.output import is_stream, output_name

if TYPE_CHECKING:
    from steamdino.present.export.markup import Write


def markdown(
    *,
    output: TextOption = None,
    asked: Selection,
    gallery: GalleryOptions,
    k: CountOption = 10,
    recipe: RecipeOptions,
) -> None:
    """Write queries with their matches in Markdown: linked pictures, in rows of five.

    Pictures are Steam's where `sync` learned their addresses, else files beside the text.

    **Examples**

        steam-dino export markdown 730 "half life"

        steam-dino export markdown --top100 -o top.md
    """
    from steamdino.present.export import markup

    _wiki(asked, output, gallery, k, recipe, markup.markdown)


def bbcode(
    *,
    output: TextOption = None,
    asked: Selection,
    gallery: GalleryOptions,
    k: CountOption = 10,
    recipe: RecipeOptions,
) -> None:
    """Write queries with their matches in BBCode, for forums: linked pictures, in rows of five.

    **Example**

        steam-dino export bbcode 730 -o post.txt
    """
    from steamdino.present.export import markup

    _wiki(asked, output, gallery, k, recipe, markup.bbcode)


def json(
    *,
    output: TextOption = None,
    asked: Selection,
    gallery: GalleryOptions,
    k: CountOption = 9,
    recipe: RecipeOptions,
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
    snapshot = gallery.open(recipe)
    table = asked.neighbourhood(snapshot, gallery.folder, k)
    ids = snapshot.ids
    lists = ((ids[query], [ids[query], *(ids[row] for row in rows)]) for query, rows, _ in table)
    with text_file(output) as text:
        text.write(legacy_export.similar_json(lists, numbers=legacy_export.are_numbers(ids)))
    _told(output, len(table))


def csv(
    *,
    output: TextOption = None,
    asked: Selection,
    gallery: GalleryOptions,
    k: CountOption = 10,
    recipe: RecipeOptions,
) -> None:
    """Write all matches as one CSV table, a line for each.

    The columns are query_id, query_name, rank, id, name, similarity and percentile.

    **Example**

        steam-dino export csv --all -k 20 -o matches.csv
    """
    from steamdino.present.export import match_table

    check_outputs(("-o", output))
    snapshot = gallery.open(recipe)
    table = asked.neighbourhood(snapshot, gallery.folder, k)
    with text_file(output) as text:
        match_table.write_csv(text, table)
    _told(output, len(table))


def _wiki(
    asked: Selection,
    output: Path | None,
    gallery: GalleryOptions,
    k: int,
    recipe: RecipeOptions,
    write: Write,
) -> None:
    from steamdino.present.export import markup
    from steamdino.present.export.banner_urls import addresses

    check_outputs(("-o", output))
    snapshot, place = gallery.open(recipe), gallery.folder
    table = asked.neighbourhood(snapshot, place, k)
    folder = output.absolute().parent if output and not is_stream(output) else Path.cwd()
    to = markup.PictureLinks(addresses(place, recipe.kind), folder)
    with text_file(output) as text:
        for number, (query, rows, _) in enumerate(table):
            game, *matches = snapshot.games([query, *rows])
            text.write("\n\n" * bool(number) + markup.section(game, to.of(game), matches, to, write))
    _told(output, len(table))


def _told(output: Path | None, count: int) -> None:
    if output:
        note(f"{output_name(output)}: {count:,} queries")
