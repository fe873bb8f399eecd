"""Vectors with names and facets, for other engines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from steamdino.errors import QueryError, UsageError
from steamdino.present.cli.console import note_undated, say
from steamdino.present.cli.export_commands.match_exports import command_of
from steamdino.present.cli.export_commands.selection import Selection
from steamdino.present.cli.filter_options import CutoffOptions, HidingFilterOptions
from steamdino.present.cli.options import GalleryOptions, RecipeOptions, SearchOptions
from steamdino.present.display_text import counted
from steamdino.present.export.writers.parquet_table import ParquetTable
from steamdino.records import Filter
from steamdino.storage.location import is_address

if TYPE_CHECKING:
    from steamdino.present.export.vectors.vector_format import VectorFormat

PartOption = Annotated[
    int | None,
    typer.Option(
        "--games-per-file",
        metavar="N",
        help="Maximum number of games in each file of vectors. Default: as many as have 32 MB of vectors.",
        show_default=False,
    ),
]


def parquet(
    *,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE|DIR",
            help="File to write, such as matches.parquet. - is stdout. With --vectors, a folder, or a prefix in object"
            " storage (s3://, gs://, az://; extra: objects).",
        ),
    ],
    vectors: Annotated[
        bool,
        typer.Option(
            "--vectors",
            help="Write all games with their vectors instead of matches. Filters choose among them.",
        ),
    ] = False,
    asked: Selection,
    gallery: SearchOptions,
    k: Annotated[
        int | None,
        typer.Option(
            "-k", metavar="N", help="Maximum number of matches per query. Default: 10.", show_default=False
        ),
    ] = None,
    recipe: RecipeOptions,
    least: CutoffOptions,
    only: HidingFilterOptions,
    games_per_file: PartOption = None,
) -> None:
    """Write all matches as one Parquet table, or all games with their vectors as several; needs the extra `parquet`.

    The columns of matches are query_id, query_name, rank, id, name, similarity, percentile, identical, source and url.

    With `--vectors`, a folder gets files `part-00000.parquet` and so on, with a row for each game: its id, name, facets
    and vector. DuckDB, vector databases and data frames load them.

    **Examples**

        steam-dino export parquet --all -k 100 -o matches.parquet
        steam-dino export parquet --vectors -o games
    """
    if vectors:
        for option, given in (
            ("the games", asked),
            ("-k", k is not None),
            ("--exact", gallery.exact),
            ("--alike, --min-similarity and --min-percentile", least != CutoffOptions()),
        ):
            if given:
                raise UsageError(f"--vectors writes all games and no matches; drop {option}")
        from steamdino.present.export.vectors.parquet_parts import ParquetParts

        _export(ParquetParts(), output, gallery, recipe, only, games_per_file)
        return
    for option, given in (
        ("--games-per-file", games_per_file is not None),
        ("the filters", only.filter != Filter()),
    ):
        if given:
            raise UsageError(f"matches are written without --vectors; add it, or drop {option}")
    if is_address(output):
        raise UsageError(f"-o is {output}, and matches are written to files; name a file, or add --vectors")
    matches = ParquetTable()
    command_of(matches)(
        output=Path(output),
        asked=asked,
        gallery=gallery,
        k=matches.k if k is None else k,
        recipe=recipe,
        least=least,
    )


def lance(
    *,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help="Folder to write, such as database/games.lance, or a prefix in object storage (s3://, gs://, az://;"
            " extra: objects).",
        ),
    ],
    gallery: GalleryOptions,
    recipe: RecipeOptions,
    only: HidingFilterOptions,
    games_per_file: PartOption = None,
) -> None:
    """Write all games with their vectors as a Lance dataset, which is a table of LanceDB; needs the extra `lance`.

    It has a row for each game: its id, name, facets and vector. LanceDB finds the table `games` of the database in the
    folder `database` in the folder `database/games.lance`.

    **Example**

        steam-dino export lance -o database/games.lance
    """
    from steamdino.present.export.vectors.lance_dataset import LanceDataset

    _export(LanceDataset(), output, gallery, recipe, only, games_per_file)


def _export(
    form: VectorFormat,
    output: str,
    gallery: GalleryOptions,
    recipe: RecipeOptions,
    only: HidingFilterOptions,
    games_per_file: int | None,
) -> None:
    from steamdino.present.cli.progress import bar
    from steamdino.present.export.vectors import destination
    from steamdino.present.export.vectors.game_table import facts
    from steamdino.present.export.vectors.vector_format import default_part

    if games_per_file is not None and games_per_file < 1:
        raise UsageError(f"--games-per-file is {games_per_file}; it must be at least 1")
    form.check()
    wanted = only.filter
    destination.check(output)
    snapshot = gallery.open(recipe, once=True)  # no search follows, so no index is needed
    rows = snapshot.rows(wanted)
    note_undated(snapshot.undated(wanted))
    if not len(rows):
        raise QueryError(
            "no game is left to export; change the filters, or add games and run: steam-dino build"
        )
    part = games_per_file or default_part(snapshot.vectors.shape[1])
    record = {"format": form.name, **facts(snapshot), "games": len(rows)}
    with bar("Writing", "games") as progress:
        destination.write(output, record, lambda folder: form.write(folder, snapshot, rows, part, progress))
    files = counted(-(-len(rows) // part), "file", "files")
    say(f"{output}: {counted(len(rows), 'game', 'games')} in {files}")
