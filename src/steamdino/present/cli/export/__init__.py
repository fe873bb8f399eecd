"""`steam-dino export`: matches as files that others can open."""

from __future__ import annotations

import typer

from steamdino.present.cli.export import arrays, lists, pages

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode="markdown", help="Write matches to files that others can open."
)


@app.callback()
def main() -> None:
    """Write matches to files that others can open."""


for command in (
    lists.markdown,
    lists.bbcode,
    lists.json,
    lists.csv,
    arrays.parquet,
    arrays.npy,
    pages.html,
    pages.sheet,
    pages.site,
    arrays.urls,
):
    app.command()(command)
