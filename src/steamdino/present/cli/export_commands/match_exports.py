"""A sub-command of `export` for each format that takes several queries; see `export.writers.writer_registry`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from steamdino.present.cli.console import beside, note, say
from steamdino.present.cli.export_commands.selection import CountOption, Selection, text_file
from steamdino.present.cli.filter_options import CutoffOptions
from steamdino.present.cli.option_groups import Command
from steamdino.present.cli.options import RecipeOptions, SearchOptions
from steamdino.present.cli.output_options import check_outputs
from steamdino.present.display_text import counted
from steamdino.present.export.writers.writer import Context, Writer
from steamdino.storage.output import is_stream, output_name, writing


def command_of(writer: Writer) -> Command:
    """Make the command that writes one format."""

    def export(
        *,
        output: Path | None,
        asked: Selection,
        gallery: SearchOptions,
        k: CountOption = writer.k,
        recipe: RecipeOptions,
        least: CutoffOptions,
    ) -> None:
        from steamdino.present.export.answer import answers_of

        writer.check()
        cutoff = least.cutoff
        check_outputs(("-o", output))
        snapshot = gallery.open(recipe)
        table = asked.neighbourhood(snapshot, gallery.home, k, cutoff)
        folder = output.absolute().parent if output and not is_stream(output) else Path.cwd()
        context = Context(snapshot, gallery.home, recipe.kind, folder)
        if writer.binary and output:
            with writing(output) as file:
                writer.write(answers_of(table), file, context)
            with beside(output):
                say(f"{output_name(output)}: {counted(len(table), 'query', 'queries')}")
            asked.tell_guesses(snapshot)
            return
        with text_file(output) as text:
            writer.write(answers_of(table), text, context)
        if output:
            note(f"{output_name(output)}: {counted(len(table), 'query', 'queries')}")
        asked.tell_guesses(snapshot)

    text = f"File to write, such as matches{writer.suffix}. - is stdout."
    if not writer.binary:
        text += " Default: stdout."
        export.__kwdefaults__ = {**(export.__kwdefaults__ or {}), "output": None}
    option = typer.Option("--output", "-o", metavar="FILE", help=text, show_default=False)
    export.__annotations__["output"] = Annotated[Path | None, option]
    return export
