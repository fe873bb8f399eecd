"""`steam-dino export`: matches and vectors in formats that other programs read."""

from __future__ import annotations

import typer

from steamdino.present.cli.export_commands import array_exports, page_exports, vector_exports
from steamdino.present.cli.export_commands.match_exports import command_of
from steamdino.present.cli.option_groups import Command, register
from steamdino.present.export.writers.writer_registry import WRITERS

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Write matches and vectors in formats that other programs read.",
)


@app.callback()
def main() -> None:
    """Write matches and vectors in formats that other programs read."""


OWN: dict[str, Command] = {"html": page_exports.html, "parquet": vector_exports.parquet}
"""Formats whose commands have options of their own."""

for writer in WRITERS.values():
    if writer.takes_several:
        register(
            app,
            OWN.get(writer.name) or command_of(writer),
            writer.command or writer.name,
            writer.help or None,
        )
for command in (
    vector_exports.lance,
    array_exports.npy,
    page_exports.sheet,
    page_exports.site,
    array_exports.urls,
):
    register(app, command)
