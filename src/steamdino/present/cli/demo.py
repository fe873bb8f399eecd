"""`steam-dino demo`: the main job on an invented store."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from steamdino.present.cli.console import note, say
from steamdino.present.cli.output_options import check_folder


def demo(
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="Folder for the store and its gallery.")
    ] = Path("demo"),
    open_page: Annotated[
        bool | None,
        typer.Option("--open/--no-open", help="Open the page in a browser. Default: yes on a terminal."),
    ] = None,
) -> None:
    """Draw a store of invented games, find similar ones, and show them on a page. Works offline.

    It runs what you would run on your own pictures: `add`, `build`, `similar` and `export html`. You can keep using the
    gallery in the folder.

    **Example**

        steam-dino demo
    """
    from steamdino.pipeline import add, build
    from steamdino.present.cli.progress import bar
    from steamdino.present.cli.terminal_matches import print_matches
    from steamdino.present.export.sheet import write_sheet
    from steamdino.sample import draw_store
    from steamdino.search import Snapshot

    check_folder("DIR", folder)
    store, gallery, page = folder / "store", folder / "gallery", folder / "alike.html"
    with bar("Drawing", "banners") as progress:
        games = draw_store(store, progress=progress)
    note(f"Drew a store of {len(games):,} invented games in {store}")
    with bar("Adding", "games") as progress:
        added = add(gallery, store / "catalogue.csv", progress=progress)
    total = added.new + added.changed + added.unchanged
    note(f"Added {total:,} games. As in real stores, some pictures cannot be used:")
    for problem in added.problems:
        note(f"  {problem.where}: {problem.reason}")
    with bar("Encoding", "banners") as progress:
        built = build(gallery, progress=progress)
    note(f"{built.games:,} games are ready ({built.encoded:,} banners encoded in {built.seconds:.1f} s)\n")

    snapshot = Snapshot.open(gallery)
    franchises = sorted({game.franchise for game in games if game.franchise})
    heads = [next(g for g in games if g.franchise == name and not g.defect) for name in franchises]
    chosen = heads[:: max(1, len(heads) // SECTIONS)][:SECTIONS]
    answers = [snapshot.similar(game.id, 10) for game in chosen]
    for answer in answers[:2]:
        print_matches(answer)
        say("")
    write_sheet(page, answers, title="A store of invented games: banners that look alike")
    say(f"Page with the results: {page}")
    say(f"Next: steam-dino similar {chosen[-1].id} -g {gallery}")
    if open_page or (open_page is None and sys.stdout.isatty()):
        import webbrowser

        webbrowser.open(page.absolute().as_uri())


SECTIONS = 12
