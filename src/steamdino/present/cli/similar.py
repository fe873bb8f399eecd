"""`steam-dino similar`: the games that look most like one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from steamdino.errors import UsageError
from steamdino.present.cli.console import note, note_undated
from steamdino.present.cli.match_output import MatchOutput, print_answer
from steamdino.present.cli.options import (
    AdultFilterOptions,
    AlikeOption,
    CountOption,
    InferenceOptions,
    SnapshotOptions,
)


def similar(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="An id, a name, or a picture's file.")],
    *,
    gallery: SnapshotOptions,
    k: CountOption = 10,
    recipe: InferenceOptions,
    plus: Annotated[
        list[str] | None,
        typer.Option(metavar="[N*]X", help="Add an id, name, picture or words, N times.", show_default=False),
    ] = None,
    minus: Annotated[
        list[str] | None, typer.Option(metavar="[N*]X", help="Take it away instead.", show_default=False)
    ] = None,
    mirror: Annotated[
        bool, typer.Option("--mirror", help="Mirror the query's picture left-right first.")
    ] = False,
    flip: Annotated[bool, typer.Option("--flip", help="Flip the query's picture top-bottom first.")] = False,
    alike: AlikeOption = False,
    only: AdultFilterOptions,
    fetch: Annotated[
        bool,
        typer.Option("--fetch", help="Get the banner of an appID that the gallery lacks from Steam first."),
    ] = False,
    output: MatchOutput,
) -> None:
    """Show the games whose banners look most like one.

    An exact id or name wins before anything else is tried; then come a picture's file, names that begin with the
    text, names with its words, and names with typos. If several fit, the best is taken and the others are named.

    The similarity is the cosine of the two vectors, at most 1; "closer than" says how many of the gallery's pairs are
    less alike. The query itself is left out; other games with the very same picture are shown and marked as identical.
    Mirroring the query helps when the letters in a banner drive its matches.

    Tags, dates and reviews are known of games that `sync` fetched, or of tables with such columns; adult-only games are
    shown only with --adult.

    With --plus and --minus the query becomes a mixture. Words need a recipe that knows them, such as `clip`.

    **Examples**

        steam-dino similar 730
        steam-dino similar "half life" -k 5 --format json

        steam-dino similar my-draft.png
        steam-dino similar 730 --tag Horror --released 2020.. --min-reviews 100

        steam-dino similar 730 --plus "at night" --plus 2*1091500 --minus horror.jpg
    """
    words = bool(plus or minus) and recipe.recipe is None
    snapshot = gallery.open(recipe, precision=recipe.precision, words=words)
    allowed = only.filter
    asked: str | Path = query
    if fetch and query.isdecimal() and query not in snapshot:
        asked = _fetched(gallery.folder, query, recipe.kind)
    matches = snapshot.similar(
        asked, k, mirror=mirror, flip=flip, plus=plus or (), minus=minus or (), alike=alike, only=allowed
    )
    note_undated(matches.undated)
    print_answer(matches, output, snapshot=snapshot, gallery=gallery.folder, kind=recipe.kind)


def _fetched(gallery: Path, appid: str, kind: str) -> Path:
    from steamdino.pipeline.sync import fetch_one
    from steamdino.settings import SteamSettings

    if len(appid) > 10 or not int(appid):
        raise UsageError(f"--fetch needs an appID, a whole number above 0, and not {appid!r}")
    found = fetch_one(gallery, int(appid), SteamSettings.load({}), kind)
    note(f"Fetched the banner of {appid}; to have it among the matches of others, run: steam-dino build")
    return found
