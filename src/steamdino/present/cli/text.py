"""`steam-dino text`: the games whose banners fit a sentence."""

from __future__ import annotations

from typing import Annotated

import typer

from steamdino.present.cli.console import note_undated
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
    RecipeOption,
    ReleasedOption,
    ReviewsOption,
    ShowOption,
    SnapshotOption,
    TagOption,
    check_format,
)
from steamdino.settings import Settings


def text(
    sentence: Annotated[str, typer.Argument(metavar="SENTENCE", help="What should be on the banner.")],
    gallery: GalleryOption = None,
    k: CountOption = 10,
    recipe: RecipeOption = None,
    packed: SnapshotOption = None,
    alike: AlikeOption = False,
    tag: TagOption = None,
    released: ReleasedOption = "",
    min_reviews: ReviewsOption = 0,
    free: FreeOption = False,
    adult: AdultOption = False,
    kind: KindOption = "vertical",
    output: FormatOption = "table",
    show: ShowOption = "",
    pictures: PicturesOption = None,
) -> None:
    """Show the games whose banners fit a sentence best.

    This needs a recipe that knows words: get CLIP once with `steam-dino models pull clip-vitb32`, then build the
    gallery with `steam-dino build --recipe clip`. Of a gallery's recipes the one that knows words answers.

    "closer than" says how many of the gallery's games fit less.

    **Example**

        steam-dino text "a red dragon over a castle"
    """
    check_format(output)
    from steamdino.search import Snapshot
    from steamdino.search.filter_parser import filter_of

    settings = Settings.load({"gallery": gallery})
    only = filter_of(tag or (), released, min_reviews, free=free, adult=adult)
    snapshot = Snapshot.open(packed or settings.gallery, recipe, kind=kind, words=True)
    matches = snapshot.text(sentence, k, alike=alike, only=only)
    note_undated(matches.undated)
    print_answer(matches, output, gallery=settings.gallery, kind=kind, show=show, pictures=pictures)
