"""`steam-dino similar`: the games that look most like one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from steamdino.errors import UsageError
from steamdino.present.cli.console import note, note_undated
from steamdino.present.cli.filter_options import CutoffOptions, HidingFilterOptions
from steamdino.present.cli.match_output import MatchOutput, print_answer
from steamdino.present.cli.options import CountOption, InferenceOptions, SnapshotOptions


def similar(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="An id, a name, or a picture file.")],
    *,
    gallery: SnapshotOptions,
    k: CountOption = 10,
    recipe: InferenceOptions,
    plus: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[N*]X",
            help="Add a game, picture or words to the query, with weight N.",
            show_default=False,
        ),
    ] = None,
    minus: Annotated[
        list[str] | None,
        typer.Option(metavar="[N*]X", help="Subtract a game, picture or words instead.", show_default=False),
    ] = None,
    mirror: Annotated[bool, typer.Option("--mirror", help="Mirror the query picture left to right.")] = False,
    flip: Annotated[bool, typer.Option("--flip", help="Flip the query picture upside down.")] = False,
    crop: Annotated[
        str,
        typer.Option(
            metavar="X,Y,W,H",
            help="Compare only this part of the query picture: left, top, width and height, as fractions of the picture"
            " or in pixels.",
            show_default=False,
        ),
    ] = "",
    least: CutoffOptions,
    only: HidingFilterOptions,
    fetch: Annotated[
        bool,
        typer.Option(
            "--fetch", help="If the gallery lacks this appID, download its banner from Steam first."
        ),
    ] = False,
    output: MatchOutput,
) -> None:
    """Show the games whose banners look most like one.

    The query is matched in this order: exact id or name, picture file, names that begin with the text, names that
    contain its words, names with typos. If several games fit, the best one is used and the others are listed.

    The similarity is the cosine of the two vectors, at most 1; "closer than" says how many of the gallery's pairs are
    less alike. The query itself is skipped; other games with exactly the same picture are marked as identical.
    --mirror helps if the lettering of a banner dominates its matches.

    Filters work for games that `sync` fetched and for tables with columns such as tags, release date and reviews.
    Adult-only and delisted games are hidden unless you pass --adult or --delisted.

    --crop compares a part of the query picture with whole banners: 0.25,0,0.5,0.4 is the middle half of the upper two
    fifths. If a number is above 1, all four are pixels.

    --plus and --minus mix several queries. Words need a recipe with a text model, such as `clip`.

    **Examples**

        steam-dino similar 730
        steam-dino similar "half life" -k 5 --format json

        steam-dino similar my-draft.png
        steam-dino similar my-draft.png --crop 0,0.5,1,0.5
        steam-dino similar 730 --tag Horror --released 2020.. --min-reviews 100
        steam-dino similar 730 -k 100 --min-similarity 0.5

        steam-dino similar 730 --plus "at night" --plus 2*1091500 --minus horror.jpg
    """
    from steamdino.search.crop_parser import crop_of

    part = crop_of(crop)
    words = bool(plus or minus) and recipe.recipe is None
    snapshot = gallery.open(recipe, precision=recipe.precision, words=words, once=True)
    output.check_columns(snapshot)
    allowed, cutoff = only.filter, least.cutoff
    asked: str | Path = query
    if fetch and query.isdecimal() and query not in snapshot:
        asked = _fetched(gallery.folder, query, recipe.kind)
    matches = snapshot.similar(
        asked,
        k,
        mirror=mirror,
        flip=flip,
        crop=part,
        plus=plus or (),
        minus=minus or (),
        min_similarity=cutoff.min_similarity,
        min_percentile=cutoff.min_percentile,
        only=allowed,
    )
    note_undated(matches.undated)
    print_answer(matches, output, snapshot=snapshot, gallery=gallery.home, kind=recipe.kind, cutoff=cutoff)


def _fetched(gallery: Path, appid: str, kind: str) -> Path:
    from steamdino.pipeline.sync import fetch_one
    from steamdino.settings import SteamSettings

    if len(appid) > 10 or not int(appid):
        raise UsageError(f"--fetch is used with {appid!r}; it needs an appID, a whole number above 0")
    found = fetch_one(gallery, int(appid), SteamSettings.load({}), kind)
    note(f"Fetched the banner of {appid}. To find it from other games too, run: steam-dino build")
    return found
