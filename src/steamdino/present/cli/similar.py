"""`steam-dino similar`: the games that look most like one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from steamdino.errors import UsageError
from steamdino.present.cli.console import note, note_undated
from steamdino.present.cli.match_output import print_answer
from steamdino.present.cli.options import (
    AdultOption,
    AlikeOption,
    CountOption,
    FormatOption,
    FreeOption,
    GalleryOption,
    KindOption,
    PicturesOption,
    PrecisionOption,
    RecipeOption,
    ReleasedOption,
    ReviewsOption,
    ShowOption,
    SnapshotOption,
    TagOption,
    check_format,
)
from steamdino.settings import Settings


def similar(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="An id, a name, or a picture's file.")],
    gallery: GalleryOption = None,
    k: CountOption = 10,
    recipe: RecipeOption = None,
    packed: SnapshotOption = None,
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
    tag: TagOption = None,
    released: ReleasedOption = "",
    min_reviews: ReviewsOption = 0,
    free: FreeOption = False,
    adult: AdultOption = False,
    fetch: Annotated[
        bool,
        typer.Option("--fetch", help="Get the banner of an appID that the gallery lacks from Steam first."),
    ] = False,
    kind: KindOption = "vertical",
    output: FormatOption = "table",
    show: ShowOption = "",
    pictures: PicturesOption = None,
    precision: PrecisionOption = None,
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
    check_format(output)
    from steamdino.search import Snapshot
    from steamdino.search.filter_parser import filter_of

    settings = Settings.load({"gallery": gallery, "precision": precision})
    words = bool(plus or minus) and recipe is None
    snapshot = Snapshot.open(
        packed or settings.gallery, recipe, kind=kind, precision=settings.inference_precision, words=words
    )
    only = filter_of(tag or (), released, min_reviews, free=free, adult=adult)
    asked: str | Path = query
    if fetch and query.isdecimal() and query not in snapshot:
        asked = _fetched(settings, query, kind)
    matches = snapshot.similar(
        asked, k, mirror=mirror, flip=flip, plus=plus or (), minus=minus or (), alike=alike, only=only
    )
    note_undated(matches.undated)
    print_answer(matches, output, gallery=settings.gallery, kind=kind, show=show, pictures=pictures)


def _fetched(settings: Settings, appid: str, kind: str) -> Path:
    from steamdino.pipeline.sync import fetch_one
    from steamdino.settings import SteamSettings

    if len(appid) > 10 or not int(appid):
        raise UsageError(f"--fetch needs an appID, a whole number above 0, and not {appid!r}")
    found = fetch_one(settings.gallery, int(appid), SteamSettings.load({}), kind)
    note(f"Fetched the banner of {appid}; to have it among the matches of others, run: steam-dino build")
    return found
