"""`steam-dino doctor`: what is wrong with a gallery, and how to mend it."""

from __future__ import annotations

from typing import Annotated

import typer

from steamdino.present.cli.console import say
from steamdino.present.cli.options import GalleryOptions
from steamdino.present.display_text import printable


def doctor(
    *,
    gallery: GalleryOptions,
    repair: Annotated[
        bool, typer.Option("--repair", help="Mend what can be mended without losing anything.")
    ] = False,
    deep: Annotated[bool, typer.Option("--deep", help="Read every picture and compare its content.")] = False,
) -> None:
    """Examine a gallery: the database, the pictures, the vectors, the snapshots.

    Each finding says what is wrong and how to fix it. With --repair, damaged snapshots are written again from the
    stored vectors, vectors that cannot be right are dropped, replaced pictures are read again, lost copies are made
    again, and lost pictures of Steam are marked for the next `sync`. Exit code 1 says that something remains.

    **Examples**

        steam-dino doctor
        steam-dino doctor --repair --deep
    """
    from steamdino.pipeline import examine
    from steamdino.present.cli.progress import bar

    with bar("Examining", "pictures") as progress:
        findings = examine(gallery.folder, repair=repair, deep=deep, progress=progress)
    for finding in findings:
        state = "mended" if finding.mended else finding.remedy
        say(printable(f"{finding.text}; {state}"))
    remaining = sum(not (finding.mended or finding.harmless) for finding in findings)
    if not findings:
        say("All is well.")
    if remaining:
        raise typer.Exit(1)
