"""`steam-dino export`: matches as files that others can open."""

from __future__ import annotations

import typer

from steamdino.present.cli.export import array_exports, page_exports, text_exports
from steamdino.present.cli.option_groups import register

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode="markdown", help="Write matches to files that others can open."
)


@app.callback()
def main() -> None:
    """Write matches to files that others can open."""


for command in (
    text_exports.markdown,
    text_exports.bbcode,
    text_exports.json,
    text_exports.csv,
    array_exports.parquet,
    array_exports.npy,
    page_exports.html,
    page_exports.sheet,
    page_exports.site,
    array_exports.urls,
):
    register(app, command)
