"""`steam-dino doctor`: find and fix problems of a gallery."""

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
        bool, typer.Option("--repair", help="Fix what can be fixed without losing anything.")
    ] = False,
    deep: Annotated[
        bool,
        typer.Option(
            "--deep", help="Also compare every picture's hash, and search indexes with exact searches."
        ),
    ] = False,
) -> None:
    """Examine a gallery: the database, the pictures, the vectors, the snapshots.

    Each finding says what is wrong and how to fix it. With --repair, damaged snapshots are written again from the
    stored vectors, invalid vectors are dropped, replaced pictures are read again, missing copies are made again, and
    missing pictures from Steam are marked for the next `sync`. Exit code 1 means that problems remain.

    --deep also measures how many of the ten nearest neighbours of 1,000 games the search index finds, and compares the
    stored neighbours of 1,000 games with exact searches.

    **Examples**

        steam-dino doctor
        steam-dino doctor --repair --deep
    """
    from steamdino.pipeline import examine
    from steamdino.present.cli.progress import bar

    settings = gallery.settings()
    with bar("Examining", "pictures") as progress:
        findings = examine(
            settings.folder,
            repair=repair,
            deep=deep,
            index=settings.index,
            neighbours=settings.neighbours,
            progress=progress,
        )
    for finding in findings:
        state = "fixed" if finding.fixed else finding.remedy
        say(printable(f"{finding.text}; {state}"))
    remaining = sum(not (finding.fixed or finding.harmless) for finding in findings)
    if not findings:
        say("No problems found.")
    if remaining:
        raise typer.Exit(1)
