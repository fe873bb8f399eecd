"""`steam-dino text`: the games whose banners fit a sentence."""

from __future__ import annotations

from typing import Annotated

import typer

from steamdino.present.cli.answer import check_format, print_answer
from steamdino.present.cli.options import (
    AlikeOption,
    CountOption,
    FormatOption,
    GalleryOption,
    PicturesOption,
    RecipeOption,
    ShowOption,
    SnapshotOption,
)
from steamdino.settings import Settings


def text(
    sentence: Annotated[str, typer.Argument(metavar="SENTENCE", help="What should be on the banner.")],
    gallery: GalleryOption = None,
    k: CountOption = 10,
    recipe: RecipeOption = None,
    packed: SnapshotOption = None,
    alike: AlikeOption = False,
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

    settings = Settings.load({"gallery": gallery})
    snapshot = Snapshot.open(packed or settings.gallery, recipe, words=True)
    print_answer(snapshot.text(sentence, k, alike=alike), output, show=show, pictures=pictures)
